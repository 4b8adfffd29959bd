use std::net::IpAddr;

use crate::cti_manager::CtiManager;

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

/// The simulated network between the instances of the service (nodes) and the CTIManagers; clones are the same one.
#[derive(Debug, Clone)]
pub struct SimNetwork {}

impl SimNetwork {
    /// A network that reaches these CTIManagers, by their names.
    #[must_use]
    pub fn new(managers: Vec<CtiManager>) -> Self {
        drop(managers);
        Self {}
    }

    /// What the instance on this node connects with.
    #[must_use]
    pub fn connector(&self, node: IpAddr) -> NodeConnector {
        NodeConnector { network: self.clone(), node }
    }

    /// Cuts a node off: its connections go silent without being closed, new ones fail after a while.
    pub fn cut(&self, node: IpAddr, which: Cut) {
        let _ = (node, which);
    }

    /// Heals the cut: what was under way arrives, late.
    pub fn heal(&self, node: IpAddr) {
        let _ = node;
    }

    /// The node is gone: its connections are closed. A new instance on it may connect at once.
    pub fn kill(&self, node: IpAddr) {
        let _ = node;
    }
}

/// The connector of one node.
#[derive(Debug, Clone)]
pub struct NodeConnector {
    network: SimNetwork,
    node: IpAddr,
}

impl NodeConnector {
    /// The node.
    #[must_use]
    pub fn node(&self) -> IpAddr {
        self.node
    }

    /// Its network.
    #[must_use]
    pub fn network(&self) -> &SimNetwork {
        &self.network
    }
}
