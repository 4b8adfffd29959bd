//! The whole service at a real server: callers are called back.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use ringback::db::MemoryStore;
use ringback::{Handle, Ports, Service};
use ringback_cti_asterisk::directory::Profile;
use ringback_cti_asterisk::provider::Config;
use ringback_model::{Millis, Timestamp};
use ringback_pbx_lab::{Answering, CallOutcome, Phone, PhoneCall, PhoneEvent, Server, Site};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::seat::{SOON, config, phones, provider, server};

/// A service; it dies with this value.
struct Office {
    handle: Handle,
    running: AbortHandle,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Office {
    async fn open(config: Config) -> Self {
        let provider = provider(config);
        let directory = provider.directory(Profile::default());
        let feed = provider.feed();
        let start = Instant::now();
        let clock = move || Timestamp(1_767_621_600_000) + Millis::from(start.elapsed());
        let mut ports = Ports::new(provider, directory, MemoryStore::new(Arc::new(clock)));
        ports.feed = Some(Box::new(feed));
        let address = Ipv4Addr::LOCALHOST.into();
        let (service, handle) = Service::new(ringback::Config::new(address, 1), ports).unwrap();
        let running = tokio::spawn(service.run()).abort_handle();
        let mut status = handle.watch();
        tokio::time::timeout(SOON, status.wait_for(|status| status.ready)).await.unwrap().unwrap();
        Self { handle, running }
    }

    async fn requests(&self) -> usize {
        self.handle.records().await.len()
    }
}

fn is_recall(event: &PhoneEvent, of: &str) -> bool {
    matches!(event, PhoneEvent::Rings { name, number } if name == &format!("Call Back {of}") && number == of)
}

fn text_with(event: &PhoneEvent, part: &str) -> bool {
    matches!(event, PhoneEvent::Text(text) if text.contains(part))
}

/// B and C talk; B is busy for A, who dials the feature code after it.
async fn b_is_busy_and_a_wants_to_be_called_back(phones: &mut [Phone]) -> PhoneCall {
    phones[1].set_answering(Answering::After(Duration::ZERO));
    let mut talk = phones[2].call("1002").unwrap();
    talk.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.unwrap();
    phones[1].set_answering(Answering::Busy);
    let mut failed = phones[0].call("1002").unwrap();
    failed.wait_for(SOON, |outcome| matches!(outcome, CallOutcome::Failed(486))).await.unwrap();
    press(&mut phones[0], "*661002").await;
    phones[0].wait_for(SOON, |event| text_with(event, "CallBack is activated on 1002")).await.unwrap();
    talk
}

async fn press(phone: &mut Phone, code: &str) {
    let mut key = phone.call(code).unwrap();
    key.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.unwrap();
    key.hang_up().await.unwrap();
}

async fn site() -> Option<(Server, Vec<Phone>)> {
    let names = ["1001", "1002", "1003"];
    let server = server(&Site::with_phones(names)).await?;
    let phones = phones(&server, &names).await;
    Some((server, phones))
}

#[tokio::test]
async fn b_hangs_up_and_a_is_recalled_and_connected() {
    let Some((server, mut phones)) = site().await else { return };
    let office = Office::open(config(&server)).await;
    let talk = b_is_busy_and_a_wants_to_be_called_back(&mut phones).await;
    phones[1].set_answering(Answering::Ring);
    phones[1].drain();
    let free = Instant::now();
    talk.hang_up().await.unwrap();
    let (rang, _) = phones[0].wait_for(SOON, |event| is_recall(event, "1002")).await.unwrap();
    eprintln!("B hangs up -> A rings: {:?}", rang - free);
    phones[0].answer().unwrap();
    phones[1]
        .wait_for(
            SOON,
            |event| matches!(event, PhoneEvent::Rings { number, .. } if number == "1001" || number == "1002"),
        )
        .await
        .unwrap();
    phones[1].answer().unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(office.requests().await, 0, "reached");
    phones[0].hang_up().await.unwrap();
    phones[1].wait_for(SOON, |event| *event == PhoneEvent::HungUp).await.unwrap();
}
