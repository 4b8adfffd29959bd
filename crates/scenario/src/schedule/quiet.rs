use ringback_callback::Phase;
use ringback_model::DeviceName;
use ringback_sim::Action;
use tokio::time::{Duration, Instant, sleep};

use super::site::Ground;
use super::users::dn;
use crate::world::Instances;

/// So long after everything works again, the lowest address is active and everything is read.
const ACTIVE_WITHIN: Duration = Duration::from_secs(30);
/// So long after its line and its caller are free, a request has had its turn, for each request that may be before it.
const TURN_WITHIN: Duration = Duration::from_secs(8);
/// So long after the last request has ended, nothing is open any more.
const CLOSED_WITHIN: Duration = Duration::from_secs(15);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(250);
/// What a user takes from one action to the next.
const PACE: Duration = Duration::from_millis(600);

/// How often a user presses the key.
const PRESSES: usize = 3;
/// A number that leads nowhere.
const NOBODY: u32 = 9999;

/// What must happen once nothing fails any more: bounded liveness.
impl Ground {
    pub(super) async fn quiet(&mut self) {
        self.observer.say(self.now(), || "QUIET".to_owned());
        if self.observer.has_failed() || !self.lowest_acts().await {
            return;
        }
        // A Dial of before may still make a phone ring the first time.
        self.free_everybody().await;
        self.free_everybody().await;
        if self.observer.has_failed() || !self.everybody_is_notified().await {
            return;
        }
        for phone in self.phones.clone() {
            self.cancel(&phone).await;
        }
        self.nothing_stays_open().await;
    }

    /// The lowest live address is active within bounded time, and everybody agrees.
    async fn lowest_acts(&mut self) -> bool {
        let limit = Instant::now() + ACTIVE_WITHIN;
        loop {
            let statuses = self.nodes.statuses();
            let lowest = statuses.first().map(|status| status.address);
            if statuses.first().is_some_and(|status| status.ready)
                && statuses.iter().all(|status| status.active == lowest)
            {
                return true;
            }
            if Instant::now() >= limit {
                let what = format!("within {ACTIVE_WITHIN:?} of quiet: {statuses:?}");
                self.observer.violated(self.now(), "the lowest address becomes active", what);
                return false;
            }
            sleep(LOOK).await;
        }
    }

    /// Every phone is registered, idle, forwards nothing and may be disturbed; and every line has been used once since, so
    /// that those who wait for use have it.
    async fn free_everybody(&self) {
        for (phone, lines) in self.phones.iter().zip(&self.lines) {
            self.at(phone, Action::Registers);
            self.at(phone, Action::DoNotDisturb(false));
            self.forward(phone, None).await;
            self.end_calls(phone);
            for line in lines {
                sleep(PACE).await;
                self.at(phone, Action::Calls { to: dn(NOBODY), on: Some(dn(*line)) });
                sleep(PACE).await;
                self.end_calls(phone);
            }
        }
    }

    fn end_calls(&self, phone: &DeviceName) {
        while !self.site.call_manager.is_idle(phone) {
            if !self.site.call_manager.rings(phone).is_empty() {
                self.at(phone, Action::Answers);
            }
            self.at(phone, Action::HangsUp(None));
        }
    }

    /// Every waiting request whose line is available and whose caller is idle has its turn within bounded time.
    async fn everybody_is_notified(&self) -> bool {
        let requests = u32::try_from(self.observer.records().len()).unwrap_or(u32::MAX);
        let limit = Instant::now() + TURN_WITHIN * requests.saturating_add(1);
        loop {
            let records = self.observer.records();
            let waits = records.iter().find(|record| record.phase != Phase::Lapsed);
            let Some(waits) = waits else { return true };
            if Instant::now() >= limit {
                let what = format!(
                    "{} of {} for {}: {:?}, cycle {:?}",
                    waits.id,
                    waits.caller.device.as_str(),
                    waits.called.dn.as_str(),
                    waits.phase,
                    waits.cycle
                );
                self.observer.violated(self.now(), "a waiting request has its turn", what);
                return false;
            }
            if self.observer.has_failed() {
                return false;
            }
            sleep(LOOK).await;
        }
    }

    /// The user brings up the screen of the request, if there is one, and cancels; or leaves the screen. A request may
    /// expire at just this moment, and its screen with it: then the user tries again.
    async fn cancel(&self, phone: &DeviceName) {
        for _ in 0..PRESSES {
            self.press(phone, "CallBack");
            sleep(PACE).await;
            let screen = self.site.call_manager.screen(phone);
            let keys = screen.map(|screen| screen.soft_keys).unwrap_or_default();
            let key = ["Cancel", "Exit"].into_iter().find(|key| keys.iter().any(|shown| shown == key));
            if let Some(key) = key {
                self.press(phone, key);
                return;
            }
        }
        let what = format!("{} shows nothing", phone.as_str());
        self.observer.violated(self.now(), "the key of an idle phone brings up a screen", what);
    }

    /// What is open at the CTIManagers is needed by a request or a screen; when there is neither, nothing is.
    async fn nothing_stays_open(&self) {
        let limit = Instant::now() + CLOSED_WITHIN;
        loop {
            let pending = self.observer.records().len();
            let shown = self.phones.iter().find(|phone| self.site.call_manager.screen(phone).is_some());
            let (devices, lines) =
                (self.site.call_manager.open_devices(), self.site.call_manager.open_lines());
            if pending == 0 && shown.is_none() && devices == 0 && lines == 0 {
                return;
            }
            if Instant::now() >= limit {
                let shown = shown.map(DeviceName::as_str);
                let what = format!(
                    "{pending} requests, {devices} devices and {lines} lines open, a screen on {shown:?}"
                );
                self.observer.violated(self.now(), "what is not needed is closed", what);
                return;
            }
            sleep(LOOK).await;
        }
    }
}
