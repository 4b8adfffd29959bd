use ringback_db::StoreError;
use ringback_db_postgres::SimulatedClock;
use ringback_sim::CallManager;

/// The clock of the server, which shows what that of the simulation shows.
#[derive(Clone)]
pub(super) struct Clocks {
    pub(super) server: SimulatedClock,
    pub(super) simulation: CallManager,
}

impl Clocks {
    /// Makes the server show what the simulation shows at the moment of this call. To be called in simulated time, and to be
    /// waited for before anything that looks at the server's clock.
    pub(super) fn set(&self) -> impl Future<Output = Result<(), StoreError>> {
        let now = self.simulation.now();
        async move { self.server.set(now).await }
    }
}
