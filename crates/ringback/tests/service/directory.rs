//! The directory is away.

use ringback::cti::message::CallState;
use ringback::election::Role;
use ringback::serviceability::alarm::AlarmName::{
    ChangeNotificationBack, ChangeNotificationLost, DatabaseBack, DatabaseLost,
};

use crate::desk::{Desk, link_up, pass};

#[tokio::test(start_paused = true)]
async fn away_it_refuses_new_requests_and_waiting_ones_go_on() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.activate().await;
    node.alarm_names();
    desk.directory.set_available(false);
    node.press_at(crate::desk::at("C", "1003"), 2, "1002", CallState::Busy);
    pass(100).await;
    // R37; that phone's language cannot be asked for either.
    assert_eq!(
        node.board.asked(),
        ["key 2 taken", "open C", "C <- Cannot 1002 DirectoryUnavailable [en_US]"]
    );
    assert!(!node.status().directory_up);
    node.b_is_free().await;
    assert!(node.board.asked()[1].starts_with("A <- plays"), "R46");
    pass(60_000).await;
    assert_eq!(node.alarm_names(), [DatabaseLost, ChangeNotificationLost]);
    desk.directory.set_available(true);
    pass(6000).await;
    let mut names = node.alarm_names();
    names.sort_unstable();
    assert_eq!(names, [DatabaseBack, ChangeNotificationBack]);
    assert!(node.status().directory_up);
}

#[tokio::test(start_paused = true)]
async fn a_take_over_without_it_looks_lines_up_when_it_is_back() {
    let desk = Desk::new().await;
    let first = desk.active().await;
    first.activate().await;
    first.task.abort();
    desk.directory.set_available(false);
    let second = desk.instance(2).await;
    pass(5000).await;
    assert_eq!(second.status().role, Role::Active);
    assert_eq!(second.board.asked(), ["assume 2", "open A", "open A/1001"]);
    assert!(!second.status().ready, "B cannot be found");
    desk.directory.set_available(true);
    pass(2000).await;
    let asked = second.board.asked();
    assert_eq!(asked[..2], ["open B", "open B/1002"]);
    assert!(second.status().ready);
}

#[tokio::test(start_paused = true)]
async fn away_at_the_start_without_a_feed_parameters_are_read_when_it_is_back() {
    let desk = Desk::new().await;
    desk.set_parameter("Audio File Name", "bell.raw").await;
    desk.directory.set_available(false);
    let node = desk.started(desk.config(1), |ports| ports.feed = None);
    node.board.happens(link_up());
    pass(5000).await;
    desk.directory.set_available(true);
    pass(6000).await;
    node.activate().await;
    node.b_is_free().await;
    assert!(node.board.asked()[1].starts_with("A <- plays bell.raw"));
}
