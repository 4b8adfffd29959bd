//! Fields and levels change while the program runs; files rotate; a disk that cannot be written stops nothing.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use ringback_model::{RequestId, Timestamp};
use ringback_serviceability::alarm::{Alarm, AlarmName, AlarmParameter, AlarmSink, Report, TracingSink};
use ringback_serviceability::trace::{
    Rotation, TraceClock, TraceField, TraceFiles, TraceHandle, TraceLevel, TraceLevels, TraceOutput,
    TraceSettings, prepare, target,
};
use tracing::Dispatch;

fn files(folder: &Path, lines: u64, files: usize) -> TraceFiles {
    TraceFiles::open(folder, "trace-", Rotation { lines, files }).unwrap()
}

fn traces(files: &TraceFiles, levels: TraceLevels) -> (Dispatch, TraceHandle) {
    prepare(TraceSettings {
        levels,
        output: TraceOutput::Files(files.clone()),
        clock: TraceClock::new(|| Timestamp(1_767_621_600_000)),
    })
}

fn in_folder(folder: &Path) -> Vec<(String, String)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect();
    found.sort();
    found
}

#[test]
fn a_line_has_time_level_field_and_request() {
    let folder = tempfile::tempdir().unwrap();
    let (dispatch, _) = traces(&files(folder.path(), 10, 3), TraceLevels::default());
    let request: RequestId = "7-12".parse().unwrap();
    tracing::dispatcher::with_default(&dispatch, || {
        tracing::info!(target: target::HANDLER, %request, "the turn begins");
        tracing::debug!(target: target::HANDLER, "not at this level");
    });
    assert_eq!(
        in_folder(folder.path()),
        [(
            "trace-00000001.log".to_owned(),
            "2026-01-05T14:00:00.000Z  INFO ringback::handler: the turn begins request=7-12\n".to_owned()
        )]
    );
}

#[test]
fn levels_change_while_running() {
    let folder = tempfile::tempdir().unwrap();
    let levels = TraceLevels::all(TraceLevel::Error);
    let (dispatch, handle) = traces(&files(folder.path(), 100, 3), levels);
    let speak = |word: &str| {
        tracing::dispatcher::with_default(&dispatch, || {
            tracing::error!(target: target::CTI, "{word} cti error");
            tracing::trace!(target: target::CTI, "{word} cti detail");
            tracing::info!(target: target::DATABASE, "{word} database state");
            tracing::warn!(target: "some_library", "{word} library warning");
        });
    };
    speak("first");
    handle.set_level(TraceField::Cti, TraceLevel::Detailed).unwrap();
    assert_eq!(handle.levels().level(TraceField::Cti), TraceLevel::Detailed);
    speak("second");
    handle.set_levels(TraceLevels::all(TraceLevel::Special).with(TraceField::Cti, TraceLevel::Off)).unwrap();
    speak("third");
    handle.set_levels(TraceLevels::all(TraceLevel::Off)).unwrap();
    speak("fourth");
    let [(_, text)] = &in_folder(folder.path())[..] else { panic!("one file") };
    let said: Vec<_> =
        text.lines().map(|line| line.split_once(": ").map_or(line, |(_, said)| said)).collect();
    assert_eq!(said, ["first cti error", "second cti error", "second cti detail", "third library warning"]);
    drop(dispatch);
    assert_eq!(
        handle.set_level(TraceField::Cti, TraceLevel::Off).unwrap_err().to_string(),
        "trace levels cannot be changed: what they belong to is gone"
    );
}

#[test]
fn names_of_fields_and_levels_come_back() {
    for field in TraceField::ALL {
        assert_eq!(field.name().parse(), Ok(field));
        assert!(field.target().starts_with("ringback::"));
    }
    for level in TraceLevel::ALL {
        assert_eq!(level.name().parse(), Ok(level));
    }
    assert_eq!(
        "cpu".parse::<TraceField>().unwrap_err().to_string(),
        "\"cpu\" is no trace field: give CTI, screen, dictionary, redundancy, change notification, handler, \
         database or monitoring"
    );
    assert_eq!(
        "loud".parse::<TraceLevel>().unwrap_err().to_string(),
        "\"loud\" is no trace level: give off, error, special, state transition, significant, entry/exit, arbitrary \
         or detailed"
    );
}

