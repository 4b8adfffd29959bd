//! The targets of `tracing` events, one a trace field.

/// The CTI link: provider, devices, lines, calls.
pub const CTI: &str = "ringback::cti";
/// The screens.
pub const SCREEN: &str = "ringback::screen";
/// The dictionaries of the screens.
pub const DICTIONARY: &str = "ringback::dictionary";
/// Election, leases, hand-over.
pub const REDUNDANCY: &str = "ringback::redundancy";
/// Change notification of the directory.
pub const CHANGE_NOTIFICATION: &str = "ringback::change_notification";
/// The Call Back handler: requests, queues, turns.
pub const HANDLER: &str = "ringback::handler";
/// Directory and request store.
pub const DATABASE: &str = "ringback::database";
/// Status of the instances.
pub const MONITORING: &str = "ringback::monitoring";
/// Alarms that are sent to the traces. No trace field: their level is that of the alarm destination.
pub const ALARM: &str = "ringback::alarm";
