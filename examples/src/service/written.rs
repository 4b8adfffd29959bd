//! The file as it is written: with one group at the top level, or a table for each.

use std::fmt;
use std::path::PathBuf;

use ringback::election::Parameters;
use ringback::model::Group;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::config::{
    AlarmConfig, ChangeNotificationConfig, DatabaseConfig, OwnAddress, PeersConfig, ServiceConfig,
    TraceConfig,
};
use super::group::{CtiConfig, GroupConfig};
use super::problem::{ConfigError, Source};
use crate::asterisk::AsteriskConfig;

/// Every key of the top level.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Written {
    group: Groups,
    address: Option<OwnAddress>,
    dictionaries: Option<PathBuf>,
    cti: Option<CtiConfig>,
    asterisk: Option<AsteriskConfig>,
    database: DatabaseConfig,
    election: Parameters,
    peers: Option<PeersConfig>,
    traces: TraceConfig,
    alarms: AlarmConfig,
    change_notification: ChangeNotificationConfig,
}

/// How the groups are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One, with its keys at the top level.
    Top,
    /// As `[[group]]` tables.
    Tables,
}

/// `group = "NAME"`, or `[[group]]`.
enum Groups {
    Name(Group),
    Tables(Vec<GroupConfig>),
}

impl Written {
    pub(super) fn form(&self) -> Form {
        match &self.group {
            Groups::Name(_) => Form::Top,
            Groups::Tables(_) => Form::Tables,
        }
    }

    /// What it says.
    ///
    /// # Errors
    /// It says it in both forms.
    pub(super) fn config(self, source: &Source<'_>) -> Result<ServiceConfig, ConfigError> {
        let groups = match self.group {
            Groups::Name(name) => {
                let (cti, asterisk) = (self.cti.unwrap_or_default(), self.asterisk);
                vec![GroupConfig { name, candidates: None, cti, asterisk }]
            }
            Groups::Tables(groups) => {
                let of_one = [("cti", self.cti.is_some()), ("asterisk", self.asterisk.is_some())];
                if let Some((section, _)) = of_one.into_iter().find(|(_, given)| *given) {
                    let problem = format!(
                        "there are [[group]] tables, too: move what is in [{section}] to [group.{section}] below the \
                         [[group]] that it is for"
                    );
                    return Err(source.section(section, problem));
                }
                groups
            }
        };
        let address = self.address.unwrap_or(ServiceConfig::default().address);
        Ok(ServiceConfig {
            groups,
            address,
            dictionaries: self.dictionaries,
            database: self.database,
            election: self.election,
            peers: self.peers,
            traces: self.traces,
            alarms: self.alarms,
            change_notification: self.change_notification,
        })
    }
}

impl Default for Groups {
    fn default() -> Self {
        Self::Name(Group::default())
    }
}

impl<'de> Deserialize<'de> for Groups {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GroupsVisitor)
    }
}

struct GroupsVisitor;

impl<'de> Visitor<'de> for GroupsVisitor {
    type Value = Groups;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Groups, E> {
        Group::new(name).map(Groups::Name).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, tables: A) -> Result<Groups, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(tables)).map(Groups::Tables)
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Groups, A::Error> {
        Err(A::Error::custom("a group is a [[group]] table, with two brackets at each end"))
    }
}
