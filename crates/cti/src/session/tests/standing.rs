use super::*;
use crate::message::{CallInfo, CallState, Cause};
use ringback_model::CallId;

fn read(name: &str) -> ProviderEvent {
    ProviderEvent::LineOpened { at: line(name), calls: vec![] }
}

fn watching() -> Bench {
    let mut bench = Bench::open();
    bench.submit(Command::OpenDevice(device("P")));
    bench.submit(Command::OpenLine(line("P")));
    assert_eq!(bench.requests(), sent(&[(3, "open P")]), "a line waits for its device");
    bench.answer(3, Ok(Answer::DeviceOpened(IDLE)));
    assert_eq!(bench.events(), [is("P", Some(IDLE))]);
    assert_eq!(bench.requests(), sent(&[(4, "open line P")]));
    bench.answer(4, Ok(Answer::LineOpened(vec![])));
    assert_eq!(bench.events(), [read("P")]);
    bench
}

#[test]
fn events_count_only_for_what_is_open() {
    let mut bench = watching();
    let info =
        CallInfo { call: CallId(1), state: CallState::Ringing, cause: Cause::NONE, called: None, peer: None };
    let call = |name: &str| Event::Call { at: line(name), info: info.clone() };
    assert_eq!(bench.tell(call("P")), [ProviderEvent::Call { at: line("P"), info: info.clone() }]);
    assert_eq!(bench.tell(call("Q")), []);
    let busy = DeviceStatus { activity: Activity::Active, do_not_disturb: true };
    let status = |name: &str| Event::DeviceStatus { device: device(name), status: busy };
    assert_eq!(bench.tell(status("P")), [is("P", Some(busy))]);
    assert_eq!(bench.tell(status("Q")), []);
    assert_eq!(
        bench.submit(Command::OpenDevice(device("P"))),
        [is("P", Some(busy))],
        "asked again: told again"
    );
    assert_eq!(bench.requests(), []);
    bench.submit(Command::OpenLine(line("P")));
    assert_eq!(bench.requests(), sent(&[(5, "close line P")]), "asked again: read again");
    bench.answer(5, Ok(Answer::Done));
    assert_eq!(bench.requests(), sent(&[(6, "open line P")]));
    bench.submit(Command::CloseLine(line("P")));
    bench.answer(6, Ok(Answer::LineOpened(vec![])));
    assert_eq!(bench.events(), []);
    assert_eq!(bench.requests(), sent(&[(7, "close line P")]));
    assert_eq!(bench.tell(call("P")), []);
}

#[test]
fn a_phone_out_of_service_is_told_at_once_and_opened_when_it_registers() {
    let mut bench = Bench::open();
    bench.submit(Command::OpenDevice(device("P")));
    bench.submit(Command::OpenLine(line("P")));
    bench.answer(3, Err(CtiError::DeviceOutOfService));
    assert_eq!(bench.events(), [is("P", None)]);
    bench.requests();
    assert_eq!(bench.pass(29_000), []);
    assert_eq!(bench.requests(), []);
    assert_eq!(bench.tell(Event::DeviceInService(device("P"))), []);
    assert_eq!(bench.requests(), sent(&[(4, "open P")]));
    bench.answer(4, Ok(Answer::DeviceOpened(IDLE)));
    bench.answer(5, Ok(Answer::LineOpened(vec![])));
    assert_eq!(bench.events(), [is("P", Some(IDLE)), read("P")]);
    assert_eq!(bench.tell(Event::DeviceOutOfService(device("P"))), [is("P", None)]);
    assert_eq!(bench.tell(Event::DeviceOutOfService(device("P"))), []);
}

#[test]
fn a_registration_that_crosses_a_refusal_is_not_missed() {
    let mut bench = Bench::open();
    bench.submit(Command::OpenDevice(device("P")));
    bench.tell(Event::DeviceInService(device("P")));
    bench.answer(3, Err(CtiError::DeviceOutOfService));
    assert_eq!(bench.events(), []);
    assert_eq!(bench.requests(), sent(&[(3, "open P"), (4, "open P")]));
}

