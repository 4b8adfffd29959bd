//! What becomes of a request when something goes wrong, played for both.

use std::time::Duration;

use ringback_pbx_lab::{Answering, PhoneEvent};
use tokio::time::sleep;

use super::{Bench, PROOF, RING};
use crate::office::Office;
use crate::pair::{By, Pair, SOON, answered};
use crate::say;
use crate::stage::{Failure, NOBODY};

/// Who is not rung within this time is not rung.
const WHILE: Duration = Duration::from_secs(3);

/// What was asked for is in force by then: the server answers before it watches B.
const CALM: Duration = Duration::from_millis(200);

/// So often the server is asked at most until it does something at all: now and then it loses a request.
const TRIES: u32 = 4;

/// What goes wrong, played with one of the two.
#[derive(Debug, Clone, Copy)]
enum Case {
    CallerBusy,
    CalleeBusyAgain,
    CalleeRefuses,
    NoAnswer,
}

impl Case {
    const ALL: [(&str, Self); 4] = [
        ("A is in a call when B becomes free", Self::CallerBusy),
        ("B is in a call again before A answers the recall", Self::CalleeBusyAgain),
        ("A answers the recall, and B's phone refuses it as busy", Self::CalleeRefuses),
        ("A does not answer the recall", Self::NoAnswer),
    ];

    async fn play(self, pair: &mut Pair) -> Result<String, Failure> {
        pair.b_calls(NOBODY).await?;
        pair.a_asks().await?;
        sleep(CALM).await;
        match self {
            Self::CallerBusy => caller_busy(pair).await,
            Self::CalleeBusyAgain => callee_busy_again(pair).await,
            Self::CalleeRefuses => callee_refuses(pair).await,
            Self::NoAnswer => no_answer(pair).await,
        }
    }
}

/// Plays all, and prints a row for each.
pub(super) async fn play(bench: &mut Bench) -> Result<(), Failure> {
    say("| what goes wrong | ringback | CCSS |");
    say("|---|---|---|");
    for (what, case) in Case::ALL {
        let ours = case.play(&mut bench.ours).await?;
        tidy(&mut bench.ours, &bench.office).await?;
        let theirs = of_server(case, bench).await?;
        say(format_args!("| {what} | {ours} | {theirs} |"));
    }
    let [ours, theirs] = server_dies(bench).await?;
    say(format_args!("| `kill -9` of Asterisk, B becomes free meanwhile | {ours} | {theirs} |"));
    let ours = service_dies(bench).await?;
    say(format_args!("| `kill -9` of ringback, B becomes free meanwhile | {ours} | not concerned |"));
    Ok(())
}

/// The same with the server. What it does not even begin is played again, and told.
async fn of_server(case: Case, bench: &mut Bench) -> Result<String, Failure> {
    let mut failures = Vec::new();
    for _ in 0..TRIES {
        let pair = &mut bench.theirs;
        let played = match case.play(pair).await {
            Ok(theirs) => tidy(pair, &bench.office).await.map(|()| theirs),
            Err(failure) => Err(failure),
        };
        match played {
            Ok(theirs) if failures.is_empty() => return Ok(theirs),
            Ok(theirs) => return Ok(format!("{theirs} (failed before: {})", failures.join("; "))),
            Err(failure) => failures.push(failure.to_string()),
        }
        pair.give_up().await;
        tidy(pair, &bench.office).await?;
    }
    Err(failures.join("; ").into())
}

/// What it means whether A was rung at last.
fn verdict(rung: bool, before: &str, when: &str) -> String {
    if rung { format!("{before}kept: A is rung {when}") } else { format!("{before}lost") }
}

async fn caller_busy(pair: &mut Pair) -> Result<String, Failure> {
    let talk = answered(&pair.a, NOBODY).await?;
    pair.b_hangs_up().await?;
    let disturbed = pair.recalled(WHILE).await.is_some();
    let before = if disturbed { "A's phone is called during its call; " } else { "" };
    talk.hang_up().await?;
    Ok(verdict(pair.recalled(WHILE).await.is_some(), before, "when it is free"))
}

