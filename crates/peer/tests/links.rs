//! What proves the death of an instance, and what does not: with processes that are killed and paused, and connections that
//! are broken on their way.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::Future;
use std::io::{BufRead, BufReader, Lines, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use ringback_election::{Incarnation, Member};
use ringback_model::{Millis, Timestamp};
use ringback_peer::{Config, Credentials, PeerError, PeerLinks, Security};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tokio::io::{AsyncReadExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Only what hangs takes so long.
const LIMIT: Duration = Duration::from_secs(60);

/// Addresses of this test process alone, so that no other connection can have taken a port there.
fn address(which: u8) -> IpAddr {
    let [.., high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, which, high, low).into()
}

static WATCHER: LazyLock<IpAddr> = LazyLock::new(|| address(77));
static WATCHED: LazyLock<IpAddr> = LazyLock::new(|| address(78));

fn member(address: IpAddr, run: u64) -> Member {
    Member::new(address, Incarnation(run), Timestamp(0))
}

/// A port that nobody else uses at these addresses.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn config(port: u16, security: Security) -> Config {
    let mut config = Config::default();
    (config.port, config.security) = (port, security);
    // Longer than any delay of a busy machine; nothing here waits for it but what is meant to.
    config.connect_timeout = Millis(20_000);
    config.retry_interval = Millis(20);
    config
}

fn credentials(folder: &Path, name: &str) -> Security {
    let file = |kind: &str| folder.join(format!("{name}.{kind}"));
    Security::MutualTls(Credentials {
        authority: file("authority"),
        certificate: file("certificate"),
        key: file("key"),
    })
}

/// Not a test: an instance that others watch, until its input ends. Says how many others are linked with it.
#[tokio::test]
async fn child_that_lives() {
    let Some(run) = std::env::var_os("RINGBACK_TEST_RUN") else { return };
    let run = run.into_string().unwrap().parse().unwrap();
    let at: SocketAddr = std::env::var("RINGBACK_TEST_AT").unwrap().parse().unwrap();
    let security = match std::env::var_os("RINGBACK_TEST_FOLDER").map(PathBuf::from) {
        Some(folder) => credentials(&folder, &std::env::var("RINGBACK_TEST_NAME").unwrap()),
        None => Security::OneMachine,
    };
    let links = PeerLinks::open(member(at.ip(), run), config(at.port(), security)).await.unwrap();
    println!("\nopen");
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let mut watched = links.watched_by();
    loop {
        watched.changed().await.unwrap();
        println!("\nlinked {}", *watched.borrow_and_update());
    }
}

/// An instance that others watch.
struct Instance {
    child: Child,
    said: Option<Lines<BufReader<ChildStdout>>>,
}

impl Instance {
    async fn start(run: u64, port: u16, certificate: Option<(&Path, &str)>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child_that_lives", "--nocapture"]);
        let at = SocketAddr::new(*WATCHED, port);
        command.env("RINGBACK_TEST_RUN", run.to_string()).env("RINGBACK_TEST_AT", at.to_string());
        if let Some((folder, name)) = certificate {
            command.env("RINGBACK_TEST_FOLDER", folder).env("RINGBACK_TEST_NAME", name);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said = Some(BufReader::new(child.stdout.take().unwrap()).lines());
        let mut instance = Self { child, said };
        instance.says("open").await;
        instance
    }

    async fn says(&mut self, what: &'static str) {
        let mut said = self.said.take().unwrap();
        let said = tokio::task::spawn_blocking(move || {
            assert!(said.any(|line| line.unwrap() == what));
            said
        });
        self.said = Some(tokio::time::timeout(LIMIT, said).await.unwrap().unwrap());
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
        if signal == Signal::STOP {
            // It takes a moment.
            waitpid(Some(pid), WaitOptions::UNTRACED).unwrap();
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // An error says that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody who waits for the death of an instance.
struct Watch(Pin<Box<dyn Future<Output = ()>>>);

impl Watch {
    fn of(links: PeerLinks, peer: Member) -> Self {
        Self(Box::pin(async move { links.closed(peer).await }))
    }

    /// Goes on with watching while something else is waited for; it is not seen dead meanwhile.
    async fn alive_during<T>(&mut self, other: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            () = &mut self.0 => panic!("a living instance was called dead"),
            done = other => done,
        }
    }

    async fn sees_death(self) {
        tokio::time::timeout(LIMIT, self.0).await.unwrap();
    }
}

async fn watcher(port: u16, security: Security) -> PeerLinks {
    PeerLinks::open(member(*WATCHER, 1), config(port, security)).await.unwrap()
}

#[tokio::test]
async fn a_killed_process_is_dead() {
    let port = free_port();
    let mut instance = Instance::start(7, port, None).await;
    let mut watch = Watch::of(watcher(port, Security::OneMachine).await, member(*WATCHED, 7));
    watch.alive_during(instance.says("linked 1")).await;
    instance.kill();
    watch.sees_death().await;
}

#[tokio::test]
async fn a_process_that_was_killed_and_runs_again_was_dead() {
    let port = free_port();
    let mut instance = Instance::start(7, port, None).await;
    let mut watch = Watch::of(watcher(port, Security::OneMachine).await, member(*WATCHED, 7));
    watch.alive_during(instance.says("linked 1")).await;
    instance.kill();
    let _next = Instance::start(8, port, None).await;
    watch.sees_death().await;
}

#[tokio::test]
async fn a_paused_process_is_not_dead() {
    let port = free_port();
    let mut instance = Instance::start(7, port, None).await;
    let mut watch = Watch::of(watcher(port, Security::OneMachine).await, member(*WATCHED, 7));
    watch.alive_during(instance.says("linked 1")).await;
    instance.signal(Signal::STOP);
    // Its kernel still takes connections; that nobody greets proves nothing.
    let mut other = TcpStream::connect((*WATCHED, port)).await.unwrap();
    let silent = tokio::time::timeout(Duration::from_millis(200), other.read_u8());
    assert!(watch.alive_during(silent).await.is_err());
    instance.signal(Signal::CONT);
    assert_eq!(watch.alive_during(other.read_u8()).await.unwrap(), b'r');
    instance.signal(Signal::STOP);
    instance.kill();
    watch.sees_death().await;
}

/// What happens to connections on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// Each is closed at both ends, as a box that forgets it may do.
    Closed,
    /// Each is reset.
    Reset,
}

/// A way to the instance, whose connections can be broken. Counts how often one was carried.
async fn way(from: u16, to: u16) -> (watch::Sender<Way>, watch::Receiver<u32>) {
    let entrance = TcpListener::bind((*WATCHED, from)).await.unwrap();
    let (sender, state) = watch::channel(Way::Open);
    let (carried, count) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            let (mut near, _) = entrance.accept().await.unwrap();
            let mut state = state.clone();
            let mut far = TcpStream::connect(SocketAddr::new(*WATCHED, to)).await.unwrap();
            carried.send_modify(|count| *count += 1);
            tokio::spawn(async move {
                let broken = {
                    let carry = copy_bidirectional(&mut near, &mut far);
                    tokio::select! {
                        _ = carry => return,
                        way = state.wait_for(|way| *way != Way::Open) => *way.unwrap(),
                    }
                };
                if broken == Way::Reset {
                    near.set_zero_linger().unwrap();
                    far.set_zero_linger().unwrap();
                }
            });
        }
    });
    (sender, count)
}

