use ringback_cti::message::{CallState, CtiError};
use ringback_model::CallId;

use super::*;

#[test]
fn every_appearance_of_a_shared_line_rings_and_answering_on_one_clears_the_other() {
    let mut lab = Lab::new(&["A 1001", "B1 1002", "B2 1002", "C 1003"]);
    lab.calls("A", "1002");
    assert_eq!((lab.rings("B1"), lab.rings("B2")), (vec!["1001".to_owned()], vec!["1001".to_owned()]));
    lab.heard();
    lab.does("B2", Action::Answers);
    assert_eq!(
        lab.heard(),
        ["B2: Connected 1001", "B1: Idle 16 1001", "A: Connected 1002", "B2 Active", "B1 Idle"],
        "the line is in use before the other appearance falls silent"
    );
    lab.calls("C", "1002");
    assert_eq!(lab.tone("C"), Tone::Busy, "busy while any appearance has a call");
}

#[test]
fn one_appearance_of_a_shared_line_leaves_while_it_rings() {
    let mut lab = Lab::new(&["A 1001", "B1 1002", "B2 1002"]);
    lab.calls("A", "1002");
    lab.does("B1", Action::Unregisters);
    assert_eq!((lab.tone("A"), lab.rings("B2").len()), (Tone::Ringback, 1));
    lab.does("B2", Action::Unregisters);
    assert_eq!(lab.tone("A"), Tone::Reorder);
}

#[test]
fn numbers_are_found_in_the_own_partition_then_in_the_nameless_one_then_in_any() {
    let lab = Lab::new(&["A 1001@sales", "B 1002", "C 1002@sales", "D 1003", "E 1004@z", "F 1004@y"]);
    let resolve = |from, to: &str| lab.switch.resolve(&line(from), &dn(to));
    assert_eq!(resolve("1001@sales", "1002"), Some(line("1002@sales")));
    assert_eq!(resolve("1003", "1002"), Some(line("1002")));
    assert_eq!(resolve("1001@sales", "1003"), Some(line("1003")));
    assert_eq!(resolve("1003", "1004"), Some(line("1004@y")));
    assert_eq!(resolve("1003", "1005"), None);
}

#[test]
fn a_forwarded_call_rings_elsewhere_and_the_caller_sees_where() {
    let mut lab = Lab::new(&["A 1001", "B 1002", "C 1003"]);
    lab.does("B", Action::ForwardsAll(Some(dn("1003"))));
    lab.calls("A", "1002");
    assert_eq!(lab.rings("C"), ["1001"]);
    assert!(lab.rings("B").is_empty());
    let info = lab.switch.calls_at(&at("A", "1001")).remove(0);
    assert_eq!((info.called, info.peer), (Some(dn("1002")), Some(dn("1003"))));
    lab.hangs_up("A");
    lab.does("B", Action::ForwardsAll(None));
    lab.calls("A", "1002");
    assert_eq!(lab.rings("B"), ["1001"]);
}

#[test]
fn a_chain_of_forwards_is_followed_and_a_loop_gives_reorder() {
    let mut lab = Lab::new(&["A 1001", "B 1002", "C 1003", "D 1004"]);
    lab.does("B", Action::ForwardsAll(Some(dn("1003"))));
    lab.does("C", Action::ForwardsAll(Some(dn("1004"))));
    lab.calls("A", "1002");
    assert_eq!(lab.rings("D"), ["1001"]);
    lab.hangs_up("A");
    lab.does("D", Action::ForwardsAll(Some(dn("1002"))));
    lab.calls("A", "1002");
    assert_eq!(lab.tone("A"), Tone::Reorder);
    lab.hangs_up("A");
    lab.does("D", Action::ForwardsAll(Some(dn("4711"))));
    lab.calls("A", "1002");
    assert_eq!(lab.tone("A"), Tone::Reorder);
}

#[test]
fn a_forward_belongs_to_the_first_line_only() {
    let mut lab = Lab::new(&["A 1001", "B 1002,1012", "C 1003"]);
    lab.does("B", Action::ForwardsAll(Some(dn("1003"))));
    lab.calls("A", "1012");
    assert_eq!(lab.rings("B"), ["1001"]);
}

