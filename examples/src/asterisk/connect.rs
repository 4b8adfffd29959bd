use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringback_cti_asterisk::client::{Connector, TcpConnector, TlsConnector};
use ringback_cti_asterisk::notify::Ways;
use ringback_cti_asterisk::provider::Config;
use ringback_cti_asterisk::session::{self, Login, Server};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::SecretString;
use thiserror::Error;

use super::config::{AsteriskConfig, AsteriskTlsConfig};

/// Why a manager interface cannot even be tried. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The authorities.
    #[error("{}: {reason}; name a file of certificates (PEM) as ca_file in [asterisk.tls]", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is nobody to trust.
    #[error(
        "this machine trusts no certificate authority: name a file of certificates (PEM) as ca_file in [asterisk.tls]"
    )]
    NoAuthorities,
    /// TLS itself.
    #[error("[asterisk.tls]: {0}")]
    Tls(io::Error),
}

/// What reaches the manager interface.
///
/// # Errors
/// TLS cannot be had as configured.
pub fn connector(config: &AsteriskConfig) -> Result<Arc<dyn Connector>, ConnectError> {
    let Some(tls) = &config.tls else { return Ok(Arc::new(TcpConnector)) };
    let connector = TlsConnector::new(authorities(tls)?).map_err(ConnectError::Tls)?;
    Ok(Arc::new(match &tls.server_name {
        Some(name) => connector.expecting(name).map_err(ConnectError::Tls)?,
        None => connector,
    }))
}

fn authorities(tls: &AsteriskTlsConfig) -> Result<RootCertStore, ConnectError> {
    let mut store = RootCertStore::empty();
    let Some(path) = &tls.ca_file else {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return if store.is_empty() { Err(ConnectError::NoAuthorities) } else { Ok(store) };
    };
    let failed = |reason: String| ConnectError::Authorities { path: path.clone(), reason };
    for certificate in read(path).map_err(failed)? {
        store.add(certificate).map_err(|error| failed(error.to_string()))?;
    }
    if store.is_empty() { Err(failed("holds no certificate".to_owned())) } else { Ok(store) }
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    certificates.map(|certificate| certificate.map_err(|error| error.to_string())).collect()
}

/// How the manager interface is spoken to.
#[must_use]
pub fn session(config: &AsteriskConfig, secret: SecretString) -> session::Config {
    let mut server = Server::new(&config.name, &config.address, &config.user, secret);
    if config.tls.is_some() {
        server.login = Login::Plain;
    }
    session::Config::new(server)
}

/// What the provider is told.
#[must_use]
pub fn provider(config: &AsteriskConfig, secret: SecretString, ways: Ways) -> Config {
    let mut provider = Config::new(session(config, secret));
    provider.technology.clone_from(&config.technology);
    provider.recall_context.clone_from(&config.recall_context);
    provider.proof = Some(config.proof);
    provider.refresh = config.refresh;
    provider.patience = config.patience;
    provider.ways = ways;
    provider
}
