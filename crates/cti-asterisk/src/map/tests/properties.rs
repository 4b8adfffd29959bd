//! What holds whatever order the server's families of events come in.

use proptest::prelude::*;

use super::rules::{channel, device, hangup};
use super::*;

/// Gives the events of two families, each in its order and at its times, the second one late or early.
fn interleave(desk: &mut Desk, channels: &[(u64, Message)], devices: &[(u64, Message)], shift: &[i64]) {
    let mut merged: Vec<(u64, &Message)> = channels.iter().map(|(at, m)| (*at, m)).collect();
    let mut last = 0;
    for ((at, message), shift) in devices.iter().zip(shift) {
        last = at.saturating_add_signed(*shift).max(last);
        merged.push((last, message));
    }
    merged.sort_by_key(|(at, _)| *at);
    for (at, message) in merged {
        desk.event(at, message);
    }
}

proptest! {
    /// A call that rings, is answered and hung up looks the same however the device states are early or late.
    #[test]
    fn device_states_may_come_early_or_late(shift in proptest::collection::vec(-4i64..=4, 4)) {
        let mut desk = Desk::new("1002");
        let channels = [
            (1000, channel("Newchannel", "1002", "1", "Down", "s")),
            (1001, channel("Newstate", "1002", "1", "Ringing", "s")),
            (2000, channel("Newstate", "1002", "1", "Up", "s")),
            (3000, hangup("1002", "1", "16")),
        ];
        let devices = [
            (10, device("1002", "NOT_INUSE")),
            (1001, device("1002", "RINGING")),
            (2000, device("1002", "INUSE")),
            (3000, device("1002", "NOT_INUSE")),
        ];
        interleave(&mut desk, &channels, &devices, &shift);
        desk.until(60_000);
        let uses: Vec<Use> = desk.told.iter().map(|(_, told)| *told).collect();
        prop_assert_eq!(uses, [Ringing, OffHook, Idle]);
        let idle = desk.told[2].0;
        prop_assert!((3004..=3008).contains(&idle), "idle at {}", idle);
    }

    /// A spell shorter than the server's own summary is off hook once and idle once.
    #[test]
    fn a_short_spell_is_one_spell(length in 0u64..6, shift in proptest::collection::vec(-4i64..=4, 3)) {
        let mut desk = Desk::new("1002");
        let channels =
            [(1000, channel("Newchannel", "1002", "1", "Ring", "9")), (1000 + length, hangup("1002", "1", "16"))];
        let devices = [
            (10, device("1002", "NOT_INUSE")),
            (1000, device("1002", "INUSE")),
            (1000 + length, device("1002", "NOT_INUSE")),
        ];
        interleave(&mut desk, &channels, &devices, &shift);
        desk.until(60_000);
        let uses: Vec<Use> = desk.told.iter().map(|(_, told)| *told).collect();
        prop_assert_eq!(uses, [OffHook, Idle]);
    }

    /// After any events at all, hanging up every channel and an idle device leave nothing behind.
    #[test]
    fn everything_ends(
        events in proptest::collection::vec((0u64..40, 0usize..11, 0usize..3, 0usize..2), 0..60),
    ) {
        let mut desk = Desk::new("1002");
        let mut now = 0;
        for (pause, what, id, who) in events {
            now += pause;
            let (id, who) = (["1", "2", "3"][id], ["1001", "1002"][who]);
            let message = match what {
                0 => channel("Newchannel", who, id, "Down", "s"),
                1 => channel("Newchannel", who, id, "Ring", "9"),
                2 => channel("Newstate", who, id, "Ringing", "s"),
                3 => channel("Newstate", who, id, "Up", "s"),
                4 => channel("BridgeEnter", who, id, "Up", "s"),
                5 | 6 => hangup(who, id, "16"),
                7 => device(who, "NOT_INUSE"),
                8 => device(who, "RINGING"),
                9 => device(who, "INUSE"),
                _ => device(who, "UNAVAILABLE"),
            };
            desk.event(now, &message);
        }
        for id in ["1", "2", "3"] {
            desk.event(now, &hangup("1002", id, "16"));
        }
        for who in ["1001", "1002"] {
            desk.event(now, &device(who, "NOT_INUSE"));
        }
        desk.until(now + 5000);
        prop_assert_eq!(desk.calls.len(), 0, "{:?}", desk.calls);
        prop_assert_eq!(desk.mapper.next_wakeup(), None);
        prop_assert!(desk.told.last().is_none_or(|(_, told)| *told == Idle));
        // Told of the line and remembered inside are the same.
        prop_assert_eq!(desk.mapper.calls(&phone("1002")).count(), 0);
    }
}
