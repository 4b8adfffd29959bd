//! Alarms: which, when, and with what.

use std::sync::Arc;

use mockall::mock;
use ringback::cti::message::{CallState, CtiError};
use ringback::model::Timestamp;
use ringback::serviceability::alarm::{Alarm, AlarmName, AlarmSink};

use crate::desk::{Desk, link_up, pass};
use crate::ports::refused;

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
