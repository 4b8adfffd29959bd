//! What must hold in every state, and what must happen at least once so that this says something.

use std::time::{Duration, Instant};

use ringback_election::planted::Fault;
use ringback_election::{Parameters, Role};
use ringback_model::Millis;
use stateright::{Checker, CheckerBuilder, HasDiscoveries, Model, Path, Property};

use crate::cluster::{Broken, Cargo, Cluster, Host, NOW, Step};
use crate::recovery::Recovery;
use crate::setup::Setup;

pub(crate) const ONE_PER_EPOCH: &str = "never two that may act in one epoch";
pub(crate) const ONE_AT_ONCE: &str = "never two that may act at once";
pub(crate) const INSIDE: &str = "never an act outside a lease";
pub(crate) const EPOCHS: &str = "each term of office has a higher epoch";
pub(crate) const LEASES: &str = "only its holder prolongs a lease, while it is in force";
pub(crate) const ADDRESSES: &str = "an address belongs to one run while that is live";
pub(crate) const LEAVING: &str = "who has stopped has nothing under way that makes it a member";
pub(crate) const HEARING: &str = "nobody hands over to one that never heard the registry";
pub(crate) const SETTLED: &str = "nobody hands over to one that has only just come";
pub(crate) const FEW_TERMS: &str = "no more terms of office than needed";
pub(crate) const RECOVERS: &str = "without faults the lowest acts within K ticks, for ever";

/// K. The longest way from any state: a former run at the lowest address counts as live for a lease, and the next has
/// been refused until then (a look, a call that is lost, another look); meanwhile another one has begun to act, which
/// lets the lowest settle, drains for as long as it may, and waits for what it has begun; a last look takes the lease.
pub(crate) fn k(parameters: &Parameters) -> Millis {
    let Parameters { interval, lease, margin, call_timeout, settle, drain, hand_over_poll, .. } = parameters;
    let parts = [lease, interval, call_timeout, interval, settle, drain, margin, hand_over_poll];
    Millis(parts.iter().map(|part| part.0).sum())
}

/// What must be seen, so that the rest is not idle talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    TakeOver,
    HandOver,
    PauseBeyondTheLease,
    LostGrant,
    OldCallUnderWay,
    ClockBehind,
    AddressRefused,
    Proof,
    Stopped,
}

#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) setup: Setup,
    pub(crate) seen: &'static [Seen],
    /// Only this is looked for.
    pub(crate) harm: Option<&'static str>,
    pub(crate) recovery: Recovery,
}

impl Model for Checked {
    type State = Cluster;
    type Action = Step;

    fn init_states(&self) -> Vec<Cluster> {
        vec![Cluster::new(&self.setup)]
    }

    fn actions(&self, state: &Cluster, actions: &mut Vec<Step>) {
        state.steps(actions);
    }

    fn next_state(&self, state: &Cluster, step: Step) -> Option<Cluster> {
        let mut next = state.clone();
        next.take(&self.setup, step);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = vec![
            Property::always(ONE_PER_EPOCH, |_, state: &Cluster| {
                let mut epochs: Vec<_> = state.hosts.iter().filter_map(Host::acts).collect();
                let acting = epochs.len();
                epochs.sort_unstable();
                epochs.dedup();
                epochs.len() == acting
            }),
            Property::always(EPOCHS, |_, state: &Cluster| state.broken != Some(Broken::EpochNotAbove)),
            Property::always(LEASES, |_, state: &Cluster| state.broken != Some(Broken::LeaseRevived)),
            Property::always(ADDRESSES, |_, state: &Cluster| state.broken != Some(Broken::AddressShared)),
            Property::always(FEW_TERMS, |model: &Self, state: &Cluster| state.term.0 <= model.setup.terms),
            Property::always(RECOVERS, |model: &Self, state: &Cluster| {
                model
                    .recovery
                    .ticks(&model.setup, state)
                    .is_some_and(|ticks| u64::from(ticks) <= k(&model.setup.parameters).0)
            }),
        ];
        let budget = &self.setup.budget;
        if budget.forgets == 0 {
            all.push(Property::always(ONE_AT_ONCE, |_, state: &Cluster| {
                state.hosts.iter().filter_map(Host::acts).count() <= 1
            }));
            all.push(Property::always(INSIDE, |_, state: &Cluster| {
                state.hosts.iter().all(|host| is_inside(state, host))
            }));
        }
        // Who is meant cannot be told from outside when another run, or a call from the grave, is at the address.
        if budget.crashes == 0 && budget.drifts == 0 {
            all.push(Property::always(SETTLED, |_, state: &Cluster| {
                state.broken != Some(Broken::HandedTooEarly)
            }));
            all.push(Property::always(HEARING, |_, state: &Cluster| {
                state.broken != Some(Broken::HandedToTheDeaf)
            }));
        }
        if budget.delays == 0 && budget.losses == 0 {
            all.push(Property::always(LEAVING, |_, state: &Cluster| state.broken != Some(Broken::LeftACall)));
        }
        if let Some(harm) = self.harm {
            all.retain(|property| property.name == harm);
        }
        all.extend(self.seen.iter().map(|seen| seen.property()));
        all
    }
}

