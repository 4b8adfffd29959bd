use ringback_model::{DeviceName, DirectoryNumber, Locale, Partition};

use super::ast::{PhoneSetup, Setting, SetupStatement};
use super::cursor::Cursor;
use super::duration;
use super::error::{SyntaxError, listed, nearest};
use super::names::{Names, word_text};
use super::parameter::{Parameter, ParameterKind, Value};

/// The words that begin a set-up statement.
pub(super) const KEYWORDS: &[&str] = &["phone", "pool", "template", "set", "node", "ctimanager"];

/// The templates and pools that statements declare and name. They may come in any order, so they are compared when
/// all are known.
#[derive(Debug, Default)]
pub(super) struct References {
    declared: Vec<(&'static str, String)>,
    /// With the error in case that it is not declared.
    named: Vec<(&'static str, String, SyntaxError)>,
}

impl References {
    /// The error for the first one that is named and not declared.
    pub(super) fn into_first_undeclared(self) -> Option<SyntaxError> {
        let Self { declared, named } = self;
        named
            .into_iter()
            .find(|(what, name, _)| !declared.iter().any(|known| known.0 == *what && known.1 == *name))
            .map(|(.., error)| error)
    }

    fn declare(&mut self, what: &'static str, cursor: &mut Cursor<'_>) -> Result<String, SyntaxError> {
        let name = cursor.word(&format!("a {what}'s name"))?.to_owned();
        self.declared.push((what, name.clone()));
        Ok(name)
    }

    fn name(&mut self, what: &'static str, cursor: &mut Cursor<'_>) -> Result<String, SyntaxError> {
        let start = cursor.position();
        let name = cursor.word(&format!("a {what}'s name"))?.to_owned();
        let error = cursor
            .fail_at(start, format!("a declared {what}"))
            .hint(format!("declare it: `{what} {}`", word_text(&name)));
        self.named.push((what, name.clone(), error));
        Ok(name)
    }
}

/// Reads the rest of a set-up statement that begins with this keyword.
pub(super) fn statement(
    keyword: &str,
    cursor: &mut Cursor<'_>,
    names: &mut Names,
    references: &mut References,
) -> Result<SetupStatement, SyntaxError> {
    Ok(match keyword {
        "phone" => SetupStatement::Phone(phone(cursor, names, references)?),
        "pool" => SetupStatement::Pool {
            name: references.declare("pool", cursor)?,
            template: if cursor.take("softkeys") { Some(references.name("template", cursor)?) } else { None },
        },
        "template" => SetupStatement::Template {
            name: references.declare("template", cursor)?,
            callback: cursor.take("callback"),
        },
        "set" => SetupStatement::Set(setting(cursor)?),
        "node" => SetupStatement::Nodes(nodes(cursor, names)?),
        _ => SetupStatement::CtiManagers(ctimanagers(cursor, names)?),
    })
}

fn phone(
    cursor: &mut Cursor<'_>,
    names: &mut Names,
    references: &mut References,
) -> Result<PhoneSetup, SyntaxError> {
    let name = new_phone(cursor, names)?;
    let mut lines: Vec<DirectoryNumber> = Vec::new();
    loop {
        let start = cursor.position();
        let dn = cursor.dn()?;
        if lines.contains(&dn) {
            return Err(cursor
                .fail_at(start, "another directory number")
                .hint("the phone has this line already"));
        }
        lines.push(dn);
        if !cursor.take_comma() {
            break;
        }
    }
    let mut phone =
        PhoneSetup { name, lines, locale: None, template: None, pool: None, calls: None, partition: None };
    while !cursor.at_end() {
        let start = cursor.position();
        let option = cursor.one_of(&["locale", "softkeys", "pool", "calls", "partition"])?;
        let again = match option {
            "locale" => phone.locale.replace(cursor.checked("a locale (like fr_FR)", Locale::new)?).is_some(),
            "softkeys" => phone.template.replace(references.name("template", cursor)?).is_some(),
            "pool" => phone.pool.replace(references.name("pool", cursor)?).is_some(),
            "calls" => phone.calls.replace(calls(cursor)?).is_some(),
            _ => phone.partition.replace(cursor.checked("a partition's name", Partition::new)?).is_some(),
        };
        if again {
            return Err(cursor.fail_at(start, format!("`{option}` once")));
        }
    }
    Ok(phone)
}

/// Takes the name of a phone that there is not yet, and keeps it.
pub(super) fn new_phone(cursor: &mut Cursor<'_>, names: &mut Names) -> Result<DeviceName, SyntaxError> {
    let expected = "a new phone's name";
    let start = cursor.position();
    let name = cursor.new_name(expected)?;
    let name =
        DeviceName::new(name).map_err(|error| cursor.fail_at(start, expected).hint(error.to_string()))?;
    match names.add_phone(name.clone(), cursor.number()) {
        None => Ok(name),
        Some(earlier) => {
            Err(cursor.fail_at(start, expected).hint(format!("it was declared in line {earlier}")))
        }
    }
}

fn calls(cursor: &mut Cursor<'_>) -> Result<u32, SyntaxError> {
    let expected = "a number of calls, at least 1";
    let start = cursor.position();
    match cursor.count(expected)? {
        0 => Err(cursor.fail_at(start, expected)),
        calls => Ok(calls),
    }
}

/// Reads `"PARAMETER" = VALUE`.
pub(super) fn setting(cursor: &mut Cursor<'_>) -> Result<Setting, SyntaxError> {
    let start = cursor.position();
    let name = cursor.word("a service parameter's name in double quotes")?;
    let parameter = Parameter::named(name).ok_or_else(|| {
        let known = Parameter::ALL.iter().map(|parameter| parameter.name);
        let error = cursor.fail_at(start, "a service parameter's name in double quotes");
        match nearest(name, known.clone()) {
            Some(meant) => error.hint(format!("did you mean \"{meant}\"?")),
            None => error.hint(format!("there are: {}", known.collect::<Vec<_>>().join(", "))),
        }
    })?;
    cursor.take_equals()?;
    Ok(Setting { parameter, value: value(cursor, parameter.kind)? })
}

fn value(cursor: &mut Cursor<'_>, kind: ParameterKind) -> Result<Value, SyntaxError> {
    let start = cursor.position();
    match kind {
        ParameterKind::Number => cursor.count("a number").map(Value::Number),
        ParameterKind::Text => cursor.word("a word").map(|word| Value::Word(word.to_owned())),
        ParameterKind::Choice(allowed) => {
            let expected = listed(allowed.iter().copied());
            let word = cursor.word(&expected)?;
            if allowed.contains(&word) {
                Ok(Value::Word(word.to_owned()))
            } else {
                Err(cursor.fail_at(start, expected))
            }
        }
        ParameterKind::Time(unit) => {
            let expected = format!(
                "a duration (250ms, 5s, 3m, 2h), or a number of {}",
                match unit.0 {
                    1 => "milliseconds",
                    1000 => "seconds",
                    _ => "minutes",
                }
            );
            let word = cursor.word(&expected)?;
            let number = word.bytes().all(|b| b.is_ascii_digit()).then(|| word.parse().ok()).flatten();
            match number {
                Some(number) => Ok(Value::Number(number)),
                None => {
                    duration::parse(word).map(Value::Duration).map_err(|_| cursor.fail_at(start, expected))
                }
            }
        }
    }
}

fn nodes(cursor: &mut Cursor<'_>, names: &mut Names) -> Result<Vec<std::net::IpAddr>, SyntaxError> {
    let mut nodes = Vec::new();
    loop {
        let start = cursor.position();
        let address = cursor.address()?;
        if !names.add_node(address) {
            return Err(cursor
                .fail_at(start, "another IP address")
                .hint("there is such an instance already"));
        }
        nodes.push(address);
        if !cursor.take_comma() {
            return Ok(nodes);
        }
    }
}

fn ctimanagers(cursor: &mut Cursor<'_>, names: &mut Names) -> Result<Vec<String>, SyntaxError> {
    let mut managers = Vec::new();
    loop {
        let start = cursor.position();
        let name = cursor.new_name("a CTIManager's name")?;
        if !names.add_ctimanager(name) {
            return Err(cursor
                .fail_at(start, "another CTIManager's name")
                .hint("there is such a CTIManager already"));
        }
        managers.push(name.to_owned());
        if !cursor.take_comma() {
            return Ok(managers);
        }
    }
}
