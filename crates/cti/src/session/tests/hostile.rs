use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::provider::{RequestFailure, Tag};
use crate::session::link::UNSENT;

#[test]
fn hostile_frames_drop_the_link_by_name() {
    let cases: [(&[u8], &str); 5] = [
        (&[0, 0, 0, 1], "frame length 1 is less than a header: the peer does not speak this protocol"),
        (&[9, 0, 0, 1], "message too big: 150994945 bytes where at most 65536 are allowed"),
        (&[0, 0, 0, 12, 0, 1, 3, 1, 0, 0, 0, 0], "the message ends inside device name"),
        (&[0, 0, 0, 12, 0, 2, 2, 5, 0, 0, 0, 2], "a frame of another version than agreed on"),
        (&[0, 0, 0, 12, 0, 1, 1, 2, 0, 0, 0, 2], "a request from the CTIManager"),
    ];
    for (bytes, reason) in cases {
        let mut bench = Bench::open();
        bench.session.received(bench.now, bench.attempt, &mut BytesMut::from(bytes));
        assert_eq!(bench.events(), [lost(LinkLoss::Protocol(reason.into()))]);
    }
}

#[test]
fn an_open_that_promises_nonsense_is_refused() {
    for (version, heartbeat) in [(9, 1000), (0, 1000), (1, 0)] {
        let mut bench = Bench::new(&["a"]);
        bench.outputs();
        bench.session.connected(bench.now, bench.attempt);
        bench.answer(
            1,
            Ok(Answer::ProviderOpened { version: Version(version), heartbeat: Millis(heartbeat) }),
        );
        let event = bench.events();
        assert!(
            matches!(&event[..], [ProviderEvent::LinkFailed { reason: LinkLoss::Protocol(_), .. }]),
            "{event:?}"
        );
    }
}

#[derive(Debug, Clone)]
enum Act {
    Submit(u8, u8),
    Connected,
    Failed,
    Closed,
    Answer(u8, u8),
    Tell(u8, u8),
    Garbage(Vec<u8>),
    Pass(u16),
    Configure(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0_u8..8, 0_u8..3).prop_map(|(what, which)| Act::Submit(what, which)),
        4 => Just(Act::Connected),
        1 => Just(Act::Failed),
        1 => Just(Act::Closed),
        8 => (0_u8..12, 0_u8..8).prop_map(|(back, what)| Act::Answer(back, what)),
        4 => (0_u8..6, 0_u8..3).prop_map(|(what, which)| Act::Tell(what, which)),
        1 => proptest::collection::vec(any::<u8>(), 0..40).prop_map(Act::Garbage),
        4 => (0_u16..40_000).prop_map(Act::Pass),
        1 => (0_u8..4).prop_map(Act::Configure),
    ]
}

#[derive(Default)]
struct Check {
    last: u32,
    tags: u64,
    outcomes: BTreeMap<Tag, u32>,
    up: bool,
    wires: u32,
}

impl Check {
    fn act(&mut self, bench: &mut Bench, act: Act) {
        let name = |which: u8| device(["P", "Q", "R"][usize::from(which)]);
        match act {
            Act::Submit(what, which) => {
                let at = line(["P", "Q", "R"][usize::from(which)]);
                self.tags += u64::from(what > 5);
                let tag = Tag(self.tags);
                bench.session.submit(
                    bench.now,
                    match what {
                        0 => Command::Assume(Epoch(u64::from(which))),
                        1 => Command::Relinquish,
                        2 => Command::OpenDevice(name(which)),
                        3 => Command::CloseDevice(name(which)),
                        4 => Command::OpenLine(at),
                        5 => Command::CloseLine(at),
                        6 => Command::SendData { tag, device: name(which), id: None, content: "x".into() },
                        _ => Command::MakeCall {
                            tag,
                            from: at,
                            to: DirectoryNumber::new("1").unwrap(),
                            override_forwarding: true,
                        },
                    },
                );
            }
            Act::Connected => {
                bench.session.connected(bench.now, bench.attempt);
                let opened = Answer::ProviderOpened { version: Version(1), heartbeat: Millis(10_000) };
                bench.answer(1, Ok(opened));
            }
            Act::Failed => bench.session.connect_failed(bench.now, bench.attempt, "no"),
            Act::Closed => bench.session.closed(bench.now, bench.attempt),
            Act::Answer(back, what) => {
                let answer = match what {
                    0 | 1 => Ok(Answer::DeviceOpened(IDLE)),
                    2 => Ok(Answer::LineOpened(vec![])),
                    3 => Ok(Answer::Done),
                    4 => Err(CtiError::DeviceOutOfService),
                    5 => Err(CtiError::DeviceAlreadyOpen),
                    6 => Err(CtiError::LineAlreadyOpen),
                    _ => Err(CtiError::Timeout),
                };
                bench.answer(self.last.saturating_sub(u32::from(back)), answer);
            }
            Act::Tell(what, which) => {
                let event = match what {
                    0 | 1 => Event::DeviceInService(name(which)),
                    2 => Event::DeviceOutOfService(name(which)),
                    3 => Event::DeviceUserChanged(name(which)),
                    4 => Event::DeviceStatus { device: name(which), status: IDLE },
                    _ => Event::ProviderClosed(CtiError::EpochSuperseded),
                };
                bench.receive(0, &Message::Event(event));
            }
            Act::Garbage(bytes) => {
                bench.session.received(bench.now, bench.attempt, &mut BytesMut::from(&bytes[..]));
            }
            Act::Pass(time) => {
                let end = bench.now + Millis(u64::from(time));
                while let Some(due) = bench.session.next_timeout().filter(|due| *due <= end) {
                    bench.now = bench.now.max(due);
                    bench.session.handle_timeout(bench.now);
                    self.look(bench);
                    assert!(bench.session.next_timeout().is_none_or(|next| next > bench.now), "it spins");
                }
                bench.now = end;
            }
            Act::Configure(which) => {
                let managers: &[&str] = [&["a", "b"][..], &["a"], &["b", "a"], &[]][usize::from(which)];
                bench.session.configure(bench.now, config(managers)).unwrap();
            }
        }
        self.look(bench);
    }

