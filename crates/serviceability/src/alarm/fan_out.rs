use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use thiserror::Error;

use super::model::Alarm;
use super::severity::Severity;
use super::sink::AlarmSink;

/// Sends each alarm to every destination whose minimum level it reaches.
#[derive(Default)]
pub struct FanOut {
    destinations: Vec<Destination>,
}

struct Destination {
    name: String,
    sink: Arc<dyn AlarmSink>,
    minimum: RwLock<Option<Severity>>,
}

/// There is no destination of that name. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no alarm destination {found:?}: there are {known}")]
pub struct UnknownDestination {
    /// What was asked for.
    pub found: String,
    /// Those that exist.
    pub known: String,
}

impl FanOut {
    /// The same with one more destination, which gets alarms from this level up.
    #[must_use]
    pub fn to(mut self, name: impl Into<String>, minimum: Severity, sink: Arc<dyn AlarmSink>) -> Self {
        self.destinations.push(Destination { name: name.into(), sink, minimum: RwLock::new(Some(minimum)) });
        self
    }

    /// Changes the minimum level of a destination, at once; `None` sends it nothing.
    ///
    /// # Errors
    /// There is no such destination.
    pub fn set_minimum(&self, name: &str, minimum: Option<Severity>) -> Result<(), UnknownDestination> {
        let Some(destination) = self.destinations.iter().find(|destination| destination.name == name) else {
            let known: Vec<_> = self.destinations.iter().map(|one| one.name.as_str()).collect();
            return Err(UnknownDestination { found: name.to_owned(), known: known.join(", ") });
        };
        *destination.minimum.write().unwrap_or_else(PoisonError::into_inner) = minimum;
        Ok(())
    }

    /// The destinations and their minimum levels.
    #[must_use]
    pub fn minimums(&self) -> Vec<(&str, Option<Severity>)> {
        self.destinations.iter().map(|one| (one.name.as_str(), one.minimum())).collect()
    }
}

impl Destination {
    fn minimum(&self) -> Option<Severity> {
        *self.minimum.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AlarmSink for FanOut {
    fn alarm(&self, alarm: &Alarm) {
        let severity = alarm.name().severity();
        for destination in &self.destinations {
            if destination.minimum().is_some_and(|minimum| severity >= minimum) {
                destination.sink.alarm(alarm);
            }
        }
    }
}

impl fmt::Debug for FanOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.minimums()).finish()
    }
}
