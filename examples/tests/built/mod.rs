//! The example programs, as they were built.

use std::path::Path;
use std::process::Command;

/// Cargo builds the examples of a package before it runs its tests, beside them.
pub(crate) fn example(name: &str) -> Command {
    let test = std::env::current_exe().expect("the path of this test");
    let folder = test.parent().and_then(Path::parent).expect("the folder of the build");
    let program = folder.join("examples").join(name);
    assert!(program.exists(), "cargo test -p ringback-examples builds it; a single --test does not");
    Command::new(program)
}
