//! The example `replay` on the recordings in `tests/traces`.
//!
//! What it must find was worked out from the streams by hand. Available is B when its last call has ended at its
//! phone and A's phone is idle; who hangs up is told by `HangupRequest`, who dials by a `Newchannel` in state `Ring`
//! (PJSIP) or with the dialled number in `Exten` (chan_sip). Times may differ by 20 ms: events of one moment are
//! spread over a few milliseconds, and the mapping waits 3 ms for the ones that are late.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::PathBuf;

use clap::Parser;
use ringback_examples::replay::{Arguments, ReplayError, run};

const STATES: &str = "asterisk22-states-ami.txt";
const BUSY: &str = "asterisk22-busy-noanswer-ami.txt";
const CCSS: &str = "asterisk16-ccss-ami.txt";

fn trace(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/traces").join(name)
}

fn replay(file: &str, arguments: &[&str]) -> Result<String, ReplayError> {
    let path = trace(file);
    let command = ["replay", path.to_str().unwrap()].into_iter().chain(arguments.iter().copied());
    let mut out = Vec::new();
    run(&Arguments::try_parse_from(command)?, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// Compares lines `T text`: the texts exactly, the times to 20 ms.
fn assert_found(file: &str, arguments: &[&str], expected: &[(f64, &str)]) {
    let output = replay(file, arguments).unwrap();
    let found: Vec<(f64, &str)> = output
        .lines()
        .map(|line| {
            let (time, text) = line.split_once(' ').unwrap();
            assert_eq!(time.split_once('.').unwrap().1.len(), 2, "two decimals: {line}");
            (time.parse().unwrap(), text)
        })
        .collect();
    let close = |(a, b): (&(f64, &str), &(f64, &str))| (a.0 - b.0).abs() < 0.0201 && a.1 == b.1;
    let same = found.len() == expected.len() && found.iter().zip(expected).all(close);
    assert!(same, "{file} {arguments:?}: found {found:?}, expected {expected:?}");
}

fn assert_request(file: &str, request: &str, at: Option<f64>) {
    let mut parts = request.split(':');
    let (caller, called) = (parts.next().unwrap(), parts.next().unwrap());
    let text = format!("available {called} for {caller}");
    let expected: Vec<(f64, &str)> = at.iter().map(|at| (*at, text.as_str())).collect();
    assert_found(file, &["--request", request], &expected);
}

#[test]
fn every_row_of_the_table_of_the_recordings() {
    for (file, request, at) in [
        (STATES, "1003:1002:busy@2.0", 5.73),
        (BUSY, "1001:1002:busy@2.0", 2.43),
        (BUSY, "1001:1002:noanswer@7.0", 9.47),
        (CCSS, "1001:1002:busy@1.83", 2.78),
        (CCSS, "1001:1002:busy@6.24", 7.19),
        (CCSS, "1001:1002:busy@10.64", 11.58),
        (CCSS, "1001:1002:noanswer@17.32", 19.59),
        // 1002 is free at 22.81, but 1001 has lifted a moment before.
        (CCSS, "1001:1002:busy@21.86", 23.26),
    ] {
        assert_request(file, request, Some(at));
    }
}

#[test]
fn several_requests_do_not_know_of_each_other() {
    let all = ["--request", "1001:1002:noanswer@7.0", "--request", "1001:1002:busy@2.0"];
    let text = "available 1002 for 1001";
    assert_found(BUSY, &all, &[(2.43, text), (9.47, text)]);
}

#[test]
fn other_requests() {
    for (file, request, at) in [
        // Not at 6.94, when the unanswered call ended, for whoever asks; and a call that 1002 makes is use of it.
        (BUSY, "1003:1002:noanswer@6.0", Some(9.47)),
        // A busy request is content with silence: 1002 only rang.
        (BUSY, "1003:1002:busy@5.0", Some(6.94)),
        // Who waits for a line that is idle already is told at once.
        (BUSY, "1003:1001:busy@3.0", Some(3.0)),
        // 1002 hangs up at 18.06, but 1001 is left in the bridge until 18.57.
        (BUSY, "1001:1002:noanswer@14.9", Some(18.57)),
        // 1001 is off hook for 0.3 ms only: that is a cycle all the same; 1003 itself is in a call until 22.42.
        (BUSY, "1003:1001:noanswer@21.9", Some(22.43)),
        // 1002 answers the very call in which 1003 waits (R7).
        (BUSY, "1003:1002:noanswer@0.8", None),
        // Nobody uses 1003 any more.
        (BUSY, "1001:1003:noanswer@23.0", None),
        // 1002 is in the same call as 1003, who waits for it: both hang up at once.
        (CCSS, "1003:1002:busy@9.8", Some(11.58)),
        // 1002 rings and is not answered (13.81 to 16.81), which is no use of it.
        (CCSS, "1003:1002:noanswer@13.0", Some(19.59)),
        // 1002 is refused by itself at 19.81 after the recall rang it; 1001 is still in that recall for a moment.
        (CCSS, "1001:1002:busy@19.7", Some(19.81)),
        // The caller is gone from 40.28 on: nothing after that.
        (CCSS, "1001:1002:noanswer@23.5", None),
    ] {
        assert_request(file, request, at);
    }
}

#[test]
fn the_press_of_the_feature_code_is_found() {
    assert_found(BUSY, &["--keys"], &[(10.47, "key 1001 for 1002 after no answer")]);
    assert_found(CCSS, &["--keys"], &[(22.81, "key 1001 for 1009 after no call to it")]);
    assert_found(STATES, &["--keys"], &[]);
}

/// Each line's moments of idle, from the streams: the end of each of its last calls, as told by the later one of
/// `Hangup` and device state.
#[test]
fn every_moment_in_which_a_line_became_idle() {
    let expected: [(&str, &str, &[f64]); 9] = [
        // Its call to 1002; the server's announcement; the echo number.
        (STATES, "1001", &[5.73, 7.41, 8.62]),
        (STATES, "1002", &[5.73]),
        (STATES, "1003", &[2.91]),
        // Two failed calls, the feature code, two recalls, a failed call, a short lift.
        (BUSY, "1001", &[1.92, 6.94, 10.48, 13.81, 18.57, 21.81, 22.11]),
        // At 6.94 it stops ringing without having been answered.
        (BUSY, "1002", &[2.43, 6.94, 9.47, 13.81, 18.06, 22.42]),
        (BUSY, "1003", &[2.43, 9.47, 22.42]),
        // Failed calls, each followed by a feature code and, but once, by the server's recall. The last recall
        // begins at 23.26, just after a second feature code ended, and rings until 38.27.
        (
            CCSS,
            "1001",
            &[
                1.32, 2.27, 4.00, 5.73, 6.68, 8.42, 10.13, 11.08, 12.80, 16.81, 17.76, 19.81, 21.55, 22.30,
                23.26, 38.27,
            ],
        ),
        // At 16.81 and 19.81 it stops ringing. Callers refused during its calls are no calls that end.
        (CCSS, "1002", &[2.78, 4.00, 7.19, 8.42, 11.58, 12.80, 16.81, 19.59, 19.81, 22.81]),
        (CCSS, "1003", &[2.78, 7.19, 11.58, 19.59, 22.81]),
    ];
    for (file, dn, times) in expected {
        let text = format!("available {dn}");
        let expected: Vec<(f64, &str)> = times.iter().map(|at| (*at, text.as_str())).collect();
        assert_found(file, &["--watch", dn], &expected);
    }
}

#[test]
fn a_line_that_is_not_in_the_recording_is_never_available() {
    assert_found(STATES, &["--watch", "1009"], &[]);
    assert_request(STATES, "1001:1009:busy@2.0", None);
}

#[test]
fn errors_say_what_is_wrong_and_what_is_allowed() {
    for (arguments, code, expected) in [
        (&["--request", "1001:1002:late@2"][..], 2, "a request is busy or noanswer, not \"late\""),
        (&["--watch", ""], 2, "a directory number is empty: give 1 to 50 characters"),
        (&[], 2, "--watch <DN>"),
        (&["--request", "1001:1001:busy@2"], 2, "--request 1001:1001:busy@2.000: refused (OwnLine)"),
        (&["--request", "1001:*66:busy@2"], 2, "refused (NotDiallable)"),
    ] {
        let error = replay(STATES, arguments).unwrap_err();
        assert_eq!(error.exit_code(), code, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_recording_that_cannot_be_read_is_named_with_the_line() {
    let error = replay("README.md", &["--watch", "1001"]).unwrap_err();
    assert!(error.to_string().contains("README.md:1: expected \">>> SECONDS\""), "{error}");
    assert_eq!(error.exit_code(), 1);
    let error = replay("missing.txt", &["--watch", "1001"]).unwrap_err();
    assert!(error.to_string().contains("missing.txt: "), "{error}");
    assert_eq!(error.exit_code(), 1);
}
