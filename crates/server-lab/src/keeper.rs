use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::error::LabError;

/// A small process beside this one that ends the server when this one is gone, however it ended: the pipe between them is
/// closed by the kernel.
#[derive(Debug)]
pub struct Keeper {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Keeper {
    /// Begins to keep a server, by a shell script that answers each line of its standard input with one, and ends with it;
    /// the folder and the words of the server's command are its arguments. The folder is removed at the end.
    ///
    /// # Errors
    /// There is no shell.
    pub fn new(script: &str, folder: &Path, server: &[OsString]) -> Result<Self, LabError> {
        let mut child = Command::new("sh")
            .args(["-c", script, "keeper"])
            .arg(folder)
            .args(server)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Not what a terminal sends to everybody in the foreground.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("no pipes"));
        };
        Ok(Self { child, orders: Some(orders), answers: BufReader::new(answers) })
    }

    /// Gives an order, and waits until it is carried out.
    ///
    /// # Errors
    /// It is gone.
    pub fn order(&mut self, order: &str) -> Result<(), LabError> {
        let Some(orders) = &mut self.orders else { return Err(failed("it is over")) };
        writeln!(orders, "{order}").and_then(|()| orders.flush()).map_err(failed)?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).map_err(failed)?;
        if answer.is_empty() { Err(failed("it is gone")) } else { Ok(()) }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The end of its orders is the order to end.
        self.orders = None;
        let _ = self.child.wait();
    }
}

fn failed(said: impl ToString) -> LabError {
    LabError::Program { program: "sh".to_owned(), said: said.to_string() }
}
