//! The whole service at a real server: callers are called back.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use ringback::callback::{Kind, Phase};
use ringback::db::{Directory, LineEntry, MemoryStore, PhoneEntry};
use ringback::{Handle, Ports, Service};
use ringback_cti_asterisk::directory::{PbxDirectory, Profile};
use ringback_cti_asterisk::provider::Config;
use ringback_model::{DeviceName, Group, Millis, Timestamp};
use ringback_pbx_lab::{Answering, CallOutcome, Phone, PhoneCall, PhoneEvent, Release, Server, Site};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::seat::{SOON, config, device, phones, provider, server, server_of};

/// A service; it dies with this value.
pub(crate) struct Office {
    handle: Handle,
    directory: PbxDirectory,
    running: AbortHandle,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// A request store, whose time begins now.
pub(crate) fn store() -> MemoryStore {
    let start = Instant::now();
    MemoryStore::new(Arc::new(move || Timestamp(1_767_621_600_000) + Millis::from(start.elapsed())))
}

impl Office {
    pub(crate) async fn open(config: Config) -> Self {
        Self::open_with(config, &store(), 1).await
    }

    /// The run of this number of an instance with this store.
    pub(crate) async fn open_with(config: Config, store: &MemoryStore, run: u64) -> Self {
        let provider = provider(config);
        let directory = provider.directory(Profile::default());
        let feed = provider.feed();
        let mut ports = Ports::new(provider, directory.clone(), store.clone());
        ports.feed = Some(Box::new(feed));
        let address = Ipv4Addr::LOCALHOST.into();
        let (service, handle) = Service::new(ringback::Config::new(address, run), ports).unwrap();
        let running = tokio::spawn(service.run()).abort_handle();
        let mut status = handle.watch();
        tokio::time::timeout(SOON, status.wait_for(|status| status.ready)).await.unwrap().unwrap();
        Self { handle, directory, running }
    }

    /// Waits until the service knows what the user of a number has set.
    pub(crate) async fn until_set(
        &self,
        device: &DeviceName,
        wanted: impl Fn(&PhoneEntry, &LineEntry) -> bool,
    ) {
        let (group, end) = (Group::default(), Instant::now() + SOON);
        loop {
            let phone = self.directory.phone(&group, device).await.unwrap().unwrap();
            let line = self.directory.line(&group, &phone.lines[0]).await.unwrap().unwrap();
            if wanted(&phone, &line) {
                return;
            }
            assert!(Instant::now() < end, "{phone:?} {line:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn requests(&self) -> usize {
        self.handle.records().await.len()
    }
}

pub(crate) fn is_recall(event: &PhoneEvent, of: &str) -> bool {
    matches!(event, PhoneEvent::Rings { name, number } if name == &format!("Call Back {of}") && number == of)
}

pub(crate) fn text_with(event: &PhoneEvent, part: &str) -> bool {
    matches!(event, PhoneEvent::Text(text) if text.contains(part))
}

/// B and C talk; B is busy for A, who dials the feature code after it.
pub(crate) async fn b_is_busy_and_a_wants_to_be_called_back(phones: &mut [Phone]) -> PhoneCall {
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

pub(crate) async fn press(phone: &mut Phone, code: &str) {
    let mut key = phone.call(code).unwrap();
    key.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.unwrap();
    key.hang_up().await.unwrap();
}

async fn site() -> Option<(Server, Vec<Phone>)> {
    site_of(Release::V22).await
}

async fn site_of(release: Release) -> Option<(Server, Vec<Phone>)> {
    let names = ["1001", "1002", "1003"];
    let server = server_of(release, &Site::with_phones(names)).await?;
    let phones = phones(&server, &names).await;
    Some((server, phones))
}

#[tokio::test]
async fn b_hangs_up_and_a_is_recalled_and_connected() {
    recalled_and_connected(Release::V22).await;
}

#[tokio::test]
async fn the_same_on_asterisk_16() {
    recalled_and_connected(Release::V16).await;
}

#[expect(clippy::print_stderr, reason = "a figure for whoever reads on")]
async fn recalled_and_connected(release: Release) {
    let Some((server, mut phones)) = site_of(release).await else { return };
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
        .wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { number, .. } if number == "1001"))
        .await
        .unwrap();
    phones[1].answer().unwrap();
    until_requests(&office, 0).await;
    phones[0].hang_up().await.unwrap();
    phones[1].wait_for(SOON, |event| *event == PhoneEvent::HungUp).await.unwrap();
}

#[tokio::test]
async fn a_does_not_answer_the_recall_and_keeps_its_request() {
    let Some((server, mut phones)) = site().await else { return };
    let mut short = config(&server);
    short.ring = Millis(700);
    let office = Office::open(short).await;
    let talk = b_is_busy_and_a_wants_to_be_called_back(&mut phones).await;
    talk.hang_up().await.unwrap();
    phones[0].wait_for(SOON, |event| is_recall(event, "1002")).await.unwrap();
    phones[0].wait_for(SOON, |event| *event == PhoneEvent::StoppedRinging).await.unwrap();
    assert_eq!(office.requests().await, 1);
    // Its screen is still there: the first key is Dial, and the phone itself rings first.
    phones[1].set_answering(Answering::Ring);
    phones[1].drain();
    phones[0].text("ringback", "1").await.unwrap();
    phones[0].wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { .. })).await.unwrap();
    phones[0].answer().unwrap();
    phones[1].wait_for(SOON, |event| matches!(event, PhoneEvent::Rings { .. })).await.unwrap();
    until_requests(&office, 0).await;
}

