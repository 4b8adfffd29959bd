//! Plays scenario files: `scenario FILE-OR-FOLDER...` with simulated phones in simulated time,
//! `scenario --store postgres FILE-OR-FOLDER...` the same with directory, requests, change notification and lease on a real
//! PostgreSQL, `scenario --pbx asterisk FILE-OR-FOLDER...` on a real Asterisk with real SIP phones in real time.
//!
//! One line a file, then the sum. The exit status is 0 if none failed (also if all were skipped, because there is no
//! Asterisk to be had here: that is told loudly), 1 if one failed, 2 if a file could not be read or is not of the
//! language, or the Asterisk that was fetched is not usable.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::{Parser, ValueEnum};
use ringback_postgres_lab::{Postgres, Server};
use ringback_scenario::asterisk::{LabError, Laboratory};
use ringback_scenario::postgres::Database;
use ringback_scenario::{FileError, Outcome, Played, Report, Scenario, collect, read, simulate};

/// Plays scenario files.
#[derive(Parser)]
struct Arguments {
    /// Scenario files, and folders of them.
    #[arg(required = true, value_name = "FILE-OR-FOLDER")]
    paths: Vec<PathBuf>,
    /// Play on a real PBX with real phones, in real time.
    #[arg(long, value_name = "PBX")]
    pbx: Option<Pbx>,
    /// Where the simulated site keeps everything: `memory`; `postgres`, a server that is started for this; or
    /// `postgres://...`, a database that is used for nothing else.
    #[arg(long, value_name = "STORE", default_value = "memory", conflicts_with = "pbx")]
    store: Store,
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

#[derive(Clone)]
enum Store {
    Memory,
    Postgres,
    Database(String),
}

impl FromStr for Store {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "memory" => Ok(Self::Memory),
            "postgres" => Ok(Self::Postgres),
            _ if text.starts_with("postgres://") || text.starts_with("postgresql://") => {
                Ok(Self::Database(text.to_owned()))
            }
            _ => Err("expected memory, postgres, or an address: postgres://..."),
        }
    }
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
        (Ok(files), None) => in_the_simulator(&files, &arguments.store, arguments.log),
        (Ok(files), Some(Pbx::Asterisk)) => on_asterisk(&files, arguments.jobs),
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

fn in_the_simulator(files: &Files, store: &Store, log: bool) -> Result<Report, String> {
    let told = |error: &dyn std::error::Error| error.to_string();
    match store {
        Store::Memory => play_with(files, log, simulate),
        Store::Postgres => {
            let postgres = Postgres::find().map_err(|error| told(&error))?;
            let server = Server::start(&postgres).map_err(|error| told(&error))?;
            eprintln!("PostgreSQL {}", postgres.version());
            let address = server.fresh_database().map_err(|error| told(&error))?;
            on_database(&address, files, log)
        }
        Store::Database(address) => on_database(address, files, log),
    }
}

fn on_database(address: &str, files: &Files, log: bool) -> Result<Report, String> {
    let database = Database::open(address).map_err(|error| error.to_string())?;
    eprintln!("all on {}", database.place());
    play_with(files, log, |scenario| database.simulate(scenario))
}

fn play_with(
    files: &Files,
    log: bool,
    simulate: impl Fn(&Scenario) -> io::Result<Played>,
) -> Result<Report, String> {
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
    let mut report = Report::new();
    let laboratory = match Laboratory::open() {
        Ok(laboratory) => laboratory,
        Err(error @ LabError::Unreachable(_)) if std::env::var_os("RINGBACK_PBX_REQUIRED").is_none() => {
            eprintln!("\n*** NOTHING IS PLAYED ON A REAL PBX: {error}\n");
            for (_, file) in files {
                println!("{}", report.add(file, &Outcome::Skipped { reason: error.to_string() }));
            }
            return Ok(report);
        }
        Err(error) => return Err(error.to_string()),
    };
    eprintln!("PBX: {}", laboratory.version());
    let scenarios: Vec<&Scenario> = files.iter().map(|(scenario, _)| scenario).collect();
    let played = laboratory.play_all(&scenarios, jobs, |place, outcome| {
        if let Some((_, file)) = files.get(place) {
            println!("{}", report.add(file, &outcome));
        }
    });
    played.map_err(|error| format!("cannot be played: {error}"))?;
    Ok(report)
}
