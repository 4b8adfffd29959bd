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
#![forbid(unsafe_code)]

pub mod alarm;
pub mod trace;
