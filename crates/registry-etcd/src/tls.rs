use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::error::OpenError;
use crate::registry::Options;

/// What makes encrypted connections: the server must prove that it is who the address names.
pub(crate) fn connector(options: &Options) -> Result<TlsConnector, OpenError> {
    let failed = |path: &str, reason: String| OpenError::Certificates { path: path.to_owned(), reason };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed("this program", error.to_string()))?
        .with_root_certificates(authorities(options.authority.as_deref())?);
    let config = match &options.client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let path = client.key.display().to_string();
            let key = PrivateKeyDer::from_pem_file(&client.key)
                .map_err(|error| failed(&path, error.to_string()))?;
            builder
                .with_client_auth_cert(certificates(&client.certificate)?, key)
                .map_err(|error| failed(&path, error.to_string()))?
        }
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

fn authorities(path: Option<&Path>) -> Result<RootCertStore, OpenError> {
    let mut store = RootCertStore::empty();
    let failed = |path: String, reason: String| OpenError::Certificates { path, reason };
    match path {
        Some(path) => {
            for certificate in certificates(path)? {
                let added = store.add(certificate);
                added.map_err(|error| failed(path.display().to_string(), error.to_string()))?;
            }
        }
        None => {
            // Some of a system's own are odd; those that can be used count.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                return Err(failed("the system".to_owned(), "it trusts nobody".to_owned()));
            }
        }
    }
    Ok(store)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, OpenError> {
    let failed = |reason: String| OpenError::Certificates { path: path.display().to_string(), reason };
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() { Err(failed("it holds none".to_owned())) } else { Ok(certificates) }
}
