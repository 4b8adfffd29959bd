//! The simulated call manager with its phones, the database, and the processes of the service.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use ringback::model::{DeviceName, Epoch, Group, LineId, RequestId};
use ringback_examples::instance::Terms;
use ringback_examples::network::Network;
pub(crate) use ringback_examples::stage::Failure;
use ringback_examples::stage::{PATIENCE, Stage, Store, phone};
use ringback_sim::{Action, CallManager};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::office::{Office, Offices};

pub(crate) struct Site {
    stage: Stage,
    _folder: TempDir,
    pub(crate) call_manager: CallManager,
    pub(crate) offices: Offices,
    /// The address of the instance that is active whenever it runs.
    pub(crate) lowest_address: IpAddr,
    lowest: Option<Child>,
    backup: Option<Child>,
    pub(crate) pending: u32,
}

impl Site {
    /// Two instances run, on hosts of their own if that is wanted, the lower is active, and so many requests are pending.
    pub(crate) async fn start(pending: u32, store: &Store, hosts: bool) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let network = if hosts { Some(Network::with_hosts(2)?) } else { None };
        let [lowest_address, backup_address] = match &network {
            Some(_) => [Network::address(1), Network::address(2)],
            None => [Ipv4Addr::new(127, 0, 0, 1).into(), Ipv4Addr::new(127, 0, 0, 2).into()],
        };
        if hosts {
            certify(folder.path(), &[lowest_address, backup_address])?;
        }
        let stage = Stage::set_up(folder.path(), store, network).await?;
        let offices = Offices::observe(&stage.call_manager, 2 * pending);
        let (lowest, backup) = (None, None);
        let call_manager = stage.call_manager.clone();
        let mut site =
            Self { stage, _folder: folder, call_manager, offices, lowest_address, lowest, backup, pending };
        for number in 0..pending {
            for (device, line) in [caller(number)?, called(number)?] {
                site.stage.add_phone(device, line).await?;
            }
        }
        // One after the other: no hand-over between them disturbs the set-up.
        site.run(lowest_address)?;
        site.wait("the service to act", |offices| offices.newest().0 > 0).await?;
        site.run(backup_address)?;
        let all: Vec<u32> = (0..pending).collect();
        site.activate(&all).await?;
        site.office_after(Epoch(0)).await?;
        Ok(site)
    }

    /// Starts the instance at this address, if it does not run.
    pub(crate) fn run(&mut self, address: IpAddr) -> Result<(), Failure> {
        let mut command = self.stage.instance(address)?;
        let child = if address == self.lowest_address { &mut self.lowest } else { &mut self.backup };
        if child.is_none() {
            *child = Some(command.spawn()?);
        }
        Ok(())
    }

    /// Sends a signal to the lower instance.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let child = self.lowest.as_ref().ok_or("the instance does not run")?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("no process id")?;
        Ok(kill_process(pid, signal)?)
    }

    /// The network in which the instances' hosts can be cut off.
    pub(crate) fn network(&self) -> Result<&Network, Failure> {
        self.stage.network().ok_or_else(|| "there is no network that could be cut".into())
    }

    /// Waits for the end of the lower instance, which has been told or made to end.
    pub(crate) async fn ended(&mut self) -> Result<(), Failure> {
        if let Some(mut child) = self.lowest.take() {
            let end = tokio::task::spawn_blocking(move || child.wait());
            timeout(PATIENCE, end).await???;
        }
        Ok(())
    }

    /// Waits for a later office in which everything is watched.
    pub(crate) async fn office_after(&self, epoch: Epoch) -> Result<Office, Failure> {
        timeout(PATIENCE, self.offices.after(epoch)).await.map_err(|_| "nobody took over".into())
    }

    /// Waits until the lower instance acts, and everything is watched.
    pub(crate) async fn lowest_acts(&self) -> Result<(), Failure> {
        let registry = self.stage.database.registry();
        let acts = async {
            loop {
                let view = registry.read(&Group::default()).await?;
                if let Some(lease) =
                    view.in_force().filter(|lease| lease.holder.address == self.lowest_address)
                {
                    let before = Epoch(lease.epoch.0.saturating_sub(1));
                    return self.office_after(before).await.map(drop);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, acts).await.map_err(|_| "the lower instance did not take over")?
    }

    /// Whether somebody keeps the file locked, so that nothing can be written.
    pub(crate) async fn file_is_locked(&self) -> bool {
        let directory = self.stage.database.admin();
        // It is not set: if it could be written, nothing would change.
        directory.set_parameter(&Group::default(), "Call Back Idle Guard", None).await.is_err()
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
            self.until("CallBack to be activated", || self.call_manager.screen(&device).is_some()).await?;
            self.call_manager.act(&device, Action::HangsUp(None))?;
        }
        Ok(())
    }

    /// The requests that the store holds.
    pub(crate) async fn requests(&self) -> Result<BTreeSet<RequestId>, Failure> {
        let records = self.stage.database.store().load(&Group::default()).await?;
        Ok(records.into_iter().map(|record| record.id).collect())
    }

    /// Waits until the store has seen that these called lines are off hook.
    pub(crate) async fn off_hook_is_stored(&self, numbers: &[u32]) -> Result<(), Failure> {
        let store = self.stage.database.store();
        let wanted: BTreeSet<LineId> =
            numbers.iter().map(|number| called(*number).map(|(_, line)| line)).collect::<Result<_, _>>()?;
        let seen = async {
            loop {
                let records = store.load(&Group::default()).await?;
                let seen = |line: &LineId| {
                    let of_line = records.iter().find(|record| record.called == *line);
                    of_line.is_some_and(|record| record.cycle == Some(ringback::callback::Cycle::OffHook))
                };
                if wanted.iter().all(seen) {
                    return Ok::<_, Failure>(());
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, seen).await.map_err(|_| "the store did not hear of the lines")?
    }

    /// Waits for something that the call manager shows.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn() -> bool) -> Result<(), Failure> {
        self.stage.until(what, holds).await
    }

    async fn wait(&self, what: &str, holds: impl Fn(&Offices) -> bool) -> Result<(), Failure> {
        let wait = async {
            while !holds(&self.offices) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, wait).await.map_err(|_| format!("waited in vain for {what}").into())
    }

    /// Ends the instances.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        for mut child in [self.lowest.take(), self.backup.take()].into_iter().flatten() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for child in [&mut self.lowest, &mut self.backup].into_iter().flatten() {
            // Started here; an error means that it has ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Certificates of one authority for these instances, beside each other as they look for them.
fn certify(folder: &Path, addresses: &[IpAddr]) -> Result<(), Failure> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    for address in addresses {
        let mut wanted = CertificateParams::new(vec![address.to_string()])?;
        wanted.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let files = Terms::credentials(folder, *address);
        fs::write(files.authority, authority.pem())?;
        fs::write(files.certificate, wanted.signed_by(&key, &authority)?.pem())?;
        fs::write(files.key, key.serialize_pem())?;
    }
    Ok(())
}

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
