//! The simulated call manager with its phones, the database, and the processes of the service.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Child;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use ringback::model::{Epoch, Group};
use ringback_examples::instance::Terms;
use ringback_examples::network::Network;
use ringback_examples::stage::{Failure, PATIENCE, Stage, Store};
use ringback_examples::witness::Witness;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::cluster::{Cluster, called, caller};

pub(crate) struct Site {
    stage: Stage,
    _folder: TempDir,
    pub(crate) cluster: Cluster,
    /// The address of the instance that is active whenever it runs.
    pub(crate) lowest_address: IpAddr,
    lowest: Option<Child>,
    backup: Option<Child>,
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
        let (call_manager, database) = (stage.call_manager.clone(), stage.database.clone());
        let cluster = Cluster::new(Group::default(), call_manager, database, pending);
        let mut site = Self { stage, _folder: folder, cluster, lowest_address, lowest: None, backup: None };
        for number in 0..pending {
            for (device, line) in [caller(number)?, called(number)?] {
                site.stage.add_phone(device, line).await?;
            }
        }
        // One after the other: no hand-over between them disturbs the set-up.
        site.run(lowest_address)?;
        site.cluster.begun().await?;
        site.run(backup_address)?;
        let all: Vec<u32> = (0..pending).collect();
        site.cluster.activate(&all).await?;
        site.cluster.office_after(Epoch(0)).await?;
        Ok(site)
    }

    /// What the server has seen of the instances, if it was started for this.
    pub(crate) fn witness(&self) -> Option<Witness<'_>> {
        self.stage.witness()
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

    /// Whether somebody keeps the file locked, so that nothing can be written.
    pub(crate) async fn file_is_locked(&self) -> bool {
        let directory = self.stage.database.admin();
        // It is not set: if it could be written, nothing would change.
        directory.set_parameter(&Group::default(), "Call Back Idle Guard", None).await.is_err()
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
