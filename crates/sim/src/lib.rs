//! A simulated call manager: its phones, its CTIManagers, and the network to them.
//!
//! This crate promises that what a telephony engineer expects of a switch happens here, in the order in which a real
//! one would report it, and that the same actions at the same simulated times give the same event log. The call
//! processing ([`Switch`]) is a pure state machine; [`CallManager`] puts it behind a handle, runs its timers on
//! tokio's clock and hands its events to the applications; [`CtiManager`] is one CTIManager of it, and
//! [`SimNetwork`] the wires between CTIManagers and the instances of the service.
//!
//! ```
//! use ringback_model::{DeviceName, DirectoryNumber, LineId, Partition, Timestamp};
//! use ringback_sim::{Action, PhoneSetup, Switch, Tone};
//!
//! let mut switch = Switch::default();
//! for (name, number) in [("A", "1001"), ("B", "1002")] {
//!     let device = DeviceName::new(name)?;
//!     let lines = vec![LineId::new(Partition::default(), DirectoryNumber::new(number)?)];
//!     switch.add_phone(PhoneSetup { device, lines, calls_per_line: 1 })?;
//! }
//! let (a, b) = (DeviceName::new("A")?, DeviceName::new("B")?);
//! let now = Timestamp(0);
//! switch.act(now, &b, Action::Lifts)?;
//! switch.act(now, &a, Action::Calls { to: DirectoryNumber::new("1002")?, on: None })?;
//! assert_eq!(switch.hears(&a), Tone::Busy);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod applications;
mod call_manager;
mod cti_manager;
mod log;
mod network;
mod observe;
mod switch;
mod wire;

pub use call_manager::{Alert, CallManager, CallManagerConfig};
pub use cti_manager::{CtiManager, ManagerState};
pub use log::describe;
pub use network::{Cut, NodeConnector, SimNetwork};
pub use observe::{Observation, Observer};
pub use switch::{Action, ActionError, PhoneSetup, ScreenView, Switch, SwitchEvent, Tone};
