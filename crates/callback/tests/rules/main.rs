//! The rules of the requirement, one by one, as a caller, a called party and an operator would see them.

#[path = "../harness/mod.rs"]
mod harness;

mod activation;
mod availability;
mod bugs_of_others;
mod caller;
mod dial;
mod ending;
mod limits;
mod policy;
mod restore;
mod turn;
mod words;
