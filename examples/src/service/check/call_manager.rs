//! How one group's call manager is reached.

use ringback::model::{Millis, UtcOffset};
use ringback_cti_asterisk::notify::push;

use crate::asterisk::{AsteriskConfig, PhoneWay, PushConfig};
use crate::service::config::Secret;
use crate::service::group::{CtiConfig, GroupConfig};
use crate::service::problem::{ConfigError, Source};

pub(super) fn call_manager(group: &GroupConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    match &group.asterisk {
        None => {
            managers(&group.cti, source)?;
            cti_password(&group.cti, source)
        }
        Some(asterisk) => {
            nothing_of_cti(&group.cti, source)?;
            check_asterisk(asterisk, source)
        }
    }
}

fn managers(config: &CtiConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    const SECTION: &str = "cti.managers";
    let managers = &config.managers;
    if managers.is_empty() {
        return Err(source.whole(format!(
            "no call manager is named: add [[{}]] with name = \"cti1\" and address = \"HOST:2748\", or [{}] with \
             address = \"HOST:5038\"",
            source.named(SECTION),
            source.named("asterisk")
        )));
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

fn cti_password(config: &CtiConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    match (&config.password, &config.password_file) {
        (None, None) => Err(source.whole(format!(
            "the CTI user has no password: give password or, better, password_file in [{}]",
            source.named("cti")
        ))),
        (Some(_), Some(_)) => {
            let problem = "there is password, too: give one of the two".to_owned();
            Err(source.value("cti", "password_file", 0, problem))
        }
        _ => Ok(()),
    }
}

/// A group has one call manager.
fn nothing_of_cti(config: &CtiConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    let asterisk = source.named("asterisk");
    if !config.managers.is_empty() {
        let who = if source.is_of_group() { "group" } else { "service" };
        let problem =
            format!("there is [{asterisk}], too: one {who} has one call manager, keep one of the two");
        return Err(source.value("cti.managers", "address", 0, problem));
    }
    let given = [("password", config.password.is_some()), ("password_file", config.password_file.is_some())];
    match given.into_iter().find(|(_, given)| *given) {
        Some((key, _)) => {
            let problem =
                format!("this is for a CTIManager, and there is [{asterisk}]: move it there, or remove it");
            Err(source.value("cti", key, 0, problem))
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
            return Err(source.whole(format!(
                "the manager user has no secret: give secret or, better, secret_file in [{}]",
                source.named(SECTION)
            )));
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
            return Err(wrong(format!(
                "how such phones reach this instance is not said: add [{}] with public = \"HOST:8188\" and \
                 password_file",
                source.named("asterisk.push")
            )));
        }
    }
    asterisk.push.as_ref().map_or(Ok(()), |push| check_push(push, source))
}

fn check_push(config: &PushConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    const SECTION: &str = "asterisk.push";
    let wrong = |key, problem: String| Err(source.value(SECTION, key, 0, problem));
    match (&config.password, &config.password_file) {
        (None, None) => {
            return Err(source.whole(format!(
                "the user for phones that show screens has no password: give password or, better, password_file in [{}]",
                source.named(SECTION)
            )));
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
