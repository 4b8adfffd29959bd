//! How a program ends that is told to by a signal.

use std::io::Read;

use rustix::process::{Pid, Signal, kill_process};

use crate::terminal::Program;

impl Program {
    /// Sends a signal and waits for the end: that it was clean, what it printed in all, and what it complained of.
    pub(crate) fn end(mut self, signal: Signal) -> (bool, Vec<String>, String) {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).expect("it runs");
        let clean = self.child.wait().expect("it ends").success();
        self.seen.extend(self.lines.iter());
        let mut complaints = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut complaints).expect("text");
        (clean, std::mem::take(&mut self.seen), complaints)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Only one that a failed test has left is still there.
        let _ended = self.child.kill();
    }
}
