//! Measures take-overs: two processes of the service on one database, a simulated call manager, so many requests pending, and
//! a fault of the active one each round.
//!
//! `failover --fault kill|pause|stop|join|cut --store sqlite|postgres|postgres://... --pending N --rounds N` prints a row a round
//! and at the end `lost N, doubled N, in_doubt N, first p50 X ms p99 Y ms, all p50 X ms p99 Y ms`. *first*: from the last
//! effect of the old active to the first possible effect of the new one. *all*: until every line that a request needs is
//! watched. The exit status is 0 if nothing was lost or doubled.
//!
//! A process that is paused in the middle of a write holds the file locked until it goes on: SQLite lets nobody else write,
//! so nobody can take over. Such rounds count as *held*: the process goes on after 10 s, nothing may be lost or doubled, and
//! their times are left out.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod figures;
mod office;
mod round;
mod site;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use ringback_examples::instance::{self, Terms};
use ringback_examples::network;
use ringback_examples::stage::Store;

use crate::figures::Figures;
use crate::site::Site;

#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    /// What happens to the active instance each round; `join`: a lower address joins.
    #[arg(long, value_enum, default_value = "kill")]
    fault: Fault,
    /// Where requests, directory and lease are kept.
    /// `sqlite`: one file; `postgres`: a server that is started for this; `postgres://...`: an empty database.
    #[arg(long, default_value = "sqlite")]
    store: Store,
    /// How many requests are pending.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(20..=30_000))]
    pending: u32,
    /// How many rounds.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What is done to the active instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Fault {
    /// `kill -9`.
    Kill,
    /// SIGSTOP; SIGCONT after the take-over.
    Pause,
    /// SIGTERM: it stops in good order.
    Stop,
    /// Nothing: a lower address joins, and it hands over.
    Join,
    /// Its host is cut off from all others, and nobody is told; healed after the take-over. The instances are on hosts of
    /// their own, which needs Linux and root.
    Cut,
}

#[derive(Subcommand)]
enum Role {
    /// One instance of the service: started by the program itself.
    #[command(hide = true)]
    Instance(Terms),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.role {
        Some(Role::Instance(terms)) => instance::run(terms, None).await.map(|()| true),
        None if arguments.fault == Fault::Cut => match network::re_enter() {
            Ok(Some(code)) => return code,
            Ok(None) => measure(&arguments).await,
            Err(error) => Err(error),
        },
        None => measure(&arguments).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failover: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let hosts = arguments.fault == Fault::Cut;
    let mut site = Site::start(arguments.pending, &arguments.store, hosts).await?;
    let mut figures = Figures::default();
    for number in 1..=arguments.rounds {
        let round = round::play(&mut site, arguments.fault, number).await?;
        println!("round {number}: {round}");
        figures.add(round);
    }
    site.stop().await?;
    println!("{figures}");
    Ok(figures.nothing_lost_or_doubled())
}
