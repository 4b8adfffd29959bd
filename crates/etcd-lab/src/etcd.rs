use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ringback_server_lab::LabError;

/// An etcd that is installed.
#[derive(Debug, Clone)]
pub struct Etcd {
    program: PathBuf,
    version: String,
}

impl Etcd {
    /// Looks for it in the folder `RINGBACK_ETCD_BIN`, and in the search path.
    ///
    /// # Errors
    /// [`LabError::NotInstalled`] is a reason to skip, any other a failure.
    pub fn find() -> Result<Self, LabError> {
        let search = std::env::var_os("PATH").unwrap_or_default();
        let named = std::env::var_os("RINGBACK_ETCD_BIN").map(PathBuf::from);
        let program = named
            .into_iter()
            .chain(std::env::split_paths(&search))
            .map(|folder| folder.join("etcd"))
            .find(|program| program.is_file())
            .ok_or(LabError::NotInstalled("etcd in the search path"))?;
        let failed = |said| LabError::Program { program: program.display().to_string(), said };
        let done =
            Command::new(&program).arg("--version").output().map_err(|error| failed(error.to_string()))?;
        if !done.status.success() {
            return Err(failed(String::from_utf8_lossy(&done.stderr).trim().to_owned()));
        }
        // `etcd Version: 3.4.23` comes first.
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let version = said.lines().next().and_then(|line| line.rsplit(' ').next()).unwrap_or("unknown");
        Ok(Self { version: version.to_owned(), program })
    }

    /// As [`find`](Self::find), with `None` for a test that is to be skipped, which is told on standard error.
    ///
    /// # Panics
    /// It is installed, and cannot be used; or it is not, though `RINGBACK_ETCD_REQUIRED` is set.
    #[must_use]
    pub fn find_or_skip() -> Option<Self> {
        match Self::find() {
            Ok(etcd) => Some(etcd),
            Err(reason @ LabError::NotInstalled(_)) => {
                assert!(std::env::var_os("RINGBACK_ETCD_REQUIRED").is_none(), "{reason}");
                // Past the test harness, which swallows what is printed.
                let _ = writeln!(std::io::stderr().lock(), "SKIPPED, a test with etcd: {reason}");
                None
            }
            Err(failure) => panic!("{failure}"),
        }
    }

    /// Its version, such as `3.4.23`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }
}
