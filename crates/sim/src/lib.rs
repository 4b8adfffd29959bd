//! A simulated call manager: its phones, its CTIManagers, and the network to them.
//!
//! This crate promises that what a telephony engineer expects of a switch happens here, in the order in which a real
//! one would report it, and that the same actions at the same simulated times give the same event log. The call
//! processing ([`Switch`]) is a pure state machine; [`CallManager`] puts it behind a handle, runs its timers on
//! tokio's clock and hands its events to the applications; [`CtiManager`] is one CTIManager of it, and
//! [`SimNetwork`] the wires between CTIManagers and the instances of the service.
#![forbid(unsafe_code)]

mod applications;
mod call_manager;
mod cti_manager;
mod log;
mod network;
mod switch;
mod wire;

pub use call_manager::{Alert, CallManager, CallManagerConfig};
pub use cti_manager::{CtiManager, ManagerState};
pub use network::{Cut, NodeConnector, SimNetwork};
pub use switch::{Action, ActionError, PhoneSetup, ScreenView, Switch, SwitchEvent, Tone};
