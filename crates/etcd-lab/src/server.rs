use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringback_server_lab::{Keeper, LabError, free_places};

use crate::etcd::Etcd;

/// So it says that somebody else listens where it wants to.
const TAKEN: &str = "address already in use";

/// How a server is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// It finishes what it does.
    Terminate,
    /// It is killed.
    Kill,
}

/// A server that runs on an address of its own, until the value is dropped or this process ends.
#[derive(Debug)]
pub struct Server {
    keeper: Mutex<Keeper>,
    folder: PathBuf,
    places: Places,
}

/// Where a server listens.
#[derive(Debug, Clone, Copy)]
struct Places {
    clients: SocketAddrV4,
    peers: SocketAddrV4,
    /// Where it tells whether it is well, never encrypted.
    health: SocketAddrV4,
}

impl Server {
    /// Starts one that is alone, empty, and takes everybody, not encrypted.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(etcd: &Etcd) -> Result<Self, LabError> {
        Self::start_with(etcd, |_| Ok(Vec::new()))
    }

    /// Starts one that encrypts if it is given `--cert-file` and `--key-file`, or has whatever else is said by the
    /// arguments. `prepare` is given its folder, for files that they name.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_with(
        etcd: &Etcd,
        prepare: impl Fn(&Path) -> std::io::Result<Vec<String>>,
    ) -> Result<Self, LabError> {
        somewhere(|| {
            let places = Places::free()?;
            let server = Self::new(etcd, places, "alone", &places.member("alone"), &prepare)?;
            server.start_again()?;
            Ok(server)
        })
    }

    /// Starts so many that are one cluster.
    ///
    /// # Errors
    /// They do not start.
    pub fn cluster(etcd: &Etcd, size: usize) -> Result<Vec<Self>, LabError> {
        somewhere(|| Self::cluster_once(etcd, size))
    }

    fn cluster_once(etcd: &Etcd, size: usize) -> Result<Vec<Self>, LabError> {
        let places = (0..size).map(|_| Places::free()).collect::<Result<Vec<_>, _>>()?;
        let name = |number: usize| format!("server-{number}");
        let members: Vec<String> =
            places.iter().enumerate().map(|(number, places)| places.member(&name(number))).collect();
        let servers = places
            .iter()
            .enumerate()
            .map(|(number, places)| {
                Self::new(etcd, *places, &name(number), &members.join(","), |_| Ok(Vec::new()))
            })
            .collect::<Result<Vec<_>, _>>()?;
        // None is ready before most of them run.
        for server in &servers {
            server.keeper().order("start")?;
        }
        for server in &servers {
            server.until_ready()?;
        }
        Ok(servers)
    }

    fn new(
        etcd: &Etcd,
        places: Places,
        name: &str,
        members: &str,
        prepare: impl FnOnce(&Path) -> std::io::Result<Vec<String>>,
    ) -> Result<Self, LabError> {
        let temporary = std::env::temp_dir();
        let made = tempfile::Builder::new().prefix("ringback-etcd-").tempdir_in(&temporary);
        // The keeper removes it.
        let folder = made.map_err(|reason| LabError::Folder { path: temporary, reason })?.keep();
        let arguments =
            prepare(&folder).map_err(|reason| LabError::Folder { path: folder.clone(), reason })?;
        let scheme =
            if arguments.iter().any(|word| word.starts_with("--cert-file")) { "https" } else { "http" };
        let Places { clients, peers, health } = places;
        let mut words: Vec<OsString> = vec![etcd.program().into()];
        let fixed = [
            format!("--name={name}"),
            format!("--data-dir={}", folder.join("data").display()),
            format!("--listen-client-urls={scheme}://{clients}"),
            format!("--advertise-client-urls={scheme}://{clients}"),
            format!("--listen-metrics-urls=http://{health}"),
            format!("--listen-peer-urls=http://{peers}"),
            format!("--initial-advertise-peer-urls=http://{peers}"),
            format!("--initial-cluster={members}"),
            // Leases of a second are to last a second.
            "--heartbeat-interval=50".to_owned(),
            "--election-timeout=500".to_owned(),
        ];
        words.extend(fixed.into_iter().chain(arguments).map(OsString::from));
        let keeper = Mutex::new(Keeper::new(include_str!("keeper.sh"), &folder, &words)?);
        Ok(Self { keeper, folder, places })
    }

    /// One server for all tests of this process; `None` for a test that is to be skipped, which is told on standard
    /// error. It ends with the process.
    ///
    /// # Panics
    /// It does not start.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: LazyLock<Option<Server>> = LazyLock::new(|| {
            let etcd = Etcd::find_or_skip()?;
            match Server::start(&etcd) {
                Ok(server) => Some(server),
                Err(failure) => panic!("{failure}"),
            }
        });
        SHARED.as_ref()
    }

    /// Where clients find it.
    #[must_use]
    pub fn address(&self) -> SocketAddrV4 {
        self.places.clients
    }

    /// The folder with everything of this server: `data`, and `log`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ends it; its data stays.
    ///
    /// # Errors
    /// The keeper is gone.
    pub fn stop(&self, signal: Signal) -> Result<(), LabError> {
        let name = match signal {
            Signal::Terminate => "TERM",
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
        self.until_ready()
    }

    fn until_ready(&self) -> Result<(), LabError> {
        for _ in 0..3000 {
            if is_healthy(self.places.health) {
                return Ok(());
            }
            if fs::read_to_string(self.folder.join("log")).is_ok_and(|log| log.contains(TAKEN)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(LabError::not_started("etcd", &self.folder))
    }

    /// Stops it as `SIGSTOP` does: its connections stay open, and nothing is answered.
    ///
    /// # Errors
    /// The keeper is gone.
    pub fn pause(&self) -> Result<(), LabError> {
        self.keeper().order("signal STOP")
    }

    /// It goes on after [`pause`](Self::pause).
    ///
    /// # Errors
    /// The keeper is gone.
    pub fn resume(&self) -> Result<(), LabError> {
        self.keeper().order("signal CONT")
    }

    /// Calls its HTTP interface, as `curl` does, where it does not encrypt and asks for no login; gives the answer, also if
    /// it is a refusal.
    ///
    /// # Errors
    /// There is no answer.
    pub fn ask(&self, path: &str, body: &str) -> Result<String, LabError> {
        let length = body.len();
        let answer = exchange(
            self.places.clients,
            &format!("POST {path} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}"),
        );
        let answer = answer
            .map_err(|error| LabError::Program { program: "etcd".to_owned(), said: error.to_string() })?;
        Ok(answer.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned()))
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was free may be taken before it is used: then at another place.
fn somewhere<T>(mut start: impl FnMut() -> Result<T, LabError>) -> Result<T, LabError> {
    for _ in 0..9 {
        match start() {
            Err(LabError::NotStarted { log, .. }) if log.contains(TAKEN) => {}
            other => return other,
        }
    }
    start()
}

fn is_healthy(address: SocketAddrV4) -> bool {
    exchange(address, "GET /health HTTP/1.0\r\n\r\n").is_ok_and(|answer| answer.starts_with("HTTP/1.0 200"))
}

/// One request, and all that comes back.
fn exchange(address: SocketAddrV4, request: &str) -> std::io::Result<String> {
    let patience = Duration::from_secs(30);
    let mut connection = TcpStream::connect_timeout(&address.into(), patience)?;
    connection.set_read_timeout(Some(patience))?;
    connection.write_all(request.as_bytes())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

impl Places {
    fn free() -> Result<Self, LabError> {
        let [clients, peers, health] = free_places(48, "etcd")?;
        Ok(Self { clients, peers, health })
    }

    fn member(&self, name: &str) -> String {
        format!("{name}=http://{}", self.peers)
    }
}
