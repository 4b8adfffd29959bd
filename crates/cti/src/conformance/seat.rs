use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, Epoch};

use super::lab::{Act, Lab, Wait};
use super::rules::{
    CLOSED, DEVICE_FIRST, ENDS, LAB, LOOK_FIRST, LOST, ONCE, ONLY_OPEN, RELINQUISHES, Rule, STANDS_BY,
};
use super::{Violation, same};
use crate::calls::CallTable;
use crate::message::{Answer, CallInfo, CallState};
use crate::provider::{Command, CtiProvider, DataId, ProviderEvent, RequestFailure, Tag};

/// The answer to a command.
pub(super) type Outcome = Result<Answer, RequestFailure>;

/// A provider in use, and all that must hold of its reports whatever happens.
pub(super) struct Seat<P> {
    provider: P,
    acts: bool,
    linked: bool,
    devices: BTreeSet<DeviceName>,
    lines: BTreeSet<Appearance>,
    /// Closed; whether what was reported before may still be on its way.
    closed: BTreeMap<DeviceName, bool>,
    closed_lines: BTreeMap<Appearance, bool>,
    /// In service, as reported since the link came up.
    read: BTreeSet<DeviceName>,
    opened: BTreeSet<Appearance>,
    ended: BTreeSet<(Appearance, CallId)>,
    last_tag: u64,
    waiting: BTreeSet<Tag>,
    answers: Vec<(Tag, Outcome)>,
    table: CallTable,
}

impl<P: CtiProvider> Seat<P> {
    /// A provider that stands by.
    pub(super) async fn take<L: Lab<Provider = P>>(lab: &mut L) -> Self {
        Self {
            provider: lab.provider().await,
            acts: false,
            linked: false,
            devices: BTreeSet::new(),
            lines: BTreeSet::new(),
            closed: BTreeMap::new(),
            closed_lines: BTreeMap::new(),
            read: BTreeSet::new(),
            opened: BTreeSet::new(),
            ended: BTreeSet::new(),
            last_tag: 0,
            waiting: BTreeSet::new(),
            answers: Vec::new(),
            table: CallTable::default(),
        }
    }

    /// A provider that acts and has these lines open.
    pub(super) async fn watching<L: Lab<Provider = P>>(
        lab: &mut L,
        epoch: u64,
        lines: &[&Appearance],
    ) -> Result<Self, Violation> {
        let mut seat = Self::take(lab).await;
        seat.submit(Command::Assume(Epoch(epoch)));
        seat.until(lab, LOST, "LinkUp", |event| matches!(event, ProviderEvent::LinkUp { .. })).await?;
        for at in lines {
            seat.open(lab, at).await?;
        }
        seat.quiet(lab).await?;
        Ok(seat)
    }

    pub(super) async fn open<L: Lab<Provider = P>>(
        &mut self,
        lab: &mut L,
        at: &Appearance,
    ) -> Result<(), Violation> {
        self.submit(Command::OpenDevice(at.device.clone()));
        self.submit(Command::OpenLine(at.clone()));
        self.line_opened(lab, super::rules::READS, at).await.map(drop)
    }

    pub(super) fn capabilities(&self) -> crate::Capabilities {
        self.provider.capabilities()
    }

    pub(super) fn submit(&mut self, command: Command) {
        match &command {
            Command::Assume(_) => self.acts = true,
            Command::Relinquish => {
                self.acts = false;
                self.closed
                    .extend(std::mem::take(&mut self.devices).into_iter().map(|device| (device, true)));
                self.closed_lines.extend(std::mem::take(&mut self.lines).into_iter().map(|at| (at, true)));
            }
            Command::OpenDevice(device) => drop(self.devices.insert(device.clone())),
            Command::OpenLine(at) => drop(self.lines.insert(at.clone())),
            Command::CloseDevice(device) => {
                self.closed.extend(self.devices.take(device).map(|device| (device, true)));
                let lines = self.lines.extract_if(.., |at| at.device == *device);
                self.closed_lines.extend(lines.map(|at| (at, true)));
            }
            Command::CloseLine(at) => self.closed_lines.extend(self.lines.take(at).map(|at| (at, true))),
            Command::MakeCall { tag, .. } | Command::SendData { tag, .. } => drop(self.waiting.insert(*tag)),
            Command::AnswerFeature { .. } => {}
        }
        self.provider.submit(command);
    }

