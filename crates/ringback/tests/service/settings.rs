//! Levels of traces and destinations of alarms follow the directory while the service runs.

use std::sync::Arc;

use ringback::db::{DirectoryAdmin, Table};
use ringback::model::{Group, Timestamp};
use ringback::serviceability::alarm::{Alarm, AlarmName, FanOut, MemorySink, Severity};
use ringback::serviceability::trace::{
    Rotation, TraceClock, TraceField, TraceFiles, TraceHandle, TraceLevel, TraceLevels, TraceOutput,
    TraceSettings, prepare,
};
use tempfile::TempDir;
use tracing::Dispatch;

use crate::desk::{Desk, Instance, link_up, pass};

const START: Rotation = Rotation { lines: 100, files: 5 };

/// A program with traces in files, and two destinations of alarms.
struct Program {
    node: Instance,
    traces: TraceHandle,
    alarms: Arc<FanOut>,
    pager: Arc<MemorySink>,
    log: Arc<MemorySink>,
    _kept: (Dispatch, TempDir),
}

async fn program(desk: &Desk) -> Program {
    let folder = tempfile::tempdir().unwrap();
    let files = TraceFiles::open(folder.path(), "t-", START).unwrap();
    let (dispatch, traces) = prepare(TraceSettings {
        levels: TraceLevels::all(TraceLevel::Error),
        output: TraceOutput::Files(files),
        clock: TraceClock::new(|| Timestamp(0)),
    });
    let (pager, log) = (Arc::new(MemorySink::default()), Arc::new(MemorySink::default()));
    let alarms = FanOut::default().to("pager", Severity::Critical, pager.clone()).to(
        "log",
        Severity::Debug,
        log.clone(),
    );
    let alarms = Arc::new(alarms);
    let node = desk.started(desk.config(1), |ports| {
        ports.alarms = alarms.clone();
        ports.on_settings = Some(ringback::put_in_force(Some(traces.clone()), Some(alarms.clone())));
    });
    node.board.happens(link_up());
    pass(2000).await;
    Program { node, traces, alarms, pager, log, _kept: (dispatch, folder) }
}

async fn set(desk: &Desk, table: Table, name: &str, value: Option<&str>) {
    desk.directory.set_setting(&Group::default(), table, name, value).await.unwrap();
    pass(10).await;
}

