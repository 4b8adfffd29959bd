//! Which instances have died. Those of this machine hold a lock each, which the kernel frees; those of others keep a link
//! open, which the kernel closes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use ringback::Handle;
use ringback::election::{Evidence, Member};
use ringback_db_sqlite::Presence;
use ringback_peer::PeerLinks;
use tokio::task::{AbortHandle, JoinSet};

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
pub async fn tell_of_deaths(signs: Signs, handle: Handle) {
    let mut peers = handle.peers();
    // Those that are watched, and those that are dead and still in the registry.
    let mut known: HashMap<Member, AbortHandle> = HashMap::new();
    let mut watches = JoinSet::new();
    loop {
        let others = peers.borrow_and_update().clone();
        known.retain(|member, watch| {
            let is_there = others.contains(member);
            if !is_there {
                watch.abort();
            }
            is_there
        });
        for peer in others {
            known.entry(peer).or_insert_with(|| watches.spawn(signs.clone().dead(peer)));
        }
        tokio::select! {
            // An error: the watch of a member that is gone was given up.
            Some(ended) = watches.join_next() => if let Ok((dead, evidence)) = ended {
                handle.peer_died(dead, evidence);
            },
            changed = peers.changed() => if changed.is_err() {
                // The service has ended.
                return std::future::pending().await;
            },
        }
    }
}
