//! The client against served links, on a clock that stands still but for the tests' own waiting.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use ringback_cti::message::{CtiError, Event};
use ringback_cti::{Command, CtiProvider, LinkLoss, ProviderEvent, RequestFailure, Tag};
use ringback_cti_net::Manager;
use ringback_model::Epoch;
use support::*;

#[tokio::test(start_paused = true)]
async fn opens_registers_and_reads_what_is_wanted() {
    let network = Network::with(&["a"]);
    let mut provider = watching(&network, config(&["a"]));
    assert_eq!(during(&mut provider, 10).await, with_read(vec![up("a", false)]));
    assert_eq!(network.server("a").seen(), ["open 1", "register", "device PHONE", "line 1001"]);
}

#[tokio::test(start_paused = true)]
async fn a_stand_by_registers_and_opens_nothing_until_it_acts() {
    let network = Network::with(&["a"]);
    let mut provider = provider(&network, config(&["a"]));
    provider.submit(Command::OpenDevice(device("PHONE")));
    provider.submit(Command::OpenLine(line("PHONE", "1001")));
    assert_eq!(during(&mut provider, 10).await, [up("a", false)]);
    assert_eq!(network.server("a").seen(), ["open 0", "register"]);
    provider.submit(Command::Assume(Epoch(4)));
    assert_eq!(during(&mut provider, 10).await, read());
    provider.submit(Command::Relinquish);
    assert_eq!(during(&mut provider, 10).await, []);
    assert_eq!(network.server("a").seen(), ["assume 4", "device PHONE", "line 1001", "assume 0"]);
}

