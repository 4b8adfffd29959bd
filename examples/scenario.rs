//! Plays scenario files: `scenario FILE-OR-FOLDER...`.
//!
//! One line a file, then the sum. The exit status is 0 if none failed, 1 if one failed, 2 if a file could not be read or
//! is not of the language.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ringback_scenario::{FileError, Report, collect, read, simulate};

/// Plays scenario files with simulated phones in simulated time.
#[derive(Parser)]
struct Arguments {
    /// Scenario files, and folders of them.
    #[arg(required = true, value_name = "FILE-OR-FOLDER")]
    paths: Vec<PathBuf>,
    /// Print everything that happens at the switch and the phones.
    #[arg(long)]
    log: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Every file is read before the first is played: a mistake is told at once.
    let scenarios = collect(&arguments.paths).and_then(|files| {
        files.into_iter().map(|file| Ok((read(&file)?, file))).collect::<Result<Vec<_>, _>>()
    });
    let scenarios = match scenarios {
        Ok(scenarios) => scenarios,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(FileError::EXIT_STATUS);
        }
    };
    let mut report = Report::new();
    for (scenario, file) in scenarios {
        match simulate(&scenario) {
            Ok(played) => {
                println!("{}", report.add(&file, &played.outcome));
                if arguments.log {
                    played.log.iter().for_each(|line| println!("    {line}"));
                }
            }
            Err(error) => {
                eprintln!("{}: cannot be played: {error}", file.display());
                return ExitCode::from(FileError::EXIT_STATUS);
            }
        }
    }
    println!("{report}");
    ExitCode::from(report.exit_status())
}
