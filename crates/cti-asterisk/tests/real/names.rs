//! Phones that are not named after their numbers, two of which share one.

use std::time::Duration;

use ringback_pbx_lab::{Answering, CallOutcome, PhoneEvent, Site};

use super::office::{Office, press, until_requests};
use super::seat::{SOON, config, device, phones, server};

fn text_with(event: &PhoneEvent, part: &str) -> bool {
    matches!(event, PhoneEvent::Text(text) if text.contains(part))
}

fn is_recall(event: &PhoneEvent, of: &str) -> bool {
    matches!(event, PhoneEvent::Rings { name, number } if name == &format!("Call Back {of}") && number == of)
}

const NAMES: [&str; 4] = ["desk-anna", "desk_ben.2", "mobile-ben", "1004"];

/// Anna has 1001, Ben has 1002 at his desk and on his mobile, and the fourth is named as it was always done.
fn site() -> Site {
    Site::with_phones(NAMES)
        .with_numbers([("desk-anna", "1001"), ("desk_ben.2", "1002"), ("mobile-ben", "1002")])
        .replacing("exten => 1001,hint,PJSIP/1001", "exten => 1001,hint,PJSIP/desk-anna")
        .replacing("exten => 1002,hint,PJSIP/1002", "exten => 1002,hint,PJSIP/desk_ben.2&PJSIP/mobile-ben")
        .replacing(
            "exten => 1003,hint,PJSIP/1003",
            "exten => 1600,hint,PJSIP/desk-anna&PJSIP/desk_ben.2&PJSIP/1004",
        )
        .replacing("Dial(PJSIP/${EXTEN},", "Dial(${HINT(${EXTEN}@phones)},")
}

#[tokio::test]
async fn keys_recalls_and_calls_back_work_with_numbers_that_are_no_names() {
    let Some(server) = server(&site()).await else { return };
    let mut phones = phones(&server, &NAMES).await;
    let office = Office::open(config(&server)).await;
    let [anna, ben, mobile, fourth] = &mut phones[..] else { unreachable!() };
    // Ben talks at his desk, and his mobile refuses: 1002 is busy for Anna.
    mobile.set_answering(Answering::Busy);
    ben.set_answering(Answering::After(Duration::ZERO));
    let mut talk = fourth.call("1002").unwrap();
    talk.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.unwrap();
    ben.set_answering(Answering::Busy);
    let mut failed = anna.call("1002").unwrap();
    failed.wait_for(SOON, |outcome| outcome == CallOutcome::Failed(486)).await.unwrap();
    // The key by text, whose sender is a name with a hyphen.
    anna.text("ringback", "1002").await.unwrap();
    anna.wait_for(SOON, |event| text_with(event, "CallBack is activated on 1002")).await.unwrap();
    until_requests(&office, 1).await;
    anna.text("ringback", "1").await.unwrap();
    until_requests(&office, 0).await;
    // And by feature code.
    let mut failed = anna.call("1002").unwrap();
    failed.wait_for(SOON, |outcome| outcome == CallOutcome::Failed(486)).await.unwrap();
    press(anna, "*661002").await;
    anna.wait_for(SOON, |event| text_with(event, "CallBack is activated on 1002")).await.unwrap();
    until_requests(&office, 1).await;
    ben.set_answering(Answering::Ring);
    mobile.set_answering(Answering::Ring);
    ben.drain();
    talk.hang_up().await.unwrap();
    anna.wait_for(SOON, |event| is_recall(event, "1002")).await.unwrap();
    anna.answer().unwrap();
    for phone in [&mut *ben, &mut *mobile] {
        phone
            .wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { number, .. } if number == "1001"))
            .await
            .unwrap();
    }
    until_requests(&office, 0).await;
    mobile.answer().unwrap();
    anna.hang_up().await.unwrap();
    mobile.wait_for(SOON, |event| *event == PhoneEvent::HungUp).await.unwrap();
}

#[tokio::test]
async fn settings_of_a_phone_count_for_its_number() {
    let Some(server) = server(&site()).await else { return };
    let mut phones = phones(&server, &NAMES).await;
    let office = Office::open(config(&server)).await;
    let [anna, ben, ..] = &mut phones[..] else { unreachable!() };
    press(anna, "*721004").await;
    office.until_set(&device("desk-anna"), |_, line| line.forwards_all_to.is_some()).await;
    anna.set_answering(Answering::Busy);
    // Anna forwards: her number cannot be called back, and calls to it go to the fourth.
    let _call = ben.call("1001").unwrap();
    phones[3].wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { .. })).await.unwrap();
    phones[1].text("ringback", "1001").await.unwrap();
    phones[1].wait_for(SOON, |event| text_with(event, "cannot be activated for 1001")).await.unwrap();
    assert_eq!(office.requests().await, 0);
}
