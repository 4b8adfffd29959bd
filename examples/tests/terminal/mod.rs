//! The `ringback` program, talked to through pipes.

#[path = "../built/mod.rs"]
mod built;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use self::built::example;

/// How long a program may print nothing; only a program that hangs takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, to be talked to.
pub(crate) fn program() -> Command {
    let mut command = example("ringback");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running program: what it prints, line by line.
pub(crate) struct Program {
    pub(crate) child: Child,
    input: ChildStdin,
    pub(crate) lines: Receiver<String>,
    pub(crate) seen: Vec<String>,
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the example is built");
        let input = child.stdin.take().expect("a pipe");
        let output = child.stdout.take().expect("a pipe");
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, input, lines, seen: Vec::new() }
    }

    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("the program reads");
    }

    /// Waits for a line that holds this text.
    pub(crate) fn see(&mut self, text: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(_) => panic!("never saw {text:?}; saw:\n{}", self.seen.join("\n")),
            }
        }
    }
}
