//! One instance of the service as a process of its own, as a configuration file says.

mod call_manager;
mod check;
mod config;
mod dictionaries;
mod problem;
mod run;
mod secret;

pub use config::{
    AlarmConfig, ChangeNotificationConfig, CtiConfig, CtiManagerConfig, DatabaseConfig, Secret,
    ServiceConfig, TraceConfig,
};
pub use dictionaries::{LoadError, load_dictionaries};
pub use problem::ConfigError;
pub use run::{RunError, run};
pub use secret::{SecretFileError, secret};
