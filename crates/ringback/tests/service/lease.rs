//! Nothing leaves without the lease, whatever was under way when it ran out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ringback::callback::AlertId;
use ringback::cti::message::CallState;
use ringback::db::{Directory, DirectoryError, LineEntry, MemoryDirectory, PhoneEntry, Table};
use ringback::election::Role;
use ringback::model::{DeviceName, DirectoryNumber, Group, LineId};
use ringback::serviceability::alarm::AlarmName;
use tokio::time::sleep;

use crate::desk::{Desk, link_up, pass};
use crate::ports::Trouble;

/// Tells what it knows of phones half a second late.
struct Slow(MemoryDirectory);

#[async_trait]
impl Directory for Slow {
    async fn phone(&self, group: &Group, device: &DeviceName) -> Result<Option<PhoneEntry>, DirectoryError> {
        sleep(Duration::from_millis(500)).await;
        self.0.phone(group, device).await
    }
    async fn line(&self, group: &Group, line: &LineId) -> Result<Option<LineEntry>, DirectoryError> {
        self.0.line(group, line).await
    }
    async fn dialled(
        &self,
        group: &Group,
        from: &LineId,
        dn: &DirectoryNumber,
    ) -> Result<Option<LineEntry>, DirectoryError> {
        self.0.dialled(group, from, dn).await
    }
    async fn parameters(&self, group: &Group) -> Result<Vec<(String, String)>, DirectoryError> {
        self.0.parameters(group).await
    }
    async fn settings(&self, group: &Group, table: Table) -> Result<Vec<(String, String)>, DirectoryError> {
        self.0.settings(group, table).await
    }
    async fn probe(&self) -> Result<(), DirectoryError> {
        self.0.probe().await
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_pause_it_stands_down_before_anything_else() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    let other = desk.instance(2).await;
    node.activate().await;
    // While it sleeps B becomes free and A presses keys: everything is there when it wakes.
    node.board.happens(ringback::cti::ProviderEvent::Call {
        at: crate::desk::at("B", "1002"),
        info: crate::desk::call(7, CallState::Idle),
    });
    node.key("A", "Cancel:ringback:1-1");
    node.press(2, "1003", CallState::Busy);
    node.pause(5000).await;
    pass(0).await;
    assert_eq!(node.board.asked(), ["relinquish"]);
    assert_eq!(other.status().role, Role::Active);
    assert_eq!(other.board.asked()[0], "assume 2");
    assert_eq!(desk.store.held().await, ["1-1"]);
    let told = other.alarm_names();
    // Its address is the lower one: it gets the office back in good order.
    pass(3000).await;
    assert_eq!(node.board.asked()[0], "assume 3");
    assert_eq!(other.board.asked().last().unwrap(), "relinquish");
    assert!(told.contains(&AlarmName::BecameActive));
    assert!(node.alarm_names().contains(&AlarmName::FencedOff));
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_phones_language_does_not_leave_after_the_lease() {
    let desk = Desk::new().await;
    let directory = Slow(desk.directory.clone());
    let node = desk.started(desk.config(1), |ports| ports.directory = Arc::new(directory));
    node.board.happens(link_up());
    pass(2000).await;
    node.board.asked();
    // R3: *Not active*, as soon as it is known in which language.
    node.press_at(crate::desk::at("A", "1001"), 1, "1002", CallState::Idle);
    pass(100).await;
    assert_eq!(node.board.asked(), ["key 1 taken", "open A"]);
    node.pause(5000).await;
    pass(1000).await;
    assert_eq!(node.board.asked(), ["relinquish", "assume 2"]);
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_of_the_registry_nothing_leaves_when_the_lease_is_over() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.activate().await;
    desk.registry.set_available(false);
    pass(2000).await;
    assert_eq!(node.board.asked(), ["relinquish"]);
    node.b_is_free().await;
    node.press(2, "1003", CallState::Busy);
    node.key("A", "Cancel:ringback:1-1");
    pass(10_000).await;
    assert_eq!(node.board.asked(), [""; 0]);
    desk.registry.set_available(true);
    pass(3000).await;
    let asked = node.board.asked();
    assert_eq!(asked[0], "assume 2");
    assert!(asked.contains(&format!("A <- plays CallBack.raw #{:x}", data_id(1, 1, 1))), "{asked:?}");
}

/// As the phone sees it: 48 bits of epoch, 48 of the request, 32 of the alert.
fn data_id(epoch: u128, request: u128, alert: u128) -> u128 {
    epoch << 80 | request << 32 | alert
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_read_too_late_opens_nothing() {
    let desk = Desk::new().await;
    desk.store.set(Trouble::Hangs);
    let node = desk.started(desk.config(1), |_| {});
    node.board.happens(link_up());
    pass(3500).await;
    assert_eq!(node.status().role, Role::Active, "it has the lease, and waits for the store");
    // It sleeps; the store answers meanwhile.
    desk.store.set(Trouble::None);
    node.pause(5000).await;
    pass(1000).await;
    assert_eq!(node.board.asked(), ["relinquish", "assume 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_of_an_earlier_term_does_not_enter() {
    let desk = Desk::new().await;
    desk.store.inner.set_available(false);
    let node = desk.started(desk.config(1), |_| {});
    node.board.happens(link_up());
    pass(2000).await;
    assert_eq!(node.status().role, Role::Active);
    // It loses the lease between two attempts and gets the next before the second of them.
    desk.registry.set_available(false);
    pass(1900).await;
    desk.registry.set_available(true);
    desk.store.inner.set_available(true);
    pass(3000).await;
    let asked = node.board.asked();
    let assumed: Vec<&String> = asked.iter().filter(|asked| asked.starts_with("assume")).collect();
    assert_eq!(assumed, ["assume 2"], "{asked:?}");
    assert!(node.status().ready);
}

#[tokio::test(start_paused = true)]
async fn the_clock_never_steps_back() {
    let desk = Desk::new().await;
    let first = desk.active().await;
    first.activate().await;
    let before = first.handle.records().await[0].since;
    first.task.abort();
    // The next one finds a store whose clock is an hour behind.
    desk.store.set_clock_by(-3600);
    let second = desk.instance(2).await;
    pass(3000).await;
    assert_eq!(second.status().role, Role::Active);
    second.press_at(crate::desk::at("C", "1003"), 5, "1002", CallState::Busy);
    pass(10).await;
    let records = second.handle.records().await;
    assert_eq!(records.iter().map(|record| record.id.to_string()).collect::<Vec<_>>(), ["1-1", "2-1"]);
    assert!(records[1].since >= before, "who came later waits behind");
    let alert = AlertId { request: records[0].id, number: 1 };
    second.b_is_free().await;
    let told = second.board.asked();
    assert!(told.iter().any(|asked| asked.starts_with("A <- plays")), "{alert:?} first: {told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_former_run_at_its_address_is_replaced_at_once_if_it_is_known_to_be_dead() {
    let desk = Desk::new().await;
    let first = desk.active().await;
    first.activate().await;
    first.task.abort();
    let mut config = desk.config(1);
    config.member.incarnation.0 = 77;
    config.exclusive = true;
    let second = desk.started(config, |_| {});
    second.board.happens(link_up());
    pass(100).await;
    assert_eq!(second.status().role, Role::Active, "no lease had to run out");
    assert!(!second.alarm_names().contains(&AlarmName::AddressConflict));
    assert_eq!(second.handle.records().await.len(), 1);
    // Without that knowledge it says so, and waits.
    let mut config = desk.config(1);
    config.member.incarnation.0 = 78;
    let third = desk.started(config, |_| {});
    pass(100).await;
    assert_eq!(third.status().role, Role::Joining);
    assert!(third.alarm_names().contains(&AlarmName::AddressConflict));
}
