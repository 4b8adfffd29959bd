//! A round in which the service is killed.

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::{Bench, PAIRS, Round};
use crate::stage::{Failure, scatter};

/// Callees become free within this time, in microseconds.
const SPREAD: u64 = 20_000;

/// The service is killed within this time.
const MOMENT: u64 = 50_000;

pub(super) async fn play(bench: &mut Bench, number: u32) -> Result<Round, Failure> {
    bench.all_wait().await?;
    let Bench { office, pairs, .. } = &mut *bench;
    let free = try_join_all(pairs.iter_mut().zip(0..).map(async |(pair, which)| {
        sleep(Duration::from_micros(scatter(number, which, SPREAD))).await;
        pair.b_hangs_up().await
    }));
    let kill = async {
        sleep(Duration::from_micros(scatter(number, PAIRS, MOMENT))).await;
        let killed = Instant::now();
        office.kill();
        office.start().await?;
        Ok::<_, Failure>(killed)
    };
    let (_, killed) = tokio::try_join!(free, kill)?;
    let nobody = vec![Vec::new(); bench.pairs.len()];
    let rung = bench.all_rung(&nobody).await;
    let never = vec![false; bench.pairs.len()];
    let round = bench.judge(&rung, &never, killed).await?;
    bench.all_cancel().await?;
    Ok(round)
}
