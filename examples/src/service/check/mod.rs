//! What values must be together.

mod call_manager;
mod groups;

use ringback::election::ParameterError;
use ringback::model::Millis;

use self::call_manager::call_manager;
use self::groups::{candidates, together};
use super::config::{OwnAddress, ServiceConfig};
use super::group::{GroupConfig, NoCandidate};
use super::problem::{ConfigError, Source};
use super::written::Form;

/// A group, and where it is written.
type Written<'a> = (&'a GroupConfig, Source<'a>);

/// A save counts as failed after this time.
const SAVE: Millis = Millis(2000);

pub(super) fn check(config: &ServiceConfig, form: Form, source: &Source<'_>) -> Result<(), ConfigError> {
    let sources: Vec<Source<'_>> = config
        .groups
        .iter()
        .enumerate()
        .map(|(nth, group)| match form {
            Form::Top => *source,
            Form::Tables => source.of_group(nth, group.name.as_str()),
        })
        .collect();
    let groups: Vec<Written<'_>> = config.groups.iter().zip(sources).collect();
    groups.iter().try_for_each(|(group, source)| call_manager(group, source))?;
    together(&groups, source)?;
    change_secret(config, source)?;
    database(config, source)?;
    traces(config, source)?;
    peers(config, source)?;
    let address = match config.address {
        OwnAddress::Given(address) => address,
        OwnAddress::Auto => match config.election.candidates.networks.first() {
            // The machine's own is looked for in them when it is needed.
            Some(network) => network.hosts().next().unwrap_or(network.addr()),
            None => {
                let problem =
                    "expected networks to choose from: networks = [\"10.0.0.0/24\"] in [election.candidates]";
                return Err(source.value("", "address", 0, problem.to_owned()));
            }
        },
    };
    config.election.check(address).map_err(|error| match error {
        ParameterError::Address(error) => source.value("", "address", 0, error.to_string()),
        error => source.value("election", key(&error), 0, error.to_string()),
    })?;
    groups.iter().try_for_each(|(group, source)| candidates(group, &config.election.candidates, source))?;
    match config.address {
        OwnAddress::Given(address) if config.served_at(address).next().is_none() => {
            let problem = NoCandidate::new(config, address).to_string();
            Err(source.value("", "address", 0, problem))
        }
        _ => Ok(()),
    }
}

fn key(error: &ParameterError) -> &'static str {
    match error {
        ParameterError::Zero { name } => match *name {
            "call time-out" => "call_timeout",
            "hand-over poll" => "hand_over_poll",
            other => other,
        },
        ParameterError::MarginTooShort { .. } => "margin",
        ParameterError::PollTooLong { .. } => "hand_over_poll",
        _ => "lease",
    }
}

fn change_secret(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    let notified = &config.change_notification;
    if notified.secret.is_some() && notified.secret_file.is_some() {
        let problem = "there is secret, too: give one of the two".to_owned();
        return Err(source.value("change_notification", "secret_file", 0, problem));
    }
    Ok(())
}

fn database(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    const LONGEST_POLL: Millis = Millis(1000);
    let (busy, poll) = (config.database.busy_timeout, config.database.poll_interval);
    if busy == Millis::ZERO || busy >= SAVE {
        let problem = format!("a save counts as failed after {SAVE}: choose 1 ms to {}", Millis(SAVE.0 - 1));
        return Err(source.value("database", "busy_timeout", 0, problem));
    }
    if poll == Millis::ZERO || poll > LONGEST_POLL {
        let problem = format!("expected 1 ms to {LONGEST_POLL}");
        return Err(source.value("database", "poll_interval", 0, problem));
    }
    Ok(())
}

fn peers(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    let Some(peers) = &config.peers else { return Ok(()) };
    if peers.port == 0 {
        return Err(source.value(
            "peers",
            "port",
            0,
            "expected the port that all instances share, 1 to 65535".to_owned(),
        ));
    }
    let files = [&peers.authority, &peers.certificate, &peers.key];
    let given = files.iter().filter(|file| file.is_some()).count();
    if given != 0 && given != files.len() {
        return Err(source.whole(
            "[peers]: authority, certificate and key go together: give all three, or none".to_owned(),
        ));
    }
    match config.address {
        OwnAddress::Given(address) if given == 0 && !address.is_loopback() => Err(source.whole(format!(
            "[peers]: the address {address} is reached from other machines: give authority, certificate and key"
        ))),
        _ => Ok(()),
    }
}

fn traces(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    let nothing = |key| Err(source.value("traces", key, 0, "expected at least 1".to_owned()));
    match (config.traces.lines, config.traces.files) {
        (0, _) => nothing("lines"),
        (_, 0) => nothing("files"),
        _ => Ok(()),
    }
}
