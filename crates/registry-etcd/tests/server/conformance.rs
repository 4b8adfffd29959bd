//! etcd keeps what the port promises.

use std::time::Duration;

use ringback_election::{Intent, Registry, Report, conformance};
use ringback_etcd_lab::Server;
use ringback_model::{Group, Millis};

use crate::site::{fresh, member, open};

/// Long enough that a busy machine does not let a lease end before its time.
const LENGTH: Millis = Millis(5000);

/// On etcd's own lease clock. So much time has passed when a lease that is begun now and lasts as long, or a second, has
/// ended; those that are over before it have, too.
#[tokio::test]
async fn registry() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server);
    // Handles of one process: between two the time that is told may differ by what an answer takes.
    let (registry, sand) = (open(&address).await, open(&fresh(server)).await);
    let pass = async |span: Millis| {
        if span == Millis::ZERO {
            return;
        }
        let group = Group::default();
        let length = Millis(span.0.next_multiple_of(1000));
        let grain = Report { member: member(1, 1), ready: true, length, intent: Intent::Watch };
        sand.tick(&group, &grain).await.unwrap();
        while !sand.read(&group).await.unwrap().members.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let told = conformance::registry_with(LENGTH, async || registry.clone(), pass).await;
    assert_eq!(told, Ok(()));
}
