use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::connection::{Answer, Connections, Question};
use crate::error::{Fault, code};
use crate::wire::{AuthAnswer, GrantAnswer, KeepAliveAnswer, LeaseId, Refusal, Streamed, TxnAnswer, text};

/// The server takes its time to compare passwords, on purpose.
const LOGIN_PATIENCE: Duration = Duration::from_secs(5);

/// The longest that etcd lets a lease last.
const LONGEST_SECONDS: u64 = 9_000_000_000;

/// The calls to etcd that are needed here. Logs in, and again whenever the server has forgotten it.
pub(crate) struct Client {
    connections: Arc<Connections>,
    login: Option<(String, SecretString)>,
    token: Mutex<Option<HeaderValue>>,
    pub(crate) clock: Clock,
}

/// A lease of etcd that was granted, and how long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) id: LeaseId,
    pub(crate) seconds: u64,
}

impl Client {
    pub(crate) fn new(connections: Arc<Connections>, login: Option<(String, SecretString)>) -> Self {
        Self { connections, login, token: Mutex::default(), clock: Clock::new() }
    }

    /// All of `operations`, or none, and none unless everything is as in `compares`.
    pub(crate) async fn transaction(
        &self,
        compares: &[Value],
        operations: &[Value],
    ) -> Result<TxnAnswer, Fault> {
        let body = json!({ "compare": compares, "success": operations });
        self.call("/v3/kv/txn", &body).await
    }

    /// A lease of this length at least.
    pub(crate) async fn grant(&self, seconds: u64) -> Result<Granted, Fault> {
        let body = json!({ "TTL": seconds.clamp(1, LONGEST_SECONDS).to_string() });
        let answer: GrantAnswer = self.call("/v3/lease/grant", &body).await?;
        let seconds = u64::try_from(answer.ttl).unwrap_or_default();
        Ok(Granted { id: LeaseId(answer.id), seconds })
    }

    /// Makes a lease last its length from now; `false`: it is over.
    pub(crate) async fn keep_alive(&self, lease: LeaseId) -> Result<bool, Fault> {
        let body = json!({ "ID": lease.0.to_string() });
        let answer: Streamed<KeepAliveAnswer> = match self.call("/v3/lease/keepalive", &body).await {
            Ok(answer) => answer,
            Err(fault) if fault.is_lease_gone() => return Ok(false),
            Err(fault) => return Err(fault),
        };
        match answer {
            Streamed { result: Some(answer), .. } => Ok(answer.ttl > 0),
            Streamed { error, .. } => {
                let fault = error.unwrap_or_default().into_fault();
                if fault.is_lease_gone() { Ok(false) } else { Err(fault) }
            }
        }
    }

    /// All changes of keys from one up to before another, from now on, as lines of JSON.
    pub(crate) async fn watch(&self, (from, to): &(String, String)) -> Result<Response<Incoming>, Fault> {
        let body = json!({ "create_request": { "key": text(from), "range_end": text(to) } });
        let body = Bytes::from(body.to_string());
        let token = self.token().await?;
        let question = Question { path: "/v3/watch", body: &body, token: token.as_ref() };
        self.connections.stream(question).await
    }

    /// The next call logs in anew: the server does not know us any more.
    pub(crate) async fn forget_login(&self) {
        *self.token.lock().await = None;
    }

    async fn call<T: DeserializeOwned>(&self, path: &'static str, body: &Value) -> Result<T, Fault> {
        let body = Bytes::from(body.to_string());
        let mut may_log_in_again = self.login.is_some();
        loop {
            let token = self.token().await?;
            let question = Question { path, body: &body, token: token.as_ref() };
            match self.ask(question, self.connections.patience()).await {
                // It was not carried out.
                Err(fault) if may_log_in_again && fault.is_of_login() => {
                    may_log_in_again = false;
                    let mut known = self.token.lock().await;
                    if *known == token {
                        *known = None;
                    }
                }
                other => return other,
            }
        }
    }

    async fn ask<T: DeserializeOwned>(&self, question: Question<'_>, patience: Duration) -> Result<T, Fault> {
        let server = self.connections.preferred();
        let Answer { status, date, body } = self.connections.ask(question, patience).await?;
        if let Some(date) = date {
            self.clock.learn_date(&date);
        }
        let fault = if status == StatusCode::OK {
            match serde_json::from_slice(&body) {
                Ok(answer) => return Ok(answer),
                Err(error) => Fault::Invalid(format!("an answer to {} is garbled ({error})", question.path)),
            }
        } else {
            refused(status, &body)
        };
        if fault.is_of_this_server() {
            self.connections.turn_away(server);
        }
        Err(fault)
    }

    /// What proves who we are, if that is asked for.
    async fn token(&self) -> Result<Option<HeaderValue>, Fault> {
        let Some((user, password)) = &self.login else { return Ok(None) };
        // One login for all who wait.
        let mut known = self.token.lock().await;
        if known.is_none() {
            let body = json!({ "name": user, "password": password.expose_secret() });
            let body = Bytes::from(body.to_string());
            let question = Question { path: "/v3/auth/authenticate", body: &body, token: None };
            let patience = self.connections.patience().max(LOGIN_PATIENCE);
            let answer: AuthAnswer = self.ask(question, patience).await?;
            let mut token = HeaderValue::from_str(&answer.token)
                .map_err(|error| Fault::Invalid(format!("the token of the login is garbled ({error})")))?;
            token.set_sensitive(true);
            *known = Some(token);
        }
        Ok(known.clone())
    }
}

impl Refusal {
    pub(crate) fn into_fault(self) -> Fault {
        let reason = if self.message.is_empty() { "no reason is given".to_owned() } else { self.message };
        Fault::Refused { code: self.code, reason }
    }
}

fn refused(status: StatusCode, body: &[u8]) -> Fault {
    match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) if refusal.code != 0 => refusal.into_fault(),
        _ => {
            let said: String = String::from_utf8_lossy(body).trim().chars().take(200).collect();
            Fault::Invalid(format!("it answers {status}, {said:?}"))
        }
    }
}

impl Fault {
    /// The server does not know who asks (any more): it was restarted, the login is old, or users were changed since.
    pub(crate) fn is_of_login(&self) -> bool {
        match self {
            Self::Refused { code: code::UNAUTHENTICATED, .. } => true,
            Self::Refused { code: code::INVALID_ARGUMENT, reason } => reason.contains("auth"),
            _ => false,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("connections", &self.connections).finish_non_exhaustive()
    }
}
