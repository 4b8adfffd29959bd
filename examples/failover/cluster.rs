//! One call manager with its phones, and the requests of its group.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use ringback::callback::Cycle;
use ringback::model::{DeviceName, Epoch, Group, LineId, RequestId};
use ringback_examples::database::Database;
use ringback_examples::stage::{Failure, PATIENCE, phone, until};
use ringback_sim::{Action, CallManager};
use tokio::time::timeout;

use crate::office::{Office, Offices};

/// How long a caller may wait for the alert after the take-over before it counts as lost.
const ALERT_LIMIT: Duration = Duration::from_secs(10);

/// A caller who sees nothing of Call Back for so long presses the key again.
const AGAIN: Duration = Duration::from_secs(5);

/// The caller of this number and its line.
pub(crate) fn caller(number: u32) -> Result<(DeviceName, LineId), Failure> {
    let number = 1_000_000 + number;
    phone(&format!("caller {number}"), &number.to_string())
}

/// The phone it waits for and its line.
pub(crate) fn called(number: u32) -> Result<(DeviceName, LineId), Failure> {
    let number = 2_000_000 + number;
    phone(&format!("called {number}"), &number.to_string())
}

pub(crate) struct Cluster {
    group: Group,
    pub(crate) call_manager: CallManager,
    pub(crate) offices: Offices,
    database: Database,
    /// How many requests are pending.
    pub(crate) pending: u32,
}

/// A few called lines that are in use, and what there was before they become available.
pub(crate) struct Trial {
    pub(crate) used: Vec<u32>,
    requests: BTreeSet<RequestId>,
    alerts: BTreeMap<DeviceName, u64>,
    /// In which somebody acts now.
    pub(crate) epoch: Epoch,
}

impl Cluster {
    pub(crate) fn new(group: Group, call_manager: CallManager, database: Database, pending: u32) -> Self {
        let offices = Offices::observe(&call_manager, 2 * pending);
        Self { group, call_manager, offices, database, pending }
    }

    /// Waits for a later office in which everything is watched.
    pub(crate) async fn office_after(&self, epoch: Epoch) -> Result<Office, Failure> {
        timeout(PATIENCE, self.offices.after(epoch)).await.map_err(|_| "nobody took over".into())
    }

    /// Waits until somebody acts for the first time.
    pub(crate) async fn begun(&self) -> Result<(), Failure> {
        let begun = async {
            while self.offices.newest() == Epoch(0) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, begun).await.map_err(|_| "no instance has begun to act".into())
    }

    /// Who acts by the registry, and in which epoch.
    pub(crate) async fn active(&self) -> Result<Option<(IpAddr, Epoch)>, Failure> {
        let view = self.database.registry().read(&self.group).await?;
        Ok(view.in_force().map(|lease| (lease.holder.address, lease.epoch)))
    }