#[test]
fn closing_and_opening_while_the_answer_is_out() {
    let mut bench = Bench::open();
    bench.submit(Command::OpenDevice(device("P")));
    bench.submit(Command::CloseDevice(device("P")));
    assert_eq!(bench.requests(), sent(&[(3, "open P")]));
    bench.answer(3, Ok(Answer::DeviceOpened(IDLE)));
    assert_eq!(bench.events(), [], "nobody wants it any more");
    assert_eq!(bench.requests(), sent(&[(4, "close P")]));
    bench.submit(Command::OpenDevice(device("P")));
    bench.submit(Command::OpenLine(line("P")));
    assert_eq!(bench.requests(), []);
    bench.answer(4, Ok(Answer::Done));
    assert_eq!(bench.requests(), sent(&[(5, "open P")]));
    bench.answer(5, Ok(Answer::DeviceOpened(IDLE)));
    bench.answer(6, Ok(Answer::LineOpened(vec![])));
    assert_eq!(bench.events(), [is("P", Some(IDLE)), read("P")]);
    bench.submit(Command::CloseDevice(device("P")));
    bench.submit(Command::CloseLine(line("P")));
    bench.submit(Command::CloseDevice(device("NEVER")));
    assert_eq!(bench.requests(), sent(&[(6, "open line P"), (7, "close P")]));
    bench.answer(7, Err(CtiError::DeviceNotOpen));
    assert_eq!((bench.events(), bench.requests()), (vec![], vec![]));
}

#[test]
fn what_is_open_there_already_is_closed_and_read() {
    let mut bench = Bench::open();
    bench.submit(Command::OpenDevice(device("P")));
    bench.answer(3, Err(CtiError::DeviceAlreadyOpen));
    bench.answer(4, Err(CtiError::DeviceNotOpen));
    assert_eq!(bench.requests(), sent(&[(3, "open P"), (4, "close P")]));
    assert_eq!(
        bench.events(),
        [is("P", None)],
        "a CTIManager that contradicts itself is not asked in a loop"
    );
    bench.pass(20_000);
    bench.tell(Event::DeviceInService(device("Q")));
    bench.pass(40_000);
    assert_eq!(bench.requests().last(), Some(&(5, "open P".to_owned())));
}

#[test]
fn an_open_that_is_not_answered_or_refused_is_tried_again() {
    let mut bench = watching();
    bench.submit(Command::OpenDevice(device("Q")));
    bench.submit(Command::OpenLine(line("Q")));
    assert_eq!(bench.pass(20_000), []);
    assert_eq!(bench.requests(), sent(&[(5, "open Q"), (6, "open Q")]));
    bench.answer(5, Ok(Answer::DeviceOpened(IDLE)));
    assert_eq!(bench.events(), [], "that answer belongs to a request given up");
    bench.answer(6, Ok(Answer::DeviceOpened(IDLE)));
    bench.answer(7, Err(CtiError::UndefinedLine));
    let refused = ProviderEvent::LineRefused { at: line("Q"), reason: CtiError::UndefinedLine };
    assert_eq!(bench.events(), [is("Q", Some(IDLE)), refused]);
    bench.requests();
    bench.pass(50_000);
    bench.tell(Event::DeviceInService(device("ANY")));
    bench.pass(10_000);
    assert_eq!(bench.requests().last(), Some(&(8, "open line Q".to_owned())));
}

#[test]
fn after_a_loss_all_that_is_still_wanted_is_opened_again() {
    let mut bench = watching();
    bench.submit(Command::OpenDevice(device("Q")));
    bench.session.closed(bench.now, bench.attempt);
    bench.submit(Command::CloseDevice(device("Q")));
    bench.submit(Command::OpenDevice(device("R")));
    bench.accept();
    let up = ProviderEvent::LinkUp { manager: "b".into(), failed_over: true };
    assert_eq!(bench.events(), [up]);
    let expected = [(1, "provider 1"), (2, "register"), (3, "open P"), (4, "open R")];
    assert_eq!(bench.requests(), sent(&expected));
}

#[test]
fn a_great_many_are_opened_a_window_at_a_time() {
    let mut bench = Bench::open();
    for number in 0..1000 {
        bench.submit(Command::OpenDevice(device(&format!("P{number}"))));
    }
    let mut opened = 0;
    loop {
        let requests = bench.requests();
        if requests.is_empty() {
            break;
        }
        assert!(requests.len() <= 256);
        for (sequence, _) in requests {
            bench.answer(sequence, Ok(Answer::DeviceOpened(IDLE)));
            opened += 1;
        }
    }
    assert_eq!((opened, bench.events().len()), (1000, 1000));
}
