//! From B's hanging up to A's ringing.

use std::time::Duration;

use ringback::callback::{Kind, Phase, Record};
use ringback::db::{RequestStore, Write};
use ringback::model::{Appearance, DeviceName, DirectoryNumber, Epoch, Group, LineId};
use ringback::model::{Partition, RequestId, Timestamp};
use ringback_db_sqlite::{Options, SqliteDatabase};
use ringback_examples::percentile::percentile;
use ringback_pbx_lab::{Answering, Phone, PhoneEvent};
use tokio::time::{Instant, sleep};

use super::Bench;
use crate::office::Office;
use crate::pair::{Pair, SOON};
use crate::stage::{Failure, scatter};
use crate::{milliseconds, say};

/// What was begun before is over by then.
const CALM: Duration = Duration::from_millis(60);

/// Plays so many rounds of each in turn, and prints what they took.
pub(super) async fn measure(bench: &mut Bench, rounds: u32) -> Result<(), Failure> {
    let partners =
        [Phone::register(&bench.server, "1003").await?, Phone::register(&bench.server, "2003").await?];
    for partner in &partners {
        partner.set_answering(Answering::After(Duration::ZERO));
    }
    let folder = tempfile::tempdir()?;
    let database = SqliteDatabase::open(folder.path().join("commits.db"), Options::default()).await?;
    let (mut ours, mut theirs, mut commits) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        theirs.push(of_server(&mut bench.theirs, round).await?);
        ours.push(of_us(&mut bench.ours, &bench.office, round).await?);
        commits.push(commit(&database, round).await?);
    }
    let at = |times: &[Duration], percent| percentile(percent, times.iter().copied());
    say("| B hangs up -> A's phone rings | p50 | p99 | longest | n |");
    say("|---|---|---|---|---|");
    let rows = [
        ("ringback, requests in SQLite", &ours),
        ("CCSS of the server", &theirs),
        ("one durable commit", &commits),
    ];
    for (what, times) in rows {
        let [p50, p99, longest] = [50, 99, 100].map(|percent| milliseconds(at(times, percent)));
        say(format_args!("| {what} | {p50} | {p99} | {longest} | {} |", times.len()));
    }
    let slower = at(&ours, 50) - at(&theirs, 50);
    let allowed = 5.0 + at(&commits, 50);
    say(format_args!(
        "ringback's p50 is {slower:.1} ms above that of CCSS (wanted: at most {allowed:.1} ms)"
    ));
    Ok(())
}

/// B, who is talking, hangs up; A is idle.
async fn latency(pair: &mut Pair, partner: &str, round: u32) -> Result<Duration, Failure> {
    pair.b_calls(partner).await?;
    pair.a_asks().await?;
    sleep(CALM + Duration::from_micros(scatter(round, 0, 20_000))).await;
    pair.a.drain();
    let begun = pair.b_hangs_up().await?;
    let rang = pair.is_recalled().await?;
    Ok(rang - begun)
}

async fn of_us(pair: &mut Pair, office: &Office, round: u32) -> Result<Duration, Failure> {
    let took = latency(pair, "1003", round).await?;
    // The second key of the screen: Cancel.
    pair.a.text("ringback", "2").await?;
    pair.a.wait_for(SOON, |event| *event == PhoneEvent::StoppedRinging).await?;
    office.ended_request_of(pair.a.name()).await?;
    sleep(CALM).await;
    Ok(took)
}

async fn of_server(pair: &mut Pair, round: u32) -> Result<Duration, Failure> {
    let took = latency(pair, "2003", round).await?;
    // A that refused would not end it: the server calls B all the same.
    pair.b.drain();
    pair.b.set_answering(Answering::After(Duration::ZERO));
    pair.a.answer()?;
    pair.b.wait_for(SOON, |event| *event == PhoneEvent::Answered).await?;
    sleep(CALM).await;
    pair.a.hang_up().await?;
    pair.b.wait_for(SOON, |event| *event == PhoneEvent::HungUp).await?;
    sleep(CALM).await;
    Ok(took)
}

/// One record is written so that it survives a power failure.
async fn commit(database: &SqliteDatabase, round: u32) -> Result<Duration, Failure> {
    let line = LineId::new(Partition::default(), DirectoryNumber::new("1002")?);
    let record = Record {
        id: RequestId { epoch: Epoch(1), number: u64::from(round % 10) + 1 },
        caller: Appearance { device: DeviceName::new("1001")?, line: line.clone() },
        dialled: line.dn.clone(),
        called: line,
        kind: Kind::Busy,
        since: Timestamp(u64::from(round)),
        expires: None,
        origin: None,
        phase: Phase::Waiting,
        cycle: None,
        alerts: 0,
        notified: None,
    };
    let begun = Instant::now();
    database.store().apply(&Group::default(), Epoch(1), &[Write::Put(record)]).await?;
    Ok(begun.elapsed())
}
