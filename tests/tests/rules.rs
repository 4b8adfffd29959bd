//! Every rule is shown by a scenario.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ringback_scenario::{collect, read};

/// All of them; there is no R39.
const RULES: [std::ops::RangeInclusive<u8>; 2] = [1..=38, 40..=50];

#[test]
fn every_rule_is_named_by_a_scenario() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios"));
    let mut covered = BTreeSet::new();
    for file in collect(&[folder]).expect("scenario files") {
        let scenario = read(&file).unwrap_or_else(|error| panic!("{error}"));
        assert!(!scenario.covers.is_empty(), "{} names no rule it shows", file.display());
        covered.extend(scenario.covers.iter().map(ToString::to_string));
    }
    let missing: Vec<String> = RULES
        .into_iter()
        .flatten()
        .map(|rule| format!("R{rule}"))
        .filter(|rule| !covered.contains(rule))
        .collect();
    assert!(missing.is_empty(), "no scenario shows {missing:?}");
}
