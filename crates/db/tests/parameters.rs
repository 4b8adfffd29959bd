//! The service parameters of the requirement, section 7: names, defaults, units, limits.

use proptest::prelude::*;
use ringback_callback::{Parameters, QueuePolicyName};
use ringback_db::{ParameterProblem, ServiceParameters};
use ringback_model::Millis;

type Read = fn(&ServiceParameters) -> u64;

fn parse(name: &str, value: &str) -> (ServiceParameters, Vec<ParameterProblem>) {
    ServiceParameters::parse(&[(name.to_owned(), value.to_owned())])
}

fn taken(name: &str, value: &str) -> ServiceParameters {
    let (parameters, problems) = parse(name, value);
    assert_eq!(problems, [], "{name} = {value}");
    parameters
}

fn problem(name: &str, value: &str) -> String {
    let (parameters, problems) = parse(name, value);
    assert_eq!(parameters, ServiceParameters::default(), "{name} = {value}");
    let [problem] = problems.as_slice() else { panic!("{name} = {value}: {problems:?}") };
    problem.to_string()
}

#[test]
fn the_defaults_are_those_of_the_requirement() {
    let expected = [
        ("CTI Connecting Port", "2748"),
        ("Provider Open Call Time Out", "30000"),
        ("HeartBeat Interval Time Out", "30"),
        ("Connection Retry Time Out", "60000"),
        ("Synchronous Request Time Out", "20000"),
        ("Audio File Name", "CallBack.raw"),
        ("CBB Change Notification TCP Port", "2552"),
        ("Call Back Recall Timer", "20"),
        ("Call Back Busy Duration", "45"),
        ("Call Back No Answer Duration", "180"),
        ("Call Back Idle Guard", "0"),
        ("Call Back Queue Policy", "fifo"),
        ("Maximum Call Backs per Called Line", "10"),
        ("Maximum Call Backs in all", "100000"),
    ];
    let rows = ServiceParameters::default().rows();
    assert_eq!(rows, expected.map(|(name, value)| (name, value.to_owned())));
    assert_eq!(ServiceParameters::names().collect::<Vec<_>>(), expected.map(|(name, _)| name));
    assert_eq!(ServiceParameters::parse(&[]), (ServiceParameters::default(), vec![]));
    assert_eq!(ServiceParameters::default().callback, Parameters::default());
}

/// A number alone is in the parameter's own unit; any unit can be given. One row a parameter that is a time: where it is
/// kept, and what `7` means there in milliseconds.
#[test]
fn every_time_is_read_in_its_own_unit() {
    let times: [(&str, Read, u64); 8] = [
        ("Provider Open Call Time Out", |p| p.provider_open_timeout.0, 1),
        ("HeartBeat Interval Time Out", |p| p.heartbeat_interval.0, 1000),
        ("Connection Retry Time Out", |p| p.connection_retry_timeout.0, 1),
        ("Synchronous Request Time Out", |p| p.request_timeout.0, 1),
        ("Call Back Recall Timer", |p| p.callback.recall_timer.0, 1000),
        ("Call Back Busy Duration", |p| p.callback.busy_duration.0, 60_000),
        ("Call Back No Answer Duration", |p| p.callback.no_answer_duration.0, 60_000),
        ("Call Back Idle Guard", |p| p.callback.idle_guard.0, 1),
    ];
    for (name, read, unit) in times {
        assert_eq!(read(&taken(name, "700")), 700 * unit, "{name}");
        assert_eq!(read(&taken(name, " 700 ")), 700 * unit, "{name}");
        assert_eq!(read(&taken(name, "7000ms")), 7000, "{name}");
        assert_eq!(read(&taken(name, "7s")), 7_000, "{name}");
        assert_eq!(read(&taken(name, "7m")), 420_000, "{name}");
        assert_eq!(read(&taken(name, "1h")), 3_600_000, "{name}");
        for wrong in [
            "",
            "-7",
            "+7",
            "7.5",
            "7 s",
            "7min",
            "s",
            "seven",
            "99999999999999999999",
            "18446744073709551615h",
        ] {
            let text = problem(name, wrong);
            assert!(text.starts_with(&format!("{name:?} cannot be {wrong:?}: allowed is ")), "{text}");
        }
    }
}

