//! Applications at simulated CTIManagers, over the real protocol.

mod lab;

use lab::{Lab, alert, at, clear, dev, dn, screen};
use ringback_cti::message::{Activity, Answer, CallState, CtiError, DeviceStatus};
use ringback_cti::{Command, LinkLoss, ProviderEvent, RequestFailure, Tag};
use ringback_model::Epoch;
use ringback_sim::{Action, Cut};

const IDLE: Option<DeviceStatus> = Some(DeviceStatus { activity: Activity::Idle, do_not_disturb: false });

fn up(manager: &str, failed_over: bool) -> ProviderEvent {
    ProviderEvent::LinkUp { manager: manager.to_owned(), failed_over }
}

fn lost(manager: &str, reason: LinkLoss) -> ProviderEvent {
    ProviderEvent::LinkLost { manager: manager.to_owned(), reason }
}

fn device(name: &str, status: Option<DeviceStatus>) -> ProviderEvent {
    ProviderEvent::Device { device: dev(name), status }
}

fn answer(tag: u64, result: Result<Answer, CtiError>) -> ProviderEvent {
    ProviderEvent::Answer { tag: Tag(tag), result: result.map_err(RequestFailure::Refused) }
}

fn states(events: &[ProviderEvent], name: &str) -> Vec<CallState> {
    let call = |event: &ProviderEvent| match event {
        ProviderEvent::Call { at, info } if at.device == dev(name) => Some(info.state),
        _ => None,
    };
    events.iter().filter_map(call).collect()
}

