//! A call manager with three phones, and applications at it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

use std::sync::Arc;
use std::time::Duration;

use ringback_cti::{Command, CtiProvider, DataId, ProviderEvent, Tag};
use ringback_cti_net::{ClientConfig, ClientProvider, Connector, Manager, TcpConnector};
use ringback_model::{
    Appearance, DeviceName, DirectoryNumber, Epoch, LineId, Partition, reveal_personal_data,
};
use ringback_sim::{Action, CallManager, CallManagerConfig, CtiManager, PhoneSetup, SimNetwork};

pub(crate) fn dev(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

pub(crate) fn dn(number: &str) -> DirectoryNumber {
    DirectoryNumber::new(number).unwrap()
}

pub(crate) fn at(device: &str, number: &str) -> Appearance {
    Appearance { device: dev(device), line: LineId::new(Partition::default(), dn(number)) }
}

pub(crate) fn screen(tag: u64, device: &str) -> Command {
    let content = "<CiscoIPPhoneText><Title>T</Title><Prompt>P</Prompt><Text>Hello</Text><SoftKeyItem>\
        <Name>Exit</Name><URL>UserDataSoftKey:Exit:ringback:</URL><Position>1</Position></SoftKeyItem>\
        </CiscoIPPhoneText>";
    Command::SendData { tag: Tag(tag), device: dev(device), id: None, content: content.into() }
}

pub(crate) fn alert(tag: u64, device: &str, id: u128) -> Command {
    let content =
        "<CiscoIPPhoneExecute><ExecuteItem Priority=\"0\" URL=\"Play:CallBack.raw\"/></CiscoIPPhoneExecute>";
    Command::SendData { tag: Tag(tag), device: dev(device), id: Some(DataId(id)), content: content.into() }
}

pub(crate) fn clear(tag: u64, device: &str) -> Command {
    let content =
        "<CiscoIPPhoneExecute><ExecuteItem Priority=\"0\" URL=\"Init:Services\"/></CiscoIPPhoneExecute>";
    Command::SendData { tag: Tag(tag), device: dev(device), id: None, content: content.into() }
}

pub(crate) struct Lab {
    pub(crate) call_manager: CallManager,
    pub(crate) managers: Vec<CtiManager>,
    pub(crate) network: SimNetwork,
}

impl Lab {
    /// Phones A 1001, B 1002, C 1003.
    pub(crate) fn new(managers: &[&str]) -> Self {
        reveal_personal_data(true);
        let call_manager = CallManager::new(CallManagerConfig::default());
        for (name, number) in [("A", "1001"), ("B", "1002"), ("C", "1003")] {
            let lines = vec![LineId::new(Partition::default(), dn(number))];
            call_manager.add_phone(PhoneSetup { device: dev(name), lines, calls_per_line: 1 }).unwrap();
        }
        let managers: Vec<CtiManager> = managers.iter().map(|name| call_manager.cti_manager(name)).collect();
        let network = SimNetwork::new(managers.clone());
        Self { call_manager, managers, network }
    }

    pub(crate) fn act(&self, phone: &str, action: Action) {
        self.call_manager.act(&dev(phone), action).unwrap();
    }

    /// An application on this node that knows every CTIManager; in epoch 0 it stands by.
    pub(crate) fn application(&self, node: &str, epoch: u64) -> Application {
        let names: Vec<&str> = self.managers.iter().map(CtiManager::name).collect();
        self.application_at(node, epoch, &names)
    }

    pub(crate) fn application_at(&self, node: &str, epoch: u64, managers: &[&str]) -> Application {
        self.application_with(node, epoch, managers, "ringback")
    }

    pub(crate) fn application_with(
        &self,
        node: &str,
        epoch: u64,
        managers: &[&str],
        password: &str,
    ) -> Application {
        let managers = managers.iter().map(|name| Manager::new(*name, *name)).collect();
        let connector = Arc::new(self.network.connector(node.parse().unwrap()));
        Application::new(managers, password, connector, epoch)
    }

    pub(crate) fn tcp_application(&self, address: &str) -> Application {
        Application::new(vec![Manager::new("cti1", address)], "ringback", Arc::new(TcpConnector), 1)
    }

    /// Lets everything that needs no long time happen.
    pub(crate) async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) struct Application {
    provider: ClientProvider,
}

impl Application {
    fn new(managers: Vec<Manager>, password: &str, connector: Arc<dyn Connector>, epoch: u64) -> Self {
        let config = ClientConfig::new(managers, "ringback", password.into());
        let mut provider = ClientProvider::new(config, connector).unwrap();
        if epoch > 0 {
            provider.submit(Command::Assume(Epoch(epoch)));
        }
        Self { provider }
    }

    pub(crate) fn submit(&mut self, command: Command) {
        self.provider.submit(command);
    }

    pub(crate) async fn next(&mut self) -> ProviderEvent {
        self.provider.next().await.unwrap()
    }

    /// What is reported at once.
    pub(crate) async fn hear(&mut self) -> Vec<ProviderEvent> {
        self.hear_until(Duration::from_millis(100)).await
    }

    /// What is reported within so many seconds.
    pub(crate) async fn hear_for(&mut self, seconds: u64) -> Vec<ProviderEvent> {
        self.hear_until(Duration::from_secs(seconds)).await
    }

    async fn hear_until(&mut self, span: Duration) -> Vec<ProviderEvent> {
        let end = tokio::time::Instant::now() + span;
        let mut heard = Vec::new();
        while let Ok(event) = tokio::time::timeout_at(end, self.provider.next()).await {
            heard.extend(event);
        }
        heard
    }
}
