//! The election algorithm against `testdata/order.txt`.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::net::IpAddr;

use ringback_election::{Candidates, Incarnation, Member, RankingError};
use ringback_model::Timestamp;

fn member(word: &str, line: usize) -> Member {
    let (address, run) = word.split_once('#').unwrap_or((word, ""));
    let address: IpAddr = address.parse().unwrap_or_else(|error| panic!("line {line}: {address}: {error}"));
    // Without a run every address is a run of its own.
    let run = if run.is_empty() { 1_000_000 + line as u64 } else { run.parse().unwrap() };
    Member::new(address, Incarnation(run), Timestamp(0))
}

fn told(ranked: &Result<Vec<Member>, RankingError>) -> String {
    match ranked {
        Ok(order) if order.is_empty() => "nobody".to_owned(),
        Ok(order) => order.iter().map(|member| member.address.to_string()).collect::<Vec<_>>().join(" "),
        Err(error) => format!("refused {error}"),
    }
}

#[test]
fn order_table() {
    let mut candidates = Candidates::default();
    let mut live: Vec<Member> = Vec::new();
    let mut checked = 0;
    for (index, text) in include_str!("../testdata/order.txt").lines().enumerate() {
        let line = index + 1;
        if text.starts_with('#') {
            continue;
        }
        let (action, expected) = text.split_once("=>").unwrap_or((text, ""));
        let words: Vec<&str> = action.split_whitespace().collect();
        let mut tried = live.clone();
        match words.as_slice() {
            [] => continue,
            ["case", ..] => {
                candidates = Candidates::default();
                live.clear();
                continue;
            }
            ["networks", networks @ ..] => {
                candidates.networks = networks.iter().map(|network| network.parse().unwrap()).collect();
                continue;
            }
            ["ipv6", "first"] => {
                candidates.ipv6_first = true;
                continue;
            }
            ["join", word] => tried.push(member(word, line)),
            ["leave", word] => {
                let gone = member(word, line);
                let run = word.contains('#');
                let before = tried.len();
                tried.retain(|known| {
                    known.address != gone.address || (run && known.incarnation != gone.incarnation)
                });
                assert_eq!(tried.len() + 1, before, "line {line}: {word} is not live");
            }
            ["readdress", run, address] => tried.push(member(&format!("{address}#{run}"), line)),
            _ => panic!("line {line}: not understood: {text}"),
        }
        let ranked = candidates.rank(&tried);
        let (told, expected) = (told(&ranked), expected.trim());
        match expected.strip_prefix("refused ") {
            Some(part) => assert!(told.starts_with("refused") && told.contains(part), "line {line}: {told}"),
            None => assert_eq!(told, expected, "line {line}"),
        }
        if ranked.is_ok() {
            live = tried;
        }
        checked += 1;
    }
    assert!(checked > 35, "only {checked} steps were found");
}

#[test]
fn the_order_does_not_depend_on_who_came_first() {
    let candidates = Candidates::default();
    let addresses: Vec<IpAddr> =
        ["10.0.0.10", "10.0.0.9", "fd00::1", "::ffff:10.0.0.9"].map(|text| text.parse().unwrap()).into();
    let forwards = candidates.order(addresses.iter().copied());
    let backwards = candidates.order(addresses.iter().rev().copied());
    assert_eq!(forwards, backwards);
    assert_eq!(forwards.len(), 3, "one address was named twice");
}
