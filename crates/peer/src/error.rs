use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use thiserror::Error;

/// Why an instance cannot be linked with by others. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The instance's address is reached from other machines, and the links would be in the open.
    #[error(
        "links at {address} would not be protected: name the certificate authority, this instance's certificate and its key; \
         without them only an address of this machine (127.0.0.0/8, ::1) can be used"
    )]
    Unprotected {
        /// The address.
        address: IpAddr,
    },
    /// It cannot listen.
    #[error("no listening at {at} for the other instances ({reason}): {}", advice(reason))]
    Listen {
        /// Where.
        at: SocketAddr,
        /// What the system says.
        reason: io::Error,
    },
    /// A file with certificates or a key.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it, and what it should be.
        reason: String,
    },
    /// Certificate and key do not go together, or are of an unknown kind.
    #[error("certificate {} and key {}: {reason}", certificate.display(), key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

fn advice(reason: &io::Error) -> &'static str {
    match reason.kind() {
        io::ErrorKind::AddrInUse => {
            "another instance or program is there; stop it, or give one of the two another address"
        }
        io::ErrorKind::AddrNotAvailable => "give an address of this machine",
        _ => "give an address and port that this user may listen at",
    }
}
