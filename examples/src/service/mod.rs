//! One instance of the service as a process of its own, as a configuration file says.

mod call_manager;
mod check;
mod config;
mod dictionaries;
mod group;
mod parameters;
mod problem;
mod run;
mod secret;
mod status;
mod written;

pub use config::{
    AlarmConfig, ChangeNotificationConfig, DatabaseConfig, OwnAddress, PeersConfig, Secret, ServiceConfig,
    TraceConfig, UnknownGroup,
};
pub use dictionaries::{LoadError, load_dictionaries};
pub use group::{CtiConfig, CtiManagerConfig, GroupConfig, NoCandidate};
pub use parameters::{ParametersError, parameters};
pub use problem::ConfigError;
pub use run::{RunError, run};
pub use secret::{SecretFileError, secret};
pub use status::statuses;
