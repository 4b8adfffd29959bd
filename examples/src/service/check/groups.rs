//! What several groups must not have in common, and who may serve each.

use std::net::SocketAddr;

use ipnet::IpNet;
use ringback::election::Candidates;

use super::Written;
use crate::asterisk::PushConfig;
use crate::service::group::GroupConfig;
use crate::service::problem::{ConfigError, Source};

/// No two of them share a name, a call manager, or a place where phones are awaited.
pub(super) fn together(groups: &[Written<'_>], source: &Source<'_>) -> Result<(), ConfigError> {
    if groups.is_empty() {
        let problem = "no group is named: add [[group]] with a name and the way to its call manager";
        return Err(source.whole(problem.to_owned()));
    }
    for (nth, (group, source)) in groups.iter().enumerate() {
        for (earlier, _) in &groups[..nth] {
            if earlier.name == group.name {
                let problem = "another group has this name: give each a name of its own".to_owned();
                return Err(source.value("", "name", 0, problem));
            }
            call_managers(earlier, group, source)?;
            phones(earlier, group, source)?;
        }
    }
    Ok(())
}

fn call_managers(earlier: &GroupConfig, group: &GroupConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    let problem =
        || format!("group {} reaches its call manager here: each group has one of its own", earlier.name);
    for (nth, manager) in group.cti.managers.iter().enumerate() {
        if earlier.cti.managers.iter().any(|other| other.address == manager.address) {
            return Err(source.value("cti.managers", "address", nth, problem()));
        }
    }
    match (&earlier.asterisk, &group.asterisk) {
        (Some(other), Some(asterisk)) if other.address == asterisk.address => {
            Err(source.value("asterisk", "address", 0, problem()))
        }
        _ => Ok(()),
    }
}

/// What phones reach must be one group's.
fn phones(earlier: &GroupConfig, group: &GroupConfig, source: &Source<'_>) -> Result<(), ConfigError> {
    let push = |group: &GroupConfig| group.asterisk.as_ref().and_then(|asterisk| asterisk.push.clone());
    let (Some(other), Some(push)) = (push(earlier), push(group)) else { return Ok(()) };
    let wrong = |key| {
        let problem = format!(
            "the phones of group {} are awaited there: give each group a port of its own",
            earlier.name
        );
        Err(source.value("asterisk.push", key, 0, problem))
    };
    let reached = |push: &PushConfig| push.public.clone().unwrap_or_else(|| push.listen.to_string());
    let keys = |push: &PushConfig| push.keys.clone().unwrap_or_else(|| reached(push));
    if is_same_port(other.listen, push.listen) {
        return wrong("listen");
    }
    if reached(&other) == reached(&push) {
        return wrong("public");
    }
    if keys(&other) == keys(&push) {
        return wrong("keys");
    }
    Ok(())
}

/// Whether one process cannot listen at both.
fn is_same_port(a: SocketAddr, b: SocketAddr) -> bool {
    let overlap = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() == b.port() && a.port() != 0 && overlap
}

/// Some instance is in each of a group's networks.
pub(super) fn candidates(
    group: &GroupConfig,
    all: &Candidates,
    source: &Source<'_>,
) -> Result<(), ConfigError> {
    let Some(networks) = &group.candidates else { return Ok(()) };
    let wrong = |problem: String| Err(source.value("", "candidates", 0, problem));
    if networks.is_empty() {
        return wrong(
            "nobody could serve this group: give networks, like [\"10.0.0.0/24\"], or leave candidates out: then those of \
             [election.candidates] count"
                .to_owned(),
        );
    }
    let overlap = |a: &IpNet, b: &IpNet| a.contains(b) || b.contains(a);
    let is_outside = |network: &&IpNet| !all.networks.iter().any(|other| overlap(network, other));
    match networks.iter().find(is_outside) {
        Some(network) if !all.networks.is_empty() => {
            let others = all.networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            wrong(format!(
                "no instance can have an address in {network}: those of all are in {others}, as [election.candidates] says"
            ))
        }
        _ => Ok(()),
    }
}
