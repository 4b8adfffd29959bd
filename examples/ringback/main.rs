//! Call Back on one machine and without a server to install. Without arguments: the service on a SQLite file, a
//! simulated call manager whose CTIManager is reached over real TCP, three phones, and a prompt that takes the actions
//! of the scenario language. With `--config`: one instance of the service alone, for a real deployment. `simulator`: the
//! simulated call manager alone.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod arguments;
mod demo;
mod display;
mod explain;
mod prompt;
mod session;
mod site;
mod status;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use ringback_examples::service::{self, ServiceConfig};

use crate::arguments::Arguments;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.config {
        Some(file) => serve(file, arguments.check).await,
        None => session::run(&arguments).await.map_err(Into::into),
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
async fn serve(file: &Path, check: bool) -> Result<(), Box<dyn std::error::Error>> {
    let config = ServiceConfig::read(file)?;
    if check {
        println!("{}: nothing to object to", file.display());
        return Ok(());
    }
    service::run(config, |ready| println!("{ready}")).await?;
    Ok(())
}
