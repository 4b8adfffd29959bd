use std::fmt::{Display, Formatter, Result};

use super::ast::{
    Action, Condition, Expectation, PhoneAction, PhoneCondition, PhoneSetup, Rule, Scenario, Setting,
    SetupStatement, StepStatement,
};
use super::duration::duration_text;
use super::names::{name_text, word_text};
use super::parameter::Value;

fn dn(dn: &ringback_model::DirectoryNumber) -> String {
    word_text(dn.as_str())
}

fn phone(name: &ringback_model::DeviceName) -> String {
    name_text(name.as_str())
}

fn joined<T>(items: &[T], between: &str, text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(between)
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "R{}", self.0)
    }
}

impl Display for Scenario {
    /// A file that says the same: the rules, the set-up, then the steps, one statement a line.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if !self.covers.is_empty() {
            writeln!(f, "# covers: {}", joined(&self.covers, " ", Rule::to_string))?;
        }
        for setup in &self.setup {
            writeln!(f, "{}", setup.what)?;
        }
        for step in &self.steps {
            writeln!(f, "{}", step.what)?;
        }
        Ok(())
    }
}

impl Display for SetupStatement {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Phone(phone) => phone.fmt(f),
            Self::Pool { name, template } => {
                write!(f, "pool {}", word_text(name))?;
                template.iter().try_for_each(|template| write!(f, " softkeys {}", word_text(template)))
            }
            Self::Template { name, callback } => {
                write!(f, "template {}{}", word_text(name), if *callback { " callback" } else { "" })
            }
            Self::Set(setting) => setting.fmt(f),
            Self::Nodes(nodes) => write!(f, "node {}", joined(nodes, ",", ToString::to_string)),
            Self::CtiManagers(names) => {
                write!(f, "ctimanager {}", joined(names, ",", |name| name_text(name)))
            }
        }
    }
}

impl Display for PhoneSetup {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "phone {} {}", phone(&self.name), joined(&self.lines, ",", dn))?;
        if let Some(locale) = &self.locale {
            write!(f, " locale {locale}")?;
        }
        if let Some(template) = &self.template {
            write!(f, " softkeys {}", word_text(template))?;
        }
        if let Some(pool) = &self.pool {
            write!(f, " pool {}", word_text(pool))?;
        }
        if let Some(calls) = self.calls {
            write!(f, " calls {calls}")?;
        }
        if let Some(partition) = &self.partition {
            write!(f, " partition {}", word_text(partition.as_str()))?;
        }
        Ok(())
    }
}

impl Display for Setting {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "set \"{}\" = ", self.parameter.name)?;
        match &self.value {
            Value::Number(number) => number.fmt(f),
            Value::Duration(duration) => f.write_str(&duration_text(*duration)),
            Value::Word(word) => f.write_str(&word_text(word)),
        }
    }
}

impl Display for StepStatement {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Action(action) => action.fmt(f),
            Self::Expectation(expectation) => expectation.fmt(f),
        }
    }
}

impl Display for Action {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Phone { phone: name, does } => write!(f, "{} {does}", phone(name)),
            Self::RemovePhone(name) => write!(f, "remove phone {}", phone(name)),
            Self::AddPhone { name, dn: number } => write!(f, "add phone {} {}", phone(name), dn(number)),
            Self::Node { address, fault } => write!(f, "{} node {address}", fault.word()),
            Self::CtiManager { name, fault } => write!(f, "{} ctimanager {}", fault.word(), name_text(name)),
            Self::Database(running) => write!(f, "{} database", running.word()),
            Self::Store(running) => write!(f, "{} store", running.word()),
            Self::Set(setting) => setting.fmt(f),
            Self::Wait(duration) => write!(f, "wait {}", duration_text(*duration)),
        }
    }
}

impl Display for PhoneAction {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Calls { dn: number, on: None } => write!(f, "calls {}", dn(number)),
            Self::Calls { dn: number, on: Some(line) } => write!(f, "calls {} on {}", dn(number), dn(line)),
            Self::Answers => f.write_str("answers"),
            Self::HangsUp(None) => f.write_str("hangs up"),
            Self::HangsUp(Some(number)) => write!(f, "hangs up {}", dn(number)),
            Self::Lifts => f.write_str("lifts"),
            Self::Replaces => f.write_str("replaces"),
            Self::Presses(key) => write!(f, "presses {}", key.word()),
            Self::Forwards(Some(number)) => write!(f, "forwards all to {}", dn(number)),
            Self::Forwards(None) => f.write_str("forwards nothing"),
            Self::DoNotDisturb(true) => f.write_str("dnd on"),
            Self::DoNotDisturb(false) => f.write_str("dnd off"),
            Self::Resets => f.write_str("resets"),
            Self::Unregisters => f.write_str("unregisters"),
            Self::Registers => f.write_str("registers"),
            Self::LogsIn => f.write_str("logs in"),
            Self::LogsOut => f.write_str("logs out"),
        }
    }
}

impl Display for Expectation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Holds { condition, within: None } => write!(f, "expect {condition}"),
            Self::Holds { condition, within: Some(time) } => {
                write!(f, "expect {condition} within {}", duration_text(*time))
            }
            Self::Never { condition, during } => {
                write!(f, "expect never {condition} for {}", duration_text(*during))
            }
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Phone { phone: name, is } => write!(f, "{} {is}", phone(name)),
            Self::Active(address) => write!(f, "active {address}"),
            Self::Backups(addresses) => write!(f, "backups {}", joined(addresses, " ", ToString::to_string)),
            Self::NoActive => f.write_str("no active"),
            Self::Registered { address, at: Some(name) } => {
                write!(f, "{address} registered {}", name_text(name))
            }
            Self::Registered { address, at: None } => write!(f, "{address} registered nowhere"),
            Self::Database { address, up } => {
                write!(f, "{address} database {}", if *up { "up" } else { "down" })
            }
            Self::Pending(requests) => write!(f, "pending {requests}"),
            Self::Queue { dn: number, callers } => {
                write!(f, "queue {}", dn(number))?;
                callers.iter().try_for_each(|caller| write!(f, " {}", phone(caller)))
            }
            Self::OpenDevices(count) => write!(f, "open devices {count}"),
            Self::OpenLines(count) => write!(f, "open lines {count}"),
            Self::Alarm(name) => write!(f, "alarm {name}"),
        }
    }
}

impl Display for PhoneCondition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Hears(tone) => write!(f, "hears {}", tone.word()),
            Self::Rings(None) => f.write_str("rings"),
            Self::Rings(Some(number)) => write!(f, "rings from {}", dn(number)),
            Self::ConnectedTo(number) => write!(f, "connected to {}", dn(number)),
            Self::Idle => f.write_str("idle"),
            Self::Shows(None) => f.write_str("shows nothing"),
            Self::Shows(Some(text)) => write!(f, "shows \"{text}\""),
            Self::Prompts(text) => write!(f, "prompts \"{text}\""),
            Self::SoftKeys(keys) => write!(f, "softkeys {}", joined(keys, " ", |key| key.word().to_owned())),
            Self::Alerted(None) => f.write_str("alerted"),
            Self::Alerted(Some(times)) => write!(f, "alerted {times} times"),
        }
    }
}
