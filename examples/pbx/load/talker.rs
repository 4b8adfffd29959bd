//! Calls that nobody waits for.

use std::sync::Arc;
use std::time::Duration;

use ringback_pbx_lab::{Answering, CallOutcome, Phone};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::count::Count;
use crate::pair::SOON;
use crate::stage::{Failure, scatter};

/// Calls each time that it is told, until nobody is there to tell it.
pub(super) async fn serve(from: Phone, to: Phone, count: Arc<Count>, mut told: mpsc::Receiver<()>) {
    for turn in 0_u32.. {
        if told.recv().await.is_none() {
            return;
        }
        count.begin_calls(1);
        if let Err(error) = call(&from, &to, turn).await {
            crate::say(format_args!("{} and {}: {error}", from.name(), to.name()));
            count.failed();
        }
    }
}

async fn call(from: &Phone, to: &Phone, turn: u32) -> Result<(), Failure> {
    let moment = |which, most| Duration::from_millis(scatter(turn, which, most));
    if turn % 5 == 4 {
        to.set_answering(Answering::Busy);
        let mut refused = from.call(to.name())?;
        refused.wait_for(SOON, |outcome| outcome == CallOutcome::Failed(486)).await?;
        return Ok(());
    }
    to.set_answering(Answering::After(moment(0, 300)));
    let mut talk = from.call(to.name())?;
    talk.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await?;
    sleep(moment(1, 1500)).await;
    if turn.is_multiple_of(2) {
        talk.hang_up().await?;
    } else {
        to.hang_up().await?;
    }
    talk.wait_for(SOON, |outcome| outcome == CallOutcome::Ended).await?;
    // The other end has heard of it, too.
    sleep(Duration::from_millis(50)).await;
    Ok(())
}
