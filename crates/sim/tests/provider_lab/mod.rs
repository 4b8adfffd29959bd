//! The world around a provider that is proven: a simulated call manager with three phones.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_cti::conformance::{Ability, Act, Lab, Wait};
use ringback_cti::message::{CallInfo, CallState, Request};
use ringback_cti::{CtiProvider, Dedup, Fencing, ProviderEvent};
use ringback_cti_net::{ClientConfig, ClientProvider, Manager};
use ringback_model::{Appearance, DeviceName, DirectoryNumber, LineId, Partition, reveal_personal_data};
use ringback_sim::{
    Action, CallManager, CallManagerConfig, CtiManager, Cut, Observation, PhoneSetup, SimNetwork, SwitchEvent,
};

/// How links are cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scissors {
    /// The CTIManagers stop: every connection is closed.
    Stop,
    /// The network swallows what is sent; only the silence tells.
    Silence,
}

/// What is seen at the switch itself, whatever applications are told.
#[derive(Default)]
struct Seen {
    received: BTreeMap<DeviceName, Vec<String>>,
    calls: BTreeMap<Appearance, Vec<CallInfo>>,
}

impl Seen {
    fn take(&mut self, observation: &Observation<'_>) {
        match observation {
            Observation::Request {
                request: Request::DeviceData { device, content, .. },
                result: Ok(_),
                ..
            } => self.received.entry(device.clone()).or_default().push(content.clone()),
            Observation::Switch(SwitchEvent::Call { at, info }) => {
                let calls = self.calls.entry(at.clone()).or_default();
                calls.retain(|known| known.call != info.call);
                if info.state != CallState::Idle {
                    calls.push(info.clone());
                }
            }
            _ => {}
        }
    }
}

pub(crate) struct SimLab<W> {
    call_manager: CallManager,
    managers: Vec<CtiManager>,
    network: SimNetwork,
    scissors: Scissors,
    wrap: W,
    adapted: fn(&str) -> String,
    instances: u8,
    seen: Arc<Mutex<Seen>>,
}

fn phone(name: &str, number: &str) -> Appearance {
    let line = LineId::new(Partition::default(), DirectoryNumber::new(number).unwrap());
    Appearance { device: DeviceName::new(name).unwrap(), line }
}

fn node(instance: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, instance).into()
}

impl<W> SimLab<W> {
    /// `wrap` makes what is proven of the provider of this workspace.
    pub(crate) fn new(scissors: Scissors, wrap: W) -> Self {
        reveal_personal_data(true);
        let call_manager = CallManager::new(CallManagerConfig::default());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let eyes = Arc::clone(&seen);
        call_manager.observe(Arc::new(move |_, observation| eyes.lock().unwrap().take(observation)));
        let managers: Vec<CtiManager> =
            ["cti1", "cti2"].into_iter().map(|name| call_manager.cti_manager(name)).collect();
        let network = SimNetwork::new(managers.clone());
        let adapted = str::to_owned;
        let lab = Self { call_manager, managers, network, scissors, wrap, adapted, instances: 0, seen };
        for at in lab.three() {
            let setup = PhoneSetup { device: at.device, lines: vec![at.line], calls_per_line: 1 };
            lab.call_manager.add_phone(setup).unwrap();
        }
        lab
    }

    /// A call manager that knows no epochs, or whose phones know no ids.
    pub(crate) fn weaker(self, fencing: Fencing, dedup: Dedup) -> Self {
        self.call_manager.set_fencing(fencing);
        self.call_manager.set_dedup(dedup);
        self
    }

    /// Phones that are given data in another form.
    pub(crate) fn adapting(self, adapted: fn(&str) -> String) -> Self {
        Self { adapted, ..self }
    }

    fn three(&self) -> [Appearance; 3] {
        [phone("A", "1001"), phone("B", "1002"), phone("C", "1003")]
    }

    fn cut(&self) {
        match self.scissors {
            Scissors::Stop => self.managers.iter().for_each(CtiManager::stop),
            Scissors::Silence => {
                (1..=self.instances).for_each(|instance| self.network.cut(node(instance), Cut::Both));
            }
        }
    }

