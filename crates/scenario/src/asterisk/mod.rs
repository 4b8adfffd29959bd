//! Scenarios on a real Asterisk with real SIP phones, in real time.
//!
//! Each scenario has a server of its own, at an address of its own in 127.0.0.0/8, that ends with it, and instances of the
//! real service in this process. What the language says is played like this:
//!
//! | the language | the PBX |
//! |---|---|
//! | a phone | an endpoint named after its number; a SIP phone and, beside it, a display for phone XML |
//! | calls, answers, hangs up | SIP |
//! | hears | what the server plays into the call (each tone has a frequency of its own); the server goes on until the user hangs up |
//! | lifts | a call to the server's dial tone, as a phone makes that is set to a hot line: else a PBX does not know of it |
//! | presses CallBack | a SIP MESSAGE to `ringback`: the number of the call that the phone is in, or `?` |
//! | presses another key | the softkey of the phone XML screen, at the one address that all instances have for keys (a proxy before them); for the call that Dial brings the phone picks up by itself |
//! | shows, alerted | what the display shows and plays |
//! | forwards, dnd | a SIP MESSAGE that sets the key of the PBX's database which the feature code sets: dialling the code would be a use of the phone |
//! | adds, removes a phone | a hint of the dialplan |
//! | resets, registers, unregisters | SIP registration |
//! | the directory | endpoints, hints, forwarding and do-not-disturb are the PBX's; locales, templates, pools and service parameters are not its business, and come from a database in memory beside it |
//! | stop the directory database | that database |
//! | stop, start, freeze the CTIManager | the way to the manager interface is interrupted |
//! | start, stop, kill, pause a node; stop the store | as in the simulator: instances and store are in this process; each run of an instance serves its own screens |
//! | cut a node off | from store and registry as in the simulator, from the manager interface, and from the phones' keys |
//!
//! What a PBX has no counterpart for is skipped with the reason ([`ABLE`]), and so is a scenario of which the simulator
//! knows that one step of it takes more than a minute, or that it passes only because time passes that real time does not
//! let pass (`expect never` watches for 3 s).

mod act;
mod desk;
mod front;
mod many;
mod observe;
mod outlet;
mod reach;
mod relay;
mod server;
mod tap;
mod world;

use std::io;

use ringback_pbx_lab::{Asterisk, Release};

pub use ringback_pbx_lab::LabError;

use crate::language::{Needs, Scenario, duration_text};
use crate::report::{Failure, Outcome};
use crate::runner::{Pace, play};
use crate::simulation::{simulate, simulate_at};
use ringback_model::Millis;
use world::PbxWorld;

/// What can be played on an Asterisk.
pub const ABLE: Needs = Needs {
    several_instances: true,
    several_ctimanagers: false,
    ctimanager_faults: true,
    database_faults: true,
    store_faults: true,
    pause_or_cut: true,
    other_lines: false,
    partitions: false,
    other_numbers: false,
    phone_changes: true,
    logins: false,
    longest_wait: Millis::from_mins(1),
};

/// Why a scenario cannot be played; `None` if it can.
///
/// # Errors
/// There are no resources for the simulator, which is asked what depends on time.
pub fn reason_to_skip(scenario: &Scenario) -> io::Result<Option<String>> {
    if let Some(reason) = scenario.needs().missing_from(&ABLE) {
        return Ok(Some(reason));
    }
    // What a file does that passes in the simulator is known from there.
    if !matches!(simulate(scenario)?.outcome, Outcome::Passed { .. }) {
        return Ok(None);
    }
    let mut long = None;
    let played = simulate_at(scenario, Pace::Real, |step, time| {
        if time > ABLE.longest_wait && long.is_none() {
            long = Some((step.line, step.what.to_string(), time));
        }
    })?;
    if let Outcome::Failed(Failure { line, statement, .. }) = played.outcome {
        return Ok(Some(format!(
            "line {line}, {statement}: depends on time that `expect never` does not let pass in real time"
        )));
    }
    if let Some((line, statement, time)) = long {
        let (time, most) = (duration_text(time), duration_text(ABLE.longest_wait));
        return Ok(Some(format!("line {line}, {statement}: takes {time}, longer than {most}")));
    }
    Ok(None)
}

/// An Asterisk to play scenarios on.
#[derive(Debug, Clone)]
pub struct Laboratory {
    asterisk: Asterisk,
}

impl Laboratory {
    /// Fetches the server, or takes what was fetched before.
    ///
    /// # Errors
    /// It cannot be had here, or is not usable.
    pub fn open() -> Result<Self, LabError> {
        Ok(Self { asterisk: Asterisk::fetch(Release::V22)? })
    }

    /// What the server says it is.
    #[must_use]
    pub fn version(&self) -> &str {
        self.asterisk.version()
    }

    /// Plays a scenario, or says why it cannot be played. Blocks for the time that it takes; several may be played at the
    /// same time, on threads of their own.
    ///
    /// # Errors
    /// There are no resources for a runtime.
    pub fn play(&self, scenario: &Scenario) -> io::Result<Outcome> {
        if let Some(reason) = reason_to_skip(scenario)? {
            return Ok(Outcome::Skipped { reason });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let outcome = runtime.block_on(async {
            match PbxWorld::open(&self.asterisk, scenario).await {
                Ok(mut world) => play(scenario, &mut world, Pace::Real).await,
                Err(error) => Outcome::Failed(Failure {
                    line: 1,
                    statement: "the set-up".to_owned(),
                    expected: "a server and phones".to_owned(),
                    saw: error.to_string(),
                }),
            }
        });
        // Nothing of it goes on behind the next one.
        runtime.shutdown_background();
        Ok(outcome)
    }
}