#[tokio::test]
async fn b_is_busy_again_at_the_recall_and_the_request_is_kept() {
    let Some((server, mut phones)) = site().await else { return };
    let office = Office::open(config(&server)).await;
    let talk = b_is_busy_and_a_wants_to_be_called_back(&mut phones).await;
    // B's phone goes on refusing, as one does whose user is on another line.
    talk.hang_up().await.unwrap();
    phones[0].wait_for(SOON, |event| is_recall(event, "1002")).await.unwrap();
    phones[0].answer().unwrap();
    phones[0].wait_for(SOON, |event| *event == PhoneEvent::HungUp).await.unwrap();
    // The request waits in its old place for B's next availability (R20): B was free all the time, and refused.
    until_phase(&office, Phase::Waiting).await;
    phones[0].text("ringback", "?").await.unwrap();
    phones[0].wait_for(SOON, |event| text_with(event, "CallBack is activated on 1002")).await.unwrap();
    let rings = phones[0].wait_for(Duration::from_secs(3), |event| is_recall(event, "1002")).await;
    assert!(rings.is_err(), "{rings:?}");
    until_phase(&office, Phase::Waiting).await;
    // B uses its phone and is free: A is recalled again.
    phones[1].set_answering(Answering::Ring);
    press(&mut phones[1], "*79").await;
    phones[0].wait_for(SOON, |event| is_recall(event, "1002")).await.unwrap();
}

#[tokio::test]
async fn the_key_may_be_a_text_or_a_digit_after_busy() {
    let names = ["1001", "1002", "1003"];
    let site = Site::with_phones(names).replacing("OFFER_AT_BUSY = no", "OFFER_AT_BUSY = yes");
    let Some(server) = server(&site).await else { return };
    let mut phones = phones(&server, &names).await;
    let office = Office::open(config(&server)).await;
    phones[1].set_answering(Answering::After(Duration::ZERO));
    let mut talk = phones[2].call("1002").unwrap();
    talk.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.unwrap();
    phones[1].set_answering(Answering::Busy);
    let mut offered = phones[0].call("1002").unwrap();
    offered.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.unwrap();
    offered.press('5').await.unwrap();
    phones[0].wait_for(SOON, |event| text_with(event, "CallBack is activated on 1002")).await.unwrap();
    until_requests(&office, 1).await;
    offered.wait_for(SOON, |outcome| outcome == CallOutcome::Ended).await.unwrap();
    phones[0].text("ringback", "?").await.unwrap();
    phones[0].wait_for(SOON, |event| text_with(event, "1=Cancel")).await.unwrap();
    phones[0].text("ringback", "1").await.unwrap();
    until_requests(&office, 0).await;
    let mut offered = phones[0].call("1002").unwrap();
    offered.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.unwrap();
    offered.hang_up().await.unwrap();
    // After that call, and not within it.
    server_has_no_call_of(&server, "1001").await;
    phones[0].text("ringback", "1002").await.unwrap();
    phones[0].wait_for(SOON, |event| text_with(event, "CallBack is activated on 1002")).await.unwrap();
    phones[0].text("ringback", "4711").await.unwrap();
    phones[0].wait_for(SOON, |event| text_with(event, "Key Not Active")).await.unwrap();
}

