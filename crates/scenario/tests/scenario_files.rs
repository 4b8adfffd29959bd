//! The scenario files of the project: each is of the language, says what it is about, and together they name every
//! rule.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ringback_scenario::language::{Needs, Rule};
use ringback_scenario::{Scenario, collect, parse, read};

fn files() -> Vec<(PathBuf, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let files = collect(&[folder]).unwrap();
    files
        .into_iter()
        .map(|path| {
            let scenario = read(&path).unwrap_or_else(|error| panic!("{error}"));
            (path, scenario)
        })
        .collect()
}

#[test]
fn every_file_prints_and_reads_back() {
    for (path, scenario) in files() {
        let printed = scenario.to_string();
        assert_eq!(parse(&printed).unwrap().to_string(), printed, "{}", path.display());
    }
}

#[test]
fn every_file_names_rules_and_has_a_name_in_order() {
    let mut numbers = BTreeSet::new();
    for (path, scenario) in files() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(!scenario.covers.is_empty(), "{name}: no `# covers:`");
        assert!(scenario.covers.iter().all(|rule| (1..=51).contains(&rule.0)), "{name}: no such rule");
        let number: u32 = name.split_once('-').unwrap().0.parse().unwrap();
        assert!(numbers.insert(number), "{name}: the number is taken");
    }
}

/// The rules that need one instance with everything around it working, and nothing else.
#[test]
fn the_rules_of_one_instance_are_all_shown_by_files_that_need_no_more() {
    let playable: Vec<_> = files().into_iter().filter(|(_, scenario)| needs_no_fault(scenario)).collect();
    assert!(playable.len() >= 60, "{}", playable.len());
    let shown: BTreeSet<Rule> = playable.iter().flat_map(|(_, scenario)| scenario.covers.clone()).collect();
    let wanted = (1..=36).chain([38]).chain(40..=43).chain([49]).map(Rule);
    let missing: Vec<_> = wanted.filter(|rule| !shown.contains(rule)).collect();
    assert_eq!(missing, []);
}

#[test]
fn every_rule_is_shown() {
    let shown: BTreeSet<Rule> = files().into_iter().flat_map(|(_, scenario)| scenario.covers).collect();
    // R39 is not given; R51 only says that R40 stands.
    let wanted = (1..=38).chain(40..=50).map(Rule);
    let missing: Vec<_> = wanted.filter(|rule| !shown.contains(rule)).collect();
    assert_eq!(missing, []);
}

fn needs_no_fault(scenario: &Scenario) -> bool {
    let able = Needs {
        several_instances: false,
        several_ctimanagers: false,
        ctimanager_faults: false,
        database_faults: false,
        store_faults: false,
        pause_or_cut: false,
        ..Needs::ALL
    };
    scenario.needs().missing_from(&able).is_none()
}
