use ringback_model::Millis;

use super::super::{ConfigError, Loss, Times};
use super::*;
use crate::session::Failure;

fn times(change: impl FnOnce(&mut Times)) -> Times {
    let mut times = Times::of(&config());
    change(&mut times);
    times
}

#[test]
fn a_longer_and_a_shorter_keep_alive_are_kept_to() {
    let mut bench = Bench::up(config());
    bench.session.set_times(bench.now, times(|times| times.keep_alive = Millis::from_secs(30))).unwrap();
    // The next one was due already by the old interval.
    bench.until(10_000);
    assert_eq!(bench.sent(), "Action: Ping\r\nActionID: ringback-1-3\r\n\r\n");
    bench.receive("Response: Success\r\nActionID: ringback-1-3\r\nPing: Pong\r\n\r\n");
    bench.until(39_999);
    assert_eq!(bench.sent(), "");
    bench.session.set_times(bench.now, times(|times| times.keep_alive = Millis::from_secs(2))).unwrap();
    bench.until(40_000);
    assert_eq!(bench.sent(), "Action: Ping\r\nActionID: ringback-1-4\r\n\r\n");
    bench.until(42_000);
    assert_eq!(bench.told(), [Event::Lost(Loss::Silent(Millis::from_secs(2)))]);
}

#[test]
fn a_shorter_limit_ends_a_long_delay() {
    let mut bench = Bench::new(config());
    for attempt in 1..=10 {
        bench.session.connect_failed(bench.now, Attempt(attempt), "refused");
        bench.until(bench.session.next_timeout().0);
    }
    bench.session.connect_failed(bench.now, Attempt(11), "refused");
    bench.outputs();
    assert_eq!(bench.session.next_timeout(), bench.now + Millis::from_secs(60));
    bench.session.set_times(bench.now, times(|times| times.retry_limit = Millis(700))).unwrap();
    assert_eq!(bench.session.next_timeout(), bench.now + Millis(700));
    bench.until(bench.now.0 + 700);
    assert_eq!(bench.outputs(), [Output::Connect(Attempt(12))]);
    bench.session.set_times(bench.now, times(|times| times.open_timeout = Millis(300))).unwrap();
    assert_eq!(bench.session.next_timeout(), bench.now + Millis(300));
}

#[test]
fn the_next_action_waits_as_long_as_is_said_now() {
    let mut bench = Bench::up(config());
    bench.request(1, "CoreStatus");
    bench.session.set_times(bench.now, times(|times| times.request_timeout = Millis(200))).unwrap();
    bench.request(2, "CoreStatus");
    bench.sent();
    bench.until(200);
    assert_eq!(bench.told(), [Event::Answer(Ticket(2), Err(Failure::Unknown))]);
    bench.until(5000);
    assert_eq!(bench.told(), [Event::Answer(Ticket(1), Err(Failure::Unknown))]);
}

#[test]
fn times_that_cannot_work_change_nothing() {
    let mut bench = Bench::up(config());
    let refused = bench.session.set_times(bench.now, times(|times| times.keep_alive = Millis(0)));
    assert_eq!(refused, Err(ConfigError::Zero { what: "the keep-alive interval" }));
    assert_eq!(bench.session.next_timeout(), bench.now + Millis::from_secs(10));
}