async fn server_says(server: &Server, wanted: impl Fn(&str) -> bool) {
    let end = Instant::now() + SOON;
    while !server.console("core show channels concise").await.unwrap().lines().any(&wanted) {
        assert!(Instant::now() < end, "{}", server.log());
    }
}

async fn server_has_no_call_of(server: &Server, phone: &str) {
    let end = Instant::now() + SOON;
    while server.console("core show channels concise").await.unwrap().contains(&format!("PJSIP/{phone}-")) {
        assert!(Instant::now() < end, "{phone} still has a call");
    }
}

#[tokio::test]
async fn what_users_set_counts_at_once() {
    let Some((server, mut phones)) = site().await else { return };
    let office = Office::open(config(&server)).await;
    // B does not want to be disturbed when it becomes free: A is told so, and not recalled.
    let talk = b_is_busy_and_a_wants_to_be_called_back(&mut phones).await;
    server.console("database put DND 1002 1").await.unwrap();
    phones[1].set_answering(Answering::Ring);
    press(&mut phones[2], "*78").await;
    office.until_set(&device("1002"), |phone, _| phone.do_not_disturb).await;
    talk.hang_up().await.unwrap();
    phones[0].wait_for(SOON, |event| text_with(event, "on DND")).await.unwrap();
    press(&mut phones[1], "*79").await;
    phones[0].wait_for(SOON, |event| is_recall(event, "1002")).await.unwrap();
    phones[0].text("ringback", "2").await.unwrap();
    phones[0].wait_for(SOON, |event| *event == PhoneEvent::StoppedRinging).await.unwrap();
    until_requests(&office, 0).await;
    // B forwards all calls: it cannot be called back.
    press(&mut phones[1], "*721003").await;
    office.until_set(&device("1002"), |_, line| line.forwards_all_to.is_some()).await;
    phones[2].set_answering(Answering::Busy);
    let mut failed = phones[0].call("1002").unwrap();
    failed.wait_for(SOON, |outcome| matches!(outcome, CallOutcome::Failed(_))).await.unwrap();
    press(&mut phones[0], "*661002").await;
    phones[0].wait_for(SOON, |event| text_with(event, "cannot be activated")).await.unwrap();
}

#[tokio::test]
async fn after_a_power_failure_of_the_pbx_only_what_is_seen_counts() {
    let Some((mut server, mut phones)) = site().await else { return };
    let mut strict = config(&server);
    strict.proof = None;
    let office = Office::open(strict).await;
    let _talk = b_is_busy_and_a_wants_to_be_called_back(&mut phones).await;
    server.kill();
    let mut status = office.handle.watch();
    tokio::time::timeout(SOON, status.wait_for(|status| status.registered_at.is_none()))
        .await
        .unwrap()
        .unwrap();
    server.restart().await.unwrap();
    for phone in &phones {
        phone.renew().await.unwrap();
    }
    tokio::time::timeout(SOON, status.wait_for(|status| status.registered_at.is_some()))
        .await
        .unwrap()
        .unwrap();
    // The server says that B is free. B still holds the handset of the call that died.
    phones[0].drain();
    let rings =
        phones[0].wait_for(Duration::from_secs(3), |event| matches!(event, PhoneEvent::Rings { .. })).await;
    assert!(rings.is_err(), "{rings:?}");
    assert_eq!(office.requests().await, 1);
    press(&mut phones[1], "*79").await;
    phones[0].wait_for(SOON, |event| is_recall(event, "1002")).await.unwrap();
}

/// What became free while the server was down is notified once it is certain that it is free: not from the first look, in
/// which everything is free because the server has forgotten all calls, but when phones of the old calls are over by any
/// measure.
#[tokio::test]
async fn after_a_power_failure_what_became_free_is_notified_when_it_is_certain() {
    const PROOF: Millis = Millis(6000);
    let Some((mut server, mut phones)) = site().await else { return };
    let office = Office::open(Config { proof: Some(PROOF), ..config(&server) }).await;
    let mut status = office.handle.watch();
    let _talk = b_is_busy_and_a_wants_to_be_called_back(&mut phones).await;
    phones[0].drain();
    server.kill();
    tokio::time::timeout(SOON, status.wait_for(|status| status.registered_at.is_none()))
        .await
        .unwrap()
        .unwrap();
    let started = Instant::now();
    server.restart().await.unwrap();
    for phone in &phones {
        phone.renew().await.unwrap();
    }
    let (rang, _) =
        phones[0].wait_for(Duration::from_secs(60), |event| is_recall(event, "1002")).await.unwrap();
    assert!(rang - started >= PROOF.to_duration(), "rung {:?} after the start", rang - started);
    assert_eq!(office.requests().await, 1);
    // Notified once.
    phones[0].hang_up().await.unwrap();
    let again = phones[0].wait_for(Duration::from_secs(3), |event| is_recall(event, "1002")).await;
    assert!(again.is_err(), "{again:?}");
}

