//! The CTI protocol model: what a call manager's CTIManager and an application say to each other.
//!
//! This crate promises to be pure: no sockets, no clock, no threads. Bytes and the present time go in, bytes, events
//! and the next wake-up time come out (OL-4660-01, chapter 4, "CTIManager interface").
//!
//! - [`message`]: what is said; [`codec`]: its bytes, with a diagram of each message;
//! - [`session`]: the application's side of a link, [`server`]: the CTIManager's;
//! - [`CtiProvider`]: the port behind which a call manager stands. A PBX with a protocol of its own implements it and
//!   uses nothing else of this crate than its words.
//!
//! ```text
//!   application                                                          CTIManager
//!   Command ──► Session ──► codec ──► bytes ─────► codec ──► ServerSession ──► ServerOutput
//!   ProviderEvent ◄──┘  ◄── codec ◄── bytes ◄───── codec ◄──┘   ◄── answer, event
//! ```
//!
//! Both sides of a link, without a socket: an application that acts in epoch 1 opens a phone.
//!
//! ```
//! use ringback_cti::message::{Activity, Answer, DeviceStatus, Request};
//! use ringback_cti::server::{ServerOutput, ServerParameters, ServerSession};
//! use ringback_cti::session::{Config, Manager, Output, Session};
//! use ringback_cti::{Command, ProviderEvent};
//! use ringback_model::{DeviceName, Epoch, Millis, Timestamp};
//!
//! let now = Timestamp(1_000);
//! let phone = DeviceName::new("SEP001122334455")?;
//! let config = Config::new(vec![Manager::new("cti1", "127.0.0.1:2748")], "ringback", "secret".into());
//! let mut application = Session::new(now, config)?;
//! let mut manager = ServerSession::new(now, ServerParameters::default());
//! application.submit(now, Command::Assume(Epoch(1)));
//! application.submit(now, Command::OpenDevice(phone.clone()));
//!
//! let status = DeviceStatus { activity: Activity::Idle, do_not_disturb: false };
//! let (mut link, mut reports) = (None, Vec::new());
//! while reports.len() < 2 {
//!     while let Some(output) = application.poll_output() {
//!         match output {
//!             Output::Connect { attempt, .. } => {
//!                 application.connected(now, attempt); // it is, at once
//!                 link = Some(attempt);
//!             }
//!             Output::Disconnect { .. } => link = None,
//!             Output::Event(report) => reports.push(report),
//!             _ => {}
//!         }
//!     }
//!     manager.received(now, application.transmit());
//!     while let Some(output) = manager.poll_output() {
//!         let (sequence, answer) = match output {
//!             ServerOutput::Open { sequence, version, .. } => {
//!                 (sequence, Answer::ProviderOpened { version, heartbeat: Millis::from_secs(30) })
//!             }
//!             ServerOutput::Request { sequence, request: Request::DeviceOpen(_) } => {
//!                 (sequence, Answer::DeviceOpened(status))
//!             }
//!             ServerOutput::Request { sequence, .. } => (sequence, Answer::Done),
//!             _ => continue,
//!         };
//!         manager.answer(now, sequence, Ok(answer));
//!     }
//!     if let Some(link) = link {
//!         application.received(now, link, manager.transmit());
//!     }
//! }
//! assert!(matches!(&reports[0], ProviderEvent::LinkUp { manager, .. } if manager == "cti1"));
//! assert_eq!(reports[1], ProviderEvent::Device { device: phone, status: Some(status) });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod calls;
pub mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod message;
mod provider;
pub mod server;
pub mod session;

pub use calls::{CallTable, Occupancy};
pub use provider::{
    Capabilities, Command, CtiProvider, DataId, Dedup, Delivery, Fencing, LinkLoss, Placing, ProviderEvent,
    RequestFailure, Tag,
};
