//! Links between the instances of a group, so that a crash is known at once and not only when a lease has passed.
//!
//! This crate promises that who is called dead is dead. A living instance never closes a link, so only its kernel can,
//! when the process is gone, however it ended. Everything else proves nothing: time that passes, a reset on the way, a
//! host that is gone, a process that is paused, a network that is cut. What cannot be proven is left to the lease.
//!
//! Each instance listens at its own address and watches the others:
//!
//! ```text
//!   watcher                                    instance 10.0.0.1
//!      │ ── TCP connect ─────────────────────────► │
//!      │ ◄═ TLS 1.3, both show certificates ═════► │   beyond one machine
//!      │ ◄─ "ringback-peer 1 10.0.0.1#3f2a\n" ──── │   which run it is
//!      │              nothing more                 │
//!      │                                           ✝   killed: its kernel closes (FIN)
//!      │ ── TCP connect ─────────────────────────► │   refused, or another run answers: dead
//! ```
//!
//! Nothing is sent after the greeting: a process that dies with bytes unread is closed by a reset, which a box on the way can
//! send, too, and which therefore counts for nothing. A connection that was merely closed on the way is told apart by the
//! second connection: the living instance answers it.
//!
//! ```no_run
//! use ringback_election::{Evidence, Incarnation, Member};
//! use ringback_model::Timestamp;
//! use ringback_peer::{Config, PeerLinks};
//!
//! # async fn run(peer: Member) -> Result<(), ringback_peer::PeerError> {
//! let me = Member::new([127, 0, 0, 2].into(), Incarnation(7), Timestamp(0));
//! let links = PeerLinks::open(me, Config::default()).await?; // before the first report to the registry
//! // for every other member that the registry names:
//! links.closed(peer).await;
//! // handle.peer_died(peer, Evidence::LinkClosed)
//! # Ok(())
//! # }
//! ```
//!
//! [`own_address`] chooses the address of an instance among those of its machine.
#![forbid(unsafe_code)]

mod address;
mod closing;
mod error;
mod listener;
mod security;
mod wire;

pub use address::{AddressError, own_address};
pub use error::PeerError;
pub use security::{Credentials, Security};

use std::net::SocketAddr;
use std::sync::Arc;

use ringback_election::Member;
use ringback_model::Millis;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::security::Transport;

/// How an instance links with others. All instances of a group need the same port, and certificates of one authority.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The port at which every instance listens, at its own address. Default 2553.
    pub port: u16,
    /// How links are protected. Default: only within one machine.
    pub security: Security,
    /// How long making a link may take, until the other has said who it is. In ms, default 1000.
    pub connect_timeout: Millis,
    /// The longest time between two attempts to link with an instance that cannot be reached; the first ones come sooner. In
    /// ms, default 250.
    pub retry_interval: Millis,
    /// So many links of others are held; further ones are turned away, and those who make them wait for the lease. Default 256.
    pub max_links: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 2553,
            security: Security::default(),
            connect_timeout: Millis(1000),
            retry_interval: Millis(250),
            max_links: 256,
        }
    }
}

/// The links of one run of an instance.
///
/// Keep it until the instance has stopped acting: to the others, its end is the instance's death.
#[derive(Debug)]
#[must_use = "the others take the instance for dead when this is dropped"]
pub struct PeerLinks {
    me: Member,
    at: SocketAddr,
    config: Config,
    transport: Arc<Transport>,
    watched: watch::Receiver<usize>,
    listener: AbortHandle,
}

impl PeerLinks {
    /// Listens for the others. Do it before the first report to the registry, so that whoever is found there can be
    /// linked with.
    ///
    /// # Errors
    /// The address cannot be listened at, or is not of this machine alone and the links would not be protected.
    pub async fn open(me: Member, config: Config) -> Result<Self, PeerError> {
        let transport = Arc::new(config.security.transport(me.address)?);
        let (count, watched) = watch::channel(0);
        let (at, listener) = listener::listen(me, &config, Arc::clone(&transport), count).await?;
        Ok(Self { me, at, config, transport, watched, listener })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.at
    }

    /// How many links of others there are now: so many would know at once of this instance's death.
    #[must_use]
    pub fn watched_by(&self) -> watch::Receiver<usize> {
        self.watched.clone()
    }

    /// Returns when this very run of another instance is certainly dead: it was linked with, its kernel closed the link, and
    /// it is no longer at its address. Never returns for a run with which there was no link. Cancel-safe.
    ///
    /// Report it as [`Evidence::LinkClosed`](ringback_election::Evidence::LinkClosed).
    pub async fn closed(&self, peer: Member) {
        if peer.is(&self.me) {
            return std::future::pending().await;
        }
        closing::closed(&self.transport, &self.config, peer).await;
    }
}

impl Drop for PeerLinks {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
