use std::path::PathBuf;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::error::OpenError;

/// How a connection is protected, by the word of `sslmode` in the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Protection {
    /// `disable`: never encrypted.
    Disable,
    /// `prefer`, the default: encrypted if the server can; nobody is proven.
    Prefer,
    /// `require`: always encrypted, but the server is not proven to be the one that is named.
    Require,
    /// `verify-full`: always encrypted, and the server proves its name by a certificate of these authorities, or of those
    /// that the system trusts.
    VerifyFull(Option<PathBuf>),
}

/// Where a database is, and how it is reached.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) config: Config,
    pub(crate) protection: Protection,
    /// For people: without the password.
    pub(crate) place: String,
}

impl Address {
    /// Takes out what tokio-postgres does not know, and leaves the rest to it.
    pub(crate) fn parse(address: &str) -> Result<Self, OpenError> {
        let refused = |reason: &str| OpenError::Address { reason: reason.to_owned() };
        if !address.starts_with("postgres://") && !address.starts_with("postgresql://") {
            return Err(refused("does not begin with postgres://"));
        }
        let (front, query) = address.split_once('?').unwrap_or((address, ""));
        let (mut mode, mut authorities, mut rest) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", word)) => mode = Some(word),
                Some(("sslrootcert", path)) => {
                    authorities = Some(PathBuf::from(
                        decoded(path).ok_or_else(|| refused("has a sslrootcert that is not text"))?,
                    ));
                }
                _ => rest.push(pair),
            }
        }
        let protection = match mode {
            Some("disable") => Protection::Disable,
            None | Some("prefer") => Protection::Prefer,
            Some("require") => Protection::Require,
            Some("verify-full") => Protection::VerifyFull(authorities.take()),
            Some(_) => {
                return Err(refused(
                    "has an unknown sslmode (disable, prefer, require, verify-full are known)",
                ));
            }
        };
        if authorities.is_some() {
            return Err(refused("has a sslrootcert, which only sslmode=verify-full looks at"));
        }
        let plain = if rest.is_empty() { front.to_owned() } else { format!("{front}?{}", rest.join("&")) };
        // Its own message may quote what it could not read: a password, for example.
        let mut config: Config = plain.parse().map_err(|error: tokio_postgres::Error| {
            refused(&format!("cannot be read ({})", without_quotes(&error)))
        })?;
        if config.get_hosts().is_empty() {
            return Err(refused("names no host"));
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(refused("names no database"));
        }
        config.ssl_mode(match protection {
            Protection::Disable => SslMode::Disable,
            Protection::Prefer => SslMode::Prefer,
            Protection::Require | Protection::VerifyFull(_) => SslMode::Require,
        });
        // Of several hosts the one that can be written: after a promotion that is another one.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let place = place(&config);
        Ok(Self { config, protection, place })
    }
}

/// `host:port,host:port/database as user NAME`.
fn place(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(index, host)| {
            let port = ports.get(index).or_else(|| ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                #[cfg(unix)]
                Host::Unix(path) => format!("{}:{port}", path.display()),
            }
        })
        .collect();
    let user = config.get_user().map(|user| format!(" as user {user}")).unwrap_or_default();
    format!("{}/{}{user}", hosts.join(","), config.get_dbname().unwrap_or_default())
}

fn without_quotes(error: &tokio_postgres::Error) -> String {
    let text = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    text.split('`').step_by(2).collect::<Vec<_>>().join("...")
}

/// Undoes `%XX`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(address: &str) -> String {
        match Address::parse(address) {
            Ok(_) => "it was taken".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_address_tells_its_place_without_the_password() {
        let address = Address::parse("postgres://ann:s3cret@db1:5433,db2:5434/pbx").unwrap();
        assert_eq!(address.place, "db1:5433,db2:5434/pbx as user ann");
        assert_eq!(address.protection, Protection::Prefer);
        let address = Address::parse("postgresql://db1/pbx?connect_timeout=3").unwrap();
        assert_eq!(address.place, "db1:5432/pbx");
    }

    #[test]
    fn every_mode_of_protection_is_known() {
        let of = |query: &str| Address::parse(&format!("postgres://h/d?{query}")).unwrap().protection;
        assert_eq!(of("sslmode=disable"), Protection::Disable);
        assert_eq!(of("sslmode=prefer&application_name=x"), Protection::Prefer);
        assert_eq!(of("sslmode=require"), Protection::Require);
        assert_eq!(of("sslmode=verify-full"), Protection::VerifyFull(None));
        let path = Some(PathBuf::from("/etc/my ca.pem"));
        assert_eq!(of("sslrootcert=/etc/my%20ca.pem&sslmode=verify-full"), Protection::VerifyFull(path));
    }

    #[test]
    fn what_is_no_address_is_named_without_the_password() {
        let advice = ": write postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full";
        let cases = [
            ("sqlite.db", "does not begin with postgres://"),
            (
                "postgres://u:s3cret@h/d?sslmode=verify",
                "has an unknown sslmode (disable, prefer, require, verify-full are known)",
            ),
            ("postgres://h/d?sslrootcert=a", "has a sslrootcert, which only sslmode=verify-full looks at"),
            ("postgres://u:s3cret@h", "names no database"),
            ("postgres:///d", "names no host"),
        ];
        for (address, reason) in cases {
            assert_eq!(refusal(address), format!("the address of the database {reason}{advice}"));
        }
        for address in ["postgres://u:s3cret@h:port/d", "postgres://h/d?s3cret=1"] {
            let told = refusal(address);
            assert!(told.starts_with("the address of the database cannot be read"), "{told}");
            assert!(!told.contains("s3cret"), "{told}");
        }
    }
}
