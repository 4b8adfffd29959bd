use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::error::PeerError;

/// How links are protected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Security {
    /// Not at all, which is only allowed among addresses of one machine (127.0.0.0/8, `::1`).
    #[default]
    OneMachine,
    /// TLS 1.3, and both ends show a certificate.
    MutualTls(Credentials),
}

/// What an instance shows, and whom it trusts: three files in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Whoever shows a certificate that one of these has signed is an instance of the group: use an authority of its own for
    /// nothing else.
    pub authority: PathBuf,
    /// This instance's certificate, for its address (`subjectAltName = IP:10.0.0.1`), to serve and to connect, and what leads
    /// to the authority.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
}

impl Security {
    pub(crate) fn transport(&self, address: IpAddr) -> Result<Transport, PeerError> {
        match self {
            Self::OneMachine if address.is_loopback() => Ok(Transport::Plain),
            Self::OneMachine => Err(PeerError::Unprotected { address }),
            Self::MutualTls(credentials) => credentials.transport(),
        }
    }
}

impl Credentials {
    fn transport(&self) -> Result<Transport, PeerError> {
        let failed = |reason: String| PeerError::Pair {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            reason,
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&self.authority)? {
            roots.add(certificate).map_err(|error| file(&self.authority, error.to_string()))?;
        }
        let roots = Arc::new(roots);
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| file(&self.key, format!("no private key in PEM can be read: {error}")))?;
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
            .build()
            .map_err(|error| file(&self.authority, error.to_string()))?;
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| failed(error.to_string()))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(|error| failed(error.to_string()))?;
        // A link is made once and kept. Whoever dies must not have left anything unread at the other's end.
        server.send_tls13_tickets = 0;
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| failed(error.to_string()))?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(|error| failed(error.to_string()))?;
        Ok(Transport::Tls { acceptor: Arc::new(server).into(), connector: Arc::new(client).into() })
    }
}

fn file(path: &Path, reason: String) -> PeerError {
    PeerError::File { path: path.to_owned(), reason }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PeerError> {
    let unreadable = |error| file(path, format!("no certificates in PEM can be read: {error}"));
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable)?;
    if certificates.is_empty() {
        return Err(file(path, "there is no certificate in it: give a file in PEM".to_owned()));
    }
    Ok(certificates)
}

/// Bytes both ways.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A link on which who is at the other end has been proven, as far as the configuration asks for it.
pub(crate) struct Link {
    pub(crate) stream: Box<dyn Stream>,
    is_tls: bool,
}

/// How reading ended, on a link on which nothing more is said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The other end's kernel closed it.
    ByKernel,
    /// Anything else: it proves nothing.
    Unproven,
}

impl Link {
    /// What it says that a read returned this.
    pub(crate) fn end(&self, read: &io::Result<usize>) -> End {
        match read {
            Ok(0) if !self.is_tls => End::ByKernel,
            // The connection ends without TLS's own farewell, which only a program can say.
            Err(error) if self.is_tls && error.kind() == io::ErrorKind::UnexpectedEof => End::ByKernel,
            _ => End::Unproven,
        }
    }
}

/// How links are made.
#[derive(Clone)]
pub(crate) enum Transport {
    Plain,
    Tls { acceptor: TlsAcceptor, connector: TlsConnector },
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Tls { .. } => "TLS",
        })
    }
}

impl Transport {
    /// The end that was connected to.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<Link> {
        Ok(match self {
            Self::Plain => Link { stream: Box::new(stream), is_tls: false },
            Self::Tls { acceptor, .. } => {
                Link { stream: Box::new(acceptor.accept(stream).await?), is_tls: true }
            }
        })
    }

    /// The end that connected, to this address.
    pub(crate) async fn connect(&self, stream: TcpStream, to: IpAddr) -> io::Result<Link> {
        Ok(match self {
            Self::Plain => Link { stream: Box::new(stream), is_tls: false },
            Self::Tls { connector, .. } => {
                let stream = connector.connect(ServerName::IpAddress(to.into()), stream).await?;
                Link { stream: Box::new(stream), is_tls: true }
            }
        })
    }
}
