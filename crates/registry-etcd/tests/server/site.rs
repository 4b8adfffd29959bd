//! What the tests begin with.

use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ringback_election::{Incarnation, Intent, Member, Report};
use ringback_etcd_lab::Server;
use ringback_model::{Epoch, Millis, Timestamp};
use ringback_registry_etcd::{EtcdRegistry, Options};
use serde_json::{Value, json};

pub(crate) const CLAIM: Intent = Intent::Acquire { seen: Epoch(0), above: Epoch(0) };

static PREFIXES: AtomicU32 = AtomicU32::new(1);

/// The address of the server with a prefix that no other test has.
pub(crate) fn fresh(server: &Server) -> String {
    let number = PREFIXES.fetch_add(1, Ordering::Relaxed);
    format!("http://{}/test-{number}", server.address())
}

/// With the patience that a busy machine needs.
pub(crate) fn options() -> Options {
    let mut options = Options::default();
    options.connect_timeout = Millis::from_secs(30);
    options.request_timeout = Millis::from_secs(30);
    options
}

pub(crate) async fn open(address: &str) -> EtcdRegistry {
    EtcdRegistry::open(address, options()).await.unwrap()
}

/// With less patience than a busy machine may need.
pub(crate) async fn open_at_last(address: &str, options: &Options) -> EtcdRegistry {
    soon(async {
        loop {
            if let Ok(registry) = EtcdRegistry::open(address, options.clone()).await {
                return registry;
            }
        }
    })
    .await
}

pub(crate) fn member(last: u8, run: u64) -> Member {
    Member::new(Ipv4Addr::new(10, 0, 0, last).into(), Incarnation(run * 100 + u64::from(last)), Timestamp(3))
}

/// For a lease that nothing in a test outlasts.
pub(crate) fn report(member: Member, intent: Intent) -> Report {
    Report { member, ready: true, length: Millis::from_secs(600), intent }
}

/// Fails if it takes so long that it will never come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), what).await.unwrap()
}

/// The full name of a key, as the server wants it.
fn key(address: &str, name: &str) -> String {
    let prefix = address.rsplit('/').next().unwrap();
    STANDARD.encode(format!("/{prefix}/{name}"))
}

/// When a key was written last, and what it holds.
pub(crate) fn stored(server: &Server, address: &str, name: &str) -> (String, Value) {
    let question = json!({ "key": key(address, name) });
    let answer: Value =
        serde_json::from_str(&server.ask("/v3/kv/range", &question.to_string()).unwrap()).unwrap();
    let found = &answer["kvs"][0];
    let value = STANDARD.decode(found["value"].as_str().unwrap()).unwrap();
    (found["mod_revision"].as_str().unwrap().to_owned(), serde_json::from_slice(&value).unwrap())
}

/// Behind everybody's back.
pub(crate) fn write(server: &Server, address: &str, name: &str, value: &str) {
    let order = json!({ "key": key(address, name), "value": STANDARD.encode(value) });
    server.ask("/v3/kv/put", &order.to_string()).unwrap();
}

/// From now on only the user `ringback`, password `secret`, may use the keys under `/ringback/`.
pub(crate) fn lock(server: &Server) {
    let (from, to) = (STANDARD.encode("/ringback/"), STANDARD.encode("/ringback0"));
    let permission = json!({ "permType": "READWRITE", "key": from, "range_end": to });
    let orders = [
        ("/v3/auth/user/add", json!({ "name": "root", "password": "root" })),
        ("/v3/auth/role/add", json!({ "name": "root" })),
        ("/v3/auth/user/grant", json!({ "user": "root", "role": "root" })),
        ("/v3/auth/user/add", json!({ "name": "ringback", "password": "secret" })),
        ("/v3/auth/role/add", json!({ "name": "ringback" })),
        ("/v3/auth/role/grant", json!({ "name": "ringback", "perm": permission })),
        ("/v3/auth/user/grant", json!({ "user": "ringback", "role": "ringback" })),
        ("/v3/auth/enable", json!({})),
    ];
    for (path, order) in orders {
        let answer = server.ask(path, &order.to_string()).unwrap();
        assert!(answer.contains("header"), "{path}: {answer}");
    }
}