#[test]
fn every_other_parameter_is_read() {
    assert_eq!(taken("CTI Connecting Port", "2749").cti_port, 2749);
    assert_eq!(taken("CBB Change Notification TCP Port", "2553").change_notification_port, 2553);
    assert_eq!(taken("Audio File Name", "Chime-1.raw").audio_file, "Chime-1.raw");
    assert_eq!(taken("Call Back Queue Policy", "all").callback.queue_policy, QueuePolicyName::All);
    assert_eq!(taken("Maximum Call Backs per Called Line", "0").callback.max_per_line, 0);
    assert_eq!(taken("Maximum Call Backs in all", "7").callback.max_in_all, 7);
}

#[test]
fn a_problem_says_what_is_allowed_and_what_is_used() {
    let expected = [
        ("CTI Connecting Port", "0", "a port from 1 to 65535; 2748"),
        ("CTI Connecting Port", "70000", "a port from 1 to 65535; 2748"),
        ("CTI Connecting Port", "2s", "a port from 1 to 65535; 2748"),
        ("Provider Open Call Time Out", "99", "100 to 3600000 ms; 30000 ms"),
        ("HeartBeat Interval Time Out", "0", "1 to 3600 s; 30 s"),
        ("HeartBeat Interval Time Out", "30000", "1 to 3600 s; 30 s"),
        ("Connection Retry Time Out", "60", "100 to 3600000 ms; 60000 ms"),
        ("Synchronous Request Time Out", "20", "100 to 3600000 ms; 20000 ms"),
        (
            "Audio File Name",
            "../x",
            "a file name of 1 to 200 letters, digits, dots, hyphens and underscores; CallBack.raw",
        ),
        ("CBB Change Notification TCP Port", "-1", "a port from 1 to 65535; 2552"),
        ("Call Back Recall Timer", "20000", "1 to 3600 s; 20 s"),
        ("Call Back Busy Duration", "2700000", "0 (none) to 10080 min; 45 min"),
        ("Call Back No Answer Duration", "10800", "0 (none) to 10080 min; 180 min"),
        ("Call Back Idle Guard", "2h", "0 (none) to 3600000 ms; 0 ms"),
        ("Call Back Queue Policy", "lifo", "fifo or all; fifo"),
        ("Maximum Call Backs per Called Line", "1000001", "0 (no limit) to 1000000; 10"),
        ("Maximum Call Backs in all", "many", "0 (no limit) to 10000000; 100000"),
    ];
    for (name, value, rest) in expected {
        assert_eq!(problem(name, value), format!("{name:?} cannot be {value:?}: allowed is {rest} is used"));
    }
}

#[test]
fn names_are_matched_exactly_and_good_rows_beside_bad_ones_count() {
    assert_eq!(
        problem("call back recall timer", "30"),
        "there is no service parameter \"call back recall timer\": its value \"30\" has no effect"
    );
    let rows = [("No Such Thing", "1"), ("Call Back Idle Guard", "x"), ("Call Back Recall Timer", "30")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (parameters, problems) = ServiceParameters::parse(&rows);
    assert_eq!(parameters.callback.recall_timer, Millis::from_secs(30));
    assert_eq!(problems.len(), 2);
    let ParameterProblem::NotAllowed { name, unit, .. } = &problems[1] else { panic!("{problems:?}") };
    assert_eq!((*name, *unit), ("Call Back Idle Guard", "ms"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(
        recall in 1000u64..=3_600_000, busy in 0u64..=604_800_000, guard in 0u64..=3_600_000, port in 1u16..,
        all in any::<bool>(), limit in 0u32..=1_000_000,
    ) {
        let parameters = ServiceParameters {
            callback: Parameters {
                recall_timer: Millis(recall),
                busy_duration: Millis(busy),
                idle_guard: Millis(guard),
                queue_policy: if all { QueuePolicyName::All } else { QueuePolicyName::Fifo },
                max_per_line: limit,
                ..Parameters::default()
            },
            cti_port: port,
            ..ServiceParameters::default()
        };
        let rows: Vec<_> = parameters.rows().into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
        prop_assert_eq!(ServiceParameters::parse(&rows), (parameters, vec![]));
    }

    #[test]
    fn no_value_makes_it_panic(which in 0usize..14, value in "\\PC{0,12}") {
        if let Some(name) = ServiceParameters::names().nth(which) {
            let _ = parse(name, &value);
        }
    }
}
