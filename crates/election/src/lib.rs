//! The cluster election of ringback: of all live instances of a group the one with the lowest address acts, the
//! others back it up in order, and never two act at once.
//!
//! This crate promises, as long as clocks differ by less than the margin covers:
//!
//! - an instance acts only while it holds the group's lease, and stops *before* the lease can have passed to another,
//!   however long it was paused or cut off;
//! - each term of office has a higher [`Epoch`](ringback_model::Epoch) than every earlier one, so that what an old
//!   active still tries can be refused;
//! - once faults are over, the lowest live instance is active within a bounded time and stays it;
//! - a lower address that joins takes over in good order: the active finishes what it has begun, gives the lease
//!   back, and only then the other one begins.
//!
//! It has no clock, no I/O, no thread and no randomness: time is an argument, calls to the registry are data.
//!
//! # The parts
//!
//! [`Candidates`] is the algorithm: who may take part, in which order. [`Registry`] is the port to the one place that
//! all instances reach; [`Ledger`] is its rules as a value, [`MemoryRegistry`] an implementation for one process.
//! [`Manager`] is the state machine that each instance runs for each of its groups:
//!
//! ```text
//!            lowest ready and lease free:         lower one ready for `settle`,
//!            Acquire granted                      or StopRequested
//!   Backup ──────────────────────────► Active ─────────────────────────► Draining
//!     ▲                                  │   ◄───────────────────────────   │
//!     │   lease unconfirmed, fenced:     │     Resume: it is gone again     │ Drained, or `drain` over:
//!     ├───────── StandDown ──────────────┘                                  │ StandDown
//!     │                                                                     ▼
//!     └───────────────────── lease given back ◄────────────────────────  Leaving ──► Stopped
//! ```
//!
//! A lease is given back at once after `Drained`, otherwise when the margin is over: only then whatever was checked
//! before the `StandDown` is out.
//!
//! Three clocks meet here. The *registry's* decides when a lease is over. The *local monotonic* one, an argument of
//! every call, decides when to stop: a lease is counted from before it was asked for, less the margin. An instance's
//! wall clock decides nothing.
//!
//! Whoever writes a registry proves it with one line: `conformance::registry` (feature `conformance`).
//!
//! # Driving a manager
//!
//! 1. Give it [`Input::Tick`] at the start, at every [`Manager::next_wakeup`], and every other input when it happens.
//! 2. Carry out what it returns, in order. Calls to the registry run beside, not before the next input: an answer
//!    that is late must not keep the manager from standing down.
//! 3. Ask [`Manager::may_act`] immediately before every effect, with the time read at that moment.
//! 4. Await [`Registry::changed`] with [`Manager::revision`], and say [`Input::Nudge`] when it returns, and
//!    await it again only after the next answer: a hand-over then takes two round trips. Not needed for safety.
//! 5. Serving many groups: one manager each. When one puts out a call, give the others [`Input::Beat`] and send all
//!    reports with one [`Registry::tick_all`].
//!
//! ```
//! use std::collections::VecDeque;
//! use std::net::Ipv4Addr;
//!
//! use ringback_election::{
//!     Incarnation, Input, Manager, Member, MemoryRegistry, Output, Parameters, Registry,
//! };
//! use ringback_model::{Epoch, Group, Timestamp};
//!
//! /// Gives one input to the manager and does all that follows from it.
//! async fn turn(
//!     manager: &mut Manager,
//!     registry: &dyn Registry,
//!     clock: &dyn Fn() -> Timestamp,
//!     acting: &mut Option<Epoch>,
//!     input: Input,
//! ) {
//!     let mut inputs = VecDeque::from([input]);
//!     while let Some(input) = inputs.pop_front() {
//!         for output in manager.handle(clock(), input) {
//!             match output {
//!                 Output::Call { number, request } => {
//!                     // With a registry that can be slow: spawn this, and send the answer to the loop.
//!                     let result = request.send(registry, &Group::default()).await;
//!                     inputs.push_back(Input::Answered { number, result });
//!                 }
//!                 // Claim the store for this epoch, load what it holds, open what is needed.
//!                 Output::Activate { epoch } | Output::Resume { epoch } => *acting = Some(epoch),
//!                 // Begin nothing new; say this as soon as what was begun is done.
//!                 Output::Drain { .. } => inputs.push_back(Input::Drained),
//!                 // Not another effect: drop everything.
//!                 Output::StandDown { .. } => *acting = None,
//!                 // For monitoring and for the operator.
//!                 Output::Rank(_) | Output::Alarm(_) => {}
//!                 Output::Stopped => return,
//!                 _ => {}
//!             }
//!         }
//!     }
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! // A service that runs alone: a registry in memory, and the service's own clock.
//! let clock = || Timestamp(5);
//! let registry = MemoryRegistry::new(clock);
//! let me = Member::new(Ipv4Addr::new(10, 0, 0, 1).into(), Incarnation(1), clock());
//! let mut manager = Manager::new(me, Parameters::default())?;
//! let mut acting = None;
//!
//! turn(&mut manager, &registry, &clock, &mut acting, Input::Tick).await;
//! assert_eq!(acting, Some(Epoch(1)), "alone, it acts at once");
//! assert!(manager.may_act(clock()));
//! // Now: select over the next wake-up, answers, `registry.changed(..)`, and the service's own events.
//! assert_eq!(manager.next_wakeup(), Some(Timestamp(305)));
//!
//! turn(&mut manager, &registry, &clock, &mut acting, Input::StopRequested).await;
//! assert!(!manager.may_act(clock()));
//! # Ok(())
//! # }
//! # let mut run = std::pin::pin!(run());
//! # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! # let std::task::Poll::Ready(result) = run.as_mut().poll(&mut context) else { panic!("never waits") };
//! # result.unwrap();
//! ```
//!
//! **Beside a store that remembers epochs** (and a registry that does not): give the manager [`Input::EpochSeen`] with
//! the store's epoch before the first tick, and whenever the store refuses a write as fenced; and before the first claim of
//! a term ask the store again: if it stands at the very epoch just given, or above, that one is used up, and
//! `EpochSeen(epoch.next())` brings another ([`Registry`] says why). **After a restart** at
//! the same address the former run still counts as live for up to one lease; whoever can prove it dead (it holds the
//! listening socket or the lock file now) says [`Input::PeerDied`] with what [`Alarm::AddressConflict`] named, and
//! need not wait.
//!
//! # How it is proven
//!
//! A model checker (`stateright`) runs this code, not a model of it: every order of events and every place for a
//! bounded number of joins, crashes, proofs of death, restarts, pauses, lost, refused and delayed calls and answers,
//! clock steps, stops and outages, for two and three instances, and for four that start, crash and lose messages. In
//! every state that can be reached nobody acts outside its lease, nor two at once, and each epoch is above the last; and
//! from every such state, faults off, the lowest live instance acts within `lease + call_timeout + 2 interval + settle +
//! drain + margin + hand_over_poll` (5.2 s with the defaults), for ever. Each protection switched off singly gives a
//! counterexample, which is printed. Time is counted in ticks there; long random stories with the default parameters, by
//! the millisecond, stand beside it.
//!
//! What is bounded is the number of faults in one story, one or two of a kind: every one of them alone, and the pairs and
//! triples that the tests name. `tests/model/long.rs` tells which combinations go through in what time, and which have
//! more states than were ever gone through.
//!
//! ```sh
//! cargo test -p ringback-election --test model -- --nocapture              # unique states, time, counterexamples
//! cargo test -p ringback-election --release --test model -- --ignored --nocapture four   # four instances
//! cargo test -p ringback-election --release --test schedules -- --ignored  # ten thousand random stories
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "conformance")]
pub mod conformance;
mod ledger;
mod manager;
mod member;
mod memory;
mod parameters;
#[cfg(not(feature = "planted"))]
#[expect(unreachable_pub, reason = "public with the feature")]
mod planted;
#[cfg(feature = "planted")]
#[doc(hidden)]
pub mod planted;
mod ranking;
mod registry;

pub use ledger::Ledger;
pub use manager::{Alarm, CallNumber, Input, Manager, Output, Rank, Reason, Role, Status};
pub use member::{Incarnation, Lease, Member, Presence, View};
pub use memory::MemoryRegistry;
pub use parameters::{ParameterError, Parameters};
pub use ranking::{Candidates, RankingError};
pub use registry::{Evidence, Intent, Registry, RegistryError, Report, Request};
