use ringback_model::Millis;

use super::super::{ConfigError, Loss, digest};
use super::*;
use crate::ami::{AmiError, Limits};

#[test]
fn the_challenge_is_answered_with_the_digest_of_challenge_and_secret() {
    // The test suite of RFC 1321: of nothing, and of "abc".
    assert_eq!(digest("", ""), "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(digest("a", "bc"), "900150983cd24fb0d6963f7d28e17f72");
}

#[test]
fn login_word_for_word_in_pieces_of_any_size() {
    for piece in [1, 2, 7, usize::MAX] {
        let mut bench = Bench::connected(config());
        bench.piece = piece;
        assert_eq!(bench.sent(), "", "nothing before the greeting");
        bench.receive(GREETING);
        assert_eq!(bench.sent(), "Action: Challenge\r\nAuthType: MD5\r\nActionID: ringback-1-1\r\n\r\n");
        bench.receive(CHALLENGE);
        let key = digest("840415273", "cti-secret");
        assert_eq!(
            bench.sent(),
            format!(
                "Action: Login\r\nUsername: cti\r\nAuthType: MD5\r\nKey: {key}\r\nEvents: call,system,user\r\n\
                 ActionID: ringback-1-2\r\n\r\n"
            )
        );
        assert!(!bench.session.is_up());
        bench.receive(ACCEPTED);
        assert_eq!(bench.told(), [Event::Up { version: "9.0.0".into() }]);
        assert!(bench.session.is_up());
    }
}

#[test]
fn plain_login_sends_the_secret_only_if_asked_to() {
    let mut plain = config();
    plain.server.login = Login::Plain;
    let mut bench = Bench::connected(plain);
    bench.receive(GREETING);
    assert_eq!(
        bench.sent(),
        "Action: Login\r\nUsername: cti\r\nSecret: cti-secret\r\nEvents: call,system,user\r\n\
         ActionID: ringback-1-1\r\n\r\n"
    );
    assert!(!format!("{:?}", bench.session).contains("cti-secret"));
}

#[test]
fn events_before_the_login_count_for_nothing() {
    let mut bench = Bench::connected(config());
    bench
        .receive(&[GREETING, "Event: Hangup\r\n\r\n", CHALLENGE, "Event: Hangup\r\n\r\n", ACCEPTED].concat());
    assert_eq!(bench.told(), [Event::Up { version: "9.0.0".into() }]);
}

#[test]
fn each_way_not_to_get_in_has_its_reason() {
    let refused = "Response: Error\r\nActionID: ringback-1-2\r\nMessage: Authentication failed\r\n\r\n";
    let no_md5 = "Response: Error\r\nActionID: ringback-1-1\r\nMessage: Must specify AuthType\r\n\r\n";
    let cases: [(&[&str], Loss); 5] = [
        (&[GREETING, CHALLENGE, refused], Loss::LoginRefused("Authentication failed".into())),
        (&[GREETING, no_md5], Loss::NoChallenge("Must specify AuthType".into())),
        (&["Event: FullyBooted\r\n\r\n"], Loss::NoAmi),
        (&["SSH-2.0-OpenSSH_9.2\r\n"], Loss::Protocol(AmiError::NoColon { len: 19 })),
        (&["\r\n", GREETING, "\r\n"], Loss::Protocol(AmiError::NoColon { len: 27 })),
    ];
    for (received, loss) in cases {
        let mut bench = Bench::connected(config());
        received.iter().for_each(|text| bench.receive(text));
        let outputs = bench.outputs();
        assert_eq!(outputs, [Output::Disconnect(Attempt(1)), Output::Event(Event::Failed(loss))]);
        bench.receive(ACCEPTED);
        assert_eq!(bench.outputs(), [], "what else comes on that connection is not read");
    }
}

#[test]
fn silence_has_its_reason_too() {
    let ten = Millis::from_secs(10);
    let mut bench = Bench::new(config());
    bench.outputs();
    bench.until(10_000);
    let why = "no connection within 10000 ms: check host and port, and that nothing between drops what is sent there";
    assert_eq!(bench.told(), [Event::Failed(Loss::Connect(why.into()))]);
    let mut bench = Bench::connected(config());
    bench.until(9_999);
    assert_eq!(bench.told(), []);
    bench.until(10_000);
    assert_eq!(bench.told(), [Event::Failed(Loss::NoGreeting(ten))]);
    for answers in [GREETING.to_owned(), [GREETING, CHALLENGE].concat()] {
        let mut bench = Bench::connected(config());
        bench.receive(&answers);
        bench.until(10_000);
        assert_eq!(bench.told(), [Event::Failed(Loss::LoginTimeout(ten))]);
    }
}

#[test]
fn delays_between_attempts_grow_up_to_the_limit() {
    let mut bench = Bench::new(config());
    let mut delays = Vec::new();
    for attempt in 1..=10 {
        assert_eq!(bench.outputs(), [Output::Connect(Attempt(attempt))]);
        bench.session.connect_failed(bench.now, Attempt(attempt), "refused");
        assert_eq!(bench.told(), [Event::Failed(Loss::Connect("refused".into()))]);
        delays.push((bench.session.next_timeout() - bench.now).0);
        bench.until(bench.session.next_timeout().0);
    }
    assert_eq!(delays, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
}

#[test]
fn a_link_that_held_starts_the_delays_afresh_and_one_that_did_not_does_not() {
    for (held, delay) in [(9_999, 1_000), (10_000, 500)] {
        let mut bench = Bench::new(config());
        bench.outputs();
        bench.session.connect_failed(bench.now, Attempt(1), "refused");
        bench.until(500);
        bench.outputs();
        bench.session.connected(Attempt(2));
        bench.receive(GREETING);
        bench.receive(&CHALLENGE.replace("-1-1", "-2-1"));
        bench.receive(&ACCEPTED.replace("-1-2", "-2-2"));
        assert!(bench.session.is_up());
        bench.outputs();
        bench.now = Timestamp(500 + held);
        bench.session.closed(bench.now, Attempt(2));
        assert_eq!(
            bench.outputs(),
            [Output::Disconnect(Attempt(2)), Output::Event(Event::Lost(Loss::Closed))]
        );
        assert_eq!(bench.session.next_timeout() - bench.now, Millis(delay));
    }
}

#[test]
fn keep_alive_wants_its_own_reply() {
    let mut bench = Bench::up(config());
    bench.until(10_000);
    assert_eq!(bench.sent(), "Action: Ping\r\nActionID: ringback-1-3\r\n\r\n");
    bench.until(15_000);
    bench.receive("Response: Success\r\nActionID: ringback-1-3\r\nPing: Pong\r\nTimestamp: 1.5\r\n\r\n");
    assert_eq!(bench.told(), []);
    bench.until(24_999);
    assert_eq!(bench.sent(), "");
    bench.until(25_000);
    assert_eq!(bench.sent(), "Action: Ping\r\nActionID: ringback-1-4\r\n\r\n");
    // Events, and pongs of other pings, prove nothing.
    bench.receive(
        "Event: Newchannel\r\n\r\nResponse: Success\r\nActionID: ringback-1-3\r\nPing: Pong\r\n\r\n",
    );
    bench.outputs();
    bench.until(35_000);
    assert_eq!(bench.told(), [Event::Lost(Loss::Silent(Millis::from_secs(10)))]);
}

#[test]
fn news_of_an_older_connection_is_ignored() {
    let mut bench = Bench::up(config());
    bench.session.closed(bench.now, Attempt(0));
    bench.session.connected(Attempt(1));
    bench.session.connect_failed(bench.now, Attempt(1), "late");
    bench.session.received(bench.now, Attempt(7), b"Event: A\r\n\r\n");
    assert_eq!(bench.outputs(), []);
}

#[test]
fn configurations_that_cannot_work_are_refused_by_name() {
    let with = |change: fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        config.check().map_err(|error| error.to_string())
    };
    assert_eq!(config().check(), Ok(()));
    assert_eq!(
        with(|c| c.keep_alive = Millis(0)).unwrap_err(),
        "the keep-alive interval is 0: give at least 1"
    );
    let text = |what: &str| format!("{what} cannot be sent: give one line of 1 to 1000 bytes");
    assert_eq!(with(|c| c.server.user = "a\r\nb".into()).unwrap_err(), text("the manager user"));
    assert_eq!(with(|c| c.server.secret = "".into()).unwrap_err(), text("the manager secret"));
    let mut zero = config();
    zero.backlog = 0;
    let refused = Session::new(Timestamp(0), zero).map(|_| ());
    assert_eq!(refused, Err(ConfigError::Zero { what: "the backlog of events" }));
}

#[test]
fn bounds_of_the_parser_are_kept() {
    let mut small = config();
    small.limits = Limits { line: 200, ..Limits::default() };
    let mut bench = Bench::up(small);
    bench.receive(&format!("Event: {}\r\n\r\n", "x".repeat(300)));
    assert_eq!(bench.told(), [Event::Lost(Loss::Protocol(AmiError::LineTooLong { limit: 200 }))]);
}
