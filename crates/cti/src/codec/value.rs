//! The values inside messages: enums by number (an unknown number is kept), texts, calls, appearances.

use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, LineId, Partition, TextError};

use super::error::{DecodeError, EncodeError};
use super::limits;
use super::reader::Reader;
use super::writer::Writer;
use crate::message::{
    Activity, CallInfo, CallState, Cause, CtiError, DeviceStatus, Feature, FeatureInvocation, InvocationId,
};

macro_rules! numbers {
    ($type:ident, $number:ident, $to:ident, $from:ident, { $($name:ident = $value:literal),* $(,)? }) => {
        pub(super) fn $to(value: $type) -> $number {
            match value {
                $($type::$name => $value,)*
                $type::Unknown(number) => number,
            }
        }

        pub(super) fn $from(number: $number) -> $type {
            match number {
                $($value => $type::$name,)*
                number => $type::Unknown(number),
            }
        }
    };
}

numbers!(CallState, u8, state_number, state, {
    Idle = 0, Offering = 1, Ringing = 2, DialTone = 3, Dialing = 4, Proceeding = 5, Ringback = 6,
    Connected = 7, OnHold = 8, Busy = 9, Disconnected = 10,
});

numbers!(Activity, u8, activity_number, activity, { Idle = 0, Active = 1, Alerting = 2, Held = 3 });

numbers!(Feature, u16, feature_number, feature, { CallBack = 1 });

numbers!(CtiError, u16, error_number, error, {
    IncompatibleProtocolVersion = 0x0001, UnrecognizablePdu = 0x0002, MessageTooBig = 0x0003,
    ProviderNotOpen = 0x0101, ProviderAlreadyOpen = 0x0102, ProviderClosed = 0x0103, LoginFailed = 0x0104,
    TooManyConnections = 0x0105, EpochSuperseded = 0x0106,
    DeviceNotOpen = 0x0201, DeviceRestricted = 0x0202, DeviceOutOfService = 0x0203, DeviceAlreadyOpen = 0x0204,
    UndefinedLine = 0x0301, LineOutOfService = 0x0302, LineAlreadyOpen = 0x0303,
    IllegalCallState = 0x0401, DestinationBusy = 0x0402, DestinationUnknown = 0x0403,
    DataSizeLimitExceeded = 0x0501, DataRejected = 0x0502,
    Timeout = 0x0601, NotSupported = 0x0602,
});

#[cold]
pub(super) fn invalid(field: &'static str, why: TextError) -> DecodeError {
    DecodeError::InvalidText { field, why }
}

#[inline(always)]
pub(super) fn number(r: &mut Reader<'_>, field: &'static str) -> Result<DirectoryNumber, DecodeError> {
    DirectoryNumber::new(r.text(field, DirectoryNumber::MAX_LEN)?).map_err(|why| invalid(field, why))
}

pub(super) fn put_number(
    w: &mut Writer<'_>,
    field: &'static str,
    dn: &DirectoryNumber,
) -> Result<(), EncodeError> {
    w.text(field, dn.as_str(), DirectoryNumber::MAX_LEN)
}

#[inline(always)]
fn maybe_number(r: &mut Reader<'_>, field: &'static str) -> Result<Option<DirectoryNumber>, DecodeError> {
    match r.text(field, DirectoryNumber::MAX_LEN)? {
        "" => Ok(None),
        text => DirectoryNumber::new(text).map(Some).map_err(|why| invalid(field, why)),
    }
}

fn put_maybe_number(
    w: &mut Writer<'_>,
    field: &'static str,
    dn: Option<&DirectoryNumber>,
) -> Result<(), EncodeError> {
    w.text(field, dn.map_or("", DirectoryNumber::as_str), DirectoryNumber::MAX_LEN)
}

#[inline(always)]
pub(super) fn device(r: &mut Reader<'_>) -> Result<DeviceName, DecodeError> {
    let field = "device name";
    DeviceName::new(r.text(field, DeviceName::MAX_LEN)?).map_err(|why| invalid(field, why))
}

