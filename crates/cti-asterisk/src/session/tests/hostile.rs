use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What a server may do to us.
#[derive(Debug, Clone)]
enum Deed {
    Text(String),
    Bytes(Vec<u8>),
    /// An answer to the action of this number, right or wrong.
    Answer(u64, u64, &'static str),
    Close,
    Pass(u64),
    /// We ask for something.
    Ask,
    /// So many bytes are written.
    Write(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    let texts = prop::sample::select(vec![
        GREETING,
        CHALLENGE,
        ACCEPTED,
        "Event: A\r\n\r\n",
        "Event: A\r\nActionID: ringback-1-3\r\nEventList: Complete\r\n\r\n",
        "Event: ",
        "\r\n",
        ": \r\n",
    ]);
    prop_oneof![
        4 => texts.prop_map(|text| Deed::Text(text.to_owned())),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Deed::Bytes),
        4 => (1..4u64, 1..9u64, prop::sample::select(vec!["", "EventList: start\r\n", "Challenge: 1\r\n"]))
            .prop_map(|(link, number, rest)| Deed::Answer(link, number, rest)),
        1 => Just(Deed::Close),
        2 => (0..20_000u64).prop_map(Deed::Pass),
        3 => Just(Deed::Ask),
        3 => (0..200usize).prop_map(Deed::Write),
    ]
}

proptest! {
    /// Whatever the server does: each action has one outcome, nothing is sent without a greeting, nothing but the
    /// login before it is accepted, and the session always comes back.
    #[test]
    fn a_server_that_lies_gets_nothing_it_should_not(deeds in prop::collection::vec(deed(), 0..60)) {
        let mut narrow = config();
        (narrow.in_flight, narrow.waiting, narrow.backlog) = (2, 3, 4);
        let mut bench = Bench::new(narrow);
        let mut open: BTreeMap<u64, ()> = BTreeMap::new();
        let mut tickets = 0;
        let mut is_up = false;
        let mut greeted = false;
        let mut written = String::new();
        for deed in deeds {
            match deed {
                Deed::Text(text) => {
                    greeted |= text == GREETING;
                    bench.receive(&text);
                }
                Deed::Bytes(bytes) => {
                    let attempt = bench.session.attempt;
                    bench.session.received(bench.now, attempt, &bytes);
                }
                Deed::Answer(link, number, rest) => {
                    bench.receive(&format!("Response: Success\r\nActionID: ringback-{link}-{number}\r\n{rest}\r\n"));
                }
                Deed::Close => {
                    let attempt = bench.session.attempt;
                    bench.session.closed(bench.now, attempt);
                }
                Deed::Pass(time) => bench.until(bench.now.0 + time),
                Deed::Ask => {
                    tickets += 1;
                    open.insert(tickets, ());
                    bench.request(tickets, "Probe");
                }
                Deed::Write(most) => {
                    let now = bench.now;
                    let bytes = bench.session.transmit(now);
                    let taken = bytes.split_to(most.min(bytes.len()));
                    prop_assert!(taken.is_empty() || greeted, "sent before the greeting");
                    written.push_str(std::str::from_utf8(&taken).unwrap());
                }
            }
            for output in bench.outputs() {
                match output {
                    Output::Connect(attempt) => {
                        (is_up, greeted) = (false, false);
                        written.clear();
                        bench.session.connected(attempt);
                    }
                    Output::Disconnect(_) => is_up = false,
                    Output::Event(Event::Up { .. }) => {
                        prop_assert!(!written.contains("Probe"), "sent before the login");
                        is_up = true;
                    }
                    Output::Event(Event::Answer(Ticket(ticket), _)) => {
                        prop_assert_eq!(open.remove(&ticket), Some(()), "a second outcome");
                    }
                    Output::Event(Event::Message(_) | Event::Listed(..)) => prop_assert!(is_up),
                    Output::Event(_) => {}
                }
            }
            prop_assert!(bench.session.backlog <= 4 && bench.session.requests.waiting() <= 3);
        }
        // Given up, everything has its outcome, and another attempt follows.
        bench.session.give_up(bench.now, "end");
        for event in bench.told() {
            if let Event::Answer(Ticket(ticket), _) = event {
                prop_assert_eq!(open.remove(&ticket), Some(()));
            }
        }
        prop_assert!(open.is_empty(), "no outcome for {:?}", open);
        bench.until(bench.now.0 + 120_000);
        let again = matches!(bench.outputs().last(), Some(Output::Connect(_)));
        prop_assert!(again, "stuck");
    }
}
