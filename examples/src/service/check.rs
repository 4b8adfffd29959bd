//! What values must be together.

use ringback::election::ParameterError;
use ringback::model::{Millis, UtcOffset};
use ringback_cti_asterisk::notify::push;

use super::config::{OwnAddress, Secret, ServiceConfig};
use super::problem::{ConfigError, Source};
use crate::asterisk::{AsteriskConfig, PhoneWay, PushConfig};

/// A save counts as failed after this time.
const SAVE: Millis = Millis(2000);

pub(super) fn check(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    match &config.asterisk {
        None => {
            managers(config, source)?;
            cti_password(config, source)?;
        }
        Some(asterisk) => {
            nothing_of_cti(config, source)?;
            check_asterisk(asterisk, source)?;
        }
    }
    change_secret(config, source)?;
    database(config, source)?;
    traces(config, source)?;
    peers(config, source)?;
    let address = match config.address {
        OwnAddress::Given(address) => address,
        OwnAddress::Auto => match config.election.candidates.networks.first() {
            // The machine's own is looked for in them when it is needed.
            Some(network) => network.hosts().next().unwrap_or(network.addr()),
            None => {
                let problem =
                    "expected networks to choose from: networks = [\"10.0.0.0/24\"] in [election.candidates]";
                return Err(source.value("", "address", 0, problem.to_owned()));
            }
        },
    };
    config.election.check(address).map_err(|error| match error {
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
            "no call manager is named: add [[cti.managers]] with name = \"cti1\" and address = \"HOST:2748\", or \
             [asterisk] with address = \"HOST:5038\""
                .to_owned(),
        ));
    }
    for (nth, manager) in managers.iter().enumerate() {
        if !is_host_and_port(&manager.address) {
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

fn is_host_and_port(address: &str) -> bool {
    address
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn cti_password(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    match (&config.cti.password, &config.cti.password_file) {
        (None, None) => Err(source.whole(
            "the CTI user has no password: give password or, better, password_file in [cti]".to_owned(),
        )),
        (Some(_), Some(_)) => {
            let problem = "there is password, too: give one of the two".to_owned();
            Err(source.value("cti", "password_file", 0, problem))
        }
        _ => Ok(()),
    }
}

/// A service has one call manager.
fn nothing_of_cti(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    if !config.cti.managers.is_empty() {
        let problem = "there is [asterisk], too: one service has one call manager, keep one of the two";
        return Err(source.value("cti.managers", "address", 0, problem.to_owned()));
    }
    let given =
        [("password", config.cti.password.is_some()), ("password_file", config.cti.password_file.is_some())];
    match given.into_iter().find(|(_, given)| *given) {
        Some((key, _)) => {
            let problem = "this is for a CTIManager, and there is [asterisk]: move it there, or remove it";
            Err(source.value("cti", key, 0, problem.to_owned()))
        }
        None => Ok(()),
    }
}

fn check_asterisk(asterisk: &AsteriskConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    const SECTION: &str = "asterisk";
    let wrong = |key, problem: &str| Err(source.value(SECTION, key, 0, problem.to_owned()));
    if !is_host_and_port(&asterisk.address) {
        return wrong("address", "expected host:port of the manager interface, like 10.0.0.5:5038");
    }
    match (&asterisk.secret, &asterisk.secret_file) {
        (None, None) => {
            return Err(source.whole(
                "the manager user has no secret: give secret or, better, secret_file in [asterisk]"
                    .to_owned(),
            ));
        }
        (Some(_), Some(_)) => return wrong("secret_file", "there is secret, too: give one of the two"),
        _ => {}
    }
    let texts = [
        ("name", &asterisk.name),
        ("user", &asterisk.user),
        ("technology", &asterisk.technology),
        ("recall_context", &asterisk.recall_context),
        ("recall_title", &asterisk.recall_title),
        ("notify_event", &asterisk.notify_event),
    ];
    if let Some((key, _)) =
        texts.into_iter().find(|(_, text)| text.is_empty() || text.contains(char::is_control))
    {
        return wrong(key, "expected one line of text");
    }
    let times = [("refresh", asterisk.refresh), ("patience", asterisk.patience)];
    if let Some((key, _)) = times.into_iter().find(|(_, time)| *time == Millis::ZERO) {
        return wrong(key, "expected at least 1 ms");
    }
    if UtcOffset::from_minutes(asterisk.utc_offset.minutes()).is_none() {
        return wrong("utc_offset", "expected minutes east of UTC, -1439 to 1439");
    }
    for (phone, way) in &asterisk.phones {
        let PhoneWay::Push(host) = way else { continue };
        let wrong = |problem: String| source.value("asterisk.phones", phone.as_str(), 0, problem);
        push::Config::check_phone(host).map_err(|error| wrong(error.to_string()))?;
        if asterisk.push.is_none() {
            let problem = "how such phones reach this instance is not said: add [asterisk.push] with public = \"HOST:8188\" \
                           and password_file";
            return Err(wrong(problem.to_owned()));
        }
    }
    asterisk.push.as_ref().map_or(Ok(()), |push| check_push(push, source))
}

fn check_push(config: &PushConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    const SECTION: &str = "asterisk.push";
    let wrong = |key, problem: String| Err(source.value(SECTION, key, 0, problem));
    match (&config.password, &config.password_file) {
        (None, None) => {
            return Err(source.whole(
                "the user for phones that show screens has no password: give password or, better, password_file in \
                 [asterisk.push]"
                    .to_owned(),
            ));
        }
        (Some(_), Some(_)) => {
            return wrong("password_file", "there is password, too: give one of the two".to_owned());
        }
        _ => {}
    }
    if config.secret.is_some() && config.secret_file.is_some() {
        return wrong("secret_file", "there is secret, too: give one of the two".to_owned());
    }
    // What is in a file is looked at when the service starts.
    let given = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.0.clone());
    let password = given(&config.password).unwrap_or_else(|| "in a file".into());
    match config.server(password, given(&config.secret)).check() {
        Ok(()) => Ok(()),
        Err(error) => {
            let key = match &error {
                push::ConfigError::User => "user",
                push::ConfigError::Password => "password",
                push::ConfigError::Secret => "secret",
                push::ConfigError::Public { found } if config.keys.as_ref() == Some(found) => "keys",
                push::ConfigError::Public { .. } => "public",
                push::ConfigError::Zero { name } => name,
                _ => "listen",
            };
            wrong(key, error.to_string())
        }
    }
}

fn change_secret(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    let notified = &config.change_notification;
    if notified.secret.is_some() && notified.secret_file.is_some() {
        let problem = "there is secret, too: give one of the two".to_owned();
        return Err(source.value("change_notification", "secret_file", 0, problem));
    }
    Ok(())
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

fn peers(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    let Some(peers) = &config.peers else { return Ok(()) };
    if peers.port == 0 {
        return Err(source.value(
            "peers",
            "port",
            0,
            "expected the port that all instances share, 1 to 65535".to_owned(),
        ));
    }
    let files = [&peers.authority, &peers.certificate, &peers.key];
    let given = files.iter().filter(|file| file.is_some()).count();
    if given != 0 && given != files.len() {
        return Err(source.whole(
            "[peers]: authority, certificate and key go together: give all three, or none".to_owned(),
        ));
    }
    match config.address {
        OwnAddress::Given(address) if given == 0 && !address.is_loopback() => Err(source.whole(format!(
            "[peers]: the address {address} is reached from other machines: give authority, certificate and key"
        ))),
        _ => Ok(()),
    }
}

fn traces(config: &ServiceConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    let nothing = |key| Err(source.value("traces", key, 0, "expected at least 1".to_owned()));
    match (config.traces.lines, config.traces.files) {
        (0, _) => nothing("lines"),
        (_, 0) => nothing("files"),
        _ => Ok(()),
    }
}
