//! The rules, each with the paragraph of the port's documentation that it comes from.

/// One thing that a provider must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The paragraph of the documentation of [`CtiProvider`](crate::CtiProvider), by its first words.
    pub paragraph: &'static str,
    /// What is demanded.
    pub text: &'static str,
}

macro_rules! rules {
    ($($name:ident: $paragraph:literal, $text:literal;)*) => {
        $(pub(super) const $name: Rule = Rule { paragraph: $paragraph, text: $text };)*

        #[cfg(test)]
        const ALL: &[Rule] = &[$($name),*];
    };
}

rules! {
    LAB: "Proving it", "the lab does what it says it can";
    STANDS_BY: "Standing by", "who stands by opens nothing and does nothing";
    ASSUMES: "Standing by", "what is asked for while standing by is opened when it acts";
    RELINQUISHES: "Standing by", "relinquishing closes everything for good";
    OWN_EPOCH: "Standing by", "a later epoch of one's own leaves open what is open";
    READS: "Opening", "what is asked for is reported as it is: the device, then the line with all its calls";
    DEVICE_FIRST: "Opening", "a line is reported after its device";
    LOOK_FIRST: "Opening", "a line is reported with all its calls before a call changes";
    NOTHING_LOST: "Opening", "what changes while a line is being opened is in the first look or told after it";
    AGAIN: "Opening", "asking for what is open reads it anew";
    ONLY_OPEN: "Opening", "nothing is reported of what is not open";
    CLOSED: "Closing", "what is closed is not reported any more";
    CLOSED_WITH: "Closing", "closing a device closes its lines";
    NO_DEVICE: "Names", "a device that does not exist is out of service, told at once";
    NO_LINE: "Names", "a line that its device does not have is refused as undefined";
    ORDER: "Order", "the states of a call are told in the order in which it had them";
    ENDS: "Order", "a call ends with Idle, and nothing comes after it";
    SAME_CALL: "Order", "both ends tell of one call, and of each other";
    TRUTH: "Order", "what has been told is what there is";
    KEPT: "Order", "next can be dropped and called again without losing a report";
    ONCE: "Answers", "each command with a tag is answered exactly once";
    RINGS: "Calls", "a call that is made rings at its destination, and is told under the id of the answer";
    PLACED: "Calls", "a call that is made goes out at once, unless the capabilities declare that its own phone rings first";
    BUSY: "Calls", "a busy destination is named, and not disturbed";
    UNKNOWN: "Calls", "a destination that does not exist is named";
    NOT_FROM_CLOSED: "Calls", "no call is made from a line that is not open";
    FORWARDS: "Calls", "a call follows the forwarding of its destination, or rings there all the same if that is asked for";
    ACTIVITY: "Phones", "the state of an open device is told whenever it changes";
    USERS: "Phones", "another user is told of an open device, and of no other";
    OUT: "Phones", "a phone out of service is told at once, and read again when it registers";
    KEY: "Feature keys", "a press on any phone reaches the instance that acts, once, and no other";
    KEY_CALL: "Feature keys", "a press tells the call in the foreground, its state and the number dialled";
    SCREEN_KEY: "Data", "what an open device sends is told unchanged";
    UNCHANGED: "Data", "data reaches the phone byte for byte, in order, once";
    ADAPTED: "Data", "data reaches the phone as the same in the form that it takes, in order, once, where that is declared";
    TOO_LARGE: "Data", "data that is too large is refused by name, and none of it arrives";
    NOT_TO_CLOSED: "Data", "data for a device that is not open is refused, and does not arrive";
    DEDUP: "Data", "data sent again under the same id takes effect as the capabilities declare";
    LOST: "Link", "a lost link is told, and nothing is reported of phones until it is up again";
    ANEW: "Link", "after a loss everything asked for is read anew, and what happened meanwhile is not told as changes";
    STANDING: "Link", "what is asked for or closed while the link is down holds when it is up";
    NEVER_SENT: "Link", "a command without a link is answered as never sent";
    FENCED: "Epochs", "under Strict nothing of an older epoch has an effect, and its instance is told";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn every_rule_names_a_paragraph_of_the_port() {
        let port = include_str!("../provider.rs");
        for rule in ALL {
            let heading = format!("/// **{}.** ", rule.paragraph);
            assert!(port.contains(&heading), "no paragraph {:?}", rule.paragraph);
        }
    }
}
