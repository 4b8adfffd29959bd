//! Beside the call completion of Asterisk 16 itself.

mod behaviour;
mod latency;

use std::time::Duration;

use ringback_pbx_lab::{Release, Server};

use crate::office::{Office, Rules};
use crate::pair::{By, Pair};
use crate::say;
use crate::stage::{Failure, site, start};

/// How long a recall rings for both.
const RING: Duration = Duration::from_secs(3);

/// How long ringback does not believe a line after the server's start.
const PROOF: Duration = Duration::from_secs(2);

/// One server, one service, and a caller with its callee for each of the two.
struct Bench {
    server: Server,
    office: Office,
    ours: Pair,
    theirs: Pair,
}

pub(crate) async fn run(rounds: u32) -> Result<bool, Failure> {
    let timers = format!("cc_recall_timer = {}", RING.as_secs());
    let site = site(["1001", "1002", "1003"].map(str::to_owned))
        .with_call_completion(["2001", "2002", "2003"], &timers);
    let server = start(Release::V16, &site).await?;
    let office = Office::open(&server, Rules { ring: RING, proof: PROOF }).await?;
    let ours = Pair::register(&server, By::Us, "1001", "1002").await?;
    let theirs = Pair::register(&server, By::Server, "2001", "2002").await?;
    let mut bench = Bench { server, office, ours, theirs };
    latency::measure(&mut bench, rounds).await?;
    say("");
    behaviour::play(&mut bench).await?;
    Ok(true)
}
