use std::collections::{BTreeMap, BTreeSet};

use crate::ami::Message;

/// The dialplan that goes with ringback.
const EXAMPLE: &str = include_str!("../../../../examples/asterisk/extensions.conf");

/// One priority of an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) extension: String,
    pub(super) priority: String,
    pub(super) application: String,
    pub(super) data: String,
}

/// One context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) lines: Vec<Line>,
    pub(super) includes: Vec<String>,
}

/// The contexts of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dialplan {
    contexts: BTreeMap<String, Context>,
}

impl Dialplan {
    /// A part of the answer.
    pub(super) fn take(&mut self, part: &Message) {
        let Some(name) = part.get("Context") else { return };
        let context = self.contexts.entry(name.to_owned()).or_default();
        let said = |key| part.get(key).unwrap_or_default().to_owned();
        if let Some(included) = part.known("IncludeContext") {
            // With times it is `name,9:00-17:00,...`.
            let name = included.split([',', '|']).next().unwrap_or(included);
            context.includes.push(name.to_owned());
        } else if part.known("Extension").is_some() {
            context.lines.push(Line {
                extension: said("Extension"),
                priority: said("Priority"),
                application: said("Application"),
                data: said("AppData"),
            });
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.contexts.contains_key(name)
    }

    pub(super) fn context(&self, name: &str) -> Option<&Context> {
        self.contexts.get(name)
    }

    /// This context and all that it includes, directly or not.
    pub(super) fn reached_from<'a>(&'a self, name: &'a str) -> Vec<&'a Context> {
        self.names_from(name).into_iter().filter_map(|name| self.contexts.get(name)).collect()
    }

    /// The names of these, whether they exist or not.
    pub(super) fn names_from<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        let (mut seen, mut todo, mut found) = (BTreeSet::new(), vec![name], Vec::new());
        while let Some(name) = todo.pop() {
            if seen.insert(name) {
                found.push(name);
                let included = self.contexts.get(name).into_iter().flat_map(|context| &context.includes);
                todo.extend(included.map(String::as_str));
            }
        }
        found
    }

    /// The context that raises this user event, if there is one.
    pub(super) fn raising(&self, event: &str) -> Option<&str> {
        self.contexts.iter().find(|(_, context)| context.raises(event)).map(|(name, _)| name.as_str())
    }
}

impl Context {
    /// Whether some extension raises this user event.
    pub(super) fn raises(&self, event: &str) -> bool {
        self.lines.iter().any(|line| line.raises(event))
    }

    /// Whether some extension that calls nobody raises this user event: a feature code, not an offer after busy.
    pub(super) fn has_code(&self, event: &str) -> bool {
        let calls = |extension: &str| {
            self.lines
                .iter()
                .any(|line| line.extension == extension && line.application.eq_ignore_ascii_case("Dial"))
        };
        self.lines.iter().any(|line| line.raises(event) && !calls(&line.extension))
    }

    /// Whether any number leads somewhere.
    pub(super) fn takes_any_number(&self) -> bool {
        let any = ["_[0-9*#+]!", "_[0-9*#+].", "_X!", "_X.", "_!", "_."];
        self.lines.iter().any(|line| any.contains(&line.extension.as_str()))
    }

    pub(super) fn has_extension(&self, extension: &str) -> bool {
        self.lines.iter().any(|line| line.extension == extension && line.priority == "1")
    }

    /// The contexts that are gone to with the number that was dialled.
    pub(super) fn goes_to(&self) -> impl Iterator<Item = &str> {
        let gotos = self.lines.iter().filter(|line| line.application.eq_ignore_ascii_case("Goto"));
        gotos.filter_map(|line| match line.data.split(',').collect::<Vec<_>>()[..] {
            [context, "${EXTEN}", _] => Some(context),
            _ => None,
        })
    }
}

impl Line {
    fn raises(&self, event: &str) -> bool {
        let name = self.data.split(',').next().unwrap_or_default();
        self.application.eq_ignore_ascii_case("UserEvent") && name.trim() == event
    }
}

/// A context of the dialplan that goes with ringback, as it is written there, without comments.
pub(super) fn example(name: &str) -> Vec<String> {
    let header = format!("[{name}]");
    let lines = EXAMPLE.lines().skip_while(|line| *line != header);
    let body = lines.clone().skip(1).take_while(|line| !line.starts_with('['));
    let kept = lines.take(1).chain(body).filter(|line| !line.is_empty() && !line.starts_with(';'));
    kept.map(str::to_owned).collect()
}
