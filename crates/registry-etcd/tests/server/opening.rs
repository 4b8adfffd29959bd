//! What keeps a registry from being opened is told, with what to do.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use ringback_election::{Intent, Registry, RegistryError};
use ringback_etcd_lab::{Etcd, Server, Signal};
use ringback_model::{Group, Millis};
use ringback_registry_etcd::{ClientCertificate, EtcdRegistry, OpenError, Options};

use crate::proxy::Proxy;
use crate::site::{CLAIM, fresh, lock, member, open, open_at_last, options, report, soon};

async fn refused(address: &str, options: Options) -> OpenError {
    EtcdRegistry::open(address, options).await.unwrap_err()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn nobody_is_there() {
    let port = free_port();
    let error = refused(&format!("http://me:secret@127.0.0.1:{port}"), options()).await;
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    let expected = format!("http://127.0.0.1:{port} cannot be reached (127.0.0.1:{port}: Connection refused");
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[tokio::test]
async fn somebody_else_is_there() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let other = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut start = [0; 1];
        connection.read_exact(&mut start).unwrap();
        connection.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnope\n").unwrap();
        // Not closed before it was read.
        let _ = connection.read_to_end(&mut Vec::new());
    });
    let error = refused(&format!("http://{address}"), options()).await;
    let expected = format!(
        "http://{address} cannot be used (it answers 404 Not Found, \"nope\"): etcd 3.4 or newer is needed, with \
         --enable-grpc-gateway, which is the default"
    );
    assert_eq!(error.to_string(), expected);
    drop(other);
}

#[tokio::test]
async fn the_first_of_its_servers_is_down() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server).replace("http://", &format!("http://127.0.0.1:{},", free_port()));
    let registry = open(&address).await;
    let group = Group::default();
    for _ in 0..3 {
        registry.tick(&group, &report(member(1, 1), Intent::Watch)).await.unwrap();
    }
}

/// The way to it is open, and nothing comes back.
#[tokio::test]
async fn the_first_of_its_servers_is_silent() {
    let Some(server) = Server::shared() else { return };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let first = format!("http://{},", silent.local_addr().unwrap());
    let mut options = options();
    options.request_timeout = Millis::from_secs(1);
    let registry = open_at_last(&fresh(server).replace("http://", &first), &options).await;
    let tick = async || registry.tick(&Group::default(), &report(member(1, 1), Intent::Watch)).await;
    soon(async { while tick().await.is_err() {} }).await;
}

