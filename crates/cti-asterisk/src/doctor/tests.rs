//! Recorded answers in, findings out.

use super::{Answers, Site, findings};

#[test]
fn of_nothing_nothing_is_said_but_what_was_not_heard() {
    let told = findings(&Site::new("127.0.0.1:5038", "ringback"), &Answers::default());
    assert_eq!(told.len(), 2, "{told:?}");
}
