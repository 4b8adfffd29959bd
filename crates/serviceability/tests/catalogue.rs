//! The catalogue is complete and consistent.

use ringback_serviceability::alarm::{AlarmKind, AlarmName, Severity};

#[test]
fn every_alarm_says_what_happened_and_what_to_do() {
    for alarm in AlarmName::ALL {
        assert!(alarm.explanation().ends_with('.'), "{alarm}");
        assert!(alarm.recommended_action().ends_with('.'), "{alarm}");
        assert_eq!(alarm.name().parse(), Ok(*alarm));
    }
}

#[test]
fn the_alarms_that_scenarios_name_are_there() {
    for name in [
        "ServiceStarted",
        "ServiceStopped",
        "BecameActive",
        "BecameBackup",
        "CtiConnected",
        "CtiLost",
        "CtiFailedOver",
        "ProviderOpenFailed",
        "LoginRefused",
        "DatabaseLost",
        "DatabaseBack",
        "StoreLost",
        "StoreBack",
        "LimitReached",
        "FencedOff",
        "ChangeNotificationLost",
        "DictionaryInvalid",
        "ScreenRejected",
        "SplitDetected",
        "ParameterInvalid",
        "RequestsNotSaved",
    ] {
        assert!(name.parse::<AlarmName>().is_ok(), "{name}");
    }
    assert_eq!(
        "ctilost".parse::<AlarmName>().unwrap_err().to_string(),
        "\"ctilost\" is no alarm: names are written like CtiLost, and the catalogue of alarms lists them"
    );
}

#[test]
fn what_is_raised_can_be_cleared_by_something_less_severe() {
    for raising in AlarmName::ALL {
        let AlarmKind::Raises(condition) = raising.kind() else { continue };
        let clearing: Vec<_> =
            AlarmName::ALL.iter().filter(|alarm| alarm.kind() == AlarmKind::Clears(condition)).collect();
        assert_eq!(clearing.len(), 1, "{raising}");
        assert!(clearing[0].severity() < raising.severity(), "{raising}");
    }
}

#[test]
fn severities_have_names_and_an_order() {
    assert!(Severity::Emergency > Severity::Debug);
    for severity in Severity::ALL {
        assert_eq!(severity.name().parse(), Ok(severity));
    }
    assert_eq!(
        "loud".parse::<Severity>().unwrap_err().to_string(),
        "\"loud\" is no alarm level: give emergency, alert, critical, error, warning, notice, informational or debug"
    );
}
