//! Calls to the registry and its answers as the functions of `migrations/V2__registry.sql` take and give them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ringback_election::{Incarnation, Intent, Lease, Member, Presence, RegistryError, Report, Request, View};
use ringback_model::{Epoch, Group, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::Fault;

type Result<T> = std::result::Result<T, Fault<RegistryError>>;

const GROUP: &str = "registry_group";
const MEMBER: &str = "registry_member";

/// Longer than any lease, and far from the end of the numbers.
const LONGEST_MS: u64 = 1 << 60;

/// A call.
#[derive(Debug, Serialize)]
pub(crate) struct CallRow<'a> {
    group_name: &'a str,
    address: IpAddr,
    incarnation: String,
    intent: &'static str,
    started_ms: i64,
    ready: bool,
    length_ms: i64,
    /// What is seen, renewed or given back.
    epoch: i64,
    above: i64,
}

impl<'a> CallRow<'a> {
    pub(crate) fn of(group: &'a Group, request: &Request) -> Result<Self> {
        let (member, report) = match request {
            Request::Tick(report) => (report.member, Some(report)),
            Request::Expel { dead, .. } => (*dead, None),
        };
        let epoch = |epoch: Epoch| signed("epoch", epoch.0);
        let mut call = Self {
            group_name: group.as_str(),
            address: member.address,
            incarnation: member.incarnation.to_string(),
            intent: "expel",
            started_ms: signed("started_ms", member.started.0)?,
            ready: false,
            length_ms: 0,
            epoch: 0,
            above: 0,
        };
        if let Some(Report { member: _, ready, length, intent }) = report {
            call.ready = *ready;
            call.length_ms = signed("length_ms", length.0.min(LONGEST_MS))?;
            call.intent = match intent {
                Intent::Watch => "watch",
                Intent::Acquire { seen, above } => {
                    (call.epoch, call.above) = (epoch(*seen)?, epoch(*above)?);
                    "acquire"
                }
                Intent::Renew { epoch: ours } => {
                    call.epoch = epoch(*ours)?;
                    "renew"
                }
                Intent::Release { epoch: ours } => {
                    call.epoch = epoch(*ours)?;
                    "release"
                }
                Intent::Leave => "leave",
            };
        }
        Ok(call)
    }
}

/// A group as it is, and what the call was refused for.
#[derive(Deserialize)]
pub(crate) struct AnswerRow {
    at_ms: i64,
    revision: i64,
    epoch: i64,
    lease_address: Option<String>,
    lease_incarnation: Option<String>,
    lease_started_ms: Option<i64>,
    lease_epoch: Option<i64>,
    lease_granted_ms: Option<i64>,
    lease_expires_ms: Option<i64>,
    lease_released: Option<bool>,
    members: Vec<MemberRow>,
    #[serde(default)]
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct MemberRow {
    address: String,
    incarnation: String,
    started_ms: i64,
    joined_ms: i64,
    until_ms: i64,
    ready: bool,
}

impl AnswerRow {
    pub(crate) fn view(&self) -> Result<View> {
        let mut members = BTreeMap::new();
        for row in &self.members {
            let member = Member {
                address: address(MEMBER, "address", &row.address)?,
                incarnation: incarnation(MEMBER, "incarnation", &row.incarnation)?,
                started: moment(MEMBER, "started_ms", row.started_ms)?,
            };
            let presence = Presence {
                member,
                joined: moment(MEMBER, "joined_ms", row.joined_ms)?,
                until: moment(MEMBER, "until_ms", row.until_ms)?,
                ready: row.ready,
            };
            members.insert(member.address, presence);
        }
        Ok(View {
            at: moment(GROUP, "at_ms", self.at_ms)?,
            revision: number(GROUP, "revision", self.revision)?,
            epoch: Epoch(number(GROUP, "epoch", self.epoch)?),
            lease: self.lease()?,
            members,
        })
    }

    fn lease(&self) -> Result<Option<Lease>> {
        let Some(holder) = &self.lease_address else { return Ok(None) };
        let present = |column, value: Option<i64>| {
            value
                .ok_or_else(|| Fault::invalid(GROUP, column, "it is null"))
                .and_then(|at| number(GROUP, column, at))
        };
        let run = self.lease_incarnation.as_deref().unwrap_or_default();
        Ok(Some(Lease {
            holder: Member {
                address: address(GROUP, "lease_address", holder)?,
                incarnation: incarnation(GROUP, "lease_incarnation", run)?,
                started: Timestamp(present("lease_started_ms", self.lease_started_ms)?),
            },
            epoch: Epoch(present("lease_epoch", self.lease_epoch)?),
            granted: Timestamp(present("lease_granted_ms", self.lease_granted_ms)?),
            expires: Timestamp(present("lease_expires_ms", self.lease_expires_ms)?),
            released: self.lease_released.unwrap_or_default(),
        }))
    }

    /// What the caller is told.
    pub(crate) fn answer(&self, request: &Request) -> Result<View> {
        let view = self.view()?;
        let (Some(refusal), Request::Tick(report)) = (self.refusal.as_deref(), request) else {
            return Ok(view);
        };
        let me = report.member;
        let same_run = |known: &&Presence| known.member.incarnation == me.incarnation;
        Err(Fault::Refused(match (refusal, report.intent) {
            ("fenced", Intent::Renew { epoch: ours }) => RegistryError::Fenced { ours, current: view.epoch },
            ("address in use", _) if view.members.contains_key(&me.address) => {
                let known = view.members[&me.address];
                let frees_in = known.until.since(view.at);
                RegistryError::AddressInUse { address: me.address, other: known.member, frees_in }
            }
            ("address changed", _) if view.members.values().any(|known| same_run(&known)) => {
                let was =
                    view.members.values().find(same_run).map_or(me.address, |known| known.member.address);
                RegistryError::AddressChanged { incarnation: me.incarnation, was, now: me.address }
            }
            ("no length", _) => RegistryError::Invalid("a report must last longer than 0 ms".to_owned()),
            _ => RegistryError::Invalid("the registry refused a call for no known reason".to_owned()),
        }))
    }
}

fn signed(column: &str, value: u64) -> Result<i64> {
    i64::try_from(value).map_err(|_| Fault::invalid(GROUP, column, "the number is above 2^63 - 1"))
}

fn address(table: &str, column: &str, text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| Fault::invalid(table, column, "it is no IP address"))
}

fn incarnation(table: &str, column: &str, text: &str) -> Result<Incarnation> {
    u64::from_str_radix(text, 16)
        .map(Incarnation)
        .map_err(|_| Fault::invalid(table, column, "it is no hexadecimal number"))
}

fn number(table: &str, column: &str, value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_| Fault::invalid(table, column, "it is negative"))
}

fn moment(table: &str, column: &str, value: i64) -> Result<Timestamp> {
    number(table, column, value).map(Timestamp)
}
