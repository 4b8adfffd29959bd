//! Which keys there are, and what they hold. For people, too: `etcdctl get --prefix /ringback/` shows who is live and who
//! acts.

use std::net::IpAddr;

use ringback_election::{Incarnation, Lease, Member, Presence};
use ringback_model::{Epoch, Group, Millis, Timestamp};
use serde::{Deserialize, Serialize, de};

/// The keys of all groups.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// Begins with a slash, does not end with one.
    prefix: String,
}

/// Which of its group a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The group's own: never ends.
    Head,
    /// There while the active's lease is in force.
    Office,
    /// There while the instance is live.
    Member(IpAddr),
    /// Of a newer version, perhaps.
    Unknown,
}

impl Keys {
    pub(crate) fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }

    pub(crate) fn head(&self, group: &Group) -> String {
        format!("{}/{group}/head", self.prefix)
    }

    pub(crate) fn office(&self, group: &Group) -> String {
        format!("{}/{group}/office", self.prefix)
    }

    pub(crate) fn member(&self, group: &Group, address: IpAddr) -> String {
        format!("{}/{group}/member/{address}", self.prefix)
    }

    /// From which key up to before which all keys of a group are, and no other.
    pub(crate) fn of(&self, group: &Group) -> (String, String) {
        // What comes after a slash is a zero.
        (format!("{}/{group}/", self.prefix), format!("{}/{group}0", self.prefix))
    }

    /// The same for all groups.
    pub(crate) fn of_all(&self) -> (String, String) {
        (format!("{}/", self.prefix), format!("{}0", self.prefix))
    }

    /// The name of the group to which a key belongs, and which of its keys it is.
    pub(crate) fn place<'a>(&self, key: &'a [u8]) -> Option<(&'a str, Place)> {
        let rest = std::str::from_utf8(key).ok()?.strip_prefix(&self.prefix)?.strip_prefix('/')?;
        let (group, name) = rest.split_once('/')?;
        let place = match name {
            "head" => Place::Head,
            "office" => Place::Office,
            _ => match name.strip_prefix("member/").map(str::parse) {
                Some(Ok(address)) => Place::Member(address),
                _ => Place::Unknown,
            },
        };
        Some((group, place))
    }
}

/// What is remembered of a group for ever: its highest epoch, and its last lease. Each change of the group writes it, too,
/// and only if it is as it was: so changes come one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The moment of the change, by the registry's time.
    pub(crate) at_ms: u64,
    pub(crate) epoch: u64,
    #[serde(default)]
    pub(crate) lease: Option<Term>,
}

/// A lease as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Term {
    address: IpAddr,
    #[serde(with = "hexadecimal")]
    incarnation: u64,
    started_ms: u64,
    epoch: u64,
    granted_ms: u64,
    length_ms: u64,
    /// When it was given back, or its holder proven dead.
    ended_ms: Option<u64>,
}

/// The active's lease; ends with its lease of etcd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Office {
    pub(crate) address: IpAddr,
    #[serde(with = "hexadecimal")]
    pub(crate) incarnation: u64,
    pub(crate) epoch: u64,
    pub(crate) length_ms: u64,
    /// How long the lease of etcd lasts.
    pub(crate) seconds: u64,
}

/// An instance; ends with its lease of etcd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(with = "hexadecimal")]
    pub(crate) incarnation: u64,
    pub(crate) started_ms: u64,
    pub(crate) joined_ms: u64,
    pub(crate) ready: bool,
    pub(crate) length_ms: u64,
    /// How long the lease of etcd lasts.
    pub(crate) seconds: u64,
}

impl Head {
    pub(crate) fn new(at: Timestamp, epoch: Epoch, lease: Option<Term>) -> Self {
        Self { at_ms: at.0, epoch: epoch.0, lease }
    }
}

