//! Each of these providers has one fault, and the suite of the port names it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod provider_lab;

use std::collections::{BTreeMap, VecDeque};

use async_trait::async_trait;
use provider_lab::{Scissors, SimLab};
use ringback_cti::conformance;
use ringback_cti::message::{Answer, CallInfo, CallState, Cause, CtiError};
use ringback_cti::{
    Capabilities, Command, CtiProvider, DataId, Dedup, Fencing, ProviderEvent, RequestFailure, Tag,
};
use ringback_cti_net::ClientProvider;
use ringback_model::{Appearance, CallId, LineId, Partition};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    AnswersTwice,
    NeverAnswersARefusal,
    LosesTheFirstChangeAfterTheLook,
    TellsChangesBeforeTheLook,
    LooksAtNothing,
    TellsOfClosedLines,
    KeepsLinesOfAClosedDevice,
    TellsAnOldState,
    TellsAfterTheEnd,
    KeepsTheEndToItself,
    ForgetsWhatWasAskedWhileStandingBy,
    ForgetsWhatWasAskedWhileTheLinkWasDown,
    HidesTheLossOfTheLink,
    ReplaysWhatItMissed,
    LosesWhatItWasDroppedWith,
    TrimsData,
    SendsDataTwice,
    NewIdsForEachAlert,
    NoNameForAnUnknownLine,
    IgnoresOverriding,
    TellsAPressTwice,
    HidesOutOfService,
    OpensTheLinesOfADevice,
    NoNameForBusy,
    AnotherIdForACall,
}

struct Faulty {
    provider: ClientProvider,
    fault: Fault,
    /// Told before anything that comes.
    extra: VecDeque<ProviderEvent>,
    looked: Vec<Appearance>,
    /// The calls on each line, and those from before the link was lost.
    calls: BTreeMap<Appearance, CallInfo>,
    missed: BTreeMap<Appearance, CallInfo>,
    asked: Vec<Command>,
    lost: bool,
    acts: bool,
    sent: u128,
    last: Option<CallInfo>,
}

impl Faulty {
    fn new(provider: ClientProvider, fault: Fault) -> Self {
        Self {
            provider,
            fault,
            extra: VecDeque::new(),
            looked: Vec::new(),
            calls: BTreeMap::new(),
            missed: BTreeMap::new(),
            asked: Vec::new(),
            lost: false,
            acts: false,
            sent: 0,
            last: None,
        }
    }

    /// What the fault makes of a report.
    fn twist(&mut self, event: ProviderEvent) -> Option<ProviderEvent> {
        match (self.fault, &event) {
            (_, ProviderEvent::LinkUp { .. }) => self.lost = false,
            (Fault::HidesTheLossOfTheLink, ProviderEvent::LinkLost { .. }) => return None,
            (_, ProviderEvent::LinkLost { .. }) => {
                self.lost = true;
                self.missed = std::mem::take(&mut self.calls);
            }
            (Fault::AnswersTwice, ProviderEvent::Answer { .. })
            | (Fault::TellsAPressTwice, ProviderEvent::FeatureInvoked(_)) => {
                self.extra.push_back(event.clone());
            }
            (
                Fault::NeverAnswersARefusal,
                ProviderEvent::Answer { result: Err(RequestFailure::Refused(_)), .. },
            )
            | (Fault::HidesOutOfService, ProviderEvent::Device { status: None, .. }) => return None,
            (Fault::LosesTheFirstChangeAfterTheLook, ProviderEvent::LineOpened { at, .. }) => {
                self.looked.push(at.clone());
            }
            (Fault::LosesTheFirstChangeAfterTheLook, ProviderEvent::Call { at, .. }) => {
                if let Some(place) = self.looked.iter().position(|line| line == at) {
                    self.looked.swap_remove(place);
                    return None;
                }
            }
            (Fault::TellsChangesBeforeTheLook, ProviderEvent::LineOpened { at, calls }) => {
                if let Some(info) = calls.first() {
                    self.extra.push_back(event.clone());
                    return Some(ProviderEvent::Call { at: at.clone(), info: info.clone() });
                }
            }
            (Fault::LooksAtNothing, ProviderEvent::LineOpened { at, .. }) => {
                return Some(ProviderEvent::LineOpened { at: at.clone(), calls: Vec::new() });
            }
            (Fault::TellsAnOldState, ProviderEvent::Call { at, info }) => {
                if info.state == CallState::Connected
                    && let Some(last) = self.last.replace(info.clone())
                    && last.call == info.call
                {
                    self.extra.push_back(ProviderEvent::Call { at: at.clone(), info: last });
                }
                self.last = Some(info.clone());
            }
            (Fault::TellsAfterTheEnd, ProviderEvent::Call { at, info }) if info.state == CallState::Idle => {
                let info = CallInfo { state: CallState::Disconnected, ..info.clone() };
                self.extra.push_back(ProviderEvent::Call { at: at.clone(), info });
            }
            (Fault::KeepsTheEndToItself, ProviderEvent::Call { info, .. })
                if info.state == CallState::Idle =>
            {
                return None;
            }
            (Fault::ReplaysWhatItMissed, ProviderEvent::LineOpened { at, calls }) => {
                match (calls.first(), self.missed.remove(at)) {
                    (Some(info), _) => drop(self.calls.insert(at.clone(), info.clone())),
                    (None, Some(info)) => {
                        let info = CallInfo { state: CallState::Idle, ..info };
                        self.extra.push_back(ProviderEvent::Call { at: at.clone(), info });
                    }
                    (None, None) => {}
                }
            }
            (Fault::NoNameForBusy, ProviderEvent::Call { at, info }) if info.state == CallState::Busy => {
                let info = CallInfo { state: CallState::Disconnected, cause: Cause::NONE, ..info.clone() };
                return Some(ProviderEvent::Call { at: at.clone(), info });
            }
            (Fault::AnotherIdForACall, ProviderEvent::Answer { tag, result: Ok(Answer::CallMade(call)) }) => {
                let result = Ok(Answer::CallMade(CallId(call.0 + 1_000)));
                return Some(ProviderEvent::Answer { tag: *tag, result });
            }
            (Fault::NoNameForAnUnknownLine, ProviderEvent::LineRefused { at, .. }) => {
                return Some(ProviderEvent::LineRefused { at: at.clone(), reason: CtiError::Timeout });
            }
            _ => {}
        }
        Some(event)
    }
}

