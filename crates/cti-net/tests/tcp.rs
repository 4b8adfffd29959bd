//! Real sockets on 127.0.0.1. No test waits for time to pass.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use ringback_cti::{Command, CtiProvider, LinkLoss, ProviderEvent};
use ringback_cti_net::{
    BindError, ClientConfig, ClientProvider, Manager, ServerConfig, TcpConnector, bind, listen,
};
use ringback_model::{Epoch, Millis};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Far longer than anything here takes: a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

async fn next(provider: &mut ClientProvider) -> ProviderEvent {
    tokio::time::timeout(PATIENCE, provider.next()).await.unwrap().unwrap()
}

fn client(managers: Vec<Manager>) -> ClientProvider {
    let mut config = ClientConfig::new(managers, "user", "secret".into());
    config.retry_limit = Millis(10);
    ClientProvider::new(config, Arc::new(TcpConnector)).unwrap()
}

async fn listener() -> (TcpListener, String) {
    let listener = bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// What a client reports of a peer that sends these bytes to whoever connects.
async fn meets(bytes: &'static [u8]) -> ProviderEvent {
    let (listener, address) = listener().await;
    let peer = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut sink = Vec::new();
        // The client hangs up; how is of no interest.
        let _ = stream.read_to_end(&mut sink).await;
    });
    let mut provider = client(vec![Manager::new("odd", address)]);
    let event = next(&mut provider).await;
    drop(provider);
    peer.await.unwrap();
    event
}

fn odd(reason: &str) -> ProviderEvent {
    ProviderEvent::LinkFailed { manager: "odd".into(), reason: LinkLoss::Protocol(reason.into()) }
}

#[tokio::test]
async fn a_port_in_use_is_an_error_with_advice() {
    let (_taken, address) = listener().await;
    let error = bind(&address).await.unwrap_err();
    assert!(matches!(error, BindError::InUse { .. }));
    let advice =
        "is in use by another program: stop that program, or choose another port (CTI Connecting Port)";
    assert_eq!(error.to_string(), format!("{address} {advice}"));
    let error = bind("nowhere at all").await.unwrap_err();
    assert!(matches!(error, BindError::Other { .. }), "{error}");
}

#[tokio::test]
async fn garbage_and_oversized_frames_are_named() {
    assert_eq!(
        meets(b"SSH-2.0-OpenSSH_9.2\r\n").await,
        odd("message too big: 1397966893 bytes where at most 65536 are allowed")
    );
    assert_eq!(
        meets(&[0, 1, 0, 1]).await,
        odd("message too big: 65537 bytes where at most 65536 are allowed")
    );
    assert_eq!(
        meets(&[0, 0, 0, 0]).await,
        odd("frame length 0 is less than a header: the peer does not speak this protocol")
    );
    assert_eq!(
        meets(&[0, 0, 0, 13, 0, 1, 2, 1, 0, 0, 0, 1, 0]).await,
        odd("the message ends inside version")
    );
}

#[tokio::test]
async fn reconnects_to_the_next_and_opens_again() {
    let (first, first_address) = listener().await;
    let (second, second_address) = listener().await;
    let servers = [Arc::<Answering>::default(), Arc::<Answering>::default()];
    let serving = tokio::spawn(listen(first, Arc::clone(&servers[0]) as _, ServerConfig::default()));
    tokio::spawn(listen(second, Arc::clone(&servers[1]) as _, ServerConfig::default()));
    let mut provider =
        client(vec![Manager::new("a!", first_address.as_str()), Manager::new("b!", second_address.as_str())]);
    provider.submit(Command::Assume(Epoch(1)));
    provider.submit(Command::OpenDevice(device("PHONE")));
    provider.submit(Command::OpenLine(line("PHONE", "1001")));
    for expected in with_read(vec![up("a", false)]) {
        assert_eq!(next(&mut provider).await, expected);
    }
    serving.abort();
    for expected in with_read(vec![lost("a", LinkLoss::Closed), up("b", true)]) {
        assert_eq!(next(&mut provider).await, expected);
    }
    assert_eq!(servers[1].seen(), ["open 1", "register", "device PHONE", "line 1001"]);
}