    pub(super) fn make_call(&mut self, from: &Appearance, to: &DirectoryNumber, overriding: bool) -> Tag {
        let tag = self.tag();
        let (from, to) = (from.clone(), to.clone());
        self.submit(Command::MakeCall { tag, from, to, override_forwarding: overriding });
        tag
    }

    pub(super) fn send(&mut self, device: &DeviceName, id: Option<u128>, content: String) -> Tag {
        let tag = self.tag();
        self.submit(Command::SendData { tag, device: device.clone(), id: id.map(DataId), content });
        tag
    }

    fn tag(&mut self) -> Tag {
        // Far apart and not from zero: a provider must not read anything into them.
        self.last_tag = self.last_tag.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Tag(self.last_tag)
    }

    /// The next report, if one comes.
    pub(super) async fn hear<L: Lab<Provider = P>>(
        &mut self,
        lab: &mut L,
        wait: Wait,
    ) -> Result<Option<ProviderEvent>, Violation> {
        let event = lab.hear(&mut self.provider, wait).await;
        if let Some(event) = &event {
            self.check(event)?;
        }
        Ok(event)
    }

    /// Everything that is reported until it is quiet.
    pub(super) async fn quiet<L: Lab<Provider = P>>(
        &mut self,
        lab: &mut L,
    ) -> Result<Vec<ProviderEvent>, Violation> {
        let mut heard = Vec::new();
        while let Some(event) = self.hear(lab, Wait::UntilItIsQuiet).await? {
            heard.push(event);
        }
        if self.linked {
            same(ONCE, self.waiting.clone(), BTreeSet::new())?;
        }
        self.closed.values_mut().chain(self.closed_lines.values_mut()).for_each(|late| *late = false);
        Ok(heard)
    }

    /// Calls `next` once and drops it if nothing is there.
    pub(super) async fn glance(&mut self) -> Result<Option<ProviderEvent>, Violation> {
        let heard = {
            let mut next = pin!(self.provider.next());
            poll_fn(|context| match next.as_mut().poll(context) {
                Poll::Ready(event) => Poll::Ready(event),
                Poll::Pending => Poll::Ready(None),
            })
            .await
        };
        if let Some(event) = &heard {
            self.check(event)?;
        }
        Ok(heard)
    }

    /// Hears until such a report comes, and gives it back with those before it.
    pub(super) async fn until<L: Lab<Provider = P>>(
        &mut self,
        lab: &mut L,
        rule: Rule,
        expected: &str,
        wanted: impl Fn(&ProviderEvent) -> bool,
    ) -> Result<Vec<ProviderEvent>, Violation> {
        let mut heard = Vec::new();
        loop {
            let Some(event) = self.hear(lab, Wait::UntilItComes).await? else {
                return Err(Violation::new(rule, expected, heard));
            };
            let done = wanted(&event);
            heard.push(event);
            if done {
                return Ok(heard);
            }
            if heard.len() > 10_000 {
                return Err(Violation::new(rule, expected, &heard[..10]));
            }
        }
    }

    pub(super) async fn line_opened<L: Lab<Provider = P>>(
        &mut self,
        lab: &mut L,
        rule: Rule,
        line: &Appearance,
    ) -> Result<Vec<CallInfo>, Violation> {
        let opened =
            |event: &ProviderEvent| matches!(event, ProviderEvent::LineOpened { at, .. } if at == line);
        let heard = self.until(lab, rule, "LineOpened", opened).await?;
        match heard.into_iter().next_back() {
            Some(ProviderEvent::LineOpened { calls, .. }) => Ok(calls),
            other => Err(Violation::new(rule, "LineOpened", other)),
        }
    }

