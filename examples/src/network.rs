//! Hosts that can be cut off from each other: network namespaces on this machine, joined by a bridge. Needs Linux, the
//! programs `ip`, `unshare` and `nsenter`, and root.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use crate::stage::Failure;

/// Set in the environment of a program that has a network of its own.
const INSIDE: &str = "RINGBACK_NETWORK";

const OWN: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 254);

/// The network, as long as the value lives. The program itself is on a host of it that is never cut off.
#[derive(Debug)]
pub struct Network {
    hosts: BTreeMap<IpAddr, Host>,
}

/// A namespace that is kept by a process, which ends when this program does.
#[derive(Debug)]
struct Host {
    keeper: Child,
    /// Its end of the wire at the bridge.
    port: String,
}

/// Starts this program again, with the same arguments, where it has a network of its own and can make a [`Network`]. Gives what
/// it ended with; `None` in that program itself.
///
/// # Errors
/// It cannot be started there; says what is missing.
pub fn re_enter() -> Result<Option<ExitCode>, Failure> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(None);
    }
    let mut command = Command::new("unshare");
    command.args(["--net", "--"]).arg(std::env::current_exe()?).args(std::env::args_os().skip(1));
    let ended = command.env(INSIDE, "yes").status().map_err(|error| missing("unshare", &error))?;
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    Ok(Some(code.map_or(ExitCode::FAILURE, ExitCode::from)))
}

fn missing(program: &str, reason: &dyn std::fmt::Display) -> Failure {
    format!("{program}: {reason}; hosts that can be cut off need Linux, iproute2, util-linux, and root")
        .into()
}

fn run(program: &str, arguments: &[&str]) -> Result<(), Failure> {
    let output = Command::new(program).args(arguments).output().map_err(|error| missing(program, &error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(missing(&format!("{program} {}", arguments.join(" ")), &said.trim()))
}

fn ip(words: &str) -> Result<(), Failure> {
    run("ip", &words.split(' ').collect::<Vec<_>>())
}

impl Network {
    /// A network with a host for each of so many instances: see [`address`](Self::address).
    ///
    /// # Errors
    /// This program has no network of its own ([`re_enter`]), or something is missing.
    pub fn with_hosts(number: u8) -> Result<Self, Failure> {
        if std::env::var_os(INSIDE).is_none() {
            return Err("this would change the network of the machine: it is made after re_enter only".into());
        }
        ip("link set lo up")?;
        ip("link add hosts type bridge")?;
        ip(&format!("addr add {OWN}/24 dev hosts"))?;
        ip("link set hosts up")?;
        let mut network = Self { hosts: BTreeMap::new() };
        for number in 1..=number {
            let address = Self::address(number);
            network.hosts.insert(address, Host::new(number, address)?);
        }
        Ok(network)
    }

    /// The address of a host, counted from 1; lower ones have lower addresses.
    #[must_use]
    pub fn address(number: u8) -> IpAddr {
        Ipv4Addr::new(10, 99, 0, number).into()
    }

    /// The address of this program.
    #[must_use]
    pub fn own_address(&self) -> Ipv4Addr {
        OWN
    }

    /// All addresses.
    #[must_use]
    pub fn range(&self) -> String {
        "10.99.0.0/24".to_owned()
    }

    /// A program on a host.
    ///
    /// # Errors
    /// There is no such host.
    pub fn command(&self, host: IpAddr, program: &Path) -> Result<Command, Failure> {
        let mut command = Command::new("nsenter");
        command.arg(self.host(host)?.namespace()).arg("--").arg(program);
        Ok(command)
    }

    /// From now on nothing comes through between this host and all others, and nobody is told.
    ///
    /// # Errors
    /// There is no such host.
    pub fn cut(&self, host: IpAddr) -> Result<(), Failure> {
        ip(&format!("link set {} down", self.host(host)?.port))
    }

    /// Everything comes through again.
    ///
    /// # Errors
    /// There is no such host.
    pub fn heal(&self, host: IpAddr) -> Result<(), Failure> {
        ip(&format!("link set {} up", self.host(host)?.port))
    }

    fn host(&self, address: IpAddr) -> Result<&Host, Failure> {
        self.hosts.get(&address).ok_or_else(|| format!("there is no host {address}").into())
    }
}

impl Host {
    fn new(number: u8, address: IpAddr) -> Result<Self, Failure> {
        let mut keeper = Command::new("unshare");
        // It reads until this program ends.
        keeper.args(["--net", "--", "sh", "-c", "echo made; read -r _"]);
        let mut keeper = keeper
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| missing("unshare", &error))?;
        let mut said = String::new();
        if let Some(output) = keeper.stdout.take() {
            BufReader::new(output).read_line(&mut said)?;
        }
        let host = Self { keeper, port: format!("host{number}") };
        if said.trim() != "made" {
            return Err(missing("unshare --net", &"no namespace was made"));
        }
        let (port, pid) = (&host.port, host.keeper.id());
        ip(&format!("link add {port} type veth peer name wire netns {pid}"))?;
        ip(&format!("link set {port} master hosts up"))?;
        for words in ["link set lo up", &format!("addr add {address}/24 dev wire"), "link set wire up"] {
            let mut arguments = vec![host.namespace(), "ip".to_owned()];
            arguments.extend(words.split(' ').map(str::to_owned));
            run("nsenter", &arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        Ok(host)
    }

    fn namespace(&self) -> String {
        format!("--net=/proc/{}/ns/net", self.keeper.id())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Started here; an error means that it has ended.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