    /// What holds whatever the far side does.
    fn look(&mut self, bench: &mut Bench) {
        if let Some((sequence, _)) = bench.requests().last() {
            self.last = (*sequence).max(1);
        }
        for output in bench.outputs() {
            match output {
                Output::Connect { .. } => {
                    self.wires += 1;
                    assert_eq!(self.wires, 1, "never two connections at once");
                }
                Output::Disconnect { .. } => self.wires -= 1,
                Output::Event(ProviderEvent::LinkUp { .. }) => {
                    assert!(!std::mem::replace(&mut self.up, true));
                }
                Output::Event(ProviderEvent::LinkLost { .. }) => {
                    assert!(std::mem::replace(&mut self.up, false));
                }
                Output::Event(ProviderEvent::LinkFailed { .. }) => assert!(!self.up),
                Output::Event(ProviderEvent::Answer { tag, .. }) => {
                    *self.outcomes.entry(tag).or_default() += 1
                }
                Output::Event(_) => assert!(self.up, "nothing is reported of a link that is not up"),
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_in_whatever_order(acts in proptest::collection::vec(act(), 0..120)) {
        let mut bench = Bench::new(&["a", "b"]);
        let mut check = Check::default();
        check.look(&mut bench);
        for act in acts {
            check.act(&mut bench, act);
        }
        check.act(&mut bench, Act::Closed);
        let each_once: BTreeMap<_, _> = (1..=check.tags).map(|tag| (Tag(tag), 1)).collect();
        prop_assert_eq!(check.outcomes, each_once, "each command with a tag has exactly one outcome");
    }
}

#[test]
fn what_is_remembered_of_a_hostile_server_is_bounded_by_what_is_wanted() {
    let mut bench = Bench::open();
    // So many that the last ones wait for the answers to the first.
    for number in 0..300 {
        bench.submit(Command::OpenDevice(device(&format!("P{number}"))));
    }
    for _ in 0..10_000 {
        bench.tell(Event::DeviceInService(device("P299")));
    }
    assert_eq!(bench.session.standing.remembered(), 44, "nothing is to be done twice");
    // Refused, registered, refused: one retry is enough.
    let mut bench = Bench::open();
    bench.submit(Command::OpenDevice(device("P")));
    for number in 3..1000 {
        bench.answer(number, Err(CtiError::DeviceRestricted));
        bench.tell(Event::DeviceInService(device("P")));
    }
    assert!(bench.session.standing.remembered() <= 2, "{}", bench.session.standing.remembered());
}

fn screen(tag: u64) -> Command {
    Command::SendData { tag: Tag(tag), device: device("P"), id: None, content: "x".repeat(1900) }
}

/// As many screens as leave little room below the limit; nobody takes them off.
fn nearly_full() -> (Bench, u64) {
    let mut bench = Bench::open();
    let mut tag = 0;
    while bench.session.transmit().len() < UNSENT - 4096 {
        tag += 1;
        assert_eq!(bench.submit(screen(tag)), []);
    }
    (bench, tag)
}

#[test]
fn a_server_that_never_reads_loses_the_link() {
    let (mut bench, sent) = nearly_full();
    let mut last = sent;
    let mut events = Vec::new();
    while events.is_empty() {
        last += 1;
        events = bench.submit(screen(last));
    }
    let reason = LinkLoss::Unread { limit: UNSENT };
    let never = |tag| {
        let result = Err(RequestFailure::NeverSent(reason.clone()));
        ProviderEvent::Answer { tag: Tag(tag), result }
    };
    assert!(
        events.pop() == Some(lost(reason.clone())) && events == (1..=last).map(never).collect::<Vec<_>>()
    );
    assert_eq!(bench.session.transmit().len(), 0);
    // The next one is offered its provider.
    bench.session.connected(bench.now, bench.attempt);
    assert_eq!(bench.requests(), [(1, "provider 1".to_owned())]);
}

#[test]
fn answers_to_guessed_numbers_do_not_make_us_write_without_limit() {
    let (mut bench, tag) = nearly_full();
    bench.submit(Command::OpenDevice(device("P")));
    let mut number = 2 + u32::try_from(tag).unwrap();
    // It never reads what it answers.
    let events = (0..1000).find_map(|_| {
        number += 2;
        bench.answer(number - 1, Ok(Answer::DeviceOpened(IDLE)));
        bench.tell(Event::DeviceInService(device("P")));
        bench.answer(number, Ok(Answer::Done));
        assert!(bench.session.transmit().len() <= UNSENT);
        let events = bench.events();
        (!events.is_empty() && matches!(events.last(), Some(ProviderEvent::LinkLost { .. })))
            .then_some(events)
    });
    let events = events.unwrap();
    assert_eq!(events.last(), Some(&lost(LinkLoss::Unread { limit: UNSENT })));
}
