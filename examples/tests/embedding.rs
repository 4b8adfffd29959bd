//! The example `embedding` as somebody else's program: a workspace of its own that is built and run from outside.

use std::path::Path;
use std::process::{Command, Stdio};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/embedding");

const HINT: &str = "if a dependency of the crates changed: copy the workspace's Cargo.lock to examples/embedding and run \
                    `cargo run --offline` there";

/// What it prints, line by line.
const STORY: [&str; 3] = [
    "A presses CallBack: request 1-1 is active",
    "B hangs up: A's phone plays the alert",
    "A presses Dial and B rings: request 1-1 is over, 0 are left",
];

#[test]
fn it_builds_against_the_crates_alone_and_its_story_comes_true() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--offline", "--locked", "--manifest-path"])
        .arg(Path::new(FOLDER).join("Cargo.toml"))
        // Beside the builds of the workspace, which may go on at the same time; debug information would cost time.
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("embedding"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}{HINT}");
    assert_eq!(out.lines().collect::<Vec<_>>(), STORY);
}

#[test]
fn it_is_shorter_than_sixty_lines() {
    let program = std::fs::read_to_string(Path::new(FOLDER).join("src/main.rs")).unwrap();
    assert!(program.lines().count() < 60, "{} lines", program.lines().count());
}

#[test]
fn what_it_is_built_from_is_there_when_the_workspace_has_been_built() {
    let lock = |folder: &str| std::fs::read_to_string(Path::new(folder).join("Cargo.lock")).unwrap();
    let (own, all) = (lock(FOLDER), lock(concat!(env!("CARGO_MANIFEST_DIR"), "/..")));
    for checksum in own.lines().filter(|line| line.starts_with("checksum")) {
        assert!(all.contains(checksum), "another version than that of the workspace; {HINT}: {checksum}");
    }
}
