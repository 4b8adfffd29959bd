//! Tests of the whole: the rules of the house, the scenarios, the recorded streams. See `tests/tests`.
