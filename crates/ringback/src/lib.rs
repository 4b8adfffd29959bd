//! Call Back as a service: the crate to depend on.
//!
//! It promises to own no algorithm: a [`Service`] carries events from the ports to the engine and the engine's outputs
//! to the ports, under the lease that the election gives it.
#![forbid(unsafe_code)]

mod clock;
mod handle;
mod locator;
mod lookup;
mod opened;
mod phones;
mod service;
mod status;
mod story;
mod translate;
mod writer;

pub use handle::Handle;
pub use service::{Config, ConfigError, OnParameters, Ports, Service};
pub use status::Status;
pub use story::{LineUse, ScreenKind, Story, StoryEntry, StoryEvent};

pub use ringback_callback as callback;
pub use ringback_cti as cti;
pub use ringback_cti_net as cti_net;
pub use ringback_db as db;
pub use ringback_election as election;
pub use ringback_model as model;
pub use ringback_screen as screen;
pub use ringback_serviceability as serviceability;