async fn is_not_dead_when_links_are(broken: Way) {
    let (from, to) = (free_port(), free_port());
    let mut instance = Instance::start(7, to, None).await;
    let (state, mut carried) = way(from, to).await;
    let mut watch = Watch::of(watcher(from, Security::OneMachine).await, member(*WATCHED, 7));
    for times in 1..=3 {
        watch.alive_during(instance.says("linked 1")).await;
        state.send_replace(broken);
        watch.alive_during(instance.says("linked 0")).await;
        state.send_replace(Way::Open);
        // The link is made again, with the same run.
        watch.alive_during(carried.wait_for(|count| *count > times)).await.unwrap();
    }
    watch.alive_during(instance.says("linked 1")).await;
}

#[tokio::test]
async fn links_that_are_closed_on_their_way_prove_nothing() {
    is_not_dead_when_links_are(Way::Closed).await;
}

#[tokio::test]
async fn links_that_are_reset_on_their_way_prove_nothing() {
    is_not_dead_when_links_are(Way::Reset).await;
}

#[tokio::test]
async fn with_whom_there_was_no_link_of_that_nothing_is_known() {
    let port = free_port();
    let links = watcher(port, Security::OneMachine).await;
    let nobody = links.closed(member(*WATCHED, 7));
    assert!(tokio::time::timeout(Duration::from_millis(200), nobody).await.is_err());
    // Another run at the address.
    let mut instance = Instance::start(8, port, None).await;
    let mut watch = Watch::of(links, member(*WATCHED, 7));
    watch.alive_during(instance.says("linked 1")).await;
    watch.alive_during(instance.says("linked 0")).await;
    instance.kill();
    let still = tokio::time::timeout(Duration::from_millis(200), watch.0);
    assert!(still.await.is_err());
}

