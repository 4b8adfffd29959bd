//! Call Back on one machine and without a server to install. Without arguments: the service on a SQLite file, a
//! simulated call manager whose CTIManager is reached over real TCP, three phones, and a prompt that takes the actions
//! of the scenario language. With `--config`: one instance of the service alone, for a real deployment; `status`,
//! `parameters` and `doctor` look after it. `simulator`: the simulated call manager alone.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod arguments;
mod demo;
mod display;
mod explain;
mod prompt;
mod session;
mod site;
mod status;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use ringback_examples::asterisk::{Examination, examine};
use ringback_examples::service::{self, ServiceConfig};

use crate::arguments::{Arguments, Task};

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.task() {
        Task::Doctor { config, group } => return doctor(config, group).await,
        Task::Serve { config, check } => serve(config, check).await,
        Task::Parameters { config, group, name, value } => parameters(config, group, name, value).await,
        Task::Status { config, group, json } => statuses(config, group, json).await,
        Task::Play => session::run(&arguments).await.map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ringback: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One instance of the service, until it is told to stop.
async fn serve(file: &Path, check: bool) -> Result<(), Failure> {
    let config = ServiceConfig::read(file)?;
    if check {
        println!("{}: nothing to object to", file.display());
        return Ok(());
    }
    // A thread of the runtime hears of an event and goes on with it; this one would have to be woken for each.
    tokio::spawn(service::run(config, |ready| println!("{ready}"))).await??;
    Ok(())
}

async fn parameters(
    file: &Path,
    group: Option<&str>,
    name: Option<&str>,
    value: Option<&str>,
) -> Result<(), Failure> {
    let config = ServiceConfig::read(file)?;
    print!("{}", service::parameters(&config, group, name, value).await?);
    Ok(())
}

async fn statuses(file: &Path, group: Option<&str>, json: bool) -> Result<(), Failure> {
    let config = ServiceConfig::read(file)?;
    config.chosen(group)?;
    let are_several = config.groups.len() > 1;
    let folder = config.database.locks.unwrap_or_else(|| PathBuf::from("."));
    let mut statuses = service::statuses(&folder)
        .await
        .map_err(|error| format!("{}: cannot be read: {error}; see [database] locks", folder.display()))?;
    statuses.retain(|status| group.is_none_or(|group| status.group.as_str() == group));
    println!("{}", if json { status::json(&statuses) } else { status::text(&statuses, are_several) });
    Ok(())
}

/// Whether it could look, and found nothing, is told by the exit status.
async fn doctor(file: &Path, group: Option<&str>) -> ExitCode {
    const BLIND: u8 = 2;
    match examined(file, group).await {
        Ok(examinations) => {
            let wants: Vec<Option<bool>> = examinations.iter().map(Examination::wants_changes).collect();
            match (wants.contains(&None), wants.contains(&Some(true))) {
                (true, _) => ExitCode::from(BLIND),
                (_, true) => ExitCode::FAILURE,
                _ => ExitCode::SUCCESS,
            }
        }
        Err(error) => {
            eprintln!("ringback: {error}");
            ExitCode::from(BLIND)
        }
    }
}

/// Looks at each Asterisk that is chosen, and prints what it finds; at least at one.
async fn examined(file: &Path, group: Option<&str>) -> Result<Vec<Examination>, Failure> {
    let config = ServiceConfig::read(file)?;
    let chosen = config.chosen(group)?;
    let mut examinations = Vec::new();
    for group in &chosen {
        let Some(asterisk) = &group.asterisk else { continue };
        if chosen.len() > 1 {
            println!("{}[{}]", if examinations.is_empty() { "" } else { "\n" }, group.name);
        }
        let secret = service::secret(asterisk.secret.as_ref(), asterisk.secret_file.as_deref())?;
        let section = if config.groups.len() > 1 { "group.asterisk" } else { "asterisk" };
        let examination = examine(section, asterisk, secret.unwrap_or_default()).await;
        println!("{examination}");
        examinations.push(examination);
    }
    match (examinations.is_empty(), group) {
        (false, _) => Ok(examinations),
        (true, None) => Err(format!("{}: there is no [asterisk] to look at", file.display()).into()),
        (true, Some(group)) => {
            Err(format!("{}: group {group} has no [group.asterisk] to look at", file.display()).into())
        }
    }
}
