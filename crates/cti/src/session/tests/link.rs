use ringback_model::CallId;

use super::*;
use crate::message::{CallState, Cause, Feature, FeatureInvocation, InvocationId};
use crate::provider::{RequestFailure, Tag};

fn data(tag: u64) -> Command {
    Command::SendData { tag: Tag(tag), device: device("P"), id: None, content: "x".into() }
}

fn call(tag: u64) -> Command {
    let to = DirectoryNumber::new("2").unwrap();
    Command::MakeCall { tag: Tag(tag), from: line("P"), to, override_forwarding: false }
}

fn outcome(tag: u64, result: Result<Answer, RequestFailure>) -> ProviderEvent {
    ProviderEvent::Answer { tag: Tag(tag), result }
}

#[test]
fn the_way_to_an_open_link() {
    let mut bench = Bench::new(&["a", "b"]);
    let manager = Manager::new("a", "a");
    assert_eq!(bench.outputs(), [Output::Connect { attempt: Attempt(1), manager }]);
    assert_eq!(bench.requests(), []);
    bench.session.connected(bench.now, Attempt(1));
    assert_eq!(bench.requests(), sent(&[(1, "provider 0")]));
    bench.answer(1, Ok(Answer::ProviderOpened { version: Version(1), heartbeat: Millis(7000) }));
    let up = ProviderEvent::LinkUp { manager: "a".into(), failed_over: false };
    assert_eq!(bench.outputs(), [Output::Event(up)]);
    assert_eq!(bench.requests(), sent(&[(2, "register")]));
    assert_eq!(bench.session.next_timeout(), Some(bench.now + Millis(7000)));
}

#[test]
fn one_attempt_is_all_managers_then_the_delay_grows() {
    let mut bench = Bench::new(&["a", "b"]);
    let mut waits = Vec::new();
    for _ in 0..9 {
        for manager in ["a", "b"] {
            bench.outputs();
            bench.session.connect_failed(bench.now, bench.attempt, "no");
            let reason = LinkLoss::Connect("no".into());
            let failed = ProviderEvent::LinkFailed { manager: manager.into(), reason };
            let outputs = bench.outputs();
            assert_eq!(outputs[1], Output::Event(failed));
        }
        let due = bench.session.next_timeout().unwrap();
        waits.push((due - bench.now).0);
        bench.now = due;
        bench.session.handle_timeout(due);
    }
    assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
}

#[test]
fn heartbeats_go_out_when_nothing_else_does_and_any_message_counts() {
    let mut bench = Bench::open();
    for _ in 0..5 {
        assert_eq!(bench.pass(30_000), []);
        assert_eq!(bench.requests(), sent(&[(0, "heartbeat 30000 ms")]));
        bench.tell(Event::DeviceInService(device("ANY")));
    }
    assert_eq!(bench.pass(59_999), []);
    assert_eq!(bench.pass(1), [lost(LinkLoss::Silent)]);
}

#[test]
fn the_manager_dictates_the_interval_and_a_change_is_asked_for() {
    let mut bench = Bench::open();
    let mut changed = config(&["a", "b"]);
    changed.heartbeat = Millis(10_000);
    bench.session.configure(bench.now, changed).unwrap();
    assert_eq!(bench.requests(), sent(&[(0, "heartbeat 10000 ms")]));
    bench.receive(0, &Message::Heartbeat(Millis(12_000)));
    assert_eq!(bench.pass(23_999), []);
    assert_eq!(bench.pass(1), [lost(LinkLoss::Silent)]);
}

#[test]
fn an_interval_that_changes_while_provider_open_is_under_way_is_asked_for_when_it_is_open() {
    let mut bench = Bench::new(&["a"]);
    bench.events();
    bench.session.connected(bench.now, bench.attempt);
    bench.requests();
    let mut changed = config(&["a"]);
    changed.heartbeat = Millis(5_000);
    bench.session.configure(bench.now, changed).unwrap();
    assert_eq!(bench.requests(), [], "nothing can be asked before the provider is open");
    let opened = Answer::ProviderOpened { version: Version(1), heartbeat: Millis(30_000) };
    bench.answer(1, Ok(opened));
    assert_eq!(bench.requests().first(), sent(&[(0, "heartbeat 5000 ms")]).first());
}

