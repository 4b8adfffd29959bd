//! How long each kind of call takes: `cargo run --release -p ringback-db-postgres --example latency [ADDRESS]`. Without an
//! address a server is started on this machine, as durable as in production.
#![allow(clippy::print_stdout, reason = "its purpose")]
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use ringback_callback::{Kind, Phase, Record};
use ringback_db::{Change, ChangeFeed, DirectoryAdmin, RequestStore, Write};
use ringback_db_postgres::{Options, PostgresDatabase};
use ringback_election::{Incarnation, Intent, Member, Registry, Report};
use ringback_model::{
    Appearance, DeviceName, DirectoryNumber, Epoch, Group, LineId, Millis, Partition, RequestId, Timestamp,
};
use ringback_postgres_lab::{Durability, Postgres, Server};

fn record(number: u64) -> Record {
    let line = |dn: &str| LineId::new(Partition::default(), DirectoryNumber::new(dn).unwrap());
    Record {
        id: RequestId { epoch: Epoch(1), number },
        caller: Appearance { device: DeviceName::new("SEP001122334455").unwrap(), line: line("1001") },
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

async fn measure(name: &str, rounds: usize, mut call: impl AsyncFnMut(u64)) {
    // The first prepares its statement.
    call(0).await;
    let mut times = Vec::new();
    for round in 1..=rounds {
        let start = Instant::now();
        call(round as u64).await;
        times.push(start.elapsed());
    }
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    println!(
        "{name:<44} n {rounds:>5}  p50 {:>8.3} ms  p99 {:>8.3} ms  max {:>8.3} ms",
        at(50),
        at(99),
        at(100)
    );
}

#[tokio::main]
async fn main() {
    let (_server, address) = match std::env::args().nth(1) {
        Some(address) => (None, address),
        None => {
            let server = Server::start_with(&Postgres::find().unwrap(), Durability::Full, &[]).unwrap();
            let address = server.fresh_database().unwrap();
            (Some(server), address)
        }
    };
    let database = PostgresDatabase::open(&address, Options::default()).await.unwrap();
    let (store, registry, directory) = (database.store(), database.registry(), database.directory());
    let group = Group::new("latency").unwrap();

    measure("now (one exchange, nothing else)", 1000, async |_| assert!(store.now().await.is_ok())).await;
    measure("claim of a higher epoch", 300, async |n| store.claim(&group, Epoch(n + 1)).await.unwrap()).await;
    let epoch = Epoch(1000);
    measure("apply, 1 request", 300, async |n| {
        store.apply(&group, epoch, &[Write::Put(record(n))]).await.unwrap();
    })
    .await;
    measure("apply, 100 requests", 100, async |n| {
        let writes: Vec<Write> = (0..100).map(|i| Write::Put(record(n * 100 + i))).collect();
        store.apply(&group, epoch, &writes).await.unwrap();
    })
    .await;
    println!("(now {} requests)", store.load(&group).await.unwrap().len());
    measure("load of all of them", 20, async |_| drop(store.load(&group).await.unwrap())).await;

    let me = Member::new(Ipv4Addr::LOCALHOST.into(), Incarnation(1), Timestamp(0));
    let report = |intent| Report { member: me, ready: true, length: Millis(60_000), intent };
    let claim = report(Intent::Acquire { seen: Epoch(0), above: Epoch(0) });
    let given = registry.tick(&group, &claim).await.unwrap().epoch;
    let renew = report(Intent::Renew { epoch: given });
    measure("tick that renews", 300, async |_| drop(registry.tick(&group, &renew).await.unwrap())).await;
    for count in [50, 1000] {
        let reports: Vec<_> = (0..count)
            .map(|number| (Group::new(format!("latency-{number}")).unwrap(), report(Intent::Watch)))
            .collect();
        let name = format!("tick_all, {count} groups");
        measure(&name, 2000 / count, async |_| {
            assert!(registry.tick_all(&reports).await.iter().all(Result::is_ok));
        })
        .await;
    }

    let mut feed = database.feed(&group);
    assert_eq!(feed.next().await, Ok(Change::Resync));
    let mut delays = Vec::new();
    for n in 0..300 {
        directory.set_parameter(&group, "P", Some(&n.to_string())).await.unwrap();
        let committed = Instant::now();
        feed.next().await.unwrap();
        delays.push(committed.elapsed());
    }
    delays.sort();
    let shown = |delay: Duration| delay.as_secs_f64() * 1000.0;
    println!(
        "commit of a parameter until it is told           p50 {:>8.3} ms  p99 {:>8.3} ms",
        shown(delays[150]),
        shown(delays[297])
    );
}
