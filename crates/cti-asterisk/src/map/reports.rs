use std::collections::VecDeque;

use ringback_cti::message::{CallInfo, CallState};
use ringback_model::{CallId, DeviceName, Timestamp};

/// Something to be told about a call of a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) phone: DeviceName,
    pub(super) info: CallInfo,
    pub(super) wait: Wait,
}

/// What a report waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wait {
    /// Only for those before it, and not beyond this moment.
    Turn(Timestamp),
    /// The call is ending.
    End(End),
}

/// How far the families of events agree that a call is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    /// The channel.
    pub(super) channel: Option<String>,
    /// The channel was hung up.
    pub(super) hung_up: bool,
    /// When the server was told to end it, if that was heard of.
    pub(super) since: Option<Timestamp>,
    /// The device state has said since that there is no call.
    pub(super) device_idle: bool,
    /// Both agree: told at this moment.
    pub(super) due: Option<Timestamp>,
    /// Told at the latest at this moment, though one has not come.
    pub(super) deadline: Timestamp,
}

/// Reports in the order in which things happened at the server. The end of a call waits until it is certain, and
/// what the server did after it waits behind it.
#[derive(Debug, Default)]
pub(super) struct Reports {
    queue: VecDeque<Report>,
}

impl Reports {
    pub(super) fn push(&mut self, report: Report) {
        self.queue.push_back(report);
    }

    /// The ends waiting for this phone.
    pub(super) fn ends(&mut self, phone: &DeviceName) -> impl Iterator<Item = &mut End> {
        self.queue.iter_mut().filter(move |report| report.phone == *phone).filter_map(|report| {
            match &mut report.wait {
                Wait::End(end) => Some(end),
                Wait::Turn(_) => None,
            }
        })
    }

    /// Marks the end that is expected for this channel as seen; says whether there was one.
    pub(super) fn hang_up(&mut self, channel: &str, idle: &CallInfo) -> bool {
        for report in &mut self.queue {
            if let Wait::End(end) = &mut report.wait
                && !end.hung_up
                && end.channel.as_deref() == Some(channel)
            {
                end.hung_up = true;
                report.info = idle.clone();
                return true;
            }
        }
        false
    }

    /// Forgets ends that only the device state had announced.
    pub(super) fn forget_expected(&mut self, is_wrong: impl Fn(&DeviceName, &str) -> bool) {
        self.queue.retain(|report| match &report.wait {
            Wait::End(End { hung_up: false, channel: Some(channel), .. }) => {
                !is_wrong(&report.phone, channel)
            }
            _ => true,
        });
    }

    /// Forgets what waits for its turn about a call: something newer is told at once.
    pub(super) fn supersede(&mut self, phone: &DeviceName, call: CallId) {
        self.queue.retain(|report| {
            !(matches!(report.wait, Wait::Turn(_)) && report.phone == *phone && report.info.call == call)
        });
    }

    /// Whether something waits about this call.
    pub(super) fn mentions(&self, phone: &DeviceName, call: CallId) -> bool {
        self.queue.iter().any(|report| report.phone == *phone && report.info.call == call)
    }

    /// Whether the end of a call of this phone waits.
    pub(super) fn awaits_end(&self, phone: &DeviceName) -> bool {
        self.queue.iter().any(|report| report.phone == *phone && matches!(report.wait, Wait::End(_)))
    }

    /// Takes the next report that may be told now; of ends, one whose moment is not after `settled`.
    pub(super) fn take(&mut self, now: Timestamp, settled: Timestamp) -> Option<Report> {
        let mut blocked = false;
        let ready = self.queue.iter().position(|report| match &report.wait {
            Wait::Turn(until) => !blocked || *until <= now,
            Wait::End(end) => {
                let ready = end.moment() <= settled;
                blocked |= !ready;
                ready
            }
        })?;
        // About one call, order is never given up.
        let (phone, call) = (&self.queue[ready].phone, self.queue[ready].info.call);
        let first = self.queue.iter().position(|r| r.phone == *phone && r.info.call == call).unwrap_or(ready);
        self.queue.remove(first)
    }

    /// When something will be ready by itself.
    pub(super) fn next_wakeup(&self) -> Option<Timestamp> {
        self.queue
            .iter()
            .map(|report| match &report.wait {
                Wait::Turn(until) => *until,
                Wait::End(end) => end.moment(),
            })
            .min()
    }
}

impl End {
    fn moment(&self) -> Timestamp {
        self.due.map_or(self.deadline, |due| due.min(self.deadline))
    }
}

/// The last report about a call.
pub(super) fn idle(mut info: CallInfo) -> CallInfo {
    info.state = CallState::Idle;
    info
}
