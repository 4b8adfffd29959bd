//! Replays a recorded manager-interface stream: `replay FILE --request CALLER:CALLED:busy@T` or `--watch DN`.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use ringback_examples::replay::{Arguments, ReplayError, run};

fn main() -> ExitCode {
    match Arguments::try_parse().map_err(ReplayError::from).and_then(|a| run(&a, &mut std::io::stdout())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(ReplayError::Arguments(error)) => error.exit(),
        Err(error) => {
            // Nothing can be done about a closed standard error.
            let _ = writeln!(std::io::stderr(), "replay: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
