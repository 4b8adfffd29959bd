//! The language of scenario files: from text to values ([`parse`]) and back (`Display`).

mod action;
mod ast;
mod cursor;
mod duration;
mod error;
mod expectation;
mod lexer;
mod names;
mod needs;
mod parameter;
mod print;
mod setup;

pub use ast::{
    Action, Condition, CtiManagerAction, Expectation, Key, NodeAction, PhoneAction, PhoneCondition,
    PhoneSetup, Rule, Running, Scenario, Setting, Setup, SetupStatement, Step, StepStatement, Tone,
};
pub use duration::duration_text;
pub use error::SyntaxError;
pub use names::{DEFAULT_CTIMANAGER, DEFAULT_NODE, Names};
pub use needs::Needs;
pub use parameter::{Parameter, ParameterKind, Value};

use cursor::Cursor;
use error::nearest;
use setup::References;

enum Statement {
    Setup(SetupStatement),
    Step(StepStatement),
}

/// Reads a whole scenario.
///
/// ```
/// use ringback_scenario::parse;
/// let scenario = parse("phone A 1001\nA calls 1002\nexpect A hears busy within 5s")?;
/// assert_eq!(scenario.steps[1].what.to_string(), "expect A hears busy within 5s");
/// let error = parse("phone A 1001\nA cals 1002").unwrap_err();
/// assert!(error.to_string().starts_with("2:3: expected `calls`, "));
/// # Ok::<(), ringback_scenario::SyntaxError>(())
/// ```
///
/// # Errors
/// The first line that is not of the language.
pub fn parse(text: &str) -> Result<Scenario, SyntaxError> {
    let mut scenario = Scenario::default();
    let mut names = Names::new();
    let mut references = References::default();
    let mut progress = Progress::Setup;
    for (index, text) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
        let line = index + 1;
        let tokens = lexer::lex(text, line)?;
        scenario.covers.extend(tokens.covers.iter().copied());
        let mut cursor = Cursor::new(&tokens, line);
        if cursor.at_end() {
            continue;
        }
        match statement(&mut cursor, &mut names, &mut references, progress)? {
            Statement::Setup(what) => scenario.setup.push(Setup { line, what }),
            Statement::Step(what) => {
                progress = match what {
                    StepStatement::Action(_) => Progress::Acted,
                    StepStatement::Expectation(_) => progress.max(Progress::Expected),
                };
                scenario.steps.push(Step { line, what });
            }
        }
        cursor.end()?;
    }
    references.into_first_undeclared().map_or(Ok(scenario), Err)
}

/// Reads one line as it is typed at a prompt: an action, or `None` for a blank line or a comment. A phone or an
/// instance that the action adds is added to `names`.
///
/// # Errors
/// The line is no action.
pub fn parse_action(text: &str, names: &mut Names) -> Result<Option<Action>, SyntaxError> {
    let tokens = lexer::lex(text, 1)?;
    let mut cursor = Cursor::new(&tokens, 1);
    if cursor.at_end() {
        return Ok(None);
    }
    let mut known = names.clone();
    match statement(&mut cursor, &mut known, &mut References::default(), Progress::Acted)? {
        Statement::Step(StepStatement::Action(action)) => {
            cursor.end()?;
            *names = known;
            Ok(Some(action))
        }
        _ => Err(Cursor::new(&tokens, 1).fail("an action").hint("`expect` is for scenario files")),
    }
}

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    /// Nothing but set-up so far.
    Setup,
    /// Something was expected.
    Expected,
    /// Something was done: no more set-up.
    Acted,
}

fn statement(
    cursor: &mut Cursor<'_>,
    names: &mut Names,
    references: &mut References,
    progress: Progress,
) -> Result<Statement, SyntaxError> {
    let Some(word) = cursor.keyword() else {
        return of_phone(cursor, names);
    };
    if word == "expect" {
        cursor.demand(word)?;
        let expectation = expectation::statement(cursor, names)?;
        return Ok(Statement::Step(StepStatement::Expectation(expectation)));
    }
    let sets_up = setup::KEYWORDS.contains(&word) && (word != "set" || progress == Progress::Setup);
    if sets_up && progress == Progress::Acted {
        let hint = match word {
            "phone" => {
                "set-up comes before the first action; later a phone is added with `add phone NAME DN`"
            }
            "node" => "set-up comes before the first action; later an instance joins with `start node IP`",
            _ => "set-up comes before the first action",
        };
        return Err(cursor.fail("an action or `expect`").hint(hint));
    }
    if sets_up {
        cursor.demand(word)?;
        return setup::statement(word, cursor, names, references).map(Statement::Setup);
    }
    if action::KEYWORDS.contains(&word) {
        cursor.demand(word)?;
        let action = action::statement(word, cursor, names)?;
        return Ok(Statement::Step(StepStatement::Action(action)));
    }
    if names.phones().any(|phone| phone.as_str() == word) {
        return of_phone(cursor, names);
    }
    Err(unknown(word, cursor, names))
}

fn of_phone(cursor: &mut Cursor<'_>, names: &Names) -> Result<Statement, SyntaxError> {
    let phone = cursor.phone(names)?;
    let does = action::of_phone(cursor)?;
    Ok(Statement::Step(StepStatement::Action(Action::Phone { phone, does })))
}

/// The error for a line that begins with no known word: a slip in a keyword, or a phone that there is not.
fn unknown(word: &str, cursor: &mut Cursor<'_>, names: &Names) -> SyntaxError {
    let at = cursor.position();
    let error = cursor.undeclared_phone(at, names);
    let is_phone =
        cursor.word("").is_ok() && cursor.keyword().is_some_and(|verb| action::VERBS.contains(&verb));
    if is_phone {
        return error;
    }
    let keywords = setup::KEYWORDS.iter().chain(action::KEYWORDS).copied().chain(["expect"]);
    let error = cursor.fail_at(at, "a statement");
    match nearest(word, keywords.chain(names.phones().map(ringback_model::DeviceName::as_str))) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None => error.hint(
            "a line begins with a declared phone, `expect`, `wait`, `set`, `phone`, `pool`, `template`, `node`, \
             `ctimanager`, `add`, `remove`, `start`, `stop`, `kill`, `pause`, `resume`, `cut`, `heal` or `freeze`",
        ),
    }
}
