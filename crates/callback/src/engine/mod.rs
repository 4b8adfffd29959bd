//! The engine. [`Engine::handle`] sends each input to the file that is responsible for it:
//!
//! ```text
//!   activation    the key, the directory's answer, refusals, Replace?, acceptance       R1-R6, R30-R38
//!   availability  what a called line does, who is notified next                         R8-R14, R24, R41
//!   turn          the notification and how a turn ends                                  R15, R16, R25-R28
//!   dial          Dial and what becomes of it                                           R19-R22
//!   ending        how requests end                                                      R7, R18, R23, R29, R40, R43
//!   caller        the caller's phone and the screens on it                              R3, R5, R17
//!   restore       going on with what the store holds                                    R48, R49
//!   watch, timers what is open at the call manager; what is due when
//! ```
//!
//! Requests, called lines and phones are each in a [`book::Book`] and refer to each other by their slots, so that an event
//! looks for one name, and finds the rest by following it: from the phone to the called line, from there to the requests
//! that wait for it, from a request to the phone of its caller. A request keeps its phone and its line known, an open
//! appearance its line; so a slot is as good as what holds it.

mod activation;
mod availability;
mod book;
mod caller;
mod dial;
mod ending;
mod line;
mod request;
mod restore;
#[cfg(test)]
mod tests;
mod timers;
mod turn;
mod watch;

use std::collections::HashMap;

use foldhash::fast::FixedState;
use ringback_model::{Appearance, CallId, DeviceName, Epoch, Group, LineId, RequestId, Timestamp};
use smallvec::SmallVec;

use self::book::{Book, Slot};
use self::line::CalledLine;
use self::request::{Gate, Request};
use self::timers::{Timer, Timers};
use self::watch::{Phone, Watch};
use crate::input::{DeviceState, Input, Occupancy, Ticket};
use crate::output::{Notice, Output, SaveId};
use crate::parameters::Parameters;
use crate::policy::{self, QueuePolicy};
use crate::record::{Phase, Record};

/// Iteration order never reaches an output, so that the same inputs give the same outputs.
type Map<K, V> = HashMap<K, V, FixedState>;

type RequestSlot = Slot<Request>;
type LineSlot = Slot<CalledLine>;
type PhoneSlot = Slot<Phone>;
/// A few requests.
type Slots = SmallVec<[RequestSlot; 4]>;

/// All Call Back requests of one group, and the rules they obey.
///
/// Give it every input in the order in which things happened, with the time at which the input is given, and carry
/// out the outputs in order. Nothing is called back; results come as new inputs. When [`Engine::next_timeout`] has come,
/// give it [`Input::Tick`].
///
/// ```
/// use ringback_callback::{Engine, Input, Output, Parameters, PressedDuring};
/// use ringback_model::{Appearance, DeviceName, DirectoryNumber, Epoch, Group, LineId, Partition, Timestamp};
///
/// let mut engine = Engine::new(Group::default(), Epoch(1), Parameters::default());
/// let phone = DeviceName::new("A")?;
/// let line = LineId::new(Partition::default(), DirectoryNumber::new("1001")?);
/// let mut out = Vec::new();
/// engine.handle(
///     Timestamp(0),
///     Input::CallBackKey {
///         invocation: 1,
///         from: Appearance { device: phone, line },
///         call: None,
///         called: Some(DirectoryNumber::new("1002")?),
///         during: PressedDuring::Other,
///     },
///     &mut out,
/// );
/// // R2: the key is not valid in the middle of a call.
/// assert_eq!(out, [Output::Verdict { invocation: 1, accepted: false }]);
/// # Ok::<(), ringback_model::TextError>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    group: Group,
    epoch: Epoch,
    parameters: Parameters,
    policy: Option<Box<dyn QueuePolicy>>,
    requests: Book<Request>,
    lines: Book<CalledLine>,
    watch: Watch,
    timers: Timers,
    /// The writes whose outcome a living request waits for.
    gates: Map<SaveId, RequestSlot>,
    /// Which request gives its place to the one that is being accepted.
    replacing: Map<RequestId, RequestId>,
    /// The removals whose outcome a phone's screen waits for.
    clears: Map<SaveId, DeviceName>,
    /// Which phone asked the directory.
    tickets: Map<Ticket, DeviceName>,
    /// How many requests are accepted and live.
    pending: usize,
    accepted: u64,
    saves: u64,
    asked: u64,
    now: Timestamp,
    out: Vec<Output>,
    #[cfg(feature = "planted")]
    planted: Option<crate::planted::Fault>,
}

