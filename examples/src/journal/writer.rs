use std::collections::BTreeSet;
use std::fmt::Write as _;

use ringback::model::{DeviceName, Millis, Timestamp};
use ringback::{Story, StoryEvent};
use ringback_scenario::language::{Action, duration_text};

use super::concerned::{concerns, lasts, phones};
use super::state::{State, word};
use super::{Beginning, Entry, NotReplayable, What, Written};

/// What passes in a scenario after each action.
const SETTLE: Millis = Millis(250);

/// What is seen so soon after an action belongs to it.
const AFTER: Millis = Millis(350);

/// A shorter wait is none.
const SHORTEST: Millis = Millis(20);

/// What did not last for so long need not be seen again.
const FLEETING: Millis = Millis(300);

/// What still follows from the end of a request.
const AFTERMATH: Millis = Millis(600);

pub(super) fn write(
    beginning: &Beginning,
    written: &Written,
    story: &Story,
) -> Result<String, NotReplayable> {
    let entries: Vec<&Entry> = written.entries.iter().collect();
    let accepted = story.entries.iter().find(|entry| entry.what == StoryEvent::Accepted);
    let Some(accepted) = accepted else {
        return Err(NotReplayable::Older(story.request));
    };
    let ended = story.entries.iter().find(|entry| matches!(entry.what, StoryEvent::Ended(_)));
    let end = ended.map(|entry| entry.at + AFTERMATH);
    let entries: Vec<&Entry> =
        entries.into_iter().take_while(|entry| end.is_none_or(|end| entry.at <= end)).collect();

    let actions = entries.iter().filter_map(|entry| action(entry));
    let phones = phones(story, &beginning.phones, actions);
    let Some(first) = quiet_before(&entries, accepted.at, &phones) else {
        return Err(match written.forgotten {
            true => NotReplayable::Forgotten(story.request),
            false => NotReplayable::Older(story.request),
        });
    };

    let mut script = Script::new(beginning, story, &phones);
    for earlier in entries[..first].iter().filter_map(|entry| action(entry)) {
        if lasts(earlier) && concerns(earlier, &phones) {
            script.line(&earlier.to_string());
        }
    }
    script.play(&entries[..first], &entries[first..], end);
    Ok(script.text)
}

fn action<'a>(entry: &&'a Entry) -> Option<&'a Action> {
    match &entry.what {
        What::Did(action) => Some(action),
        What::Saw(_) => None,
    }
}

/// The latest action before the acceptance before which nothing went on at these phones.
fn quiet_before(entries: &[&Entry], accepted: Timestamp, phones: &BTreeSet<DeviceName>) -> Option<usize> {
    let mut quiet = true;
    let mut found = None;
    for (index, entry) in entries.iter().enumerate().take_while(|(_, entry)| entry.at <= accepted) {
        match &entry.what {
            What::Did(action) if quiet && concerns(action, phones) && !lasts(action) => {
                found = Some(index);
                // What follows from it may not have been seen yet.
                quiet = false;
            }
            What::Did(_) => {}
            What::Saw(state) => quiet = state.only(phones).is_quiet(),
        }
    }
    found
}

/// A scenario while it is written, and the time that has passed in it.
struct Script<'a> {
    text: String,
    story: &'a Story,
    phones: &'a BTreeSet<DeviceName>,
    now: Timestamp,
    seen: State,
}

impl<'a> Script<'a> {
    fn new(beginning: &Beginning, story: &'a Story, phones: &'a BTreeSet<DeviceName>) -> Self {
        let mut text = String::new();
        for line in story.to_string().lines() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# {line}");
        }
        text.push('\n');
        for other in &beginning.others {
            let _ = writeln!(text, "{other}");
        }
        for phone in beginning.phones.iter().filter(|phone| phones.contains(&phone.name)) {
            let _ = writeln!(text, "{phone}");
        }
        for setting in &beginning.settings {
            let _ = writeln!(text, "{setting}");
        }
        text.push('\n');
        Self { text, story, phones, now: Timestamp::default(), seen: State::default() }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Writes the actions and what was seen of them.
    fn play(&mut self, before: &[&Entry], entries: &[&Entry], end: Option<Timestamp>) {
        let saw = before.iter().rev().find_map(|entry| match &entry.what {
            What::Saw(state) => Some(state.only(self.phones)),
            What::Did(_) => None,
        });
        self.seen = saw.unwrap_or_default();
        let doings: Vec<usize> = (0..entries.len())
            .filter(|index| action(&entries[*index]).is_some_and(|action| concerns(action, self.phones)))
            .collect();
        for (place, index) in doings.iter().enumerate() {
            let entry = entries[*index];
            let next = doings.get(place + 1).map(|next| entries[*next].at);
            if place == 0 {
                self.now = entry.at;
            }
            self.wait_until(entry.at);
            if let Some(action) = action(&entry) {
                self.line(&action.to_string());
            }
            self.now = self.now + SETTLE;
            let until = doings.get(place + 1).copied().unwrap_or(entries.len());
            let states: Vec<(Timestamp, State)> = entries[*index..until]
                .iter()
                .filter_map(|entry| match &entry.what {
                    What::Saw(state) => Some((entry.at, state.only(self.phones))),
                    What::Did(_) => None,
                })
                .collect();
            self.expect(entry.at, &states, next.or(end));
        }
    }

    /// What was seen after an action, and before the next.
    fn expect(&mut self, acted: Timestamp, states: &[(Timestamp, State)], next: Option<Timestamp>) {
        let soon = states.iter().rposition(|(at, _)| *at <= acted + AFTER);
        if let Some(soon) = soon {
            self.see(&states[soon].1);
        }
        let later = soon.map_or(0, |soon| soon + 1);
        for (place, (at, state)) in states.iter().enumerate().skip(later) {
            let lasted = match states.get(place + 1) {
                Some((until, _)) => until.since(*at),
                None => next.map_or(FLEETING, |next| next.since(*at).max(FLEETING)),
            };
            if lasted >= FLEETING && !state.news(&self.seen).is_empty() {
                self.wait_until(*at);
                self.see(state);
            }
        }
    }

    fn see(&mut self, state: &State) {
        for news in state.news(&self.seen) {
            self.line(&news);
        }
        self.seen = state.clone();
    }

    /// Lets time pass; while the caller's own phone is what stands in the way, the alert must not come.
    fn wait_until(&mut self, at: Timestamp) {
        let wait = at.since(self.now);
        if wait < SHORTEST {
            return;
        }
        let suspended = self
            .story
            .entries
            .iter()
            .rev()
            .find(|entry| entry.at <= self.now)
            .is_some_and(|entry| entry.what == StoryEvent::Suspended);
        let alert_comes = self.story.entries.iter().any(|entry| {
            matches!(entry.what, StoryEvent::AlertSent { .. }) && entry.at > self.now && entry.at < at
        });
        if suspended && !alert_comes {
            let caller = word(self.story.caller.device.as_str());
            self.line(&format!("expect never {caller} alerted for {}", duration_text(wait)));
        } else {
            self.line(&format!("wait {}", duration_text(wait)));
        }
        self.now = at;
    }
}