async fn callee_busy_again(pair: &mut Pair) -> Result<String, Failure> {
    pair.b_hangs_up().await?;
    pair.is_recalled().await?;
    pair.b_calls(NOBODY).await?;
    // Well before nobody answers.
    let withdrawn = pair.a.wait_for(RING / 3, |event| *event == PhoneEvent::StoppedRinging).await.is_ok();
    let before = if withdrawn {
        "the recall is withdrawn; "
    } else {
        answer_in_vain(pair).await?;
        "A hears busy; "
    };
    pair.b_hangs_up().await?;
    Ok(verdict(pair.recalled(WHILE).await.is_some(), before, "again when B is free again"))
}

async fn callee_refuses(pair: &mut Pair) -> Result<String, Failure> {
    pair.b_hangs_up().await?;
    pair.b.set_answering(Answering::Busy);
    pair.is_recalled().await?;
    answer_in_vain(pair).await?;
    pair.b_uses_phone().await?;
    Ok(verdict(pair.recalled(WHILE).await.is_some(), "", "again when B has used its phone"))
}

/// A answers, B refuses; A hangs up, if nobody has done so for it.
async fn answer_in_vain(pair: &mut Pair) -> Result<(), Failure> {
    pair.a.answer()?;
    let ended = pair.a.wait_for(WHILE, |event| *event == PhoneEvent::HungUp).await;
    if ended.is_err() {
        pair.a.hang_up().await?;
    }
    Ok(())
}

async fn no_answer(pair: &mut Pair) -> Result<String, Failure> {
    pair.b_hangs_up().await?;
    pair.is_recalled().await?;
    pair.a.wait_for(SOON, |event| *event == PhoneEvent::StoppedRinging).await?;
    pair.b_uses_phone().await?;
    Ok(verdict(pair.recalled(WHILE).await.is_some(), "", "again when B is free again"))
}

/// Both phones are idle, and nothing is waiting.
async fn tidy(pair: &mut Pair, office: &Office) -> Result<(), Failure> {
    match pair.by {
        By::Us => {
            // It may have no call.
            let _none = pair.a.hang_up().await;
            if office.holds_request_of(pair.a.name()).await? {
                pair.a_cancels(office).await?;
            }
        }
        By::Server => {
            // A that refused the recall would not end it: the server may call B all the same, whose phone would then ring on
            // into the next case.
            pair.b.drain();
            pair.b.set_answering(Answering::After(Duration::ZERO));
            if pair.a.answer().is_ok() {
                pair.b.wait_for(SOON, |event| *event == PhoneEvent::Answered).await?;
                pair.a.hang_up().await?;
                pair.b.wait_for(SOON, |event| *event == PhoneEvent::HungUp).await?;
            } else {
                let _none = pair.a.hang_up().await;
            }
            answered(&pair.a, "*67").await?.hang_up().await?;
        }
    }
    pair.b.set_answering(Answering::Ring);
    sleep(Duration::from_millis(200)).await;
    pair.a.drain();
    Ok(())
}

/// Both wait, and the server is killed.
async fn server_dies(bench: &mut Bench) -> Result<[String; 2], Failure> {
    let Bench { server, office, ours, theirs } = bench;
    for pair in [&mut *ours, &mut *theirs] {
        pair.b_calls(NOBODY).await?;
        pair.a_asks().await?;
    }
    server.kill();
    for pair in [&mut *ours, &mut *theirs] {
        pair.b_hangs_up_unheard();
    }
    office.is_disconnected().await?;
    server.restart().await?;
    for pair in [&*ours, &*theirs] {
        pair.renew().await?;
    }
    office.is_connected().await?;
    let ours_rung = ours.recalled(PROOF + WHILE).await.is_some();
    // A server that had only waited for B to do something would be given that, too.
    theirs.b_uses_phone().await?;
    let theirs_rung = theirs.recalled(WHILE).await.is_some();
    for pair in [ours, theirs] {
        tidy(pair, office).await?;
    }
    let when = format!("when the restarted server has been up for {} s (as configured)", PROOF.as_secs());
    Ok([verdict(ours_rung, "", &when), verdict(theirs_rung, "", "when B has used its phone")])
}

/// Ours waits, and is killed.
async fn service_dies(bench: &mut Bench) -> Result<String, Failure> {
    let Bench { office, ours, .. } = bench;
    ours.b_calls(NOBODY).await?;
    ours.a_asks().await?;
    office.kill();
    ours.b_hangs_up().await?;
    office.start().await?;
    let rung = ours.recalled(SOON).await.is_some();
    tidy(ours, office).await?;
    Ok(verdict(rung, "", "after the restart"))
}
