//! The words that others see: names of keys and policies, the keys of each screen, and what the engine says of itself.

use ringback_callback::Occupancy::InUse;
use ringback_callback::PressedDuring::Busy;
use ringback_callback::{Engine, Parameters, QueuePolicyName, Refusal, SoftKey, View};
use ringback_model::{Epoch, Group, Timestamp};

use crate::harness::{Bench, at, device, dn, line};

#[test]
fn keys_have_these_names_and_no_others() {
    for (key, name) in
        [(SoftKey::Dial, "Dial"), (SoftKey::Cancel, "Cancel"), (SoftKey::Exit, "Exit"), (SoftKey::Ok, "OK")]
    {
        assert_eq!(key.to_string(), name);
        assert_eq!(name.parse(), Ok(key));
    }
    for stranger in ["", "dial", "Ok", "Dial ", "Redial"] {
        let error = stranger.parse::<SoftKey>().unwrap_err();
        assert_eq!(error.to_string(), "not a softkey: expected Dial, Cancel, Exit or OK");
    }
}

#[test]
fn each_screen_has_its_keys_in_this_order() {
    use SoftKey::{Cancel, Dial, Exit, Ok};
    let dn = || dn("1002");
    let screens: [(View, &[SoftKey]); 6] = [
        (View::Activated { dn: dn() }, &[Cancel, Exit]),
        (View::Available { dn: dn(), at: Timestamp(0) }, &[Dial, Cancel, Exit]),
        (View::DoNotDisturb { dn: dn() }, &[Cancel, Exit]),
        (View::NotActive, &[Exit]),
        (View::Replace { active: dn(), wanted: dn() }, &[Ok, Exit]),
        (View::Cannot { dn: dn(), reason: Refusal::OwnLine }, &[Exit]),
    ];
    for (view, keys) in screens {
        assert_eq!(view.keys(), keys, "{view:?}");
    }
}

#[test]
fn queue_policies_have_these_names_and_no_others() {
    for (policy, name) in [(QueuePolicyName::Fifo, "fifo"), (QueuePolicyName::All, "all")] {
        assert_eq!(policy.to_string(), name);
        assert_eq!(name.parse(), Ok(policy));
    }
    let error = "lifo".parse::<QueuePolicyName>().unwrap_err();
    assert_eq!(error.to_string(), r#""Call Back Queue Policy" cannot be "lifo": allowed is fifo or all"#);
}

#[test]
fn the_engine_says_for_whom_it_acts_and_which_lines_are_called() {
    let group = Group::new("munich").unwrap();
    let engine = Engine::new(group.clone(), Epoch(7), Parameters::default());
    assert_eq!((engine.group(), engine.epoch()), (&group, Epoch(7)));

    let mut b = Bench::new();
    b.line("B", InUse);
    assert_eq!(b.engine.called_lines().count(), 0);
    b.waits("A", "1002", Busy);
    assert!(b.engine.is_called(&line("1002")));
    assert!(!b.engine.is_called(&line("1003")));
    assert_eq!(b.engine.called_lines().collect::<Vec<_>>(), [&line("1002")]);
    let record = b.engine.request_of(&device("A")).unwrap();
    assert_eq!((&record.called, record.caller.clone()), (&line("1002"), at("A", "1001")));
    assert_eq!(b.engine.request(record.id), Some(record));
    assert_eq!(b.engine.records().collect::<Vec<_>>(), [record]);
    b.reset("A");
    assert!(!b.engine.is_called(&line("1002")));
    b.look_away();
}
