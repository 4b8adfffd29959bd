use ringback_model::DeviceName;

use super::ast::{Action, CtiManagerAction, NodeAction, PhoneAction, Running};
use super::cursor::Cursor;
use super::error::SyntaxError;
use super::names::Names;
use super::setup;

/// The words that begin an action, but for the names of phones.
pub(super) const KEYWORDS: &[&str] =
    &["remove", "add", "start", "stop", "kill", "pause", "resume", "cut", "heal", "freeze", "set", "wait"];

/// What can follow a phone's name.
pub(super) const VERBS: &[&str] = &[
    "calls",
    "answers",
    "hangs",
    "lifts",
    "replaces",
    "presses",
    "forwards",
    "dnd",
    "resets",
    "unregisters",
    "registers",
    "logs",
];

/// Reads the rest of an action that begins with this keyword.
pub(super) fn statement(
    keyword: &str,
    cursor: &mut Cursor<'_>,
    names: &mut Names,
) -> Result<Action, SyntaxError> {
    match keyword {
        "wait" => cursor.duration().map(Action::Wait),
        "set" => setup::setting(cursor).map(Action::Set),
        "remove" => {
            cursor.demand("phone")?;
            cursor.phone(names).map(Action::RemovePhone)
        }
        "add" => add_phone(cursor, names),
        _ => fault(keyword, cursor, names),
    }
}

/// A phone that was removed may come back under its name.
fn add_phone(cursor: &mut Cursor<'_>, names: &mut Names) -> Result<Action, SyntaxError> {
    cursor.demand("phone")?;
    let expected = "a phone's name";
    let start = cursor.position();
    let name = cursor.new_name(expected)?;
    let name =
        DeviceName::new(name).map_err(|error| cursor.fail_at(start, expected).hint(error.to_string()))?;
    let dn = cursor.dn()?;
    names.add_phone(name.clone(), cursor.number());
    Ok(Action::AddPhone { name, dn })
}

fn fault(keyword: &str, cursor: &mut Cursor<'_>, names: &mut Names) -> Result<Action, SyntaxError> {
    let node = NodeAction::ALL.iter().copied().find(|action| action.word() == keyword);
    let manager = CtiManagerAction::ALL.iter().copied().find(|action| action.word() == keyword);
    let database = Running::ALL.iter().copied().find(|action| action.word() == keyword);
    let objects: Vec<&str> = [
        node.map(|_| "node"),
        manager.map(|_| "ctimanager"),
        database.map(|_| "database"),
        database.map(|_| "store"),
    ]
    .into_iter()
    .flatten()
    .collect();
    match (cursor.one_of(&objects)?, node, manager, database) {
        ("node", Some(NodeAction::Start), ..) => {
            let address = cursor.address()?;
            names.join_node(address);
            Ok(Action::Node { address, fault: NodeAction::Start })
        }
        ("node", Some(fault), ..) => Ok(Action::Node { address: cursor.node(names)?, fault }),
        ("ctimanager", _, Some(fault), _) => {
            Ok(Action::CtiManager { name: ctimanager(cursor, names)?, fault })
        }
        ("database", .., Some(running)) => Ok(Action::Database(running)),
        (.., Some(running)) => Ok(Action::Store(running)),
        _ => Err(cursor.fail_of(&objects)),
    }
}

/// Takes the name of a CTIManager that there is.
pub(super) fn ctimanager(cursor: &mut Cursor<'_>, names: &Names) -> Result<String, SyntaxError> {
    let start = cursor.position();
    let name = cursor.word("a CTIManager's name")?;
    if names.ctimanagers().any(|known| known == name) {
        return Ok(name.to_owned());
    }
    let known: Vec<_> = names.ctimanagers().collect();
    Err(cursor.fail_at(start, format!("a CTIManager's name ({})", known.join(", "))))
}

/// Reads what a phone does, after its name.
pub(super) fn of_phone(cursor: &mut Cursor<'_>) -> Result<PhoneAction, SyntaxError> {
    Ok(match cursor.one_of(VERBS)? {
        "calls" => PhoneAction::Calls {
            dn: cursor.dn()?,
            on: if cursor.take("on") { Some(cursor.dn()?) } else { None },
        },
        "answers" => PhoneAction::Answers,
        "hangs" => {
            cursor.demand("up")?;
            PhoneAction::HangsUp(if cursor.at_end() { None } else { Some(cursor.dn()?) })
        }
        "lifts" => PhoneAction::Lifts,
        "replaces" => PhoneAction::Replaces,
        "presses" => PhoneAction::Presses(cursor.key()?),
        "forwards" => match cursor.one_of(&["all", "nothing"])? {
            "all" => {
                cursor.demand("to")?;
                PhoneAction::Forwards(Some(cursor.dn()?))
            }
            _ => PhoneAction::Forwards(None),
        },
        "dnd" => PhoneAction::DoNotDisturb(cursor.one_of(&["on", "off"])? == "on"),
        "resets" => PhoneAction::Resets,
        "unregisters" => PhoneAction::Unregisters,
        "registers" => PhoneAction::Registers,
        _ => match cursor.one_of(&["in", "out"])? {
            "in" => PhoneAction::LogsIn,
            _ => PhoneAction::LogsOut,
        },
    })
}
