use super::ast::Rule;
use super::error::SyntaxError;

/// One token of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// The column of its first character, from 1.
    pub(super) column: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A word. A quoted one is never a keyword.
    Word {
        text: String,
        quoted: bool,
    },
    Comma,
    Equals,
}

/// A line cut into tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Line {
    pub(super) tokens: Vec<Token>,
    /// The rules that its comment says are covered.
    pub(super) covers: Vec<Rule>,
    /// The column after the last token.
    pub(super) end: usize,
}

/// Whether a character ends an unquoted word.
pub(super) fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | '=' | '#' | '"')
}

/// Cuts a line into tokens. `number` is for the error.
pub(super) fn lex(text: &str, number: usize) -> Result<Line, SyntaxError> {
    let chars: Vec<char> = text.chars().collect();
    let mut line = Line { end: 1, ..Line::default() };
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let column = at + 1;
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        if c == '#' {
            line.covers = covered(&chars[at + 1..].iter().collect::<String>());
            break;
        }
        let kind = match c {
            ',' => {
                at += 1;
                TokenKind::Comma
            }
            '=' => {
                at += 1;
                TokenKind::Equals
            }
            '"' => {
                let rest = &chars[at + 1..];
                let Some(len) = rest.iter().position(|c| *c == '"') else {
                    return Err(SyntaxError::new(
                        number,
                        chars.len() + 1,
                        "a closing double quote",
                        "the end of the line",
                    )
                    .hint(format!("the text begins in column {column}")));
                };
                at += len + 2;
                TokenKind::Word { text: rest[..len].iter().collect(), quoted: true }
            }
            _ => {
                let rest = &chars[at..];
                let len = rest.iter().position(|c| ends_word(*c)).unwrap_or(rest.len());
                at += len;
                TokenKind::Word { text: rest[..len].iter().collect(), quoted: false }
            }
        };
        let touches = chars[..column - 1].last().is_some_and(|c| !c.is_whitespace());
        if touches && both_words(line.tokens.last(), &kind) {
            return Err(SyntaxError::new(number, column, "a blank", "a double quote inside a word")
                .hint("put the whole word in quotes"));
        }
        line.tokens.push(Token { kind, column });
        line.end = at + 1;
    }
    Ok(line)
}

fn both_words(before: Option<&Token>, now: &TokenKind) -> bool {
    matches!(before, Some(Token { kind: TokenKind::Word { .. }, .. }))
        && matches!(now, TokenKind::Word { .. })
}

/// The rules in `covers: R1 R2`. A comment is never wrong, so other words are passed over.
fn covered(comment: &str) -> Vec<Rule> {
    let Some(rules) = comment.trim_start().strip_prefix("covers:") else { return Vec::new() };
    rules
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter_map(|word| word.strip_prefix('R')?.parse().ok().map(Rule))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(String, bool, usize)> {
        lex(text, 1)
            .unwrap()
            .tokens
            .into_iter()
            .map(|token| match token.kind {
                TokenKind::Word { text, quoted } => (text, quoted, token.column),
                TokenKind::Comma => (",".into(), false, token.column),
                TokenKind::Equals => ("=".into(), false, token.column),
            })
            .collect()
    }

    #[test]
    fn blanks_quotes_commas_and_comments() {
        assert_eq!(
            words("  A calls\t\"*70 #1\",12 # \"not text"),
            [
                ("A".into(), false, 3),
                ("calls".into(), false, 5),
                ("*70 #1".into(), true, 11),
                (",".into(), false, 19),
                ("12".into(), false, 20),
            ]
        );
        assert_eq!(words("\"a\"=b").len(), 3);
        assert_eq!(words("# nothing else"), []);
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        assert_eq!(words("ä ö")[1].2, 3);
    }

    #[test]
    fn covers_names_rules_and_passes_over_the_rest() {
        assert_eq!(lex("# covers: R1, R22 (partly)", 1).unwrap().covers, [Rule(1), Rule(22)]);
        assert_eq!(lex("# covering: R1", 1).unwrap().covers, []);
    }

    #[test]
    fn quotes_must_close_and_stand_alone() {
        assert_eq!(
            lex("A shows \"x", 7).unwrap_err().to_string(),
            "7:11: expected a closing double quote, found the end of the line; the text begins in column 9"
        );
        assert_eq!(
            lex("A calls 1\"2\"", 7).unwrap_err().to_string(),
            "7:10: expected a blank, found a double quote inside a word; put the whole word in quotes"
        );
    }
}
