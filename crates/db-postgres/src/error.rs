use std::error::Error as StdError;

use deadpool_postgres::{PoolError, TimeoutType};
use ringback_db::{AdminError, DirectoryError, RowError, StoreError};
use ringback_election::RegistryError;
use thiserror::Error as ThisError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// Why a database was not opened. Unless a variant says otherwise nothing was changed. `place` is where it is, without the
/// password.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum OpenError {
    /// The address is malformed.
    #[error(
        "the address of the database {reason}: write postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full"
    )]
    Address {
        /// What is wrong, without the address, which may hold a password.
        reason: String,
    },
    /// The certificates that are to prove the server cannot be used.
    #[error("the certificates of {path} cannot be used ({reason}): name a PEM file with sslrootcert")]
    Certificates {
        /// Where they were looked for.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// Nobody answers there.
    #[error(
        "{place} cannot be reached ({reason}): check host, port and firewall, and that PostgreSQL runs there"
    )]
    Unreachable {
        /// Where.
        place: String,
        /// What the system says.
        reason: String,
    },
    /// The encrypted connection did not come about.
    #[error(
        "no encrypted connection to {place} ({reason}): check the server's certificate and sslrootcert, or choose another \
         sslmode"
    )]
    Tls {
        /// Where.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// User or password are wrong, or the server does not let this user in from here.
    #[error("{place} refuses the login ({reason}): check user, password and the server's pg_hba.conf")]
    Login {
        /// Where.
        place: String,
        /// What the server says.
        reason: String,
    },
    /// The server has no such database.
    #[error("{place} does not exist: CREATE DATABASE ... OWNER ... ENCODING 'UTF8', or name another one")]
    NoDatabase {
        /// Where.
        place: String,
    },
    /// The server only answers questions.
    #[error("{place} is a standby and cannot be written: name the primary, or all hosts separated by commas")]
    Standby {
        /// Where.
        place: String,
    },
    /// The server does not take another connection, or none yet.
    #[error("{place} takes no connection now ({reason}): try again, or raise max_connections")]
    Busy {
        /// Where.
        place: String,
        /// What the server says.
        reason: String,
    },
    /// The server or the database is not of the kind that is needed.
    #[error("{place} cannot be used: {reason}")]
    Unsuitable {
        /// Where.
        place: String,
        /// What is needed.
        reason: String,
    },
    /// The user may not make or use the tables.
    #[error("{place}: the user lacks a right ({reason}): make it the owner of the database")]
    Rights {
        /// Where.
        place: String,
        /// What the server says.
        reason: String,
    },
    /// The schema is older than this version needs, and was not to be brought up to date.
    #[error("{place} has schema {found}, this version needs {known}: open it once with `migrate` allowed")]
    OlderSchema {
        /// Where.
        place: String,
        /// Its schema.
        found: i32,
        /// The schema of this version.
        known: i32,
    },
    /// A newer version of ringback has written the database.
    #[error(
        "{place} has schema {found}, this version knows schemas up to {known}: run the newer version, or name another \
         database"
    )]
    NewerSchema {
        /// Where.
        place: String,
        /// Its schema.
        found: i32,
        /// The newest schema of this version.
        known: i32,
    },
    /// The schema could not be brought up to date; it is as it was.
    #[error(
        "the schema of {place} could not be brought up to date ({reason}), it is as it was: give ringback a database of its \
         own, or restore this one from a backup"
    )]
    Migration {
        /// Where.
        place: String,
        /// What went wrong.
        reason: String,
    },
    /// Anything else.
    #[error("{place} could not be opened: {reason}")]
    Other {
        /// Where.
        place: String,
        /// What the server says.
        reason: String,
    },
}

impl OpenError {
    pub(crate) fn new(place: &str, error: &Error) -> Self {
        let (place, reason) = (place.to_owned(), told(error));
        let Some(code) = error.code() else {
            let text = error.to_string();
            return if text.contains("TLS") || reason.contains("TLS") {
                Self::Tls { place, reason }
            } else if text.contains("authentication") || text.contains("invalid configuration") {
                Self::Login { place, reason }
            } else if reason.contains("not allow writes") || reason.contains("read-only") {
                Self::Standby { place }
            } else {
                Self::Unreachable { place, reason }
            };
        };
        match *code {
            SqlState::INVALID_CATALOG_NAME => Self::NoDatabase { place },
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                Self::Login { place, reason }
            }
            SqlState::CANNOT_CONNECT_NOW | SqlState::TOO_MANY_CONNECTIONS => Self::Busy { place, reason },
            SqlState::READ_ONLY_SQL_TRANSACTION => Self::Standby { place },
            SqlState::INSUFFICIENT_PRIVILEGE => Self::Rights { place, reason },
            _ => Self::Other { place, reason },
        }
    }
}

/// Whether what was sent may have had an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    Write,
}

