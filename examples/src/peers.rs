//! Which instances have died. Those of this machine hold a lock each, which the kernel frees; those of others keep a link
//! open, which the kernel closes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ringback::Handle;
use ringback::election::{Evidence, Member, Registry};
use ringback::model::Group;
use ringback_db_sqlite::Presence;
use ringback_peer::PeerLinks;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

/// How often the registry is asked who else is there. A peer that is not known yet is not missed for long: its lease
/// passes.
const LOOK: Duration = Duration::from_millis(200);

/// By what the others show that they live.
#[derive(Debug, Clone, Default)]
pub struct Signs {
    /// The folder in which the instances of this machine hold their locks.
    pub locks: Option<PathBuf>,
    /// The links with the instances of other machines.
    pub links: Option<Arc<PeerLinks>>,
}

impl Signs {
    /// Returns when this very run is certainly dead, and how that is known. It may never be.
    async fn dead(self, peer: Member) -> (Member, Evidence) {
        let freed = async {
            match &self.locks {
                Some(folder) => Presence::freed(folder, peer).await,
                None => std::future::pending().await,
            }
        };
        let closed = async {
            match &self.links {
                Some(links) => links.closed(peer).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = freed => (peer, Evidence::ResourceFreed),
            () = closed => (peer, Evidence::LinkClosed),
        }
    }
}

/// Tells the service behind `handle` of each run of another instance that is certainly dead. Never returns.
pub async fn tell_of_deaths(
    signs: Signs,
    registry: Arc<dyn Registry>,
    group: Group,
    me: Member,
    handle: Handle,
) {
    // Those that are watched, and those that are dead and still in the registry.
    let mut known: HashMap<Member, AbortHandle> = HashMap::new();
    let mut watches = JoinSet::new();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            // An error: the watch of a member that is gone was given up.
            Some(ended) = watches.join_next() => if let Ok((dead, evidence)) = ended {
                handle.peer_died(dead, evidence);
            },
            _ = look.tick() => {
                // Out of reach now: it is asked again.
                let Ok(view) = registry.read(&group).await else { continue };
                let is_there = |member: &Member| {
                    view.members.get(&member.address).is_some_and(|there| there.member.is(member))
                };
                known.retain(|member, watch| is_there(member) || {
                    watch.abort();
                    false
                });
                for presence in view.members.values() {
                    let peer = presence.member;
                    if !peer.is(&me) {
                        known.entry(peer).or_insert_with(|| watches.spawn(signs.clone().dead(peer)));
                    }
                }
            }
        }
    }
}
