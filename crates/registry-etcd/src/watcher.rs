use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::error::Fault;
use crate::keys::Keys;
use crate::wire::{Streamed, WatchAnswer};

/// Between two attempts: the first comes at once.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// More than any change that is told.
const LONGEST_LINE: usize = 16 << 20;

/// What has been heard of changes: hints when to look. What is written here is never the truth itself.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    is_listening: bool,
    /// What happened up to this revision was not heard, as nobody listened.
    since: i64,
    /// The latest revision of each group that was heard of.
    revisions: HashMap<String, i64>,
}

impl Heard {
    pub(crate) fn is_listening(&self) -> bool {
        self.is_listening
    }

    /// Up to which revision something may have happened in this group.
    pub(crate) fn revision(&self, group: &str) -> i64 {
        self.revisions.get(group).copied().unwrap_or_default().max(self.since)
    }
}

/// A connection over which changes are heard, made anew whenever it is lost.
pub(crate) struct Watcher {
    heard: watch::Sender<Heard>,
    task: JoinHandle<()>,
}

impl Watcher {
    pub(crate) fn start(client: Arc<Client>, keys: Keys) -> Self {
        let heard = watch::Sender::new(Heard::default());
        let ear = Ear { client, keys, heard: heard.clone() };
        Self { heard, task: tokio::spawn(ear.listen()) }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Heard> {
        self.heard.subscribe()
    }

    pub(crate) fn revision(&self, group: &str) -> i64 {
        self.heard.borrow().revision(group)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Ear {
    client: Arc<Client>,
    keys: Keys,
    heard: watch::Sender<Heard>,
}

impl Ear {
    async fn listen(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let fault = self.listen_once().await;
            if fault.is_of_login() {
                self.client.forget_login().await;
            }
            let has_listened = self.heard.borrow().is_listening;
            self.heard.send_modify(|heard| heard.is_listening = false);
            pause = if has_listened { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
            tokio::time::sleep(pause).await;
        }
    }

    /// Listens over one connection until it is lost, and says why it was.
    async fn listen_once(&self) -> Fault {
        let mut body = match self.client.watch(&self.keys.of_all()).await {
            Ok(response) => response.into_body(),
            Err(fault) => return fault,
        };
        let lost = |reason: String| Fault::Lost(format!("nothing is heard of changes any more ({reason})"));
        let mut lines = Lines::default();
        loop {
            let data = match body.frame().await {
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                Some(Err(error)) => return lost(error.to_string()),
                None => return lost("the server closed the connection".to_owned()),
            };
            for line in lines.take(&data) {
                match serde_json::from_slice(&line) {
                    Ok(Streamed { result: Some(answer), .. }) => {
                        if let Err(fault) = self.heard(&answer) {
                            return fault;
                        }
                    }
                    Ok(Streamed::<WatchAnswer> { error, .. }) => {
                        return error.unwrap_or_default().into_fault();
                    }
                    Err(error) => return lost(error.to_string()),
                }
            }
            if lines.rest.len() > LONGEST_LINE {
                return lost("a change is told at too great length".to_owned());
            }
        }
    }

    fn heard(&self, answer: &WatchAnswer) -> Result<(), Fault> {
        if answer.canceled {
            return Err(Fault::Lost("the server does not tell of changes".to_owned()));
        }
        self.heard.send_modify(|heard| {
            if answer.created {
                // From now on everything is heard.
                *heard = Heard { is_listening: true, since: answer.header.revision, ..Heard::default() };
            }
            for event in &answer.events {
                if let Some((group, _)) = self.keys.place(&event.kv.key) {
                    let known = heard.revisions.entry(group.to_owned()).or_default();
                    *known = event.kv.mod_revision.max(*known);
                }
            }
        });
        Ok(())
    }
}

/// Puts lines together.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn take(&mut self, data: &[u8]) -> Vec<Vec<u8>> {
        self.rest.extend_from_slice(data);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        let lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(<[u8]>::to_vec).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_pieces() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(b"on"), Vec::<Vec<u8>>::new());
        assert_eq!(lines.take(b"e\n\ntwo\nth"), [b"one".to_vec(), b"two".to_vec()]);
        assert_eq!(lines.take(b"ree\n"), [b"three".to_vec()]);
        assert!(lines.rest.is_empty());
    }
}
