//! What every phone shows and hears, told when it changes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ringback::model::DeviceName;
use ringback_sim::{CallManager, Tone};

use crate::prompt::Printer;

/// The phones as they were last shown.
pub(crate) struct Display {
    call_manager: CallManager,
    changed: tokio::sync::watch::Receiver<u64>,
    shown: BTreeMap<DeviceName, (String, u64)>,
    printer: Printer,
}

impl Display {
    pub(crate) fn new(call_manager: CallManager, printer: Printer) -> Self {
        let changed = call_manager.changed();
        Self { call_manager, changed, shown: BTreeMap::new(), printer }
    }

    /// Shows every phone.
    pub(crate) fn show_all(&mut self) {
        self.shown.clear();
        self.show_changes();
    }

    /// Shows the phones that changed, and says which were alerted.
    pub(crate) fn show_changes(&mut self) {
        self.changed.mark_unchanged();
        let mut text = String::new();
        for phone in self.call_manager.phones() {
            let now = (self.describe(&phone), self.call_manager.alerts(&phone));
            let before = self.shown.insert(phone.clone(), now.clone());
            let alerts = before.as_ref().map_or(0, |(_, alerts)| now.1 - alerts);
            if alerts > 0 {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "  *** {} plays the alert ***", phone.as_str());
            }
            if before.is_none_or(|(text, _)| text != now.0) {
                let _ = writeln!(text, "  {}", now.0);
            }
        }
        if !text.is_empty() {
            self.printer.print(text);
        }
    }

    /// Waits for a change and shows it.
    pub(crate) async fn follow(&mut self) {
        if self.changed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.show_changes();
    }

    /// Shows changes as they happen.
    pub(crate) async fn follow_for_ever(&mut self) {
        loop {
            self.follow().await;
        }
    }

    fn describe(&self, phone: &DeviceName) -> String {
        let switch = &self.call_manager;
        let mut text = format!("{:<3}", phone.as_str());
        let rings = switch.rings(phone);
        if let Some(caller) = rings.first() {
            let _ = write!(text, " rings from {}", caller.as_str());
        }
        match switch.hears(phone) {
            Tone::Silence if switch.is_idle(phone) => text.push_str(" idle"),
            Tone::Silence if rings.is_empty() => text.push_str(" in a call"),
            Tone::Silence => {}
            Tone::DialTone => text.push_str(" hears dial tone"),
            Tone::Ringback => text.push_str(" hears ringback"),
            Tone::Busy => text.push_str(" hears busy"),
            Tone::Reorder => text.push_str(" hears reorder"),
        }
        if let Some(prompt) = switch.prompt(phone) {
            let _ = write!(text, ", prompt \"{prompt}\"");
        }
        if let Some(screen) = switch.screen(phone) {
            let lines = screen.text.lines().map(str::trim).collect::<Vec<_>>().join(" / ");
            let keys = screen.soft_keys.iter().map(|key| format!("[{key}]")).collect::<Vec<_>>().join(" ");
            let _ = write!(text, ", shows: {lines}  {keys}");
        }
        text
    }
}
