use ringback_model::reveal_personal_data;
use ringback_scenario::{Names, Scenario, SyntaxError, parse, parse_action};

fn check(error: &SyntaxError, text: &str) {
    let lines: Vec<&str> = text.strip_prefix('\u{feff}').unwrap_or(text).lines().collect();
    assert!((1..=lines.len()).contains(&error.line), "{error}: there are {} lines", lines.len());
    let columns = lines[error.line - 1].chars().count();
    // The column behind the last is where something is missing.
    assert!((1..=columns + 1).contains(&error.column), "{error}: the line has {columns} columns");
    assert!(!error.expected.is_empty() && !error.found.is_empty(), "{error:?}");
}

/// What a scenario says, without the lines on which it says it.
fn said(scenario: &Scenario) -> impl PartialEq + std::fmt::Debug {
    let setup: Vec<_> = scenario.setup.iter().map(|setup| setup.what.clone()).collect();
    let steps: Vec<_> = scenario.steps.iter().map(|step| step.what.clone()).collect();
    (scenario.covers.clone(), setup, steps)
}

/// A scenario file. An error is in a line that is there; what is understood prints, and reads again, as the same.
pub(super) fn target(data: &[u8]) {
    reveal_personal_data(true);
    let Ok(text) = std::str::from_utf8(data) else { return };
    match parse(text) {
        Ok(scenario) => {
            let printed = scenario.to_string();
            match parse(&printed) {
                Ok(again) => {
                    assert_eq!(said(&scenario), said(&again), "{printed}");
                    assert_eq!(again.to_string(), printed);
                }
                Err(error) => panic!("{error} in:\n{printed}"),
            }
        }
        Err(error) => check(&error, text),
    }
    // The same lines, typed at a prompt.
    let mut names = Names::new();
    for line in text.lines() {
        let before = names.clone();
        match parse_action(line, &mut names) {
            Ok(None) => {}
            Ok(Some(action)) => {
                let printed = action.to_string();
                let again = parse_action(&printed, &mut names.clone());
                // To add what is there already is refused; everything else is the same action again.
                assert!(again.is_err() || again == Ok(Some(action.clone())), "{printed}");
                assert_eq!(parse_action(&printed, &mut before.clone()), Ok(Some(action)), "{printed}");
            }
            Err(error) => assert_eq!(error.line, 1, "{error}"),
        }
    }
}
