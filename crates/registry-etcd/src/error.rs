use ringback_election::RegistryError;
use thiserror::Error;

/// Why a registry was not opened. Nothing was changed. `place` is where it is, without the password.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address is malformed.
    #[error("the address of etcd {reason}: write https://USER:PASSWORD@HOST:PORT,HOST:PORT/PREFIX")]
    Address {
        /// What is wrong, without the address, which may hold a password.
        reason: String,
    },
    /// A certificate or key cannot be used.
    #[error(
        "the certificates of {path} cannot be used ({reason}): name PEM files in `authority` and `client`"
    )]
    Certificates {
        /// Where they were looked for.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// Nobody answers there.
    #[error(
        "{place} cannot be reached ({reason}): check hosts, port and firewall, that etcd runs there, and whether it encrypts \
         (then its address begins with https://)"
    )]
    Unreachable {
        /// Where.
        place: String,
        /// What the system says.
        reason: String,
    },
    /// The encrypted connection did not come about.
    #[error(
        "no encrypted connection to {place} ({reason}): check the server's certificate and `authority`, `client` if the server \
         asks for a certificate, and whether it encrypts at all (then its address begins with https://)"
    )]
    Tls {
        /// Where.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// User or password are wrong, or missing, or not asked for.
    #[error(
        "{place} refuses the login ({reason}): check user and password, and with `etcdctl auth status` whether \
         there are any"
    )]
    Login {
        /// Where.
        place: String,
        /// What the server says.
        reason: String,
    },
    /// The user may not read and write the keys.
    #[error(
        "{place}: the user lacks a right ({reason}): give it a role with `etcdctl role grant-permission ROLE \
         readwrite {prefix}/ --prefix=true`"
    )]
    Rights {
        /// Where.
        place: String,
        /// What the server says.
        reason: String,
        /// Under which the keys are.
        prefix: String,
    },
    /// What answers is not what is needed.
    #[error(
        "{place} cannot be used ({reason}): etcd 3.4 or newer is needed, with --enable-grpc-gateway, which is the default"
    )]
    Unsuitable {
        /// Where.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The cluster cannot work now.
    #[error(
        "{place} cannot work now ({reason}): look with `etcdctl endpoint status --cluster` whether more than half of its \
         servers run, and try again"
    )]
    Unavailable {
        /// Where.
        place: String,
        /// What the server says.
        reason: String,
    },
}

/// Why a call was not answered as wished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No connection came about: the server knows nothing of the call.
    NotSent(String),
    /// No encrypted connection came about.
    Tls(String),
    /// It was sent, and no answer came: it may have been carried out.
    Lost(String),
    /// The server refused it, by the number that gRPC has for the reason.
    Refused { code: i64, reason: String },
    /// An answer came that cannot be.
    Invalid(String),
}

/// The numbers of gRPC.
pub(crate) mod code {
    pub(crate) const UNKNOWN: i64 = 2;
    pub(crate) const INVALID_ARGUMENT: i64 = 3;
    pub(crate) const DEADLINE_EXCEEDED: i64 = 4;
    pub(crate) const NOT_FOUND: i64 = 5;
    pub(crate) const PERMISSION_DENIED: i64 = 7;
    pub(crate) const RESOURCE_EXHAUSTED: i64 = 8;
    pub(crate) const FAILED_PRECONDITION: i64 = 9;
    pub(crate) const INTERNAL: i64 = 13;
    pub(crate) const UNAVAILABLE: i64 = 14;
    pub(crate) const DATA_LOSS: i64 = 15;
    pub(crate) const UNAUTHENTICATED: i64 = 16;
}

impl Fault {
    /// Whether another server of the cluster may do better.
    pub(crate) fn is_of_this_server(&self) -> bool {
        match self {
            Self::Lost(_) => true,
            Self::Refused { code, .. } => {
                matches!(
                    *code,
                    code::UNAVAILABLE | code::DEADLINE_EXCEEDED | code::INTERNAL | code::DATA_LOSS
                )
            }
            Self::NotSent(_) | Self::Tls(_) | Self::Invalid(_) => false,
        }
    }