#[tokio::test(start_paused = true)]
async fn an_application_sees_and_makes_the_calls_of_an_open_line() {
    let lab = Lab::new(&["cti1"]);
    let mut app = lab.application("10.0.0.1", 1);
    app.submit(Command::OpenDevice(dev("A")));
    app.submit(Command::OpenLine(at("A", "1001")));
    assert_eq!(
        app.hear().await,
        [
            up("cti1", false),
            device("A", IDLE),
            ProviderEvent::LineOpened { at: at("A", "1001"), calls: Vec::new() },
        ]
    );
    assert_eq!((lab.managers[0].open_devices(), lab.call_manager.open_lines()), (1, 1));
    assert_eq!(lab.managers[0].providers(), ["CallBack"]);
    app.submit(Command::MakeCall {
        tag: Tag(1),
        from: at("A", "1001"),
        to: dn("1002"),
        override_forwarding: true,
    });
    let events = app.hear().await;
    assert!(
        matches!(events[0], ProviderEvent::Answer { tag: Tag(1), result: Ok(Answer::CallMade(_)) }),
        "{events:?}"
    );
    assert_eq!(
        states(&events, "A"),
        [CallState::DialTone, CallState::Dialing, CallState::Proceeding, CallState::Ringback]
    );
    assert_eq!(lab.call_manager.rings(&dev("B")), [dn("1001")]);
    app.submit(Command::CloseDevice(dev("A")));
    app.hear().await;
    assert_eq!((lab.call_manager.open_devices(), lab.call_manager.open_lines()), (0, 0));
    lab.act("A", Action::HangsUp(None));
    assert_eq!(app.hear().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_resets_is_closed_and_can_be_opened_again() {
    let lab = Lab::new(&["cti1"]);
    let mut app = lab.application("10.0.0.1", 1);
    app.submit(Command::OpenDevice(dev("A")));
    app.hear().await;
    lab.act("A", Action::Unregisters);
    assert_eq!(app.hear().await, [device("A", None)]);
    assert_eq!(lab.call_manager.open_devices(), 0);
    lab.act("A", Action::Registers);
    assert_eq!(app.hear().await, [device("A", IDLE)]);
    assert_eq!(lab.call_manager.open_devices(), 1);
    lab.act("A", Action::LogsIn);
    assert_eq!(app.hear().await, [ProviderEvent::DeviceUserChanged(dev("A"))]);
}

#[tokio::test(start_paused = true)]
async fn screens_and_alerts_reach_the_phone_and_its_keys_the_application() {
    let lab = Lab::new(&["cti1"]);
    let mut app = lab.application("10.0.0.1", 1);
    app.submit(Command::OpenDevice(dev("A")));
    app.hear().await;
    app.submit(screen(1, "A"));
    app.submit(alert(2, "A", 7));
    app.submit(alert(3, "A", 7));
    app.submit(Command::SendData { tag: Tag(4), device: dev("A"), id: None, content: "<What/>".into() });
    let events = app.hear().await;
    for tag in 1..=3 {
        assert!(events.contains(&answer(tag, Ok(Answer::Done))), "{events:?}");
    }
    assert!(events.contains(&answer(4, Err(CtiError::DataRejected))), "{events:?}");
    assert_eq!(lab.call_manager.alerts(&dev("A")), 1);
    assert_eq!(lab.call_manager.alert_log().len(), 1);
    lab.act("A", Action::Presses("Exit".into()));
    assert!(lab.call_manager.screen(&dev("A")).is_some(), "the application is to clear it");
    let content = "Exit:ringback:".to_owned();
    assert_eq!(app.hear().await, [ProviderEvent::DeviceData { device: dev("A"), content }]);
    app.submit(clear(5, "A"));
    app.hear().await;
    assert_eq!(lab.call_manager.screen(&dev("A")), None);
}

#[tokio::test(start_paused = true)]
async fn exit_closes_the_screen_at_the_phone_if_nobody_has_the_device_open() {
    let lab = Lab::new(&["cti1"]);
    let mut app = lab.application("10.0.0.1", 1);
    app.submit(Command::OpenDevice(dev("A")));
    app.hear().await;
    app.submit(screen(1, "A"));
    app.hear().await;
    drop(app);
    lab.settle().await;
    assert_eq!(lab.call_manager.open_devices(), 0);
    lab.act("A", Action::Presses("Exit".into()));
    assert_eq!(lab.call_manager.screen(&dev("A")), None);
}

#[tokio::test(start_paused = true)]
async fn the_key_goes_to_the_application_that_acts() {
    let lab = Lab::new(&["cti1", "cti2"]);
    let mut standby = lab.application("10.0.0.1", 0);
    standby.hear().await;
    let press = || lab.act("A", Action::Presses("CallBack".into()));
    press();
    assert_eq!(lab.call_manager.prompt(&dev("A")).as_deref(), Some("Feature unavailable"));
    assert_eq!(standby.hear().await, []);
    let mut active = lab.application_at("10.0.0.2", 3, &["cti2"]);
    active.hear().await;
    press();
    let events = active.hear().await;
    let [ProviderEvent::FeatureInvoked(pressed)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((pressed.state, &pressed.from), (CallState::Idle, &at("A", "1001")));
    active.submit(Command::AnswerFeature { invocation: pressed.invocation, accepted: false });
    active.hear().await;
    assert_eq!(lab.call_manager.prompt(&dev("A")).as_deref(), Some("Key Not Active"));
    assert_eq!(standby.hear().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_later_epoch_closes_an_older_one_at_whatever_ctimanager() {
    let lab = Lab::new(&["cti1", "cti2"]);
    let mut old = lab.application("10.0.0.1", 1);
    old.submit(Command::OpenDevice(dev("A")));
    old.hear().await;
    let mut new = lab.application_at("10.0.0.2", 0, &["cti2"]);
    new.hear().await;
    new.submit(Command::Assume(Epoch(2)));
    new.submit(Command::OpenDevice(dev("B")));
    new.hear().await;
    assert_eq!(lab.call_manager.open_devices(), 1);
    let events = old.hear().await;
    assert_eq!(events[0], lost("cti1", LinkLoss::ProviderClosed(CtiError::EpochSuperseded)));
    assert!(lab.managers[0].providers().is_empty());
    lab.act("A", Action::Presses("CallBack".into()));
    assert!(matches!(new.hear().await[..], [ProviderEvent::FeatureInvoked(_)]));
}

#[tokio::test(start_paused = true)]
async fn a_stand_by_opens_nothing() {
    let lab = Lab::new(&["cti1"]);
    let mut app = lab.application("10.0.0.1", 1);
    app.submit(Command::OpenDevice(dev("A")));
    app.hear().await;
    app.submit(Command::Relinquish);
    app.hear().await;
    assert_eq!((lab.call_manager.open_devices(), lab.managers[0].providers().len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_refused() {
    let lab = Lab::new(&["cti1"]);
    let mut app = lab.application_with("10.0.0.1", 1, &["cti1"], "wrong");
    let reason = LinkLoss::OpenRefused(CtiError::LoginFailed);
    assert_eq!(app.hear().await[0], ProviderEvent::LinkFailed { manager: "cti1".into(), reason });
}

#[tokio::test(start_paused = true)]
async fn a_ctimanager_that_stops_is_left_for_the_next() {
    let lab = Lab::new(&["cti1", "cti2"]);
    let mut app = lab.application("10.0.0.1", 1);
    app.submit(Command::OpenDevice(dev("A")));
    app.hear().await;
    lab.managers[0].stop();
    assert_eq!(lab.call_manager.open_devices(), 0);
    let events = app.hear_for(60).await;
    assert_eq!(events[0], lost("cti1", LinkLoss::Closed));
    assert!(events.contains(&up("cti2", true)), "{events:?}");
    assert_eq!((lab.managers[0].open_devices(), lab.managers[1].open_devices()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_ctimanager_that_hangs_is_silent_until_it_is_started_again() {
    let lab = Lab::new(&["cti1", "cti2"]);
    let mut app = lab.application("10.0.0.1", 1);
    app.submit(Command::OpenDevice(dev("A")));
    app.hear().await;
    lab.managers[0].freeze();
    lab.act("A", Action::Lifts);
    assert_eq!(app.hear_for(30).await, [], "nothing is told and nothing is closed");
    let events = app.hear_for(120).await;
    assert_eq!(events[0], lost("cti1", LinkLoss::Silent));
    assert!(events.contains(&up("cti2", true)), "{events:?}");
    assert_eq!(lab.call_manager.open_devices(), 1);
    lab.managers[0].start();
    lab.settle().await;
    assert!(lab.managers[0].providers().is_empty());
    assert_eq!(lab.managers[1].providers(), ["CallBack"]);
}

#[tokio::test(start_paused = true)]
async fn what_waited_in_a_hanging_ctimanager_is_never_carried_out() {
    let lab = Lab::new(&["cti1"]);
    let mut app = lab.application("10.0.0.1", 1);
    app.submit(Command::OpenDevice(dev("A")));
    app.hear().await;
    lab.managers[0].freeze();
    app.submit(alert(1, "A", 7));
    app.hear().await;
    lab.managers[0].start();
    let events = app.hear().await;
    assert_eq!(lab.call_manager.alerts(&dev("A")), 0);
    let unknown = ProviderEvent::Answer { tag: Tag(1), result: Err(RequestFailure::OutcomeUnknown) };
    assert!(events.contains(&unknown) && events.contains(&lost("cti1", LinkLoss::Closed)), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_cut_off_is_heard_late_and_after_a_take_over_not_at_all() {
    let lab = Lab::new(&["cti1"]);
    let mut old = lab.application("10.0.0.1", 1);
    old.submit(Command::OpenDevice(dev("A")));
    old.hear().await;
    let node = "10.0.0.1".parse().unwrap();
    lab.network.cut(node, Cut::Both);
    old.submit(alert(1, "A", 7));
    assert_eq!(old.hear().await, []);
    assert_eq!(lab.call_manager.alerts(&dev("A")), 0);
    lab.network.heal(node);
    assert_eq!(old.hear().await, [answer(1, Ok(Answer::Done))]);
    lab.network.cut(node, Cut::Both);
    old.submit(alert(2, "A", 8));
    old.hear().await;
    let mut new = lab.application("10.0.0.2", 2);
    new.hear().await;
    lab.network.heal(node);
    old.hear().await;
    lab.settle().await;
    assert_eq!(lab.call_manager.alerts(&dev("A")), 1, "the alert of the older epoch is refused");
}

#[tokio::test(start_paused = true)]
async fn the_connections_of_a_killed_node_are_closed() {
    let lab = Lab::new(&["cti1"]);
    let mut app = lab.application("10.0.0.1", 1);
    app.hear().await;
    lab.network.kill("10.0.0.1".parse().unwrap());
    assert_eq!(app.hear().await[0], lost("cti1", LinkLoss::Closed));
}

#[tokio::test]
async fn a_ctimanager_serves_a_tcp_port() {
    let lab = Lab::new(&["cti1"]);
    let listener = ringback_cti_net::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let manager = lab.managers[0].clone();
    let server = tokio::spawn(async move { manager.listen(listener).await });
    let mut app = lab.tcp_application(&address);
    app.submit(Command::OpenDevice(dev("A")));
    assert_eq!(app.next().await, up("cti1", false));
    assert_eq!(app.next().await, device("A", IDLE));
    server.abort();
    assert_eq!(app.next().await, lost("cti1", LinkLoss::Closed));
}
