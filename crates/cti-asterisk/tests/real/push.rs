//! A phone that shows screens, beside its SIP side: told over HTTP, answering by its softkeys.

use std::net::Ipv4Addr;
use std::time::Duration;

use ringback_cti_asterisk::notify::Ways;
use ringback_cti_asterisk::notify::push::{self, Login, PushServer};
use ringback_pbx_lab::{
    Answering, CallOutcome, Phone, PhoneCall, PhoneEvent, Server, Site, XmlManner, XmlPhone,
};

use super::office::{Office, press, until_requests};
use super::seat::{SOON, config, device, phones, server};

/// A's phone 1001 shows screens; B is 1002, C is 1003.
struct Desk {
    xml: XmlPhone,
    phones: Vec<Phone>,
    office: Office,
    _server: Server,
}

async fn desk() -> Option<Desk> {
    let names = ["1001", "1002", "1003"];
    let server = server(&Site::with_phones(names)).await?;
    let phones = phones(&server, &names).await;
    let xml = XmlPhone::start(Ipv4Addr::LOCALHOST.into(), "ringback", "secret").await.unwrap();
    let login = Login::new("ringback", "secret".to_owned().into());
    let pushes = push::Config::new((Ipv4Addr::LOCALHOST, 0).into(), login);
    let way = PushServer::start(pushes).await.unwrap().phone(&xml.address().to_string()).unwrap();
    let mut config = config(&server);
    config.ways = Ways::default().with(device("1001"), way);
    let office = Office::open(config).await;
    Some(Desk { xml, phones, office, _server: server })
}

impl Desk {
    /// B talks with C and is busy for A.
    async fn b_is_busy(&mut self) -> PhoneCall {
        let [a, b, c] = &mut self.phones[..] else { panic!("three phones") };
        b.set_answering(Answering::After(Duration::ZERO));
        let mut talk = c.call("1002").unwrap();
        talk.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.unwrap();
        b.set_answering(Answering::Busy);
        let mut failed = a.call("1002").unwrap();
        failed.wait_for(SOON, |outcome| matches!(outcome, CallOutcome::Failed(486))).await.unwrap();
        talk
    }

    /// A has pressed CallBack, and its phone says so.
    async fn activated(&mut self) -> PhoneCall {
        let talk = self.b_is_busy().await;
        press(&mut self.phones[0], "*661002").await;
        self.shows("CallBack is activated on 1002", &["Cancel", "Exit"]).await;
        talk
    }

    async fn shows(&mut self, text: &str, keys: &[&str]) {
        self.xml.wait_for(SOON, |seen| seen.shows(text) && seen.keys() == keys).await.unwrap();
    }

    async fn b_is_free(&mut self, talk: PhoneCall) {
        self.phones[1].set_answering(Answering::Ring);
        self.phones[1].drain();
        talk.hang_up().await.unwrap();
    }
}

#[tokio::test]
async fn the_screen_rings_and_dial_on_it_connects() {
    let Some(mut desk) = desk().await else { return };
    let talk = desk.activated().await;
    desk.b_is_free(talk).await;
    desk.shows("1002 has become available", &["Dial", "Cancel", "Exit"]).await;
    let seen = desk.xml.wait_for(SOON, |seen| seen.alerts() > 0).await.unwrap();
    assert_eq!(seen.played, ["CallBack.raw"]);
    desk.xml.press("Dial").await.unwrap();
    // The PBX calls A's own phone first, then B's.
    let [a, b, _] = &mut desk.phones[..] else { panic!("three phones") };
    a.wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { number, .. } if number == "1002"))
        .await
        .unwrap();
    a.answer().unwrap();
    b.wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { .. })).await.unwrap();
    b.answer().unwrap();
    until_requests(&desk.office, 0).await;
    let seen = desk.xml.wait_for(SOON, |seen| seen.screen.is_none()).await.unwrap();
    assert_eq!(seen.alerts(), 1);
    a.hang_up().await.unwrap();
    b.wait_for(SOON, |event| *event == PhoneEvent::HungUp).await.unwrap();
}

#[tokio::test]
async fn exit_leaves_and_cancel_ends() {
    let Some(mut desk) = desk().await else { return };
    let _talk = desk.activated().await;
    desk.xml.press("Exit").await.unwrap();
    desk.xml.wait_for(SOON, |seen| seen.screen.is_none()).await.unwrap();
    assert_eq!(desk.office.requests().await, 1);
    // Asked for, the screen comes back; a key that is not active says so below it.
    press(&mut desk.phones[0], "*66").await;
    desk.shows("CallBack is activated on 1002", &["Cancel", "Exit"]).await;
    desk.phones[0].text("ringback", "4711").await.unwrap();
    desk.shows("Key Not Active", &["Cancel", "Exit"]).await;
    assert!(desk.xml.display().shows("CallBack is activated on 1002"));
    // The softkeys have feature codes, too: the second one is Exit.
    press(&mut desk.phones[0], "*692").await;
    desk.xml.wait_for(SOON, |seen| seen.screen.is_none()).await.unwrap();
    press(&mut desk.phones[0], "*66").await;
    desk.shows("CallBack is activated on 1002", &["Cancel", "Exit"]).await;
    desk.xml.press("Cancel").await.unwrap();
    until_requests(&desk.office, 0).await;
    desk.xml.wait_for(SOON, |seen| seen.screen.is_none()).await.unwrap();
    assert_eq!(desk.xml.alerts(), 0);
}

#[tokio::test]
async fn a_phone_that_is_not_told_keeps_its_request() {
    let Some(mut desk) = desk().await else { return };
    desk.xml.set_manner(XmlManner::Fails(4));
    let talk = desk.b_is_busy().await;
    press(&mut desk.phones[0], "*661002").await;
    until_requests(&desk.office, 1).await;
    assert_eq!(desk.xml.display().screens, 0);
    // Somebody has corrected the user database meanwhile.
    desk.xml.set_manner(XmlManner::Obeys);
    desk.b_is_free(talk).await;
    desk.shows("1002 has become available", &["Dial", "Cancel", "Exit"]).await;
    desk.xml.wait_for(SOON, |seen| seen.alerts() == 1).await.unwrap();
}