#[test]
fn files_rotate_by_lines_and_by_count() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("other.log"), "not ours\n").unwrap();
    let mut files = files(folder.path(), 2, 3);
    for number in 1..=9 {
        writeln!(files, "line {number}").unwrap();
    }
    let line_files = |numbers: &[(u64, &str)]| -> Vec<(String, String)> {
        let ours = numbers.iter().map(|(n, text)| (format!("trace-{n:08}.log"), (*text).to_owned()));
        std::iter::once(("other.log".to_owned(), "not ours\n".to_owned())).chain(ours).collect()
    };
    assert_eq!(
        in_folder(folder.path()),
        line_files(&[(3, "line 5\nline 6\n"), (4, "line 7\nline 8\n"), (5, "line 9\n")])
    );

    files.set_rotation(Rotation { lines: 1, files: 2 }).unwrap();
    writeln!(files, "line 10").unwrap();
    assert_eq!(in_folder(folder.path()), line_files(&[(5, "line 9\n"), (6, "line 10\n")]));

    // A new run goes on with the numbers, and a second process in the same folder takes none away.
    let mut second = TraceFiles::open(folder.path(), "trace-", Rotation { lines: 1, files: 3 }).unwrap();
    writeln!(files, "line 11").unwrap();
    writeln!(second, "second 1").unwrap();
    assert!(second.path().ends_with("trace-00000007.log"));
    assert!(files.path().ends_with("trace-00000008.log"));
}

#[test]
fn an_event_of_several_lines_stays_in_one_file() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let mut files = files(folder.path(), 2, 3);
    for text in ["a\nb\nc\n", "d\n"] {
        files.write_all(text.as_bytes()).unwrap();
    }
    let found: Vec<_> = in_folder(folder.path()).into_iter().map(|(_, text)| text).collect();
    assert_eq!(found, ["a\nb\nc\n", "d\n"]);
}

#[test]
fn a_disk_that_cannot_be_written_is_a_fault_and_the_service_goes_on() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("traces");
    let mut files = files(&inner, 1, 3);
    writeln!(files, "line 1").unwrap();
    assert_eq!(files.fault(), None);

    // A file stands where the folder was: nothing can be written, whoever the user is.
    fs::remove_dir_all(&inner).unwrap();
    fs::write(&inner, "in the way").unwrap();
    for _ in 0..3 {
        writeln!(files, "lost").unwrap();
    }
    let fault = files.fault().unwrap();
    assert_eq!(fault.dropped, 3);
    let said = fault.to_string();
    assert!(
        said.starts_with(&format!("trace file {}", inner.join("trace-00000002.log").display())),
        "{said}"
    );
    assert!(
        said.ends_with(
            "free space on the disk or make the folder writable; 3 lines dropped so far, the service goes on"
        ),
        "{said}"
    );

    fs::remove_file(&inner).unwrap();
    writeln!(files, "line 2").unwrap();
    assert_eq!(files.fault(), None);
    assert_eq!(in_folder(&inner), [("trace-00000002.log".to_owned(), "line 2\n".to_owned())]);
}

#[test]
fn a_number_that_is_taken_is_left_alone() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let mut files = files(folder.path(), 1, 9);
    fs::write(folder.path().join("trace-00000002.log"), "another process\n").unwrap();
    writeln!(files, "line 1").unwrap();
    writeln!(files, "line 2").unwrap();
    let found: Vec<_> = in_folder(folder.path()).into_iter().map(|(_, text)| text).collect();
    assert_eq!(found, ["line 1\n", "another process\n", "line 2\n"]);
}

#[test]
fn wrong_settings_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let open =
        |prefix: &str, rotation| TraceFiles::open(folder.path(), prefix, rotation).unwrap_err().to_string();
    assert_eq!(
        open("../up", Rotation::default()),
        "trace file prefix \"../up\": give 1 to 64 letters, digits, '-', '_' or '.'"
    );
    assert_eq!(
        open("t", Rotation { lines: 0, files: 1 }),
        "trace files: 0 lines a file and 1 files: give at least 1 of each"
    );
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = TraceFiles::open(&file, "t", Rotation::default()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("trace folder {}: ", file.display())), "{error}");
    assert!(error.ends_with(": give a folder that can be written, with free space"), "{error}");
}

#[test]
fn alarms_are_traced_whatever_the_fields_say() {
    let folder = tempfile::tempdir().unwrap();
    let (dispatch, _) = traces(&files(folder.path(), 10, 3), TraceLevels::all(TraceLevel::Off));
    let report = Report::new(AlarmName::CtiLost)
        .with(AlarmParameter::Manager, "cti1")
        .with(AlarmParameter::Reason, "connection closed");
    let alarm = Alarm { at: Timestamp(0), report, held_back: 2, fluttering: false };
    tracing::dispatcher::with_default(&dispatch, || TracingSink.alarm(&alarm));
    let [(_, text)] = &in_folder(folder.path())[..] else { panic!("one file") };
    assert_eq!(
        text,
        "2026-01-05T14:00:00.000Z ERROR ringback::alarm: CtiLost manager=cti1 reason=connection closed \
         severity=critical held_back=2 fluttering=false action=\"None if CtiConnected follows. Otherwise see that a \
         configured CTIManager runs and can be reached on its port.\"\n"
    );
}
