//! The world around a provider that is proven: a live Asterisk with three SIP phones.

mod observer;
mod scissors;
mod watched;

use std::sync::Arc;
use std::time::Duration;

use observer::{Observer, Seen};
use ringback_cti::conformance::{Ability, Act, Lab, Wait};
use ringback_cti::message::{CallInfo, CallState, Cause};
use ringback_cti::{CtiProvider, ProviderEvent};
use ringback_cti_asterisk::map::line_of;
use ringback_cti_asterisk::provider::{AsteriskProvider, Config};
use ringback_model::{Appearance, CallId, DeviceName, Millis};
use ringback_pbx_lab::{Answering, CallOutcome, Phone, PhoneCall, PhoneEvent, Release, Server, Site};
use scissors::Scissors;
use tokio::time::{Instant, timeout};
use watched::{SIGNAL, Watched};

use super::seat::{config, device, server_of};

/// What an Asterisk and its phones can do. Nobody logs in or out at an endpoint.
const ABILITIES: [Ability; 9] = [
    Ability::FeatureKey,
    Ability::Data,
    Ability::Alert,
    Ability::ScreenKey,
    Ability::Registration,
    Ability::DoNotDisturb,
    Ability::Forwarding,
    Ability::Link,
    Ability::Instances,
];

const NAMES: [&str; 3] = ["1001", "1002", "1003"];

/// Only what hangs takes so long.
const WATCHDOG: Duration = Duration::from_secs(60);
/// How often is looked at the phones while a provider is being heard.
const GLANCE: Duration = Duration::from_millis(10);
/// For so long a provider that stands by, or has no link, is listened to: it should say nothing.
const SILENCE: Duration = Duration::from_millis(300);

/// A phone and its user.
struct Desk {
    phone: Phone,
    /// The call that the user made and has not ended.
    call: Option<PhoneCall>,
    rings: bool,
    received: Vec<String>,
    played: u64,
}

/// An Asterisk, as the suite plays on it.
pub(crate) struct PbxLab {
    server: Server,
    desks: Vec<Desk>,
    observer: Observer,
    scissors: Scissors,
    signals: u64,
}

impl PbxLab {
    /// `None`: there is no Asterisk to be had here.
    pub(crate) async fn open(release: Release) -> Option<Self> {
        // Who is heard here presses no key, but says when everything before has been told.
        let site = Site::with_phones(NAMES).replacing(
            "\n[ringback-recall]\n",
            "\n[lab]\nexten => _X!,1,UserEvent(CallBackKey,Caller: signal-${EXTEN})\n same => n,Hangup()\n\n[ringback-recall]\n",
        );
        let server = server_of(release, &site).await?;
        let mut observer = Observer::log_in(config(&server).session).await;
        let mut desks = Vec::new();
        for name in NAMES {
            let phone = Phone::register(&server, name).await.unwrap();
            desks.push(Desk { phone, call: None, rings: false, received: Vec::new(), played: 0 });
            // Its state, too: one that is gone again before the server has looked has not changed.
            let is_there = |view: &observer::View| {
                view.registered.get(name) == Some(&true)
                    && view.states.get(name).is_some_and(|state| state == "NOT_INUSE")
            };
            observer.until("registered", is_there).await.unwrap();
        }
        Some(Self { server, desks, observer, scissors: Scissors::default(), signals: 0 })
    }

    fn config(&self) -> Config {
        let mut config = config(&self.server);
        config.session.retry_limit = Millis::from_secs(1);
        config
    }

    fn desk(&mut self, device: &DeviceName) -> &mut Desk {
        let place = NAMES.iter().position(|name| *name == device.as_str()).unwrap();
        &mut self.desks[place]
    }

    /// What phones saw, and what their users do by themselves: they pick up for a call that was made for them, and decline
    /// what only draws their attention.
    async fn look_at_phones(&mut self) {
        for desk in &mut self.desks {
            for (_, event) in desk.phone.drain() {
                match event {
                    PhoneEvent::Rings { name, number } if name == "Call Back" && is_number(&number) => {
                        desk.phone.answer().unwrap();
                    }
                    PhoneEvent::Rings { name, .. } if name.starts_with("Call Back") => {
                        desk.played += 1;
                        desk.phone.hang_up().await.unwrap();
                    }
                    PhoneEvent::Rings { .. } => desk.rings = true,
                    PhoneEvent::StoppedRinging | PhoneEvent::Answered | PhoneEvent::HungUp => {
                        desk.rings = false
                    }
                    PhoneEvent::Text(text) => desk.received.push(text),
                    _ => {}
                }
            }
        }
    }

    /// Has the server say something that comes after all that it has said before.
    fn signal(&mut self) -> u64 {
        self.signals += 1;
        let channel = format!("Local/{}@lab", self.signals);
        self.observer.order(
            "Originate",
            &[("Channel", &channel), ("Application", "Wait"), ("Data", "1"), ("Async", "true")],
        );
        self.signals
    }

