//! Refusals and limits: R30 to R38.

use ringback_callback::Occupancy::{Idle, InUse};
use ringback_callback::PressedDuring::Busy;
use ringback_callback::{CallProgress, Input, Refusal, SoftKey};

use crate::harness::{Bench, Directory, Store, device, refused_for, rings};

fn refused(b: &mut Bench, number: &str, reason: &str) {
    b.press("A", number, Busy);
    b.expect(&[
        "key accepted",
        &format!("resolve {number} for A/1001"),
        &format!("notice: A refused: {reason}"),
        "open A",
        &format!("show A: Cannot {number}: {reason}"),
    ]);
    b.key("A", SoftKey::Exit);
    b.expect(&["clear A", "close A"]);
    b.expect_all_closed();
}

#[test]
fn r30_not_in_the_directory() {
    refused(&mut Bench::new(), "4711", "NotInDirectory");
}

#[test]
fn r30_to_r34_what_the_directory_says() {
    for reason in [
        Refusal::NotInDirectory,
        Refusal::ForwardsAllCalls,
        Refusal::NotDiallable,
        Refusal::OwnLine,
        Refusal::NoCallBackKey,
    ] {
        let mut b = Bench::new();
        b.odd = refused_for(reason);
        refused(&mut b, "1002", &format!("{reason:?}"));
    }
}

#[test]
fn r32_a_number_that_cannot_be_dialled_by_a_person_whatever_the_directory_says() {
    for number in ["*66", "10#2", "+491", "anna"] {
        refused(&mut Bench::new(), number, "NotDiallable");
    }
}

#[test]
fn r33_the_line_the_caller_calls_from() {
    refused(&mut Bench::new(), "1001", "OwnLine");
}

#[test]
fn r37_the_directory_is_not_reachable() {
    let mut b = Bench::new();
    b.directory = Directory::Down;
    refused(&mut b, "1002", "DirectoryUnavailable");
}

#[test]
fn r37_the_store_is_not_reachable() {
    let mut b = Bench::new();
    b.store_is(Store::Down);
    b.press("A", "1002", Busy);
    b.expect_at_phones(&["show A: Cannot 1002: StoreUnavailable"]);
    b.key("A", SoftKey::Exit);
    b.expect_all_closed();
}

#[test]
fn r37_a_directory_that_comes_back_is_used_again() {
    let mut b = Bench::new();
    b.directory = Directory::Down;
    refused(&mut b, "1002", "DirectoryUnavailable");
    b.directory = Directory::Ready;
    b.press("A", "1002", Busy);
    assert_eq!(b.engine.pending(), 1);
}

#[test]
fn r38_a_refusal_does_not_disturb_an_earlier_request() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.press("A", "*66", Busy);
    b.hang_up("A");
    assert_eq!(b.queue("1002"), ["A"]);
    b.look_away();
    b.line("B", Idle);
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"]);
}

/// What ends a request of A that waits for B.
type End = fn(&mut Bench);

const ENDINGS: [(&str, End); 8] = [
    ("cancelled", |b| {
        let id = b.id_of("A");
        b.key_about("A", SoftKey::Cancel, Some(id));
    }),
    ("reached", |b| {
        b.line("B", Idle);
        b.dials("A", rings("1002"));
        b.line("B", InUse);
    }),
    ("answered", |b| {
        let call = ringback_model::CallId(4000);
        b.press_on(crate::harness::at("A", "1001"), Some(call), "1002", Busy);
        b.call("A", call, None, CallProgress::Connected { peer: None });
    }),
    ("expired", |b| b.wait_secs(45 * 60)),
    ("reset", |b| b.reset("A")),
    ("other user", |b| b.give(Input::UserChanged(device("A")))),
    ("replaced", |b| {
        b.press("A", "1003", Busy);
        b.key("A", SoftKey::Ok);
    }),
    ("lapsed and cancelled", |b| {
        b.line("B", Idle);
        b.wait_secs(20);
        b.key("A", SoftKey::Cancel);
        b.line("B", InUse);
    }),
];

