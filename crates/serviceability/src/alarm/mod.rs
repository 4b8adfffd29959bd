//! Alarms: what an operator must know.
//!
//! ```
//! use std::sync::Arc;
//! use ringback_model::Timestamp;
//! use ringback_serviceability::alarm::{Report, AlarmName, AlarmParameter, Damping, MemorySink, Reporter};
//!
//! let seen = Arc::new(MemorySink::default());
//! let reporter = Reporter::new(Damping::default(), seen.clone());
//! let lost = || Report::new(AlarmName::CtiLost).with(AlarmParameter::Manager, "cti1");
//! reporter.report(Timestamp(1000), lost());
//! reporter.report(Timestamp(2000), lost()); // nothing new
//! assert_eq!(seen.names(), [AlarmName::CtiLost]);
//! ```

mod catalogue;
mod fan_out;
mod model;
mod reporter;
mod severity;
mod sink;
mod table;

pub use catalogue::{AlarmKind, AlarmName, AlarmNameError, AlarmParameter, Condition};
pub use fan_out::{FanOut, UnknownDestination};
pub use model::{Alarm, AlarmValue, Report};
pub use reporter::Reporter;
pub use severity::{Severity, SeverityError};
pub use sink::{AlarmSink, MemorySink, TracingSink};
pub use table::{AlarmTable, Damping};
