//! One request with an engine of its own.
//!
//! What is translated here between the CTI model and the engine is what the service translates; it is repeated in
//! the small, because the service wants a link, a store and a clock, and here there are none.

use std::collections::VecDeque;

use ringback_callback::{
    CallProgress, DeviceState, Engine, Input, Kind, Notice, Occupancy, Output, Parameters, PressedDuring,
    Refusal, Resolution,
};
use ringback_cti::message::{Activity, CallInfo, CallState, Cause, DeviceStatus};
use ringback_cti::{CallTable, ProviderEvent};
use ringback_cti_asterisk::map::{Mapper, line_of};
use ringback_model::{Appearance, DeviceName, DirectoryNumber, Epoch, Group, LineId, Timestamp};

use super::ReplayError;
use super::arguments::RequestArgument;
use super::player::{Audience, Moment, finish, play, wait};

/// When the request is notified first, if it is.
pub(super) fn first_notification(
    stream: &[Moment<'_>],
    request: &RequestArgument,
) -> Result<Option<Timestamp>, ReplayError> {
    let Some(from) = appearance(&request.caller) else { return Ok(None) };
    let mut service = Service {
        mapper: Mapper::default(),
        engine: Engine::new(Group::default(), Epoch(1), Parameters::default()),
        calls: CallTable::default(),
        notified: None,
        refused: None,
    };
    let active = stream.partition_point(|(at, _)| *at < request.at);
    play(&stream[..active], &mut service);
    wait(request.at, &mut service);
    service.press(from, request);
    play(&stream[active..], &mut service);
    finish(&mut service);
    match service.refused {
        Some(reason) => Err(ReplayError::Refused { request: request.to_string(), reason }),
        None => Ok(service.notified),
    }
}

/// The phone that a number is, and its line.
fn appearance(dn: &DirectoryNumber) -> Option<Appearance> {
    line_of(&DeviceName::new(dn.as_str()).ok()?)
}

struct Service {
    mapper: Mapper,
    engine: Engine,
    calls: CallTable,
    notified: Option<Timestamp>,
    refused: Option<Refusal>,
}

impl Audience for Service {
    fn mapper(&mut self) -> &mut Mapper {
        &mut self.mapper
    }

    fn told(&mut self, now: Timestamp, events: Vec<ProviderEvent>) {
        while self.engine.next_timeout().is_some_and(|due| due <= now) {
            self.feed(now, VecDeque::from([Input::Tick]));
        }
        // The store answers before the next event: a phone that was idle for less than a commit takes is found idle.
        for event in events {
            let mut inputs = VecDeque::new();
            self.translate(event, &mut inputs);
            self.feed(now, inputs);
        }
    }
}

impl Service {
    /// The caller presses the key. Whoever does that has a phone that is there, whatever the recording left out.
    fn press(&mut self, from: Appearance, request: &RequestArgument) {
        let mut events = Vec::new();
        self.mapper.assume_in_service(&from.device, &mut events);
        // The call in which the key was pressed, if the recording has it: should B answer it, the request ends (R7).
        let fits = |info: &&CallInfo| {
            let heard = match request.kind {
                Kind::Busy => info.state == CallState::Busy,
                Kind::NoAnswer => matches!(info.state, CallState::Ringback | CallState::Disconnected),
            };
            heard && info.called.as_ref() == Some(&request.called)
        };
        let call = self.mapper.calls(&from.device).find(fits).map(|info| info.call);
        let during = match request.kind {
            Kind::Busy => PressedDuring::Busy,
            Kind::NoAnswer if call.is_some() => PressedDuring::Ringback,
            Kind::NoAnswer => PressedDuring::NoAnswer,
        };
        let key =
            Input::CallBackKey { invocation: 1, from, call, called: Some(request.called.clone()), during };
        self.told(request.at, events);
        self.feed(request.at, VecDeque::from([key]));
    }

    /// Gives the engine its inputs, and carries out what it wants until it wants no more.
    fn feed(&mut self, now: Timestamp, mut inputs: VecDeque<Input>) {
        let mut outputs = Vec::new();
        while let Some(input) = inputs.pop_front() {
            self.engine.handle(now, input, &mut outputs);
            for output in outputs.drain(..) {
                self.carry_out(now, output, &mut inputs);
            }
        }
    }

    fn carry_out(&mut self, now: Timestamp, output: Output, inputs: &mut VecDeque<Input>) {
        let mut events = Vec::new();
        match output {
            Output::Resolve { ticket, from, dn } => {
                let resolution = Resolution {
                    devices: phones_of(&dn),
                    line: LineId::new(from.line.partition.clone(), dn),
                    names: Vec::new(),
                    forwards_all: false,
                    caller_has_key: true,
                    caller_lines: vec![from.line],
                };
                inputs.push_back(Input::Resolved { ticket, result: Ok(resolution) });
            }
            Output::Locate(line) => {
                inputs.push_back(Input::Located { devices: phones_of(&line.dn), line });
            }
            Output::Save { save, .. } | Output::Remove { save, .. } => inputs.push_back(Input::Saved(save)),
            Output::OpenDevice(device) => self.mapper.open_device(&device, &mut events),
            Output::OpenLine(at) => self.mapper.open_line(&at, &mut events),
            Output::CloseDevice(device) => {
                self.mapper.close_device(&device);
                self.calls.forget_device(&device);
            }
            Output::CloseLine(at) => {
                self.mapper.close_line(&at);
                self.calls.forget(&at);
            }
            Output::Alert { alert, .. } => {
                self.notified.get_or_insert(now);
                inputs.push_back(Input::Alerted { alert, delivered: true });
            }
            Output::Notice(Notice::Refused { reason, .. }) => self.refused = Some(reason),
            // Screens have no reader here, and nobody presses Dial.
            _ => {}
        }
        for event in events {
            self.translate(event, inputs);
        }
    }

    fn translate(&mut self, event: ProviderEvent, inputs: &mut VecDeque<Input>) {
        let occupancy = self
            .calls
            .apply(&event)
            .and_then(|at| self.calls.occupancy(at))
            .map_or(Occupancy::Idle, occupancy);
        match event {
            ProviderEvent::Device { device, status } => {
                inputs.push_back(Input::Device { device, state: device_state(status) });
            }
            ProviderEvent::LineOpened { at, calls } => {
                inputs.extend(calls.iter().filter_map(|info| progress(&at, info)));
                let calls = Some(calls.iter().map(|info| info.call).collect());
                inputs.push_back(Input::Line { at, occupancy, calls });
            }
            ProviderEvent::Call { at, info } => {
                inputs.extend(progress(&at, &info));
                inputs.push_back(Input::Line { at, occupancy, calls: None });
            }
            _ => {}
        }
    }
}

fn occupancy(occupancy: ringback_cti::Occupancy) -> Occupancy {
    match occupancy {
        ringback_cti::Occupancy::Idle => Occupancy::Idle,
        ringback_cti::Occupancy::Ringing => Occupancy::Ringing,
        ringback_cti::Occupancy::InUse => Occupancy::InUse,
    }
}

fn phones_of(dn: &DirectoryNumber) -> Vec<DeviceName> {
    DeviceName::new(dn.as_str()).into_iter().collect()
}

fn device_state(status: Option<DeviceStatus>) -> DeviceState {
    status.map_or(DeviceState::OutOfService, |status| DeviceState::InService {
        busy: status.activity != Activity::Idle,
        do_not_disturb: status.do_not_disturb,
    })
}

fn progress(at: &Appearance, info: &CallInfo) -> Option<Input> {
    let progress = match (info.state, info.cause) {
        (CallState::Ringback, _) => CallProgress::Alerting { peer: info.peer.clone() },
        (CallState::Connected | CallState::OnHold, _) => CallProgress::Connected { peer: info.peer.clone() },
        (CallState::Busy, _) | (CallState::Disconnected, Cause::USER_BUSY) => CallProgress::Busy,
        (CallState::Disconnected | CallState::Idle, _) => CallProgress::Ended,
        _ => return None,
    };
    Some(Input::Call { at: at.clone(), call: info.call, called: info.called.clone(), progress })
}
