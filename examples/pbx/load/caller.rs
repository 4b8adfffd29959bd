//! A caller that waits for its callee, is recalled, and waits again.

use std::sync::Arc;
use std::time::Duration;

use ringback_pbx_lab::{Answering, PhoneEvent};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::count::Count;
use crate::pair::{Pair, SOON, answered, text_with};
use crate::stage::{Failure, NOBODY};

/// Who is not rung within this time has been missed.
const LIMIT: Duration = Duration::from_secs(10);

/// How long somebody does something that lasts.
const WHILE: Duration = Duration::from_millis(500);

/// Waits and is recalled, each time that it is released, until nobody is there to release it.
pub(super) async fn serve(mut pair: Pair, count: Arc<Count>, mut released: mpsc::Receiver<()>) {
    for turn in 0_u32.. {
        if let Err(error) = wait(&mut pair, &count, turn).await {
            return broken(&pair, &count, &error);
        }
        count.waits(true);
        let more = released.recv().await;
        count.waits(false);
        if more.is_none() {
            return;
        }
        if let Err(error) = recall(&mut pair, &count, turn).await {
            return broken(&pair, &count, &error);
        }
    }
}

fn broken(pair: &Pair, count: &Count, error: &Failure) {
    crate::say(format_args!("{} and {}: {error}", pair.a.name(), pair.b.name()));
    count.failed();
}

/// Every fourth time B did not answer; otherwise it is in a call.
fn unanswered(turn: u32) -> bool {
    turn % 4 == 3
}

async fn wait(pair: &mut Pair, count: &Count, turn: u32) -> Result<(), Failure> {
    if unanswered(turn) {
        count.begin_calls(2);
        return pair.a_asks_after_no_answer().await;
    }
    count.begin_calls(3);
    pair.b_calls(NOBODY).await?;
    pair.a_asks().await
}

async fn recall(pair: &mut Pair, count: &Count, turn: u32) -> Result<(), Failure> {
    if unanswered(turn) {
        count.begin_calls(1);
        pair.b_calls(NOBODY).await?;
        sleep(WHILE).await;
    }
    if !pair.recalls().is_empty() {
        count.wrong();
    }
    // Every fourth time A is busy itself when B becomes free.
    let free = if turn % 4 == 1 {
        count.begin_calls(1);
        let talk = answered(&pair.a, NOBODY).await?;
        pair.b_hangs_up().await?;
        sleep(WHILE).await;
        if !pair.recalls().is_empty() {
            count.wrong();
        }
        let free = Instant::now();
        talk.hang_up().await?;
        free
    } else {
        pair.b_hangs_up().await?
    };
    let rung = pair.recalled(LIMIT).await;
    count.free(rung.map(|rung| rung.saturating_duration_since(free)));
    if rung.is_none() {
        return Err("the caller was not recalled".into());
    }
    if turn.is_multiple_of(2) { talk(pair).await } else { cancel(pair).await }
}

/// A answers, B answers, and A hangs up.
async fn talk(pair: &mut Pair) -> Result<(), Failure> {
    pair.b.drain();
    pair.b.set_answering(Answering::After(Duration::ZERO));
    pair.a.answer()?;
    pair.b.wait_for(SOON, |event| *event == PhoneEvent::Answered).await?;
    sleep(WHILE).await;
    pair.a.hang_up().await?;
    pair.b.wait_for(SOON, |event| *event == PhoneEvent::HungUp).await?;
    Ok(())
}

/// A presses Cancel, the second key of its screen.
async fn cancel(pair: &mut Pair) -> Result<(), Failure> {
    pair.a.text("ringback", "2").await?;
    pair.a.wait_for(SOON, |event| *event == PhoneEvent::StoppedRinging).await?;
    // It has nothing waiting.
    pair.a.text("ringback", "?").await?;
    pair.a.wait_for(SOON, |event| text_with(event, "not active")).await?;
    Ok(())
}
