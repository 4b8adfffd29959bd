//! The tokio shell of the CTI protocol: a client provider with failover, and a toolkit for whoever writes a CTIManager.
//!
//! It promises to add nothing to the protocol: every decision is made by the pure sessions of `ringback-cti`; this
//! crate moves their bytes and tells them the time. It keeps time by tokio's clock alone, so that a paused clock
//! stops it, and it runs in the caller's task: nothing is spawned behind the caller's back.
//!
//! A CTIManager of one phone, and an application that opens it:
//!
//! ```
//! use std::sync::Arc;
//!
//! use ringback_cti::message::{Activity, Answer, CtiError, DeviceStatus, ProviderOpen, Request};
//! use ringback_cti::{Command, CtiProvider, ProviderEvent};
//! use ringback_cti_net::*;
//! use ringback_model::{DeviceName, Epoch};
//!
//! struct OnePhone;
//!
//! impl CtiServer for OnePhone {
//!     fn provider_open(&self, link: &Link, open: ProviderOpen, reply: Reply) {
//!         reply.send(Ok(Answer::ProviderOpened { version: link.version(), heartbeat: open.heartbeat }));
//!     }
//!     fn request(&self, _link: &Link, request: Request, reply: Reply) {
//!         let status = DeviceStatus { activity: Activity::Idle, do_not_disturb: false };
//!         reply.send(match request {
//!             Request::DeviceOpen(device) if device.as_str() == "P1" => Ok(Answer::DeviceOpened(status)),
//!             Request::DeviceOpen(_) => Err(CtiError::DeviceRestricted),
//!             _ => Ok(Answer::Done),
//!         });
//!     }
//!     fn closed(&self, _link: LinkId) {}
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?.to_string();
//! tokio::spawn(listen(listener, Arc::new(OnePhone), ServerConfig::default()));
//!
//! let config = ClientConfig::new(vec![Manager::new("cti1", address)], "ringback", "secret".into());
//! let mut provider = ClientProvider::new(config, Arc::new(TcpConnector))?;
//! provider.submit(Command::Assume(Epoch(1)));
//! provider.submit(Command::OpenDevice(DeviceName::new("P1")?));
//! assert!(matches!(provider.next().await, Some(ProviderEvent::LinkUp { .. })));
//! assert!(matches!(provider.next().await, Some(ProviderEvent::Device { status: Some(_), .. })));
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod client;
mod clock;
mod sender;
mod server;

pub use client::{ClientControl, ClientProvider, Connector, Stream, TcpConnector};
pub use ringback_cti::session::{Config as ClientConfig, ConfigError, Manager};
pub use server::{
    BindError, CtiServer, Link, LinkId, Reply, ServeError, ServerConfig, bind, listen, serve_connection,
};
