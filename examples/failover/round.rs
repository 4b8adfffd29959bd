//! One round: a fault, a take-over, and what became of the requests.

use std::collections::BTreeMap;
use std::time::Duration;

use ringback::model::DeviceName;
use ringback_sim::Action;
use rustix::process::Signal;
use tokio::time::{Instant, timeout};

use crate::Fault;
use crate::figures::Round;
use crate::site::{Failure, Site, called, caller};

/// How many called lines become available around the fault: one half just before, one half just after it.
const USED: u32 = 10;

/// How long a caller may wait for the alert after the take-over before it counts as lost.
const ALERT_LIMIT: Duration = Duration::from_secs(10);

/// A process that is paused in the middle of a write holds the file locked, and nobody can take over: so long it is
/// waited for before it may go on.
const HELD: Duration = Duration::from_secs(10);

pub(crate) async fn play(site: &mut Site, fault: Fault, number: u32) -> Result<Round, Failure> {
    if fault == Fault::Join {
        let epoch = site.offices.newest();
        site.signal(Signal::TERM)?;
        site.ended().await?;
        site.office_after(epoch).await?;
    }
    let first = number * USED % site.pending;
    let used: Vec<u32> = (first..first + USED).map(|n| n % site.pending).collect();
    let (before, after) = used.split_at(used.len() / 2);

    let requests = site.requests().await?;
    let mut alerts = BTreeMap::new();
    for number in &used {
        let (device, _) = caller(*number)?;
        alerts.insert(device.clone(), site.call_manager.alerts(&device));
        site.call_manager.act(&called(*number)?.0, Action::Lifts)?;
    }
    site.off_hook_is_stored(&used).await?;
    site.offices.take_counts();
    let epoch = site.offices.newest();

    // The fault, between lines that become available.
    for number in before {
        site.call_manager.act(&called(*number)?.0, Action::Replaces)?;
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
        site.call_manager.act(&called(*number)?.0, Action::Replaces)?;
    }
    let mut held = false;
    let office = if fault == Fault::Pause {
        match timeout(HELD, site.office_after(epoch)).await {
            Ok(office) => office?,
            Err(_) if !site.file_is_locked().await => return Err("nobody took over".into()),
            Err(_) => {
                held = true;
                site.signal(Signal::CONT)?;
                site.office_after(epoch).await?
            }
        }
    } else {
        site.office_after(epoch).await?
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
    let mut lost = await_alerts(site, &alerts).await;
    let left = site.requests().await?;
    lost += u32::try_from(requests.difference(&left).count()).unwrap_or(u32::MAX);

    // The lower instance is active again, and what was used is pending again.
    let epoch = site.offices.newest();
    match fault {
        Fault::Kill | Fault::Stop => {
            site.run(site.lowest_address)?;
            site.office_after(epoch).await?;
        }
        // It takes over by itself; it may have done so already.
        Fault::Pause | Fault::Cut => site.lowest_acts().await?,
        Fault::Join => {}
    }
    let doubled = played_again(site, &alerts);
    for device in alerts.keys() {
        site.call_manager.act(device, Action::Presses("Cancel".to_owned()))?;
        site.until("the screen to go", || site.call_manager.screen(device).is_none()).await?;
    }
    site.activate(&used).await?;
    let (in_doubt, escaped) = site.offices.take_counts();
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

/// How many callers were not alerted in time.
async fn await_alerts(site: &Site, before: &BTreeMap<DeviceName, u64>) -> u32 {
    let missing = || {
        let missing = before.iter().filter(|(device, alerts)| site.call_manager.alerts(device) <= **alerts);
        u32::try_from(missing.count()).unwrap_or(u32::MAX)
    };
    let mut changed = site.call_manager.changed();
    let all = async {
        while missing() > 0 {
            // The call manager lives as long as this.
            let _ = changed.changed().await;
        }
    };
    // What is missing then is counted.
    let _late = timeout(ALERT_LIMIT, all).await;
    missing()
}

/// How many alerts were played beyond the one for each caller.
fn played_again(site: &Site, before: &BTreeMap<DeviceName, u64>) -> u32 {
    let again = before
        .iter()
        .map(|(device, alerts)| site.call_manager.alerts(device).saturating_sub(*alerts).saturating_sub(1))
        .sum::<u64>();
    u32::try_from(again).unwrap_or(u32::MAX)
}
