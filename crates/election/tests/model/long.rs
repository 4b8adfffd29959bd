//! More faults and more instances than the default run has time for, each to be run by itself, in release (two cores that others used, too):
//! `cargo test --release -p ringback-election --test model -- --ignored --nocapture NAME`.

use crate::NONE;
use crate::properties::{Seen, holds_at_length};
use crate::setup::{Budget, Setup};

/// 84,319 states, 6 s.
#[test]
#[ignore = "long"]
fn four_start() {
    holds_at_length("four start", Setup { terms: 2, ..Setup::four(NONE) }, &[Seen::HandOver]);
}

/// 9,113 states, 1 s.
#[test]
#[ignore = "long"]
fn four_and_a_crash() {
    let budget = Budget { crashes: 1, ..NONE };
    holds_at_length("four settled, a crash", Setup::four(budget).steady(), &[Seen::TakeOver]);
}

/// 19,656 states, 1 s.
#[test]
#[ignore = "long"]
fn four_and_a_loss() {
    let budget = Budget { losses: 1, ..NONE };
    holds_at_length("four settled, a loss", Setup::four(budget).steady(), &[]);
}

/// 261,603 states, 5 s of CPU.
#[test]
#[ignore = "long"]
fn four_with_a_crash_and_a_loss() {
    let budget = Budget { crashes: 1, losses: 1, ..NONE };
    holds_at_length("four settled, a crash, a loss", Setup::four(budget).steady(), &[Seen::TakeOver]);
}

/// 1,557,937 states, 26 s of CPU.
#[test]
#[ignore = "long"]
fn three_with_two_crashes_and_a_restart() {
    let budget = Budget { crashes: 2, starts: 1, ..NONE };
    let seen = &[Seen::TakeOver, Seen::AddressRefused];
    holds_at_length("three, two crashes, a restart", Setup::three(budget), seen);
}

/// 671,656 states, 45 s.
#[test]
#[ignore = "long"]
fn three_with_a_pause() {
    let budget = Budget { pauses: 1, ..NONE };
    holds_at_length("three, a pause", Setup::three(budget), &[Seen::PauseBeyondTheLease]);
}

/// 278,834 states, 23 s.
#[test]
#[ignore = "long"]
fn three_with_a_delay() {
    let budget = Budget { delays: 1, ..NONE };
    holds_at_length("three, a delay", Setup::three(budget), &[Seen::OldCallUnderWay]);
}

/// 814,076 states, 38 s.
#[test]
#[ignore = "long"]
fn two_with_a_proven_crash_a_restart_and_a_delay() {
    let budget = Budget { crashes: 1, proofs: 1, starts: 1, delays: 1, ..NONE };
    holds_at_length("two, a proven crash, a restart, a delay", Setup::two(budget), &[Seen::Proof]);
}

/// It has never ended: nothing was found in what was gone through in eight minutes beside other work.
#[test]
#[ignore = "long"]
fn two_with_one_of_everything() {
    let budget = Budget { crashes: 1, starts: 1, pauses: 1, losses: 1, delays: 1, drifts: 1, ..NONE };
    holds_at_length("two settled, one of everything", Setup::two(budget).steady(), &[Seen::ClockBehind]);
}

/// It has never ended: nothing was found in what was gone through in seven minutes beside other work.
#[test]
#[ignore = "long"]
fn three_with_a_crash_a_restart_a_pause_and_a_loss() {
    let budget = Budget { crashes: 1, starts: 1, pauses: 1, losses: 1, ..NONE };
    let setup = Setup::three(budget).steady();
    holds_at_length("three settled, a crash, a restart, a pause, a loss", setup, &[Seen::TakeOver]);
}