    /// Waits until the instance at this address acts, and everything is watched.
    pub(crate) async fn acts(&self, address: IpAddr) -> Result<(), Failure> {
        let acts = async {
            loop {
                if let Some((_, epoch)) = self.active().await?.filter(|(holder, _)| *holder == address) {
                    let before = Epoch(epoch.0.saturating_sub(1));
                    return self.office_after(before).await.map(drop);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, acts).await.map_err(|_| format!("{address} did not take over"))?
    }

    /// Lets these callers call, hear ringback, press CallBack and hang up.
    pub(crate) async fn activate(&self, numbers: &[u32]) -> Result<(), Failure> {
        for number in numbers {
            let ((device, _), (_, line)) = (caller(*number)?, called(*number)?);
            self.call_manager.act(&device, Action::Calls { to: line.dn, on: None })?;
            self.call_manager.act(&device, Action::Presses("CallBack".to_owned()))?;
        }
        for number in numbers {
            let (device, _) = caller(*number)?;
            // A key that is pressed while nobody acts is not active: it is pressed again.
            let activated = async {
                while timeout(AGAIN, self.until("a screen", || self.call_manager.screen(&device).is_some()))
                    .await
                    .is_err()
                {
                    self.call_manager.act(&device, Action::Presses("CallBack".to_owned()))?;
                }
                Ok::<_, Failure>(())
            };
            timeout(PATIENCE, activated)
                .await
                .map_err(|_| "waited in vain for CallBack to be activated")??;
            self.call_manager.act(&device, Action::HangsUp(None))?;
        }
        Ok(())
    }

    /// Lets the called phones of these be picked up, and waits until the store has seen it.
    pub(crate) async fn prepare(&self, used: Vec<u32>) -> Result<Trial, Failure> {
        let requests = self.requests().await?;
        let mut alerts = BTreeMap::new();
        for number in &used {
            let (device, _) = caller(*number)?;
            alerts.insert(device.clone(), self.call_manager.alerts(&device));
            self.call_manager.act(&called(*number)?.0, Action::Lifts)?;
        }
        self.off_hook_is_stored(&used).await?;
        self.offices.take_counts();
        Ok(Trial { used, requests, alerts, epoch: self.offices.newest() })
    }

    /// This called line becomes available.
    pub(crate) fn replaces(&self, number: u32) -> Result<(), Failure> {
        Ok(self.call_manager.act(&called(number)?.0, Action::Replaces)?)
    }

    /// How many requests are gone, or were not told in time that the line is available.
    pub(crate) async fn lost(&self, trial: &Trial) -> Result<u32, Failure> {
        let missing = || {
            let told = |(device, before): &(&DeviceName, &u64)| self.call_manager.alerts(device) <= **before;
            trial.alerts.iter().filter(told).count()
        };
        let mut changed = self.call_manager.changed();
        let all = async {
            while missing() > 0 {
                // The call manager lives as long as this.
                let _ = changed.changed().await;
            }
        };
        // What is missing then is counted.
        let _late = timeout(ALERT_LIMIT, all).await;
        let gone = trial.requests.difference(&self.requests().await?).count();
        Ok(u32::try_from(missing() + gone).unwrap_or(u32::MAX))
    }

    /// How many alerts were played beyond the one for each caller.
    pub(crate) fn played_again(&self, trial: &Trial) -> u32 {
        let again = |(device, before): (&DeviceName, &u64)| {
            self.call_manager.alerts(device).saturating_sub(*before).saturating_sub(1)
        };
        u32::try_from(trial.alerts.iter().map(again).sum::<u64>()).unwrap_or(u32::MAX)
    }

    /// What was used is pending again.
    pub(crate) async fn renew(&self, trial: &Trial) -> Result<(), Failure> {
        for device in trial.alerts.keys() {
            self.call_manager.act(device, Action::Presses("Cancel".to_owned()))?;
            self.until("the screen to go", || self.call_manager.screen(device).is_none()).await?;
        }
        self.activate(&trial.used).await
    }

    /// The requests that the store holds.
    async fn requests(&self) -> Result<BTreeSet<RequestId>, Failure> {
        let records = self.database.store().load(&self.group).await?;
        Ok(records.into_iter().map(|record| record.id).collect())
    }

    async fn off_hook_is_stored(&self, numbers: &[u32]) -> Result<(), Failure> {
        let store = self.database.store();
        let wanted: BTreeSet<LineId> =
            numbers.iter().map(|number| called(*number).map(|(_, line)| line)).collect::<Result<_, _>>()?;
        let seen = async {
            loop {
                let records = store.load(&self.group).await?;
                let off_hook = |record: &&ringback::callback::Record| {
                    record.cycle == Some(Cycle::OffHook) && wanted.contains(&record.called)
                };
                if records.iter().filter(off_hook).count() == wanted.len() {
                    return Ok::<_, Failure>(());
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, seen).await.map_err(|_| "the store did not hear of the lines")?
    }

    async fn until(&self, what: &str, holds: impl Fn() -> bool) -> Result<(), Failure> {
        until(&self.call_manager, what, holds).await
    }
}