impl Term {
    /// A lease that was just given.
    pub(crate) fn given(lease: &Lease) -> Self {
        Self {
            address: lease.holder.address,
            incarnation: lease.holder.incarnation.0,
            started_ms: lease.holder.started.0,
            epoch: lease.epoch.0,
            granted_ms: lease.granted.0,
            length_ms: lease.expires.since(lease.granted).0,
            ended_ms: None,
        }
    }

    pub(crate) fn ended(self, at: Timestamp) -> Self {
        Self { ended_ms: Some(at.0), ..self }
    }

    /// `office`: while it is in force.
    pub(crate) fn lease(&self, now: Timestamp, office: Option<&Office>) -> Lease {
        let first_end = Timestamp(self.granted_ms) + Millis(self.length_ms);
        let expires = match (self.ended_ms, office) {
            (Some(ended), _) => Timestamp(ended),
            // Renewals are not on record. It may have been renewed this very moment, and it has been if its first length is
            // nearly over.
            (None, Some(office)) if first_end.since(now).0 <= office.length_ms / 2 => {
                now + Millis(office.length_ms.max(1))
            }
            (None, Some(_)) => first_end,
            (None, None) => first_end.min(now),
        };
        Lease {
            holder: Member {
                address: self.address,
                incarnation: Incarnation(self.incarnation),
                started: Timestamp(self.started_ms),
            },
            epoch: Epoch(self.epoch),
            granted: Timestamp(self.granted_ms),
            expires,
            released: self.ended_ms.is_some(),
        }
    }

    pub(crate) fn is_of(&self, office: &Office) -> bool {
        (self.address, self.incarnation, self.epoch) == (office.address, office.incarnation, office.epoch)
    }
}

impl Entry {
    pub(crate) fn presence(&self, address: IpAddr, now: Timestamp) -> Presence {
        Presence {
            member: Member {
                address,
                incarnation: Incarnation(self.incarnation),
                started: Timestamp(self.started_ms),
            },
            joined: Timestamp(self.joined_ms),
            // It may have reported this very moment.
            until: now + Millis(self.length_ms.max(1)),
            ready: self.ready,
        }
    }
}

/// Numbers of runs as people see them elsewhere.
mod hexadecimal {
    use super::{Deserialize, de};