#[test]
fn r35_the_limit_per_line_refuses_and_every_ending_frees_one_slot() {
    for (ending, end) in ENDINGS {
        let mut b = Bench::with(ringback_callback::Parameters { max_per_line: 1, ..Default::default() });
        b.line("B", InUse);
        b.waits("A", "1002", Busy);
        b.press("C", "1002", Busy);
        b.expect_at_phones(&["show C: Cannot 1002: TooManyForLine"]);
        end(&mut b);
        b.press("D", "1002", Busy);
        assert_eq!(b.engine.request_of(&device("D")).map(|r| r.called.dn.as_str()), Some("1002"), "{ending}");
        b.look_away();
        b.press("E", "1002", Busy);
        b.expect_at_phones(&["show E: Cannot 1002: TooManyForLine"]);
    }
}

#[test]
fn r36_the_limit_in_all_refuses_and_every_ending_frees_one_slot() {
    for (ending, end) in ENDINGS {
        let mut b = Bench::with(ringback_callback::Parameters { max_in_all: 2, ..Default::default() });
        b.line("B", InUse);
        b.line("D", InUse);
        b.waits("A", "1002", Busy);
        b.waits("E", "1004", Busy);
        b.press("C", "1004", Busy);
        b.expect_at_phones(&["show C: Cannot 1004: TooManyInAll"]);
        end(&mut b);
        b.press("C", "1004", Busy);
        // One that was replaced has given its slot to its successor, one that lived as long took E's with it.
        let free = ending != "replaced";
        assert_eq!(b.engine.request_of(&device("C")).is_some(), free, "{ending}");
    }
}

#[test]
fn r35_r36_zero_is_no_limit() {
    let mut b =
        Bench::with(ringback_callback::Parameters { max_per_line: 0, max_in_all: 0, ..Default::default() });
    b.line("B", InUse);
    for n in 0..50 {
        let name = format!("P{n}");
        b.add_phone(&name, &[&format!("2{n:03}")]);
        b.waits(&name, "1002", Busy);
    }
    assert_eq!(b.engine.pending(), 50);
}

#[test]
fn r35_a_request_being_saved_holds_a_slot_and_frees_it_when_it_fails() {
    let mut b = Bench::with(ringback_callback::Parameters { max_per_line: 1, ..Default::default() });
    b.line("B", InUse);
    b.store_is(Store::Slow);
    b.press("A", "1002", Busy);
    b.look_away();
    b.press("C", "1002", Busy);
    b.expect_at_phones(&["show C: Cannot 1002: TooManyForLine"]);
    b.wait_secs(2);
    b.store_is(Store::Ready);
    b.press("C", "1002", Busy);
    assert_eq!(b.engine.pending(), 1);
}

#[test]
fn r35_r36_a_limit_lowered_ends_nothing_and_refuses_at_once() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.waits("C", "1002", Busy);
    b.set(|p| p.max_per_line = 1);
    assert_eq!(b.engine.pending(), 2);
    b.press("D", "1002", Busy);
    b.expect_at_phones(&["show D: Cannot 1002: TooManyForLine"]);
}

#[test]
fn r6_r35_r36_a_replacement_needs_no_slot_of_its_own() {
    let mut b =
        Bench::with(ringback_callback::Parameters { max_per_line: 1, max_in_all: 1, ..Default::default() });
    b.line("B", InUse);
    b.line("C", InUse);
    b.waits("A", "1002", Busy);
    b.press("A", "1003", Busy);
    b.key("A", SoftKey::Ok);
    assert_eq!(b.queue("1003"), ["A"]);
}

#[test]
fn r6_the_limits_count_again_when_ok_is_pressed() {
    let mut b = Bench::with(ringback_callback::Parameters { max_per_line: 1, ..Default::default() });
    b.line("B", InUse);
    b.line("C", InUse);
    b.waits("A", "1002", Busy);
    b.press("A", "1003", Busy);
    b.waits("D", "1003", Busy);
    b.key("A", SoftKey::Ok);
    b.expect_at_phones(&["show A: Cannot 1003: TooManyForLine"]);
    assert_eq!(b.queue("1002"), ["A"]);
}
