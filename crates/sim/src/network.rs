use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ringback_cti_net::{Connector, Manager, Stream};

use crate::cti_manager::{CtiManager, ManagerState};
use crate::wire::{Valve, Wire};

/// How long a node that is cut off tries to connect.
const UNREACHABLE_AFTER: Duration = Duration::from_secs(3);

/// Which way of a node's connections is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Both.
    Both,
    /// What the node says does not arrive.
    FromNode,
    /// What the node should hear does not arrive.
    ToNode,
}

impl Cut {
    /// Whether what the node says is blocked, and what it should hear.
    fn ways(self) -> (bool, bool) {
        (self != Self::ToNode, self != Self::FromNode)
    }
}

/// The simulated network between the instances of the service (nodes) and the CTIManagers; clones are the same one.
///
/// A cut is what it is to TCP: nothing is closed, what is sent waits and arrives after the healing, late.
#[derive(Debug, Clone)]
pub struct SimNetwork {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    managers: Vec<CtiManager>,
    nodes: BTreeMap<IpAddr, Node>,
}

#[derive(Debug, Default)]
struct Node {
    cut: Option<Cut>,
    connections: Vec<Arc<Valve>>,
}

impl SimNetwork {
    /// A network that reaches these CTIManagers, by their names.
    #[must_use]
    pub fn new(managers: Vec<CtiManager>) -> Self {
        Self { inner: Arc::new(Mutex::new(Inner { managers, nodes: BTreeMap::new() })) }
    }

    /// What the instance on this node connects with.
    #[must_use]
    pub fn connector(&self, node: IpAddr) -> NodeConnector {
        NodeConnector { network: self.clone(), node }
    }

    /// Cuts a node off: its connections go silent without being closed, new ones fail after a while.
    pub fn cut(&self, node: IpAddr, which: Cut) {
        self.set_cut(node, Some(which));
    }

    /// Heals the cut: what was under way arrives, late.
    pub fn heal(&self, node: IpAddr) {
        self.set_cut(node, None);
    }

    /// The node is gone: its connections are closed. A new instance on it may connect at once.
    pub fn kill(&self, node: IpAddr) {
        if let Some(node) = self.lock().nodes.get_mut(&node) {
            node.connections.iter().for_each(|valve| valve.close());
        }
    }

    fn set_cut(&self, node: IpAddr, cut: Option<Cut>) {
        let mut inner = self.lock();
        let node = inner.nodes.entry(node).or_default();
        node.cut = cut;
        node.connections.retain(|valve| Arc::strong_count(valve) > 1);
        let (from_node, to_node) = cut.map_or((false, false), Cut::ways);
        node.connections.iter().for_each(|valve| valve.block(from_node, to_node));
    }

    fn is_cut(&self, node: IpAddr) -> bool {
        self.lock().nodes.get(&node).is_some_and(|node| node.cut.is_some())
    }

    fn open(&self, node: IpAddr, manager: &str) -> io::Result<Wire> {
        let mut inner = self.lock();
        let manager = inner.managers.iter().find(|known| known.name() == manager).cloned();
        let manager =
            manager.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no CTIManager of this name"))?;
        if manager.state() == ManagerState::Stopped {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (near, far, valve) = Wire::pair();
        let node = inner.nodes.entry(node).or_default();
        node.connections.retain(|valve| Arc::strong_count(valve) > 1);
        if let Some((from_node, to_node)) = node.cut.map(Cut::ways) {
            valve.block(from_node, to_node);
        }
        node.connections.push(valve);
        tokio::spawn(async move { manager.serve(far).await });
        Ok(near)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connector of one node.
#[derive(Debug, Clone)]
pub struct NodeConnector {
    network: SimNetwork,
    node: IpAddr,
}

#[async_trait]
impl Connector for NodeConnector {
    async fn connect(&self, manager: &Manager) -> io::Result<Box<dyn Stream>> {
        if self.network.is_cut(self.node) {
            tokio::time::sleep(UNREACHABLE_AFTER).await;
            if self.network.is_cut(self.node) {
                return Err(io::ErrorKind::HostUnreachable.into());
            }
        }
        Ok(Box::new(self.network.open(self.node, &manager.name)?))
    }
}
