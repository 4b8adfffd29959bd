//! What the examples are made of, so that it can be tested; the programs themselves are thin.

pub mod peers;
pub mod replay;
