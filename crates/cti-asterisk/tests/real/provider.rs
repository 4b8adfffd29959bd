//! What a provider tells of real phones.

use std::time::Duration;

use ringback_cti::ProviderEvent;
use ringback_cti::message::{Activity, CallState, Cause, DeviceStatus};
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

#[tokio::test]
async fn a_spell_of_five_milliseconds_is_seen_every_time() {
    let Some(server) = server(&Site::with_phones(["1002"])).await else { return };
    let phones = phones(&server, &["1002"]).await;
    let mut provider = acting(config(&server), &["1002"]).await;
    until(&mut provider, SOON, |event| is_line_opened(event, "1002")).await;
    for round in 0..30 {
        // Alternately a number that is nobody's, and one that answers and is left after 5 ms.
        let mut call = phones[0].call(if round % 2 == 0 { "9999" } else { "*66" }).unwrap();
        let outcome = call.wait_for(SOON, |outcome| outcome != CallOutcome::Calling).await.unwrap();
        if outcome == CallOutcome::Answered {
            tokio::time::sleep(Duration::from_millis(5)).await;
            call.hang_up().await.unwrap();
        }
        let seen = until(&mut provider, SOON, |event| is_call(event, "1002", CallState::Idle)).await;
        let off_hook = seen
            .iter()
            .any(|event| matches!(event, ProviderEvent::Call { info, .. } if info.state.is_off_hook()));
        assert!(off_hook, "round {round}: {seen:?}");
    }
}
