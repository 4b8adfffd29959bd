//! Every scenario file is a test.

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use ringback_scenario::{Outcome, Report, collect, read, simulate};

fn play(file: &Path) -> Result<(), Failed> {
    let scenario = read(file).map_err(|error| error.to_string())?;
    let first = simulate(&scenario)?;
    if !matches!(first.outcome, Outcome::Passed { .. }) {
        let log = first.log.join("\n    ");
        return Err(format!("{}\n    {log}", Report::new().add(file, &first.outcome)).into());
    }
    let second = simulate(&scenario)?;
    if first != second {
        return Err("played twice, it went differently".into());
    }
    Ok(())
}

fn main() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios"));
    let files = collect(&[folder]).unwrap_or_else(|error| panic!("{error}"));
    let trials = files.into_iter().map(|file| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(name, move || play(&file))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}
