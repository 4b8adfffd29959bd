use std::net::IpAddr;

use super::action::ctimanager;
use super::ast::{Condition, Expectation, PhoneCondition};
use super::cursor::Cursor;
use super::error::{SyntaxError, nearest};
use super::names::Names;

const KEYWORDS: &[&str] = &["active", "backups", "no", "pending", "queue", "open", "alarm"];

const VERBS: &[&str] = &["hears", "rings", "connected", "idle", "shows", "prompts", "softkeys", "alerted"];

/// Reads what follows `expect`.
pub(super) fn statement(cursor: &mut Cursor<'_>, names: &Names) -> Result<Expectation, SyntaxError> {
    if cursor.take("never") {
        let condition = condition(cursor, names)?;
        if cursor.keyword() == Some("within") {
            return Err(cursor.fail("`for` and a duration").hint("`within` goes with `expect X`"));
        }
        cursor.demand("for")?;
        return Ok(Expectation::Never { condition, during: cursor.duration()? });
    }
    let condition = condition(cursor, names)?;
    if cursor.keyword() == Some("for") {
        return Err(cursor
            .fail("`within`, or the end of the statement")
            .hint("`for` goes with `expect never X`"));
    }
    let within = if cursor.take("within") { Some(cursor.duration()?) } else { None };
    Ok(Expectation::Holds { condition, within })
}

/// Whether a list of words goes on.
fn goes_on(cursor: &Cursor<'_>) -> bool {
    !cursor.at_end() && !matches!(cursor.keyword(), Some("within" | "for"))
}

fn condition(cursor: &mut Cursor<'_>, names: &Names) -> Result<Condition, SyntaxError> {
    match cursor.keyword() {
        Some("within" | "for") => Err(cursor
            .fail("what is expected")
            .hint("the duration follows what is expected: `expect X within D`, `expect never X for D`")),
        Some(word) if KEYWORDS.contains(&word) => {
            cursor.demand(word)?;
            of_service(word, cursor, names)
        }
        Some(word) if is_address(word) || (looks_like_an_address(word) && !is_phone(word, names)) => {
            let address = cursor.node(names)?;
            of_node(address, cursor, names)
        }
        Some(word) if !is_phone(word, names) => {
            let at = cursor.position();
            let error = cursor.undeclared_phone(at, names);
            Err(match nearest(word, KEYWORDS.iter().copied().chain(["never"])) {
                Some(meant) => error.hint(format!("did you mean `{meant}`?")),
                None => error,
            })
        }
        _ => {
            let phone = cursor.phone(names)?;
            Ok(Condition::Phone { phone, is: of_phone(cursor)? })
        }
    }
}

fn is_phone(word: &str, names: &Names) -> bool {
    names.phones().any(|phone| phone.as_str() == word)
}

fn is_address(word: &str) -> bool {
    word.parse::<IpAddr>().is_ok()
}

/// Whether a wrong word was meant to be an address.
fn looks_like_an_address(word: &str) -> bool {
    word.contains('.') && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn of_service(keyword: &str, cursor: &mut Cursor<'_>, names: &Names) -> Result<Condition, SyntaxError> {
    Ok(match keyword {
        "active" => Condition::Active(cursor.node(names)?),
        "backups" => {
            let mut backups = vec![cursor.node(names)?];
            while goes_on(cursor) {
                backups.push(cursor.node(names)?);
            }
            Condition::Backups(backups)
        }
        "no" => {
            cursor.demand("active")?;
            Condition::NoActive
        }
        "pending" => Condition::Pending(cursor.count("a number of requests")?),
        "queue" => {
            let dn = cursor.dn()?;
            let mut callers = Vec::new();
            while goes_on(cursor) {
                callers.push(cursor.phone(names)?);
            }
            Condition::Queue { dn, callers }
        }
        "open" => match cursor.one_of(&["devices", "lines"])? {
            "devices" => Condition::OpenDevices(cursor.count("a number of devices")?),
            _ => Condition::OpenLines(cursor.count("a number of lines")?),
        },
        _ => Condition::Alarm(alarm(cursor)?),
    })
}

fn alarm(cursor: &mut Cursor<'_>) -> Result<String, SyntaxError> {
    let expected = "an alarm's name (like CtiLost)";
    let at = cursor.position();
    let name = cursor.word(expected)?;
    let camel_case =
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    if camel_case { Ok(name.to_owned()) } else { Err(cursor.fail_at(at, expected)) }
}

fn of_node(address: IpAddr, cursor: &mut Cursor<'_>, names: &Names) -> Result<Condition, SyntaxError> {
    Ok(match cursor.one_of(&["registered", "database"])? {
        "registered" => Condition::Registered {
            address,
            at: if cursor.take("nowhere") { None } else { Some(ctimanager(cursor, names)?) },
        },
        _ => Condition::Database { address, up: cursor.one_of(&["up", "down"])? == "up" },
    })
}

fn of_phone(cursor: &mut Cursor<'_>) -> Result<PhoneCondition, SyntaxError> {
    Ok(match cursor.one_of(VERBS)? {
        "hears" => PhoneCondition::Hears(cursor.tone()?),
        "rings" => PhoneCondition::Rings(if cursor.take("from") { Some(cursor.dn()?) } else { None }),
        "connected" => {
            cursor.demand("to")?;
            PhoneCondition::ConnectedTo(cursor.dn()?)
        }
        "idle" => PhoneCondition::Idle,
        "shows" => PhoneCondition::Shows(if cursor.take("nothing") { None } else { Some(cursor.text()?) }),
        "prompts" => PhoneCondition::Prompts(cursor.text()?),
        "softkeys" => {
            let mut keys = vec![cursor.key()?];
            while goes_on(cursor) {
                keys.push(cursor.key()?);
            }
            PhoneCondition::SoftKeys(keys)
        }
        _ => PhoneCondition::Alerted(if goes_on(cursor) {
            let times = cursor.count("a number of times")?;
            cursor.demand("times")?;
            Some(times)
        } else {
            None
        }),
    })
}
