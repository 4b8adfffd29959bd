use std::sync::Arc;

use ringback_cti::message::{Answer, CtiError, Request};
use ringback_model::{Epoch, Timestamp};

use crate::switch::{Switch, SwitchEvent};

/// What an [`Observer`] is told, in the order in which it happens.
#[derive(Debug)]
#[non_exhaustive]
pub enum Observation<'a> {
    /// Something happened at the switch.
    Switch(&'a SwitchEvent),
    /// An application has asked for something, and was answered. What follows from it at the switch is told next.
    Request {
        /// The application's name, as it opened its provider.
        application: &'a str,
        /// The epoch it acts in; zero: it only stands by.
        epoch: Epoch,
        /// What it asked for.
        request: &'a Request,
        /// The answer.
        result: &'a Result<Answer, CtiError>,
        /// The switch after that.
        switch: &'a Switch,
    },
}

/// Told of everything while it happens, and sees more than any application: for whoever checks invariants. It must not
/// call the call manager.
pub type Observer = Arc<dyn Fn(Timestamp, &Observation<'_>) + Send + Sync>;
