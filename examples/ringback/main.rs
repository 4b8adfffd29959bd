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
        Task::Doctor { config } => return doctor(config).await,
        Task::Serve { config, check } => serve(config, check).await,
        Task::Parameters { config, name, value } => parameters(config, name, value).await,
        Task::Status { config, json } => statuses(config, json).await,
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

async fn parameters(file: &Path, name: Option<&str>, value: Option<&str>) -> Result<(), Failure> {
    let config = ServiceConfig::read(file)?;
    print!("{}", service::parameters(&config, name, value).await?);
    Ok(())
}

async fn statuses(file: &Path, json: bool) -> Result<(), Failure> {
    let config = ServiceConfig::read(file)?;
    let folder = config.database.locks.unwrap_or_else(|| PathBuf::from("."));
    let statuses = service::statuses(&folder)
        .await
        .map_err(|error| format!("{}: cannot be read: {error}; see [database] locks", folder.display()))?;
    println!("{}", if json { status::json(&statuses) } else { status::text(&statuses) });
    Ok(())
}

/// Whether it could look, and found nothing, is told by the exit status.
async fn doctor(file: &Path) -> ExitCode {
    const BLIND: u8 = 2;
    match examined(file).await {
        Ok(examination) => {
            println!("{examination}");
            match examination.wants_changes() {
                Some(false) => ExitCode::SUCCESS,
                Some(true) => ExitCode::FAILURE,
                None => ExitCode::from(BLIND),
            }
        }
        Err(error) => {
            eprintln!("ringback: {error}");
            ExitCode::from(BLIND)
        }
    }
}

async fn examined(file: &Path) -> Result<Examination, Failure> {
    let config = ServiceConfig::read(file)?;
    let Some(asterisk) = &config.asterisk else {
        return Err(format!("{}: there is no [asterisk] to look at", file.display()).into());
    };
    let secret = service::secret(asterisk.secret.as_ref(), asterisk.secret_file.as_deref())?;
    Ok(examine(asterisk, secret.unwrap_or_default()).await)
}