    async fn until_settled(&mut self, provider: &mut Watched) -> Option<ProviderEvent> {
        let end = Instant::now() + WATCHDOG;
        let mut signal = None;
        let mut deaf_until = None;
        while Instant::now() < end {
            self.look_at_phones().await;
            if let Ok(event) = timeout(GLANCE, provider.next()).await {
                return event;
            }
            if provider.provider.waits_for().is_some() {
                continue;
            }
            if !provider.tells_of_keys() {
                let until = *deaf_until.get_or_insert(Instant::now() + SILENCE);
                if until <= Instant::now() {
                    return None;
                }
                continue;
            }
            let view = self.observer.view();
            match signal {
                // Whatever is heard before that is over counts for nothing.
                _ if view.places() => signal = None,
                None => signal = Some(self.signal()),
                Some(signal) if provider.heard >= signal && view.heard >= signal => return None,
                Some(_) => {}
            }
        }
        let view = self.observer.view();
        panic!(
            "the provider does not settle: waits for {:?}, tells of keys {}, signal {signal:?}, of which it heard {} and \
             the observer {}; a call is being placed {}: {}",
            provider.provider.waits_for(),
            provider.tells_of_keys(),
            provider.heard,
            view.heard,
            view.places(),
            self.server.log()
        );
    }

    async fn call(&mut self, from: &DeviceName, to: &str) -> Result<(), String> {
        let desk = self.desk(from);
        let mut call = desk.phone.call(to).map_err(|error| error.to_string())?;
        // Its user has one call at a time.
        desk.phone.set_answering(Answering::Busy);
        let begun = |outcome| outcome != CallOutcome::Calling;
        let outcome = call.wait_for(WATCHDOG, begun).await.map_err(|error| error.to_string())?;
        desk.call = Some(call);
        let name = from.as_str().to_owned();
        match outcome {
            CallOutcome::Failed(_) | CallOutcome::Ended => {
                self.observer.until("the call is over", |view| view.of(&name).next().is_none()).await
            }
            _ => {
                self.observer
                    .until("it rings", |view| {
                        view.of(&name).any(|(_, channel)| channel.ringback || channel.state == 6)
                    })
                    .await
            }
        }
    }

    async fn hang_up(&mut self, device: &DeviceName) -> Result<(), String> {
        let view = self.observer.view();
        let linked: Vec<String> =
            view.of(device.as_str()).map(|(_, channel)| channel.linked.clone()).collect();
        let desk = self.desk(device);
        if let Some(call) = desk.call.take() {
            call.hang_up().await.map_err(|error| error.to_string())?;
        }
        // There may be none to it.
        let _none = desk.phone.hang_up().await;
        desk.phone.set_answering(Answering::Ring);
        let over =
            |view: &observer::View| !view.channels.values().any(|channel| linked.contains(&channel.linked));
        self.observer.until("the call is over", over).await
    }

    async fn text(&mut self, device: &DeviceName, text: &str) -> Result<(), String> {
        let name = device.as_str().to_owned();
        let before = self.observer.view().texts.get(&name).copied().unwrap_or(0);
        let desk = self.desk(device);
        desk.phone.text("ringback", text).await.map_err(|error| error.to_string())?;
        self.observer
            .until("the text", |view| view.texts.get(&name).is_some_and(|texts| *texts > before))
            .await
    }

    /// A setting that a feature code would make.
    fn set(&self, family: &str, number: &str, value: Option<&str>) {
        match value {
            Some(value) => {
                self.observer.order("DBPut", &[("Family", family), ("Key", number), ("Val", value)])
            }
            None => self.observer.order("DBDel", &[("Family", family), ("Key", number)]),
        }
        self.observer.order("UserEvent", &[("UserEvent", "CallBackSetting"), ("Phone", number)]);
    }