/// Whether it acts under its lease by the registry's book; what it has begun must not meet another's.
fn is_inside(state: &Cluster, host: &Host) -> bool {
    let Some(process) = &host.process else { return true };
    let lease = state
        .ledger
        .lease
        .filter(|lease| lease.holder.is(process.manager.member()) && NOW < lease.expires)
        .map(|lease| lease.epoch);
    host.acts().is_none_or(|epoch| lease == Some(epoch)) && (lease.is_some() || process.effect.is_none())
}

impl Seen {
    fn property(self) -> Property<Checked> {
        match self {
            Self::TakeOver => Property::sometimes("a take-over", |_, state: &Cluster| {
                state.term.0 > 1 && state.ledger.lease.is_some_and(|lease| NOW < lease.expires)
            }),
            Self::HandOver => Property::sometimes("a hand-over", |_, state: &Cluster| {
                state.ledger.lease.is_some_and(|lease| lease.released)
                    && state
                        .hosts
                        .iter()
                        .flat_map(|host| &host.process)
                        .any(|process| process.manager.status().role == Role::Backup && !process.stopping)
            }),
            Self::PauseBeyondTheLease => {
                Property::sometimes("a pause beyond the lease", |_, state: &Cluster| {
                    state.hosts.iter().any(|host| {
                        host.acts().is_none()
                            && host.process.as_ref().is_some_and(|process| {
                                process.paused
                                    && process.manager.epoch().is_some_and(|epoch| epoch < state.term)
                            })
                    })
                })
            }
            Self::LostGrant => {
                Property::sometimes("a granted claim whose answer is lost", |_, state: &Cluster| {
                    state.ledger.lease.is_some_and(|lease| {
                        let own = |host: &&Host| {
                            host.process.as_ref().is_some_and(|process| {
                                process.manager.member().is(&lease.holder) && process.calls.is_empty()
                            })
                        };
                        lease.epoch > state.term
                            && NOW < lease.expires
                            && state.hosts.iter().any(|host| own(&host))
                    })
                })
            }
            Self::OldCallUnderWay => {
                Property::sometimes("a call that was given up arrives", |_, state: &Cluster| {
                    state.hosts.iter().flat_map(|host| &host.process).any(|process| {
                        process.calls.iter().any(|call| {
                            call.number < process.latest && matches!(call.cargo, Cargo::Request(_))
                        })
                    })
                })
            }
            Self::ClockBehind => {
                Property::sometimes("an active whose clock is behind", |_, state: &Cluster| {
                    state.hosts.iter().any(|host| host.behind > 0 && host.acts().is_some())
                })
            }
            Self::AddressRefused => Property::sometimes("an address in use", |_, state: &Cluster| {
                state.hosts.iter().flat_map(|host| &host.process).any(|process| {
                    state
                        .ledger
                        .members
                        .get(&process.manager.member().address)
                        .is_some_and(|known| !known.member.is(process.manager.member()))
                })
            }),
            Self::Proof => Property::sometimes("a proof of death on its way", |_, state: &Cluster| {
                state.hosts.iter().flat_map(|host| &host.process).flat_map(|process| &process.calls).any(
                    |call| matches!(call.cargo, Cargo::Request(ringback_election::Request::Expel { .. })),
                )
            }),
            Self::Stopped => {
                Property::sometimes("one stops, and another acts", |model: &Checked, state: &Cluster| {
                    state.left.stops < model.setup.budget.stops
                        && state.hosts.iter().any(|host| host.process.is_none())
                        && state.hosts.iter().any(|host| host.acts().is_some())
                })
            }
        }
    }
}

