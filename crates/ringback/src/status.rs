use std::net::IpAddr;

use ringback_election::{Rank, Role};
use ringback_model::{Epoch, Group, Timestamp};
use serde::{Deserialize, Serialize};

/// What the manual's monitoring tool shows of an instance, and what an operator of a cluster wants to know besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The group served.
    pub group: Group,
    /// The instance's address.
    pub address: IpAddr,
    /// What it is.
    pub role: Role,
    /// The order of the live instances.
    pub rank: Rank,
    /// The epoch it acts in, otherwise the highest it knows.
    pub epoch: Epoch,
    /// Since when it has this role.
    pub since: Timestamp,
    /// It is active, and everything its requests need has been opened and read.
    pub ready: bool,
    /// Whether the directory database can be read.
    pub directory_up: bool,
    /// Whether the request store works.
    pub store_up: bool,
    /// The CTIManager at which its provider is open.
    pub registered_at: Option<String>,
    /// Devices it has open, or wants to.
    pub open_devices: usize,
    /// Lines it has open, or wants to.
    pub open_lines: usize,
    /// Requests it holds.
    pub pending: usize,
    /// Alerts that it has sent again though the phone may have played them before. Always zero with a provider that
    /// plays an alert once whatever happens ([`Dedup::ById`](ringback_cti::Dedup::ById)).
    pub in_doubt: u32,
}
