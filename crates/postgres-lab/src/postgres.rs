use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use ringback_server_lab::LabError;

/// A PostgreSQL that is installed.
#[derive(Debug, Clone)]
pub struct Postgres {
    programs: PathBuf,
    version: String,
    user: User,
}

/// Who runs the server: never root, whom PostgreSQL refuses.
#[derive(Debug, Clone)]
enum User {
    Ourselves,
    Other { name: String, uid: u32, gid: u32 },
}

/// Under this name the template's superuser is known; it needs no password.
pub(crate) const SUPERUSER: &str = "ringback";

impl Postgres {
    /// Looks for it in the folder `RINGBACK_POSTGRES_BIN`, in the search path, and where Debian has it.
    ///
    /// # Errors
    /// [`LabError::NotInstalled`] is a reason to skip, any other a failure.
    pub fn find() -> Result<Self, LabError> {
        let search = std::env::var_os("PATH").unwrap_or_default();
        let named = std::env::var_os("RINGBACK_POSTGRES_BIN").map(PathBuf::from);
        let mut installed: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
            .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
            .unwrap_or_default();
        installed.sort();
        let programs = named
            .into_iter()
            .chain(std::env::split_paths(&search))
            .chain(installed.into_iter().rev())
            .find_map(|folder| {
                // The way may lead through links to single programs: the others are beside them.
                let real = fs::canonicalize(folder.join("initdb")).ok()?;
                let programs = real.parent()?.to_owned();
                ["postgres", "psql"].iter().all(|name| programs.join(name).exists()).then_some(programs)
            })
            .ok_or(LabError::NotInstalled(
                "initdb and postgres in the search path or in /usr/lib/postgresql",
            ))?;
        let said = output(Command::new(programs.join("postgres")).arg("--version"))?;
        let version = said.split(' ').nth(2).unwrap_or("unknown").trim().to_owned();
        Ok(Self { programs, version, user: User::suitable()? })
    }

    /// As [`find`](Self::find), with `None` for a test that is to be skipped, which is told on standard error.
    ///
    /// # Panics
    /// It is installed, and cannot be used; or it is not, though `RINGBACK_POSTGRES_REQUIRED` is set.
    #[must_use]
    pub fn find_or_skip() -> Option<Self> {
        match Self::find() {
            Ok(postgres) => Some(postgres),
            Err(reason @ LabError::NotInstalled(_)) => {
                assert!(std::env::var_os("RINGBACK_POSTGRES_REQUIRED").is_none(), "{reason}");
                // Past the test harness, which swallows what is printed.
                let _ = writeln!(std::io::stderr().lock(), "SKIPPED, a test with PostgreSQL: {reason}");
                None
            }
            Err(failure) => panic!("{failure}"),
        }
    }

    /// Its version, such as `15.18`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The command that runs a program as the user of the server.
    pub(crate) fn as_user(&self, program: impl AsRef<OsStr>) -> Vec<std::ffi::OsString> {
        let mut words: Vec<std::ffi::OsString> = match &self.user {
            User::Ourselves => Vec::new(),
            User::Other { uid, gid, .. } if is_there("setpriv") => {
                let (uid, gid) = (format!("--reuid={uid}"), format!("--regid={gid}"));
                ["setpriv", &uid, &gid, "--clear-groups", "--"].map(Into::into).into()
            }
            User::Other { name, .. } => ["runuser", "-u", name, "--"].map(Into::into).into(),
        };
        words.push(program.as_ref().to_owned());
        words
    }

    /// Makes a folder that belongs to the user of the server.
    pub(crate) fn give(&self, folder: &Path) -> Result<(), LabError> {
        let failed = |reason| LabError::Folder { path: folder.to_owned(), reason };
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        match self.user {
            User::Ourselves => Ok(()),
            User::Other { uid, gid, .. } => chown(folder, Some(uid), Some(gid)).map_err(failed),
        }
    }

