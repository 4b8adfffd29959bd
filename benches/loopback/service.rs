//! The service under measurement, on a thread of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use ringback::cti_net::{ClientConfig, ClientProvider, Manager, TcpConnector};
use ringback::db::{DirectoryAdmin, MemoryDirectory, MemoryStore, PhoneConfig, RequestStore, Write};
use ringback::{Config, Ports, Service};
use ringback_callback::{Kind, Phase, Record};
use ringback_db_sqlite::{Options, SqliteDatabase};
use ringback_model::{Appearance, DeviceName, DirectoryNumber, Epoch, Group, LineId, Partition};
use ringback_model::{RequestId, Timestamp};

use crate::PENDING;

/// Where the requests are kept.
pub(crate) enum Store {
    Memory,
    Sqlite(PathBuf),
}

fn line(number: usize) -> LineId {
    LineId::new(Partition::default(), DirectoryNumber::new(number.to_string()).unwrap())
}

/// The phone and line of caller N.
pub(crate) fn caller(number: usize) -> Appearance {
    Appearance { device: DeviceName::new(format!("A{number}")).unwrap(), line: line(100_000 + number) }
}

/// The phone and line that caller N waits for.
pub(crate) fn called(number: usize) -> Appearance {
    Appearance { device: DeviceName::new(format!("B{number}")).unwrap(), line: line(200_000 + number) }
}

fn record(number: usize, now: Timestamp) -> Record {
    let called = called(number).line;
    Record {
        id: RequestId { epoch: Epoch(1), number: number as u64 + 1 },
        caller: caller(number),
        dialled: called.dn.clone(),
        called,
        kind: Kind::Busy,
        since: now,
        expires: None,
        origin: None,
        phase: Phase::Waiting,
        cycle: None,
        alerts: 0,
        notified: None,
    }
}

fn wall_clock() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp(since_1970.as_millis() as u64)
}

/// Starts it with the requests in the store. The directory is in memory: it is not on the way.
pub(crate) fn start(address: SocketAddr, store: Store) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(address, store));
    });
}

async fn run(address: SocketAddr, store: Store) {
    let directory = MemoryDirectory::new();
    for number in 0..PENDING {
        for at in [caller(number), called(number)] {
            let phone = PhoneConfig::new(at.device, vec![at.line]);
            directory.put_phone(&Group::default(), &phone).await.unwrap();
        }
    }
    let managers = vec![Manager::new("cti1", address.to_string())];
    let config = ClientConfig::new(managers, "callback", "secret".into());
    let provider = ClientProvider::new(config, Arc::new(TcpConnector)).unwrap();
    let ports = match store {
        Store::Memory => {
            let store = MemoryStore::new(Arc::new(wall_clock));
            fill(&store).await;
            Ports::new(provider, directory, store)
        }
        Store::Sqlite(path) => {
            let database = SqliteDatabase::open(path, Options::default()).await.unwrap();
            fill(&database.store()).await;
            let mut ports = Ports::new(provider, directory, database.store());
            ports.registry = Arc::new(database.registry());
            ports
        }
    };
    let (service, _handle) = Service::new(Config::new([127, 0, 0, 1].into(), 1), ports).unwrap();
    service.run().await;
}

async fn fill(store: &dyn RequestStore) {
    let now = wall_clock();
    let writes: Vec<Write> = (0..PENDING).map(|number| Write::Put(record(number, now))).collect();
    store.apply(&Group::default(), Epoch(1), &writes).await.unwrap();
}
