//! What a provider tells of real phones.

use std::time::Duration;

use ringback_cti::message::{Activity, Answer, CallState, Cause, DeviceStatus};
use ringback_cti::{CallTable, Command, CtiProvider, Occupancy, ProviderEvent, Tag};
use ringback_cti_asterisk::map::line_of;
use ringback_model::DirectoryNumber;
use ringback_pbx_lab::{Answering, CallOutcome, Phone, Site};

use super::seat::{SOON, acting, config, device, phones, server, until};

fn is_line_opened(event: &ProviderEvent, name: &str) -> bool {
    matches!(event, ProviderEvent::LineOpened { at, .. } if at.device == device(name))
}

fn is_call(event: &ProviderEvent, name: &str, state: CallState) -> bool {
    matches!(event, ProviderEvent::Call { at, info } if at.device == device(name) && info.state == state)
}

fn is_idle(event: &ProviderEvent, name: &str) -> bool {
    let idle = Some(DeviceStatus { activity: Activity::Idle, do_not_disturb: false });
    *event == ProviderEvent::Device { device: device(name), status: idle }
}

#[tokio::test]
async fn phones_come_and_go() {
    let Some(server) = server(&Site::with_phones(["1001", "1002"])).await else { return };
    let mut provider = acting(config(&server), &["1002", "4711"]).await;
    let out = |name: &str| ProviderEvent::Device { device: device(name), status: None };
    let seen = until(&mut provider, SOON, |event| *event == out("4711")).await;
    assert!(seen.contains(&out("1002")), "{seen:?}");
    let phone = Phone::register(&server, "1002").await.unwrap();
    until(&mut provider, SOON, |event| is_line_opened(event, "1002")).await;
    phone.unregister().await.unwrap();
    until(&mut provider, SOON, |event| *event == out("1002")).await;
}

#[tokio::test]
async fn a_call_is_told_at_both_ends() {
    let Some(server) = server(&Site::with_phones(["1001", "1002"])).await else { return };
    let phones = phones(&server, &["1001", "1002"]).await;
    let mut provider = acting(config(&server), &["1001", "1002"]).await;
    until(&mut provider, SOON, |event| is_line_opened(event, "1002")).await;
    phones[1].set_answering(Answering::After(Duration::from_millis(50)));
    let mut call = phones[0].call("1002").unwrap();
    let seen = until(&mut provider, SOON, |event| is_call(event, "1001", CallState::Connected)).await;
    assert!(seen.iter().any(|event| is_call(event, "1001", CallState::Ringback)), "{seen:#?}");
    assert!(seen.iter().any(|event| is_call(event, "1002", CallState::Ringing)), "{seen:#?}");
    call.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.unwrap();
    phones[1].hang_up().await.unwrap();
    // The two ends are two lines: which is told first means nothing.
    let ended =
        |event: &ProviderEvent| ["1001", "1002"].iter().any(|name| is_call(event, name, CallState::Idle));
    until(&mut provider, SOON, ended).await;
    until(&mut provider, SOON, ended).await;
}

#[tokio::test]
async fn busy_and_no_answer_are_told() {
    let Some(server) =
        server(&Site::with_phones(["1001", "1002"]).replacing("RING_TIME = 20", "RING_TIME = 1")).await
    else {
        return;
    };
    let phones = phones(&server, &["1001", "1002"]).await;
    let mut provider = acting(config(&server), &["1001"]).await;
    let failures = [
        (Answering::Busy, CallState::Busy, Cause::USER_BUSY),
        (Answering::Ring, CallState::Disconnected, Cause::NO_ANSWER),
    ];
    for (answering, state, cause) in failures {
        phones[1].set_answering(answering);
        let _call = phones[0].call("1002").unwrap();
        let seen = until(&mut provider, SOON, |event| is_call(event, "1001", state)).await;
        let Some(ProviderEvent::Call { info, .. }) = seen.last() else { panic!("{seen:?}") };
        assert_eq!(info.cause, cause);
        until(&mut provider, SOON, |event| is_idle(event, "1001")).await;
    }
}

