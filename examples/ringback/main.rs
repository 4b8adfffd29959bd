//! Call Back to play with, on one machine and without a server to install: the service on a SQLite file, a simulated
//! call manager whose CTIManager is reached over real TCP, three phones, and a prompt that takes the actions of the
//! scenario language.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod demo;
mod display;
mod prompt;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::demo::Demo;
use crate::display::Display;
use crate::prompt::Prompt;

/// Call Back with a simulated call manager: type `help` at the prompt.
#[derive(Parser)]
struct Arguments {
    /// The folder for the database and the traces. It is made if it does not exist.
    #[arg(long, default_value = "ringback-data", value_name = "FOLDER")]
    data: PathBuf,
    /// The port on 127.0.0.1 at which the simulated CTIManager listens; 0 takes any that is free.
    #[arg(long, default_value_t = 2748, value_name = "PORT")]
    cti_port: u16,
    /// A folder of dictionaries (`*.xml`) that replace the built-in ones of their locales.
    #[arg(long, value_name = "FOLDER")]
    dictionaries: Option<PathBuf>,
    /// Write numbers and names of phones into the traces.
    #[arg(long)]
    reveal_personal_data: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    ringback_model::reveal_personal_data(arguments.reveal_personal_data);
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ringback: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), demo::DemoError> {
    let mut demo =
        Demo::start(&arguments.data, arguments.cti_port, arguments.dictionaries.as_deref()).await?;
    let mut prompt = Prompt::open(&arguments.data);
    let mut display = Display::new(demo.call_manager().clone(), prompt.printer());
    println!("{}", demo.introduction());
    display.show_all();
    loop {
        let line = tokio::select! {
            line = prompt.line() => line,
            () = display.follow() => continue,
        };
        let Some(line) = line else { break };
        prompt.echo(&line);
        match line.trim() {
            "help" | "?" => println!("{}", prompt::HELP),
            "exit" | "quit" => break,
            "phones" => display.show_all(),
            "requests" => println!("{}", demo.requests().await),
            "status" => println!("{}", demo.status()),
            text => {
                let acted = tokio::select! {
                    acted = demo.act(text) => acted,
                    () = display.follow_for_ever() => continue,
                };
                if let Err(error) = acted {
                    println!("{error}");
                }
                display.show_changes();
            }
        }
        prompt.ready();
    }
    demo.stop().await;
    Ok(())
}