    /// Whether a lease that was named is not there (any more).
    pub(crate) fn is_lease_gone(&self) -> bool {
        matches!(self, Self::Refused { code: code::NOT_FOUND, reason } if reason.contains("lease"))
    }

    /// What a caller of the registry is told. `touched`: whether what was sent may have changed anything that others see.
    pub(crate) fn told(self, touched: bool) -> RegistryError {
        let unclear = |reason: String| {
            if touched { RegistryError::OutcomeUnknown(reason) } else { RegistryError::NotDone(reason) }
        };
        match self {
            Self::NotSent(reason) | Self::Tls(reason) | Self::Lost(reason) => unclear(reason),
            Self::Invalid(reason) => RegistryError::Invalid(reason),
            Self::Refused { code, reason } => match code {
                code::RESOURCE_EXHAUSTED if reason.contains("space") => unclear(format!(
                    "the database of etcd is full ({reason}): compact and defragment it, then `etcdctl alarm disarm`; set \
                     --auto-compaction-retention and --quota-backend-bytes"
                )),
                code::PERMISSION_DENIED => RegistryError::Invalid(format!(
                    "the user lacks a right ({reason}): give it a role that may read and write all keys under the prefix"
                )),
                code::UNAUTHENTICATED | code::INVALID_ARGUMENT | code::FAILED_PRECONDITION => {
                    unclear(format!(
                        "etcd refuses the login ({reason}): check user and password, and with `etcdctl auth status` whether \
                     there are any"
                    ))
                }
                code::UNAVAILABLE | code::DEADLINE_EXCEEDED => unclear(format!(
                    "etcd cannot work now ({reason}): look with `etcdctl endpoint status --cluster` whether more than half \
                     of its servers run"
                )),
                _ => unclear(format!("etcd refused it ({reason})")),
            },
        }
    }

    /// Why opening failed.
    pub(crate) fn at_opening(self, place: &str, prefix: &str) -> OpenError {
        let place = place.to_owned();
        match self {
            Self::NotSent(reason) | Self::Lost(reason) => OpenError::Unreachable { place, reason },
            Self::Tls(reason) => OpenError::Tls { place, reason },
            Self::Invalid(reason) => OpenError::Unsuitable { place, reason },
            Self::Refused { code, reason } => match code {
                code::PERMISSION_DENIED => OpenError::Rights { place, reason, prefix: prefix.to_owned() },
                code::UNAUTHENTICATED | code::INVALID_ARGUMENT | code::FAILED_PRECONDITION => {
                    OpenError::Login { place, reason }
                }
                code::UNKNOWN => OpenError::Unsuitable { place, reason },
                _ => OpenError::Unavailable { place, reason },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_sent_was_not_done() {
        let lost = || Fault::Lost("no answer in 1000 ms".to_owned());
        assert_eq!(lost().told(false), RegistryError::NotDone("no answer in 1000 ms".to_owned()));
        assert_eq!(lost().told(true), RegistryError::OutcomeUnknown("no answer in 1000 ms".to_owned()));
    }

    #[test]
    fn an_operator_is_told_what_to_do() {
        let refused = |code, reason: &str| Fault::Refused { code, reason: reason.to_owned() }.told(false);
        let full = refused(code::RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded");
        assert!(full.to_string().contains("compact and defragment it"), "{full}");
        let rights = refused(code::PERMISSION_DENIED, "etcdserver: permission denied");
        assert!(matches!(rights, RegistryError::Invalid(_)), "{rights}");
        assert!(rights.to_string().contains("give it a role"), "{rights}");
        let down = refused(code::UNAVAILABLE, "etcdserver: no leader");
        assert!(down.to_string().contains("more than half"), "{down}");
    }
}
