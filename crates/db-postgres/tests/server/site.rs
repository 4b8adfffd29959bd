//! What the tests begin with.

use ringback_callback::{Kind, Phase, Record};
use ringback_db_postgres::{Options, PostgresDatabase};
use ringback_model::{
    Appearance, DeviceName, DirectoryNumber, Epoch, LineId, Partition, RequestId, Timestamp,
};
use tokio_postgres::{Client, NoTls};

pub(crate) async fn open(address: &str) -> PostgresDatabase {
    open_with(address, |_| {}).await
}

pub(crate) async fn open_with(address: &str, change: impl FnOnce(&mut Options)) -> PostgresDatabase {
    let mut options = Options::default();
    change(&mut options);
    PostgresDatabase::open(address, options).await.unwrap()
}

/// A session of an operator, who can do everything.
pub(crate) async fn operator(address: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// One value, as text.
pub(crate) async fn ask(operator: &Client, query: &str) -> String {
    operator.query_one(query, &[]).await.unwrap().get(0)
}

/// Looks until it is so.
pub(crate) async fn until(operator: &Client, condition: &str) {
    while ask(operator, &format!("SELECT ({condition})::text")).await != "true" {
        tokio::task::yield_now().await;
    }
}

/// That a session of this role waits for a lock.
pub(crate) fn waits(role: &str) -> String {
    format!(
        "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
            AND application_name = 'ringback/{role}' AND wait_event_type = 'Lock')"
    )
}

/// Ends the sessions of this role, of all roles with `%`.
pub(crate) async fn terminate(operator: &Client, role: &str) {
    let query = format!(
        "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'ringback/{role}'"
    );
    assert_ne!(ask(operator, &query).await, "0");
}

pub(crate) fn record(epoch: u64, number: u64) -> Record {
    let line = |dn: &str| LineId::new(Partition::default(), DirectoryNumber::new(dn).unwrap());
    Record {
        id: RequestId { epoch: Epoch(epoch), number },
        caller: Appearance { device: DeviceName::new("A").unwrap(), line: line("1001") },
        called: line("1002"),
        dialled: DirectoryNumber::new("1002").unwrap(),
        kind: Kind::Busy,
        since: Timestamp(1_767_621_600_000 + number),
        expires: Some(Timestamp(1_767_624_300_000)),
        origin: None,
        phase: Phase::Waiting,
        cycle: None,
        alerts: 0,
        notified: None,
    }
}
