use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringback_server_lab::{Keeper, LabError, free_places};

use crate::postgres::{Postgres, SUPERUSER, output};

/// Whether what is confirmed must survive the machine. Tests that do not ask for it are quicker without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// `fsync` is off.
    None,
    /// As in production.
    Full,
}

/// How a server is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Sessions are ended in order.
    Fast,
    /// Sessions are broken off, as if the machine failed.
    Immediate,
    /// The server is killed.
    Kill,
}

/// A server that runs on an address of its own, until the value is dropped or this process ends.
#[derive(Debug)]
pub struct Server {
    pub(crate) postgres: Postgres,
    keeper: Mutex<Keeper>,
    folder: PathBuf,
    address: SocketAddrV4,
}

static DATABASES: AtomicU32 = AtomicU32::new(1);

impl Server {
    /// Starts one with an empty data folder, quick rather than durable.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(postgres: &Postgres) -> Result<Self, LabError> {
        Self::start_with(postgres, Durability::None, &[])
    }

    /// As [`start`](Self::start), with settings of `postgresql.conf` such as `max_connections=10`.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_with(
        postgres: &Postgres,
        durability: Durability,
        settings: &[&str],
    ) -> Result<Self, LabError> {
        Self::launch(postgres, durability, settings, |data| postgres.copy_template(data))
    }

    /// Starts one with what is put into its data folder, which does not exist yet.
    pub(crate) fn launch(
        postgres: &Postgres,
        durability: Durability,
        settings: &[&str],
        furnish: impl FnOnce(&Path) -> Result<(), LabError>,
    ) -> Result<Self, LabError> {
        let temporary = std::env::temp_dir();
        let made = tempfile::Builder::new().prefix("ringback-postgres-").tempdir_in(&temporary);
        // The keeper removes it.
        let folder = made.map_err(|reason| LabError::Folder { path: temporary, reason })?.keep();
        postgres.give(&folder)?;
        let data = folder.join("data");
        furnish(&data)?;
        let [address] = free_places(32, "PostgreSQL")?;
        let mut words = postgres.as_user(postgres.program("postgres"));
        words.push("-D".into());
        words.push(data.into());
        let (host, port) = (address.ip(), address.port());
        let fsync = if durability == Durability::Full { "on" } else { "off" };
        let fixed = [
            format!("listen_addresses={host}"),
            format!("port={port}"),
            "unix_socket_directories=".to_owned(),
            format!("fsync={fsync}"),
            "max_connections=200".to_owned(),
            "lc_messages=C".to_owned(),
        ];
        for setting in fixed.iter().map(String::as_str).chain(settings.iter().copied()) {
            words.push("-c".into());
            words.push(setting.into());
        }
        let keeper = Mutex::new(Keeper::new(include_str!("keeper.sh"), &folder, &words)?);
        let server = Self { postgres: postgres.clone(), keeper, folder, address };
        server.start_again()?;
        Ok(server)
    }

    /// One server for all tests of this process, quick rather than durable; `None` for a test that is to be skipped, which
    /// is told on standard error. It ends with the process.
    ///
    /// # Panics
    /// It does not start.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: LazyLock<Option<Server>> = LazyLock::new(|| {
            let postgres = Postgres::find_or_skip()?;
            match Server::start(&postgres) {
                Ok(server) => Some(server),
                Err(failure) => panic!("{failure}"),
            }
        });
        SHARED.as_ref()
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddrV4 {
        self.address
    }

    /// The folder with everything of this server: `data`, and `log`.
    #[must_use]
    pub fn folder(&self) -> &PathBuf {
        &self.folder
    }

    /// The address of a database of this server, for the superuser, who needs no password.
    #[must_use]
    pub fn database(&self, name: &str) -> String {
        format!("postgres://{SUPERUSER}@{}/{name}", self.address)
    }

    /// Creates an empty database, and gives its address.
    ///
    /// # Errors
    /// What the server says.
    pub fn fresh_database(&self) -> Result<String, LabError> {
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        self.sql(&self.database("postgres"), &format!("CREATE DATABASE {name}"))?;
        Ok(self.database(&name))
    }

    /// Carries out SQL in a database, and gives what comes back: a line a row, columns apart by `|`.
    ///
    /// # Errors
    /// What the server says.
    pub fn sql(&self, database: &str, statements: &str) -> Result<String, LabError> {
        let options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements];
        let said = output(Command::new(self.postgres.program("psql")).arg(database).args(options))?;
        Ok(said.trim_end().to_owned())
    }

    /// From now on it can encrypt, with a certificate for this name. Gives the file with the authority that vouches for it;
    /// `None` where there is no `openssl`, which is told on standard error.
    ///
    /// # Errors
    /// The certificate cannot be made.
    pub fn encrypt(&self, name: &str) -> Result<Option<PathBuf>, LabError> {
        let (key, certificate) = (self.folder.join("server.key"), self.folder.join("server.crt"));
        let words = self.postgres.as_user("openssl");
        let subject = format!("/CN={name}");
        let alternative = format!("subjectAltName=DNS:{name}");
        let made = output(
            Command::new(&words[0])
                .args(&words[1..])
                .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
                .args(["-days", "2", "-subj", &subject, "-addext", &alternative])
                .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
                .arg(&key)
                .arg("-out")
                .arg(&certificate),
        );
        if let Err(reason) = made {
            let _ = writeln!(std::io::stderr().lock(), "SKIPPED, a test with encryption: {reason}");
            return Ok(None);
        }
        let settings = format!(
            "ssl_cert_file = '{}'\nssl_key_file = '{}'\nssl = on\n",
            certificate.display(),
            key.display()
        );
        let path = self.folder.join("data/postgresql.conf");
        let failed = |reason| LabError::Folder { path: path.clone(), reason };
        OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(settings.as_bytes()))
            .map_err(failed)?;
        self.stop(Signal::Fast)?;
        self.start_again()?;
        Ok(Some(certificate))
    }

    /// From now on it takes whoever comes from these addresses (`10.0.0.0/24`), without a password, where it listens there.
    ///
    /// # Errors
    /// The server's files cannot be written.
    pub fn admit(&self, from: &str) -> Result<(), LabError> {
        let path = self.folder.join("data/pg_hba.conf");
        let failed = |reason| LabError::Folder { path: path.clone(), reason };
        let mut file = OpenOptions::new().append(true).open(&path).map_err(failed)?;
        writeln!(file, "host all all {from} trust").map_err(failed)?;
        self.sql(&self.database("postgres"), "SELECT pg_reload_conf()").map(drop)
    }

    /// Ends it; its data stays.
    ///
    /// # Errors
    /// The keeper is gone.
    pub fn stop(&self, signal: Signal) -> Result<(), LabError> {
        let name = match signal {
            Signal::Fast => "INT",
            Signal::Immediate => "QUIT",
            Signal::Kill => "KILL",
        };
        self.keeper().order(&format!("stop {name}"))
    }

    /// Starts it after [`stop`](Self::stop), and waits until it is ready.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_again(&self) -> Result<(), LabError> {
        self.keeper().order("start")?;
        let note = self.folder.join("data/postmaster.pid");
        for _ in 0..3000 {
            let ready = fs::read_to_string(&note).is_ok_and(|note| {
                note.lines().nth(7).is_some_and(|s| ["ready", "standby"].contains(&s.trim()))
            });
            if ready {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(LabError::not_started("PostgreSQL", &self.folder))
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
