//! Lines from a person or a pipe.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustyline::error::ReadlineError;
use rustyline::{DefaultEditor, ExternalPrinter};
use tokio::sync::mpsc;

pub(crate) const HELP: &str = "\
Phones:     A calls 1002 [on 1001]    A answers    A hangs up [1002]    A lifts    A replaces
            A presses CallBack|Dial|Cancel|Exit|OK
            A forwards all to 1003    A forwards nothing    A dnd on    A dnd off
            A resets    A unregisters    A registers    A logs in    A logs out
Database:   add phone D 1004    remove phone D    set \"Call Back Recall Timer\" = 30s
Service:    kill node 127.0.0.1    stop node 127.0.0.1    start node 127.0.0.1
            pause node 127.0.0.1    resume node 127.0.0.1
            stop ctimanager cti1    freeze ctimanager cti1    start ctimanager cti1    stop store    start store
Time:       wait 20s
To look:    phones    requests    status    status --json
            explain (lists requests)    explain 1-1    explain 1-1 --scn [FILE]
To leave:   exit (or the end of the input)";

const PROMPT: &str = "ringback> ";

type Outside = Box<dyn FnMut(String) + Send>;

/// Prints without disturbing a line that is being typed.
#[derive(Clone)]
pub(crate) struct Printer(Option<Arc<Mutex<Outside>>>);

impl Printer {
    pub(crate) fn print(&self, text: String) {
        match &self.0 {
            Some(outside) => (outside.lock().unwrap_or_else(PoisonError::into_inner))(text),
            None => {
                print!("{text}");
                // A reader that is gone is met at the next line of input.
                let _ = io::stdout().flush();
            }
        }
    }
}

/// Where lines come from.
pub(crate) struct Prompt {
    lines: mpsc::UnboundedReceiver<String>,
    /// Allows the thread to ask for the next line.
    next: std::sync::mpsc::Sender<()>,
    printer: Printer,
}

impl Prompt {
    /// Begins to read. At a terminal lines can be edited, and are remembered in the folder.
    pub(crate) fn open(folder: &Path) -> Self {
        let (sender, lines) = mpsc::unbounded_channel();
        let (next, allowed) = std::sync::mpsc::channel();
        let mut outside = None;
        if io::stdin().is_terminal()
            && io::stdout().is_terminal()
            && let Ok(mut editor) = DefaultEditor::new()
        {
            if let Ok(mut printer) = editor.create_external_printer() {
                let print = move |text| {
                    // The terminal is gone: so will be the input.
                    let _ = printer.print(text);
                };
                outside = Some(Arc::new(Mutex::new(Box::new(print) as Outside)));
            }
            let history = folder.join("history.txt");
            thread::spawn(move || edit(&mut editor, &history, &sender, &allowed));
        } else {
            thread::spawn(move || {
                for line in io::stdin().lock().lines() {
                    let Ok(line) = line else { return };
                    if sender.send(line).is_err() || allowed.recv().is_err() {
                        return;
                    }
                }
            });
        }
        Self { lines, next, printer: Printer(outside) }
    }

    pub(crate) fn printer(&self) -> Printer {
        self.printer.clone()
    }

    /// The next line; `None` at the end of the input.
    pub(crate) async fn line(&mut self) -> Option<String> {
        self.lines.recv().await
    }

    /// Shows a line that no terminal has shown, so that what follows can be understood.
    pub(crate) fn echo(&self, line: &str) {
        if self.printer.0.is_none() {
            println!("{PROMPT}{line}");
        }
    }

    /// The last line has been dealt with.
    pub(crate) fn ready(&self) {
        // The thread is gone at the end of the input.
        let _ = self.next.send(());
    }
}

fn edit(
    editor: &mut DefaultEditor,
    history: &PathBuf,
    sender: &mpsc::UnboundedSender<String>,
    allowed: &std::sync::mpsc::Receiver<()>,
) {
    // There is none the first time.
    let _ = editor.load_history(history);
    loop {
        match editor.readline(PROMPT) {
            Ok(line) => {
                if !line.trim().is_empty() {
                    // Remembering is a convenience: a full disk must not end the session.
                    let _ = editor.add_history_entry(&line);
                    let _ = editor.save_history(history);
                }
                if sender.send(line).is_err() || allowed.recv().is_err() {
                    return;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(_) => return,
        }
    }
}
