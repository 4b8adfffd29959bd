//! Measures take-overs: two processes of the service on one database, a simulated call manager, so many requests pending, and
//! a fault of the active one each round.
//!
//! `failover --fault kill|pause|stop|join|cut --store sqlite|postgres|postgres://... --pending N --rounds N` prints a row a round
//! and at the end `lost N, doubled N, in_doubt N, first p50 X ms p99 Y ms, all p50 X ms p99 Y ms`. *first*: from the last
//! effect of the old active to the first possible effect of the new one. *all*: until every line that a request needs is
//! watched. The exit status is 0 if nothing was lost or doubled. `pause` and `cut` tell before that what the store (a
//! PostgreSQL that was started for this) and the CTIManager accepted of an instance that had been replaced.
//!
//! With `--groups N` so many call managers are served, each with its own election, by `--instances N` processes, of which
//! `--candidates N` may serve a group; each round the one that serves most of them is hit. Every group that it served is a
//! take-over. How the groups are spread is told, and how often a second the instances ask for their leases.
//!
//! A process that is paused in the middle of a write holds the file locked until it goes on: SQLite lets nobody else write,
//! so nobody can take over. Such rounds count as *held*: the process goes on after 10 s, nothing may be lost or doubled, and
//! their times are left out.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod cluster;
mod figures;
mod groups;
mod office;
mod round;
mod site;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use ringback_examples::instance::{self, Terms};
use ringback_examples::network;
use ringback_examples::stage::Store;

use crate::figures::Figures;
use crate::groups::{Groups, Plan};
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
    /// How many requests are pending; of each group, if there are several.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(20..=30_000))]
    pending: u32,
    /// How many rounds.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Serve so many groups, each a call manager of its own.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000))]
    groups: Option<u16>,
    /// How many instances serve the groups.
    #[arg(long, default_value_t = 3, requires = "groups", value_parser = clap::value_parser!(u8).range(2..=100))]
    instances: u8,
    /// How many of them may serve a group, beginning with another one for each group in turn.
    #[arg(long, default_value_t = 2, requires = "groups", value_parser = clap::value_parser!(u8).range(2..=100))]
    candidates: u8,
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
    if let Some(groups) = arguments.groups {
        return measure_groups(arguments, groups).await;
    }
    let hosts = arguments.fault == Fault::Cut;
    let mut site = Site::start(arguments.pending, &arguments.store, hosts).await?;
    // An instance that goes on after it was replaced may try to write.
    let witnessed = matches!(arguments.fault, Fault::Pause | Fault::Cut) && site.witness().is_some();
    if let Some(witness) = site.witness().filter(|_| witnessed) {
        witness.watch_writes()?;
    }
    let mut figures = Figures::default();
    for number in 1..=arguments.rounds {
        let round = round::play(&mut site, arguments.fault, number).await?;
        println!("round {number}: {round}");
        figures.add(round);
    }
    let mut late = 0;
    if let Some(witness) = site.witness().filter(|_| witnessed) {
        let writes = witness.writes()?;
        late = writes.late;
        let (effects, all) = (figures.escaped(), writes.all);
        println!("of instances that had been replaced: {late} of {all} writes, {effects} effects at phones");
    }
    site.stop().await?;
    println!("{figures}");
    Ok(late == 0 && figures.nothing_lost_or_doubled())
}

async fn measure_groups(arguments: &Arguments, groups: u16) -> Result<bool, Box<dyn std::error::Error>> {
    let Arguments { pending, instances, candidates, .. } = *arguments;
    if arguments.fault != Fault::Kill {
        return Err("with several groups the fault is kill".into());
    }
    let plan = Plan { groups, instances, candidates: candidates.min(instances), pending };
    let mut site = Groups::start(plan, &arguments.store).await?;
    println!("{groups} groups on {instances} instances: {}", site.spread().await?);
    println!("{}", site.lease_queries().await?);
    let mut figures = Figures::default();
    for number in 1..=arguments.rounds {
        let killed = site.play(number).await?;
        println!("round {number}: {killed}");
        for take_over in killed.take_overs {
            figures.add(take_over);
        }
    }
    site.stop()?;
    println!("{figures}");
    Ok(figures.nothing_lost_or_doubled())
}
