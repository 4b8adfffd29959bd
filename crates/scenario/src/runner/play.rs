use std::future::Future;

use tokio::time::{Instant, timeout_at};

use super::back_end::{BackEnd, Hindrance};
use super::evaluate::{Seen, evaluate};
use super::pace::{Pace, Timeline};
use super::window::{EventWindow, Mark};
use crate::language::{Action, Condition, Expectation, Scenario, Step, StepStatement, duration_text};
use crate::report::{Failure, Outcome};
use crate::world::ActionFailure;
use ringback_model::Millis;

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
pub async fn play<B: BackEnd>(scenario: &Scenario, world: &mut B, pace: Pace) -> Outcome {
    play_timed(scenario, world, pace, |_, _| {}).await
}

/// The same; `took` is told how long each step took that did not fail.
pub(crate) async fn play_timed<B: BackEnd>(
    scenario: &Scenario,
    world: &mut B,
    pace: Pace,
    mut took: impl FnMut(&Step, Millis),
) -> Outcome {
    if let Err(failure) = world.start(scenario.names().nodes()).await {
        let line = scenario.steps.first().map_or(1, |step| step.line);
        return failed(line, "the start of the service".to_owned(), failure);
    }
    let mut window = EventWindow::new();
    let mut timeline = Timeline::new(pace);
    let mut notes = Vec::new();
    for step in &scenario.steps {
        let start = Instant::now();
        let result = match &step.what {
            StepStatement::Action(action) => {
                window.before_action(world.mark());
                act(action, world).await
            }
            StepStatement::Expectation(expectation) => {
                let since = window.before_expectation();
                judge(expectation, since, world, &mut timeline, &mut notes).await.map_err(Hindrance::from)
            }
        };
        match result {
            Ok(()) => took(step, start.elapsed().into()),
            Err(Hindrance::Impossible(failure)) => {
                return failed(step.line, step.what.to_string(), failure);
            }
            Err(Hindrance::NotHere(reason)) => {
                return Outcome::Skipped { reason: format!("line {}, {}: {reason}", step.line, step.what) };
            }
        }
    }
    Outcome::Passed { notes }
}

fn failed(line: usize, statement: String, failure: ActionFailure) -> Outcome {
    let ActionFailure { expected, saw } = failure;
    Outcome::Failed(Failure { line, statement, expected, saw })
}

async fn act<B: BackEnd>(action: &Action, world: &mut B) -> Result<(), Hindrance> {
    world.act(action).await?;
    if !matches!(action, Action::Wait(_)) {
        world.settle().await;
    }
    Ok(())
}

async fn judge<B: BackEnd>(
    expectation: &Expectation,
    since: Mark,
    world: &mut B,
    timeline: &mut Timeline,
    notes: &mut Vec<String>,
) -> Result<(), ActionFailure> {
    match expectation {
        Expectation::Holds { condition, within } => {
            let within = within.unwrap_or(Expectation::DEFAULT_WITHIN);
            let seen = watch(condition, since, timeline.limit(within), world).await;
            if seen.holds {
                return Ok(());
            }
            let expected = format!("{condition} within {}", duration_text(within));
            Err(ActionFailure::new(expected, seen.saw))
        }
        Expectation::Never { condition, during } => {
            let watched = timeline.watch(*during);
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
async fn watch<B: BackEnd>(condition: &Condition, since: Mark, within: Millis, world: &mut B) -> Seen {
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
