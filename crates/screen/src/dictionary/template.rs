use thiserror::Error;

use super::key::{Key, Parameter};

/// Why a text cannot be the one of its key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A brace has no partner.
    #[error("a brace has no partner: a parameter is written {{name}}, and no other braces are allowed")]
    Brace,
    /// It uses a parameter that the key does not have.
    #[error("parameter {{{found}}} is not known here: allowed are {allowed}")]
    UnknownParameter {
        /// What is used.
        found: String,
        /// What may be used.
        allowed: String,
    },
    /// It does not use a parameter that it must use.
    #[error("parameter {missing} is missing: use it")]
    MissingParameter {
        /// Which.
        missing: Parameter,
    },
    /// It has several lines where one is needed.
    #[error("{lines} lines, but exactly one is needed")]
    Lines {
        /// How many there are.
        lines: usize,
    },
    /// A line is empty.
    #[error("an empty line: write something, or remove it")]
    EmptyLine,
}

/// The values for the parameters of one text.
#[derive(Debug, Default)]
pub(crate) struct Values<'a>(pub(crate) Vec<(Parameter, &'a str)>);

impl Values<'_> {
    fn get(&self, parameter: Parameter) -> &str {
        self.0.iter().find(|(name, _)| *name == parameter).map_or("", |(_, value)| value)
    }
}

/// A text with parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Parameter(Parameter),
}

impl Template {
    /// Reads the lines of a text.
    pub(crate) fn parse(key: Key, lines: &[String]) -> Result<Self, TemplateError> {
        if lines.is_empty() || (key.is_one_line() && lines.len() > 1) {
            return Err(TemplateError::Lines { lines: lines.len() });
        }
        if lines.iter().any(|line| line.trim().is_empty()) {
            return Err(TemplateError::EmptyLine);
        }
        let template = Self(pieces(key, &lines.join("\n"))?);
        let used = |parameter| template.0.contains(&Piece::Parameter(parameter));
        match key.parameters().iter().copied().find(|parameter| !used(*parameter)) {
            Some(missing) => Err(TemplateError::MissingParameter { missing }),
            None => Ok(template),
        }
    }

    /// The text with these values, lines separated by `\n`.
    pub(crate) fn fill(&self, values: &Values<'_>) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            text.push_str(match piece {
                Piece::Literal(literal) => literal,
                Piece::Parameter(parameter) => values.get(*parameter),
            });
        }
        text
    }
}

fn pieces(key: Key, text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(brace) = rest.find(['{', '}']) {
        let (literal, from_brace) = rest.split_at(brace);
        let inside = from_brace.strip_prefix('{').ok_or(TemplateError::Brace)?;
        let (name, after) = inside.split_once('}').ok_or(TemplateError::Brace)?;
        let parameter =
            Parameter::named(name).filter(|parameter| key.parameters().contains(parameter)).ok_or_else(
                || TemplateError::UnknownParameter { found: name.to_owned(), allowed: allowed(key) },
            )?;
        pieces.push(Piece::Literal(literal.to_owned()));
        pieces.push(Piece::Parameter(parameter));
        rest = after;
    }
    pieces.push(Piece::Literal(rest.to_owned()));
    Ok(pieces)
}

fn allowed(key: Key) -> String {
    match key.parameters() {
        [] => "none".to_owned(),
        parameters => parameters.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}
