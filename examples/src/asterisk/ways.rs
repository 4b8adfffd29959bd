use ringback::model::DeviceName;
use ringback_cti_asterisk::notify::push::{self, PushServer, StartError};
use ringback_cti_asterisk::notify::{NotifyWay, RecallWay, TextWay, Ways};
use secrecy::SecretString;

use super::config::{AsteriskConfig, CommonWay, PhoneWay, PushConfig};

/// How each phone is told something. If some show screens, the server from which they fetch them begins to listen, as
/// `push` says; it ends with what is given back.
///
/// # Errors
/// It cannot listen, or a phone cannot be told so.
pub async fn ways(config: &AsteriskConfig, push: Option<push::Config>) -> Result<Ways, StartError> {
    let common = Common {
        recall: RecallWay { title: config.recall_title.clone(), screens: config.recall_texts },
        notify: NotifyWay { event: config.notify_event.clone() },
    };
    let mut ways = common.of_all(config.way);
    let mut server: Option<PushServer> = None;
    for (phone, way) in &config.phones {
        ways = match way {
            PhoneWay::Common(way) => common.of_one(ways, phone, *way),
            PhoneWay::Push(host) => {
                let running = match server.take() {
                    Some(running) => running,
                    // Checked before; without a section there is no password either.
                    None => PushServer::start(push.clone().unwrap_or_else(nothing)).await?,
                };
                let way = running.phone(host)?;
                server = Some(running);
                ways.with(phone.clone(), way)
            }
        };
    }
    Ok(ways)
}

/// What the section would be if it were empty.
fn nothing() -> push::Config {
    PushConfig::default().server(SecretString::default(), None)
}

/// The ways that any phone can be told.
struct Common {
    recall: RecallWay,
    notify: NotifyWay,
}

impl Common {
    fn of_all(&self, way: CommonWay) -> Ways {
        match way {
            CommonWay::Recall => Ways::all(self.recall.clone()),
            CommonWay::Text => Ways::all(TextWay),
            CommonWay::Notify => Ways::all(self.notify.clone()),
        }
    }

    fn of_one(&self, ways: Ways, phone: &DeviceName, way: CommonWay) -> Ways {
        match way {
            CommonWay::Recall => ways.with(phone.clone(), self.recall.clone()),
            CommonWay::Text => ways.with(phone.clone(), TextWay),
            CommonWay::Notify => ways.with(phone.clone(), self.notify.clone()),
        }
    }
}
