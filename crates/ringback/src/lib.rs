//! Call Back as a service: the crate to depend on.
//!
//! It promises to own no algorithm: a [`Service`] carries events from the ports to the engine and the engine's outputs
//! to the ports, in order for each request. Nothing leaves it without the lease that the election gives, asked for
//! immediately before each effect; a request is durable before its caller is told; what was begun is brought to its end
//! before another instance takes over or the service stops; and whatever port is away, the service goes on with the
//! others and recovers by itself. It is one future, without tasks or threads of its own.
//!
//! # A small program
//!
//! A call manager of one's own is one trait. In this one A has just heard that 1002 is busy, and presses CallBack:
//!
//! ```
//! use std::{collections::VecDeque, net::Ipv4Addr, sync::Arc};
//!
//! use ringback::cti::{message::*, *};
//! use ringback::db::{DirectoryAdmin, MemoryDirectory, MemoryStore, PhoneConfig};
//! use ringback::{Config, Ports, Service, model::*};
//! use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
//!
//! struct Switch(VecDeque<ProviderEvent>, UnboundedSender<String>);
//!
//! #[async_trait::async_trait]
//! impl CtiProvider for Switch {
//!     fn capabilities(&self) -> Capabilities {
//!         Capabilities::new(Fencing::LeaseOnly, Dedup::None)
//!     }
//!     fn submit(&mut self, command: Command) {
//!         let idle = DeviceStatus { activity: Activity::Idle, do_not_disturb: false };
//!         self.0.push_back(match command {
//!             Command::Assume(_) => ProviderEvent::FeatureInvoked(FeatureInvocation {
//!                 invocation: InvocationId(1), feature: Feature::CallBack,
//!                 from: at("A", "1001"),
//!                 call: Some(CallId(1)), state: CallState::Busy, cause: Cause::USER_BUSY,
//!                 called: DirectoryNumber::new("1002").ok(),
//!             }),
//!             Command::OpenDevice(device) => ProviderEvent::Device { device, status: Some(idle) },
//!             Command::OpenLine(at) => ProviderEvent::LineOpened { at, calls: vec![] },
//!             Command::SendData { tag, content, .. } => {
//!                 let _gone = self.1.send(content);
//!                 ProviderEvent::Answer { tag, result: Ok(Answer::Done) }
//!             }
//!             _ => return,
//!         });
//!     }
//!     async fn next(&mut self) -> Option<ProviderEvent> {
//!         if self.0.is_empty() { std::future::pending().await } else { self.0.pop_front() }
//!     }
//! }
//!
//! fn at(name: &str, dn: &str) -> Appearance {
//!     let dn = DirectoryNumber::new(dn).unwrap();
//!     Appearance { device: DeviceName::new(name).unwrap(), line: LineId::new(Partition::default(), dn) }
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let directory = MemoryDirectory::new();
//!     for Appearance { device, line } in [at("A", "1001"), at("B", "1002")] {
//!         directory.put_phone(&Group::default(), &PhoneConfig::new(device, vec![line])).await?;
//!     }
//!     let store = MemoryStore::new(Arc::new(|| Timestamp(1_767_621_600_000)));
//!     let (sender, mut shown) = unbounded_channel();
//!     let ports = Ports::new(Switch(VecDeque::new(), sender), directory, store);
//!     let (service, handle) = Service::new(Config::new(Ipv4Addr::LOCALHOST.into(), 1), ports)?;
//!     tokio::spawn(service.run());
//!     assert!(shown.recv().await.unwrap().contains("CallBack is activated on 1002"));
//!     assert!(shown.recv().await.unwrap().contains("1002 has become available"));
//!     assert!(shown.recv().await.unwrap().contains("Play:CallBack.raw"));
//!     handle.stop();
//!     Ok(handle.ended().await)
//! }
//! ```
//!
//! # The ports
//!
//! | port | what it is | with [`Ports::new`] | to be had |
//! |---|---|---|---|
//! | [`cti::CtiProvider`] | the call manager: events, screens, calls | yours | [`cti_net::ClientProvider`] |
//! | [`db::Directory`] | phones, lines, parameters | yours | [`db::MemoryDirectory`], SQLite, PostgreSQL |
//! | [`db::ChangeFeed`] | what changes there | none: parameters are read at the start | with the directory; several in one with [`db::MergedFeed`] |
//! | [`db::RequestStore`] | requests, durable and fenced | yours | [`db::MemoryStore`], SQLite, PostgreSQL |
//! | [`election::Registry`] | where instances meet: membership, lease | [`election::MemoryRegistry`]: alone | SQLite, PostgreSQL |
//! | [`screen::ScreenRenderer`] | how screens look | [`screen::XmlRenderer`] | |
//! | [`serviceability::alarm::AlarmSink`] | who is told of alarms | [`serviceability::alarm::TracingSink`] | [`serviceability::alarm::FanOut`] |
//!
//! Two callbacks beside them put in force what the directory says of the program itself: [`Ports::on_parameters`], for the
//! client of CTIManagers ready-made as [`client_parameters`], and
//! [`Ports::on_settings`] for traces and alarms, ready-made as [`put_in_force`], which lists the names and values.
//!
//! # An instance
//!
//! ```text
//!                         lease granted               store claimed and read
//!   ┌─────────► Vacant ──────────────────► Entering ──────────────────────────► Held
//!   │  (joining, backup)                      │ ▲ tried again every 200 ms       │ ▲
//!   │                                         │ └── store away                   │ │ the other is gone: what
//!   │                                         │              lower address ready,│ │ happened meanwhile is
//!   │   lease unconfirmed, or fenced:         │              or told to stop     ▼ │ taken up
//!   ├────────── everything is dropped ────────┴──────────────────────────────  Draining
//!   │                                                                            │
//!   └──── lease given back ◄── everything begun is done, or 1 s has passed ──────┘
//! ```
//!
//! `Vacant` is `Joining` or `Backup` in [`Status::role`], `Entering` and `Held` are `Active`; an active one is
//! [`ready`](Status::ready) when all that its requests need has been opened and read. A backup keeps a copy of the requests,
//! if the store tells what is new ([`db::RequestStore::news`]): when it takes over it claims the store as ever, and then
//! reads only what the copy lacks, or everything if it does not fit.
#![forbid(unsafe_code)]

mod clock;
mod handle;
mod locator;
mod lookup;
mod opened;
mod phones;
mod service;
mod settings;
mod shared;
mod status;
mod story;
mod timing;
mod translate;
mod writer;

pub use handle::Handle;
pub use service::{Config, ConfigError, OnParameters, Ports, Service};
pub use settings::{OnSettings, SettingProblem, SettingRows, put_in_force};
pub use shared::SharedRegistry;
pub use status::Status;
pub use story::{LineUse, ScreenKind, Story, StoryEntry, StoryEvent};
pub use timing::client_parameters;

pub use ringback_callback as callback;
pub use ringback_cti as cti;
pub use ringback_cti_net as cti_net;
pub use ringback_db as db;
pub use ringback_election as election;
pub use ringback_model as model;
pub use ringback_screen as screen;
pub use ringback_serviceability as serviceability;