/// Goes through every state; all must hold. A counterexample is a shortest one.
pub(crate) fn holds(name: &str, setup: Setup, seen: &'static [Seen]) {
    told_and_judged(name, check(setup, seen, None));
}

/// The same in the depth first, which needs a small part of the memory. A counterexample can be long.
pub(crate) fn holds_at_length(name: &str, setup: Setup, seen: &'static [Seen]) {
    told_and_judged(name, timed(checker(setup, seen, None).spawn_dfs()));
}

fn told_and_judged(name: &str, (begun, checked): (Duration, impl Checker<Checked>)) {
    let longest = checked.model().recovery.longest();
    println!(
        "{name}: {} unique states, {} steps, depth {}, recovery within {longest:?} ticks, {:.1} s",
        checked.unique_state_count(),
        checked.state_count(),
        checked.max_depth(),
        begun.as_secs_f64(),
    );
    for property in checked.model().properties() {
        let found = checked.discovery(property.name);
        match (property.expectation.discovery_is_failure(), found) {
            (true, Some(path)) => panic!("{name}: broken: {}\n{}", property.name, told(path)),
            (false, None) => panic!("{name}: it never happens: {}", property.name),
            _ => {}
        }
    }
}

/// Without this protection some story leads to this harm; with it, none as short does.
pub(crate) fn breaks(setup: Setup, protection: Fault, harm: &'static str) {
    let (took, checked) = check(setup.without(protection), &[], Some(harm));
    let path = checked.discovery(harm).unwrap_or_else(|| panic!("{protection:?}: not broken: {harm}"));
    println!(
        "{protection:?}: not so: {harm}: {} steps ({} unique states, {:.1} s)\n{}",
        path.clone().into_actions().len(),
        checked.unique_state_count(),
        took.as_secs_f64(),
        told(path),
    );
}

fn check(
    setup: Setup,
    seen: &'static [Seen],
    harm: Option<&'static str>,
) -> (Duration, impl Checker<Checked>) {
    timed(checker(setup, seen, harm).spawn_bfs())
}

fn checker(setup: Setup, seen: &'static [Seen], harm: Option<&'static str>) -> CheckerBuilder<Checked> {
    let model = Checked { setup, seen, harm, recovery: Recovery::default() };
    model.checker().finish_when(HasDiscoveries::AnyFailures)
}

fn timed<C: Checker<Checked>>(checking: C) -> (Duration, C) {
    #[expect(clippy::disallowed_methods, reason = "how long the checking takes")]
    let begun = Instant::now();
    let checked = checking.join();
    (begun.elapsed(), checked)
}

fn told(path: Path<Cluster, Step>) -> String {
    let mut told = String::new();
    for (state, step) in path.into_vec() {
        let hosts: Vec<String> = state
            .hosts
            .iter()
            .map(|host| match &host.process {
                None => "-".to_owned(),
                Some(process) => format!(
                    "{:?}{}{}",
                    process.manager.status().role,
                    if process.paused { " paused" } else { "" },
                    host.acts().map(|epoch| format!(" acts {}", epoch.0)).unwrap_or_default()
                ),
            })
            .collect();
        let lease = state.ledger.lease.map(|lease| {
            let left = lease.expires.since(NOW);
            format!("{} has epoch {} for {left}", lease.holder, lease.epoch.0)
        });
        told += &format!("  {hosts:?} lease {lease:?} broken {:?}\n{step:?}\n", state.broken);
    }
    told
}