#[test]
fn who_does_not_want_to_be_disturbed_is_busy_to_callers() {
    let mut lab = Lab::new(&["A 1001", "B 1002"]);
    lab.does("B", Action::DoNotDisturb(true));
    assert_eq!(lab.heard(), ["B Idle dnd"]);
    lab.does("B", Action::DoNotDisturb(true));
    assert_eq!(lab.heard(), Vec::<String>::new());
    lab.calls("A", "1002");
    assert_eq!((lab.tone("A"), lab.idle("B")), (Tone::Busy, true));
    lab.hangs_up("A");
    lab.does("B", Action::DoNotDisturb(false));
    lab.calls("A", "1002");
    assert_eq!(lab.tone("A"), Tone::Ringback);
}

#[test]
fn a_phone_that_unregisters_loses_its_calls() {
    let mut lab = Lab::new(&["A 1001", "B 1002"]);
    lab.calls("A", "1002");
    lab.does("B", Action::Answers);
    lab.heard();
    lab.does("B", Action::Resets);
    assert_eq!(
        lab.heard(),
        [
            "B out of service",
            "B: Idle 16 1001",
            "A: Disconnected 16 1002",
            "A: Idle 16 1002",
            "B in service",
            "B Idle",
            "A Idle"
        ]
    );
    lab.does("B", Action::Unregisters);
    lab.does("B", Action::Unregisters);
    lab.does("B", Action::Registers);
    lab.does("B", Action::Registers);
    assert_eq!(lab.heard(), ["B out of service", "B in service", "B Idle"]);
}

#[test]
fn a_removed_phone_ends_its_calls_itself_and_is_not_called_again() {
    let mut lab = Lab::new(&["A 1001", "B 1002", "C 1003"]);
    lab.calls("C", "1002");
    lab.does("B", Action::Answers);
    lab.calls("A", "1002");
    lab.heard();
    lab.switch.remove_phone(&dev("B")).unwrap();
    assert_eq!(lab.heard(), ["B out of service"]);
    assert_eq!((lab.tone("A"), lab.talks("C", "1002")), (Tone::Busy, true));
    lab.hangs_up("B");
    assert!(lab.idle("C"));
    lab.hangs_up("A");
    lab.calls("A", "1002");
    assert_eq!(lab.tone("A"), Tone::Reorder);
    lab.hangs_up("A");
    assert_eq!(lab.act("B", Action::Lifts), Err(ActionError::Removed));
    lab.add("B 1002");
    lab.calls("A", "1002");
    assert_eq!(lab.rings("B"), ["1001"]);
}

#[test]
fn an_application_makes_a_call_from_an_idle_phone() {
    let mut lab = Lab::new(&["A 1001", "B 1002", "C 1003"]);
    lab.does("B", Action::ForwardsAll(Some(dn("1003"))));
    let make = |lab: &mut Lab, over| lab.switch.make_call(lab.now, &at("A", "1001"), &dn("1002"), over);
    assert_eq!(make(&mut lab, true), Ok(CallId(1)));
    assert_eq!(lab.rings("B"), ["1001"], "forwarding is overridden");
    assert_eq!(make(&mut lab, true), Err(CtiError::IllegalCallState));
    lab.hangs_up("A");
    assert_eq!(make(&mut lab, false), Ok(CallId(2)));
    assert_eq!(lab.rings("C"), ["1001"]);
}

#[test]
fn an_application_makes_a_call_on_a_dial_tone() {
    let mut lab = Lab::new(&["A 1001,1011", "B 1002"]);
    lab.does("A", Action::Lifts);
    let make = |lab: &mut Lab, from| lab.switch.make_call(lab.now, &at("A", from), &dn("1002"), false);
    assert_eq!(make(&mut lab, "1011"), Err(CtiError::IllegalCallState));
    assert_eq!(make(&mut lab, "1001"), Ok(CallId(1)));
    assert_eq!(lab.rings("B"), ["1001"]);
    assert_eq!(make(&mut lab, "1099"), Err(CtiError::UndefinedLine));
    lab.does("A", Action::Unregisters);
    assert_eq!(make(&mut lab, "1001"), Err(CtiError::DeviceOutOfService));
    assert_eq!(lab.switch.calls_at(&at("B", "1002")), []);
}

#[test]
fn the_calls_of_an_appearance_can_be_read() {
    let mut lab = Lab::new(&["A 1001", "B 1002,1012"]);
    lab.calls("A", "1002");
    let states = |lab: &Lab, on| -> Vec<CallState> {
        lab.switch.calls_at(&at("B", on)).into_iter().map(|info| info.state).collect()
    };
    assert_eq!(states(&lab, "1002"), [CallState::Ringing]);
    assert_eq!(states(&lab, "1012"), []);
    assert!(lab.switch.has_line(&at("B", "1012")) && !lab.switch.has_line(&at("A", "1012")));
}
