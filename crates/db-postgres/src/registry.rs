use async_trait::async_trait;
use ringback_election::{Evidence, Member, Registry, RegistryError, Report, Request, View};
use ringback_model::Group;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::connection::{Connections, Role};
use crate::error::{Effect, Fault};
use crate::ledger::{AnswerRow, CallRow};

type Answer = Result<View, RegistryError>;

/// The registry of the election in a [`PostgresDatabase`](crate::PostgresDatabase), for instances on any number of machines.
///
/// The rules are carried out by the server, in one exchange for any number of groups, and with its own clock: an instance
/// that is paused in the middle of a call holds nothing up. Everything that is confirmed is on the server's disk. It has
/// connections of its own, so that a heartbeat does not queue behind the writes.
#[derive(Debug, Clone)]
pub struct PostgresRegistry {
    connections: Connections,
}

impl PostgresRegistry {
    pub(crate) fn new(connections: Connections) -> Self {
        Self { connections }
    }

    /// Makes the calls, all in one exchange.
    async fn carry_out(&self, calls: &[(&Group, Request)]) -> Result<Vec<Answer>, RegistryError> {
        // A number that the database cannot hold is the fault of its own call only.
        let rows: Vec<Result<CallRow<'_>, RegistryError>> = calls
            .iter()
            .map(|(group, request)| CallRow::of(group, request).map_err(RegistryError::from))
            .collect();
        let sent: Vec<&CallRow<'_>> = rows.iter().flatten().collect();
        let query = "SELECT registry_calls($1)";
        let told = self.connections.query(Role::Registry, Effect::Write, query, &[&Json(sent)]).await?;
        let mut told = told.iter();
        Ok(rows
            .iter()
            .zip(calls)
            .map(|(row, (_, request))| match row {
                Ok(_) => Ok(answer(told.next()).and_then(|answer| answer.answer(request))?),
                Err(error) => Err(error.clone()),
            })
            .collect())
    }

    /// The same; if it fails, it does so for each.
    async fn all(&self, calls: &[(&Group, Request)]) -> Vec<Answer> {
        if calls.is_empty() {
            return Vec::new();
        }
        match self.carry_out(calls).await {
            Ok(answers) => answers,
            Err(error) => calls.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn one(&self, group: &Group, request: Request) -> Answer {
        let answers = self.carry_out(&[(group, request)]).await?;
        answers.into_iter().next().unwrap_or_else(|| Err(RegistryError::NotDone("no answer".to_owned())))
    }
}

fn answer(row: Option<&Row>) -> Result<AnswerRow, Fault<RegistryError>> {
    let Some(row) = row else { return Err(Fault::Invalid("the registry gave no answer".to_owned())) };
    let Json(answer) = row.try_get(0).map_err(|error| Fault::of(Effect::None, &error))?;
    Ok(answer)
}

#[async_trait]
impl Registry for PostgresRegistry {
    async fn tick(&self, group: &Group, report: &Report) -> Answer {
        self.one(group, Request::Tick(*report)).await
    }

    async fn tick_all(&self, reports: &[(Group, Report)]) -> Vec<Answer> {
        let calls: Vec<_> = reports.iter().map(|(group, report)| (group, Request::Tick(*report))).collect();
        self.all(&calls).await
    }

    async fn call_all(&self, calls: &[(Group, Request)]) -> Vec<Answer> {
        let calls: Vec<_> = calls.iter().map(|(group, request)| (group, *request)).collect();
        self.all(&calls).await
    }

    async fn read(&self, group: &Group) -> Answer {
        let query = "SELECT registry_read($1)";
        let rows = self.connections.query(Role::Registry, Effect::None, query, &[&group.as_str()]).await?;
        Ok(answer(rows.first()).and_then(|answer| answer.view())?)
    }

    async fn expel(&self, group: &Group, by: &Member, dead: &Member, evidence: Evidence) -> Answer {
        self.one(group, Request::Expel { by: *by, dead: *dead, evidence }).await
    }

    /// Without a question to the server: notifications carry the revision.
    async fn changed(&self, group: &Group, _member: &Member, seen: u64) {
        let mut heard = self.connections.listener.subscribe();
        // Never an error: the sender lives in the connections.
        drop(heard.wait_for(|heard| heard.is_listening() && heard.revision(group.as_str()) > seen).await);
    }
}
