use ringback_model::Pii;
use ringback_screen::phone::{ExecuteItem, PhoneObject, PhoneXmlError, SoftKeyPress, parse};

/// So many bytes of what a screen says go into a text: with keys and all it is one line of the server's protocol.
const LONGEST: usize = 600;

/// A screen that a phone has been sent, as far as a phone that cannot draw it has a use for it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Screen {
    /// Above the text.
    pub title: String,
    /// Below the text.
    pub prompt: String,
    /// The text, line by line.
    pub lines: Vec<String>,
    /// The softkeys by position: what they are called, and what the phone sends when one is pressed.
    pub keys: Vec<(String, String)>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen")
            .field("title", &self.title)
            .field("prompt", &self.prompt)
            .field("lines", &Pii(&self.lines))
            .field("keys", &self.keys)
            .finish()
    }
}

/// What the service sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// A screen.
    Screen(Screen),
    /// Something to be done: play the alert.
    Execute(Vec<ExecuteItem>),
    /// What takes the screen away.
    Clear(Vec<ExecuteItem>),
}

impl Content {
    /// # Errors
    /// A phone would not take it either.
    pub(crate) fn read(xml: &str) -> Result<Self, PhoneXmlError> {
        Ok(match parse(xml.as_bytes())? {
            PhoneObject::Text { title, prompt, text, mut soft_keys } => {
                soft_keys.sort_by_key(|key| key.position);
                let press =
                    |url: &str| url.split_once(':').map_or_else(String::new, |(_, rest)| rest.to_owned());
                let keys = soft_keys.into_iter().map(|key| (key.name, press(&key.url))).collect();
                let lines = text.lines().map(str::to_owned).collect();
                Self::Screen(Screen { title, prompt, lines, keys })
            }
            PhoneObject::Execute { items } if items.iter().any(|item| item.url.starts_with("Init:")) => {
                Self::Clear(items)
            }
            PhoneObject::Execute { items } => Self::Execute(items),
            _ => Self::Execute(Vec::new()),
        })
    }
}

impl Screen {
    /// What the phone sends when the key that means this is pressed; `None`: the screen has no such key.
    #[must_use]
    pub fn press_of(&self, key: &str) -> Option<&str> {
        self.keys
            .iter()
            .map(|(_, press)| press.as_str())
            .find(|press| SoftKeyPress::parse(press).is_ok_and(|parsed| parsed.key.to_string() == key))
    }

    /// The number that the screen is about: the first in its text.
    #[must_use]
    pub fn number(&self) -> Option<&str> {
        let is_number = |word: &&str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_digit());
        let first = self.lines.first()?;
        first.split(|c: char| !c.is_ascii_alphanumeric()).find(is_number)
    }

    /// The screen as a text, its keys numbered.
    #[must_use]
    pub fn as_text(&self) -> String {
        let keys: Vec<String> =
            self.keys.iter().zip(1..).map(|((name, _), position)| format!("{position}={name}")).collect();
        // What to press is told by the numbers.
        let said = self.lines.iter().take(2).map(String::as_str).filter(|line| !line.is_empty());
        let said = bounded(said.collect::<Vec<_>>().join("; "));
        [said, keys.join(" ")].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    }
}

/// Of a text that is longer than [`LONGEST`], the beginning.
fn bounded(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use ringback_screen::phone::Priority;

    use super::*;

    const AVAILABLE: &str = "<CiscoIPPhoneText><Title>CallBack</Title><Prompt>Please choose</Prompt>\
        <Text>1002 has become available\nTime 14:00 01/05/2026</Text>\
        <SoftKeyItem><Name>Dial</Name><URL>UserDataSoftKey:Dial:ringback:7-12</URL><Position>1</Position></SoftKeyItem>\
        <SoftKeyItem><Name>Exit</Name><URL>UserDataSoftKey:Exit:ringback:7-12</URL><Position>3</Position></SoftKeyItem>\
        <SoftKeyItem><Name>Cancel</Name><URL>UserDataSoftKey:Cancel:ringback:7-12</URL><Position>2</Position></SoftKeyItem>\
        </CiscoIPPhoneText>";

    #[test]
    fn a_screen_keeps_what_its_keys_mean() {
        let Ok(Content::Screen(screen)) = Content::read(AVAILABLE) else { panic!("a screen") };
        assert_eq!(screen.prompt, "Please choose");
        assert_eq!(screen.press_of("Dial"), Some("Dial:ringback:7-12"));
        assert_eq!(screen.press_of("OK"), None);
        assert_eq!(screen.keys[1], ("Cancel".into(), "Cancel:ringback:7-12".into()));
        assert_eq!(screen.number(), Some("1002"));
        assert_eq!(
            screen.as_text(),
            "1002 has become available; Time 14:00 01/05/2026; 1=Dial 2=Cancel 3=Exit"
        );
    }

    #[test]
    fn a_long_screen_is_cut_and_its_keys_are_not() {
        let screen = Screen {
            title: String::new(),
            prompt: String::new(),
            lines: vec!["\u{e4}".repeat(301)],
            keys: vec![("Exit".into(), "Exit:ringback:".into())],
        };
        assert_eq!(screen.as_text(), format!("{}...; 1=Exit", "\u{e4}".repeat(300)));
    }

    #[test]
    fn alerts_and_clearing_are_told_apart() {
        let execute = |url: &str| {
            let item = format!(r#"<ExecuteItem Priority="0" URL="{url}"/>"#);
            Content::read(&format!("<CiscoIPPhoneExecute>{item}</CiscoIPPhoneExecute>")).unwrap()
        };
        let item = |url: &str| vec![ExecuteItem { url: url.to_owned(), priority: Priority::AtOnce }];
        assert_eq!(execute("Init:Services"), Content::Clear(item("Init:Services")));
        assert_eq!(execute("Play:CallBack.raw"), Content::Execute(item("Play:CallBack.raw")));
        assert!(Content::read("<What/>").is_err());
    }
}
