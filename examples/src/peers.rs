//! Which instances have died. Those of this machine hold a lock each, which the kernel frees; those of others keep a link
//! open, which the kernel closes.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::select_all;
use ringback::Handle;
use ringback::election::{Evidence, Member};
use ringback_db_sqlite::Presence;
use ringback_peer::PeerLinks;
use tokio::sync::watch;
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

/// Tells the services behind these handles, one for each group of this process, of each run of another instance that is
/// certainly dead: each run is watched once, however many groups it serves. Never returns.
pub async fn tell_groups_of_deaths(signs: Signs, handles: &[Handle]) {
    let mut groups: Vec<Told<'_>> = handles.iter().map(Told::new).collect();
    // Those that are watched, and those that are dead and still in the registry.
    let mut known: HashMap<Member, AbortHandle> = HashMap::new();
    let mut dead: HashMap<Member, Evidence> = HashMap::new();
    let mut watches = JoinSet::new();
    loop {
        let others: HashSet<Member> = groups.iter_mut().flat_map(Told::others).collect();
        known.retain(|member, watch| {
            let is_there = others.contains(member);
            if !is_there {
                watch.abort();
            }
            is_there
        });
        dead.retain(|member, _| others.contains(member));
        for peer in others {
            known.entry(peer).or_insert_with(|| watches.spawn(signs.clone().dead(peer)));
        }
        for group in &mut groups {
            group.tell(&dead);
        }
        tokio::select! {
            // An error: the watch of a member that is gone was given up.
            Some(ended) = watches.join_next() => if let Ok((member, evidence)) = ended {
                dead.insert(member, evidence);
            },
            () = changed(&mut groups) => {}
        }
    }
}

/// What the service of one group is told.
struct Told<'a> {
    handle: &'a Handle,
    peers: watch::Receiver<Vec<Member>>,
    /// Those it has been told of, and still sees.
    told: HashSet<Member>,
    has_ended: bool,
}

impl<'a> Told<'a> {
    fn new(handle: &'a Handle) -> Self {
        Self { handle, peers: handle.peers(), told: HashSet::new(), has_ended: false }
    }

    fn others(&mut self) -> Vec<Member> {
        self.peers.borrow_and_update().clone()
    }

    fn tell(&mut self, dead: &HashMap<Member, Evidence>) {
        let others = self.peers.borrow();
        self.told.retain(|member| others.contains(member));
        for member in others.iter() {
            if let Some(evidence) = dead.get(member)
                && self.told.insert(*member)
            {
                self.handle.peer_died(*member, *evidence);
            }
        }
    }
}

/// Returns when the members of any group have changed.
async fn changed(groups: &mut [Told<'_>]) {
    let changes = groups.iter_mut().filter(|group| !group.has_ended).map(|group| {
        Box::pin(async {
            // An error: the service has ended.
            group.has_ended = group.peers.changed().await.is_err();
        })
    });
    let changes: Vec<_> = changes.collect();
    if changes.is_empty() {
        return std::future::pending().await;
    }
    select_all(changes).await;
}
