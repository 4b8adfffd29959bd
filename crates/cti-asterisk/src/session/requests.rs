//! Actions on their way: waiting, sent, answered, given up.

use std::collections::{BTreeMap, VecDeque};

use bytes::BytesMut;
use ringback_model::{Millis, Timestamp};

use super::event::{Event, Failure, Ticket};
use crate::ami::{Action, Message, MessageKind};

/// So long a text waits at most for a call that the server is making.
const LULL: Millis = Millis(20);

/// An action that was asked for.
#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    name: &'static str,
    action: Action,
    deadline: Timestamp,
}

/// An action of which at least one byte may have been sent.
#[derive(Debug)]
struct Sent {
    /// `None`: the session's own, a keep-alive.
    ticket: Option<Ticket>,
    name: &'static str,
    deadline: Timestamp,
    /// The response has come, parts of a list follow.
    listing: Option<Message>,
}

/// A call that was ordered, and whose phone does not ring yet.
#[derive(Debug)]
struct Placing {
    number: u64,
    /// The id of its channel.
    channel: String,
    until: Timestamp,
}

/// The action whose bytes are being written.
#[derive(Debug)]
struct Writing {
    number: u64,
    bytes: usize,
}

/// All actions of one link.
#[derive(Debug, Default)]
pub(super) struct Requests {
    waiting: VecDeque<Waiting>,
    sent: BTreeMap<u64, Sent>,
    output: BytesMut,
    writing: Option<Writing>,
    placing: Vec<Placing>,
    numbers: u64,
    /// Distinguishes the actions of one link from those of another.
    link: u64,
}