    /// The answer to this command, with what is reported until it is quiet.
    pub(super) async fn outcome<L: Lab<Provider = P>>(
        &mut self,
        lab: &mut L,
        tag: Tag,
    ) -> Result<(Outcome, Vec<ProviderEvent>), Violation> {
        let is_it =
            |event: &ProviderEvent| matches!(event, ProviderEvent::Answer { tag: of, .. } if *of == tag);
        let mut heard = Vec::new();
        if self.answer(tag).is_none() {
            heard = self.until(lab, ONCE, "an answer", is_it).await?;
        }
        heard.extend(self.quiet(lab).await?);
        let outcome = self.answer(tag).ok_or_else(|| Violation::new(ONCE, "an answer", &heard))?;
        Ok((outcome, heard))
    }

    pub(super) fn answer(&self, tag: Tag) -> Option<Outcome> {
        self.answers.iter().find(|(of, _)| *of == tag).map(|(_, outcome)| outcome.clone())
    }

    pub(super) fn is_linked(&self) -> bool {
        self.linked
    }

    /// What has been told of an open line must be what there is.
    pub(super) async fn knows<L: Lab>(
        &self,
        lab: &mut L,
        rule: Rule,
        at: &Appearance,
    ) -> Result<(), Violation> {
        let mut truth = CallTable::default();
        truth.apply(&ProviderEvent::LineOpened { at: at.clone(), calls: lab.calls(at).await });
        same(rule, self.table.occupancy(at), truth.occupancy(at))
    }

    fn check(&mut self, event: &ProviderEvent) -> Result<(), Violation> {
        self.table.apply(event);
        match event {
            ProviderEvent::LinkUp { .. } => self.linked = true,
            ProviderEvent::LinkLost { .. } => {
                self.linked = false;
                self.read.clear();
                self.opened.clear();
                self.ended.clear();
                self.table = CallTable::default();
            }
            ProviderEvent::Device { device, status } => {
                self.is_device_open(event, device)?;
                if status.is_some() {
                    self.needs_link(event)?;
                    self.read.insert(device.clone());
                } else {
                    self.read.remove(device);
                    self.opened.retain(|at| at.device != *device);
                }
            }
            ProviderEvent::DeviceUserChanged(device) | ProviderEvent::DeviceData { device, .. } => {
                self.needs_link(event)?;
                self.is_device_open(event, device)?;
            }
            ProviderEvent::LineOpened { at, calls } => {
                self.needs_link(event)?;
                self.is_line_open(event, at)?;
                if !self.read.contains(&at.device) {
                    return Err(Violation::new(DEVICE_FIRST, "Device first", event));
                }
                if let Some(ended) = calls.iter().find(|info| info.state == CallState::Idle) {
                    return Err(Violation::new(ENDS, "only calls that live", ended));
                }
                self.opened.insert(at.clone());
                self.ended.retain(|(line, _)| line != at);
            }
            ProviderEvent::LineRefused { at, .. } => {
                self.is_line_open(event, at)?;
                self.opened.remove(at);
            }
            ProviderEvent::Call { at, info } => {
                self.needs_link(event)?;
                self.is_line_open(event, at)?;
                if !self.opened.contains(at) {
                    return Err(Violation::new(LOOK_FIRST, "LineOpened first", event));
                }
                let call = (at.clone(), info.call);
                if info.state == CallState::Idle {
                    self.ended.insert(call);
                } else if self.ended.contains(&call) {
                    return Err(Violation::new(ENDS, "nothing after Idle", event));
                }
            }
            ProviderEvent::Answer { tag, result } => {
                if !self.waiting.remove(tag) {
                    return Err(Violation::new(ONCE, "one answer for each tag that was given", event));
                }
                self.answers.push((*tag, result.clone()));
            }
            ProviderEvent::FeatureInvoked(_) => self.needs_link(event)?,
            ProviderEvent::LinkFailed { .. } => {}
        }
        Ok(())
    }

