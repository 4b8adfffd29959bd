use std::net::IpAddr;
use std::sync::atomic::Ordering;

use ringback_model::Millis;

use super::plan::{Fault, Target};
use super::server::ServerFault;
use super::site::Ground;
use crate::language::NodeAction;
use crate::world::Instances;

/// What mends a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mend {
    Start(IpAddr),
    Resume(IpAddr),
    Heal(IpAddr),
    HealRegistry(IpAddr),
    HealManagers(IpAddr),
    StartManager(usize),
    StartStore,
    KeepAnswers,
    HurryStore,
    StartDirectory,
    StartServer,
    HearWrites,
}

impl Mend {
    /// Whether the fault held up what instances see and say.
    fn held_up(&self) -> bool {
        matches!(self, Self::Resume(_) | Self::Heal(_) | Self::HealManagers(_) | Self::StartManager(_))
    }
}

impl Ground {
    /// Breaks something; what mends it, and after what time.
    pub(super) async fn fail(&mut self, fault: &Fault) -> Option<(Millis, Mend)> {
        let mend = self.broken(fault).await?;
        self.observer.say(self.now(), || format!("FAULT {fault:?}, until {:?}", mend.1));
        if mend.1.held_up() {
            self.observer.held_up(self.now(), true);
        }
        Some(mend)
    }

    async fn broken(&mut self, fault: &Fault) -> Option<(Millis, Mend)> {
        let network = self.site.network.clone();
        Some(match *fault {
            Fault::Kill(target, time) => {
                let node = self.find(target)?;
                self.kill(node).await;
                (time, Mend::Start(node))
            }
            Fault::Stop(target, time) => {
                let node = self.find(target)?;
                // One that cannot stop in good order is killed.
                let _late = self.nodes.act(node, NodeAction::Stop).await;
                network.kill(node);
                self.store.forget(node);
                (time, Mend::Start(node))
            }
            Fault::Join(node) => (Millis::ZERO, Mend::Start(node)),
            Fault::Pause(target, time) => {
                let node = self.find(target)?;
                self.nodes.act(node, NodeAction::Pause).await.ok()?;
                (time, Mend::Resume(node))
            }
            Fault::Cut(target, way, time) => {
                let node = self.find(target)?;
                self.nodes.set_cut(node, Some(way)).ok()?;
                network.cut(node, way);
                (time, Mend::Heal(node))
            }
            Fault::CutRegistry(target, time) => {
                let node = self.find(target)?;
                self.registry.cut(node);
                (time, Mend::HealRegistry(node))
            }
            Fault::DeafRegistry(target, time) => {
                let node = self.find(target)?;
                self.registry.lose_answers(node);
                (time, Mend::HealRegistry(node))
            }
            Fault::CutManagers(target, way, time) => {
                let node = self.find(target)?;
                network.cut(node, way);
                (time, Mend::HealManagers(node))
            }
            Fault::StopManager(index, time) => {
                self.site.managers[index].stop();
                (time, Mend::StartManager(index))
            }
            Fault::FreezeManager(index, time) => {
                self.site.managers[index].freeze();
                (time, Mend::StartManager(index))
            }
            Fault::StopStore(time) => {
                self.store.set_running(false);
                (time, Mend::StartStore)
            }
            Fault::LoseAnswers(time) => {
                self.store.set_lossy(true);
                (time, Mend::KeepAnswers)
            }
            Fault::SlowStore(by, time) => {
                self.store.set_slow(by);
                (time, Mend::HurryStore)
            }
            Fault::StopDirectory(time) => {
                self.directory.set_available(false);
                (time, Mend::StartDirectory)
            }
            Fault::Server(fault) => return self.server_fails(fault).await,
        })
    }

    /// At a database server, all that it holds fails at once.
    async fn server_fails(&mut self, fault: ServerFault) -> Option<(Millis, Mend)> {
        self.store.strike(fault.word());
        let (time, mend) = match fault {
            ServerFault::EndSessions => {
                self.store.end_sessions();
                self.deafen();
                return self.at_once(fault);
            }
            ServerFault::ResetLinks(late) => {
                self.store.reset_links(late);
                self.deafen();
                return self.at_once(fault);
            }
            ServerFault::Deafen => {
                self.deafen();
                return self.at_once(fault);
            }
            ServerFault::Step(by) => {
                self.jumps.fetch_add(by, Ordering::Relaxed);
                return self.at_once(fault);
            }
            ServerFault::TimeOut(time) => {
                self.store.set_timing_out(true);
                (time, Mend::HearWrites)
            }
            ServerFault::Restart(time) => {
                self.server_is_lost();
                (time, Mend::StartServer)
            }
            ServerFault::Promote(time, behind) => {
                self.server_is_lost();
                self.store.fall_back(behind).await;
                (time, Mend::StartServer)
            }
        };
        Some((time, mend))
    }

    /// There is nothing to be mended.
    fn at_once(&self, fault: ServerFault) -> Option<(Millis, Mend)> {
        self.observer.say(self.now(), || format!("FAULT {fault:?}"));
        None
    }

    fn server_is_lost(&mut self) {
        self.store.set_running(false);
        self.store.kill_sessions();
        self.directory.set_available(false);
        self.nodes.store_runs(false);
    }

    /// The feeds tell that they have lost the database, and that everything is to be read anew.
    fn deafen(&self) {
        self.directory.set_available(false);
        self.directory.set_available(true);
    }

    pub(super) async fn mend(&mut self, mend: &Mend) {
        self.observer.say(self.now(), || format!("MENDED {mend:?}"));
        let network = self.site.network.clone();
        match *mend {
            Mend::Start(node) => self.start(node).await,
            Mend::Resume(node) => {
                // It may be dead by now.
                let _gone = self.nodes.act(node, NodeAction::Resume).await;
            }
            Mend::Heal(node) => {
                network.heal(node);
                let _gone = self.nodes.set_cut(node, None);
                self.registry.heal(node);
            }
            Mend::HealRegistry(node) => self.registry.heal(node),
            Mend::HealManagers(node) => network.heal(node),
            Mend::StartManager(index) => self.site.managers[index].start(),
            Mend::StartStore => self.store.set_running(true),
            Mend::KeepAnswers => self.store.set_lossy(false),
            Mend::HurryStore => self.store.set_slow(Millis::ZERO),
            Mend::StartDirectory => self.directory.set_available(true),
            Mend::HearWrites => self.store.set_timing_out(false),
            Mend::StartServer => {
                self.store.set_running(true);
                self.directory.set_available(true);
                self.nodes.store_runs(true);
            }
        }
        if mend.held_up() {
            self.observer.held_up(self.now(), false);
        }
    }

    /// Starts an instance, on a machine that is connected to the rest.
    pub(super) async fn start(&mut self, node: IpAddr) {
        if let Err(error) = self.nodes.act(node, NodeAction::Start).await {
            self.observer.violated(self.now(), "an instance can be started", error);
        }
    }

    async fn kill(&mut self, node: IpAddr) {
        // Killing what is dead changes nothing.
        let _gone = self.nodes.act(node, NodeAction::Kill).await;
        self.site.network.kill(node);
        self.store.forget(node);
    }

    fn find(&self, target: Target) -> Option<IpAddr> {
        let statuses = self.nodes.statuses();
        let found = match target {
            Target::At(address) => statuses.iter().find(|status| status.address == address),
            Target::Active => statuses.iter().find(|status| status.active == Some(status.address)),
        };
        found.or(statuses.first()).map(|status| status.address)
    }
}
