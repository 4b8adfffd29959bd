use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use ringback::election::Candidates;
use ringback::model::Group;
use serde::Deserialize;
use thiserror::Error;

use super::config::{Secret, ServiceConfig};
use crate::asterisk::AsteriskConfig;

/// One call manager cluster: how it is reached, and by which instances it may be served.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupConfig {
    /// Its name.
    pub name: Group,
    /// Only instances with addresses in these networks serve it. Default: those of `[election.candidates]`.
    #[serde(default)]
    pub candidates: Option<Vec<IpNet>>,
    /// How the call manager is reached: at CTIManagers, unless there is `asterisk`.
    #[serde(default)]
    pub cti: CtiConfig,
    /// The call manager is this Asterisk. Default: it is not.
    #[serde(default)]
    pub asterisk: Option<AsteriskConfig>,
}

/// How the call manager is reached.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CtiConfig {
    /// The CTIManagers in the order in which they are tried; at least one.
    pub managers: Vec<CtiManagerConfig>,
    /// The CTI user. Default `ringback`.
    pub user: String,
    /// Its password; or `password_file`.
    pub password: Option<Secret>,
    /// A file whose first line is the password.
    pub password_file: Option<PathBuf>,
}

/// One CTIManager.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CtiManagerConfig {
    /// Its name in alarms and status.
    pub name: String,
    /// `host:port`.
    pub address: String,
}

impl GroupConfig {
    /// Who may serve it, if those of `[election.candidates]` are these.
    #[must_use]
    pub fn candidates(&self, all: &Candidates) -> Candidates {
        let networks = self.candidates.as_ref().unwrap_or(&all.networks).clone();
        Candidates { networks, ..all.clone() }
    }

    /// The files that it names.
    pub(super) fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let of_asterisk = self.asterisk.iter_mut().flat_map(|asterisk| {
            let authorities = asterisk.tls.as_mut().and_then(|tls| tls.ca_file.as_mut());
            let of_push = asterisk
                .push
                .iter_mut()
                .flat_map(|push| [&mut push.password_file, &mut push.secret_file].into_iter().flatten());
            asterisk.secret_file.as_mut().into_iter().chain(authorities).chain(of_push)
        });
        self.cti.password_file.iter_mut().chain(of_asterisk)
    }
}

/// An instance may serve none of the groups.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the instance at {address} may serve no group: {}; add a network that it is in to the candidates of one, or choose \
     another address",
    candidates.join(", ")
)]
pub struct NoCandidate {
    address: IpAddr,
    /// Of each group.
    candidates: Vec<String>,
}

impl NoCandidate {
    pub(super) fn new(config: &ServiceConfig, address: IpAddr) -> Self {
        let of_group = |group: &GroupConfig| {
            let networks = group.candidates(&config.election.candidates).networks;
            let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
            format!("{} is for {}", group.name, networks.join(" and "))
        };
        Self { address, candidates: config.groups.iter().map(of_group).collect() }
    }
}

impl Default for CtiConfig {
    fn default() -> Self {
        Self { managers: Vec::new(), user: "ringback".to_owned(), password: None, password_file: None }
    }
}
