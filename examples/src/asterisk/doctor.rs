use std::fmt;
use std::net::{IpAddr, UdpSocket};
use std::time::{SystemTime, UNIX_EPOCH};

use ringback::model::{Millis, Timestamp};
use ringback_cti_asterisk::doctor::{self, Finding, Site, Weight};
use secrecy::SecretString;

use super::config::{AsteriskConfig, CommonWay};
use super::connect::{ConnectError, connector, session};

/// How long an answer may take: nobody waits for it but a person.
const ANSWER: Millis = Millis::from_secs(30);

/// What came of looking at a live Asterisk; shown with `{}` it is for a person.
#[derive(Debug)]
#[non_exhaustive]
pub enum Examination {
    /// It was looked at.
    Seen {
        /// What it is, and where.
        server: String,
        /// What is not as Call Back needs it, and what is worth knowing.
        findings: Vec<Finding>,
    },
    /// It could not be looked at: what to do.
    Blind(Finding),
    /// It could not even be tried.
    NotTried(ConnectError),
}

impl Examination {
    /// Whether something has to be changed. `None`: it could not be looked at.
    #[must_use]
    pub fn wants_changes(&self) -> Option<bool> {
        match self {
            Self::Seen { findings, .. } => Some(findings.iter().any(|it| it.weight == Weight::Change)),
            Self::Blind(_) | Self::NotTried(_) => None,
        }
    }
}

impl fmt::Display for Examination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seen { server, findings } => {
                writeln!(f, "{server}")?;
                for finding in findings {
                    writeln!(f, "\n{finding}")?;
                }
                match findings.iter().filter(|it| it.weight == Weight::Change).count() {
                    0 => f.write_str("\nnothing to change"),
                    1 => f.write_str("\n1 thing to change"),
                    more => write!(f, "\n{more} things to change"),
                }
            }
            Self::Blind(finding) => write!(f, "cannot look: {finding}"),
            Self::NotTried(error) => write!(f, "cannot look: {error}"),
        }
    }
}

/// Looks at the Asterisk that is configured in this section.
pub async fn examine(section: &str, config: &AsteriskConfig, secret: SecretString) -> Examination {
    let mut site = site(config);
    site.section = section.to_owned();
    let connector = match connector(config) {
        Ok(connector) => connector,
        Err(error) => return Examination::NotTried(error),
    };
    let mut session = session(config, secret);
    session.request_timeout = ANSWER;
    match doctor::look(session, connector, config.patience, wall_clock).await {
        Ok(answers) => {
            let phones = answers.phones().count();
            let version = answers.version().unwrap_or("of an unknown version");
            let server = format!(
                "Asterisk {version} at {}, {phones} phone{}",
                config.address,
                if phones == 1 { "" } else { "s" }
            );
            Examination::Seen { server, findings: doctor::findings(&site, &answers) }
        }
        Err(blind) => Examination::Blind(doctor::reasons(&site, &blind)),
    }
}

/// What is used of it.
fn site(config: &AsteriskConfig) -> Site {
    let mut site = Site::new(&config.address, &config.user);
    site.tls = config.tls.is_some();
    site.from = own_address(&config.address);
    site.technology.clone_from(&config.technology);
    site.recall_context.clone_from(&config.recall_context);
    site.texts = config.uses(CommonWay::Text) || (config.uses(CommonWay::Recall) && config.recall_texts);
    site.notifications = config.uses(CommonWay::Notify);
    site
}

/// The address from which this machine would reach another; nothing is sent.
fn own_address(to: &str) -> Option<IpAddr> {
    let bind = |any: &str| {
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(to).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    bind("0.0.0.0:0").or_else(|| bind("[::]:0"))
}

#[expect(clippy::disallowed_methods, reason = "compared with the server's clock, and decides nothing else")]
fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
