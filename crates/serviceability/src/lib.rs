//! Alarms and traces.
//!
//! This crate promises that an alarm says what happened, how bad it is and what to do about it, once and not a thousand
//! times; that levels and destinations change while the service runs; that a full disk stops the traces and never the
//! service; and that no number or name of a person leaves it unless the program asked for that
//! ([`ringback_model::reveal_personal_data`]).
//!
//! - [`alarm`]: the [catalogue](alarm::AlarmName), the pure [`AlarmTable`](alarm::AlarmTable) that joins repeated and
//!   fluttering reports, and the [sinks](alarm::AlarmSink);
//! - [`trace`]: fields and levels over `tracing`, and files that rotate.
//!
//! Libraries only use the macros of `tracing`, with the [targets](trace::target) named here; only a program installs.
//!
//! ```
//! use std::sync::Arc;
//!
//! use ringback_model::Timestamp;
//! use ringback_serviceability::alarm::{
//!     AlarmName, AlarmParameter, Damping, FanOut, MemorySink, Report, Reporter, Severity, TracingSink,
//! };
//!
//! // Everything goes to the traces; what is a warning or worse to the operator, too.
//! let operator = Arc::new(MemorySink::default());
//! let alarms = FanOut::default()
//!     .to("traces", Severity::Informational, Arc::new(TracingSink))
//!     .to("operator", Severity::Warning, operator.clone());
//! let reporter = Reporter::new(Damping::default(), Arc::new(alarms));
//!
//! let lost = || Report::new(AlarmName::CtiLost).with(AlarmParameter::Manager, "cti1");
//! reporter.report(Timestamp(1000), lost());
//! reporter.report(Timestamp(2000), lost());
//! assert_eq!(operator.names(), [AlarmName::CtiLost], "it is told once");
//! assert_eq!(reporter.standing().len(), 1, "and stands until it is cleared");
//! ```
//!
//! ```text
//! report ──► AlarmTable ── nothing new: counted ──► held_back of the next alarm
//!               │ news
//!               ▼
//!            Alarm ──► FanOut ──► each sink whose minimum level it reaches
//! ```
#![forbid(unsafe_code)]

pub mod alarm;
pub mod trace;
