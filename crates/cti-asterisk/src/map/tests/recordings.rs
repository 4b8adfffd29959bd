//! The recordings: the use of each line, with times: those of the telling event, ends 5 ms later; a phone rings from the
//! event that says so. Checked by hand against the streams, and against the life of each channel computed by other means
//! (from `Newchannel` to `Hangup`); the only difference is the moment of idle of 1001 at 23.26, which only the device
//! state tells of.

use super::*;
use crate::trace::{Direction, read};

fn timeline(file: &str, watched: &str) -> Vec<(u64, Use)> {
    let path = format!("{}/../../tests/traces/{file}", env!("CARGO_MANIFEST_DIR"));
    let records = read(&std::fs::read(path).unwrap()).unwrap();
    let mut desk = Desk::new(watched);
    for record in records.iter().filter(|record| record.direction == Direction::FromServer) {
        desk.event(u64::try_from(record.at.as_millis()).unwrap(), &record.message);
    }
    desk.until(desk.now + 10_000);
    desk.told
}

/// Calls 1002; is called by the server (rings, answers); calls the echo number.
#[test]
fn states_1001() {
    let expected = [
        (690, OffHook),
        (5_733, Idle),
        (6_759, Ringing),
        (6_966, OffHook),
        (7_411, Idle),
        (7_915, OffHook),
        (8_624, Idle),
    ];
    assert_eq!(timeline("asterisk22-states-ami.txt", "1001"), expected);
}

/// Rings, answers 1001, refuses 1003 meanwhile (no change), hangs up. A hold on the way is no change either.
#[test]
fn states_1002() {
    let expected = [(701, Ringing), (1_006, OffHook), (5_731, Idle)];
    assert_eq!(timeline("asterisk22-states-ami.txt", "1002"), expected);
}

/// Calls 1002, hears busy and an offer.
#[test]
fn states_1003() {
    let expected = [(1_509, OffHook), (2_915, Idle)];
    assert_eq!(timeline("asterisk22-states-ami.txt", "1003"), expected);
}

/// Calls 1002 (busy), 1002 (no answer), `*661002`; is called by the server twice; calls 1002 (busy); lifts for 0.3 ms.
/// No device state tells of the first, the last and the last but one.
#[test]
fn busy_noanswer_1001() {
    let expected = [
        (1_917, OffHook),
        (1_927, Idle),
        (3_930, OffHook),
        (6_942, Idle),
        (10_474, OffHook),
        (10_482, Idle),
        (11_992, Ringing),
        (12_495, OffHook),
        (13_817, Idle),
        (14_320, Ringing),
        (14_825, OffHook),
        (18_572, Idle),
        (21_799, OffHook),
        (21_809, Idle),
        (22_110, OffHook),
        (22_114, Idle),
    ];
    assert_eq!(timeline("asterisk22-busy-noanswer-ami.txt", "1001"), expected);
}

/// Every ringing is BUSY in the device states. Rings without being answered once (3.93).
#[test]
fn busy_noanswer_1002() {
    let expected = [
        (611, Ringing),
        (914, OffHook),
        (2_431, Idle),
        (3_934, Ringing),
        (6_942, Idle),
        (7_950, OffHook),
        (9_469, Idle),
        (12_501, Ringing),
        (12_806, OffHook),
        (13_816, Idle),
        (15_338, Ringing),
        (15_546, OffHook),
        (18_067, Idle),
        (21_095, Ringing),
        (21_295, OffHook),
        (22_422, Idle),
    ];
    assert_eq!(timeline("asterisk22-busy-noanswer-ami.txt", "1002"), expected);
}

/// Calls 1002 twice; answers 1002 once.
#[test]
fn busy_noanswer_1003() {
    let expected = [
        (607, OffHook),
        (2_432, Idle),
        (7_953, Ringing),
        (8_457, OffHook),
        (9_469, Idle),
        (21_084, OffHook),
        (22_424, Idle),
    ];
    assert_eq!(timeline("asterisk22-busy-noanswer-ami.txt", "1003"), expected);
}

/// The server's own recall rings it at 2.78, 7.19, 11.58, 19.59 and 23.26. The last one comes before the hang-up of the
/// call before: the phone was idle in between.
#[test]
fn asterisk16_1001() {
    let expected = [
        (1_316, OffHook),
        (1_323, Idle),
        (1_825, OffHook),
        (2_273, Idle),
        (2_782, Ringing),
        (3_081, OffHook),
        (3_998, Idle),
        (5_726, OffHook),
        (5_736, Idle),
        (6_235, OffHook),
        (6_680, Idle),
        (7_192, Ringing),
        (7_495, OffHook),
        (8_420, Idle),
        (10_125, OffHook),
        (10_136, Idle),
        (10_635, OffHook),
        (11_082, Idle),
        (11_588, Ringing),
        (11_890, OffHook),
        (12_804, Idle),
        (13_806, OffHook),
        (16_816, Idle),
        (17_317, OffHook),
        (17_766, Idle),
        (19_598, Ringing),
        (19_600, OffHook),
        (19_814, Idle),
        (21_544, OffHook),
        (21_557, Idle),
        (21_857, OffHook),
        (22_303, Idle),
        (22_810, OffHook),
        (23_259, Idle),
        (23_259, Ringing),
        (38_276, Idle),
    ];
    assert_eq!(timeline("asterisk16-ccss-ami.txt", "1001"), expected);
}

/// A second caller is refused within each call (no change). At 19.60 the recall rings it and is refused.
#[test]
fn asterisk16_1002() {
    let expected = [
        (604, Ringing),
        (808, OffHook),
        (2_779, Idle),
        (3_084, Ringing),
        (3_289, OffHook),
        (3_994, Idle),
        (5_022, Ringing),
        (5_225, OffHook),
        (7_189, Idle),
        (7_501, Ringing),
        (7_708, OffHook),
        (8_419, Idle),
        (9_422, Ringing),
        (9_624, OffHook),
        (11_587, Idle),
        (11_893, Ringing),
        (12_096, OffHook),
        (12_803, Idle),
        (13_809, Ringing),
        (16_816, Idle),
        (18_772, OffHook),
        (19_597, Idle),
        (19_605, Ringing),
        (19_814, Idle),
        (20_840, Ringing),
        (21_042, OffHook),
        (22_811, Idle),
    ];
    assert_eq!(timeline("asterisk16-ccss-ami.txt", "1002"), expected);
}

/// Calls 1002 four times; answers 1002 once.
#[test]
fn asterisk16_1003() {
    let expected = [
        (601, OffHook),
        (2_782, Idle),
        (5_019, OffHook),
        (7_192, Idle),
        (9_418, OffHook),
        (11_588, Idle),
        (18_776, Ringing),
        (19_082, OffHook),
        (19_598, Idle),
        (20_836, OffHook),
        (22_812, Idle),
    ];
    assert_eq!(timeline("asterisk16-ccss-ami.txt", "1003"), expected);
}
