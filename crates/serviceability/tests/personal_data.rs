//! No number and no name in traces and alarms unless asked for. Alone in its file: the switch is the process's.

use std::fs;

use ringback_model::{
    Appearance, DeviceName, DirectoryNumber, LineId, Partition, Pii, Timestamp, reveal_personal_data,
};
use ringback_serviceability::alarm::{Alarm, AlarmName, AlarmParameter, AlarmSink, Report, TracingSink};
use ringback_serviceability::trace::{
    Rotation, TraceClock, TraceFiles, TraceLevel, TraceLevels, TraceOutput, TraceSettings, prepare, target,
};

#[test]
fn personal_data_is_traced_only_if_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let files = TraceFiles::open(folder.path(), "t-", Rotation::default()).unwrap();
    let (dispatch, _) = prepare(TraceSettings {
        levels: TraceLevels::all(TraceLevel::Detailed),
        output: TraceOutput::Files(files.clone()),
        clock: TraceClock::new(|| Timestamp(0)),
    });
    let dn = DirectoryNumber::new("5550123").unwrap();
    let device = DeviceName::new("SEPADALOVELACE").unwrap();
    let at = Appearance { device: device.clone(), line: LineId::new(Partition::default(), dn.clone()) };
    let alarm = Alarm {
        at: Timestamp(0),
        report: Report::new(AlarmName::ScreenRejected)
            .with_personal(AlarmParameter::Device, device.as_str())
            .with(AlarmParameter::Request, "7-12"),
        held_back: 0,
        fluttering: false,
    };
    let speak = || {
        tracing::dispatcher::with_default(&dispatch, || {
            tracing::trace!(target: target::HANDLER, ?dn, ?device, name = ?Pii("Ada Lovelace"), "called");
            tracing::error!(target: target::CTI, "the line {at:?} is gone");
            TracingSink.alarm(&alarm);
        });
        format!("{}{alarm:?}", fs::read_to_string(files.path()).unwrap())
    };

    let hidden = speak();
    for personal in ["5550123", "ADALOVELACE", "Lovelace"] {
        assert!(!hidden.contains(personal), "{hidden}");
    }
    assert!(hidden.contains("dn=<redacted>"), "{hidden}");
    assert!(hidden.contains("ScreenRejected device=<redacted> request=7-12"), "{hidden}");

    reveal_personal_data(true);
    let shown = speak();
    assert!(shown.contains("dn=\"5550123\" device=\"SEPADALOVELACE\" name=\"Ada Lovelace\""), "{shown}");
    assert!(shown.contains("ScreenRejected device=SEPADALOVELACE request=7-12"), "{shown}");
}