    fn restore(&self) {
        match self.scissors {
            Scissors::Stop => self.managers.iter().for_each(CtiManager::start),
            Scissors::Silence => (1..=self.instances).for_each(|instance| self.network.heal(node(instance))),
        }
    }
}

/// A screen with this text and a key to leave it.
fn screen(text: &str) -> String {
    format!(
        "<CiscoIPPhoneText><Title>T</Title><Prompt>P</Prompt><Text>{text}</Text><SoftKeyItem><Name>Exit</Name>\
         <URL>UserDataSoftKey:Exit:ringback:</URL><Position>1</Position></SoftKeyItem></CiscoIPPhoneText>"
    )
}

impl<P: CtiProvider, W: Fn(ClientProvider) -> P> Lab for SimLab<W> {
    type Provider = P;

    fn abilities(&self) -> &[Ability] {
        &Ability::ALL
    }

    fn phones(&self) -> [Appearance; 3] {
        self.three()
    }

    async fn provider(&mut self) -> P {
        self.instances += 1;
        let managers = self.managers.iter().map(|manager| Manager::new(manager.name(), manager.name()));
        let config = ClientConfig::new(managers.collect(), "ringback", "ringback".into());
        let connector = Arc::new(self.network.connector(node(self.instances)));
        (self.wrap)(ClientProvider::new(config, connector).unwrap())
    }

    async fn hear(&mut self, provider: &mut P, wait: Wait) -> Option<ProviderEvent> {
        let limit = match wait {
            Wait::UntilItComes => Duration::from_secs(170),
            Wait::UntilItIsQuiet => Duration::from_millis(100),
        };
        tokio::time::timeout(limit, provider.next()).await.ok().flatten()
    }

    async fn act(&mut self, act: Act) -> Result<(), String> {
        let (device, action) = match act {
            Act::Call { from, to } => (from.device, Action::Calls { to, on: None }),
            Act::Answer(device) => (device, Action::Answers),
            Act::HangUp(device) => (device, Action::HangsUp(None)),
            Act::PressFeatureKey(device) => (device, Action::Presses("CallBack".to_owned())),
            Act::PressScreenKey(device) => (device, Action::Presses("Exit".to_owned())),
            Act::Unregister(device) => (device, Action::Unregisters),
            Act::Register(device) => (device, Action::Registers),
            Act::DoNotDisturb(device, yes) => (device, Action::DoNotDisturb(yes)),
            Act::ChangeUser(device) => (device, Action::LogsIn),
            Act::Forward(at, to) => (at.device, Action::ForwardsAll(to)),
            Act::CutLink => {
                self.cut();
                return Ok(());
            }
            Act::RestoreLink => {
                self.restore();
                return Ok(());
            }
            other => return Err(format!("{other:?} is not known here")),
        };
        self.call_manager.act(&device, action).map_err(|error| error.to_string())
    }

    async fn rings(&mut self, device: &DeviceName) -> bool {
        !self.call_manager.rings(device).is_empty()
    }

    async fn calls(&mut self, at: &Appearance) -> Vec<CallInfo> {
        self.seen.lock().unwrap().calls.get(at).cloned().unwrap_or_default()
    }

    fn data(&self) -> Vec<String> {
        let full = 2000 - screen("").len();
        vec![
            screen("one"),
            screen("&amp;&lt;&gt;&quot;&apos; \u{c4}\u{3c9}\u{65e5}\u{672c}"),
            screen(&"x".repeat(full)),
            screen("a\nb\tc  d "),
        ]
    }

    fn adapted(&self, content: &str) -> String {
        (self.adapted)(content)
    }

    fn too_large(&self) -> String {
        screen(&"x".repeat(2001 - screen("").len()))
    }

    async fn received(&mut self, device: &DeviceName) -> Vec<String> {
        self.seen.lock().unwrap().received.get(device).cloned().unwrap_or_default()
    }

    fn alert(&self) -> String {
        "<CiscoIPPhoneExecute><ExecuteItem Priority=\"0\" URL=\"Play:CallBack.raw\"/></CiscoIPPhoneExecute>"
            .to_owned()
    }

    async fn played(&mut self, device: &DeviceName) -> u64 {
        self.call_manager.alerts(device)
    }

    fn screen_with_key(&self) -> (String, String) {
        (screen("press"), "Exit:ringback:".to_owned())
    }
}
