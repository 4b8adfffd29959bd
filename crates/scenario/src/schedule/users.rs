use ringback_model::{DeviceName, DirectoryNumber};
use ringback_sim::{Action, Tone};

use super::plan::Intent;
use super::site::Ground;

/// The users of the phones: what they mean to do, as far as their phones let them. What is impossible now is let be.
impl Ground {
    pub(super) async fn intend(&self, phone: usize, intent: &Intent) {
        let device = &self.phones[phone];
        match intent {
            Intent::Call(number) => self.at(device, call(*number)),
            Intent::CallBack => self.press(device, "CallBack"),
            Intent::Want(number) => {
                self.at(device, Action::HangsUp(None));
                self.at(device, call(*number));
                if matches!(self.site.call_manager.hears(device), Tone::Busy | Tone::Ringback) {
                    self.press(device, "CallBack");
                }
            }
            Intent::Key(index) => {
                if let Some((device, keys)) = self.next(phone, |device| self.keys(device)) {
                    self.press(device, &keys[index % keys.len()]);
                }
            }
            Intent::Press(key) => {
                let shows = |device: &DeviceName| self.keys(device)?.into_iter().find(|shown| shown == key);
                if let Some((device, key)) = self.next(phone, shows) {
                    self.press(device, &key);
                }
            }
            Intent::Answer => {
                let rings = |device: &DeviceName| self.site.call_manager.rings(device).pop();
                if let Some((device, _)) = self.next(phone, rings) {
                    self.at(device, Action::Answers);
                }
            }
            Intent::HangUp => {
                let talks = |device: &DeviceName| (!self.site.call_manager.is_idle(device)).then_some(());
                if let Some((device, ())) = self.next(phone, talks) {
                    self.at(device, Action::HangsUp(None));
                }
            }
            Intent::Lift => self.at(device, Action::Lifts),
            Intent::Forward(to) => self.forward(device, to.map(dn)).await,
            Intent::DoNotDisturb(on) => self.at(device, Action::DoNotDisturb(*on)),
            Intent::Reset => self.at(device, Action::Resets),
            Intent::Unregister => self.at(device, Action::Unregisters),
            Intent::Register => self.at(device, Action::Registers),
            Intent::LogIn => self.at(device, Action::LogsIn),
        }
    }

    pub(super) fn at(&self, device: &DeviceName, action: Action) {
        // What is impossible now is let be.
        let _impossible = self.site.call_manager.act(device, action);
    }

    pub(super) fn press(&self, device: &DeviceName, key: &str) {
        self.at(device, Action::Presses(key.to_owned()));
    }

    /// The keys that a phone shows, if it shows any.
    fn keys(&self, device: &DeviceName) -> Option<Vec<String>> {
        let keys = self.site.call_manager.screen(device)?.soft_keys;
        if keys.is_empty() { None } else { Some(keys) }
    }

    /// The first phone from this one on for which there is something.
    fn next<T>(&self, from: usize, is: impl Fn(&DeviceName) -> Option<T>) -> Option<(&DeviceName, T)> {
        let (before, after) = self.phones.split_at(from);
        after.iter().chain(before).find_map(|device| Some((device, is(device)?)))
    }

    pub(super) async fn forward(&self, device: &DeviceName, to: Option<DirectoryNumber>) {
        // The database is where the service reads it; without it, nothing is changed at the switch, either.
        if self.site.forward_all(device, to.as_ref()).await.is_ok() {
            self.at(device, Action::ForwardsAll(to));
        }
    }
}

fn call(number: u32) -> Action {
    Action::Calls { to: dn(number), on: None }
}

/// A number of digits only is always a directory number.
#[expect(clippy::expect_used, reason = "invariant: one to ten digits")]
pub(super) fn dn(number: u32) -> DirectoryNumber {
    DirectoryNumber::new(number.to_string()).expect("digits")
}
