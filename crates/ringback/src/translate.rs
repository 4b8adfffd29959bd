//! Words of the CTI model as words of the engine. Nothing is decided here that depends on a request.

use ringback_callback::{
    AlertId, CallProgress, DeviceState, DialOutcome, Input, Notice, Occupancy, PressedDuring,
};
use ringback_cti::message::{
    Activity, Answer, CallInfo, CallState, Cause, CtiError, DeviceStatus, FeatureInvocation,
};
use ringback_cti::{DataId, RequestFailure};
use ringback_model::{Appearance, RequestId};

/// R1: what A heard when it pressed the key.
pub(crate) fn pressed_during(invocation: &FeatureInvocation) -> PressedDuring {
    match (invocation.call, invocation.state, invocation.cause) {
        (None, ..) | (_, CallState::Idle, _) => PressedDuring::Idle,
        (_, CallState::Busy, _) | (_, CallState::Disconnected, Cause::USER_BUSY) => PressedDuring::Busy,
        (_, CallState::Ringback, _) => PressedDuring::Ringback,
        (_, CallState::Disconnected, Cause::NO_ANSWER | Cause::NO_USER_RESPONDING) => PressedDuring::NoAnswer,
        _ => PressedDuring::Other,
    }
}

/// The state of a phone; `None` is out of service.
pub(crate) fn device_state(status: Option<DeviceStatus>) -> DeviceState {
    match status {
        None => DeviceState::OutOfService,
        Some(status) => DeviceState::InService {
            busy: status.activity != Activity::Idle,
            do_not_disturb: status.do_not_disturb,
        },
    }
}

/// The use of a line, as the CTI crate's table tells it.
pub(crate) fn occupancy(occupancy: ringback_cti::Occupancy) -> Occupancy {
    match occupancy {
        ringback_cti::Occupancy::Idle => Occupancy::Idle,
        ringback_cti::Occupancy::Ringing => Occupancy::Ringing,
        ringback_cti::Occupancy::InUse => Occupancy::InUse,
    }
}

/// What the answer to a Dial says (R20, R21).
pub(crate) fn dial_outcome(answer: &Result<Answer, RequestFailure>) -> DialOutcome {
    match answer {
        Ok(Answer::CallMade(call)) => DialOutcome::Made(*call),
        Err(RequestFailure::Refused(CtiError::DestinationBusy)) => DialOutcome::Busy,
        _ => DialOutcome::Failed,
    }
}

/// The progress of a call, if its state means any to the engine.
pub(crate) fn call_progress(at: &Appearance, info: &CallInfo) -> Option<Input> {
    let progress = match (info.state, info.cause) {
        (CallState::Ringback, _) => CallProgress::Alerting { peer: info.peer.clone() },
        (CallState::Connected | CallState::OnHold, _) => CallProgress::Connected { peer: info.peer.clone() },
        (CallState::Busy, _) | (CallState::Disconnected, Cause::USER_BUSY) => CallProgress::Busy,
        (CallState::Disconnected | CallState::Idle, _) => CallProgress::Ended,
        _ => return None,
    };
    Some(Input::Call { at: at.clone(), call: info.call, called: info.called.clone(), progress })
}

/// An alert's id as the phone's: 48 bits of epoch, 48 of the request's number, 32 of the alert's.
pub(crate) fn data_id(alert: AlertId) -> DataId {
    const BITS_48: u128 = (1 << 48) - 1;
    let epoch = u128::from(alert.request.epoch.0) & BITS_48;
    let number = u128::from(alert.request.number) & BITS_48;
    DataId(epoch << 80 | number << 32 | u128::from(alert.number))
}

/// The request a notice is about, so that its story can be found by its id.
pub(crate) fn request_of(notice: &Notice) -> Option<RequestId> {
    match notice {
        Notice::Accepted { request }
        | Notice::Ended { request, .. }
        | Notice::TurnStarted { request, .. }
        | Notice::TurnWithdrawn { request }
        | Notice::TurnLapsed { request }
        | Notice::Suspended { request }
        | Notice::Retained { request }
        | Notice::DialFailed { request }
        | Notice::AlertFailed { request } => Some(*request),
        Notice::AlertRepeated { alert } => Some(alert.request),
        _ => None,
    }
}
