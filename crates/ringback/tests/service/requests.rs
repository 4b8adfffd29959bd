//! Requests from the key to the call: what leaves, in which order.

use ringback::cti::message::{Activity, CallState, CtiError};
use ringback::cti::{ProviderEvent, RequestFailure};

use crate::desk::{Desk, at, call, device, link_lost, link_up, pass};
use crate::ports::refused;

#[tokio::test(start_paused = true)]
async fn from_the_key_to_the_call() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.b_talks();
    node.press(1, "1002", CallState::Busy);
    pass(10).await;
    // R4: durable, then shown, in the language of A's phone.
    let opened = ["key 1 taken", "open A", "open A/1001", "open B", "open B/1002"];
    assert_eq!(node.board.asked(), [&opened[..], &["A <- Activated 1002 [de_DE] 1-1"]].concat());
    assert_eq!(desk.store.held().await, ["1-1"]);
    assert_eq!(node.handle.queue(&at("B", "1002").line).await, [device("A")]);
    assert_eq!(node.handle.records().await.len(), 1);
    node.b_is_free().await;
    assert_eq!(
        node.board.asked(),
        ["A <- Available 1002 [de_DE] 1-1", "A <- plays CallBack.raw #100000000000100000001"]
    );
    node.key("A", "Dial:ringback:1-1");
    pass(10).await;
    assert_eq!(node.board.asked(), ["call 1002 from A/1001 overriding"]);
    let ringing = ringback::cti::message::CallInfo {
        called: Some(crate::desk::dn("1002")),
        peer: Some(crate::desk::dn("1002")),
        ..call(99, CallState::Ringback)
    };
    node.board.happens(ProviderEvent::Call { at: at("A", "1001"), info: ringing });
    pass(10).await;
    assert_eq!(
        node.board.asked(),
        ["close A/1001", "close B/1002", "close B", "A <- clear", "close A"],
        "everything is closed, and the screen goes when the end is durable"
    );
    assert_eq!(desk.store.held().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_screen_is_sent_again_with_the_next_sign_of_the_phone() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.board.with(|manners| manners.data = Some(Err(RequestFailure::OutcomeUnknown)));
    node.b_talks();
    node.press(1, "1002", CallState::Busy);
    pass(10).await;
    assert_eq!(node.board.asked().last().unwrap(), "A <- Activated 1002 [de_DE] 1-1");
    node.board.with(|manners| manners.data = Some(Ok(())));
    node.activity("A", Activity::Active);
    pass(10).await;
    assert_eq!(node.board.asked(), ["A <- Activated 1002 [de_DE] 1-1"]);
    node.activity("A", Activity::Idle);
    pass(10).await;
    assert_eq!(node.board.asked(), [""; 0], "once");
}

#[tokio::test(start_paused = true)]
async fn an_alert_in_doubt_is_repeated_under_its_id() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.activate().await;
    node.board.with(|manners| manners.data = None);
    node.b_is_free().await;
    let alert = "A <- plays CallBack.raw #100000000000100000001";
    assert_eq!(node.board.asked(), ["A <- Available 1002 [de_DE] 1-1", alert]);
    node.board.happens(link_lost());
    pass(1000).await;
    node.board.with(|manners| manners.data = Some(Ok(())));
    node.board.happens(link_up());
    node.activity("A", Activity::Idle);
    node.activity("B", Activity::Idle);
    for (name, number) in [("A", "1001"), ("B", "1002")] {
        node.board.happens(ProviderEvent::LineOpened { at: at(name, number), calls: vec![] });
    }
    pass(10).await;
    assert_eq!(node.board.asked().iter().filter(|asked| *asked == alert).count(), 1);
    assert_eq!(node.handle.records().await[0].alerts, 1, "the same alert");
}

#[tokio::test(start_paused = true)]
async fn a_call_refused_because_b_is_busy_keeps_the_old_place_and_any_other_refused_call_keeps_available() {
    let refusals = [
        (CtiError::DestinationBusy, "A <- Activated 1002 [de_DE] 1-1"),
        (CtiError::DestinationUnknown, "A <- Available 1002 [de_DE] 1-1"),
    ];
    for (error, shown) in refusals {
        let desk = Desk::new().await;
        let node = desk.active().await;
        node.activate().await;
        node.b_is_free().await;
        node.board.with(|manners| manners.dial = refused(error));
        node.board.asked();
        node.key("A", "Dial:ringback:1-1");
        pass(10).await;
        assert_eq!(node.board.asked()[..2], ["call 1002 from A/1001 overriding", shown], "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_in_doubt_is_not_made_twice() {
    for (name, lost) in [("link lost", true), ("no answer", false)] {
        let desk = Desk::new().await;
        let node = desk.active().await;
        node.activate().await;
        node.b_is_free().await;
        node.board.with(|manners| manners.dial = Some(Err(RequestFailure::OutcomeUnknown)));
        node.board.asked();
        node.key("A", "Dial:ringback:1-1");
        if lost {
            // The outcomes come before the loss.
            pass(0).await;
            node.board.happens(link_lost());
        }
        pass(1000).await;
        let asked = node.board.asked();
        assert_eq!(asked[0], "call 1002 from A/1001 overriding", "{name}");
        // Without a link the line tells later; with one it would have told: *Available* comes back (R21).
        let shown = asked.contains(&"A <- Available 1002 [de_DE] 1-1".to_owned());
        assert_eq!(shown, !lost, "{name}: {asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_cannot_be_opened_does_not_keep_it_from_being_ready() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.activate().await;
    assert!(node.status().ready);
    node.board.happens(link_lost());
    pass(10).await;
    assert!(!node.status().ready);
    node.board.happens(link_up());
    node.activity("A", Activity::Idle);
    node.activity("B", Activity::Idle);
    node.board.happens(ProviderEvent::LineOpened { at: at("A", "1001"), calls: vec![] });
    pass(10).await;
    assert!(!node.status().ready);
    let reason = ringback::cti::message::CtiError::UndefinedLine;
    node.board.happens(ProviderEvent::LineRefused { at: at("B", "1002"), reason });
    pass(10).await;
    assert!(node.status().ready);
}
