use std::borrow::Cow;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a configuration file cannot be used. Nothing was started.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file itself.
    #[error("{}: cannot be read: {reason}; name a file that this user may read", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why, as the operating system says it.
        reason: String,
    },
    /// It is no TOML.
    #[error("{}:{line}: {problem}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A key or its value.
    #[error("{}:{line}: {key} = {value}: {problem}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key, as written.
        key: String,
        /// The value, as written.
        value: String,
        /// What is wrong, and what is allowed.
        problem: String,
    },
    /// Something that is not there, or several values together.
    #[error("{}: {problem}", file.display())]
    Whole {
        /// The file.
        file: PathBuf,
        /// What is wrong, and what is allowed.
        problem: String,
    },
}

/// A file while it is understood, or what it says of one group.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    file: &'a Path,
    text: &'a str,
    group: Option<Part<'a>>,
}

/// What belongs to one `[[group]]` table.
#[derive(Clone, Copy)]
struct Part<'a> {
    /// From 0.
    nth: usize,
    name: &'a str,
}

/// A key with its value, as written in a line, which is counted from 0.
struct Statement {
    line: usize,
    key: String,
    value: String,
}

/// A misspelled key differs in so many letters from the one that was meant.
const SLIP: usize = 3;

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, group: None }
    }

    /// The `nth` of the `[[group]]` tables, from 0; sections are named as if it were alone at the top level.
    pub(super) fn of_group(self, nth: usize, name: &'a str) -> Self {
        Self { group: Some(Part { nth, name }), ..self }
    }

    pub(super) fn not_understood(&self, error: &toml::de::Error) -> ConfigError {
        let message = error.message();
        let Some(span) = error.span() else {
            return self.whole(message.to_owned());
        };
        let line = self.text[..span.start.min(self.text.len())].matches('\n').count();
        match self.statement(line) {
            Some(statement) => {
                let problem = in_our_words(message, &statement.key);
                self.at(statement, problem)
            }
            None => {
                let is_group =
                    self.text.lines().nth(line).is_some_and(|line| line.trim().starts_with("[[group]]"));
                let problem = match message.lines().next() {
                    Some("missing field `name`") if is_group => {
                        "the group has no name: add name = \"NAME\"".to_owned()
                    }
                    Some("duplicate key") if is_group => {
                        "there is a group that is no [[group]] table, too: keep one of the two".to_owned()
                    }
                    _ => in_our_words(message, ""),
                };
                ConfigError::Syntax { file: self.file.to_owned(), line: line + 1, problem }
            }
        }
    }

    /// A problem with the value of a key; the `nth` of this key in sections of this name, from 0.
    pub(super) fn value(&self, section: &str, key: &str, nth: usize, problem: String) -> ConfigError {
        let section = self.named(section);
        let is_it = |present: &str, statement: &Statement| present == section && statement.key == key;
        match self.find(nth, is_it) {
            Some(statement) => self.at(statement, problem),
            // It is not written there: a default, or a form that is read differently.
            None if section.is_empty() => self.whole(format!("{key}: {problem}")),
            None => self.whole(format!("{section}.{key}: {problem}")),
        }
    }

    /// A problem with a whole section.
    pub(super) fn section(&self, section: &str, problem: String) -> ConfigError {
        let section = self.named(section);
        let is_in = |present: &str, _: &Statement| {
            present.strip_prefix(&section).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        match self.find(0, is_in) {
            Some(statement) => self.at(statement, problem),
            None => self.whole(format!("[{section}]: {problem}")),
        }
    }

    /// A problem with several values, or with what is not there.
    pub(super) fn whole(&self, problem: String) -> ConfigError {
        let Some(Part { name, .. }) = self.group else {
            return ConfigError::Whole { file: self.file.to_owned(), problem };
        };
        match self.find(0, |present, statement| present == "group" && statement.key == "name") {
            Some(statement) => self.at(statement, problem),
            None => {
                ConfigError::Whole { file: self.file.to_owned(), problem: format!("group {name}: {problem}") }
            }
        }
    }

    pub(super) fn is_of_group(&self) -> bool {
        self.group.is_some()
    }

    /// What a section is called where this is written.
    pub(super) fn named(&self, section: &str) -> String {
        match (self.group, section) {
            (Some(_), "") => "group".to_owned(),
            (Some(_), section) => format!("group.{section}"),
            (None, section) => section.to_owned(),
        }
    }

    fn at(&self, Statement { line, key, value }: Statement, problem: String) -> ConfigError {
        ConfigError::Value { file: self.file.to_owned(), line: line + 1, key, value, problem }
    }

    /// The `nth` statement, from 0, that is meant; with the name of the section in which it stands.
    fn find(&self, nth: usize, is_meant: impl Fn(&str, &Statement) -> bool) -> Option<Statement> {
        let mut present = String::new();
        let mut groups = 0;
        let mut seen = 0;
        for (line, text) in self.text.lines().enumerate() {
            let text = text.trim();
            if text.starts_with('[') && !text.contains('=') {
                present = text.trim_matches(|c| c == '[' || c == ']').trim().to_owned();
                groups += usize::from(present == "group" && text.starts_with("[["));
            }
            if self.group.is_some_and(|group| group.nth + 1 != groups) {
                continue;
            }
            let Some(statement) = self.statement(line).filter(|statement| is_meant(&present, statement))
            else {
                continue;
            };
            if seen == nth {
                return Some(statement);
            }
            seen += 1;
        }
        None
    }

    /// The key and the value that a line says.
    fn statement(&self, line: usize) -> Option<Statement> {
        let text = without_secret(self.text.lines().nth(line)?);
        let (key, value) = text.split_once('=')?;
        let key = key.trim().trim_matches('"');
        let value = value.trim();
        // What follows a closed text is a comment.
        let value = match value.strip_prefix('"').and_then(|rest| rest.find('"')) {
            Some(end) => &value[..end + 2],
            None => value.split(" #").next().unwrap_or(value).trim_end(),
        };
        (!key.is_empty() && !key.starts_with('#')).then(|| Statement {
            line,
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// A line without what follows the first key that is, or was meant to be, that of a secret, or an address: the rest of it
/// may be anything.
fn without_secret(line: &str) -> Cow<'_, str> {
    let is_secret = |before: &str| {
        let before = before.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
        let key = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')).next();
        let key = key.unwrap_or_default().to_ascii_lowercase();
        !key.ends_with("file") && ["pass", "pasw", "secret"].iter().any(|part| key.contains(part))
    };
    if let Some((at, _)) = line.match_indices('=').find(|(at, _)| is_secret(&line[..*at])) {
        return format!("{}= <secret>", &line[..at]).into();
    }
    // An address on a server may hold a password.
    match line.find("://") {
        Some(at) => format!("{}://<address>\"", &line[..at]).into(),
        None => line.into(),
    }
}

fn in_our_words(message: &str, key: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    if let Some(rest) = first.strip_prefix("unknown field ") {
        let mut names = rest.split('`').skip(1).step_by(2);
        let unknown = names.next().unwrap_or_default();
        let known: Vec<&str> = names.collect();
        let nearest = known.iter().map(|name| (distance(name, unknown), *name)).min();
        return match nearest {
            Some((slips, name)) if slips <= SLIP => {
                format!("there is no such key here: did you mean `{name}`?")
            }
            _ => format!("there is no such key here: there are {}", known.join(", ")),
        };
    }
    if first.contains("invalid socket address syntax") {
        return "expected an address and a port, like 0.0.0.0:8188 or [fd00::1]:8188".to_owned();
    }
    if first.contains("invalid IP address syntax") {
        return match key {
            "networks" | "candidates" => "expected networks, like [\"10.0.0.0/24\"]".to_owned(),
            "address" => "expected an IP address, like 10.0.0.1 or fd00::1, or auto".to_owned(),
            _ => "expected an IP address, like 10.0.0.1 or fd00::1".to_owned(),
        };
    }
    match first.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once("expected ")) {
        Some((found, expected)) => {
            let found = found.trim_end_matches(", ").split(' ').next().unwrap_or_default();
            let expected = match expected {
                "u64" | "usize" => "a whole number",
                "a boolean" => "true or false",
                "a string" | "a borrowed string" | "path string" => "a text in double quotes",
                "a sequence" => "a list in brackets",
                other => other,
            };
            format!("expected {expected}, found {}", article(found))
        }
        None => first.to_owned(),
    }
}

fn article(word: &str) -> String {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { format!("an {word}") } else { format!("a {word}") }
}

/// How many letters have to be changed, added or removed to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = if x == *y { diagonal } else { 1 + diagonal.min(row[j]).min(row[j + 1]) };
            diagonal = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row[b.len()]
}
