//! Measures Call Back at a real Asterisk with real SIP phones; the service is a process of its own, with its requests in a
//! SQLite file.
//!
//! - `pbx compare --rounds N`: beside the call completion (CCSS) of Asterisk 16 itself, at one server and in one run: from B's
//!   hanging up to A's ringing, round by round in turn, and what becomes of a request when things go wrong.
//! - `pbx kill --rounds N`: so many times `kill -9` of Asterisk 22, and so many times of the service, while requests wait and
//!   callees become free. The exit status is 0 if nothing was lost, rung twice, or rung on what a restarted server only says.
//! - `pbx load --minutes N`: 500 phones, 200 pending requests, 20 calls a second. The exit status is 0 if every caller was
//!   recalled whose callee became free, by the phones' own records.
//!
//! The server is fetched at the first run; where it cannot be had the exit status is 3.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod compare;
mod instance;
mod kill;
mod load;
mod office;
mod pair;
mod stage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ringback_pbx_lab::LabError;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Beside Asterisk 16's own call completion.
    Compare {
        /// How many times B hangs up for each of the two.
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
    },
    /// The server and the service are killed.
    Kill {
        /// How many times each of the two.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
    },
    /// Many phones, many requests, many calls.
    Load {
        /// For how long.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
        minutes: u32,
    },
    /// The service: started by the program itself.
    #[command(hide = true)]
    Instance(instance::Terms),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().what {
        What::Compare { rounds } => compare::run(rounds).await,
        What::Kill { rounds } => kill::run(rounds).await,
        What::Load { minutes } => load::run(minutes).await,
        What::Instance(terms) => instance::run(terms).await.map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("pbx: {error}");
            let unreachable = matches!(error.downcast_ref::<LabError>(), Some(LabError::Unreachable(_)));
            if unreachable { ExitCode::from(3) } else { ExitCode::FAILURE }
        }
    }
}

/// The words in which a figure of milliseconds is printed.
fn milliseconds(value: f64) -> String {
    format!("{value:.1} ms")
}

/// Prints a line of a table or a report.
fn say(line: impl std::fmt::Display) {
    println!("{line}");
}