    pub(super) fn serialize<S: serde::Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{number:x}"))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map_err(|_| de::Error::custom("no hexadecimal number"))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    fn group(name: &str) -> Group {
        Group::new(name).unwrap()
    }

    #[test]
    fn the_keys_of_a_group() {
        let (keys, group) = (Keys::new("/site/ringback"), group("north"));
        let member = |address: &str| keys.member(&group, address.parse().unwrap());
        assert_eq!(keys.head(&group), "/site/ringback/north/head");
        assert_eq!(keys.office(&group), "/site/ringback/north/office");
        assert_eq!(member("10.0.0.1"), "/site/ringback/north/member/10.0.0.1");
        assert_eq!(member("2001:DB8:0::1"), "/site/ringback/north/member/2001:db8::1");
        let of = ("/site/ringback/north/".to_owned(), "/site/ringback/north0".to_owned());
        assert_eq!(keys.of(&group), of);
        assert_eq!(keys.of_all(), ("/site/ringback/".to_owned(), "/site/ringback0".to_owned()));
    }

    #[test]
    fn what_is_no_key_of_ours() {
        let keys = Keys::new("/ringback");
        for other in [
            "/ringback",
            "/ringback/",
            "/ringback/x",
            "/ringback2/x/head",
            "/other/x/head",
            "ringback/x/head",
        ] {
            assert_eq!(keys.place(other.as_bytes()), None, "{other}");
        }
        assert_eq!(keys.place(b"/ringback/\xff/head"), None);
        for unknown in ["/ringback/x/", "/ringback/x/heads", "/ringback/x/member/here", "/ringback/x/member/"]
        {
            assert_eq!(keys.place(unknown.as_bytes()), Some(("x", Place::Unknown)), "{unknown}");
        }
    }

    #[test]
    fn values_as_they_are_kept() {
        let holder = Member::new(Ipv4Addr::new(10, 0, 0, 1).into(), Incarnation(u64::MAX), Timestamp(3));
        let lease = Lease {
            holder,
            epoch: Epoch(7),
            granted: Timestamp(1000),
            expires: Timestamp(3000),
            released: false,
        };
        let head = Head::new(Timestamp(1000), Epoch(7), Some(Term::given(&lease)));
        let text = r#"{"at_ms":1000,"epoch":7,"lease":{"address":"10.0.0.1","incarnation":"ffffffffffffffff","started_ms":3,"epoch":7,"granted_ms":1000,"length_ms":2000,"ended_ms":null}}"#;
        assert_eq!(serde_json::to_string(&head).unwrap(), text);
        assert_eq!(serde_json::from_str::<Head>(text).unwrap(), head);
        // What a newer version adds does no harm.
        let text = r#"{"incarnation":"1f","started_ms":1,"joined_ms":2,"ready":true,"length_ms":3,"seconds":4,"new":5}"#;
        let entry: Entry = serde_json::from_str(text).unwrap();
        assert_eq!((entry.incarnation, entry.seconds), (31, 4));
    }

    #[test]
    fn how_long_a_lease_is_told_to_last() {
        let holder = Member::new(Ipv4Addr::new(10, 0, 0, 1).into(), Incarnation(1), Timestamp(0));
        let given = Lease {
            holder,
            epoch: Epoch(1),
            granted: Timestamp(1000),
            expires: Timestamp(3000),
            released: false,
        };
        let term = Term::given(&given);
        let office =
            Office { address: holder.address, incarnation: 1, epoch: 1, length_ms: 2000, seconds: 2 };
        let told = |term: &Term, now, office| {
            let lease = term.lease(Timestamp(now), office);
            (lease.expires.0, lease.released)
        };
        // In force: as given at first, then as if renewed just now.
        assert_eq!(told(&term, 1000, Some(&office)), (3000, false));
        assert_eq!(told(&term, 1999, Some(&office)), (3000, false));
        assert_eq!(told(&term, 2000, Some(&office)), (4000, false));
        assert_eq!(told(&term, 9000, Some(&office)), (11000, false));
        // Ended by etcd, perhaps before its time, as it seems from here.
        assert_eq!(told(&term, 2500, None), (2500, false));
        assert_eq!(told(&term, 9000, None), (3000, false));
        // Given back.
        assert_eq!(told(&term.ended(Timestamp(1500)), 9000, None), (1500, true));
    }

    fn names() -> impl Strategy<Value = Group> {
        "[a-zA-Z0-9äßあ._-]{1,12}".prop_map(|name| group(&name))
    }

    fn prefixes() -> impl Strategy<Value = Keys> {
        "(/[a-z0-9]{0,4}){1,3}".prop_map(|prefix| Keys::new(prefix.trim_end_matches('/')))
    }

    fn inside(key: &str, (from, to): &(String, String)) -> bool {
        from.as_str() <= key && key < to.as_str()
    }

    proptest! {
        #[test]
        fn every_key_is_found_again_and_only_in_its_own_group(
            keys in prefixes(), one in names(), other in names(), address in any::<IpAddr>(),
        ) {
            let cases = [
                (keys.head(&one), Place::Head),
                (keys.office(&one), Place::Office),
                (keys.member(&one, address), Place::Member(address)),
            ];
            for (key, place) in cases {
                prop_assert_eq!(keys.place(key.as_bytes()), Some((one.as_str(), place)));
                prop_assert!(inside(&key, &keys.of(&one)) && inside(&key, &keys.of_all()));
                prop_assert_eq!(inside(&key, &keys.of(&other)), one == other);
            }
        }

        #[test]
        fn what_is_written_is_read(
            incarnation in any::<u64>(), started_ms in any::<u64>(), ready in any::<bool>(), seconds in any::<u64>(),
        ) {
            let entry = Entry { incarnation, started_ms, joined_ms: 1, ready, length_ms: 2, seconds };
            let text = serde_json::to_string(&entry).unwrap();
            prop_assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
        }
    }
}