#[tokio::test]
async fn nobody_logs_in_without_need() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server).replace("http://", "http://me:secret@");
    let error = refused(&address, options()).await;
    assert!(matches!(error, OpenError::Login { .. }), "{error:?}");
    assert!(error.to_string().contains("authentication is not enabled"), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn logins() {
    let Some(etcd) = Etcd::find_or_skip() else { return };
    let server = Server::start(&etcd).unwrap();
    lock(&server);
    let at = |login: &str, prefix: &str| format!("http://{login}{}/{prefix}", server.address());
    for login in ["", "ringback:wrong@", "nobody:secret@", "ringback@"] {
        let error = refused(&at(login, "ringback"), options()).await;
        assert!(matches!(error, OpenError::Login { .. }), "{login}: {error:?}");
        assert!(error.to_string().contains("check user and password"), "{login}: {error}");
    }
    let error = refused(&at("ringback:se%63ret@", "elsewhere"), options()).await;
    let told = "the user lacks a right (etcdserver: permission denied): give it a role with `etcdctl role \
        grant-permission ROLE readwrite /elsewhere/ --prefix=true`";
    assert!(error.to_string().ends_with(told), "{error}");
    let mut options = options();
    options.password = Some("secret".into());
    let registry = EtcdRegistry::open(&at("ringback@", "ringback"), options).await.unwrap();
    let (group, me) = (Group::default(), member(1, 1));
    let view = registry.tick(&group, &report(me, CLAIM)).await.unwrap();
    assert_eq!(view.in_force().map(|lease| lease.holder), Some(me));
    // A server that comes back knows nobody any more: it is logged in anew.
    for signal in [Signal::Terminate, Signal::Kill] {
        server.stop(signal).unwrap();
        server.start_again().unwrap();
        let renewing = report(me, Intent::Renew { epoch: view.epoch });
        let mut answer = registry.tick(&group, &renewing).await;
        while matches!(answer, Err(RegistryError::NotDone(_) | RegistryError::OutcomeUnknown(_))) {
            answer = registry.tick(&group, &renewing).await;
        }
        assert_eq!(answer.unwrap().in_force().map(|lease| lease.holder), Some(me));
        let seen = registry.tick(&group, &renewing).await.unwrap().revision;
        let other = open(&at("ringback:secret@", "ringback")).await;
        other.tick(&group, &report(member(2, 1), Intent::Watch)).await.unwrap();
        soon(registry.changed(&group, &me, seen)).await;
        other.tick(&group, &report(member(2, 1), Intent::Leave)).await.unwrap();
    }
}

/// Makes an authority, `authority.pem`, and certificates that it vouches for: `server.pem` for localhost, and `client.pem`, with
/// their keys.
fn certify(folder: &Path) -> std::io::Result<()> {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    fs::write(folder.join("authority.pem"), authority.self_signed(&key).unwrap().pem())?;
    let authority = Issuer::new(authority, key);
    for (name, who) in [("server", "localhost"), ("client", "ringback")] {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new([who.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        fs::write(folder.join(format!("{name}.pem")), certificate.pem())?;
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem())?;
    }
    Ok(())
}

/// A server that encrypts, and a way to it under the name of its certificate.
async fn encrypting(etcd: &Etcd, more: &[&str]) -> (Server, Proxy, String) {
    let server = Server::start_with(etcd, |folder| {
        certify(folder)?;
        let file = |option: &str, name: &str| format!("{option}={}", folder.join(name).display());
        let mut arguments = vec![file("--cert-file", "server.pem"), file("--key-file", "server.key")];
        arguments.extend(more.iter().map(|option| file(option, "authority.pem")));
        Ok(arguments)
    })
    .unwrap();
    let proxy = Proxy::start(server.address()).await;
    let address = format!("https://localhost:{}", proxy.address().port());
    (server, proxy, address)
}

#[tokio::test]
async fn encrypted() {
    let Some(etcd) = Etcd::find_or_skip() else { return };
    let (server, _proxy, address) = encrypting(&etcd, &[]).await;
    let mut trusting = options();
    trusting.authority = Some(server.folder().join("authority.pem"));
    let registry = EtcdRegistry::open(&address, trusting.clone()).await.unwrap();
    let group = Group::default();
    let view = registry.tick(&group, &report(member(1, 1), CLAIM)).await.unwrap();
    assert_eq!(view.in_force().map(|lease| lease.holder), Some(member(1, 1)));
    let seen = registry.tick(&group, &report(member(1, 1), Intent::Watch)).await.unwrap().revision;
    registry.tick(&group, &report(member(2, 1), Intent::Watch)).await.unwrap();
    soon(registry.changed(&group, &member(1, 1), seen)).await;

    // Not who the address names; vouched for by somebody else; not encrypted.
    let error = refused(&format!("https://{}", server.address()), trusting.clone()).await;
    assert!(matches!(error, OpenError::Tls { .. }), "{error:?}");
    let mut doubting = options();
    doubting.authority = Some(server.folder().join("client.pem"));
    let error = refused(&address, doubting).await;
    assert!(matches!(error, OpenError::Tls { .. }), "{error:?}");
    let error = refused(&address.replace("https", "http"), options()).await;
    assert!(error.to_string().contains("begins with https://"), "{error}");

    for missing in ["none.pem", "server.key"] {
        trusting.authority = Some(server.folder().join(missing));
        let error = refused(&address, trusting.clone()).await;
        assert!(matches!(error, OpenError::Certificates { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn asked_for_a_certificate() {
    let Some(etcd) = Etcd::find_or_skip() else { return };
    let (server, _proxy, address) = encrypting(&etcd, &["--trusted-ca-file"]).await;
    let file = |name: &str| server.folder().join(name);
    let mut options = options();
    options.authority = Some(file("authority.pem"));
    let error = refused(&address, options.clone()).await;
    assert!(matches!(error, OpenError::Tls { .. }), "{error:?}");
    options.client = Some(ClientCertificate { certificate: file("client.pem"), key: file("client.key") });
    let registry = EtcdRegistry::open(&address, options).await.unwrap();
    let view = registry.tick(&Group::default(), &report(member(1, 1), CLAIM)).await.unwrap();
    assert_eq!(view.in_force().map(|lease| lease.holder), Some(member(1, 1)));
}

#[tokio::test]
async fn asked_to_encrypt_where_nobody_does() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server).replace("http://", "https://");
    let error = refused(&address, options()).await;
    assert!(matches!(error, OpenError::Tls { .. }), "{error:?}");
}
