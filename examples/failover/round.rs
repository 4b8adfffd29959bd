//! One round: a fault, a take-over, and what became of the requests.

use std::time::Duration;

use ringback_examples::stage::Failure;
use rustix::process::Signal;
use tokio::time::{Instant, timeout};

use crate::Fault;
use crate::figures::Round;
use crate::site::Site;

/// How many called lines become available around the fault: one half just before, one half just after it.
const USED: u32 = 10;

/// A process that is paused in the middle of a write holds the file locked, and nobody can take over: so long it is
/// waited for before it may go on.
const HELD: Duration = Duration::from_secs(10);

pub(crate) async fn play(site: &mut Site, fault: Fault, number: u32) -> Result<Round, Failure> {
    if fault == Fault::Join {
        let epoch = site.cluster.offices.newest();
        site.signal(Signal::TERM)?;
        site.ended().await?;
        site.cluster.office_after(epoch).await?;
    }
    let pending = site.cluster.pending;
    let first = number * USED % pending;
    let trial = site.cluster.prepare((first..first + USED).map(|n| n % pending).collect()).await?;
    let (before, after) = trial.used.split_at(trial.used.len() / 2);
    let epoch = trial.epoch;

    // The fault, between lines that become available.
    for number in before {
        site.cluster.replaces(*number)?;
    }
    let struck = Instant::now();
    match fault {
        Fault::Kill => {
            site.signal(Signal::KILL)?;
            site.ended().await?;
        }
        Fault::Pause => site.signal(Signal::STOP)?,
        Fault::Stop => site.signal(Signal::TERM)?,
        Fault::Join => site.run(site.lowest_address)?,
        Fault::Cut => site.network()?.cut(site.lowest_address)?,
    }
    for number in after {
        // Spread over the time in which nobody may act, a little differently each round.
        tokio::time::sleep(Duration::from_millis(u64::from(number % 7))).await;
        site.cluster.replaces(*number)?;
    }
    let mut held = false;
    let office = if fault == Fault::Pause {
        match timeout(HELD, site.cluster.office_after(epoch)).await {
            Ok(office) => office?,
            Err(_) if !site.file_is_locked().await => return Err("nobody took over".into()),
            Err(_) => {
                held = true;
                site.signal(Signal::CONT)?;
                site.cluster.office_after(epoch).await?
            }
        }
    } else {
        site.cluster.office_after(epoch).await?
    };
    let end = match fault {
        // The old one may have had no reason to do anything just before.
        Fault::Kill | Fault::Pause | Fault::Cut => struck,
        Fault::Stop | Fault::Join => office.last_of_former.unwrap_or(struck),
    };

    if fault == Fault::Pause {
        // It wakes, and must find out by itself before it does anything.
        site.signal(Signal::CONT)?;
    }
    if fault == Fault::Cut {
        site.network()?.heal(site.lowest_address)?;
    }
    if fault == Fault::Stop {
        site.ended().await?;
    }
    let lost = site.cluster.lost(&trial).await?;

    // The lower instance is active again, and what was used is pending again.
    let epoch = site.cluster.offices.newest();
    match fault {
        Fault::Kill | Fault::Stop => {
            site.run(site.lowest_address)?;
            site.cluster.office_after(epoch).await?;
        }
        // It takes over by itself; it may have done so already.
        Fault::Pause | Fault::Cut => site.cluster.acts(site.lowest_address).await?,
        Fault::Join => {}
    }
    let doubled = site.cluster.played_again(&trial);
    site.cluster.renew(&trial).await?;
    let (in_doubt, escaped) = site.cluster.offices.take_counts();
    Ok(Round {
        lost,
        doubled,
        in_doubt,
        escaped,
        held,
        first: office.began.saturating_duration_since(end),
        all: office.all_open.saturating_duration_since(end),
    })
}