#[tokio::test(start_paused = true)]
async fn a_closed_link_fails_over_in_order_and_opens_again() {
    let network = Network::with(&["a", "b"]);
    let mut provider = watching(&network, config(&["a", "b"]));
    during(&mut provider, 10).await;
    network.stop("a");
    assert_eq!(during(&mut provider, 10).await, with_read(vec![lost("a", LinkLoss::Closed), up("b", true)]));
    network.stop("b");
    assert_eq!(
        during(&mut provider, 10).await,
        [lost("b", LinkLoss::Closed), failed("a", refused()), failed("b", refused())]
    );
    network.start("b");
    assert_eq!(
        during(&mut provider, 600).await,
        with_read(vec![failed("a", refused()), up("b", false)]),
        "the same CTIManager as last time is no failover"
    );
    let server = network.server("a");
    assert_eq!(*server.opened.lock().unwrap(), *server.closed.lock().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_frozen_manager_is_noticed_after_twice_the_interval() {
    let network = Network::with(&["a", "b"]);
    let mut config = config(&["a", "b"]);
    config.heartbeat = seconds(5);
    let mut provider = watching(&network, config);
    assert_eq!(during(&mut provider, 60_000).await.len(), 3, "an idle link is kept alive");
    network.at("a", |place| place.freeze.send_replace(true));
    assert_eq!(during(&mut provider, 4_900).await, []);
    assert_eq!(
        during(&mut provider, 5_200).await,
        with_read(vec![lost("a", LinkLoss::Silent), up("b", true)])
    );
    assert!(network.server("a").closed.lock().unwrap().is_empty(), "frozen: it has noticed nothing");
    network.at("a", |place| place.freeze.send_replace(false));
    assert_eq!(during(&mut provider, 100).await, []);
    assert_eq!(network.server("a").closed.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_manager_that_never_answers_is_passed_over() {
    let network = Network::with(&["a", "b"]);
    network.server("a").mute.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut provider = watching(&network, config(&["a", "b"]));
    assert_eq!(during(&mut provider, 29_900).await, []);
    assert_eq!(
        during(&mut provider, 200).await,
        with_read(vec![failed("a", LinkLoss::OpenTimeout), up("b", false)])
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_answered_has_an_unknown_outcome() {
    let network = Network::with(&["a"]);
    let mut provider = watching(&network, config(&["a"]));
    during(&mut provider, 10).await;
    network.server("a").mute.store(true, std::sync::atomic::Ordering::Relaxed);
    let send =
        |tag| Command::SendData { tag: Tag(tag), device: device("PHONE"), id: None, content: "x".into() };
    provider.submit(send(1));
    let outcome = |tag, failure| ProviderEvent::Answer { tag: Tag(tag), result: Err(failure) };
    assert_eq!(during(&mut provider, 20_100).await, [outcome(1, RequestFailure::OutcomeUnknown)]);
    network.server("a").kept.lock().unwrap().clear();
    assert_eq!(during(&mut provider, 100).await, [], "a late answer is no second outcome");
    network.stop("a");
    during(&mut provider, 10).await;
    provider.submit(send(2));
    let failure = RequestFailure::NeverSent(refused());
    assert_eq!(during(&mut provider, 10).await, [outcome(2, failure)]);
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_registers_again_is_read_again() {
    let network = Network::with(&["a"]);
    let mut provider = watching(&network, config(&["a"]));
    provider.submit(Command::OpenDevice(device("AWAY")));
    let away = ProviderEvent::Device { device: device("AWAY"), status: None };
    let events = during(&mut provider, 10).await;
    assert!(events.contains(&away), "{events:?}");
    let link = network.server("a").link();
    link.send(Event::DeviceOutOfService(device("PHONE")));
    link.send(in_service("PHONE"));
    let gone = ProviderEvent::Device { device: device("PHONE"), status: None };
    assert_eq!(during(&mut provider, 10).await, with_read(vec![gone]));
}

#[tokio::test(start_paused = true)]
async fn the_configuration_changes_while_running() {
    let network = Network::with(&["a", "b"]);
    let mut provider = watching(&network, config(&["a"]));
    during(&mut provider, 10).await;
    let control = provider.control();
    let mut changed = config(&["a"]);
    changed.heartbeat = seconds(2);
    control.configure(changed.clone()).unwrap();
    assert_eq!(during(&mut provider, 10).await, []);
    network.at("a", |place| place.freeze.send_replace(true));
    assert_eq!(during(&mut provider, 4_100).await.first(), Some(&lost("a", LinkLoss::Silent)));
    network.at("a", |place| place.freeze.send_replace(false));
    during(&mut provider, 1_000).await;
    changed.managers = vec![Manager::new("b!", "b")];
    control.configure(changed.clone()).unwrap();
    assert_eq!(
        during(&mut provider, 10).await,
        with_read(vec![lost("a", LinkLoss::Reconfigured), up("b", true)])
    );
    changed.heartbeat = seconds(0);
    assert_eq!(
        control.configure(changed).unwrap_err().to_string(),
        "HeartBeat Interval Time Out is 0 ms: give at least 1 ms"
    );
}

#[tokio::test(start_paused = true)]
async fn refusals_and_closing_are_named() {
    let network = Network::with(&["a"]);
    let mut stranger = config(&["a"]);
    stranger.user = "nobody".into();
    let mut provider = support::provider(&network, stranger);
    assert_eq!(during(&mut provider, 10).await, [failed("a", LinkLoss::OpenRefused(CtiError::LoginFailed))]);
    drop(provider);
    let mut provider = watching(&network, config(&["a"]));
    during(&mut provider, 10).await;
    network.server("a").link().close(CtiError::EpochSuperseded);
    let events = during(&mut provider, 10).await;
    assert_eq!(events[0], lost("a", LinkLoss::ProviderClosed(CtiError::EpochSuperseded)));
    drop(provider);
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    let server = network.server("a");
    let (mut opened, mut closed) =
        (server.opened.lock().unwrap().clone(), server.closed.lock().unwrap().clone());
    opened.sort_unstable();
    closed.sort_unstable();
    assert_eq!(opened, closed, "each link is closed once");
}
