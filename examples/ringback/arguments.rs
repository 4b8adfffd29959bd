//! The command line.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use ringback::model::Group;

/// Call Back with a simulated call manager: type `help` at the prompt. With --config: one instance of the service alone.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    /// The folder for the database and the traces. It is made if it does not exist.
    #[arg(long, default_value = "ringback-data", value_name = "FOLDER", global = true)]
    pub(crate) data: PathBuf,
    /// The port on 127.0.0.1 at which the simulated CTIManager listens; 0 takes any that is free. A second CTIManager
    /// takes the next port.
    #[arg(long, default_value_t = 2748, value_name = "PORT")]
    cti_port: u16,
    /// A cluster of so many instances (127.0.0.1, 127.0.0.2, ...) and two CTIManagers, all in this process.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=32))]
    instances: Option<u8>,
    /// A folder of dictionaries (`*.xml`) that replace the built-in ones of their locales.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dictionaries: Option<PathBuf>,
    /// Write numbers and names of phones into the traces.
    #[arg(long, global = true)]
    pub(crate) reveal_personal_data: bool,
    /// Run one instance of the service alone, as this file says, until SIGTERM or SIGINT; no prompt.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cti_port", "instances", "dictionaries"])]
    config: Option<PathBuf>,
    /// Only check the file.
    #[arg(long, requires = "config")]
    check: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Only the simulated call manager, its CTIManagers and the prompt: the service runs in processes of its own, with
    /// the database in the --data folder.
    Simulator {
        /// Where its CTIManagers listen, for example 127.0.0.1:2748,2749.
        #[arg(long, value_name = "HOST:PORT[,PORT]", value_parser = addresses)]
        listen: Addresses,
        /// The group that its phones belong to in the database.
        #[arg(long, value_name = "NAME", default_value_t, value_parser = |name: &str| Group::new(name))]
        group: Group,
    },
    /// Look at the Asterisk that FILE names, and print what to change there, line by line. Exit status: 0 nothing, 1
    /// something, 2 it could not be looked at. If FILE has several groups: at the Asterisk of each that has one.
    Doctor {
        /// The configuration of the service.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Only the Asterisk of this group.
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
    },
    /// Show or set the service parameters that the instances of FILE obey; they follow while they run.
    Parameters {
        /// The configuration of the service.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Only those of this group; to set one, it has to be said if FILE has several groups.
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        /// Only this one, for example "Call Back Recall Timer".
        name: Option<String>,
        /// Its new value; `default` takes back what was set.
        value: Option<String>,
    },
    /// Show the instances that run on this machine as FILE says: what each is and whom it reaches.
    Status {
        /// The configuration of the service.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Only what they are for this group.
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        /// For a program.
        #[arg(long)]
        json: bool,
    },
}

/// What is to be done.
pub(crate) enum Task<'a> {
    /// To run one instance, or to check its configuration.
    Serve {
        config: &'a Path,
        check: bool,
    },
    /// To play with simulated phones.
    Play,
    Doctor {
        config: &'a Path,
        group: Option<&'a str>,
    },
    Parameters {
        config: &'a Path,
        group: Option<&'a str>,
        name: Option<&'a str>,
        value: Option<&'a str>,
    },
    Status {
        config: &'a Path,
        group: Option<&'a str>,
        json: bool,
    },
}

/// Several, so that the command line takes them as one value.
#[derive(Debug, Clone)]
struct Addresses(Vec<SocketAddr>);

fn addresses(text: &str) -> Result<Addresses, String> {
    const EXPECTED: &str = "expected an address and a port, then further ports: 127.0.0.1:2748,2749";
    let mut parts = text.split(',');
    let first: SocketAddr = parts.next().unwrap_or_default().parse().map_err(|_| EXPECTED.to_owned())?;
    let mut addresses = vec![first];
    for port in parts {
        let port: u16 = port.trim().parse().map_err(|_| EXPECTED.to_owned())?;
        addresses.push(SocketAddr::new(first.ip(), port));
    }
    Ok(Addresses(addresses))
}

impl Arguments {
    pub(crate) fn task(&self) -> Task<'_> {
        match &self.command {
            Some(Command::Doctor { config, group }) => Task::Doctor { config, group: group.as_deref() },
            Some(Command::Parameters { config, group, name, value }) => Task::Parameters {
                config,
                group: group.as_deref(),
                name: name.as_deref(),
                value: value.as_deref(),
            },
            Some(Command::Status { config, group, json }) => {
                Task::Status { config, group: group.as_deref(), json: *json }
            }
            Some(Command::Simulator { .. }) => Task::Play,
            None => match &self.config {
                Some(config) => Task::Serve { config, check: self.check },
                None => Task::Play,
            },
        }
    }

    /// The group of the simulated call manager.
    pub(crate) fn group(&self) -> Group {
        match &self.command {
            Some(Command::Simulator { group, .. }) => group.clone(),
            _ => Group::default(),
        }
    }

    /// Where the CTIManagers listen.
    pub(crate) fn listen(&self) -> Vec<SocketAddr> {
        if let Some(Command::Simulator { listen, .. }) = &self.command {
            return listen.0.clone();
        }
        let managers = if self.instances.is_some() { 2 } else { 1 };
        let port = |index| if self.cti_port == 0 { 0 } else { self.cti_port.saturating_add(index) };
        (0..managers).map(|index| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port(index))).collect()
    }

    /// The instances that run in this process.
    pub(crate) fn nodes(&self) -> Vec<IpAddr> {
        match self.command {
            Some(Command::Simulator { .. }) => Vec::new(),
            _ => {
                let node = |number| IpAddr::V4(Ipv4Addr::new(127, 0, 0, number));
                (1..=self.instances.unwrap_or(1)).map(node).collect()
            }
        }
    }
}
