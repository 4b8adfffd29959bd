//! Service parameters take effect while the service runs.

use std::sync::{Arc, Mutex};

use ringback::db::ServiceParameters;
use ringback::model::Millis;
use ringback::serviceability::alarm::AlarmName;

use crate::desk::{Desk, Instance, link_up, pass};

fn listening(desk: &Desk) -> (Instance, Arc<Mutex<Vec<ServiceParameters>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let node = desk.started(desk.config(1), |ports| {
        ports.on_parameters = Some(Box::new(move |parameters: &ServiceParameters| {
            listener.lock().unwrap().push(parameters.clone());
        }));
    });
    node.board.happens(link_up());
    (node, told)
}

#[tokio::test(start_paused = true)]
async fn they_are_told_at_the_start_and_when_they_change() {
    for away in [false, true] {
        let desk = Desk::new().await;
        desk.directory.set_available(!away);
        let (_node, told) = listening(&desk);
        pass(2000).await;
        desk.directory.set_available(true);
        pass(6000).await;
        assert_eq!(*told.lock().unwrap(), [ServiceParameters::default()], "even if they are the defaults");
        desk.set_parameter("Synchronous Request Time Out", "5000").await;
        desk.set_parameter("Call Back Recall Timer", "7").await;
        pass(50).await;
        let last = told.lock().unwrap().last().cloned().unwrap();
        assert_eq!((last.request_timeout, last.callback.recall_timer), (Millis(5000), Millis(7000)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_recall_timer_acts_on_the_next_turn() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.activate().await;
    desk.set_parameter("Call Back Recall Timer", "7").await;
    pass(10).await;
    node.press_at(crate::desk::at("C", "1003"), 2, "1002", ringback::cti::message::CallState::Busy);
    pass(10).await;
    node.b_is_free().await;
    node.board.asked();
    pass(6900).await;
    assert_eq!(node.board.asked(), [""; 0], "A's turn");
    pass(200).await;
    assert!(node.board.asked().iter().any(|asked| asked.starts_with("C <- plays")), "C's turn");
}

#[tokio::test(start_paused = true)]
async fn an_invalid_one_is_told_once() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.alarm_names();
    desk.set_parameter("Call Back Recall Timer", "soon").await;
    pass(10).await;
    desk.set_parameter("Call Back Idle Guard", "10").await;
    pass(10).await;
    desk.set_parameter("Call Back Idle Guard", "20").await;
    pass(10).await;
    assert_eq!(node.alarm_names(), [AlarmName::ParameterInvalid]);
}