/// Every spell is one use of the line and one idleness, though no device state may ever tell of it.
#[tokio::test]
async fn a_spell_of_five_milliseconds_is_seen_every_time() {
    let Some(server) = server(&Site::with_phones(["1002"])).await else { return };
    let phones = phones(&server, &["1002"]).await;
    let mut provider = acting(config(&server), &["1002"]).await;
    let line = line_of(&device("1002")).unwrap();
    let mut table = CallTable::default();
    for event in until(&mut provider, SOON, |event| is_line_opened(event, "1002")).await {
        table.apply(&event);
    }
    let mut uses = vec![Occupancy::Idle];
    for round in 0..60 {
        // Alternately a number that is nobody's, and one that answers and is left after 5 ms.
        let mut call = phones[0].call(if round % 2 == 0 { "9999" } else { "*66" }).unwrap();
        let outcome = call.wait_for(SOON, |outcome| outcome != CallOutcome::Calling).await.unwrap();
        if outcome == CallOutcome::Answered {
            tokio::time::sleep(Duration::from_millis(5)).await;
            call.hang_up().await.unwrap();
        }
        for event in until(&mut provider, SOON, |event| is_call(event, "1002", CallState::Idle)).await {
            table.apply(&event);
            let now = table.occupancy(&line).unwrap();
            if uses.last() != Some(&now) {
                uses.push(now);
            }
        }
    }
    let spell = [Occupancy::InUse, Occupancy::Idle];
    assert_eq!(uses, [&[Occupancy::Idle][..], &spell.repeat(60)].concat());
}

/// R20: whatever says that B is busy, A's call says so by its cause, and B's line is not touched.
#[tokio::test]
async fn a_dial_to_somebody_busy_says_busy_and_disturbs_nobody() {
    let Some(server) = server(&Site::with_phones(["1001", "1002"])).await else { return };
    let phones = phones(&server, &["1001", "1002"]).await;
    let mut provider = acting(config(&server), &["1001", "1002"]).await;
    until(&mut provider, SOON, |event| is_line_opened(event, "1002")).await;
    phones[0].set_answering(Answering::After(Duration::ZERO));
    // Its phone says so itself; or its user does not want to be disturbed, and the dialplan says so.
    for (tag, by_dialplan) in [(1, false), (2, true)] {
        phones[1].set_answering(if by_dialplan { Answering::Ring } else { Answering::Busy });
        if by_dialplan {
            server.console("database put DND 1002 1").await.unwrap();
        }
        let (from, to) = (line_of(&device("1001")).unwrap(), DirectoryNumber::new("1002").unwrap());
        provider.submit(Command::MakeCall { tag: Tag(tag), from, to, override_forwarding: false });
        let seen = until(&mut provider, SOON, |event| is_call(event, "1001", CallState::Idle)).await;
        let made = seen.iter().find_map(|event| match event {
            ProviderEvent::Answer { tag: Tag(of), result: Ok(Answer::CallMade(call)) } if *of == tag => {
                Some(*call)
            }
            _ => None,
        });
        let told = |event: &ProviderEvent| match event {
            ProviderEvent::Call { at, info } if at.device == device("1001") => {
                Some((info.call, info.state, info.cause))
            }
            _ => None,
        };
        let told: Vec<_> = seen.iter().filter_map(told).collect();
        assert!(told.contains(&(made.unwrap(), CallState::Busy, Cause::USER_BUSY)), "{told:?}");
        let of_b = |event: &&ProviderEvent| matches!(event, ProviderEvent::Call { at, .. } if at.device == device("1002"));
        assert_eq!(seen.iter().find(of_b), None);
        until(&mut provider, SOON, |event| is_idle(event, "1001")).await;
    }
}
