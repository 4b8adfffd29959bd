use super::{Alert, Recipient, Screen, Step, Way};
use crate::ami::{Action, ActionError};

/// Where texts come from, so that an answer to them finds back: `sip:ringback@pbx`.
const SENDER: &str = "ringback";

/// Rings the phone to draw its user's attention: the text is *Call Back* and the number; picked up, the phone is connected
/// with that number. Screens are sent as texts.
#[derive(Debug, Clone)]
pub struct RecallWay {
    /// What is shown before the number (default `Call Back`).
    pub title: String,
    /// Whether screens are sent as texts, too (default yes). Phones that show no texts are spared them without it.
    pub screens: bool,
}

impl Default for RecallWay {
    fn default() -> Self {
        Self { title: "Call Back".to_owned(), screens: true }
    }
}

/// Sends screens and alerts as texts (SIP MESSAGE).
#[derive(Debug, Clone, Copy, Default)]
pub struct TextWay;

/// Sends screens and alerts as notifications (SIP NOTIFY) of an event of this name, with the text as content: for phones
/// or gateways that are made to show it.
#[derive(Debug, Clone)]
pub struct NotifyWay {
    /// The event (default `x-ringback`).
    pub event: String,
}

impl Default for NotifyWay {
    fn default() -> Self {
        Self { event: "x-ringback".to_owned() }
    }
}

/// A text. During a call it is sent beside the call, too: within it, it would be lost with a call that is just ending, as
/// that of a feature code is. Only if the server refuses that it is sent within the call.
fn text(phone: Recipient<'_>, text: &str) -> Result<Step, ActionError> {
    let to = format!("pjsip:{}", phone.device.as_str());
    let message = Action::new("MessageSend")?
        .header("To", &to)?
        .header("From", &format!("\"Call Back\" <sip:{SENDER}@pbx>"))?
        .header("Body", text)?;
    let message = ("MessageSend", message);
    Ok(match phone.in_call {
        Some(channel) => {
            let within = Action::new("SendText")?.header("Channel", channel)?.header("Message", text)?;
            Step::Either([message, ("SendText", within)])
        }
        None => Step::Act(message.0, message.1),
    })
}

impl Way for RecallWay {
    fn show(&self, phone: Recipient<'_>, screen: &Screen) -> Result<Vec<Step>, ActionError> {
        if self.screens { Ok(vec![text(phone, &screen.as_text())?]) } else { Ok(Vec::new()) }
    }

    fn alert(&self, _: Recipient<'_>, alert: Alert<'_>) -> Result<Vec<Step>, ActionError> {
        let number = alert.screen.and_then(Screen::number).map(str::to_owned);
        let name = match &number {
            Some(number) => format!("{} {number}", self.title),
            None => self.title.clone(),
        };
        Ok(vec![Step::Recall { name, number }])
    }
}

impl Way for TextWay {
    fn show(&self, phone: Recipient<'_>, screen: &Screen) -> Result<Vec<Step>, ActionError> {
        Ok(vec![text(phone, &screen.as_text())?])
    }

    /// The screen was sent just before.
    fn alert(&self, _: Recipient<'_>, _: Alert<'_>) -> Result<Vec<Step>, ActionError> {
        Ok(Vec::new())
    }
}

impl NotifyWay {
    fn notify(&self, phone: Recipient<'_>, what: &str, content: &str) -> Result<Step, ActionError> {
        let action = Action::new("PJSIPNotify")?
            .header("Endpoint", phone.device.as_str())?
            .header("Variable", &format!("Event={}", self.event))?
            .header("Variable", &format!("Subject={what}"))?
            .header("Variable", "Content-Type=text/plain")?
            .header("Variable", &format!("Content={content}"))?;
        Ok(Step::Act("PJSIPNotify", action))
    }
}

impl Way for NotifyWay {
    fn show(&self, phone: Recipient<'_>, screen: &Screen) -> Result<Vec<Step>, ActionError> {
        Ok(vec![self.notify(phone, "screen", &screen.as_text())?])
    }

    fn alert(&self, phone: Recipient<'_>, alert: Alert<'_>) -> Result<Vec<Step>, ActionError> {
        let content = alert.screen.map(Screen::as_text).unwrap_or_default();
        Ok(vec![self.notify(phone, "alert", &content)?])
    }
}
