//! The rules of the house, proven from `cargo metadata`: imports point down only, and floor 0 is pure.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// What each crate may import of this workspace. A new arrow is a decision: it is made here.
const ARROWS: [(&str, &[&str]); 20] = [
    // Floor 0: pure.
    ("model", &[]),
    ("cti", &["model"]),
    ("callback", &["model"]),
    ("election", &["model"]),
    ("screen", &["callback", "model"]),
    // Floor 1: ports and adapters. Adapters do not import each other.
    ("db", &["callback", "model"]),
    ("db-sqlite", &["callback", "db", "election", "model"]),
    ("db-postgres", &["callback", "db", "election", "model"]),
    // A registry alone, for who has an etcd already; nothing of the default build imports it.
    ("registry-etcd", &["election", "model"]),
    ("cti-net", &["cti", "model"]),
    ("peer", &["election", "model"]),
    // It plays the part of phones that cannot show screens.
    ("cti-asterisk", &["cti", "db", "model", "screen"]),
    // For tests alone: a real PBX and real phones; the phone that shows screens reads them as a phone does.
    ("pbx-lab", &["screen"]),
    ("server-lab", &[]),
    ("postgres-lab", &["server-lab"]),
    ("etcd-lab", &["server-lab"]),
    ("serviceability", &["model"]),
    ("sim", &["cti", "cti-net", "model", "screen"]),
    // Floor 2: the front door.
    ("ringback", &["callback", "cti", "cti-net", "db", "election", "model", "screen", "serviceability"]),
    // Floor 3.
    (
        "scenario",
        &[
            "callback",
            "cti",
            "cti-asterisk",
            "cti-net",
            "db",
            // Scenarios on a real server, if asked for by the feature.
            "db-postgres",
            "db-sqlite",
            "election",
            "model",
            // Scenarios on a real PBX, if asked for by the feature.
            "pbx-lab",
            "ringback",
            "screen",
            "serviceability",
            "sim",
        ],
    ),
];

const PURE: [&str; 5] = ["model", "cti", "callback", "election", "screen"];

/// Runtimes, sockets, files of databases, clocks, randomness: nothing of this under a pure crate.
const IMPURE: [&str; 16] = [
    "tokio",
    "tokio-util",
    "async-std",
    "smol",
    "mio",
    "socket2",
    "rusqlite",
    "tokio-postgres",
    "rand",
    "rand_core",
    "getrandom",
    "fastrand",
    "iana-time-zone",
    "rayon",
    "crossbeam-channel",
    "if-addrs",
];

fn metadata() -> Metadata {
    // Of this platform only: what others need is not on this machine, and nothing is to be fetched by a test.
    let rustc = std::process::Command::new("rustc").arg("-vV").output().expect("rustc -vV");
    let version = String::from_utf8(rustc.stdout).expect("text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let options = ["--locked", "--offline", "--filter-platform", host];
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .other_options(options.map(ToOwned::to_owned))
        .exec()
        .expect("cargo metadata")
}

/// `ringback-db` is the crate `db`; `ringback` is itself.
fn room(package: &str) -> Option<&str> {
    if package == "ringback" { Some(package) } else { package.strip_prefix("ringback-") }
}

fn direct(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    metadata
        .workspace_packages()
        .into_iter()
        .filter_map(|package| {
            let imports = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .filter_map(|dependency| room(&dependency.name).map(ToOwned::to_owned))
                .collect();
            Some((room(&package.name)?.to_owned(), imports))
        })
        .collect()
}

#[test]
fn imports_point_down_only() {
    let mut found = direct(&metadata());
    let mut wrong = Vec::new();
    for (name, allowed) in ARROWS {
        let imports = found.remove(name).unwrap_or_else(|| panic!("no crate {name}"));
        for import in imports {
            if !allowed.contains(&import.as_str()) {
                wrong.push(format!("{name} -> {import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that the chart does not have: {wrong:?}");
    let roof: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(roof, BTreeSet::from(["benches", "examples", "tests"]), "every crate is in the chart");
}

#[test]
fn the_chart_has_no_circle() {
    let floor = |name: &str| ARROWS.iter().position(|(room, _)| *room == name);
    for (name, allowed) in ARROWS {
        for import in allowed {
            assert!(floor(import) < floor(name), "{name} is listed above {import}, which it may import");
        }
    }
}

#[test]
fn floor_0_is_pure() {
    let metadata = metadata();
    let resolve = metadata.resolve.as_ref().expect("a resolved graph");
    let nodes: BTreeMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    for name in PURE {
        let package = metadata
            .workspace_packages()
            .into_iter()
            .find(|package| room(&package.name) == Some(name))
            .unwrap_or_else(|| panic!("no crate {name}"));
        let mut seen = BTreeSet::new();
        let mut todo = vec![&package.id];
        while let Some(id) = todo.pop() {
            if !seen.insert(id) {
                continue;
            }
            // What runs at compile time only (derive macros and what they need) is not in the program.
            let is_macro = metadata[id].targets.iter().any(cargo_metadata::Target::is_proc_macro);
            if is_macro {
                continue;
            }
            assert!(
                !IMPURE.contains(&metadata[id].name.as_str()),
                "{name} is pure, and depends on {}",
                metadata[id].name
            );
            let normal = |dependency: &&cargo_metadata::NodeDep| {
                dependency
                    .dep_kinds
                    .iter()
                    .any(|kind| kind.kind == DependencyKind::Normal && kind.target.is_none())
            };
            todo.extend(nodes[id].deps.iter().filter(normal).map(|dependency| &dependency.pkg));
        }
        assert!(seen.len() > 1 || name == "model");
    }
}

#[test]
fn floor_0_forbids_unsafe_code() {
    for name in PURE {
        let path = format!("{}/../crates/{name}/src/lib.rs", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(text.contains("#![forbid(unsafe_code)]"), "{path} does not forbid unsafe code");
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut folders = vec![std::path::PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder").flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() && name != "target" && name != ".git" {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let lines = std::fs::read_to_string(&path).expect("a readable file").lines().count();
                assert!(lines <= 800, "{} has {lines} lines", path.display());
            }
        }
    }
}
