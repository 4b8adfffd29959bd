use std::net::IpAddr;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::language::NodeAction;
use crate::runner::InstanceStatus;

/// The instances of the service, as whoever builds a world out of the real service runs them.
#[async_trait]
pub trait Instances: Send {
    /// Does this to the instance; `Start` also to one that never ran. What changes nothing is no error. The simulated
    /// network is cut, healed and killed by the [`World`](super::World) itself.
    ///
    /// # Errors
    /// Why it is impossible, for `saw ...`.
    async fn act(&mut self, node: IpAddr, action: NodeAction) -> Result<(), String>;

    /// The request store stops, or runs again: beyond one machine the lease lives there, too. The store itself is
    /// stopped by the [`World`](super::World).
    fn store_runs(&mut self, running: bool);

    /// What the running instances say, by address.
    fn statuses(&self) -> Vec<InstanceStatus>;

    /// The names of all alarms raised so far, in order.
    fn alarms(&self) -> Vec<String>;

    /// Tells of every change of a status and of every alarm.
    fn changed(&self) -> watch::Receiver<u64>;
}
