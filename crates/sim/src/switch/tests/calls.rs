use super::*;

#[test]
fn a_call_is_dialled_rings_is_answered_and_ends() {
    let mut lab = Lab::new(&["A 1001", "B 1002"]);
    lab.calls("A", "1002");
    assert_eq!(
        lab.heard(),
        [
            "A: DialTone",
            "A: Dialing",
            "A: Proceeding",
            "B: Offering 1001",
            "B: Ringing 1001",
            "A: Ringback 1002",
            "A Active",
            "B Alerting",
        ]
    );
    assert_eq!((lab.tone("A"), lab.tone("B")), (Tone::Ringback, Tone::Silence));
    assert_eq!(lab.rings("B"), ["1001"]);
    lab.does("B", Action::Answers);
    assert_eq!(lab.heard(), ["B: Connected 1001", "A: Connected 1002", "B Active"]);
    assert!(lab.talks("A", "1002") && lab.talks("B", "1001"));
    assert_eq!(lab.tone("A"), Tone::Silence);
    lab.hangs_up("B");
    assert_eq!(
        lab.heard(),
        ["B: Idle 16 1001", "A: Disconnected 16 1002", "A: Idle 16 1002", "B Idle", "A Idle"]
    );
    assert!(lab.idle("A") && lab.idle("B"));
}

#[test]
fn a_caller_who_hangs_up_stops_the_ringing() {
    let mut lab = Lab::new(&["A 1001", "B 1002"]);
    lab.calls("A", "1002");
    lab.heard();
    lab.hangs_up("A");
    assert_eq!(lab.heard(), ["A: Idle 16 1002", "B: Idle 16 1001", "A Idle", "B Idle"]);
}

#[test]
fn a_busy_line_gives_busy_tone_until_the_caller_hangs_up() {
    let mut lab = Lab::new(&["A 1001", "B 1002", "C 1003"]);
    lab.calls("C", "1002");
    lab.does("B", Action::Answers);
    lab.heard();
    lab.calls("A", "1002");
    assert_eq!(lab.heard(), ["A: DialTone", "A: Dialing", "A: Proceeding", "A: Busy 17 1002", "A Active"]);
    lab.hangs_up("B");
    assert_eq!(lab.tone("A"), Tone::Busy);
    lab.hangs_up("A");
    assert!(lab.idle("A"));
}

#[test]
fn a_line_is_busy_while_it_rings_or_is_only_off_hook() {
    let mut lab = Lab::new(&["A 1001", "B 1002", "C 1003"]);
    lab.calls("C", "1002");
    lab.calls("A", "1002");
    assert_eq!(lab.tone("A"), Tone::Busy);
    lab.hangs_up("C");
    lab.hangs_up("A");
    lab.does("B", Action::Lifts);
    assert_eq!(lab.tone("B"), Tone::DialTone);
    lab.calls("A", "1002");
    assert_eq!(lab.tone("A"), Tone::Busy);
}

#[test]
fn another_line_of_a_busy_phone_is_free() {
    let mut lab = Lab::new(&["A 1001", "B 1002,1012", "C 1003"]);
    lab.calls("C", "1002");
    lab.does("B", Action::Answers);
    lab.calls("A", "1012");
    assert_eq!(lab.rings("B"), ["1001"]);
    lab.does("B", Action::Answers);
    assert!(lab.talks("B", "1001") && !lab.talks("B", "1003"));
}

#[test]
fn a_number_that_leads_nowhere_gives_reorder() {
    let mut lab = Lab::new(&["A 1001", "B 1002"]);
    lab.calls("A", "4711");
    assert_eq!(lab.tone("A"), Tone::Reorder);
    assert_eq!(lab.heard()[3], "A: Disconnected 1");
    lab.hangs_up("A");
    lab.does("B", Action::Unregisters);
    lab.heard();
    lab.calls("A", "1002");
    assert_eq!(lab.heard()[3], "A: Disconnected 20 1002");
    assert_eq!(lab.tone("A"), Tone::Reorder);
}

#[test]
fn nobody_answers_for_three_minutes() {
    let mut lab = Lab::new(&["A 1001", "B 1002"]);
    lab.calls("A", "1002");
    lab.heard();
    assert_eq!(lab.switch.next_timeout(), Some(Timestamp(181_000)));
    lab.wait(Millis(179_999));
    assert_eq!((lab.tone("A"), lab.heard().len()), (Tone::Ringback, 0));
    lab.wait(Millis(1));
    assert_eq!(lab.heard(), ["B: Idle 19 1001", "A: Disconnected 19 1002", "B Idle"]);
    assert_eq!(lab.tone("A"), Tone::Reorder);
    assert_eq!(lab.switch.next_timeout(), None);
}

