//! What a handle tells.

use ringback::election::Role;
use serde_json::json;

use crate::desk::{Desk, at, link_up, pass};

#[tokio::test(start_paused = true)]
async fn the_status_as_json() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.activate().await;
    let status = node.status();
    assert_eq!(
        serde_json::to_value(&status).unwrap(),
        json!({
            "group": "default",
            "address": "10.0.0.1",
            "role": "Active",
            "rank": { "position": 0, "active": "10.0.0.1", "backups": [] },
            "epoch": 1,
            "since": status.since.0,
            "ready": true,
            "directory_up": true,
            "store_up": true,
            "registered_at": "cti1",
            "open_devices": 2,
            "open_lines": 2,
            "pending": 1,
            "in_doubt": 0,
        })
    );
    assert_eq!(status.since.to_string()[..16], *"2026-01-05T14:00", "by the store's clock");
}

#[tokio::test(start_paused = true)]
async fn a_watcher_is_woken_only_by_changes() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    let mut watcher = node.handle.watch();
    watcher.mark_unchanged();
    pass(10_000).await;
    assert!(!watcher.has_changed().unwrap(), "leases were renewed, ports were probed");
    node.board.happens(crate::desk::link_lost());
    pass(10).await;
    assert!(watcher.has_changed().unwrap());
    assert_eq!(watcher.borrow_and_update().registered_at, None);
}

#[tokio::test(start_paused = true)]
async fn a_handle_outlives_its_service() {
    let desk = Desk::new().await;
    let node = desk.started(desk.config(1), |_| {});
    node.board.happens(link_up());
    pass(2000).await;
    node.activate().await;
    let handle = node.handle.clone();
    assert!(handle.is_running());
    handle.stop();
    handle.ended().await;
    assert!(!handle.is_running());
    assert_eq!(handle.status().role, Role::Stopped);
    assert_eq!(handle.records().await, []);
    assert_eq!(handle.queue(&at("B", "1002").line).await, []);
    handle.stop();
    handle.ended().await;
}
