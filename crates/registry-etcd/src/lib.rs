//! Several machines: the registry of the election (who is live, who acts, in which epoch) on etcd, for sites that have one.
//!
//! It promises that at most one instance of a group holds the lease, that each lease is given in a higher epoch than all
//! before, also after etcd was restarted, and that an instance is held for dead, and its lease for over, only when etcd has
//! ended it by its own clock, or somebody has proven it dead. No clock of the instances' machines decides anything. Every
//! request has a time-out, an answer that did not come is told as such, and each error says what to do.
//!
//! ```no_run
//! use ringback_election::{Incarnation, Intent, Member, Registry, Report};
//! use ringback_model::{Epoch, Group, Millis, Timestamp};
//! use ringback_registry_etcd::{EtcdRegistry, Options};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut options = Options::default();
//!     options.authority = Some("/etc/ringback/etcd-ca.pem".into());
//!     let address = "https://ringback:secret@etcd1,etcd2,etcd3/ringback";
//!     let registry = EtcdRegistry::open(address, options).await?;
//!
//!     // What `ringback_election::Manager` does for an instance: join, claim the lease, keep it, leave.
//!     let (group, length) = (Group::default(), Millis(2000));
//!     let member = Member::new("10.0.0.1".parse()?, Incarnation(std::process::id().into()), Timestamp(0));
//!     let call = |intent| Report { member, ready: true, length, intent };
//!     let view = registry.tick(&group, &call(Intent::Watch)).await?;
//!     let claim = Intent::Acquire { seen: view.epoch, above: Epoch(0) };
//!     let view = registry.tick(&group, &call(claim)).await?;
//!     match view.in_force() {
//!         Some(lease) if lease.holder.is(&member) => {
//!             println!("acting in epoch {}", lease.epoch);
//!             registry.tick(&group, &call(Intent::Renew { epoch: lease.epoch })).await?;
//!         }
//!         Some(lease) => println!("{} acts", lease.holder),
//!         None => println!("somebody else was quicker: look again"),
//!     }
//!     registry.tick(&group, &call(Intent::Leave)).await?;
//!     Ok(())
//! }
//! ```
//!
//! Nothing of the default build needs this crate. It is a registry alone: requests, directory and parameters stay where they
//! are, for several machines in PostgreSQL. Whoever has that needs no etcd; it is for sites whose leases are to outlive the
//! database, or that keep all their leases in one etcd.
//!
//! # What is kept
//!
//! | key, under the prefix | what it holds | there |
//! |---|---|---|
//! | `GROUP/head` | the highest epoch, the last lease as it was given, and whether it was given back | for ever |
//! | `GROUP/office` | who acts, in which epoch | while the lease is in force: on a lease of etcd |
//! | `GROUP/member/ADDRESS` | a live instance: its incarnation, since when, whether it is ready | while it is live: on a lease of etcd |
//!
//! The values are JSON; `etcdctl get --prefix /ringback/` shows an operator who is live and who acts. Whatever changes a group
//! (join, readiness, claim, giving back, leaving, proof of death) is one transaction that writes `head`, and that etcd carries
//! out only if the revision of `head` is the one that was read: so changes come one after the other, and an epoch is given
//! once. **Heartbeats and renewals write nothing:** they keep leases of etcd alive, then read the group, confirmed by a
//! majority; only a lease that is there *after* it was kept alive counts as renewed. At rest the history of etcd does not grow.
//!
//! `head` is what a registry must not forget. Restoring etcd from a copy, or deleting keys by hand: first stop all instances
//! of the group, see [`Registry`](ringback_election::Registry).
//!
//! # Time
//!
//! etcd counts leases in whole seconds and looks twice a second which are over; and none lasts less than one and a half of its
//! election time-outs (with the default of 1 s: 2 s). A lease is therefore asked for in seconds rounded up, and is over up to
//! half a second late, never early: an instance that holds it has stopped acting by then. With the default lease of 2 s, after an unproven
//! loss another one takes over 2 to 2.5 s after the last sign of the former; after a proof of death, an orderly hand-over or a stop, at
//! once. When etcd's leader changes, leases begin anew.
//!
//! Moments in answers ([`View::at`](ringback_election::View) and others) are for people and for planning: the seconds with which
//! etcd's servers date their answers, counted on in between. Renewals of others are not on record, so
//! their leases are told to last their length from now, until etcd has ended them. Two instances may be told moments that
//! differ by up to a second; nothing compares them.
//!
//! # Setting up etcd
//!
//! etcd 3.4 or newer, best three servers; its HTTP interface (`--enable-grpc-gateway`) is on by default. With a user of its own:
//!
//! ```sh
//! etcdctl role add ringback
//! etcdctl role grant-permission ringback readwrite /ringback/ --prefix=true
//! etcdctl user add ringback                      # asks for the password
//! etcdctl user grant-role ringback ringback
//! etcdctl auth enable                            # needs a user root with the role root
//! ```
//!
//! Name all servers in the address: a call goes to one of them, and to the next once that one fails. Let
//! `--auto-compaction-retention` be set, as for every use of etcd. Many groups: one call for all of them reads all at once, but
//! keeps the leases of each alive by requests of their own, [`Options::connections`] at a time; for hundreds of groups
//! PostgreSQL, which answers them all in one statement, is the better registry.
//!
//! # Why etcd's HTTP interface
//!
//! The well-kept client for its gRPC interface (`etcd-client`) needs the compiler `protoc` on every machine that builds it, and
//! brings 27 crates that are used nowhere else here. This crate brings none: hyper, rustls and serde_json are there
//! already. What etcd says over HTTP is the same, call by call, documented, and unchanged since 3.4. What that costs: texts
//! instead of numbers on the way, a request of its own for each lease that is kept alive, and that a client certificate does not
//! log in (etcd's gateway does not hand its name on): use user and password.
#![forbid(unsafe_code)]

mod address;
mod client;
mod clock;
mod connection;
mod error;
mod exchange;
mod group;
mod keys;
mod registry;
mod tls;
mod watcher;
mod wire;

pub use error::OpenError;
pub use registry::{ClientCertificate, EtcdRegistry, Options};
