//! The manager interface over TLS.

use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use ringback_cti::{LinkLoss, ProviderEvent};
use ringback_cti_asterisk::client::{TcpConnector, TlsConnector};
use ringback_cti_asterisk::provider::AsteriskProvider;
use ringback_cti_asterisk::session::Login;
use ringback_model::Millis;
use ringback_pbx_lab::{Server, Site};
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::link::failure_of;
use super::seat::{SOON, config, server, until};

/// The name in the server's certificate.
const NAME: &str = "pbx.example";

struct Certificate {
    der: CertificateDer<'static>,
    pem: String,
    key: String,
}

/// A certificate that has signed itself.
fn certificate(from: i32, until: i32) -> Certificate {
    certificate_of("Ringback", from, until)
}

fn certificate_of(issuer: &str, from: i32, until: i32) -> Certificate {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, issuer);
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    Certificate { der: certificate.der().clone(), pem: certificate.pem(), key: key.serialize_pem() }
}

async fn tls_server(certificate: &Certificate) -> Option<Server> {
    server(&Site::with_phones(["1001"]).with_tls(&certificate.pem, &certificate.key)).await
}

/// Over TLS to this port, trusting this certificate.
fn over_tls(
    server: &Server,
    address: String,
    login: Login,
    trusted: &Certificate,
    name: &str,
) -> AsteriskProvider {
    let mut config = config(server);
    config.session.server.address = address;
    config.session.server.login = login;
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der.clone()).unwrap();
    let connector = TlsConnector::new(roots).unwrap().expecting(name).unwrap();
    AsteriskProvider::new(config, Arc::new(connector)).unwrap()
}

async fn refusal(provider: AsteriskProvider) -> String {
    match failure_of(provider).await {
        LinkLoss::Connect(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn both_logins_work_over_tls() {
    let certificate = certificate(2020, 2999);
    let Some(server) = tls_server(&certificate).await else { return };
    for login in [Login::Plain, Login::Challenge] {
        let mut provider = over_tls(&server, server.manager_tls(), login, &certificate, NAME);
        until(&mut provider, SOON, |event| matches!(event, ProviderEvent::LinkUp { .. })).await;
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_is_told_with_what_to_change() {
    let right = certificate(2020, 2999);
    let Some(server) = tls_server(&right).await else { return };
    let at = || server.manager_tls();
    let why =
        refusal(over_tls(&server, at(), Login::Plain, &certificate_of("Somebody", 2020, 2999), NAME)).await;
    assert_eq!(
        why,
        "TLS: invalid peer certificate: UnknownIssuer: trust the authority that signed tlscertfile of manager.conf, or that \
         file itself if it signed itself"
    );
    let why = refusal(over_tls(&server, at(), Login::Plain, &right, "other.example")).await;
    assert!(
        why.starts_with("TLS: invalid peer certificate: certificate not valid for name \"other.example\""),
        "{why}"
    );
    assert!(
        why.ends_with(
            ": expect the name that the server's certificate is for, or give the server one for this name"
        ),
        "{why}"
    );
    let old = certificate(2020, 2021);
    let Some(server) = tls_server(&old).await else { return };
    let why = refusal(over_tls(&server, server.manager_tls(), Login::Plain, &old, NAME)).await;
    assert!(why.starts_with("TLS: invalid peer certificate: certificate expired"), "{why}");
    assert!(
        why.ends_with(
            ": give the server a certificate that is valid now (tlscertfile in manager.conf), or set this machine's clock"
        ),
        "{why}"
    );
}

#[tokio::test]
async fn tls_where_there_is_none_is_told_on_either_side() {
    let certificate = certificate(2020, 2999);
    let Some(server) = tls_server(&certificate).await else { return };
    let why = refusal(over_tls(&server, server.manager(), Login::Plain, &certificate, NAME)).await;
    assert_eq!(
        why,
        "TLS: received corrupt message of type InvalidContentType: what answers there speaks no TLS: use the port of \
         tlsbindaddr in manager.conf, 5039 by default, with tlsenable = yes, or connect without TLS"
    );
    // The server waits for TLS to begin, and we for its greeting.
    let mut plain = config(&server);
    plain.session.server.address = server.manager_tls();
    plain.session.open_timeout = Millis(1500);
    let provider = AsteriskProvider::new(plain, Arc::new(TcpConnector)).unwrap();
    let expected = "connected, but no greeting within 1500 ms: the port is that of tlsbindaddr in manager.conf, which wants \
                    TLS, or no manager's at all; the one without TLS is port of [general] there, 5038 by default";
    assert_eq!(failure_of(provider).await, LinkLoss::Unfit(expected.to_owned()));
}
