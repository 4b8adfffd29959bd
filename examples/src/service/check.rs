//! What values must be together.

use ringback::election::ParameterError;
use ringback::model::Millis;

use super::config::ServiceConfig;
use super::problem::{ConfigError, Source};

/// A save counts as failed after this time.
const SAVE: Millis = Millis(2000);

pub(super) fn check(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    managers(config, source)?;
    secrets(config, source)?;
    database(config, source)?;
    traces(config, source)?;
    config.election.check(config.address).map_err(|error| match error {
        ParameterError::Address(error) => source.value("", "address", 0, error.to_string()),
        error => source.value("election", key(&error), 0, error.to_string()),
    })
}

fn key(error: &ParameterError) -> &'static str {
    match error {
        ParameterError::Zero { name } => match *name {
            "call time-out" => "call_timeout",
            "hand-over poll" => "hand_over_poll",
            other => other,
        },
        ParameterError::MarginTooShort { .. } => "margin",
        ParameterError::PollTooLong { .. } => "hand_over_poll",
        _ => "lease",
    }
}

fn managers(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    const SECTION: &str = "cti.managers";
    let managers = &config.cti.managers;
    if managers.is_empty() {
        return Err(source.whole(
            "no CTIManager is named: add [[cti.managers]] with name = \"cti1\" and address = \"HOST:2748\""
                .to_owned(),
        ));
    }
    for (nth, manager) in managers.iter().enumerate() {
        let port = manager.address.rsplit_once(':').and_then(|(host, port)| {
            (!host.is_empty()).then(|| port.parse::<u16>().ok().filter(|port| *port > 0)).flatten()
        });
        if port.is_none() {
            let problem = "expected host:port, like 10.0.0.5:2748".to_owned();
            return Err(source.value(SECTION, "address", nth, problem));
        }
        if manager.name.is_empty() {
            return Err(source.value(SECTION, "name", nth, "expected a name, like cti1".to_owned()));
        }
        for earlier in &managers[..nth] {
            if earlier.name == manager.name {
                let problem = "another CTIManager has this name: give each a name of its own".to_owned();
                return Err(source.value(SECTION, "name", nth, problem));
            }
            if earlier.address == manager.address {
                let problem = format!("CTIManager {} has this address: name each once", earlier.name);
                return Err(source.value(SECTION, "address", nth, problem));
            }
        }
    }
    Ok(())
}

fn secrets(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    match (&config.cti.password, &config.cti.password_file) {
        (None, None) => Err(source.whole(
            "the CTI user has no password: give password or, better, password_file in [cti]".to_owned(),
        )),
        (Some(_), Some(_)) => {
            let problem = "there is password, too: give one of the two".to_owned();
            Err(source.value("cti", "password_file", 0, problem))
        }
        _ if config.change_notification.secret.is_some()
            && config.change_notification.secret_file.is_some() =>
        {
            let problem = "there is secret, too: give one of the two".to_owned();
            Err(source.value("change_notification", "secret_file", 0, problem))
        }
        _ => Ok(()),
    }
}

fn database(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    const LONGEST_POLL: Millis = Millis(1000);
    let (busy, poll) = (config.database.busy_timeout, config.database.poll_interval);
    if busy == Millis::ZERO || busy >= SAVE {
        let problem = format!("a save counts as failed after {SAVE}: choose 1 ms to {}", Millis(SAVE.0 - 1));
        return Err(source.value("database", "busy_timeout", 0, problem));
    }
    if poll == Millis::ZERO || poll > LONGEST_POLL {
        let problem = format!("expected 1 ms to {LONGEST_POLL}");
        return Err(source.value("database", "poll_interval", 0, problem));
    }
    Ok(())
}

fn traces(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    let nothing = |key| Err(source.value("traces", key, 0, "expected at least 1".to_owned()));
    match (config.traces.lines, config.traces.files) {
        (0, _) => nothing("lines"),
        (_, 0) => nothing("files"),
        _ => Ok(()),
    }
}
