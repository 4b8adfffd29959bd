//! How the world around the service is, and who is told when that changes.

use std::fmt::Display;
use std::sync::Arc;

use ringback_callback::{Notice, Refusal};
use ringback_cti::LinkLoss;
use ringback_cti::message::CtiError;
use ringback_db::{DirectoryError, FeedError, StoreError};
use ringback_election::{Alarm, Rank};
use ringback_model::{DeviceName, Epoch, Group, RequestId, Timestamp};
use ringback_serviceability::alarm::{AlarmName, AlarmParameter, AlarmSink, Damping, Report, Reporter};
use ringback_serviceability::trace::target;
use tokio::time::{Duration, Instant};

use super::following::SetBack;
use crate::clock::Clock;
use crate::translate;

/// How often directory and store are asked whether they work (R46: a loss is noticed within 30 s, and a recovery within
/// 60 s).
const PROBE_INTERVAL: Duration = Duration::from_secs(5);

/// Directory, store and link as they are known.
pub(super) struct Surroundings {
    group: Group,
    address: String,
    alarms: Reporter,
    clock: Clock,
    time_is_known: bool,
    directory_up: bool,
    store_up: bool,
    registered_at: Option<String>,
    next_probe: Instant,
    /// How many alerts were sent again in doubt.
    in_doubt: u32,
}

impl Surroundings {
    pub(super) fn new(group: Group, address: impl Display, sink: Arc<dyn AlarmSink>) -> Self {
        Self {
            group,
            address: address.to_string(),
            alarms: Reporter::new(Damping::default(), sink),
            clock: Clock::anchored(Timestamp(0)),
            time_is_known: false,
            directory_up: false,
            store_up: false,
            registered_at: None,
            next_probe: Instant::now() + PROBE_INTERVAL,
            in_doubt: 0,
        }
    }

    fn report(&self, report: Report) {
        self.alarms.report(self.clock.now(), report.in_group(self.group.clone()));
    }

    fn own(&self, name: AlarmName) -> Report {
        Report::new(name).with(AlarmParameter::Address, &self.address)
    }

    /// The store's time, and the latest that it holds: the service's clock follows it, but never steps back.
    pub(super) fn set_time(&mut self, now: Timestamp) -> Timestamp {
        let now = now.max(self.clock.now());
        self.clock = Clock::anchored(now);
        self.time_is_known = true;
        now
    }

