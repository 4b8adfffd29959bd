//! One instance of the service as a process of its own, as a configuration file says.

mod check;
mod config;
mod dictionaries;
mod problem;
mod run;

pub use config::{
    AlarmConfig, ChangeNotificationConfig, CtiConfig, CtiManagerConfig, DatabaseConfig, ServiceConfig,
    TraceConfig,
};
pub use dictionaries::{LoadError, load_dictionaries};
pub use problem::ConfigError;
pub use run::{RunError, run};
