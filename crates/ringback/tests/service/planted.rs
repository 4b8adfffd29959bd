//! A mistake that others have made (section 10 of the requirement) and that is no matter of the engine, planted: it is
//! found. The others are planted in `crates/callback/tests/model/planted.rs` and in
//! `crates/election/tests/model/protections.rs`.

use crate::desk::{Desk, link_up, pass};

/// A, who speaks German, waits for B, who becomes free: what A's phone is sent.
async fn recall(desk: &Desk, language_lost: bool) -> Vec<String> {
    let mut config = desk.config(1);
    config.language_lost = language_lost;
    let node = desk.started(config, |_| {});
    node.board.happens(link_up());
    pass(2000).await;
    node.activate().await;
    node.b_is_free().await;
    node.board.asked()
}

#[tokio::test(start_paused = true)]
async fn the_language_of_the_caller_lost_on_the_recall() {
    let alert = "A <- plays CallBack.raw #100000000000100000001";
    let right = ["A <- Available 1002 [de_DE] 1-1", alert];
    assert_eq!(recall(&Desk::new().await, false).await, right);
    let found = recall(&Desk::new().await, true).await;
    assert_eq!(found, ["A <- Available 1002 [en_US] 1-1", alert], "what the first check would not let pass");
}
