use std::collections::BTreeMap;

use proptest::prelude::*;
use ringback_cti::message::{Activity, CallState};

use super::*;

const PHONES: [&str; 6] = ["A", "B", "C", "D", "E", "F"];
const NUMBERS: [&str; 6] = ["1001", "1002", "1003", "1012", "4711", "1005"];

fn action() -> impl Strategy<Value = Action> {
    let number = || prop::sample::select(NUMBERS.as_slice()).prop_map(dn);
    let some = || prop::option::of(number());
    prop_oneof![
        6 => (number(), some()).prop_map(|(to, on)| Action::Calls { to, on }),
        4 => Just(Action::Answers),
        4 => some().prop_map(Action::HangsUp),
        2 => Just(Action::Lifts),
        2 => Just(Action::Replaces),
        1 => Just(Action::Presses("CallBack".into())),
        1 => some().prop_map(Action::ForwardsAll),
        1 => any::<bool>().prop_map(Action::DoNotDisturb),
        1 => prop::sample::select(vec![Action::Resets, Action::Unregisters, Action::Registers, Action::LogsIn]),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Act(&'static str, Action),
    Make(&'static str, &'static str, bool),
    Wait(u64),
    Remove(&'static str),
    Add(&'static str),
}

fn step() -> impl Strategy<Value = Step> {
    let phone = || prop::sample::select(PHONES.as_slice());
    prop_oneof![
        20 => (phone(), action()).prop_map(|(phone, action)| Step::Act(phone, action)),
        3 => (phone(), prop::sample::select(NUMBERS.as_slice()), any::<bool>())
            .prop_map(|(phone, to, over)| Step::Make(phone, to, over)),
        2 => (0u64..200_000).prop_map(Step::Wait),
        1 => phone().prop_map(Step::Remove),
        1 => phone().prop_map(Step::Add),
    ]
}

fn setup(phone: &str) -> String {
    let lines = match phone {
        "A" => "1001 calls 2",
        "B" | "C" => "1002,1012",
        "D" => "1003@sales",
        "E" => "1005 calls 3",
        _ => "1006,1005 calls 2",
    };
    format!("{phone} {lines}")
}

/// What every observer may rely on, after each step.
fn check(lab: &Lab) {
    let switch = &lab.switch;
    for call in switch.calls.values() {
        let callees: Vec<CallState> = call.callees.iter().map(|leg| leg.state).collect();
        match call.caller.state {
            CallState::DialTone | CallState::Busy | CallState::Disconnected => assert_eq!(callees, []),
            CallState::Ringback => {
                assert!(!callees.is_empty() && callees.iter().all(|state| *state == CallState::Ringing));
            }
            CallState::Connected | CallState::OnHold => {
                assert!(matches!(callees[..], [CallState::Connected | CallState::OnHold]), "{callees:?}");
            }
            other => panic!("{other:?} lasts"),
        }
        assert_eq!(call.no_answer_at.is_some(), call.caller.state == CallState::Ringback);
        let mut devices: Vec<_> = call.legs().map(|leg| &leg.device).collect();
        devices.sort();
        devices.dedup();
        assert_eq!(devices.len(), 1 + callees.len(), "no phone is in a call twice");
    }
    for (device, phone) in &switch.phones {
        assert!(switch.legs_of(device).filter(|(_, leg)| leg.is_active()).count() <= 1, "one handset");
        let idle = switch.is_idle(device);
        assert_eq!(idle, switch.activity(device) == Activity::Idle);
        assert!(!idle || switch.hears(device) == Tone::Silence);
        assert!(phone.registered || phone.removed || idle, "who is not registered has no call");
        assert_eq!(phone.told, switch.device_status(device), "the status told last is the present one");
        for line in &phone.lines {
            let calls = switch.legs_of(device).filter(|(_, leg)| leg.line == *line).count();
            assert!(calls <= phone.calls_per_line || phone.removed);
        }
    }
}

/// The calls as an observer adds them up from the events.
type Seen = BTreeMap<(String, u64), CallState>;

fn observe(lab: &mut Lab, seen: &mut Seen) {
    for event in lab.switch.take_events() {
        if let SwitchEvent::Call { at, info } = event {
            let key = (at.device.as_str().to_owned(), info.call.0);
            if info.state == CallState::Idle {
                assert!(seen.remove(&key).is_some(), "a call ends once");
            } else {
                seen.insert(key, info.state);
            }
        }
    }
    let real: Seen = lab
        .switch
        .calls
        .values()
        .flat_map(|call| call.legs().map(|leg| ((leg.device.as_str().to_owned(), call.id.0), leg.state)))
        .collect();
    assert_eq!(*seen, real, "the events tell the whole truth");
}

proptest! {
    #[test]
    fn whatever_the_users_do(steps in prop::collection::vec(step(), 1..80)) {
        let phones: Vec<String> = PHONES.iter().map(|phone| setup(phone)).collect();
        let mut lab = Lab::new(&phones.iter().map(String::as_str).collect::<Vec<_>>());
        let mut seen = Seen::new();
        for step in steps {
            match step {
                Step::Act(phone, action) => {
                    let before = format!("{:?}", lab.switch);
                    if lab.act(phone, action).is_err() {
                        prop_assert_eq!(before, format!("{:?}", lab.switch), "an error changes nothing");
                    }
                }
                Step::Make(phone, to, over) => {
                    let from = lab.switch.phones[&dev(phone)].lines[0].clone();
                    let from = Appearance { device: dev(phone), line: from };
                    let _ = lab.switch.make_call(lab.now, &from, &dn(to), over);
                }
                Step::Wait(span) => lab.wait(Millis(span)),
                Step::Remove(phone) => drop(lab.switch.remove_phone(&dev(phone))),
                Step::Add(phone) => {
                    if lab.switch.phones[&dev(phone)].removed {
                        lab.add(&setup(phone));
                    }
                }
            }
            check(&lab);
            observe(&mut lab, &mut seen);
        }
    }
}
