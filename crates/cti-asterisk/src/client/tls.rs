use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore, version};

use super::connector::{Connector, Stream, tcp};
use crate::session::Server;

/// Connects by TCP and TLS 1.2 or 1.3. The manager's port for it is 5039 unless it was changed (`tlsbindaddr`).
///
/// With it the plain login is right: see [`Login::Plain`](crate::session::Login::Plain).
#[derive(Clone)]
pub struct TlsConnector {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

impl TlsConnector {
    /// A connector that trusts servers whose certificate one of these has signed.
    ///
    /// # Errors
    /// The cryptographic library has no suitable algorithms.
    pub fn new(roots: RootCertStore) -> io::Result<Self> {
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config), name: None })
    }

    /// The same, but certificates must be for this name instead of the address's host: for servers that are reached
    /// by a number.
    ///
    /// # Errors
    /// It is no name.
    pub fn expecting(self, name: &str) -> io::Result<Self> {
        let name = ServerName::try_from(name.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(Self { name: Some(name), ..self })
    }
}

#[async_trait]
impl Connector for TlsConnector {
    async fn connect(&self, server: &Server) -> io::Result<Box<dyn Stream>> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => {
                let host = server.address.rsplit_once(':').map_or(server.address.as_str(), |(host, _)| host);
                ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?
            }
        };
        let stream = tcp(server).await?;
        let connected =
            tokio_rustls::TlsConnector::from(Arc::clone(&self.config)).connect(name, stream).await;
        let stream = connected.map_err(|error| {
            let what = format!("TLS: {error}: {}", advice(&error));
            io::Error::new(error.kind(), what)
        })?;
        Ok(Box::new(stream))
    }
}

/// What to change so that it works.
fn advice(error: &io::Error) -> &'static str {
    let error = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    match error {
        Some(rustls::Error::InvalidMessage(_)) => {
            "what answers there speaks no TLS: use the port of tlsbindaddr in manager.conf, 5039 by default, with tlsenable = yes, \
             or connect without TLS"
        }
        Some(rustls::Error::InvalidCertificate(why)) => match why {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "trust the authority that signed tlscertfile of manager.conf, or that file itself if it signed itself"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "expect the name that the server's certificate is for, or give the server one for this name"
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                "give the server a certificate that is valid now (tlscertfile in manager.conf), or set this machine's clock"
            }
            _ => "give the server another certificate (tlscertfile in manager.conf)",
        },
        _ => {
            "check that the port is that of tlsbindaddr in manager.conf, with tlsenable = yes and a tlscertfile"
        }
    }
}