/// Why a call did not do what it was asked, before it has the words of its port. `E` is what the port itself refuses.
#[derive(Debug, ThisError)]
pub(crate) enum Fault<E> {
    /// Nothing was changed; later it may work.
    #[error("{0}")]
    Unavailable(String),
    /// The write may have happened or not.
    #[error("{0}")]
    OutcomeUnknown(String),
    /// A person must look; nothing was changed.
    #[error("{0}")]
    Invalid(String),
    /// Refused; nothing was changed.
    #[error("refused")]
    Refused(E),
}

impl<E> Fault<E> {
    /// A value that cannot be; told without the value, which may be personal.
    pub(crate) fn invalid(table: &str, column: &str, reason: impl std::fmt::Display) -> Self {
        Self::Invalid(format!("table {table}, column {column}: {reason}"))
    }

    /// The connection is gone, or the server was silent for too long.
    pub(crate) fn lost(effect: Effect, reason: String) -> Self {
        match effect {
            Effect::None => Self::Unavailable(reason),
            Effect::Write => Self::OutcomeUnknown(reason),
        }
    }

    /// What the server, or the way to it, said to a statement.
    pub(crate) fn of(effect: Effect, error: &Error) -> Self {
        let reason = told(error);
        let Some(code) = error.code() else {
            let text = error.to_string();
            // The answer came and is not what it should be.
            return if text.contains("column") || text.contains("parameter") || text.contains("rows") {
                Self::Invalid(format!("{text}: {reason}"))
            } else {
                Self::lost(effect, format!("the connection is lost ({reason})"))
            };
        };
        let advice = match *code {
            SqlState::QUERY_CANCELED | SqlState::LOCK_NOT_AVAILABLE => "it took too long",
            SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => {
                "it collided with another: try again"
            }
            SqlState::DISK_FULL => "the disk of the server is full: free some space",
            SqlState::READ_ONLY_SQL_TRANSACTION => "the server is a standby and cannot be written",
            SqlState::TOO_MANY_CONNECTIONS | SqlState::OUT_OF_MEMORY => "the server is overloaded",
            SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN => {
                return Self::lost(effect, reason);
            }
            _ => match &code.code()[..2] {
                // The server goes down, or the session was ended: the commit may have been made.
                "57" | "08" | "58" | "XX" => {
                    return Self::lost(effect, format!("the server ended the session ({reason})"));
                }
                "53" => "the server is short of something",
                _ => return Self::Invalid(reason),
            },
        };
        Self::Unavailable(format!("{advice} ({reason})"))
    }

    /// No connection was to be had: nothing was sent.
    pub(crate) fn unreached(error: &PoolError) -> Self {
        Self::Unavailable(match error {
            PoolError::Timeout(TimeoutType::Wait) => "all connections are in use".to_owned(),
            PoolError::Timeout(_) => "the server does not answer".to_owned(),
            PoolError::Backend(error) => told(error),
            other => other.to_string(),
        })
    }
}

/// What an error says, with its causes, but without what the server adds in detail: that may be personal.
pub(crate) fn told(error: &Error) -> String {
    if let Some(refusal) = error.as_db_error() {
        return refusal.message().to_owned();
    }
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

impl From<RowError> for Fault<StoreError> {
    fn from(error: RowError) -> Self {
        Self::invalid("request", error.column, error.reason)
    }
}

impl From<Fault<StoreError>> for StoreError {
    fn from(fault: Fault<StoreError>) -> Self {
        match fault {
            Fault::Unavailable(reason) => Self::Unavailable(reason),
            Fault::OutcomeUnknown(reason) => Self::OutcomeUnknown(reason),
            Fault::Invalid(reason) => Self::Invalid(reason),
            Fault::Refused(error) => error,
        }
    }
}

impl From<Fault<AdminError>> for AdminError {
    fn from(fault: Fault<AdminError>) -> Self {
        match fault {
            Fault::Unavailable(reason) => Self::Unavailable(reason),
            Fault::OutcomeUnknown(reason) => Self::OutcomeUnknown(reason),
            Fault::Invalid(reason) => Self::Invalid(reason),
            Fault::Refused(error) => error,
        }
    }
}

impl From<Fault<DirectoryError>> for DirectoryError {
    fn from(fault: Fault<DirectoryError>) -> Self {
        match fault {
            Fault::Unavailable(reason) | Fault::OutcomeUnknown(reason) => Self::Unavailable(reason),
            Fault::Invalid(reason) => Self::Invalid(reason),
            Fault::Refused(error) => error,
        }
    }
}

impl From<Fault<RegistryError>> for RegistryError {
    fn from(fault: Fault<RegistryError>) -> Self {
        match fault {
            Fault::Unavailable(reason) => Self::NotDone(reason),
            Fault::OutcomeUnknown(reason) => Self::OutcomeUnknown(reason),
            Fault::Invalid(reason) => Self::Invalid(reason),
            Fault::Refused(error) => error,
        }
    }
}
