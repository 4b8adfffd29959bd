//! The laboratory itself: a server comes and goes, and phones see what phones see.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use ringback_pbx_lab::{Answering, Asterisk, CallOutcome, Phone, PhoneEvent, Release, Server, Site, Sound};

const SOON: Duration = Duration::from_secs(60);

async fn lab(release: Release, phones: &[&str]) -> Option<(Server, Vec<Phone>)> {
    let asterisk = Asterisk::fetch_or_skip(release)?;
    let server = Server::start(&asterisk, &Site::with_phones(phones.iter().copied())).await.unwrap();
    let mut registered = Vec::new();
    for phone in phones {
        registered.push(
            Phone::register(&server, phone).await.unwrap_or_else(|error| panic!("{error}: {}", server.log())),
        );
    }
    Some((server, registered))
}

async fn phones_talk(release: Release) {
    let Some((server, mut phones)) = lab(release, &["1001", "1002"]).await else { return };
    let mut call = phones[0].call("1002").unwrap();
    let (_, rings) = phones[1].wait_for(SOON, |_| true).await.unwrap();
    assert_eq!(rings, PhoneEvent::Rings { name: "User 1001".into(), number: "1001".into() });
    call.wait_for(SOON, |outcome| outcome == CallOutcome::Ringing).await.unwrap();
    phones[1].answer().unwrap();
    call.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.unwrap();
    phones[1].hang_up().await.unwrap();
    call.wait_for(SOON, |outcome| outcome == CallOutcome::Ended).await.unwrap();

    phones[1].set_answering(Answering::Busy);
    let mut busy = phones[0].call("1002").unwrap();
    let outcome = busy.wait_for(SOON, |outcome| matches!(outcome, CallOutcome::Failed(_))).await.unwrap();
    assert_eq!(outcome, CallOutcome::Failed(486));

    phones[1].set_answering(Answering::Ring);
    phones[1].drain();
    let given_up = phones[0].call("1002").unwrap();
    phones[1].wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { .. })).await.unwrap();
    given_up.hang_up().await.unwrap();
    phones[1].wait_for(SOON, |event| *event == PhoneEvent::StoppedRinging).await.unwrap();
    assert!(server.pid().is_some());
}

#[tokio::test]
async fn phones_talk_over_asterisk_22() {
    phones_talk(Release::V22).await;
}

#[tokio::test]
async fn phones_talk_over_asterisk_16() {
    phones_talk(Release::V16).await;
}

#[tokio::test]
async fn a_server_that_was_killed_comes_back() {
    let Some((mut server, mut phones)) = lab(Release::V22, &["1001", "1002"]).await else { return };
    let pid = server.pid().unwrap();
    server.kill();
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    server.restart().await.unwrap();
    // What the server has on disk may be a second old.
    for phone in &phones {
        phone.renew().await.unwrap();
    }
    let _call = phones[0].call("1002").unwrap();
    phones[1].wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { .. })).await.unwrap();
}

#[tokio::test]
async fn a_text_to_the_server_is_taken() {
    let Some((server, phones)) = lab(Release::V22, &["1001"]).await else { return };
    phones[0].text("ringback", "hello").await.unwrap_or_else(|error| panic!("{error}: {}", server.log()));
}

#[tokio::test]
async fn asterisk_16_completes_calls_itself_at_its_older_channel() {
    let Some(asterisk) = Asterisk::fetch_or_skip(Release::V16) else { return };
    let site = Site::with_phones(["1001"]).with_hints().with_call_completion(["2001", "2002"], "");
    let server = Server::start(&asterisk, &site).await.unwrap();
    assert!(server.console("core show hints").await.unwrap().contains("PJSIP/1001"));
    let mut a = Phone::register(&server, "2001").await.unwrap();
    let b = Phone::register(&server, "2002").await.unwrap();
    let mut talk = b.call("*600").unwrap();
    talk.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.unwrap();
    b.set_answering(Answering::Busy);
    let mut busy = a.call("2002").unwrap();
    busy.wait_for(SOON, |outcome| outcome == CallOutcome::Failed(486)).await.unwrap();
    let mut key = a.call("*66").unwrap();
    // The server ends it when it has taken the request and said so.
    key.wait_for(SOON, |outcome| outcome == CallOutcome::Ended).await.unwrap();
    talk.hang_up().await.unwrap();
    a.wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { .. })).await.unwrap();
}

#[tokio::test]
async fn a_phone_that_listens_hears_the_tones_of_the_server() {
    let Some(asterisk) = Asterisk::fetch_or_skip(Release::V22) else { return };
    let tones = "\n[ringback-nowhere]\nexten => busy,1,Progress()\n same => n,Playtones(busy)\n same => n,Wait(60)\n\
                 exten => ring,1,Answer()\n same => n,Playtones(ring)\n same => n,Wait(60)\n";
    let site = Site::with_phones(["1001"]).replacing("\n[ringback-nowhere]\n", tones);
    let site = site.with_file("indications.conf", Sound::indications());
    let server = Server::start(&asterisk, &site).await.unwrap();
    let phone = Phone::register(&server, "1001").await.unwrap();
    phone.listen();
    for (number, sound) in [("busy", Sound::Busy), ("ring", Sound::Ringback)] {
        let mut changed = phone.changed();
        let call = phone.call(number).unwrap();
        let heard = async {
            while call.sound() != Some(sound) {
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(SOON, heard).await.unwrap_or_else(|_| panic!("{:?}", call.outcome()));
        call.hang_up().await.unwrap();
    }
}

#[tokio::test]
async fn a_phone_takes_as_many_calls_as_it_has_room_for() {
    let Some((_server, mut phones)) = lab(Release::V22, &["1001", "1002", "1003", "1004"]).await else {
        return;
    };
    phones[1].set_room(2);
    let _calls = [phones[0].call("1002").unwrap(), phones[2].call("1002").unwrap()];
    for _ in 0..2 {
        phones[1].wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { .. })).await.unwrap();
    }
    let mut busy = phones[3].call("1002").unwrap();
    busy.wait_for(SOON, |outcome| outcome == CallOutcome::Failed(486)).await.unwrap();
    phones[1].answer().unwrap();
    let (first, second) = match phones[1].incoming().as_slice() {
        [first, second] => (first.clone(), second.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!((first.answered, second.answered), (true, false));
    phones[1].hang_up_call(second.id).await.unwrap();
    assert_eq!(phones[1].incoming(), [first]);
}
