//! The production managers and the production ledger, model checked: every order of events, every place for so many
//! faults. See `cluster` for what can happen, `properties` for what must hold then.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

mod cluster;
mod long;
mod properties;
mod protections;
mod recovery;
mod setup;

use properties::{Seen, holds};
use setup::{Budget, Setup};

const NONE: Budget = Budget::NONE;

#[test]
fn a_cluster_that_starts_at_once() {
    holds("three start", Setup { terms: 2, ..Setup::three(NONE) }, &[Seen::HandOver]);
}

#[test]
fn late_joins() {
    let budget = Budget { starts: 3, ..NONE };
    holds("three join one by one", Setup { started: &[], ..Setup::three(budget) }, &[Seen::HandOver]);
}

#[test]
fn crashes() {
    let budget = Budget { crashes: 1, starts: 1, ..NONE };
    let seen = &[Seen::TakeOver, Seen::HandOver, Seen::AddressRefused];
    holds("three settled, a crash, a restart", Setup::three(budget).steady(), seen);
}

#[test]
fn proven_crashes() {
    let budget = Budget { crashes: 1, proofs: 1, starts: 1, delays: 1, ..NONE };
    let setup = Setup::two(budget).steady();
    holds("two settled, a proven crash, a restart, a delay", setup, &[Seen::TakeOver, Seen::Proof]);
}

#[test]
fn pauses() {
    let budget = Budget { pauses: 1, ..NONE };
    let seen = &[Seen::TakeOver, Seen::PauseBeyondTheLease];
    holds("two, a pause", Setup::two(budget), seen);
    holds("three settled, a pause", Setup::three(budget).steady(), seen);
    let budget = Budget { pauses: 1, losses: 1, ..NONE };
    holds("two settled, a pause, a loss", Setup::two(budget).steady(), seen);
}

#[test]
fn losses() {
    let budget = Budget { losses: 1, ..NONE };
    holds("three, a loss", Setup::three(budget), &[Seen::TakeOver, Seen::LostGrant]);
}

#[test]
fn delays() {
    let budget = Budget { delays: 1, ..NONE };
    holds("two, a delay", Setup::two(budget), &[Seen::OldCallUnderWay]);
    let budget = Budget { delays: 1, crashes: 1, ..NONE };
    holds("three settled, a delay, a crash", Setup::three(budget).steady(), &[Seen::OldCallUnderWay]);
}

#[test]
fn drifting_clocks() {
    let budget = Budget { drifts: 2, losses: 1, ..NONE };
    holds("two, two drifts, a loss", Setup::two(budget), &[Seen::ClockBehind]);
}

#[test]
fn stops() {
    let budget = Budget { stops: 1, ..NONE };
    holds("three, a stop", Setup::three(budget), &[Seen::Stopped]);
}

#[test]
fn hints() {
    let budget = Budget { starts: 2, crashes: 1, ..NONE };
    let setup = Setup { hints: true, started: &[0], ..Setup::two(budget) };
    holds("two with hints, a join, a crash, a restart", setup, &[Seen::HandOver, Seen::TakeOver]);
}

#[test]
fn readiness() {
    let budget = Budget { moods: 1, starts: 1, ..NONE };
    holds("two, one not ready", Setup { started: &[1], ..Setup::two(budget) }, &[Seen::HandOver]);
}

#[test]
fn outages() {
    let budget = Budget { outages: 1, ..NONE };
    let setup = Setup { terms: 2, ..Setup::three(budget).steady() };
    holds("three settled, an outage", setup, &[Seen::TakeOver]);
}

#[test]
fn two_runs_at_one_address() {
    let budget = Budget { pauses: 1, ..NONE };
    let setup = Setup { addresses: &[8, 8], started: &[0, 1], ..Setup::two(budget) };
    holds("two at one address, a pause", setup, &[Seen::AddressRefused, Seen::TakeOver]);
}

#[test]
fn a_registry_that_forgets_beside_a_store_that_does_not() {
    let budget = Budget { forgets: 1, crashes: 1, starts: 1, ..NONE };
    let setup = Setup::two(budget).steady();
    holds("two settled, the registry forgets, a crash, a restart", setup, &[Seen::TakeOver]);
}