    async fn register(&mut self, device: &DeviceName, registered: bool) -> Result<(), String> {
        let phone = &self.desk(device).phone;
        let result = if registered { phone.renew().await } else { phone.unregister().await };
        result.map_err(|error| error.to_string())?;
        let (name, state) =
            (device.as_str().to_owned(), if registered { "NOT_INUSE" } else { "UNAVAILABLE" });
        let done = |view: &observer::View| {
            view.registered.get(&name) == Some(&registered)
                && view.states.get(&name).is_some_and(|known| known == state)
        };
        self.observer.until("the registration", done).await
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A screen with this text and a key to leave it.
fn screen(text: &str) -> String {
    format!(
        "<CiscoIPPhoneText><Title>T</Title><Prompt>P</Prompt><Text>{text}</Text><SoftKeyItem><Name>Exit</Name>\
         <URL>UserDataSoftKey:Exit:ringback:</URL><Position>1</Position></SoftKeyItem></CiscoIPPhoneText>"
    )
}

/// Screens, and what a phone that shows texts gets of them.
fn screens() -> [(String, String); 4] {
    let full = 2000 - screen("").len();
    [
        (screen("one"), "one; 1=Exit".to_owned()),
        (
            screen("&amp;&lt;&gt;&quot;&apos; \u{c4}\u{3c9}\u{65e5}\u{672c}"),
            "&<>\"' \u{c4}\u{3c9}\u{65e5}\u{672c}; 1=Exit".to_owned(),
        ),
        (screen(&"x".repeat(full)), format!("{}...; 1=Exit", "x".repeat(600))),
        (screen("a\nb:  d"), "a; b:  d; 1=Exit".to_owned()),
    ]
}

impl Lab for PbxLab {
    type Provider = Watched;

    fn abilities(&self) -> &[Ability] {
        &ABILITIES
    }

    fn phones(&self) -> [Appearance; 3] {
        NAMES.map(|name| line_of(&device(name)).unwrap())
    }

    async fn provider(&mut self) -> Watched {
        Watched::new(AsteriskProvider::new(self.config(), Arc::new(self.scissors.clone())).unwrap())
    }

    async fn hear(&mut self, provider: &mut Watched, wait: Wait) -> Option<ProviderEvent> {
        if wait == Wait::UntilItIsQuiet {
            return self.until_settled(provider).await;
        }
        let end = Instant::now() + WATCHDOG;
        while Instant::now() < end {
            self.look_at_phones().await;
            if let Ok(event) = timeout(GLANCE, provider.next()).await {
                return event;
            }
        }
        None
    }

    async fn act(&mut self, act: Act) -> Result<(), String> {
        self.look_at_phones().await;
        match act {
            Act::Call { from, to } => self.call(&from.device, to.as_str()).await,
            Act::Answer(device) => {
                self.desk(&device).phone.answer().map_err(|error| error.to_string())?;
                let name = device.as_str().to_owned();
                self.observer
                    .until("they talk", |view| {
                        let talks = |channel: &Seen| {
                            view.channels
                                .values()
                                .filter(|other| other.linked == channel.linked && other.bridged)
                                .count()
                                == 2
                        };
                        view.of(&name).any(|(_, channel)| channel.bridged && talks(channel))
                    })
                    .await
            }
            Act::HangUp(device) => self.hang_up(&device).await,
            Act::PressFeatureKey(device) => {
                let called = self.desk(&device).call.is_some();
                let text = if called { NAMES[1] } else { "?" };
                self.text(&device, text).await
            }
            Act::PressScreenKey(device) => self.text(&device, "1").await,
            Act::Unregister(device) => self.register(&device, false).await,
            Act::Register(device) => self.register(&device, true).await,
            Act::DoNotDisturb(device, yes) => {
                self.set("DND", device.as_str(), yes.then_some("1"));
                Ok(())
            }
            Act::Forward(at, to) => {
                self.set("CFWD", at.line.dn.as_str(), to.as_ref().map(|to| to.as_str()));
                Ok(())
            }
            Act::CutLink => {
                self.scissors.cut(true);
                Ok(())
            }
            Act::RestoreLink => {
                self.scissors.cut(false);
                Ok(())
            }
            other => Err(format!("{other:?} is not known here")),
        }
    }

    async fn rings(&mut self, device: &DeviceName) -> bool {
        self.look_at_phones().await;
        self.desk(device).rings
    }

    async fn calls(&mut self, at: &Appearance) -> Vec<CallInfo> {
        let view = self.observer.view();
        let state = |channel: &Seen| match channel.state {
            5 => Some(CallState::Ringing),
            6 => Some(CallState::Connected),
            4 => Some(CallState::Proceeding),
            _ => None,
        };
        let info = |(place, state)| CallInfo {
            call: CallId(place),
            state,
            cause: Cause::NONE,
            called: None,
            peer: None,
        };
        (0..).zip(view.of(at.device.as_str()).filter_map(|(_, channel)| state(channel))).map(info).collect()
    }

    fn data(&self) -> Vec<String> {
        screens().map(|(screen, _)| screen).into()
    }

    fn adapted(&self, content: &str) -> String {
        screens().into_iter().find(|(screen, _)| screen == content).unwrap().1
    }

    fn too_large(&self) -> String {
        screen(&"x".repeat(2001 - screen("").len()))
    }

    async fn received(&mut self, device: &DeviceName) -> Vec<String> {
        // Texts to one phone come in the order in which the server was told to send them.
        self.signals += 1;
        let (last, to) = (format!("{SIGNAL}{}", self.signals), format!("pjsip:{}", device.as_str()));
        self.observer.order("MessageSend", &[("To", &to), ("From", "sip:lab@pbx"), ("Body", &last)]);
        let end = Instant::now() + WATCHDOG;
        loop {
            self.look_at_phones().await;
            let received = &mut self.desk(device).received;
            if received.contains(&last) {
                received.retain(|text| !text.starts_with(SIGNAL));
                return received.clone();
            }
            assert!(Instant::now() < end, "no text arrives: {received:?}");
            tokio::time::sleep(GLANCE).await;
        }
    }

    fn alert(&self) -> String {
        "<CiscoIPPhoneExecute><ExecuteItem Priority=\"0\" URL=\"Play:CallBack.raw\"/></CiscoIPPhoneExecute>"
            .to_owned()
    }

    async fn played(&mut self, device: &DeviceName) -> u64 {
        self.look_at_phones().await;
        self.desk(device).played
    }

    fn screen_with_key(&self) -> (String, String) {
        (screen("press"), "Exit:ringback:".to_owned())
    }
}
