//! An instance dies, and the next one has its requests: the keys of its screens still work, and its recalls are answered.

use std::net::Ipv4Addr;

use ringback::db::MemoryStore;
use ringback_cti_asterisk::notify::Ways;
use ringback_cti_asterisk::notify::push::{self, Login, PushServer};
use ringback_cti_asterisk::provider::Config;
use ringback_model::Millis;
use ringback_pbx_lab::{Answering, Phone, PhoneEvent, Server, Site, XmlPhone};
use tokio::net::TcpListener;

use super::office::{
    Office, b_is_busy_and_a_wants_to_be_called_back, is_recall, store, text_with, until_requests,
};
use super::seat::{SOON, config, device, phones, server};

/// A's phone 1001 is recalled, because B's, 1002, has become free.
struct Recalled {
    phones: Vec<Phone>,
    /// None: it is dead.
    office: Option<Office>,
    store: MemoryStore,
    server: Server,
}

/// A recall rings for so long that any machine is quicker, or hardly at all.
fn ringing_for(server: &Server, ring: Millis) -> Config {
    Config { ring, ..config(server) }
}

const LONG: Millis = Millis::from_secs(300);

async fn recalled(ring: Millis) -> Option<Recalled> {
    let names = ["1001", "1002", "1003"];
    // Nobody waits as long as a busy machine may need.
    let site = Site::with_phones(names).replacing("Wait(10)", "Wait(300)");
    let server = server(&site).await?;
    let (mut phones, store) = (phones(&server, &names).await, store());
    let office = Office::open_with(ringing_for(&server, ring), &store, 1).await;
    let talk = b_is_busy_and_a_wants_to_be_called_back(&mut phones).await;
    phones[1].set_answering(Answering::Ring);
    phones[1].drain();
    talk.hang_up().await.unwrap();
    phones[0].wait_for(SOON, |event| is_recall(event, "1002")).await.unwrap();
    Some(Recalled { phones, office: Some(office), store, server })
}

impl Recalled {
    /// Another instance begins, the first one being dead.
    async fn next(&mut self) {
        self.office = None;
        let config = ringing_for(&self.server, LONG);
        self.office = Some(Office::open_with(config, &self.store, 2).await);
    }

    async fn until_it_has_ended(&self) {
        until_requests(self.office.as_ref().unwrap(), 0).await;
    }

    /// B's phone rings, and the request has ended.
    async fn b_is_reached(&mut self) {
        self.phones[1].wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { .. })).await.unwrap();
        self.until_it_has_ended().await;
        let again = self.phones[0].drain().into_iter().filter(|(_, event)| is_recall(event, "1002")).count();
        assert_eq!(again, 0);
    }
}

#[tokio::test]
async fn a_recall_that_rings_is_answered_at_the_next_instance() {
    let Some(mut recalled) = recalled(LONG).await else { return };
    recalled.next().await;
    recalled.phones[0].answer().unwrap();
    recalled.b_is_reached().await;
}

#[tokio::test]
async fn a_recall_that_is_answered_while_nobody_acts_is_connected_by_the_next() {
    let Some(mut recalled) = recalled(LONG).await else { return };
    recalled.office = None;
    recalled.phones[0].answer().unwrap();
    recalled.next().await;
    recalled.b_is_reached().await;
}

#[tokio::test]
async fn a_digit_means_the_key_of_the_screen_that_another_instance_sent() {
    let Some(mut recalled) = recalled(Millis(700)).await else { return };
    recalled.phones[0].wait_for(SOON, |event| *event == PhoneEvent::StoppedRinging).await.unwrap();
    recalled.next().await;
    recalled.phones[0].drain();
    recalled.phones[0].text("ringback", "1").await.unwrap();
    // Dial; the phone itself rings first.
    recalled.phones[0].wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { .. })).await.unwrap();
    recalled.phones[0].answer().unwrap();
    recalled.phones[1].wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { .. })).await.unwrap();
    recalled.until_it_has_ended().await;
}

#[tokio::test]
async fn cancel_works_as_well() {
    let Some(mut recalled) = recalled(Millis(700)).await else { return };
    recalled.phones[0].wait_for(SOON, |event| *event == PhoneEvent::StoppedRinging).await.unwrap();
    recalled.next().await;
    recalled.phones[0].text("ringback", "2").await.unwrap();
    recalled.until_it_has_ended().await;
    // The screen is gone at the server, too: the digit is a number now, and no key.
    recalled.phones[0].drain();
    recalled.phones[0].text("ringback", "1").await.unwrap();
    recalled.phones[0].wait_for(SOON, |event| text_with(event, "Key Not Active")).await.unwrap();
}

#[tokio::test]
async fn the_softkey_of_a_screen_reaches_the_instance_that_acts() {
    let names = ["1001", "1002", "1003"];
    let Some(server) = server(&Site::with_phones(names)).await else { return };
    let mut phones = phones(&server, &names).await;
    let mut xml = XmlPhone::start(Ipv4Addr::LOCALHOST.into(), "ringback", "secret").await.unwrap();
    // Where the address of the keys leads: to the second one.
    let second = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let keys = second.local_addr().unwrap().to_string();
    let pushes = || {
        let login = Login::new("ringback", "secret".to_owned().into());
        let config = push::Config::new((Ipv4Addr::LOCALHOST, 0).into(), login);
        push::Config { keys: Some(keys.clone()), ..config }
    };
    let with = |pushes: PushServer| {
        let way = pushes.phone(&xml.address().to_string()).unwrap();
        Config { ways: Ways::default().with(device("1001"), way), ..config(&server) }
    };
    let store = store();
    let first = with(PushServer::start(pushes()).await.unwrap());
    let second = with(PushServer::start_at(pushes(), second).unwrap());
    let office = Office::open_with(first, &store, 1).await;
    phones[1].set_answering(Answering::Busy);
    let mut failed = phones[0].call("1002").unwrap();
    failed
        .wait_for(SOON, |outcome| matches!(outcome, ringback_pbx_lab::CallOutcome::Failed(486)))
        .await
        .unwrap();
    super::office::press(&mut phones[0], "*661002").await;
    xml.wait_for(SOON, |seen| seen.keys() == ["Cancel", "Exit"]).await.unwrap();
    drop(office);
    // Nobody acts: the key does nothing, and the screen stays.
    assert!(xml.press("Cancel").await.is_err());
    assert_eq!(xml.display().keys(), ["Cancel", "Exit"]);
    let office = Office::open_with(second, &store, 2).await;
    assert_eq!(office.requests().await, 1);
    xml.press("Cancel").await.unwrap();
    until_requests(&office, 0).await;
    xml.wait_for(SOON, |seen| seen.screen.is_none()).await.unwrap();
}
