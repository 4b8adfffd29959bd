//! Which of a machine's addresses is the instance's own.

use std::fmt::Write;
use std::io;
use std::net::IpAddr;

use ipnet::IpNet;
use thiserror::Error;

/// Why no address could be chosen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The machine has none in these networks.
    #[error(
        "this machine has no address in {}: it has {}; name a network that one of them is in",
        list(networks),
        list(has)
    )]
    None {
        /// The networks.
        networks: Vec<IpNet>,
        /// What it has.
        has: Vec<IpAddr>,
    },
    /// The system does not tell.
    #[error("the addresses of this machine cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

fn list(items: &[impl ToString]) -> String {
    let mut text = String::new();
    for item in items {
        let separator = if text.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(text, "{separator}{}", item.to_string());
    }
    if text.is_empty() { "none".to_owned() } else { text }
}

/// The address of this machine in the first of these networks in which it has one; the lowest, if it has several there.
///
/// # Errors
/// It has none there.
pub fn own_address(networks: &[IpNet]) -> Result<IpAddr, AddressError> {
    let has = if_addrs::get_if_addrs()?.into_iter().map(|interface| interface.ip().to_canonical());
    choose(networks, has.collect())
}

fn choose(networks: &[IpNet], mut has: Vec<IpAddr>) -> Result<IpAddr, AddressError> {
    // As numbers: 10.0.0.9 is below 10.0.0.10.
    has.sort_unstable();
    has.dedup();
    let chosen = networks.iter().find_map(|network| has.iter().find(|address| network.contains(*address)));
    chosen.copied().ok_or_else(|| AddressError::None { networks: networks.to_vec(), has })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(networks: &[&str], has: &[&str]) -> Result<String, String> {
        let networks: Vec<IpNet> = networks.iter().map(|network| network.parse().unwrap()).collect();
        let has = has.iter().map(|address| address.parse().unwrap()).collect();
        choose(&networks, has).map(|address| address.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_first_network_counts_then_the_lowest_address() {
        let has = ["127.0.0.1", "10.0.0.10", "10.0.0.9", "192.168.7.3", "2001:db8::7"];
        assert_eq!(chosen(&["10.0.0.0/8"], &has), Ok("10.0.0.9".to_owned()));
        assert_eq!(chosen(&["192.168.0.0/16", "10.0.0.0/8"], &has), Ok("192.168.7.3".to_owned()));
        assert_eq!(chosen(&["172.16.0.0/12", "2001:db8::/32"], &has), Ok("2001:db8::7".to_owned()));
    }

    #[test]
    fn none_is_told_with_what_there_is() {
        let expected = "this machine has no address in 10.0.0.0/8, 10.1.0.0/16: it has 127.0.0.1, 192.168.7.3; name a network \
                        that one of them is in";
        assert_eq!(
            chosen(&["10.0.0.0/8", "10.1.0.0/16"], &["192.168.7.3", "127.0.0.1"]),
            Err(expected.to_owned())
        );
        let expected =
            "this machine has no address in none: it has none; name a network that one of them is in";
        assert_eq!(chosen(&[], &[]), Err(expected.to_owned()));
    }

    #[test]
    fn a_machine_has_its_loopback() {
        assert_eq!(own_address(&["127.0.0.0/8".parse().unwrap()]).unwrap().to_string(), "127.0.0.1");
    }
}
