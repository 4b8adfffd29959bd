use std::fmt;

use ringback_model::Pii;

/// What a message is, by its first telling header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind<'a> {
    /// Something happened: the event's name.
    Event(&'a str),
    /// The answer to an action: `Success`, `Error`, `Follows`, ...
    Response(&'a str),
    /// A request: only in what a client sends.
    Action(&'a str),
    /// Neither; nothing can be done with it.
    Other,
}

/// One message: its headers in order, keys possibly repeated.
///
/// Values hold numbers and names, so `{:?}` shows them only if personal data is revealed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Message {
    headers: Vec<(String, String)>,
}

impl Message {
    /// The message of these headers.
    pub fn from_headers<K: Into<String>, V: Into<String>>(headers: impl IntoIterator<Item = (K, V)>) -> Self {
        Self { headers: headers.into_iter().map(|(key, value)| (key.into(), value.into())).collect() }
    }

    /// All headers in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The first value of a key; case does not matter.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.all(key).next()
    }

    /// Every value of a key, in order.
    pub fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.headers().filter(move |(have, _)| have.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }

    /// The first value of a key, unless it is empty or the server's word for "unknown".
    #[must_use]
    pub fn known(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|value| !matches!(*value, "" | "<unknown>" | "(null)"))
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> MessageKind<'_> {
        for (key, value) in self.headers() {
            match () {
                () if key.eq_ignore_ascii_case("Event") => return MessageKind::Event(value),
                () if key.eq_ignore_ascii_case("Response") => return MessageKind::Response(value),
                () if key.eq_ignore_ascii_case("Action") => return MessageKind::Action(value),
                () => {}
            }
        }
        MessageKind::Other
    }

    /// Whether it has no header at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.headers.len()
    }

    pub(super) fn push(&mut self, key: String, value: String) {
        self.headers.push((key, value));
    }

    /// A line without a colon: the value before it had a line break in it.
    pub(super) fn continue_last(&mut self, text: &str) -> bool {
        match self.headers.last_mut() {
            Some((_, value)) => {
                value.push('\n');
                value.push_str(text);
                true
            }
            None => false,
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Message ")?;
        let named = |key: &str| ["Event", "Response", "Action"].iter().any(|k| k.eq_ignore_ascii_case(key));
        f.debug_map()
            .entries(self.headers.iter().map(|(key, value)| (key, Pii(value))).filter(|(key, _)| !named(key)))
            .entries(self.headers.iter().filter(|(key, _)| named(key)).map(|(key, value)| (key, value)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_keys_stay_in_order_and_case_does_not_matter() {
        let message = Message::from_headers([("Event", "X"), ("Variable", "a"), ("VARIABLE", "b")]);
        assert_eq!(message.all("variable").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(message.get("Variable"), Some("a"));
        assert_eq!(message.kind(), MessageKind::Event("X"));
    }

    #[test]
    fn unknown_values_are_not_known() {
        let message = Message::from_headers([("A", "<unknown>"), ("B", ""), ("C", "1")]);
        assert_eq!((message.known("A"), message.known("B"), message.known("C")), (None, None, Some("1")));
        assert_eq!(message.kind(), MessageKind::Other);
    }

    #[test]
    fn debug_shows_the_kind_and_hides_the_values() {
        let text = format!("{:?}", Message::from_headers([("Event", "Hangup"), ("CallerIDName", "Ada")]));
        assert!(text.contains("Hangup") && text.contains("<redacted>") && !text.contains("Ada"), "{text}");
    }
}