#[cfg(feature = "planted")]
impl Engine {
    /// The same with a mistake, which a test must find.
    #[doc(hidden)]
    #[must_use]
    pub fn with_fault(mut self, fault: crate::planted::Fault) -> Self {
        self.planted = Some(fault);
        self
    }

    fn has(&self, fault: crate::planted::Fault) -> bool {
        self.planted == Some(fault)
    }
}

impl Engine {
    /// An engine without requests that acts in `epoch`, with the policy that the parameters name.
    #[must_use]
    pub fn new(group: Group, epoch: Epoch, parameters: Parameters) -> Self {
        Self {
            group,
            epoch,
            parameters,
            policy: None,
            requests: Book::default(),
            lines: Book::default(),
            watch: Watch::default(),
            timers: Timers::default(),
            gates: Map::default(),
            replacing: Map::default(),
            clears: Map::default(),
            tickets: Map::default(),
            pending: 0,
            accepted: 0,
            saves: 0,
            asked: 0,
            now: Timestamp::default(),
            out: Vec::new(),
            #[cfg(feature = "planted")]
            planted: None,
        }
    }

    /// The same with a policy of the caller's own instead of the one that the parameters name.
    /// [`Parameters::queue_policy`] has no effect then. What the policy names that may not be notified is passed over.
    ///
    /// ```
    /// use ringback_callback::{Candidate, Engine, Parameters, QueuePolicy};
    /// use ringback_model::{Epoch, Group, RequestId};
    ///
    /// /// The one with the fewest alerts so far, one at a time; of several the longest waiting.
    /// #[derive(Debug)]
    /// struct Fair;
    ///
    /// impl QueuePolicy for Fair {
    ///     fn choose(&self, turns: usize, candidates: &mut dyn Iterator<Item = Candidate>) -> Vec<RequestId> {
    ///         if turns > 0 {
    ///             return Vec::new();
    ///         }
    ///         let fewest = candidates.min_by_key(|candidate| candidate.alerts);
    ///         fewest.map(|candidate| candidate.request).into_iter().collect()
    ///     }
    /// }
    ///
    /// let engine = Engine::new(Group::default(), Epoch(1), Parameters::default()).with_policy(Box::new(Fair));
    /// assert_eq!(engine.pending(), 0);
    /// ```
    #[must_use]
    pub fn with_policy(mut self, policy: Box<dyn QueuePolicy>) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Takes one input and appends what is to be done to `outputs`. `now` never steps back; if it does, the latest time
    /// seen counts.
    pub fn handle(&mut self, now: Timestamp, input: Input, outputs: &mut Vec<Output>) {
        self.now = self.now.max(now);
        std::mem::swap(&mut self.out, outputs);
        self.fire_timers();
        match input {
            Input::Tick => {}
            Input::Restored(records) => self.restore(records),
            Input::Parameters(parameters) => self.change_parameters(parameters),
            Input::CallBackKey { invocation, from, call, called, during } => {
                self.callback_key(invocation, from, call, called, during);
            }
            Input::Resolved { ticket, result } => self.resolved(ticket, result),
            Input::Located { line, devices } => self.located(&line, devices),
            Input::ScreenKey { device, key, about } => self.screen_key(&device, key, about),
            Input::Saved(save) => self.saved(save),
            Input::SaveFailed(save) => self.save_failed(save),
            Input::Device { device, state } => self.device(&device, state),
            Input::UserChanged(device) => self.user_changed(&device),
            Input::Line { at, occupancy, calls } => self.line(&at, occupancy, calls.as_deref()),
            Input::Call { at, call, called, progress } => self.call(&at, call, called.as_ref(), &progress),
            Input::Dialled { request, outcome } => self.dialled(request, outcome),
            Input::Alerted { alert, delivered } => self.alerted(alert, delivered),
            Input::ScreenLost(device) => self.screen_lost(&device),
            Input::LinkLost => self.link_lost(),
        }
        std::mem::swap(&mut self.out, outputs);
    }