#[test]
fn never_sent_and_unknown_outcome_are_told_apart_by_the_byte() {
    let mut bench = Bench::open();
    bench.submit(data(1));
    let written = bench.session.transmit().len() + 1;
    bench.submit(call(2));
    bench.submit(data(3));
    bytes::Buf::advance(bench.session.transmit(), written);
    bench.session.closed(bench.now, bench.attempt);
    let unknown = |tag| outcome(tag, Err(RequestFailure::OutcomeUnknown));
    let never = outcome(3, Err(RequestFailure::NeverSent(LinkLoss::Closed)));
    assert_eq!(bench.events(), [unknown(1), unknown(2), never, lost(LinkLoss::Closed)]);
    let never = outcome(4, Err(RequestFailure::NeverSent(LinkLoss::Closed)));
    assert_eq!(bench.submit(data(4)), [never]);
}

#[test]
fn a_stand_by_sends_no_commands() {
    let mut bench = Bench::open();
    bench.submit(Command::Relinquish);
    assert_eq!(bench.submit(call(1)), [outcome(1, Err(RequestFailure::StandingBy))]);
}

#[test]
fn answers_have_their_effect_once() {
    let mut bench = Bench::open();
    bench.submit(call(1));
    assert_eq!(bench.requests(), sent(&[(3, "call")]));
    bench.answer(99, Ok(Answer::Done));
    assert_eq!(bench.events(), []);
    bench.answer(3, Ok(Answer::CallMade(CallId(5))));
    bench.answer(3, Ok(Answer::CallMade(CallId(6))));
    assert_eq!(bench.events(), [outcome(1, Ok(Answer::CallMade(CallId(5))))]);
    bench.submit(call(2));
    bench.answer(4, Err(CtiError::IllegalCallState));
    assert_eq!(bench.events(), [outcome(2, Err(RequestFailure::Refused(CtiError::IllegalCallState)))]);
    bench.submit(call(3));
    let events = bench.pass(20_000);
    assert_eq!(events, [outcome(3, Err(RequestFailure::OutcomeUnknown))]);
    bench.answer(5, Ok(Answer::CallMade(CallId(7))));
    assert_eq!(bench.events(), [], "too late");
    let content = "x".repeat(40_000);
    let big = Command::SendData { tag: Tag(4), device: device("P"), id: None, content };
    let refused = RequestFailure::Refused(CtiError::DataSizeLimitExceeded);
    assert_eq!(bench.submit(big), [outcome(4, Err(refused))]);
}

#[test]
fn an_answer_of_the_wrong_kind_is_a_violation() {
    let mut bench = Bench::open();
    bench.submit(call(1));
    bench.answer(3, Ok(Answer::Done));
    let reason = LinkLoss::Protocol("an answer that does not fit its request".into());
    assert_eq!(bench.events(), [outcome(1, Err(RequestFailure::OutcomeUnknown)), lost(reason)]);
}

#[test]
fn an_invocation_is_answered_once_and_only_where_it_came_from() {
    let pressed = FeatureInvocation {
        invocation: InvocationId(9),
        feature: Feature::CallBack,
        from: line("P"),
        call: None,
        state: CallState::Idle,
        cause: Cause::NONE,
        called: None,
    };
    let verdict = || Command::AnswerFeature { invocation: InvocationId(9), accepted: true };
    let mut bench = Bench::open();
    let events = bench.tell(Event::FeatureInvoked(pressed.clone()));
    assert_eq!(events, [ProviderEvent::FeatureInvoked(pressed.clone())]);
    bench.submit(verdict());
    bench.submit(verdict());
    assert_eq!(bench.requests(), sent(&[(3, "verdict 9")]));
    bench.tell(Event::FeatureInvoked(pressed));
    bench.session.closed(bench.now, bench.attempt);
    bench.accept();
    bench.requests();
    bench.submit(verdict());
    assert_eq!(bench.requests(), []);
}

#[test]
fn a_refused_epoch_ends_the_link() {
    let mut bench = Bench::open();
    bench.submit(Command::Assume(Epoch(2)));
    bench.submit(Command::Assume(Epoch(2)));
    assert_eq!(bench.requests(), sent(&[(3, "assume 2")]));
    bench.answer(3, Err(CtiError::EpochSuperseded));
    assert_eq!(bench.events(), [lost(LinkLoss::ProviderClosed(CtiError::EpochSuperseded))]);
}

#[test]
fn what_the_configuration_no_longer_names_is_left() {
    let mut bench = Bench::open();
    bench.session.configure(bench.now, config(&["b", "a"])).unwrap();
    assert_eq!(bench.events(), [], "another order leaves the link alone");
    bench.session.configure(bench.now, config(&[])).unwrap();
    assert_eq!(bench.events(), [lost(LinkLoss::Reconfigured)]);
    assert_eq!(bench.session.next_timeout(), None);
    bench.session.configure(bench.now, config(&["c"])).unwrap();
    bench.accept();
    assert_eq!(bench.events(), [ProviderEvent::LinkUp { manager: "c".into(), failed_over: true }]);
}
