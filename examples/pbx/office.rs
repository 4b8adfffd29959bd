//! The process of the service, started, killed and watched.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use ringback::callback::Record;
use ringback::db::RequestStore;
use ringback::model::Group;
use ringback_db_sqlite::{Options, SqliteDatabase};
use ringback_pbx_lab::Server;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::stage::{Failure, PATIENCE};

/// What the process has told.
#[derive(Debug, Default)]
struct Told {
    ready: bool,
    connected: bool,
    /// The alerts that were sent to each phone, by their ids, over all its lives.
    alerts: BTreeMap<String, Vec<String>>,
}

impl Told {
    fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["ready", ready, connected] => {
                (self.ready, self.connected) = (ready == "true", connected == "true");
            }
            ["alert", device, id] => {
                self.alerts.entry(device.to_owned()).or_default().push(id.to_owned());
            }
            _ => {}
        }
    }
}

/// How the process is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// How long a recall rings.
    pub(crate) ring: Duration,
    /// How long after the server's start a line that looks free is not believed.
    pub(crate) proof: Duration,
}

/// The service. It is killed with this value.
pub(crate) struct Office {
    folder: TempDir,
    rules: Rules,
    manager: String,
    login: (&'static str, &'static str),
    life: u64,
    running: Option<(Child, JoinHandle<()>)>,
    told: watch::Sender<Told>,
    /// The same file, read beside the process.
    database: SqliteDatabase,
}

impl Office {
    /// Starts the service at this server, and waits until it is ready.
    pub(crate) async fn open(server: &Server, rules: Rules) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let options = Options::default();
        let database = SqliteDatabase::open(folder.path().join("ringback.db"), options).await?;
        let mut office = Self {
            folder,
            rules,
            manager: server.manager(),
            login: server.login(),
            life: 0,
            running: None,
            told: watch::Sender::default(),
            database,
        };
        office.start().await?;
        Ok(office)
    }

    /// Starts it, and waits until it is ready.
    pub(crate) async fn start(&mut self) -> Result<(), Failure> {
        self.life += 1;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("instance")
            .arg(self.folder.path())
            .args([&self.manager, self.login.0, self.login.1, &self.life.to_string()])
            .args(["--ring", &self.rules.ring.as_millis().to_string()])
            .args(["--proof", &self.rules.proof.as_millis().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no pipe")?;
        let told = self.told.clone();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                told.send_modify(|told| told.take(&line));
            }
        });
        self.running = Some((child, reader));
        self.until("the service to be ready", |told| told.ready && told.connected).await
    }

    /// `kill -9`. What it said until then has been taken.
    pub(crate) fn kill(&mut self) {
        if let Some((mut child, reader)) = self.running.take() {
            // An error means that it has ended.
            let _ended = child.kill();
            let _ended = child.wait();
            let _ended = reader.join();
            self.told.send_modify(|told| (told.ready, told.connected) = (false, false));
        }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|(child, _)| child.id())
    }

    /// Waits until it has lost the server.
    pub(crate) async fn is_disconnected(&self) -> Result<(), Failure> {
        self.until("the service to notice the loss", |told| !told.connected).await
    }

    /// Waits until it has the server again, and all that it needs has been read.
    pub(crate) async fn is_connected(&self) -> Result<(), Failure> {
        self.until("the service to connect again", |told| told.connected).await
    }

    async fn until(&self, what: &str, holds: impl Fn(&Told) -> bool) -> Result<(), Failure> {
        let mut told = self.told.subscribe();
        let wait = timeout(PATIENCE, told.wait_for(|told| holds(told)));
        // The sender lives in this.
        let _seen = wait.await.map_err(|_| format!("waited in vain for {what}"))?;
        Ok(())
    }

    /// The alerts that were sent to this phone since the last time, by their ids: one that was sent again is there twice.
    pub(crate) fn take_alerts(&self, phone: &str) -> Vec<String> {
        let mut alerts = Vec::new();
        self.told.send_if_modified(|told| {
            alerts = told.alerts.remove(phone).unwrap_or_default();
            false
        });
        alerts
    }

    /// The requests that are stored.
    pub(crate) async fn requests(&self) -> Result<Vec<Record>, Failure> {
        Ok(self.database.store().load(&Group::default()).await?)
    }

    /// Whether a request of this phone is stored.
    pub(crate) async fn holds_request_of(&self, phone: &str) -> Result<bool, Failure> {
        Ok(self.requests().await?.iter().any(|record| record.caller.device.as_str() == phone))
    }

    /// Waits until no request of this phone is stored.
    pub(crate) async fn ended_request_of(&self, phone: &str) -> Result<(), Failure> {
        let ended = async {
            while self.holds_request_of(phone).await? {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(())
        };
        timeout(PATIENCE, ended).await.map_err(|_| format!("the request of {phone} does not end"))?
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.kill();
    }
}
