//! Plays scenario files: `scenario FILE-OR-FOLDER...` with simulated phones in simulated time,
//! `scenario --pbx asterisk FILE-OR-FOLDER...` on a real Asterisk with real SIP phones in real time.
//!
//! One line a file, then the sum. The exit status is 0 if none failed (also if all were skipped, because there is no
//! Asterisk to be had here: that is told loudly), 1 if one failed, 2 if a file could not be read or is not of the
//! language, or the Asterisk that was fetched is not usable.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use clap::{Parser, ValueEnum};
use ringback_scenario::asterisk::{LabError, Laboratory};
use ringback_scenario::{FileError, Outcome, Report, Scenario, collect, read, simulate};

/// Plays scenario files.
#[derive(Parser)]
struct Arguments {
    /// Scenario files, and folders of them.
    #[arg(required = true, value_name = "FILE-OR-FOLDER")]
    paths: Vec<PathBuf>,
    /// Play on a real PBX with real phones, in real time.
    #[arg(long, value_name = "PBX")]
    pbx: Option<Pbx>,
    /// How many files are played on the PBX at the same time, each on a server of its own.
    #[arg(long, value_name = "NUMBER", default_value_t = 4, requires = "pbx")]
    jobs: usize,
    /// Print everything that happens at the simulated switch and phones.
    #[arg(long, conflicts_with = "pbx")]
    log: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Pbx {
    /// Asterisk 22, fetched the first time.
    Asterisk,
}

type Files = Vec<(Scenario, PathBuf)>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Every file is read before the first is played: a mistake is told at once.
    let files = collect(&arguments.paths).and_then(|files| {
        files.into_iter().map(|file| Ok((read(&file)?, file))).collect::<Result<Files, _>>()
    });
    let played = match (files, arguments.pbx) {
        (Err(error), _) => Err(error.to_string()),
        (Ok(files), None) => in_the_simulator(&files, arguments.log),
        (Ok(files), Some(Pbx::Asterisk)) => on_asterisk(&files, arguments.jobs.max(1)),
    };
    match played {
        Ok(report) => {
            println!("{report}");
            ExitCode::from(report.exit_status())
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(FileError::EXIT_STATUS)
        }
    }
}

fn in_the_simulator(files: &Files, log: bool) -> Result<Report, String> {
    let mut report = Report::new();
    for (scenario, file) in files {
        let played =
            simulate(scenario).map_err(|error| format!("{}: cannot be played: {error}", file.display()))?;
        println!("{}", report.add(file, &played.outcome));
        if log {
            played.log.iter().for_each(|line| println!("    {line}"));
        }
    }
    Ok(report)
}

fn on_asterisk(files: &Files, jobs: usize) -> Result<Report, String> {
    let laboratory = match Laboratory::open() {
        Ok(laboratory) => {
            eprintln!("PBX: {}", laboratory.version());
            Ok(laboratory)
        }
        Err(error @ LabError::Unreachable(_)) if std::env::var_os("RINGBACK_PBX_REQUIRED").is_none() => {
            eprintln!("\n*** NOTHING IS PLAYED ON A REAL PBX: {error}\n");
            Err(error.to_string())
        }
        Err(error) => return Err(error.to_string()),
    };
    let play = |scenario: &Scenario| match &laboratory {
        Ok(laboratory) => laboratory.play(scenario).map_err(|error| error.to_string()),
        Err(reason) => Ok(Outcome::Skipped { reason: reason.clone() }),
    };
    let (next, (sender, played)) = (AtomicUsize::new(0), mpsc::channel());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let sender = sender.clone();
            let (next, play) = (&next, &play);
            scope.spawn(move || {
                loop {
                    let place = next.fetch_add(1, Ordering::SeqCst);
                    let Some((scenario, _)) = files.get(place) else { return };
                    // Nobody listens any more once one could not be played.
                    let _ = sender.send((place, play(scenario)));
                }
            });
        }
        drop(sender);
        told_in_order(files, &played)
    })
}

/// Tells each file's outcome when those before it have been told.
fn told_in_order(
    files: &Files,
    played: &mpsc::Receiver<(usize, Result<Outcome, String>)>,
) -> Result<Report, String> {
    let mut report = Report::new();
    let mut waiting = BTreeMap::new();
    for (place, (_, file)) in files.iter().enumerate() {
        let outcome = loop {
            if let Some(outcome) = waiting.remove(&place) {
                break outcome;
            }
            let Ok((other, outcome)) = played.recv() else { return Err("a player ended early".to_owned()) };
            waiting.insert(other, outcome);
        };
        let outcome = outcome.map_err(|error| format!("{}: cannot be played: {error}", file.display()))?;
        println!("{}", report.add(file, &outcome));
    }
    Ok(report)
}