    /// When the engine wants [`Input::Tick`] at the latest; `None`: not before another input. It may turn out that
    /// nothing is due then.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// The group it serves.
    #[must_use]
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// The epoch it acts in.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// How many accepted requests there are, of every phase.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// A request.
    #[must_use]
    pub fn request(&self, id: RequestId) -> Option<&Record> {
        self.requests.named(&id).map(|request| &request.record)
    }

    /// The request of a phone.
    #[must_use]
    pub fn request_of(&self, device: &DeviceName) -> Option<&Record> {
        let request = self.watch.caller(self.watch.find(device)?)?.request?;
        self.requests.get(request).map(|request| &request.record)
    }

    /// The callers who wait for a line and have not been notified, in the order of the queue.
    pub fn queue<'a>(&'a self, line: &LineId) -> impl Iterator<Item = &'a Record> + use<'a> {
        let queue = self.lines.named(line).map(|line| line.queue());
        queue
            .into_iter()
            .flatten()
            .filter_map(|slot| self.requests.get(*slot))
            .filter(|request| request.accepted)
            .map(|request| &request.record)
    }

    /// Whether any request is for this line.
    #[must_use]
    pub fn is_called(&self, line: &LineId) -> bool {
        self.lines.find(line).is_some()
    }

    /// The lines that requests are for, in no particular order.
    pub fn called_lines(&self) -> impl Iterator<Item = &LineId> {
        self.lines.iter().map(|line| &line.id)
    }

    /// All accepted requests, in no particular order.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.requests.iter().filter(|request| request.accepted).map(|request| &request.record)
    }

    fn fire_timers(&mut self) {
        while let Some(timer) = self.timers.due(self.now) {
            match timer {
                Timer::Expiry(id) => self.expire(id),
                Timer::Turn(id, alert) => self.turn_is_over(id, alert),
                Timer::Acceptance(id) => self.acceptance_is_late(id),
                Timer::Guard(line) => {
                    if let Some(line) = self.lines.find(&line) {
                        self.evaluate(line);
                    }
                    continue;
                }
            }
            self.timers.stale_is_gone();
        }
        if self.timers.are_mostly_stale() {
            let (requests, lines) = (&self.requests, &self.lines);
            self.timers.retain(|timer| {
                match timer {
                Timer::Expiry(id) => requests.find(id).is_some(),
                Timer::Turn(id, number) => requests.named(id).is_some_and(|request| {
                    matches!(request.record.phase, Phase::Turn { alert, .. } if alert.number == *number)
                }),
                Timer::Acceptance(id) => requests.named(id).is_some_and(|request| !request.accepted),
                Timer::Guard(line) => lines.find(line).is_some(),
            }
            });
        }
    }

    fn change_parameters(&mut self, parameters: Parameters) {
        let before = std::mem::replace(&mut self.parameters, parameters);
        if before.queue_policy != parameters.queue_policy || before.idle_guard != parameters.idle_guard {
            // Rare, and the only place where every line is looked at.
            let mut lines: Vec<LineId> = self.called_lines().cloned().collect();
            lines.sort_unstable();
            for line in lines {
                if let Some(line) = self.lines.find(&line) {
                    self.set_guard(line);
                    self.evaluate(line);
                }
            }
        }
    }

    fn policy(&self) -> &dyn QueuePolicy {
        match &self.policy {
            Some(policy) => policy.as_ref(),
            None => policy::named(self.parameters.queue_policy),
        }
    }

    /// R44: nothing can be seen until it is read anew; what was seen last is kept for comparison.
    fn link_lost(&mut self) {
        self.watch.link_lost();
        for line in self.lines.iter_mut() {
            line.present = None;
        }
    }

    fn device(&mut self, device: &DeviceName, state: DeviceState) {
        let Some(phone) = self.watch.find(device) else { return };
        let Some(before) = self.watch.note_device(phone, state) else { return };
        let lines = self.watch.all_called(phone);
        if state == DeviceState::OutOfService {
            self.watch.forget_called(phone);
        }
        self.caller_device(phone, before, state);
        for line in lines {
            self.refresh_line(line);
        }
    }

    fn line(&mut self, at: &Appearance, occupancy: Occupancy, calls: Option<&[CallId]>) {
        let Some(phone) = self.watch.find(&at.device) else { return };
        if !self.watch.note_line(phone, &at.line, occupancy) {
            return;
        }
        if let Some(calls) = calls {
            self.caller_line_read(phone, at, calls);
        }
        // It may be called elsewhere though not here: the directory has the last word.
        if let Some(line) = self.watch.called(phone, &at.line).or_else(|| self.lines.find(&at.line)) {
            self.refresh_line(line);
        }
    }

    fn saved(&mut self, save: SaveId) {
        self.release_clear(save);
        let Some(slot) = self.gates.remove(&save) else { return };
        let Some(request) = self.requests.get_mut(slot).filter(|request| request.written == save) else {
            return;
        };
        match request.gate.take() {
            Some(Gate::Acceptance) => self.acceptance_is_durable(slot),
            Some(Gate::Turn) => self.turn_is_durable(slot),
            Some(Gate::Dial) => self.place_call(slot),
            None => {}
        }
    }

    fn save_failed(&mut self, save: SaveId) {
        self.release_clear(save);
        let Some(&slot) = self.gates.get(&save) else { return };
        let Some(request) = self.requests.get_mut(slot).filter(|request| request.written == save) else {
            return;
        };
        match request.gate {
            Some(Gate::Acceptance) => self.acceptance_failed(slot),
            // The user has pressed Dial and waits; the record only matters if we crash within this call.
            Some(Gate::Dial) => {
                request.gate = None;
                self.gates.remove(&save);
                self.place_call(slot);
            }
            // R47: a notification waits for the store, and goes out when it is back.
            Some(Gate::Turn) | None => {}
        }
    }

    fn next_save(&mut self) -> SaveId {
        self.saves += 1;
        SaveId(self.saves)
    }

    /// Writes the record as it is now. What waited for an earlier write of it does not any more.
    fn save(&mut self, slot: RequestSlot) {
        self.save_with(slot, None, None);
    }

    /// Writes the record and remembers what is to happen when it is durable.
    fn save_gated(&mut self, slot: RequestSlot, gate: Gate) {
        self.save_with(slot, Some(gate), None);
    }

    fn save_with(&mut self, slot: RequestSlot, gate: Option<Gate>, replaces: Option<RequestId>) {
        let save = self.next_save();
        let Some(request) = self.requests.get_mut(slot) else { return };
        if request.gate.is_some() {
            self.gates.remove(&request.written);
        }
        request.written = save;
        request.gate = gate;
        if gate.is_some() {
            self.gates.insert(save, slot);
        }
        self.out.push(Output::Save { save, record: request.record.clone(), replaces });
    }

    fn notice(&mut self, notice: Notice) {
        self.out.push(Output::Notice(notice));
    }

    fn phase(&self, slot: RequestSlot) -> Option<Phase> {
        self.requests.get(slot).map(|request| request.record.phase)
    }
}
