use std::collections::HashMap;
use std::future::poll_fn;
use std::time::Duration;

use ringback_db::Position;
use ringback_model::Epoch;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Config, Error, Notification, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connection::way_limit;
use crate::database::Options;
use crate::error::told;

/// Between two attempts to connect: the first comes at once.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Where the requests of each group stand.
const WRITTEN: &str = "SELECT group_name, epoch, revision, mark FROM epoch";

/// What has been heard of changes: hints when to look. What is written here is never the truth itself.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Which connection listens: another after each loss; zero before the first.
    pub(crate) generation: u64,
    /// Why nobody listens now.
    pub(crate) lost: Option<String>,
    /// Counts what was heard of the directory of each group.
    directory: HashMap<String, u64>,
    /// The latest revision of each group in the registry that was heard of.
    revisions: HashMap<String, u64>,
    /// Where the requests of each group stood when it was looked last.
    written: HashMap<String, Position>,
}

impl Heard {
    /// Counts what was heard of the directory of this group.
    pub(crate) fn directory(&self, group: &str) -> u64 {
        self.directory.get(group).copied().unwrap_or_default()
    }

    /// The latest revision of this group; zero if none was heard of.
    pub(crate) fn revision(&self, group: &str) -> u64 {
        self.revisions.get(group).copied().unwrap_or_default()
    }

    /// Where the requests of this group stood when it was looked last.
    pub(crate) fn written(&self, group: &str) -> Position {
        self.written.get(group).copied().unwrap_or(Position { epoch: Epoch(0), revision: 0, mark: 0 })
    }

    /// Whether a connection listens now.
    pub(crate) fn is_listening(&self) -> bool {
        self.generation > 0 && self.lost.is_none()
    }

    fn take(&mut self, notification: &Notification) {
        match notification.channel() {
            "ringback_directory" => {
                *self.directory.entry(notification.payload().to_owned()).or_default() += 1;
            }
            _ => {
                let Some((revision, group)) = notification.payload().split_once(' ') else { return };
                let Ok(revision) = revision.parse::<u64>() else { return };
                let known = self.revisions.entry(group.to_owned()).or_default();
                *known = revision.max(*known);
            }
        }
    }
}

/// A connection that listens, and is made anew whenever it is lost.
///
/// Notifications are lost while nobody listens: whoever waits compares [`Heard::generation`], which changes only once the
/// new connection listens, and reads everything anew.
pub(crate) struct Listener {
    heard: watch::Sender<Heard>,
    task: JoinHandle<()>,
}

impl Listener {
    pub(crate) fn start(config: Config, tls: MakeRustlsConnect, options: &Options) -> Self {
        let heard = watch::Sender::new(Heard::default());
        let ear = Ear {
            config,
            tls,
            probe_interval: options.probe_interval.to_duration(),
            patience: options.write_timeout.to_duration(),
            way_limit: way_limit(options),
            heard: heard.clone(),
        };
        Self { heard, task: tokio::spawn(ear.listen()) }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Heard> {
        self.heard.subscribe()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends the task when it is dropped.
struct Carrier(JoinHandle<()>);

impl Drop for Carrier {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Ear {
    config: Config,
    tls: MakeRustlsConnect,
    probe_interval: Duration,
    patience: Duration,
    /// How long connecting may take.
    way_limit: Duration,
    heard: watch::Sender<Heard>,
}

impl Ear {
    async fn listen(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let before = self.heard.borrow().generation;
            let reason = self.listen_once().await;
            let has_listened = {
                let mut after = before;
                self.heard.send_modify(|heard| {
                    after = heard.generation;
                    heard.lost = Some(reason);
                });
                after != before
            };
            if has_listened {
                pause = FIRST_PAUSE;
                continue;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn note_written(&self, rows: &[Row]) {
        let written: HashMap<String, Position> = rows.iter().filter_map(group_and_position).collect();
        self.heard.send_if_modified(|heard| {
            let modified = heard.written != written;
            heard.written = written;
            modified
        });
    }

    /// Listens over one connection until it is lost, and says why it was.
    async fn listen_once(&self) -> String {
        // A standby may be read, but those who act are not there.
        let silent = || "the server does not answer".to_owned();
        let connect = self.config.connect(self.tls.clone());
        let (client, mut connection) = match tokio::time::timeout(self.way_limit, connect).await {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => return told(&error),
            Err(_) => return silent(),
        };
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let _carrier = Carrier(tokio::spawn(async move {
            loop {
                let message = poll_fn(|context| connection.poll_message(context)).await;
                let message = match message {
                    Some(Ok(AsyncMessage::Notification(notification))) => Ok(notification),
                    Some(Ok(_)) => continue,
                    Some(Err(error)) => Err(told(&error)),
                    None => Err("the server closed the connection".to_owned()),
                };
                let is_over = message.is_err();
                if sender.send(message).is_err() || is_over {
                    return;
                }
            }
        }));
        let start = async {
            client.batch_execute("LISTEN ringback_directory; LISTEN ringback_registry").await?;
            // After LISTEN: what is changed from now on is heard.
            client.query("SELECT group_name, revision FROM registry_group", &[]).await
        };
        let revisions = match tokio::time::timeout(self.patience, start).await {
            Ok(Ok(rows)) => rows,
            Ok(Err(error)) => return why(&error, &mut receiver).await,
            Err(_) => return silent(),
        };
        self.heard.send_modify(|heard| {
            heard.generation += 1;
            heard.lost = None;
            heard.revisions = revisions
                .iter()
                .filter_map(|row| {
                    Some((row.try_get(0).ok()?, row.try_get::<_, i64>(1).ok()?.cast_unsigned()))
                })
                .collect();
        });
        loop {
            tokio::select! {
                message = receiver.recv() => match message {
                    Some(Ok(notification)) => self.heard.send_modify(|heard| heard.take(&notification)),
                    Some(Err(reason)) => return reason,
                    None => return "the server closed the connection".to_owned(),
                },
                // A link that is dead without a word looks like one on which nothing happens. What it is asked for is what
                // copies of the requests wait for.
                () = tokio::time::sleep(self.probe_interval) => {
                    match tokio::time::timeout(self.patience, client.query(WRITTEN, &[])).await {
                        Ok(Ok(rows)) => self.note_written(&rows),
                        Ok(Err(error)) => return why(&error, &mut receiver).await,
                        Err(_) => return silent(),
                    }
                }
            }
        }
    }
}

fn group_and_position(row: &Row) -> Option<(String, Position)> {
    let number = |index| Some(row.try_get::<_, i64>(index).ok()?.cast_unsigned());
    Some((
        row.try_get(0).ok()?,
        Position { epoch: Epoch(number(1)?), revision: number(2)?, mark: number(3)? },
    ))
}

/// Why a question failed. A client knows only that its connection is gone; what ended it is the last message of the carrier,
/// which ends right after it.
async fn why(error: &Error, receiver: &mut mpsc::UnboundedReceiver<Result<Notification, String>>) -> String {
    while error.is_closed() {
        match receiver.recv().await {
            Some(Ok(_)) => {}
            Some(Err(reason)) => return reason,
            None => break,
        }
    }
    told(error)
}
