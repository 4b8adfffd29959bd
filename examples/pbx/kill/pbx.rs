//! A round in which the server is killed.

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::{Bench, PROOF, Round, since};
use crate::say;
use crate::stage::{Failure, scatter};

/// Some callees become free within this time before the server is killed, in microseconds.
const MOMENT: u64 = 20_000;

/// What a callee does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Callee {
    /// It hangs up just before the server dies, or in that moment.
    JustBefore,
    /// It hangs up while there is no server.
    Meanwhile,
    /// It keeps the handset of the call that died, and is seen to use its phone after the restart.
    Afterwards,
}

impl Callee {
    fn of(which: usize) -> Self {
        [Self::JustBefore, Self::Meanwhile, Self::Afterwards][which % 3]
    }
}

pub(super) async fn play(bench: &mut Bench, number: u32) -> Result<Round, Failure> {
    bench.all_wait().await?;
    let Bench { server, office, pairs } = &mut *bench;
    let kinds: Vec<Callee> = (0..pairs.len()).map(Callee::of).collect();
    for (pair, _) in pairs.iter_mut().zip(&kinds).filter(|(_, kind)| **kind == Callee::JustBefore) {
        pair.b_hangs_up_unheard();
    }
    sleep(Duration::from_micros(scatter(number, 0, MOMENT))).await;
    server.kill();
    let killed = Instant::now();
    for (pair, _) in pairs.iter_mut().zip(&kinds).filter(|(_, kind)| **kind == Callee::Meanwhile) {
        pair.b_hangs_up_unheard();
    }
    office.is_disconnected().await?;
    let mut before = Vec::new();
    for pair in pairs.iter_mut() {
        // What rings for a server that is gone is over.
        let _none = pair.a.hang_up().await;
        before.push(pair.recalls());
    }
    let started = Instant::now();
    server.restart().await?;
    try_join_all(pairs.iter().map(|pair| pair.renew())).await?;
    office.is_connected().await?;
    let mut used = vec![None; pairs.len()];
    for ((pair, kind), used) in pairs.iter_mut().zip(&kinds).zip(&mut used) {
        if *kind == Callee::Afterwards {
            pair.b_hangs_up_unheard();
            let begun = Instant::now();
            pair.b_uses_phone().await?;
            *used = Some((begun, Instant::now()));
        }
    }
    let rung = bench.all_rung(&before).await;
    let believed = |used: &Option<(Instant, Instant)>| used.is_some_and(|(_, until)| started + PROOF < until);
    let believed: Vec<bool> = used.iter().map(believed).collect();
    let mut round = bench.judge(&rung, &believed, killed).await?;
    for ((rung, kind), used) in rung.iter().zip(&kinds).zip(used) {
        let proven = match kind {
            Callee::JustBefore | Callee::Meanwhile => started + PROOF,
            // On a slow machine the server may have been up for long enough before the callee gets to its phone.
            Callee::Afterwards => used.map_or(started, |(begun, _)| begun).min(started + PROOF),
        };
        // What the former server had sent is heard a little later.
        let of_former = |at: Instant| at < started && *kind == Callee::JustBefore;
        for at in rung.iter().filter(|at| !of_former(**at) && **at < proven) {
            say(format_args!("{kind:?}: rung {} after the kill, unproven", since(killed, *at)));
            round.unproven += 1;
        }
    }
    bench.all_cancel().await?;
    Ok(round)
}