#[test]
fn a_second_call_waits_and_answering_it_holds_the_first() {
    let mut lab = Lab::new(&["A 1001", "B 1002 calls 2", "C 1003", "D 1004"]);
    lab.calls("C", "1002");
    lab.does("B", Action::Answers);
    lab.calls("A", "1002");
    assert_eq!((lab.tone("A"), lab.rings("B")), (Tone::Ringback, vec!["1001".to_owned()]));
    lab.heard();
    lab.does("B", Action::Answers);
    assert_eq!(lab.heard(), ["B: OnHold 1003", "B: Connected 1001", "A: Connected 1002"]);
    lab.calls("D", "1002");
    assert_eq!(lab.tone("D"), Tone::Busy);
    // The far end of the active call leaves: only that call ends.
    lab.heard();
    lab.hangs_up("A");
    assert_eq!(
        lab.heard(),
        ["A: Idle 16 1002", "B: Disconnected 16 1001", "B: Idle 16 1001", "A Idle", "B Held"]
    );
    assert!(!lab.idle("B"));
    lab.hangs_up("B");
    assert!(lab.idle("B") && lab.idle("C"));
}

#[test]
fn one_of_several_calls_is_ended_by_its_number() {
    let mut lab = Lab::new(&["A 1001", "B 1002 calls 2", "C 1003"]);
    lab.calls("C", "1002");
    lab.does("B", Action::Answers);
    lab.calls("A", "1002");
    lab.does("B", Action::Answers);
    lab.does("B", Action::HangsUp(Some(dn("1003"))));
    assert!(lab.idle("C") && lab.talks("B", "1001"));
    lab.does("B", Action::HangsUp(Some(dn("1003"))));
    assert!(lab.talks("B", "1001"));
}

#[test]
fn a_caller_in_a_conversation_holds_it_for_another_call() {
    let mut lab = Lab::new(&["A 1001 calls 2", "B 1002", "C 1003"]);
    lab.calls("A", "1002");
    assert_eq!(
        lab.act("A", Action::Calls { to: dn("1003"), on: None }),
        Err(ActionError::CannotHold),
        "what rings at the far end cannot be held"
    );
    lab.does("B", Action::Answers);
    lab.calls("A", "1003");
    lab.does("C", Action::Answers);
    assert!(lab.talks("A", "1003") && lab.talks("B", "1001"));
}

#[test]
fn another_call_takes_the_place_of_a_failed_one_and_the_phone_is_never_seen_idle() {
    let mut lab = Lab::new(&["A 1001", "B 1002"]);
    lab.calls("A", "4711");
    lab.heard();
    lab.calls("A", "1002");
    let told = lab.heard();
    assert_eq!(told[0], "A: Idle 16");
    assert!(!told.contains(&"A Idle".to_owned()), "{told:?}");
    assert_eq!(lab.rings("B"), ["1001"]);
}

#[test]
fn a_line_with_a_call_makes_no_other() {
    let mut lab = Lab::new(&["A 1001", "B 1002", "C 1003"]);
    lab.calls("A", "1002");
    lab.does("B", Action::Answers);
    assert_eq!(lab.act("A", Action::Calls { to: dn("1003"), on: None }), Err(ActionError::LineInUse));
    assert!(lab.talks("A", "1002"));
    assert_eq!(
        lab.act("C", Action::Calls { to: dn("1001"), on: Some(dn("9")) }),
        Err(ActionError::NoSuchLine)
    );
}

#[test]
fn lifting_gives_dial_tone_or_answers_and_replacing_ends_it() {
    let mut lab = Lab::new(&["A 1001", "B 1002"]);
    lab.does("B", Action::Lifts);
    lab.does("B", Action::Lifts);
    assert_eq!(lab.heard(), ["B: DialTone", "B Active"]);
    lab.calls("B", "1001");
    assert_eq!(lab.rings("A"), ["1002"], "it dials on the call with dial tone");
    lab.does("A", Action::Lifts);
    assert!(lab.talks("A", "1002"));
    lab.does("A", Action::Replaces);
    assert!(lab.idle("A") && lab.idle("B"));
    lab.does("A", Action::Replaces);
    lab.hangs_up("A");
}

#[test]
fn what_cannot_be_done_says_so() {
    let mut lab = Lab::new(&["A 1001"]);
    assert_eq!(lab.act("A", Action::Answers), Err(ActionError::NothingRings));
    assert_eq!(lab.act("X", Action::Lifts), Err(ActionError::UnknownPhone));
    lab.does("A", Action::Unregisters);
    assert_eq!(lab.act("A", Action::Lifts), Err(ActionError::NotRegistered));
    lab.switch.remove_phone(&dev("A")).unwrap();
    assert_eq!(lab.act("A", Action::Registers), Err(ActionError::Removed));
}
