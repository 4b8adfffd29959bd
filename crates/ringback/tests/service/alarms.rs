//! Alarms: which, when, and with what.

use std::sync::Arc;

use async_trait::async_trait;
use mockall::mock;
use ringback::cti::message::{CallState, CtiError};
use ringback::db::{Change, ChangeFeed, Directory, DirectoryError, FeedError, LineEntry, PhoneEntry, Table};
use ringback::model::{DeviceName, DirectoryNumber, Group, LineId, Timestamp};
use ringback::serviceability::alarm::{Alarm, AlarmName, AlarmSink};

use crate::desk::{Desk, link_up, pass};
use crate::ports::{Trouble, refused};

mock! {
    Sink {}
    impl AlarmSink for Sink {
        fn alarm(&self, alarm: &Alarm);
    }
}

fn texts(alarms: &[Alarm]) -> Vec<String> {
    alarms.iter().map(|alarm| alarm.report.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn each_is_told_once_in_the_order_of_a_life() {
    let desk = Desk::new().await;
    let mut sink = MockSink::new();
    let mut order = mockall::Sequence::new();
    let version =
        concat!("ServiceStarted group=default address=10.0.0.1 version=", env!("CARGO_PKG_VERSION"));
    for expected in [
        version,
        "DatabaseBack group=default",
        "BecameActive group=default address=10.0.0.1 epoch=1",
        "StoreBack group=default",
        "CtiConnected group=default manager=cti1",
        "ChangeNotificationBack group=default",
        "ServiceStopped group=default address=10.0.0.1 reason=it was told to",
    ] {
        sink.expect_alarm()
            .withf(move |alarm| {
                // At the store's time, from the first one on.
                assert!(alarm.at > Timestamp(1_767_621_599_999), "{alarm:?}");
                alarm.report.to_string() == expected
            })
            .once()
            .in_sequence(&mut order)
            .return_const(());
    }
    let node = desk.started(desk.config(1), |ports| ports.alarms = Arc::new(sink));
    node.board.happens(link_up());
    pass(20_000).await;
    node.handle.stop();
    node.ends().await;
}

#[tokio::test(start_paused = true)]
async fn a_backup_tells_its_rank() {
    let desk = Desk::new().await;
    let _active = desk.active().await;
    let _second = desk.instance(2).await;
    let third = desk.instance(3).await;
    let told = texts(&third.alarms.take());
    assert!(told.contains(&"BecameBackup group=default address=10.0.0.3 rank=2".to_owned()), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_refuses_screens_is_told_and_one_that_went_away_is_not() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.activate().await;
    node.alarm_names();
    node.board.with(|manners| manners.data = refused(CtiError::DataRejected));
    node.b_is_free().await;
    let told: Vec<String> = texts(&node.alarms.take());
    let rejected =
        "ScreenRejected group=default device=<redacted> reason=data rejected by the phone request=1-1";
    assert_eq!(told, [rejected, rejected], "the screen and the alert");
    node.board.with(|manners| manners.data = refused(CtiError::DeviceOutOfService));
    node.key("A", "Exit:ringback:1-1");
    pass(10).await;
    assert_eq!(texts(&node.alarms.take()), [""; 0]);
}

/// An instance dies while A is being alerted; what the next one tells of it, and how many alerts it counts as in doubt.
async fn dies_while_alerting(plays_again: bool) -> (Vec<String>, u32) {
    let desk = Desk::new().await;
    let first = desk.active().await;
    first.activate().await;
    first.board.with(|manners| manners.data = None);
    first.b_is_free().await;
    first.task.abort();
    let second = desk.started(desk.config(2), |_| {});
    second.board.with(|manners| manners.plays_again = plays_again);
    second.board.happens(link_up());
    pass(5000).await;
    let alert = "A <- plays CallBack.raw #100000000000100000001";
    assert_eq!(second.board.asked().iter().filter(|asked| *asked == alert).count(), 1);
    let mut told = texts(&second.alarms.take());
    told.retain(|alarm| alarm.starts_with("AlertInDoubt"));
    (told, second.status().in_doubt)
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_may_be_played_twice_is_told_and_counted() {
    let told = vec!["AlertInDoubt group=default request=1-1 epoch=2".to_owned()];
    assert_eq!(dies_while_alerting(true).await, (told, 1));
    assert_eq!(dies_while_alerting(false).await, (vec![], 0), "phones play it once");
}

#[tokio::test(start_paused = true)]
async fn a_limit_names_its_parameter() {
    let desk = Desk::new().await;
    desk.set_parameter("Maximum Call Backs per Called Line", "1").await;
    let node = desk.active().await;
    node.activate().await;
    node.alarm_names();
    node.press_at(crate::desk::at("C", "1003"), 2, "1002", CallState::Busy);
    pass(10).await;
    let alarms = node.alarms.take();
    assert_eq!(alarms.iter().map(Alarm::name).collect::<Vec<_>>(), [AlarmName::LimitReached]);
    assert_eq!(texts(&alarms), ["LimitReached group=default limit=Maximum Call Backs per Called Line"]);
}

/// A directory whose file was replaced.
struct Replaced;

fn replaced<T>() -> Result<T, DirectoryError> {
    Err(DirectoryError::Invalid("ringback.db is another file than before".to_owned()))
}

#[async_trait]
impl Directory for Replaced {
    async fn phone(&self, _: &Group, _: &DeviceName) -> Result<Option<PhoneEntry>, DirectoryError> {
        replaced()
    }
    async fn line(&self, _: &Group, _: &LineId) -> Result<Option<LineEntry>, DirectoryError> {
        replaced()
    }
    async fn dialled(
        &self,
        _: &Group,
        _: &LineId,
        _: &DirectoryNumber,
    ) -> Result<Option<LineEntry>, DirectoryError> {
        replaced()
    }
    async fn parameters(&self, _: &Group) -> Result<Vec<(String, String)>, DirectoryError> {
        replaced()
    }
    async fn settings(&self, _: &Group, _: Table) -> Result<Vec<(String, String)>, DirectoryError> {
        replaced()
    }
    async fn probe(&self) -> Result<(), DirectoryError> {
        replaced()
    }
}

#[tokio::test(start_paused = true)]
async fn a_replaced_file_is_the_reason_that_is_told() {
    let desk = Desk::new().await;
    let node = desk.started(desk.config(1), |ports| ports.directory = Arc::new(Replaced));
    node.board.happens(link_up());
    pass(2000).await;
    let told = texts(&node.alarms.take());
    let lost = "DatabaseLost group=default reason=directory database holds an invalid value: ringback.db is another file \
                than before";
    assert!(told.contains(&lost.to_owned()), "{told:?}");
    desk.store.set(Trouble::Replaced);
    pass(6000).await;
    let told = texts(&node.alarms.take());
    let lost = "StoreLost group=default reason=request store invalid: ringback.db is another file than \
                before";
    assert_eq!(told, [lost]);
    desk.store.set(Trouble::None);
    pass(6000).await;
    assert_eq!(texts(&node.alarms.take()), ["StoreBack group=default"]);
}

/// Tells once that a port could not be opened, and listens on at the old one.
struct Kept(bool);

#[async_trait]
impl ChangeFeed for Kept {
    async fn next(&mut self) -> Result<Change, FeedError> {
        if std::mem::replace(&mut self.0, true) {
            std::future::pending::<()>().await;
        }
        Err(FeedError::NotInForce {
            parameter: "CBB Change Notification TCP Port",
            value: "80".to_owned(),
            used: "2552".to_owned(),
            reason: "it is in use".to_owned(),
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_cannot_move_is_an_invalid_parameter() {
    let desk = Desk::new().await;
    let node = desk.started(desk.config(1), |ports| ports.feed = Some(Box::new(Kept(false))));
    node.board.happens(link_up());
    pass(2000).await;
    let mut told = texts(&node.alarms.take());
    told.retain(|alarm| alarm.starts_with("ParameterInvalid") || alarm.starts_with("ChangeNotification"));
    let expected = "ParameterInvalid group=default reason=\"CBB Change Notification TCP Port\" cannot be 80: it is in use; \
                    2552 stays in force";
    assert_eq!(told, [expected]);
}
