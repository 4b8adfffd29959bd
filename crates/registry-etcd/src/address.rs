use std::fmt;

use secrecy::SecretString;

use crate::error::OpenError;

const PORT: u16 = 2379;
const PREFIX: &str = "/ringback";

/// Where a cluster is, who we are there, and under which prefix the keys are.
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) encrypted: bool,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<SecretString>,
    /// Begins with a slash, does not end with one.
    pub(crate) prefix: String,
}

/// One server of the cluster. An IPv6 address is without its brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Address {
    /// Takes `https://USER:PASSWORD@HOST:PORT,HOST:PORT/PREFIX` apart. What is wrong is told without the address, which
    /// may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self, OpenError> {
        let wrong = |reason: &str| OpenError::Address { reason: reason.to_owned() };
        let (encrypted, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(wrong("begins with neither http:// nor https://")),
        };
        if rest.contains(['?', '#']) {
            return Err(wrong(
                "holds ? or #, which it has no use for (in a password write them as %3F and %23)",
            ));
        }
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let (login, hosts) = authority.rsplit_once('@').map_or((None, authority), |(l, h)| (Some(l), h));
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, ""))) {
            None => (None, None),
            Some(("", _)) => return Err(wrong("has a password without a user")),
            Some((user, password)) => {
                let plain = |text| decoded(text).ok_or_else(|| wrong("has a % that is no %XX in its login"));
                let password = Some(plain(password)?).filter(|password| !password.is_empty());
                (Some(plain(user)?), password.map(SecretString::from))
            }
        };
        let endpoints = hosts
            .split(',')
            .map(|host| Endpoint::parse(host).ok_or_else(|| wrong("has a host that is no HOST or HOST:PORT")))
            .collect::<Result<_, _>>()?;
        let prefix = match path.trim_end_matches('/') {
            "" => PREFIX.to_owned(),
            prefix => prefix.to_owned(),
        };
        Ok(Self { encrypted, endpoints, user, password, prefix })
    }
}

impl Endpoint {
    fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '[' | ']' | '@');
        if host.is_empty() || host.contains(odd) {
            return None;
        }
        let port = port.map_or(Some(PORT), |port| port.parse().ok().filter(|port| *port != 0))?;
        Some(Self { host: host.to_owned(), port })
    }
}

/// Undoes `%XX`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (code, others) = rest.split_at_checked(2)?;
        let high = char::from(code[0]).to_digit(16)?;
        let low = char::from(code[1]).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
        rest = others;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// Encrypted, hosts, user, password, prefix.
    fn told(text: &str) -> String {
        let address = match Address::parse(text) {
            Ok(address) => address,
            Err(error) => return error.to_string(),
        };
        let hosts: Vec<String> = address.endpoints.iter().map(ToString::to_string).collect();
        let password = address.password.as_ref().map(|password| password.expose_secret().to_owned());
        let (user, hosts) = (address.user, hosts.join(" "));
        format!("{} {hosts} {user:?} {password:?} {}", address.encrypted, address.prefix)
    }

    #[test]
    fn addresses() {
        let cases = [
            ("http://e1", "false e1:2379 None None /ringback"),
            ("http://127.0.0.1:4000/", "false 127.0.0.1:4000 None None /ringback"),
            (
                "https://e1,e2:1,[2001:db8::1]:2,[::1]/a/b",
                "true e1:2379 e2:1 [2001:db8::1]:2 [::1]:2379 None None /a/b",
            ),
            ("https://me:secret@e1/x/", "true e1:2379 Some(\"me\") Some(\"secret\") /x"),
            ("https://m%40e:a%2Fb:%25@e1", "true e1:2379 Some(\"m@e\") Some(\"a/b:%\") /ringback"),
            ("https://me@e1", "true e1:2379 Some(\"me\") None /ringback"),
        ];
        for (text, expected) in cases {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        let cases = [
            ("e1:2379", "begins with neither http:// nor https://"),
            ("etcd://e1", "begins with neither http:// nor https://"),
            ("http://", "has a host that is no HOST or HOST:PORT"),
            ("http://e1,,e2", "has a host that is no HOST or HOST:PORT"),
            ("http://e1:0", "has a host that is no HOST or HOST:PORT"),
            ("http://e1:99999", "has a host that is no HOST or HOST:PORT"),
            ("http://[::1", "has a host that is no HOST or HOST:PORT"),
            ("http://::1", "has a host that is no HOST or HOST:PORT"),
            ("http://:secret@e1", "has a password without a user"),
            ("http://me:100%@e1", "has a % that is no %XX in its login"),
            ("http://me:100%€@e1", "has a % that is no %XX in its login"),
            (
                "http://e1/a?b=c",
                "holds ? or #, which it has no use for (in a password write them as %3F and %23)",
            ),
        ];
        for (text, reason) in cases {
            let expected = format!(
                "the address of etcd {reason}: write https://USER:PASSWORD@HOST:PORT,HOST:PORT/PREFIX"
            );
            assert_eq!(told(text), expected, "{text}");
        }
    }
}