    fn needs_link(&self, event: &ProviderEvent) -> Result<(), Violation> {
        if self.linked { Ok(()) } else { Err(Violation::new(LOST, "nothing before LinkUp", event)) }
    }

    fn is_device_open(&self, event: &ProviderEvent, device: &DeviceName) -> Result<(), Violation> {
        self.is_open(event, self.devices.contains(device), self.closed.get(device))
    }

    fn is_line_open(&self, event: &ProviderEvent, at: &Appearance) -> Result<(), Violation> {
        self.is_open(event, self.lines.contains(at), self.closed_lines.get(at))
    }

    fn is_open(&self, event: &ProviderEvent, open: bool, closed: Option<&bool>) -> Result<(), Violation> {
        let (rule, expected) = match (self.acts, open, closed) {
            (true, true, _) | (_, _, Some(true)) => return Ok(()),
            (false, false, Some(false)) => (RELINQUISHES, "nothing after Relinquish"),
            (false, ..) => (STANDS_BY, "nothing of phones"),
            (true, false, Some(false)) => (CLOSED, "nothing of what was closed"),
            (true, false, None) => (ONLY_OPEN, "nothing of what is not open"),
        };
        Err(Violation::new(rule, expected, event))
    }
}

/// Lets somebody in the lab do something.
pub(super) async fn act<L: Lab>(lab: &mut L, act: Act) -> Result<(), Violation> {
    let what = format!("{act:?}");
    lab.act(act).await.map_err(|why| Violation::new(LAB, what, why))
}

/// A call between two phones that is answered.
pub(super) async fn connect<L: Lab>(
    lab: &mut L,
    from: &Appearance,
    to: &Appearance,
) -> Result<(), Violation> {
    act(lab, Act::Call { from: from.clone(), to: to.line.dn.clone() }).await?;
    act(lab, Act::Answer(to.device.clone())).await
}

/// Both phones of a call hang up.
pub(super) async fn part<L: Lab>(lab: &mut L, one: &Appearance, other: &Appearance) -> Result<(), Violation> {
    act(lab, Act::HangUp(one.device.clone())).await?;
    act(lab, Act::HangUp(other.device.clone())).await
}

/// Nothing of phones is among these reports.
pub(super) fn nothing(rule: Rule, heard: &[ProviderEvent]) -> Result<(), Violation> {
    match heard.iter().find(|event| !is_of_link(event)) {
        None => Ok(()),
        Some(event) => Err(Violation::new(rule, "nothing", event)),
    }
}

fn is_of_link(event: &ProviderEvent) -> bool {
    matches!(
        event,
        ProviderEvent::LinkUp { .. } | ProviderEvent::LinkLost { .. } | ProviderEvent::LinkFailed { .. }
    )
}

/// The calls that are told at this line, in order.
pub(super) fn calls_at<'e>(heard: &'e [ProviderEvent], line: &Appearance) -> Vec<&'e CallInfo> {
    let told = |event: &'e ProviderEvent| match event {
        ProviderEvent::Call { at, info } if at == line => Some(info),
        _ => None,
    };
    heard.iter().filter_map(told).collect()
}

/// The error, or what came instead of it.
pub(super) fn refused(rule: Rule, outcome: Outcome) -> Result<RequestFailure, Violation> {
    match outcome {
        Err(failure) => Ok(failure),
        Ok(answer) => Err(Violation::new(rule, "a refusal", answer)),
    }
}

/// A report that must be there.
pub(super) fn present<T: Debug>(
    rule: Rule,
    expected: &str,
    found: Option<T>,
    heard: &[ProviderEvent],
) -> Result<T, Violation> {
    found.ok_or_else(|| Violation::new(rule, expected, heard))
}