/// What was told to be invalid.
fn reasons(sink: &MemorySink) -> Vec<String> {
    let invalid = |alarm: &Alarm| alarm.name() == AlarmName::ParameterInvalid;
    sink.take().iter().filter(|alarm| invalid(alarm)).map(|alarm| alarm.report.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_set_at_the_start_is_in_force() {
    let desk = Desk::new().await;
    set(&desk, Table::Trace, "CTI", Some("detailed")).await;
    set(&desk, Table::Trace, "rotation lines", Some("7")).await;
    set(&desk, Table::Alarm, "log", Some("off")).await;
    let program = program(&desk).await;
    let expected = TraceLevels::all(TraceLevel::Error).with(TraceField::Cti, TraceLevel::Detailed);
    assert_eq!(program.traces.levels(), expected);
    assert_eq!(program.traces.rotation(), Some(Rotation { lines: 7, files: 5 }));
    assert_eq!(program.alarms.minimums(), [("pager", Some(Severity::Critical)), ("log", None)]);
    drop(program.node);
}

#[tokio::test(start_paused = true)]
async fn a_change_acts_at_once_and_a_removed_row_is_as_at_the_start() {
    let desk = Desk::new().await;
    let program = program(&desk).await;
    let start = TraceLevels::all(TraceLevel::Error);
    assert_eq!(program.traces.levels(), start);
    set(&desk, Table::Trace, "change notification", Some("Entry/Exit")).await;
    set(&desk, Table::Trace, "rotation files", Some("3")).await;
    let level = TraceLevel::EntryExit;
    assert_eq!(program.traces.levels(), start.clone().with(TraceField::ChangeNotification, level));
    assert_eq!(program.traces.rotation(), Some(Rotation { lines: 100, files: 3 }));
    set(&desk, Table::Alarm, "pager", Some("error")).await;
    assert_eq!(program.alarms.minimums()[0], ("pager", Some(Severity::Error)));
    program.log.take().clear();
    desk.directory.set_available(false);
    pass(10_000).await;
    let pager: Vec<AlarmName> = program.pager.take().iter().map(Alarm::name).collect();
    assert_eq!(
        pager,
        [AlarmName::ChangeNotificationLost, AlarmName::DatabaseLost],
        "an error and a critical"
    );
    desk.directory.set_available(true);
    pass(10_000).await;
    for (table, name) in
        [(Table::Trace, "change notification"), (Table::Trace, "rotation files"), (Table::Alarm, "pager")]
    {
        set(&desk, table, name, None).await;
    }
    assert_eq!(program.traces.levels(), start);
    assert_eq!(program.traces.rotation(), Some(START));
    assert_eq!(program.alarms.minimums()[0], ("pager", Some(Severity::Critical)));
    assert_eq!(reasons(&program.log), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_changed_while_the_directory_was_away_is_in_force_when_it_is_back() {
    let desk = Desk::new().await;
    desk.directory.set_available(false);
    let program = program(&desk).await;
    pass(10_000).await;
    assert_eq!(program.traces.levels(), TraceLevels::all(TraceLevel::Error));
    desk.directory.set_available(true);
    desk.directory.set_setting(&Group::default(), Table::Trace, "screen", Some("special")).await.unwrap();
    pass(6000).await;
    assert_eq!(program.traces.levels().level(TraceField::Screen), TraceLevel::Special);
}

#[tokio::test(start_paused = true)]
async fn a_bad_row_keeps_what_is_in_force_and_says_once_what_is_allowed() {
    let desk = Desk::new().await;
    let program = program(&desk).await;
    set(&desk, Table::Trace, "handler", Some("special")).await;
    set(&desk, Table::Alarm, "pager", Some("alert")).await;
    program.log.take().clear();
    for (table, name, value, expected) in [
        (
            Table::Trace,
            "handler",
            "loud",
            "trace settings: \"handler\" cannot be \"loud\": \"loud\" is no trace level: give off, error, special, state \
             transition, significant, entry/exit, arbitrary or detailed; special stays in force",
        ),
        (
            Table::Trace,
            "rotation lines",
            "0",
            "trace settings: \"rotation lines\" cannot be \"0\": allowed is 1 to 1000000; 100 stays in force",
        ),
        (
            Table::Trace,
            "rotation files",
            "many",
            "trace settings: \"rotation files\" cannot be \"many\": allowed is 1 to 100000; 5 stays in force",
        ),
        (
            Table::Trace,
            "phones",
            "error",
            "trace settings: \"phones\" is no trace field: give CTI, screen, dictionary, redundancy, change \
             notification, handler, database or monitoring, or rotation lines, or rotation files: its value \"error\" has \
             no effect",
        ),
        (
            Table::Alarm,
            "pager",
            "bad",
            "alarm settings: \"pager\" cannot be \"bad\": \"bad\" is no alarm level: give emergency, alert, critical, \
             error, warning, notice, informational or debug, or off; alert stays in force",
        ),
        (
            Table::Alarm,
            "mail",
            "error",
            "alarm settings: no alarm destination \"mail\": there are pager, log: its value \"error\" has no effect",
        ),
    ] {
        set(&desk, table, name, Some(value)).await;
        let told = reasons(&program.log);
        assert_eq!(told, [format!("ParameterInvalid group=default reason={expected}")]);
    }
    let levels = TraceLevels::all(TraceLevel::Error).with(TraceField::Handler, TraceLevel::Special);
    assert_eq!(program.traces.levels(), levels);
    assert_eq!(program.traces.rotation(), Some(START));
    assert_eq!(program.alarms.minimums()[0], ("pager", Some(Severity::Alert)));
}
