//! Each protection switched off singly: the checker finds the harm that it prevents.

use ringback_election::planted::Fault;

use crate::NONE;
use crate::properties::{
    ADDRESSES, EPOCHS, FEW_TERMS, HEARING, INSIDE, LEASES, LEAVING, ONE_AT_ONCE, RECOVERS, SETTLED, Seen,
    breaks, holds,
};
use crate::setup::{Budget, Setup};

/// The higher one is there, the lower one joins.
fn a_join(budget: Budget) -> Setup {
    Setup { started: &[1], ..Setup::two(Budget { starts: 1, ..budget }) }
}

#[test]
fn the_margin() {
    let budget = Budget { drifts: 1, losses: 3, ..NONE };
    breaks(Setup::one(budget), Fault::NoMargin, INSIDE);
}

#[test]
fn standing_down() {
    let budget = Budget { pauses: 1, ..NONE };
    breaks(Setup::two(budget), Fault::NoStandDown, ONE_AT_ONCE);
}

#[test]
fn counting_from_the_asking() {
    let budget = Budget { delays: 1, drifts: 1, losses: 2, ..NONE };
    breaks(Setup::one(budget).patient(), Fault::CountFromAnswer, INSIDE);
}

#[test]
fn ignoring_answers_to_calls_given_up() {
    let budget = Budget { delays: 1, losses: 5, ..NONE };
    breaks(Setup::one(budget), Fault::OldAnswerTaken, INSIDE);
}

#[test]
fn giving_up_calls() {
    let budget = Budget { losses: 1, ..NONE };
    breaks(Setup::two(budget), Fault::NoCallTimeout, RECOVERS);
}

#[test]
fn standing_down_before_giving_back() {
    breaks(a_join(NONE), Fault::ReleaseFirst, INSIDE);
}

#[test]
fn giving_back_only_when_all_is_out() {
    breaks(a_join(NONE), Fault::ReleaseAtOnce, INSIDE);
}

#[test]
fn settling() {
    breaks(a_join(NONE).steady(), Fault::NoSettle, SETTLED);
}

#[test]
fn a_limit_for_draining() {
    breaks(a_join(NONE), Fault::DrainForever, RECOVERS);
}

#[test]
fn ready_is_who_hears() {
    let budget = Budget { losses: 2, ..NONE };
    breaks(a_join(budget), Fault::DeafIsReady, HEARING);
}

#[test]
fn leaving_after_the_last_heartbeat() {
    let budget = Budget { stops: 1, ..NONE };
    breaks(Setup::two(budget), Fault::LeaveAtOnce, LEAVING);
}

#[test]
fn patience_after_an_outage() {
    let budget = Budget { outages: 1, ..NONE };
    breaks(Setup { terms: 2, ..Setup::three(budget).steady() }, Fault::NoPatience, FEW_TERMS);
}

#[test]
fn comparing_addresses_as_numbers() {
    let setup = Setup { addresses: &[9, 10], ..Setup::two(NONE) };
    breaks(setup, Fault::AddressesAsText, RECOVERS);
}

#[test]
fn only_the_first_backup_claims() {
    let budget = Budget { stops: 1, ..NONE };
    let setup = Setup { terms: 2, ..Setup::three(budget).steady() };
    holds("three settled, a stop", setup.clone(), &[Seen::TakeOver]);
    breaks(setup, Fault::AllClaimAtOnce, FEW_TERMS);
}

#[test]
fn a_healed_split_leaves_the_one_on_record_who_acts() {
    let budget = Budget { delays: 1, pauses: 1, ..NONE };
    breaks(Setup::two(budget).steady(), Fault::HealedSplitOldMasterOnRecord, INSIDE);
}

#[test]
fn raising_the_epoch() {
    let budget = Budget { crashes: 1, ..NONE };
    breaks(Setup::two(budget), Fault::EpochNotRaised, EPOCHS);
}

#[test]
fn raising_it_above_what_is_remembered() {
    let budget = Budget { forgets: 1, ..NONE };
    breaks(Setup::two(budget), Fault::AboveIgnored, EPOCHS);
}

#[test]
fn one_lease_at_a_time() {
    let budget = Budget { losses: 3, ..NONE };
    breaks(Setup::two(budget).patient(), Fault::LeaseIgnored, ONE_AT_ONCE);
}

#[test]
fn the_end_of_a_lease() {
    let budget = Budget { crashes: 1, ..NONE };
    breaks(Setup::two(budget), Fault::LeaseForever, RECOVERS);
}

#[test]
fn renewing_only_what_is_in_force_and_ones_own() {
    let budget = Budget { delays: 1, ..NONE };
    breaks(Setup::two(budget), Fault::RenewUnchecked, LEASES);
}

#[test]
fn giving_back_only_the_lease_that_is_meant() {
    let budget = Budget { delays: 1, crashes: 1, ..NONE };
    breaks(a_join(budget), Fault::ReleaseUnchecked, INSIDE);
}

#[test]
fn a_delayed_claim_is_void() {
    let budget = Budget { delays: 1, ..NONE };
    breaks(Setup::two(budget), Fault::DelayedClaim, INSIDE);
}

#[test]
fn one_run_per_address() {
    let setup = Setup { addresses: &[8, 8], ..Setup::two(NONE) };
    breaks(setup, Fault::DuplicateAddress, ADDRESSES);
}

#[test]
fn the_dead_is_that_very_run() {
    let budget = Budget { crashes: 1, proofs: 1, starts: 1, delays: 1, ..NONE };
    breaks(Setup::two(budget), Fault::ExpelAnyRun, INSIDE);
}