/// Certificates of two authorities: `one`, `two` of the first for the two addresses; `stranger` of the second.
fn certificates(folder: &Path) {
    let authority = || {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ours, other) = (authority(), authority());
    for (name, address, authority) in [
        ("one", *WATCHER, &ours),
        ("two", *WATCHED, &ours),
        ("elsewhere", *WATCHER, &ours),
        ("stranger", *WATCHED, &other),
    ] {
        let mut params = CertificateParams::new(vec![address.to_string()]).unwrap();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, authority).unwrap();
        let file =
            |kind: &str, text: String| std::fs::write(folder.join(format!("{name}.{kind}")), text).unwrap();
        file("authority", authority.pem());
        file("certificate", certificate.pem());
        file("key", key.serialize_pem());
    }
}

#[tokio::test]
async fn a_killed_process_is_dead_beyond_one_machine_too() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let port = free_port();
    let mut instance = Instance::start(7, port, Some((folder.path(), "two"))).await;
    let links = watcher(port, credentials(folder.path(), "one")).await;
    let mut watch = Watch::of(links, member(*WATCHED, 7));
    watch.alive_during(instance.says("linked 1")).await;
    instance.kill();
    watch.sees_death().await;
}

#[tokio::test]
async fn whoever_cannot_prove_who_it_is_is_not_linked_with() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    // A stranger's certificate; one for another address; none at all.
    for name in [Some("stranger"), Some("elsewhere"), None] {
        let port = free_port();
        let mut instance = Instance::start(7, port, name.map(|name| (folder.path(), name))).await;
        let links = watcher(port, credentials(folder.path(), "one")).await;
        let mut watch = Watch::of(links, member(*WATCHED, 7));
        let pause = tokio::time::sleep(Duration::from_millis(300));
        watch.alive_during(pause).await;
        instance.kill();
        let still = tokio::time::timeout(Duration::from_millis(200), watch.0);
        assert!(still.await.is_err(), "{name:?}");
    }
}

async fn refused(address: IpAddr, security: Security) -> String {
    PeerLinks::open(member(address, 1), config(free_port(), security)).await.unwrap_err().to_string()
}

#[tokio::test]
async fn what_is_configured_wrongly_is_told() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let beyond = "10.0.0.1".parse().unwrap();
    let expected = "links at 10.0.0.1 would not be protected: name the certificate authority, this instance's certificate and \
                    its key; without them only an address of this machine (127.0.0.0/8, ::1) can be used";
    assert_eq!(refused(beyond, Security::OneMachine).await, expected);

    let missing = refused(*WATCHER, credentials(folder.path(), "missing")).await;
    let file = folder.path().join("missing.authority").display().to_string();
    assert!(missing.starts_with(&format!("{file}: no certificates in PEM can be read: ")), "{missing}");

    let path = |name: &str| folder.path().join(name);
    std::fs::copy(path("one.key"), path("key.certificate")).unwrap();
    std::fs::copy(path("one.authority"), path("key.authority")).unwrap();
    let empty = refused(*WATCHER, credentials(folder.path(), "key")).await;
    let expected =
        format!("{}: there is no certificate in it: give a file in PEM", path("key.certificate").display());
    assert_eq!(empty, expected);

    std::fs::copy(path("two.key"), path("one.key")).unwrap();
    let pair = refused(*WATCHER, credentials(folder.path(), "one")).await;
    let start =
        format!("certificate {} and key {}: ", path("one.certificate").display(), path("one.key").display());
    assert!(pair.starts_with(&start), "{pair}");

    let port = free_port();
    let _first = watcher(port, Security::OneMachine).await;
    let second = PeerLinks::open(member(*WATCHER, 2), config(port, Security::OneMachine)).await;
    assert!(matches!(second, Err(PeerError::Listen { .. })), "{second:?}");
    let expected = format!(
        "no listening at {}:{port} for the other instances (Address already in use (os error 98)): another instance or \
         program is there; stop it, or give one of the two another address",
        *WATCHER
    );
    assert_eq!(second.unwrap_err().to_string(), expected);
}
