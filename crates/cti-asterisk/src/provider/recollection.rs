//! What the keys of a phone's last screen mean, kept in the server's own database besides: an instance that takes over, or
//! one that was started anew, learns there what was shown before it. So a digit that a user sends, or the recall that is
//! picked up, works whoever showed the screen; what it comes to, the service knows by the request that the key names.

use ringback_model::{DeviceName, Timestamp};

use super::core::{Core, Purpose};
use crate::ami::{Action, ActionError, Message};
use crate::notify::Screen;

/// Where it is kept in the server's database, by the name of the phone.
const FAMILY: &str = "ringback-screen";

/// So many bytes are kept at most: the server gives no more than 255 back.
const LONGEST: usize = 250;

/// What a user meant whose screen is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meant {
    /// The recall was picked up.
    Dial,
    /// The softkey at this position, from 1.
    Position(usize),
    /// The same, or this as a text if the screen has no such softkey.
    PositionOr(usize, String),
}

/// The keys of a screen as they are kept; `None`: they cannot be.
fn kept(screen: &Screen) -> Option<String> {
    let presses: Vec<&str> = screen.keys.iter().map(|(_, press)| press.as_str()).collect();
    let kept = presses.join(" ");
    let whole = presses.iter().all(|press| !press.is_empty() && !press.contains(char::is_whitespace));
    (whole && !kept.is_empty() && kept.len() <= LONGEST).then_some(kept)
}

/// A screen of which nothing but the keys is known.
fn recalled(kept: &str) -> Screen {
    let keys = kept.split(' ').filter(|press| !press.is_empty());
    Screen { keys: keys.map(|press| (String::new(), press.to_owned())).collect(), ..Screen::default() }
}

impl Core {
    /// Keeps the keys of a screen that is about to be sent.
    pub(super) fn keep(&mut self, device: &DeviceName, screen: &Screen) {
        let before = self.seats.get(device).and_then(|seat| seat.screen.as_ref()).map(kept);
        let now = kept(screen);
        if before.as_ref() == Some(&now) {
            return;
        }
        match now {
            Some(keys) => {
                let action = of_database("DBPut", device).and_then(|action| action.header("Val", &keys));
                // Without it the screen's keys work for this instance alone.
                let _without = self.ask_checked(Purpose::Nothing, "DBPut", action);
            }
            None => self.keep_nothing(device),
        }
    }

    /// The phone has no screen of ours any more.
    pub(super) fn keep_nothing(&mut self, device: &DeviceName) {
        let _none = self.ask_checked(Purpose::Nothing, "DBDel", of_database("DBDel", device));
    }

    /// Asks what the screen was; then it is done what was meant.
    pub(super) fn recollect(&mut self, device: &DeviceName, meant: Meant) {
        let purpose = Purpose::Recollect(device.clone(), meant);
        let _unknown = self.ask_checked(purpose, "DBGet", of_database("DBGet", device));
    }

    /// The answer; `None`: nothing is kept, or it cannot be read.
    pub(super) fn recollected(
        &mut self,
        now: Timestamp,
        device: &DeviceName,
        meant: Meant,
        found: Option<&Message>,
    ) {
        // A screen that was sent meanwhile is the one that counts.
        let known = self.seats.get(device).and_then(|seat| seat.screen.clone());
        let screen = known.or_else(|| found.and_then(|found| found.get("Val")).map(recalled));
        let screen = screen.unwrap_or_default();
        match meant {
            Meant::Dial => self.pressed(device, screen.press_of("Dial").map(str::to_owned)),
            Meant::Position(position) => self.pressed(device, at_position(&screen, position)),
            Meant::PositionOr(position, text) => match at_position(&screen, position) {
                Some(press) => self.pressed(device, Some(press)),
                None => self.asked_by_text(now, device, &text),
            },
        }
    }
}

/// What the key at this position sends, from 1.
pub(super) fn at_position(screen: &Screen, position: usize) -> Option<String> {
    screen.keys.get(position.checked_sub(1)?).map(|(_, press)| press.clone())
}

fn of_database(name: &'static str, device: &DeviceName) -> Result<Action, ActionError> {
    Action::new(name)?.header("Family", FAMILY)?.header("Key", device.as_str())
}
