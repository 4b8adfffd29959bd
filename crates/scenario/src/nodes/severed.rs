use std::sync::Arc;

use async_trait::async_trait;
use ringback_callback::Record;
use ringback_db::{
    Change, ChangeFeed, Directory, DirectoryError, FeedError, LineEntry, PhoneEntry, Position, RequestStore,
    StoreError, Table, Write,
};
use ringback_model::{DeviceName, DirectoryNumber, Epoch, Group, LineId, Timestamp};
use ringback_sim::Cut;
use tokio::sync::watch;

/// Whether databases are cut off. Clones are the same wire.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    cut: Arc<watch::Sender<Option<Cut>>>,
    /// What is said when they are.
    reason: &'static str,
}

impl Wire {
    pub(crate) fn new(reason: &'static str) -> Self {
        Self { cut: Arc::new(watch::Sender::new(None)), reason }
    }

    pub(crate) fn set_cut(&self, cut: Option<Cut>) {
        self.cut.send_replace(cut);
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.borrow().is_some()
    }

    /// Whether a question does not get out.
    fn is_blocked(&self) -> bool {
        matches!(*self.cut.borrow(), Some(Cut::Both | Cut::FromNode))
    }

    fn store(&self) -> Result<(), StoreError> {
        if self.is_cut() { Err(StoreError::Unavailable(self.reason.to_owned())) } else { Ok(()) }
    }

    fn asked(&self) -> Result<(), StoreError> {
        if self.is_blocked() { Err(StoreError::Unavailable(self.reason.to_owned())) } else { Ok(()) }
    }

    /// What was asked was done; the answer does not come back through a cut.
    fn answered(&self) -> Result<(), StoreError> {
        if self.is_cut() { Err(StoreError::OutcomeUnknown(self.reason.to_owned())) } else { Ok(()) }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn admin(&self) -> Result<(), ringback_db::AdminError> {
        if !self.is_cut() {
            return Ok(());
        }
        Err(ringback_db::AdminError::Unavailable(self.reason.to_owned()))
    }

    fn directory(&self) -> Result<(), DirectoryError> {
        if self.is_cut() { Err(DirectoryError::Unavailable(self.reason.to_owned())) } else { Ok(()) }
    }
}

/// A port behind a wire.
pub(crate) struct Severed<T> {
    behind: T,
    wire: Wire,
}

impl<T> Severed<T> {
    pub(crate) fn new(behind: T, wire: Wire) -> Self {
        Self { behind, wire }
    }
}

#[async_trait]
impl RequestStore for Severed<Arc<dyn RequestStore>> {
    async fn epoch(&self, group: &Group) -> Result<Epoch, StoreError> {
        self.wire.store()?;
        self.behind.epoch(group).await
    }

    async fn claim(&self, group: &Group, epoch: Epoch) -> Result<(), StoreError> {
        self.wire.asked()?;
        let result = self.behind.claim(group, epoch).await;
        self.wire.answered().and(result)
    }

    async fn load(&self, group: &Group) -> Result<Vec<Record>, StoreError> {
        self.wire.store()?;
        self.behind.load(group).await
    }

    async fn apply(
        &self,
        group: &Group,
        epoch: Epoch,
        writes: &[Write],
    ) -> Result<Option<Position>, StoreError> {
        self.wire.asked()?;
        let result = self.behind.apply(group, epoch, writes).await;
        self.wire.answered().and(result)
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.wire.store()?;
        self.behind.now().await
    }
}

#[async_trait]
impl Directory for Severed<Arc<dyn Directory>> {
    async fn phone(&self, group: &Group, device: &DeviceName) -> Result<Option<PhoneEntry>, DirectoryError> {
        self.wire.directory()?;
        self.behind.phone(group, device).await
    }

    async fn line(&self, group: &Group, line: &LineId) -> Result<Option<LineEntry>, DirectoryError> {
        self.wire.directory()?;
        self.behind.line(group, line).await
    }

    async fn dialled(
        &self,
        group: &Group,
        from: &LineId,
        dn: &DirectoryNumber,
    ) -> Result<Option<LineEntry>, DirectoryError> {
        self.wire.directory()?;
        self.behind.dialled(group, from, dn).await
    }

    async fn parameters(&self, group: &Group) -> Result<Vec<(String, String)>, DirectoryError> {
        self.wire.directory()?;
        self.behind.parameters(group).await
    }

    async fn settings(&self, group: &Group, table: Table) -> Result<Vec<(String, String)>, DirectoryError> {
        self.wire.directory()?;
        self.behind.settings(group, table).await
    }

    async fn probe(&self) -> Result<(), DirectoryError> {
        self.wire.directory()?;
        self.behind.probe().await
    }
}

/// A feed behind a wire: after a cut it tells that changes may have been missed.
pub(crate) struct SeveredFeed {
    behind: Box<dyn ChangeFeed>,
    cut: watch::Receiver<Option<Cut>>,
    reason: &'static str,
    lost: bool,
}

impl SeveredFeed {
    pub(crate) fn new(behind: Box<dyn ChangeFeed>, wire: &Wire) -> Self {
        Self { behind, cut: wire.cut.subscribe(), reason: wire.reason, lost: false }
    }
}

#[async_trait]
impl ChangeFeed for SeveredFeed {
    async fn next(&mut self) -> Result<Change, FeedError> {
        loop {
            let cut = self.cut.borrow_and_update().is_some();
            match (cut, self.lost) {
                (true, false) => {
                    self.lost = true;
                    return Err(FeedError::Lost(self.reason.to_owned()));
                }
                (false, true) => {
                    self.lost = false;
                    return Ok(Change::Resync);
                }
                (true, true) => {
                    if self.cut.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
                (false, false) => {
                    let wire = &mut self.cut;
                    tokio::select! {
                        biased;
                        Ok(()) = wire.changed() => {}
                        change = self.behind.next() => return change,
                    }
                }
            }
        }
    }
}