#[inline(always)]
pub(super) fn put_device(w: &mut Writer<'_>, device: &DeviceName) -> Result<(), EncodeError> {
    w.text("device name", device.as_str(), DeviceName::MAX_LEN)
}

#[inline(always)]
fn partition(r: &mut Reader<'_>) -> Result<Partition, DecodeError> {
    let field = "partition";
    Partition::new(r.text(field, Partition::MAX_LEN)?).map_err(|why| invalid(field, why))
}

#[inline(always)]
pub(super) fn appearance(r: &mut Reader<'_>) -> Result<Appearance, DecodeError> {
    let device = device(r)?;
    let partition = partition(r)?;
    let dn = number(r, "line number")?;
    Ok(Appearance { device, line: LineId { partition, dn } })
}

pub(super) fn put_appearance(w: &mut Writer<'_>, at: &Appearance) -> Result<(), EncodeError> {
    put_device(w, &at.device)?;
    w.text("partition", at.line.partition.as_str(), Partition::MAX_LEN)?;
    put_number(w, "line number", &at.line.dn)
}

pub(super) fn status(r: &mut Reader<'_>) -> Result<DeviceStatus, DecodeError> {
    Ok(DeviceStatus { activity: activity(r.u8("activity")?), do_not_disturb: r.flag("do not disturb")? })
}

pub(super) fn put_status(w: &mut Writer<'_>, status: DeviceStatus) {
    w.u8(activity_number(status.activity));
    w.flag(status.do_not_disturb);
}

/// The shortest call: id, state, cause, two absent numbers.
pub(super) const LEAST_CALL: usize = 13;

#[inline(always)]
pub(super) fn call(r: &mut Reader<'_>) -> Result<CallInfo, DecodeError> {
    Ok(CallInfo {
        call: CallId(r.u64("call id")?),
        state: state(r.u8("call state")?),
        cause: Cause(r.u16("cause")?),
        called: maybe_number(r, "called number")?,
        peer: maybe_number(r, "peer number")?,
    })
}

pub(super) fn put_call(w: &mut Writer<'_>, info: &CallInfo) -> Result<(), EncodeError> {
    w.u64(info.call.0);
    w.u8(state_number(info.state));
    w.u16(info.cause.0);
    put_maybe_number(w, "called number", info.called.as_ref())?;
    put_maybe_number(w, "peer number", info.peer.as_ref())
}

pub(super) fn data(r: &mut Reader<'_>) -> Result<String, DecodeError> {
    r.long_text("data", limits::DATA).map(str::to_owned)
}

pub(super) fn put_data(w: &mut Writer<'_>, content: &str) -> Result<(), EncodeError> {
    w.long_text("data", content, limits::DATA)
}

pub(super) fn invocation(r: &mut Reader<'_>) -> Result<FeatureInvocation, DecodeError> {
    Ok(FeatureInvocation {
        invocation: InvocationId(r.u64("invocation id")?),
        feature: feature(r.u16("feature")?),
        from: appearance(r)?,
        call: if r.flag("presence of a call")? { Some(CallId(r.u64("call id")?)) } else { None },
        state: state(r.u8("call state")?),
        cause: Cause(r.u16("cause")?),
        called: maybe_number(r, "called number")?,
    })
}

pub(super) fn put_invocation(w: &mut Writer<'_>, pressed: &FeatureInvocation) -> Result<(), EncodeError> {
    w.u64(pressed.invocation.0);
    w.u16(feature_number(pressed.feature));
    put_appearance(w, &pressed.from)?;
    w.flag(pressed.call.is_some());
    if let Some(call) = pressed.call {
        w.u64(call.0);
    }
    w.u8(state_number(pressed.state));
    w.u16(pressed.cause.0);
    put_maybe_number(w, "called number", pressed.called.as_ref())
}