    /// Alarms carry the store's time as soon as it is known, on backups, too.
    pub(super) fn learn_time(&mut self, now: Timestamp) {
        if !self.time_is_known {
            self.set_time(now);
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn service_started(&self) {
        self.report(
            self.own(AlarmName::ServiceStarted).with(AlarmParameter::Version, env!("CARGO_PKG_VERSION")),
        );
    }

    pub(super) fn service_stopped(&self, provider_gone: bool) {
        let reason = if provider_gone { "the provider has ended" } else { "it was told to" };
        self.report(self.own(AlarmName::ServiceStopped).with(AlarmParameter::Reason, reason));
    }

    /// Alarms that were held back because their condition fluttered.
    pub(super) fn settle_alarms(&self) {
        self.alarms.tick(self.clock.now());
    }

    // --- the link to the call manager ---

    pub(super) fn link_up(&mut self, manager: &str, failed_over: bool) {
        tracing::info!(target: target::CTI, manager, failed_over, "provider open");
        self.registered_at = Some(manager.to_owned());
        self.report(Report::new(AlarmName::CtiConnected).with(AlarmParameter::Manager, manager));
        if failed_over {
            self.report(Report::new(AlarmName::CtiFailedOver).with(AlarmParameter::Manager, manager));
        }
    }

    pub(super) fn link_lost(&mut self, manager: &str, reason: &LinkLoss) {
        tracing::warn!(target: target::CTI, manager, %reason, "link lost");
        self.registered_at = None;
        self.link_alarm(AlarmName::CtiLost, manager, reason);
    }

    pub(super) fn link_failed(&self, manager: &str, reason: &LinkLoss) {
        tracing::warn!(target: target::CTI, manager, %reason, "no link");
        match reason {
            LinkLoss::OpenRefused(CtiError::LoginFailed) | LinkLoss::LoginRefused(_) => {
                self.link_alarm(AlarmName::LoginRefused, manager, reason);
            }
            LinkLoss::OpenRefused(_) | LinkLoss::OpenTimeout | LinkLoss::Unfit(_) | LinkLoss::Protocol(_) => {
                self.link_alarm(AlarmName::ProviderOpenFailed, manager, reason);
            }
            _ => {}
        }
        self.link_alarm(AlarmName::CtiLost, manager, reason);
    }

    fn link_alarm(&self, name: AlarmName, manager: &str, reason: &LinkLoss) {
        self.report(
            Report::new(name).with(AlarmParameter::Manager, manager).with(AlarmParameter::Reason, reason),
        );
    }

    pub(super) fn is_linked(&self) -> bool {
        self.registered_at.is_some()
    }

    pub(super) fn registered_at(&self) -> &Option<String> {
        &self.registered_at
    }

    // --- directory, feed and store ---

    pub(super) fn directory_is_up(&mut self) {
        if !std::mem::replace(&mut self.directory_up, true) {
            self.report(Report::new(AlarmName::DatabaseBack));
        }
    }

    pub(super) fn directory_is_down(&mut self, error: &DirectoryError) {
        if std::mem::replace(&mut self.directory_up, false) {
            tracing::warn!(target: target::DATABASE, %error, "directory lost");
        }
        self.report(Report::new(AlarmName::DatabaseLost).with(AlarmParameter::Reason, error));
    }

    pub(super) fn directory_up(&self) -> bool {
        self.directory_up
    }

    pub(super) fn feed_is_up(&self) {
        self.report(Report::new(AlarmName::ChangeNotificationBack));
    }

    pub(super) fn feed_is_down(&self, error: &FeedError) {
        tracing::warn!(target: target::CHANGE_NOTIFICATION, %error, "feed");
        self.report(Report::new(AlarmName::ChangeNotificationLost).with(AlarmParameter::Reason, error));
    }

    pub(super) fn store_is_up(&mut self) {
        if !std::mem::replace(&mut self.store_up, true) {
            self.report(Report::new(AlarmName::StoreBack));
        }
    }

    pub(super) fn store_is_down(&mut self, error: &StoreError) {
        tracing::warn!(target: target::DATABASE, %error, "request store");
        self.store_up = false;
        self.report(Report::new(AlarmName::StoreLost).with(AlarmParameter::Reason, error));
    }

    pub(super) fn store_set_back(&self, set_back: &SetBack) {
        tracing::error!(target: target::DATABASE, %set_back, "the request store has been set back");
        self.report(
            self.own(AlarmName::StoreSetBack)
                .with(AlarmParameter::Count, set_back.written_again)
                .with(AlarmParameter::Reason, set_back),
        );
    }

    pub(super) fn store_up(&self) -> bool {
        self.store_up
    }

    pub(super) fn next_probe(&self) -> Instant {
        self.next_probe
    }

    /// Whether directory and store are to be asked now; if so, the next time is set.
    pub(super) fn probe_is_due(&mut self) -> bool {
        let now = Instant::now();
        let due = now >= self.next_probe;
        if due {
            self.next_probe = now + PROBE_INTERVAL;
        }
        due
    }

    // --- what engine and election tell ---

    pub(super) fn parameter_invalid(&self, problem: &dyn Display) {
        self.report(Report::new(AlarmName::ParameterInvalid).with(AlarmParameter::Reason, problem));
    }

    pub(super) fn screen_rejected(
        &self,
        device: &DeviceName,
        request: Option<RequestId>,
        reason: &dyn Display,
    ) {
        let mut report = Report::new(AlarmName::ScreenRejected)
            .with_personal(AlarmParameter::Device, device.as_str())
            .with(AlarmParameter::Reason, reason);
        if let Some(request) = request {
            report = report.with(AlarmParameter::Request, request);
        }
        self.report(report);
    }

    pub(super) fn notice(&self, notice: &Notice) {
        match translate::request_of(notice) {
            // The request's story tells it in words.
            Some(request) => tracing::debug!(target: target::HANDLER, %request, ?notice),
            None => tracing::info!(target: target::HANDLER, ?notice),
        }
        if let Notice::Refused { reason, .. } = notice {
            let (name, parameter, value) = match reason {
                Refusal::TooManyForLine => (
                    AlarmName::LimitReached,
                    AlarmParameter::Limit,
                    "Maximum Call Backs per Called Line".to_owned(),
                ),
                Refusal::TooManyInAll => {
                    (AlarmName::LimitReached, AlarmParameter::Limit, "Maximum Call Backs in all".to_owned())
                }
                Refusal::StoreUnavailable => (
                    AlarmName::RequestsNotSaved,
                    AlarmParameter::Reason,
                    "the request store did not confirm".to_owned(),
                ),
                _ => return,
            };
            self.report(Report::new(name).with(parameter, value));
        }
    }

    /// An alert goes out again, and its phone may play it again.
    pub(super) fn alert_in_doubt(&mut self, request: RequestId, epoch: Epoch) {
        self.in_doubt = self.in_doubt.saturating_add(1);
        self.report(
            Report::new(AlarmName::AlertInDoubt)
                .with(AlarmParameter::Request, request)
                .with(AlarmParameter::Epoch, epoch),
        );
    }

    pub(super) fn in_doubt(&self) -> u32 {
        self.in_doubt
    }

    pub(super) fn election_alarm(&self, alarm: &Alarm, rank: &Rank) {
        tracing::info!(target: target::REDUNDANCY, ?alarm);
        let report = match alarm {
            Alarm::BecameActive { epoch } => {
                self.own(AlarmName::BecameActive).with(AlarmParameter::Epoch, epoch)
            }
            Alarm::BecameBackup { .. } => match rank.position {
                Some(position) => self.own(AlarmName::BecameBackup).with(AlarmParameter::Rank, position),
                None => self.own(AlarmName::BecameBackup),
            },
            Alarm::FencedOff { current, .. } => {
                self.own(AlarmName::FencedOff).with(AlarmParameter::Epoch, current)
            }
            Alarm::SplitDetected { other, epoch } => self
                .own(AlarmName::SplitDetected)
                .with(AlarmParameter::Peer, other)
                .with(AlarmParameter::Epoch, epoch),
            Alarm::AddressConflict { error, .. } => {
                self.own(AlarmName::AddressConflict).with(AlarmParameter::Reason, error)
            }
            // The registry is where the requests are kept, or has an alarm of its own there; here it is only traced.
            _ => return,
        };
        self.report(report);
    }
}
