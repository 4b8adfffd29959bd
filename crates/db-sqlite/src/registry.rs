use std::fmt;

use async_trait::async_trait;
use ringback_db::Clock;
use ringback_election::{Evidence, Intent, Ledger, Member, Registry, RegistryError, Report, Request, View};
use ringback_model::{Group, Millis, Timestamp};
use rusqlite::Connection;

use crate::connection::Connections;
use crate::error::Fault;
use crate::ledger;
use crate::lookout::Lookout;
use crate::uptime;

type Answer = Result<View, RegistryError>;

/// The registry of the election in a [`SqliteDatabase`](crate::SqliteDatabase), for the processes of one machine: the file
/// must not be shared between machines.
///
/// It has a connection of its own, so that a heartbeat waits for one write of this process at most. A call that finds the
/// file locked for longer than the busy time-out, the disk full, or another file in its place, is
/// [`NotDone`](RegistryError::NotDone). Heartbeats do not wait for the disk; an epoch that is given is on it.
///
/// A process that is paused in the middle of a write (a debugger, `SIGSTOP`) holds the file locked until it goes on or
/// ends: meanwhile nobody can take over, and nobody else can write requests either.
#[derive(Clone)]
pub struct SqliteRegistry {
    connections: Connections,
    /// If not the machine's own.
    clock: Option<Clock>,
    poll_interval: Option<Millis>,
}

impl SqliteRegistry {
    pub(crate) fn new(connections: Connections, clock: Option<Clock>, poll_interval: Option<Millis>) -> Self {
        Self { connections, clock, poll_interval }
    }

    /// Makes the calls, all in one transaction.
    async fn carry_out(&self, calls: Vec<(Group, Request)>) -> Result<Vec<Answer>, RegistryError> {
        let clock = self.clock.clone();
        let durable = calls.iter().any(|(_, request)| gives_an_epoch(request));
        let (answers, news) = self
            .connections
            .write_registry(durable, move |connection| {
                let now = match &clock {
                    Some(clock) => clock(),
                    None => uptime::anchored(connection)?,
                };
                let mut news = false;
                let answers: Result<Vec<Answer>, Fault<RegistryError>> = calls
                    .iter()
                    .map(|(group, request)| {
                        let (answer, changed) = carry_out(connection, now, group, request)?;
                        news |= changed;
                        Ok(answer)
                    })
                    .collect();
                Ok::<_, Fault<RegistryError>>((answers?, news))
            })
            .await?;
        if news {
            self.connections.registry_changed.send_replace(());
        }
        Ok(answers)
    }

    async fn one(&self, group: &Group, request: Request) -> Answer {
        let answers = self.carry_out(vec![(group.clone(), request)]).await?;
        answers.into_iter().next().unwrap_or_else(|| Err(RegistryError::NotDone("no answer".to_owned())))
    }
}

/// Only this must survive a loss of power: everything else ends with the processes.
fn gives_an_epoch(request: &Request) -> bool {
    matches!(request, Request::Tick(Report { intent: Intent::Acquire { .. }, .. }))
}

/// Carries out one call. What the rules refuse is an answer, and the heartbeat that came with it counts. Also whether
/// others should hear of it.
fn carry_out(
    connection: &Connection,
    now: Timestamp,
    group: &Group,
    request: &Request,
) -> Result<(Answer, bool), Fault<RegistryError>> {
    let before = match ledger::load(connection, group) {
        // Of this group only: the others go on.
        Err(Fault::Invalid(reason)) => return Ok((Err(RegistryError::Invalid(reason)), false)),
        loaded => loaded?,
    };
    let mut ledger = before.clone();
    let answer = ledger.apply(now, request);
    if ledger != before {
        ledger::save(connection, group, &before, &ledger)?;
    }
    Ok((answer, ledger.revision != before.revision))
}

/// The state of a group as it is now, with those gone whose time has passed.
fn read(connection: &Connection, clock: Option<&Clock>, group: &Group) -> Result<View, Fault<RegistryError>> {
    let now = match clock {
        Some(clock) => clock(),
        None => uptime::now(connection)?,
    };
    let mut ledger: Ledger = ledger::load(connection, group)?;
    Ok(ledger.read(now))
}

#[async_trait]
impl Registry for SqliteRegistry {
    async fn tick(&self, group: &Group, report: &Report) -> Answer {
        self.one(group, Request::Tick(*report)).await
    }

    async fn tick_all(&self, reports: &[(Group, Report)]) -> Vec<Answer> {
        let calls = reports.iter().map(|(group, report)| (group.clone(), Request::Tick(*report))).collect();
        match self.carry_out(calls).await {
            Ok(answers) => answers,
            Err(error) => reports.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn read(&self, group: &Group) -> Answer {
        let (group, clock) = (group.clone(), self.clock.clone());
        Ok(self.connections.read(move |connection| read(connection, clock.as_ref(), &group)).await?)
    }

    async fn expel(&self, group: &Group, by: &Member, dead: &Member, evidence: Evidence) -> Answer {
        self.one(group, Request::Expel { by: *by, dead: *dead, evidence }).await
    }

    async fn changed(&self, group: &Group, _member: &Member, seen: u64) {
        let wake = self.connections.registry_changed.subscribe();
        let mut lookout = Lookout::new(self.connections.clone(), self.poll_interval, wake);
        loop {
            let (group, clock) = (group.clone(), self.clock.clone());
            let look = move |connection: &rusqlite::Transaction<'_>, _| {
                read(connection, clock.as_ref(), &group).map(|view| view.revision)
            };
            if matches!(lookout.look(look).await, Ok(Some(revision)) if revision != seen) {
                return;
            }
            lookout.wait().await;
        }
    }
}

impl fmt::Debug for SqliteRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteRegistry").field("connections", &self.connections).finish_non_exhaustive()
    }
}