    /// Copies the template to `data`, in a folder that belongs to the user of the server.
    pub(crate) fn copy_template(&self, data: &Path) -> Result<(), LabError> {
        let template = self.template()?;
        let words = self.as_user("cp");
        output(Command::new(&words[0]).args(&words[1..]).arg("-Rp").arg(template).arg(data)).map(drop)
    }

    /// An empty data folder of this version, made once and kept among temporary files. Several processes may ask at once.
    fn template(&self) -> Result<PathBuf, LabError> {
        let owner = match self.user {
            User::Ourselves => ourselves()?.to_string(),
            User::Other { uid, .. } => uid.to_string(),
        };
        let home = std::env::temp_dir().join(format!("ringback-postgres-lab-{}-{owner}", self.version));
        let failed = |reason| LabError::Folder { path: home.clone(), reason };
        match fs::create_dir(&home) {
            Ok(()) => self.give(&home)?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                self.is_ours(&home)?;
            }
            Err(error) => return Err(failed(error)),
        }
        let lock = File::create(home.join("lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let (template, draft) = (home.join("template-1"), home.join("draft"));
        if !template.exists() {
            if draft.exists() {
                fs::remove_dir_all(&draft).map_err(failed)?;
            }
            let words = self.as_user(self.program("initdb"));
            let options = ["--no-sync", "-A", "trust", "-U", SUPERUSER, "-E", "UTF8", "--locale=C"];
            output(Command::new(&words[0]).args(&words[1..]).args(options).arg("-D").arg(&draft))?;
            // Who is called `locked` needs a password.
            let rules = "host all locked all scram-sha-256\nhost all all all trust\nlocal all all trust\n\
                host replication all all trust\n";
            fs::write(draft.join("pg_hba.conf"), rules).map_err(failed)?;
            fs::rename(&draft, &template).map_err(failed)?;
        }
        Ok(template)
    }

    /// Somebody else may have put a folder of this name there.
    fn is_ours(&self, folder: &Path) -> Result<(), LabError> {
        let failed = |reason| LabError::Folder { path: folder.to_owned(), reason };
        let found = fs::symlink_metadata(folder).map_err(failed)?;
        let expected = match self.user {
            User::Ourselves => ourselves()?,
            User::Other { uid, .. } => uid,
        };
        // Of root: another process has just made it and is about to give it away.
        if found.is_dir() && (found.uid() == expected || found.uid() == 0) {
            return Ok(());
        }
        Err(failed(std::io::Error::other("it belongs to somebody else: remove it")))
    }
}

impl User {
    fn suitable() -> Result<Self, LabError> {
        if ourselves()? != 0 {
            return Ok(Self::Ourselves);
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let known = |wanted: &str| {
            users.lines().find_map(|line| {
                let fields: Vec<&str> = line.split(':').collect();
                let [name, _, uid, gid, ..] = fields[..] else { return None };
                let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
                (name == wanted).then(|| Self::Other { name: name.to_owned(), uid, gid })
            })
        };
        known("postgres").or_else(|| known("nobody")).ok_or_else(|| LabError::Program {
            program: "postgres".to_owned(),
            said: "root cannot run it, and there is neither a user postgres nor nobody".to_owned(),
        })
    }
}

/// Who we are: who owns what we make.
fn ourselves() -> Result<u32, LabError> {
    let made = tempfile::tempfile().and_then(|file| file.metadata());
    made.map(|metadata| metadata.uid())
        .map_err(|reason| LabError::Folder { path: std::env::temp_dir(), reason })
}

fn is_there(program: &str) -> bool {
    let search = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&search).any(|folder| folder.join(program).exists())
}

/// Runs a program to its end, and gives what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String, LabError> {
    let program = command.get_program().to_string_lossy().into_owned();
    // A folder that the user of the server may not enter is no place to be.
    let done = command
        .current_dir("/")
        .output()
        .map_err(|error| LabError::Program { program: program.clone(), said: error.to_string() })?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    Err(LabError::Program { program, said })
}