#[async_trait]
impl CtiProvider for Faulty {
    fn capabilities(&self) -> Capabilities {
        self.provider.capabilities()
    }

    fn submit(&mut self, mut command: Command) {
        match (self.fault, &mut command) {
            (_, Command::Assume(_)) => self.acts = true,
            (_, Command::Relinquish) => self.acts = false,
            (Fault::TellsOfClosedLines, Command::CloseLine(_)) => return,
            (Fault::KeepsLinesOfAClosedDevice, Command::OpenLine(_)) => self.asked.push(command.clone()),
            (Fault::KeepsLinesOfAClosedDevice, Command::OpenDevice(device)) => {
                let device = device.clone();
                self.provider.submit(command);
                let of = |line: &&Command| matches!(line, Command::OpenLine(at) if at.device == device);
                let lines: Vec<Command> = self.asked.iter().filter(of).cloned().collect();
                lines.into_iter().for_each(|line| self.provider.submit(line));
                return;
            }
            (Fault::OpensTheLinesOfADevice, Command::OpenDevice(device)) => {
                let number = match device.as_str() {
                    "A" => "1001",
                    "B" => "1002",
                    _ => "1003",
                };
                let line = LineId::new(Partition::default(), number.parse().unwrap());
                let at = Appearance { device: device.clone(), line };
                self.provider.submit(command);
                self.provider.submit(Command::OpenLine(at));
                return;
            }
            (Fault::ForgetsWhatWasAskedWhileStandingBy, Command::OpenDevice(_) | Command::OpenLine(_))
                if !self.acts =>
            {
                return;
            }
            (
                Fault::ForgetsWhatWasAskedWhileTheLinkWasDown,
                Command::OpenDevice(_) | Command::OpenLine(_),
            ) if self.lost => return,
            (Fault::TrimsData, Command::SendData { content, .. }) => {
                *content = content.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            (Fault::SendsDataTwice, Command::SendData { device, content, id: None, .. }) => {
                let (device, content) = (device.clone(), content.clone());
                self.provider.submit(Command::SendData { tag: HIDDEN, device, id: None, content });
            }
            (Fault::NewIdsForEachAlert, Command::SendData { id: Some(id), .. }) => {
                self.sent += 1;
                *id = DataId(id.0 ^ (self.sent << 64));
            }
            (Fault::IgnoresOverriding, Command::MakeCall { override_forwarding, .. }) => {
                *override_forwarding = false;
            }
            _ => {}
        }
        self.provider.submit(command);
    }

    async fn next(&mut self) -> Option<ProviderEvent> {
        loop {
            if let Some(event) = self.extra.pop_front() {
                return Some(event);
            }
            let event = self.provider.next().await?;
            if matches!(event, ProviderEvent::Answer { tag: HIDDEN, .. }) {
                continue;
            }
            if self.fault == Fault::LosesWhatItWasDroppedWith {
                tokio::task::yield_now().await;
            }
            if let Some(event) = self.twist(event) {
                return Some(event);
            }
        }
    }
}

/// Of commands that nobody gave.
const HIDDEN: Tag = Tag(u64::MAX);

#[tokio::test(start_paused = true)]
async fn providers() {
    let cases = [
        (Fault::AnswersTwice, "Answers", "each command with a tag is answered exactly once"),
        (Fault::NeverAnswersARefusal, "Answers", "each command with a tag is answered exactly once"),
        (
            Fault::LosesTheFirstChangeAfterTheLook,
            "Opening",
            "a line is reported with all its calls before a call changes",
        ),
        (
            Fault::TellsChangesBeforeTheLook,
            "Opening",
            "a line is reported with all its calls before a call changes",
        ),
        (
            Fault::LooksAtNothing,
            "Opening",
            "what is asked for is reported as it is: the device, then the line with all its calls",
        ),
        (Fault::OpensTheLinesOfADevice, "Opening", "nothing is reported of what is not open"),
        (Fault::TellsOfClosedLines, "Closing", "what is closed is not reported any more"),
        (Fault::KeepsLinesOfAClosedDevice, "Closing", "what is closed is not reported any more"),
        (
            Fault::TellsAnOldState,
            "Opening",
            "what changes while a line is being opened is in the first look or told after it",
        ),
        (Fault::TellsAfterTheEnd, "Order", "a call ends with Idle, and nothing comes after it"),
        (
            Fault::KeepsTheEndToItself,
            "Opening",
            "a line is reported with all its calls before a call changes",
        ),
        (
            Fault::ForgetsWhatWasAskedWhileStandingBy,
            "Standing by",
            "what is asked for while standing by is opened when it acts",
        ),
        (
            Fault::ForgetsWhatWasAskedWhileTheLinkWasDown,
            "Link",
            "what is asked for or closed while the link is down holds when it is up",
        ),
        (
            Fault::HidesTheLossOfTheLink,
            "Link",
            "a lost link is told, and nothing is reported of phones until it is up again",
        ),
        (
            Fault::ReplaysWhatItMissed,
            "Link",
            "after a loss everything asked for is read anew, and what happened meanwhile is not told as changes",
        ),
        (
            Fault::LosesWhatItWasDroppedWith,
            "Order",
            "next can be dropped and called again without losing a report",
        ),
        (Fault::TrimsData, "Data", "data reaches the phone byte for byte, in order, once"),
        (Fault::SendsDataTwice, "Data", "data reaches the phone byte for byte, in order, once"),
        (
            Fault::NewIdsForEachAlert,
            "Data",
            "data sent again under the same id takes effect as the capabilities declare",
        ),
        (
            Fault::NoNameForAnUnknownLine,
            "Names",
            "a line that its device does not have is refused as undefined",
        ),
        (Fault::HidesOutOfService, "Names", "a device that does not exist is out of service, told at once"),
        (
            Fault::IgnoresOverriding,
            "Calls",
            "a call follows the forwarding of its destination, or rings there all the same if that is asked for",
        ),
        (Fault::NoNameForBusy, "Calls", "a busy destination is named, and not disturbed"),
        (
            Fault::AnotherIdForACall,
            "Calls",
            "a call that is made rings at its destination, and is told under the id of the answer",
        ),
        (
            Fault::TellsAPressTwice,
            "Feature keys",
            "a press on any phone reaches the instance that acts, once, and no other",
        ),
    ];
    let mut wrong = Vec::new();
    for (fault, paragraph, rule) in cases {
        let lab = async || SimLab::new(Scissors::Stop, |provider| Faulty::new(provider, fault));
        let told = conformance::provider(lab).await;
        let told = told.map_err(|violation| (violation.paragraph, violation.rule));
        if told != Err((paragraph, rule)) {
            wrong.push(format!("{fault:?}: {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a call manager does not keep shows in the provider that declares it.
#[tokio::test(start_paused = true)]
async fn providers_that_promise_too_much() {
    let cases = [
        (
            Fencing::LeaseOnly,
            Dedup::ById,
            "under Strict nothing of an older epoch has an effect, and its instance is told",
            "Epochs",
        ),
        (
            Fencing::Strict,
            Dedup::None,
            "data sent again under the same id takes effect as the capabilities declare",
            "Data",
        ),
    ];
    for (fencing, dedup, rule, paragraph) in cases {
        let lab =
            async || SimLab::new(Scissors::Stop, |provider: ClientProvider| provider).weaker(fencing, dedup);
        let told =
            conformance::provider(lab).await.map_err(|violation| (violation.rule, violation.paragraph));
        assert_eq!(told, Err((rule, paragraph)), "{fencing:?} {dedup:?}");
    }
}
