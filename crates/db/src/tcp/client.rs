use std::time::Duration;

use ringback_model::Group;
use thiserror::Error;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::timeout;

use super::auth::{GREETING, SharedSecret};
use super::line::{self, MAX_LINE, NoLine};
use crate::feed::Table;

/// Why the service was not told.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// There is no connection; nothing was told.
    #[error("the service cannot be reached, nothing was told: {0}")]
    Unreachable(String),
    /// What answers there is not a listener of this version; nothing was told.
    #[error(
        "what listens there does not speak version 1 of change notification, nothing was told: check address and port"
    )]
    NoListener,
    /// The service refused; nothing was told.
    #[error("the service refuses: {0}")]
    Refused(String),
    /// The key cannot be sent in one line; nothing was told.
    #[error("the key cannot be sent: it is empty, too long or has a line feed: say resync instead")]
    Key,
    /// The connection is lost: what was sent last may have been told or not.
    #[error("the connection to the service is lost: connect again, and say resync first")]
    Lost,
}

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells a [`ChangeListener`](super::ChangeListener) of changes: for whoever provisions the directory. After the service
/// has answered, all its feeds of the group will report the change.
///
/// A call that is given up half way leaves the connection unusable: drop it.
#[derive(Debug)]
pub struct ChangeClient {
    stream: BufReader<TcpStream>,
}

impl ChangeClient {
    /// Connects and authenticates. What follows is about the group `default`. Whoever was not connected while the
    /// directory was written says [`resync`](Self::resync) first.
    ///
    /// # Errors
    /// It cannot be reached, is something else, or does not take the secret.
    pub async fn connect(address: impl ToSocketAddrs, secret: &SharedSecret) -> Result<Self, ClientError> {
        let stream = match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(connected) => connected.map_err(|error| ClientError::Unreachable(error.to_string()))?,
            Err(_) => return Err(ClientError::Unreachable("no answer in 10 s".to_owned())),
        };
        let mut client = Self { stream: BufReader::new(stream) };
        let greeting = client.read().await.map_err(|_| ClientError::NoListener)?;
        if let Some(why) = greeting.strip_prefix("ERR ") {
            return Err(ClientError::Refused(why.to_owned()));
        }
        if !greeting.starts_with(GREETING) {
            return Err(ClientError::NoListener);
        }
        client.say(&format!("AUTH {}", secret.proof(&greeting))).await?;
        Ok(client)
    }

    /// What follows is about this group.
    ///
    /// # Errors
    /// The service does not listen for this group.
    pub async fn group(&mut self, group: &Group) -> Result<(), ClientError> {
        self.say(&format!("GROUP {group}")).await
    }

    /// A row was changed, added or removed; its key is as in [`Change::Row`](crate::Change::Row).
    ///
    /// # Errors
    /// It was refused, or the connection is lost.
    pub async fn changed(&mut self, table: Table, key: &str) -> Result<(), ClientError> {
        let line = format!("CHANGED {} {key}", table.name());
        if key.is_empty() || line.len() >= MAX_LINE || key.contains('\n') || key.ends_with('\r') {
            return Err(ClientError::Key);
        }
        self.say(&line).await
    }

    /// Changes may have been missed: everything is to be read.
    ///
    /// # Errors
    /// It was refused, or the connection is lost.
    pub async fn resync(&mut self) -> Result<(), ClientError> {
        self.say("RESYNC").await
    }

    /// Keeps the connection open, and shows that it is.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn ping(&mut self) -> Result<(), ClientError> {
        self.say("PING").await
    }

    async fn say(&mut self, line: &str) -> Result<(), ClientError> {
        let line = format!("{line}\n");
        match timeout(PATIENCE, self.stream.write_all(line.as_bytes())).await {
            Ok(Ok(())) => {}
            _ => return Err(ClientError::Lost),
        }
        let answer = self.read().await.map_err(|_| ClientError::Lost)?;
        match answer.strip_prefix("ERR ") {
            None if answer == "OK" => Ok(()),
            Some(why) => Err(ClientError::Refused(why.to_owned())),
            None => Err(ClientError::Lost),
        }
    }

    async fn read(&mut self) -> Result<String, NoLine> {
        let line = line::read(&mut self.stream, PATIENCE, PATIENCE).await?;
        String::from_utf8(line).map_err(|_| NoLine::Closed)
    }
}
