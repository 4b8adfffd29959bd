//! The wire layout.

pub mod limits;
