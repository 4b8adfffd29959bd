//! Change notification over TCP, for sites whose database cannot notify (feature `tcp`): whoever provisions the directory
//! tells the service what was changed. The listener of *CBB Change Notification TCP Port*, 2552.
//!
//! [`ChangeListener`] takes the connections, [`TcpFeed`] is the [`ChangeFeed`](crate::ChangeFeed) of a group, and
//! [`ChangeClient`] is for provisioning tools. [`RebindingTcpFeed`] has a listener of its own, which follows the parameter;
//! with [`SharedListeners`] those of several groups share theirs.
//!
//! # The protocol, version 1
//!
//! Lines of UTF-8, at most [`MAX_LINE`] bytes with their line feed; a carriage return before it is ignored. The listener
//! speaks first, then answers every line with one: `OK`, or `ERR` and why.
//!
//! ```text
//! < RINGBACK-CHANGES 1 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! > AUTH 3c1e…                        HMAC-SHA256 of the line above, by the shared secret, 64 hexadecimal digits
//! < OK
//! > CHANGED phone SEP001122334455     a table and the key of a row: the rest of the line
//! < OK                                every instance of the service that listens here will read it anew
//! > CHANGED line inside/1001
//! < OK
//! ```
//!
//! | line | |
//! |---|---|
//! | `AUTH MAC` | first of all, once. The number in the greeting is another each time: a recorded line is of no use |
//! | `GROUP NAME` | what follows is about this group; at first it is `default` |
//! | `CHANGED TABLE KEY` | a row was changed, added or removed; tables as [`Table::name`](crate::Table::name) tells, a table that is not known means: read everything |
//! | `RESYNC` | changes may have been missed, as after a lost connection: read everything |
//! | `PING` | nothing; keeps an idle connection open |
//!
//! After `ERR` the connection is closed if it was not authenticated, a line was too long, or took too long.
//!
//! The secret keeps strangers from making the service read; it does not hide what is sent, nor protect it from somebody
//! who can change packets on their way. The worst that such a one can do is to make the service read the directory, or
//! not read it until the next `RESYNC`.

mod auth;
mod client;
mod converse;
mod feed;
mod limits;
mod line;
mod listener;
mod rebinding;
mod shared;

pub use auth::{SecretError, SharedSecret};
pub use client::{ChangeClient, ClientError};
pub use feed::TcpFeed;
pub use limits::TcpLimits;
pub use line::MAX_LINE;
pub use listener::{ChangeListener, ListenError};
pub use rebinding::{RebindingTcpFeed, TcpPort};
pub use shared::SharedListeners;
