//! The fuzzer's targets, run over the checked-in corpus: hostile cases by name, and what the fuzzer found.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ringback_tests::fuzz::{TARGETS, target};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Runs a target over its files; the first that breaks a promise is named.
fn run(name: &str) {
    let target = target(name).unwrap_or_else(|| panic!("there is no target {name}"));
    let folder = corpus().join(name);
    let files = names(&folder);
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        let path = folder.join(file);
        let data = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if catch_unwind(AssertUnwindSafe(|| target(&data))).is_err() {
            panic!("{} breaks a promise: see above", path.display());
        }
    }
}

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { run(stringify!($name)); })*

        /// The targets that are run here.
        const RUN: &[&str] = &[$(stringify!($name)),*];
    };
}

targets! { configuration, dictionary, frame, manager, message, phone, scenario, server, session }

#[test]
fn every_target_has_a_corpus_and_is_run() {
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&corpus()), known);
    assert_eq!(RUN.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), known);
}

#[test]
fn the_corpus_stays_small() {
    for (name, _) in TARGETS {
        let folder = corpus().join(name);
        let files = names(&folder);
        let bytes: u64 =
            files.iter().filter_map(|file| fs::metadata(folder.join(file)).ok()).map(|file| file.len()).sum();
        assert!(files.len() <= 400, "{name}: {} files", files.len());
        assert!(bytes <= 500_000, "{name}: {bytes} bytes");
    }
}
