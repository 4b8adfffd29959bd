//! What can be read in the traces: the whole story of a request, and no number and no name. A program of its own: what
//! other tests do at the same time would decide which events are looked at.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "service/desk.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod desk;
#[path = "service/ports.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod ports;

use std::io;
use std::sync::{Arc, Mutex};

use ringback::cti::message::CallState;
use ringback::db::{DirectoryAdmin, PhoneConfig};
use ringback::model::{Appearance, Group};
use tracing_subscriber::fmt::MakeWriter;

use crate::desk::{Desk, device, line, pass};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_requests_story_by_its_id_and_nothing_personal() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(captured.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let desk = Desk::new().await;
    // A name that no other word of a trace contains.
    let gwendolen = Appearance { device: device("SEP-GWENDOLEN"), line: line("5554711") };
    let phone = PhoneConfig::new(gwendolen.device.clone(), vec![gwendolen.line.clone()]);
    desk.directory.put_phone(&Group::default(), &phone).await.unwrap();
    desk.directory
        .put_phone(&Group::default(), &PhoneConfig::new(device("SEP-ALGERNON"), vec![line("5550815")]))
        .await
        .unwrap();
    desk.directory
        .set_display_name(&Group::default(), &line("5550815"), Some("Algernon Moncrieff"))
        .await
        .unwrap();
    let node = desk.active().await;
    node.board.with(|manners| {
        let at = Appearance { device: device("SEP-ALGERNON"), line: line("5550815") };
        manners.calls.insert(at, vec![crate::desk::call(7, CallState::Connected)]);
    });
    node.press_at(gwendolen.clone(), 1, "5550815", CallState::Busy);
    pass(10).await;
    node.press_at(gwendolen.clone(), 2, "5559999", CallState::Busy);
    pass(10).await;
    node.key("SEP-GWENDOLEN", "5554711 what is this");
    let at = Appearance { device: device("SEP-ALGERNON"), line: line("5550815") };
    node.board.happens(ringback::cti::ProviderEvent::LineRefused {
        at: at.clone(),
        reason: ringback::cti::message::CtiError::UndefinedLine,
    });
    node.board
        .happens(ringback::cti::ProviderEvent::Call { at, info: crate::desk::call(7, CallState::Idle) });
    pass(10).await;
    node.key("SEP-GWENDOLEN", "Dial:ringback:1-1");
    pass(10).await;
    node.key("SEP-GWENDOLEN", "Cancel:ringback:1-1");
    pass(10).await;
    let lines = captured.lines();
    let story: Vec<&String> = lines.iter().filter(|line| line.contains("request=1-1")).collect();
    for step in ["save", "Accepted", "show", "TurnStarted", "alert", "dial", "Ended", "remove", "durable"] {
        assert!(story.iter().any(|line| line.contains(step)), "no {step} in {story:#?}");
    }
    for line in &lines {
        for personal in ["GWENDOLEN", "ALGERNON", "Algernon", "5554711", "5550815", "5559999"] {
            assert!(!line.contains(personal), "{personal} in {line}");
        }
    }
}
