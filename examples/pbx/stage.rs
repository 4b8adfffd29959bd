//! The server with its phones.

use std::time::Duration;

use ringback_pbx_lab::{Asterisk, Release, Server, Site};

use crate::say;

/// Why a measurement cannot go on.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Only what hangs takes so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The number that answers and says nothing: a phone that calls it is in use.
pub(crate) const NOBODY: &str = "*600";

/// A feature of the dialplan for [`NOBODY`], put before the context that takes all other numbers.
const HOLD: &str =
    "exten => *600,1,Answer()\n same => n,Wait(3600)\n same => n,Hangup()\n\n[ringback-nowhere]";

/// These phones, each with a hint, and the dialplan of `examples/asterisk`.
pub(crate) fn site(phones: impl IntoIterator<Item = String>) -> Site {
    Site::with_phones(phones).with_hints().replacing("[ringback-nowhere]", HOLD)
}

/// Starts a server of this release for a site.
pub(crate) async fn start(release: Release, site: &Site) -> Result<Server, Failure> {
    let asterisk = Asterisk::fetch(release)?;
    let server = Server::start(&asterisk, site).await?;
    say(server.version());
    Ok(server)
}

/// A number below `bound` that looks random, and is the same for the same round and use.
pub(crate) fn scatter(round: u32, which: u32, bound: u64) -> u64 {
    let mut mixed = (u64::from(round) << 32 | u64::from(which)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    for factor in [0xbf58_476d_1ce4_e5b9_u64, 0x94d0_49bb_1331_11eb] {
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(factor);
    }
    (mixed ^ (mixed >> 31)) % bound
}
