use std::sync::Arc;

use async_trait::async_trait;
use ringback_cti::RequestFailure;
use ringback_model::DeviceName;
use ringback_screen::phone::{ExecuteItem, Priority};
use tokio::time::timeout;

use super::config::{ConfigError, Login, duration};
use super::error::PushError;
use super::post;
use super::server::PushServer;
use super::table::{Entry, Token};
use crate::ami::ActionError;
use crate::notify::{Alert, Courier, Errand, Presses, Recipient, Screen, Step, Way};

/// Shows screens on a phone as phone XML, and has it play the audio file: given by
/// [`PushServer::phone`](super::PushServer::phone).
#[derive(Debug, Clone)]
pub struct PushWay {
    phone: Arc<Phone>,
}

/// One phone.
#[derive(Debug, Clone)]
struct Phone {
    /// It serves as long as there is a way that needs it.
    server: PushServer,
    host: String,
    login: Login,
}

impl PushWay {
    pub(super) fn new(server: PushServer, host: String, login: Login) -> Self {
        Self { phone: Arc::new(Phone { server, host, login }) }
    }

    /// The same, for a phone that accepts another login.
    ///
    /// # Errors
    /// It cannot be sent.
    pub fn with_login(self, login: Login) -> Result<Self, ConfigError> {
        login.check()?;
        let phone = Phone { login, ..Arc::unwrap_or_clone(self.phone) };
        Ok(Self { phone: Arc::new(phone) })
    }
}

impl Way for PushWay {
    fn show(&self, _: Recipient<'_>, screen: &Screen) -> Result<Vec<Step>, ActionError> {
        Ok(vec![Step::Errand(Errand::Show(screen.clone()))])
    }

    fn alert(&self, _: Recipient<'_>, alert: Alert<'_>) -> Result<Vec<Step>, ActionError> {
        Ok(vec![Step::Errand(Errand::Execute(alert.items.to_vec()))])
    }

    fn prompt(&self, _: Recipient<'_>, text: &str) -> Result<Vec<Step>, ActionError> {
        Ok(vec![Step::Errand(Errand::Prompt(text.to_owned()))])
    }

    fn clear(&self, _: Recipient<'_>, items: &[ExecuteItem]) -> Result<Vec<Step>, ActionError> {
        Ok(vec![Step::Errand(Errand::Clear(items.to_vec()))])
    }

    fn courier(&self) -> Option<Arc<dyn Courier>> {
        Some(Arc::clone(&self.phone) as Arc<dyn Courier>)
    }
}

#[async_trait]
impl Courier for Phone {
    fn listen(&self, phone: Option<&DeviceName>, presses: &Presses) {
        self.server.desk.listen(phone, presses);
    }

    async fn run(&self, phone: &DeviceName, errand: Errand, presses: Presses) -> Result<(), RequestFailure> {
        let done = match errand {
            Errand::Show(screen) => self.show(phone, screen, presses).await,
            Errand::Prompt(text) => self.show(phone, self.prompting(phone, text), presses).await,
            Errand::Clear(items) => self.clear(phone, items).await,
            Errand::Execute(items) => self.execute(items).await,
        };
        done.map_err(|error| {
            let failure = error.failure();
            tracing::warn!(device = ?phone, host = self.host, %error, "phone not told");
            failure
        })
    }
}

impl Phone {
    async fn execute(&self, items: Vec<ExecuteItem>) -> Result<(), PushError> {
        // The semaphore is never closed.
        let _one_of_so_many = self.server.desk.phones.acquire().await;
        post::execute(&self.host, &self.login, items, self.server.desk.config.answer).await
    }

    async fn show(&self, device: &DeviceName, screen: Screen, presses: Presses) -> Result<(), PushError> {
        let token = Token::random().map_err(PushError::Random)?;
        let keys = (self.server.desk.keys.as_str(), &self.server.desk.signer);
        let (entry, fetched) = Entry::new(token, device, keys, screen, presses)?;
        self.server.desk.table().insert(device, entry);
        let url = format!("http://{}/screen/{token}", self.server.desk.public);
        let told = self.execute(vec![ExecuteItem { url, priority: Priority::AtOnce }]).await;
        if let Err(error) = told {
            if matches!(error.failure(), RequestFailure::Refused(_) | RequestFailure::NeverSent(_)) {
                self.server.desk.table().remove(token);
            }
            return Err(error);
        }
        let within = self.server.desk.config.fetch;
        match timeout(duration(within), fetched).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(PushError::NotFetched { public: self.server.desk.public.clone(), within }),
        }
    }

    /// The screen that is shown, with this below it; without one, this alone.
    fn prompting(&self, device: &DeviceName, text: String) -> Screen {
        match self.server.desk.table().shown(device) {
            Some(shown) => Screen { prompt: text, ..shown.clone() },
            None => Screen { lines: vec![text], ..Screen::default() },
        }
    }

    async fn clear(&self, device: &DeviceName, items: Vec<ExecuteItem>) -> Result<(), PushError> {
        // Its keys mean nothing any more, even if the phone goes on showing it.
        self.server.desk.table().clear(device);
        self.execute(items).await
    }
}
