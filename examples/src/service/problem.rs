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

/// A file while it is understood.
pub(super) struct Source<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
}

/// A misspelled key differs in so many letters from the one that was meant.
const SLIP: usize = 3;

impl Source<'_> {
    pub(super) fn not_understood(&self, error: &toml::de::Error) -> ConfigError {
        let message = error.message();
        let Some(span) = error.span() else {
            return self.whole(message.to_owned());
        };
        let line = self.text[..span.start.min(self.text.len())].matches('\n').count();
        match self.statement(line) {
            Some((key, value)) => {
                let problem = in_our_words(message, &key);
                ConfigError::Value { file: self.file.to_owned(), line: line + 1, key, value, problem }
            }
            None => {
                let problem = in_our_words(message, "");
                ConfigError::Syntax { file: self.file.to_owned(), line: line + 1, problem }
            }
        }
    }

    /// A problem with the value of a key; the `nth` of this key in sections of this name, from 0.
    pub(super) fn value(&self, section: &str, key: &str, nth: usize, problem: String) -> ConfigError {
        let mut present = String::new();
        let mut seen = 0;
        for (line, text) in self.text.lines().enumerate() {
            let text = text.trim();
            if text.starts_with('[') && !text.contains('=') {
                present = text.trim_matches(|c| c == '[' || c == ']').trim().to_owned();
            }
            let Some((found, value)) = self.statement(line) else { continue };
            if present != section || found != key {
                continue;
            }
            if seen == nth {
                return ConfigError::Value {
                    file: self.file.to_owned(),
                    line: line + 1,
                    key: found,
                    value,
                    problem,
                };
            }
            seen += 1;
        }
        // It is not written there: a default, or a form that is read differently.
        self.whole(format!("{section}.{key}: {problem}"))
    }

    pub(super) fn whole(&self, problem: String) -> ConfigError {
        ConfigError::Whole { file: self.file.to_owned(), problem }
    }

    /// The key and the value that a line says.
    fn statement(&self, line: usize) -> Option<(String, String)> {
        let text = without_secret(self.text.lines().nth(line)?);
        let (key, value) = text.split_once('=')?;
        let key = key.trim().trim_matches('"');
        let value = value.trim();
        // What follows a closed text is a comment.
        let value = match value.strip_prefix('"').and_then(|rest| rest.find('"')) {
            Some(end) => &value[..end + 2],
            None => value.split(" #").next().unwrap_or(value).trim_end(),
        };
        (!key.is_empty() && !key.starts_with('#')).then(|| (key.to_owned(), value.to_owned()))
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
            "networks" => "expected networks, like [\"10.0.0.0/24\"]".to_owned(),
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
