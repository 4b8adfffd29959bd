//! Tests of the whole: the rules of the house, the scenarios, the recorded streams. See `tests/tests`.
//!
//! What is here is shared: [`fuzz`] holds the targets of the fuzzer, which the tests run over the checked-in corpus.

pub mod fuzz;