impl Requests {
    pub(super) fn of_link(link: u64) -> Self {
        Self { link, ..Self::default() }
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn push(&mut self, ticket: Ticket, name: &'static str, action: Action, deadline: Timestamp) {
        // Nobody's phone rings later because of a text that is sent in the same moment.
        let overtaken =
            self.waiting.iter().rev().take_while(|before| name == "Originate" && is_text(before.name));
        let place = self.waiting.len() - overtaken.count();
        self.waiting.insert(place, Waiting { ticket, name, action, deadline });
    }

    /// Writes an action of the session's own, before all that wait. Gives back its number.
    pub(super) fn own(&mut self, name: &'static str, action: Action, deadline: Timestamp) -> u64 {
        self.numbers += 1;
        let number = self.numbers;
        if let Ok(action) = action.header("ActionID", &self.id(number)) {
            self.output.extend_from_slice(&action.to_bytes());
            // What is behind another one's bytes cannot be taken back.
            self.writing = None;
            self.sent.insert(number, Sent { ticket: None, name, deadline, listing: None });
        }
        number
    }

    /// The bytes to be written. One action at a time, so that what waits can still be given up.
    pub(super) fn output(&mut self, now: Timestamp, in_flight: usize) -> &mut BytesMut {
        self.placing.retain(|placing| placing.until > now);
        while self.output.is_empty() && self.sent.len() < in_flight {
            let Some(place) = self.next_to_go() else { break };
            if self.waiting.get(place).is_none_or(|next| next.deadline <= now) {
                break;
            }
            let Some(Waiting { ticket, name, action, deadline }) = self.waiting.remove(place) else { break };
            self.numbers += 1;
            let number = self.numbers;
            if let Some(channel) = action.get("ChannelId").filter(|_| name == "Originate") {
                self.placing.push(Placing { number, channel: channel.to_owned(), until: now + LULL });
            }
            // An action with the most headers there can be has no room for its id: `Session::request` refuses it.
            let Ok(action) = action.header("ActionID", &self.id(number)) else { continue };
            let bytes = action.to_bytes();
            self.output.extend_from_slice(&bytes);
            self.writing = Some(Writing { number, bytes: bytes.len() });
            self.sent.insert(number, Sent { ticket: Some(ticket), name, deadline, listing: None });
        }
        &mut self.output
    }

    /// The first that may go now. A server that has a call to make and a text to send does both at once, and the phone rings
    /// later for it: the text waits until it rings.
    fn next_to_go(&self) -> Option<usize> {
        let waits = |waiting: &Waiting| is_text(waiting.name) && !self.placing.is_empty();
        self.waiting.iter().position(|waiting| !waits(waiting))
    }

    /// The server tells something: of a call that was ordered, perhaps.
    pub(super) fn hears(&mut self, message: &Message) {
        if self.placing.is_empty() {
            return;
        }
        let rings = matches!(message.get("Event"), Some("Newstate" | "Hangup"));
        if let Some(channel) = message.get("Uniqueid").filter(|_| rings) {
            self.placing.retain(|placing| placing.channel != channel);
        }
    }

    fn id(&self, number: u64) -> String {
        format!("ringback-{}-{number}", self.link)
    }

    /// Which of the actions sent a message belongs to.
    fn number_of(&self, message: &Message) -> Option<u64> {
        let id = message.get("ActionID")?.strip_prefix("ringback-")?;
        let (link, number) = id.split_once('-')?;
        let number = number.parse().ok().filter(|number| self.sent.contains_key(number))?;
        (link.parse() == Ok(self.link)).then_some(number)
    }

    /// Takes a message that answers an action, or is part of an answer; gives it back otherwise.
    pub(super) fn take(&mut self, message: Message) -> Taken {
        let Some(number) = self.number_of(&message) else { return Taken::No(message) };
        let Some(sent) = self.sent.get_mut(&number) else { return Taken::No(message) };
        let progress = message.get("EventList").map(str::to_ascii_lowercase);
        match message.kind() {
            MessageKind::Response(verdict) => {
                if verdict == "Success" && progress.as_deref() == Some("start") && sent.listing.is_none() {
                    sent.listing = Some(message);
                    return Taken::Nothing;
                }
                let failed = verdict == "Error";
                self.finish(number, if failed { Err(message) } else { Ok(message) })
            }
            MessageKind::Event(_) if sent.listing.is_some() => match progress.as_deref() {
                Some("complete") => self.finish(number, Ok(message)),
                Some("cancelled") => self.finish(number, Err(message)),
                _ => match sent.ticket {
                    Some(ticket) => Taken::Told(Event::Listed(ticket, message)),
                    None => Taken::Nothing,
                },
            },
            // An event that some other action of ours caused (`OriginateResponse`): its user knows it by its content.
            _ => Taken::No(message),
        }
    }

    fn finish(&mut self, number: u64, result: Result<Message, Message>) -> Taken {
        let Some(sent) = self.sent.remove(&number) else { return Taken::Nothing };
        if result.is_err() {
            self.placing.retain(|placing| placing.number != number);
        }
        if self.writing.as_ref().is_some_and(|writing| writing.number == number) {
            self.writing = None;
        }
        match sent.ticket {
            None => Taken::Own(number, result),
            Some(ticket) => {
                let result = result.map_err(|message| refusal(sent.name, &message));
                Taken::Told(Event::Answer(ticket, result))
            }
        }
    }

    /// Gives up what has waited for too long.
    pub(super) fn expire(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        // All wait equally long: the oldest is the first to be due.
        while self.waiting.front().is_some_and(|waiting| waiting.deadline <= now) {
            let expired = self.waiting.pop_front().map(|waiting| waiting.ticket);
            out.extend(expired.map(|ticket| Event::Answer(ticket, Err(Failure::Expired))));
        }
        let due: Vec<u64> =
            self.sent.iter().filter(|(_, sent)| sent.deadline <= now).map(|(&number, _)| number).collect();
        for number in due {
            let failure = self.unsent(number);
            if let Some(Sent { ticket: Some(ticket), .. }) = self.sent.remove(&number) {
                out.push(Event::Answer(ticket, Err(failure.unwrap_or(Failure::Unknown))));
            }
        }
    }

    /// Takes an action back of which no byte has been written.
    fn unsent(&mut self, number: u64) -> Option<Failure> {
        let writing = self.writing.as_ref().filter(|writing| writing.number == number)?;
        let untouched = writing.bytes == self.output.len();
        self.writing = None;
        if !untouched {
            return None;
        }
        self.output.clear();
        Some(Failure::Expired)
    }

    /// The link is gone.
    pub(super) fn fail_all(&mut self, out: &mut Vec<Event>) {
        let numbers: Vec<u64> = self.sent.keys().copied().collect();
        for number in numbers {
            let failure = self.unsent(number).map_or(Failure::Unknown, |_| Failure::NoLink);
            if let Some(Sent { ticket: Some(ticket), .. }) = self.sent.remove(&number) {
                out.push(Event::Answer(ticket, Err(failure)));
            }
        }
        out.extend(self.waiting.drain(..).map(|w| Event::Answer(w.ticket, Err(Failure::NoLink))));
        self.output.clear();
        self.writing = None;
        self.placing.clear();
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let waiting = self.waiting.front().map(|waiting| waiting.deadline);
        let text_waits = self.waiting.iter().any(|waiting| is_text(waiting.name));
        let lull = self.placing.iter().map(|placing| placing.until).filter(|_| text_waits).max();
        waiting.into_iter().chain(lull).chain(self.sent.values().map(|sent| sent.deadline)).min()
    }
}

/// What became of a message.
#[derive(Debug)]
pub(super) enum Taken {
    /// It belongs to no action.
    No(Message),
    /// It answers an action of the session's own.
    Own(u64, Result<Message, Message>),
    /// Tell this.
    Told(Event),
    /// Nothing is to be done.
    Nothing,
}

fn is_text(name: &str) -> bool {
    matches!(name, "MessageSend" | "SendText" | "PJSIPNotify")
}

fn refusal(name: &'static str, message: &Message) -> Failure {
    let text = message.get("Message").unwrap_or("no reason given");
    if text.eq_ignore_ascii_case("permission denied") {
        Failure::NotPermitted(name)
    } else {
        Failure::Refused(text.to_owned())
    }
}
