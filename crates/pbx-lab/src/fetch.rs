use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::error::LabError;

/// Fetched by this script, which is part of the project.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fetch-asterisk.sh");

/// It says so when the mirror cannot be reached.
const UNREACHABLE: i32 = 3;

/// Which Asterisk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Release {
    /// Asterisk 22, with PJSIP: what sites run.
    V22,
    /// Asterisk 16, with its own call completion: for the comparison.
    V16,
}

impl Release {
    fn suite(self) -> &'static str {
        match self {
            Self::V22 => "forky",
            Self::V16 => "bullseye",
        }
    }
}

/// An Asterisk that can be started.
#[derive(Debug, Clone)]
pub struct Asterisk {
    tree: PathBuf,
    version: String,
}

impl Asterisk {
    /// Fetches it, or takes what was fetched before: it is kept in the folder `RINGBACK_PBX_CACHE`, else `pbx` in the
    /// target folder. Takes half a minute the first time.
    ///
    /// # Errors
    /// [`LabError::Unreachable`] is a reason to skip, any other a failure.
    pub fn fetch(release: Release) -> Result<Self, LabError> {
        // One at a time in this process; another process may fetch it too, and the first to be ready wins.
        static FETCHING: Mutex<()> = Mutex::new(());
        let _one = FETCHING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let tree = cache().join(release.suite());
        if !tree.join("version").exists() {
            let output = Command::new(SCRIPT)
                .arg(release.suite())
                .arg(&tree)
                .output()
                .map_err(|error| LabError::Unreachable(format!("{SCRIPT}: {error}")))?;
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            if output.status.code() == Some(UNREACHABLE) {
                return Err(LabError::Unreachable(said));
            }
            if !output.status.success() {
                return Err(LabError::Fetch(format!("{SCRIPT}: {}: {said}", output.status)));
            }
        }
        let path = tree.join("version");
        let version = std::fs::read_to_string(&path).map_err(|source| LabError::File { path, source })?;
        Ok(Self { tree, version: version.trim().to_owned() })
    }

    /// As [`fetch`](Self::fetch), for tests: prints the version met, or prints loudly why there is none.
    ///
    /// # Panics
    /// It was fetched, but is not usable; or it cannot be fetched though `RINGBACK_PBX_REQUIRED` is set.
    #[must_use]
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub fn fetch_or_skip(release: Release) -> Option<Self> {
        match Self::fetch(release) {
            Ok(asterisk) => {
                eprintln!("PBX: {}", asterisk.version);
                Some(asterisk)
            }
            Err(error @ LabError::Unreachable(_)) => {
                assert!(std::env::var_os("RINGBACK_PBX_REQUIRED").is_none(), "{error}");
                eprintln!("\n*** SKIPPED, NOT TESTED WITH A REAL PBX ({release:?}): {error}\n");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// What it says it is.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn tree(&self) -> &Path {
        &self.tree
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.tree.join("asterisk")
    }

    /// Where its modules are.
    pub(crate) fn modules(&self) -> PathBuf {
        let lib = self.tree.join("usr/lib");
        let folders = std::fs::read_dir(&lib).into_iter().flatten().flatten();
        folders
            .map(|entry| entry.path().join("asterisk/modules"))
            .find(|path| path.is_dir())
            .unwrap_or_else(|| lib.join("asterisk/modules"))
    }
}

fn cache() -> PathBuf {
    if let Some(folder) = std::env::var_os("RINGBACK_PBX_CACHE") {
        return PathBuf::from(folder);
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")).join("pbx")
}
