//! The tokio shell of the CTI protocol: a client provider with failover, and a toolkit for whoever writes a CTIManager.
//!
//! It promises to add nothing to the protocol: every decision is made by the pure sessions of `ringback-cti`; this
//! crate moves their bytes and tells them the time. It keeps time by tokio's clock alone, so that a paused clock
//! stops it, and it runs in the caller's task: nothing is spawned behind the caller's back.
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
