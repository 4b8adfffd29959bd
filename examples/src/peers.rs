//! Which instances on this machine have died: each holds a lock beside the database, and the kernel frees it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use ringback::Handle;
use ringback::election::{Evidence, Member, Registry};
use ringback::model::Group;
use ringback_db_sqlite::Presence;
use tokio::time::{MissedTickBehavior, interval};

/// How often the registry is asked who else is there. A peer that is not known yet is not missed for long: its lease
/// passes.
const LOOK: Duration = Duration::from_millis(200);

/// Tells the service behind `handle` of each run of another instance that is certainly dead. Never returns.
pub async fn tell_of_deaths(
    folder: PathBuf,
    registry: Arc<dyn Registry>,
    group: Group,
    me: Member,
    handle: Handle,
) {
    let mut known = BTreeSet::new();
    let mut watched: FuturesUnordered<BoxFuture<'static, Member>> = FuturesUnordered::new();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some(dead) = watched.next(), if !watched.is_empty() => {
                handle.peer_died(dead, Evidence::ResourceFreed);
                known.remove(&dead);
            }
            _ = look.tick() => {
                // Out of reach now: it is asked again.
                let Ok(view) = registry.read(&group).await else { continue };
                for presence in view.members.into_values() {
                    let peer = presence.member;
                    if !peer.is(&me) && known.insert(peer) {
                        let folder = folder.clone();
                        watched.push(Box::pin(async move {
                            Presence::freed(folder, peer).await;
                            peer
                        }));
                    }
                }
            }
        }
    }
}
