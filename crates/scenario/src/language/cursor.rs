use std::net::IpAddr;
use std::str::FromStr;

use ringback_model::{DeviceName, DirectoryNumber, Millis};

use super::ast::{Key, Tone};
use super::duration::{self, DurationError};
use super::error::{SyntaxError, listed, nearest};
use super::lexer::{Line, Token, TokenKind};
use super::names::{Names, is_reserved};

/// Reads the tokens of one line from left to right.
pub(super) struct Cursor<'a> {
    line: &'a Line,
    number: usize,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(line: &'a Line, number: usize) -> Self {
        Self { line, number, at: 0 }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    fn token(&self) -> Option<&'a Token> {
        self.line.tokens.get(self.at)
    }

    pub(super) fn at_end(&self) -> bool {
        self.token().is_none()
    }

    /// The next word if it can be a keyword.
    pub(super) fn keyword(&self) -> Option<&'a str> {
        match self.token()? {
            Token { kind: TokenKind::Word { text, quoted: false }, .. } => Some(text),
            _ => None,
        }
    }

    /// Takes the next word if it is this keyword.
    pub(super) fn take(&mut self, keyword: &str) -> bool {
        let is = self.keyword() == Some(keyword);
        self.at += usize::from(is);
        is
    }

    /// Takes this keyword or fails.
    pub(super) fn demand(&mut self, keyword: &str) -> Result<(), SyntaxError> {
        if self.take(keyword) { Ok(()) } else { Err(self.fail(format!("`{keyword}`"))) }
    }

    /// Takes one of these keywords and tells which.
    pub(super) fn one_of<'k>(&mut self, keywords: &[&'k str]) -> Result<&'k str, SyntaxError> {
        let found = self.keyword().and_then(|word| keywords.iter().find(|known| **known == word));
        match found {
            Some(keyword) => {
                self.at += 1;
                Ok(keyword)
            }
            None => Err(self.fail_of(keywords)),
        }
    }

    pub(super) fn take_equals(&mut self) -> Result<(), SyntaxError> {
        match self.token() {
            Some(Token { kind: TokenKind::Equals, .. }) => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.fail("`=`")),
        }
    }

    /// Takes a comma if there is one.
    pub(super) fn take_comma(&mut self) -> bool {
        let is = matches!(self.token(), Some(Token { kind: TokenKind::Comma, .. }));
        self.at += usize::from(is);
        is
    }

    /// Takes any word; `expected` says what it should be.
    pub(super) fn word(&mut self, expected: &str) -> Result<&'a str, SyntaxError> {
        match self.token() {
            Some(Token { kind: TokenKind::Word { text, .. }, .. }) => {
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.fail(expected)),
        }
    }

    /// Whether the next word is in quotes.
    pub(super) fn is_quoted(&self) -> bool {
        matches!(self.token(), Some(Token { kind: TokenKind::Word { quoted: true, .. }, .. }))
    }

    /// Takes a text in quotes.
    pub(super) fn text(&mut self) -> Result<String, SyntaxError> {
        if self.is_quoted() {
            return self.word("a text").map(str::to_owned);
        }
        let error = self.fail("a text in double quotes");
        Err(if self.at_end() { error } else { error.hint("put the whole text in double quotes") })
    }

    /// Takes a word that a type can check.
    pub(super) fn checked<T>(
        &mut self,
        expected: &str,
        make: impl FnOnce(&'a str) -> Result<T, ringback_model::TextError>,
    ) -> Result<T, SyntaxError> {
        let start = self.at;
        make(self.word(expected)?).map_err(|error| self.fail_at(start, expected).hint(error.to_string()))
    }

    pub(super) fn dn(&mut self) -> Result<DirectoryNumber, SyntaxError> {
        let expected = "a directory number";
        let comment = self.at_end();
        self.checked(expected, DirectoryNumber::new).map_err(|error| {
            if comment { error.hint("a number that holds # is put in quotes") } else { error }
        })
    }

    pub(super) fn address(&mut self) -> Result<IpAddr, SyntaxError> {
        let expected = "an IP address";
        let start = self.at;
        self.word(expected)?.parse().map_err(|_| self.fail_at(start, expected))
    }

    /// Takes the address of an instance that there is.
    pub(super) fn node(&mut self, names: &Names) -> Result<IpAddr, SyntaxError> {
        let start = self.at;
        let address = self.address()?;
        if names.nodes().contains(&address) {
            return Ok(address);
        }
        let known: Vec<_> = names.nodes().iter().map(IpAddr::to_string).collect();
        Err(self.fail_at(start, format!("the address of an instance ({})", known.join(", "))))
    }

    /// Takes a number.
    pub(super) fn count<T: FromStr>(&mut self, expected: &str) -> Result<T, SyntaxError> {
        let start = self.at;
        let word = self.word(expected)?;
        let number = word.chars().all(|c| c.is_ascii_digit()).then(|| word.parse().ok()).flatten();
        number.ok_or_else(|| self.fail_at(start, expected))
    }

    pub(super) fn duration(&mut self) -> Result<Millis, SyntaxError> {
        let expected = "a duration (250ms, 5s, 3m, 2h)";
        let start = self.at;
        duration::parse(self.word(expected)?).map_err(|error| match error {
            DurationError::NotOne => self.fail_at(start, expected),
            DurationError::TooLong => {
                let longest = duration::duration_text(duration::LONGEST);
                self.fail_at(start, format!("a duration of at most {longest}"))
            }
        })
    }

    pub(super) fn key(&mut self) -> Result<Key, SyntaxError> {
        self.listed_word("a softkey", Key::ALL, |key| key.word())
    }

    pub(super) fn tone(&mut self) -> Result<Tone, SyntaxError> {
        self.listed_word("a tone", Tone::ALL, |tone| tone.word())
    }

    fn listed_word<T: Copy>(
        &mut self,
        what: &str,
        all: &[T],
        word_of: impl Fn(T) -> &'static str,
    ) -> Result<T, SyntaxError> {
        let start = self.at;
        let expected = format!("{what} ({})", listed(all.iter().map(|item| word_of(*item))));
        let word = self.word(&expected)?;
        all.iter().copied().find(|item| word_of(*item) == word).ok_or_else(|| {
            let error = self.fail_at(start, expected);
            match nearest(word, all.iter().map(|item| word_of(*item))) {
                Some(meant) => error.hint(format!("did you mean `{meant}`?")),
                None => error,
            }
        })
    }

    /// Takes the name of a phone that there is.
    pub(super) fn phone(&mut self, names: &Names) -> Result<DeviceName, SyntaxError> {
        let start = self.at;
        let phone = self.checked("a phone", DeviceName::new)?;
        if names.has_phone(&phone) { Ok(phone) } else { Err(self.undeclared_phone(start, names)) }
    }

    /// The error for a phone that there is not, at this word.
    pub(super) fn undeclared_phone(&self, at: usize, names: &Names) -> SyntaxError {
        let known: Vec<&str> = names.phones().map(DeviceName::as_str).collect();
        if known.is_empty() {
            return self.fail_at(at, "a declared phone").hint("declare it first: `phone NAME DN`");
        }
        let shown = if known.len() <= 10 { format!(" ({})", known.join(", ")) } else { String::new() };
        let error = self.fail_at(at, format!("a declared phone{shown}"));
        let word = match self.line.tokens.get(at) {
            Some(Token { kind: TokenKind::Word { text, .. }, .. }) => text,
            _ => "",
        };
        match nearest(word, known) {
            Some(meant) => error.hint(format!("did you mean `{meant}`?")),
            None => error.hint("declare it first: `phone NAME DN`"),
        }
    }

    /// Takes a name for something new: not a word of the language, unless quoted.
    pub(super) fn new_name(&mut self, expected: &str) -> Result<&'a str, SyntaxError> {
        let start = self.at;
        let quoted = self.is_quoted();
        let name = self.word(expected)?;
        if !quoted && is_reserved(name) {
            return Err(self
                .fail_at(start, expected)
                .hint(format!("that is a word of the language; as a name it is written \"{name}\"")));
        }
        Ok(name)
    }

    /// Checks that nothing follows.
    pub(super) fn end(&self) -> Result<(), SyntaxError> {
        if self.at_end() { Ok(()) } else { Err(self.fail("the end of the statement")) }
    }

    /// The position, for [`fail_at`](Self::fail_at).
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The error for the next token.
    pub(super) fn fail(&self, expected: impl Into<String>) -> SyntaxError {
        self.fail_at(self.at, expected)
    }

    /// The error for the next token, where one of these words is expected.
    pub(super) fn fail_of(&self, keywords: &[&str]) -> SyntaxError {
        let quoted: Vec<_> = keywords.iter().map(|keyword| format!("`{keyword}`")).collect();
        let error = self.fail(listed(quoted.iter().map(String::as_str)));
        match self.keyword().and_then(|word| nearest(word, keywords.iter().copied())) {
            Some(meant) => error.hint(format!("did you mean `{meant}`?")),
            None => error,
        }
    }

    /// The error for the token at a position.
    pub(super) fn fail_at(&self, at: usize, expected: impl Into<String>) -> SyntaxError {
        let (column, found) = match self.line.tokens.get(at) {
            None => (self.line.end, "the end of the line".to_owned()),
            Some(Token { kind, column }) => {
                let found = match kind {
                    TokenKind::Comma => "`,`".to_owned(),
                    TokenKind::Equals => "`=`".to_owned(),
                    TokenKind::Word { text, quoted: true } => format!("\"{text}\""),
                    TokenKind::Word { text, quoted: false } => format!("`{text}`"),
                };
                (*column, found)
            }
        };
        SyntaxError::new(self.number, column, expected, found)
    }
}