/// R11: a no-answer wait is ended by every use of B's line, and by one alone.
#[tokio::test]
async fn a_spell_of_five_milliseconds_ends_a_no_answer_wait_every_time() {
    const ROUNDS: usize = 30;
    let names = ["1001", "1002"];
    let site = Site::with_phones(names).replacing(
        "\n[ringback-recall]\n",
        "\n[phones](+)\nexten => 700,1,Answer()\n same => n,Wait(10)\n\n[ringback-recall]\n",
    );
    let Some(server) = server(&site).await else { return };
    let mut phones = phones(&server, &names).await;
    let office = Office::open(config(&server)).await;
    let mut recalls = 0;
    for round in 0..ROUNDS {
        let mut call = phones[0].call("1002").unwrap();
        call.wait_for(SOON, |outcome| outcome == CallOutcome::Ringing).await.unwrap();
        // The caller's phone may know a moment before the server tells of it; nobody is that quick.
        server_says(&server, |line| line.starts_with("PJSIP/1002-") && line.contains("!Ringing!")).await;
        phones[0].text("ringback", "1002").await.unwrap();
        phones[0].wait_for(SOON, |event| text_with(event, "CallBack is activated on 1002")).await.unwrap();
        call.hang_up().await.unwrap();
        phones[1].wait_for(SOON, |event| *event == PhoneEvent::StoppedRinging).await.unwrap();
        server_has_no_call_of(&server, "1002").await;
        let kinds: Vec<_> =
            office.handle.records().await.iter().map(|record| (record.kind, record.phase)).collect();
        assert_eq!(kinds, [(Kind::NoAnswer, Phase::Waiting)], "round {round}");
        let mut spell = phones[1].call("700").unwrap();
        spell.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        spell.hang_up().await.unwrap();
        phones[0].wait_for(SOON, |event| is_recall(event, "1002")).await.unwrap();
        recalls += 1;
        phones[0].hang_up().await.unwrap();
        // The second key of the screen is Cancel.
        phones[0].text("ringback", "2").await.unwrap();
        until_requests(&office, 0).await;
        server_has_no_call_of(&server, "1001").await;
        let more = phones[0].drain().into_iter().filter(|(_, event)| is_recall(event, "1002")).count();
        assert_eq!(more, 0, "round {round}");
    }
    assert_eq!(recalls, ROUNDS);
}

async fn until_phase(office: &Office, wanted: Phase) {
    let end = Instant::now() + SOON;
    loop {
        let phases: Vec<Phase> = office.handle.records().await.iter().map(|record| record.phase).collect();
        if phases == [wanted] {
            return;
        }
        assert!(Instant::now() < end, "{phases:?}, not {wanted:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) async fn until_requests(office: &Office, count: usize) {
    let end = Instant::now() + SOON;
    while office.requests().await != count {
        assert!(Instant::now() < end, "{} requests, not {count}", office.requests().await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_sender_cannot_call_itself_another_phone() {
    let Some(server) = server(&Site::with_phones(["1001", "1002"])).await else { return };
    let mut phones = phones(&server, &["1001", "1002"]).await;
    let _office = Office::open(config(&server)).await;
    for name in ["x:1001@y", "x:1001:y"] {
        phones[1].text_as(name, "ringback", "4711").await.unwrap();
    }
    phones[1].text_as("Somebody", "ringback", "4711").await.unwrap();
    let answer = |event: &PhoneEvent| matches!(event, PhoneEvent::Text(_));
    // Texts are taken in order: those before came to nothing.
    phones[1].wait_for(SOON, answer).await.unwrap();
    for phone in &mut phones {
        let more = phone.wait_for(Duration::from_secs(1), answer).await;
        assert!(more.is_err(), "{more:?}");
    }
}
