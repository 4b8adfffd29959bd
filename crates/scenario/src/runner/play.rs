use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::evaluate::{Seen, evaluate};
use super::observations::Observations;
use super::window::{EventWindow, Mark};
use crate::language::{Action, Condition, Expectation, Scenario, StepStatement, duration_text};
use crate::report::{Failure, Outcome};
use crate::world::{ActionFailure, Instances, World};
use ringback_model::Millis;

/// Which time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pace {
    /// Simulated time, on tokio's paused clock: see [`in_simulated_time`].
    Simulated,
    /// Real time: `expect never X for D` watches for 3 s at most, and says so.
    Real,
}

impl Pace {
    /// How long `expect never` watches at most in real time.
    pub const LONGEST_WATCH: Millis = Millis(3000);
}

/// What passes after each action but `wait`, so that everything that needs no timer settles.
const SETTLE: Duration = Duration::from_millis(250);

/// Runs a future on a clock of its own, which stands still while something can be done and jumps to the next timer
/// when nothing can.
///
/// # Errors
/// The runtime cannot be built.
pub fn in_simulated_time<F: Future>(future: F) -> std::io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    Ok(runtime.block_on(future))
}

/// Starts the instances that the scenario names and plays its steps up to the first that fails.
pub async fn play<I: Instances>(scenario: &Scenario, world: &mut World<I>, pace: Pace) -> Outcome {
    if let Err(failure) = world.start(scenario.names().nodes()).await {
        let line = scenario.steps.first().map_or(1, |step| step.line);
        return failed(line, "the start of the service".to_owned(), failure);
    }
    let mut window = EventWindow::new();
    let mut notes = Vec::new();
    for step in &scenario.steps {
        let result = match &step.what {
            StepStatement::Action(action) => {
                window.before_action(world.mark());
                act(action, world).await
            }
            StepStatement::Expectation(expectation) => {
                let since = window.before_expectation();
                judge(expectation, since, world, pace, &mut notes).await
            }
        };
        if let Err(failure) = result {
            return failed(step.line, step.what.to_string(), failure);
        }
    }
    Outcome::Passed { notes }
}

fn failed(line: usize, statement: String, failure: ActionFailure) -> Outcome {
    let ActionFailure { expected, saw } = failure;
    Outcome::Failed(Failure { line, statement, expected, saw })
}

async fn act<I: Instances>(action: &Action, world: &mut World<I>) -> Result<(), ActionFailure> {
    world.act(action).await?;
    if !matches!(action, Action::Wait(_)) {
        sleep(SETTLE).await;
    }
    Ok(())
}

async fn judge<I: Instances>(
    expectation: &Expectation,
    since: Mark,
    world: &mut World<I>,
    pace: Pace,
    notes: &mut Vec<String>,
) -> Result<(), ActionFailure> {
    match expectation {
        Expectation::Holds { condition, within } => {
            let within = within.unwrap_or(Expectation::DEFAULT_WITHIN);
            let seen = watch(condition, since, within, world).await;
            if seen.holds {
                return Ok(());
            }
            let expected = format!("{condition} within {}", duration_text(within));
            Err(ActionFailure::new(expected, seen.saw))
        }
        Expectation::Never { condition, during } => {
            let watched = match pace {
                Pace::Simulated => *during,
                Pace::Real => (*during).min(Pace::LONGEST_WATCH),
            };
            if watched < *during {
                notes.push(format!(
                    "never {condition}: watched for {}, not {}",
                    duration_text(watched),
                    duration_text(*during)
                ));
            }
            let start = Instant::now();
            let seen = watch(condition, since, watched, world).await;
            if !seen.holds {
                return Ok(());
            }
            let after = duration_text(start.elapsed().into());
            let expected = format!("never {condition} for {}", duration_text(*during));
            Err(ActionFailure::new(expected, format!("{} after {after}", seen.saw)))
        }
    }
}

/// Looks after every change, up to the moment the condition holds or the time is over.
async fn watch<I: Instances>(
    condition: &Condition,
    since: Mark,
    within: Millis,
    world: &mut World<I>,
) -> Seen {
    let deadline = Instant::now() + within.to_duration();
    loop {
        let seen = evaluate(condition, world, since);
        if seen.holds {
            return seen;
        }
        if timeout_at(deadline, world.changed()).await.is_err() {
            return evaluate(condition, world, since);
        }
    }
}
