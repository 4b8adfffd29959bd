//! What the manager user must be allowed, and what is said of it when it is not: the line to change, and where.

use crate::ami::Message;
use crate::session::Loss;

/// What a manager user must be allowed to do: the action, what for, and the write class that allows it.
pub(crate) const NEEDED: [(&str, &str, &str); 11] = [
    ("CoreStatus", "to see whether it was restarted", "system"),
    ("DeviceStateList", "to read device states", "call"),
    ("CoreShowChannels", "to read calls", "system"),
    ("PJSIPShowEndpoints", "to read the phones", "system"),
    ("ExtensionStateList", "to read the hints", "call"),
    ("Originate", "to recall and to call back", "originate"),
    ("Redirect", "to connect a recall", "call"),
    ("Hangup", "to end a recall", "call"),
    ("Setvar", "to override forwarding", "call"),
    ("MessageSend", "to send texts", "message"),
    ("UserEvent", "to see whether events are delivered", "user"),
];

/// The classes of events that must be told.
const READ: [&str; 3] = ["system", "call", "user"];

/// The classes of actions that must be allowed.
const WRITE: &str = "system,call,originate,message,user";

/// Actions that exist only with a module, and another one of the same class that always exists: without that one, it is the
/// class that is missing.
const OF_MODULES: [(&str, &str, &str); 2] = [
    ("DeviceStateList", "res_manager_devicestate.so", "Redirect"),
    ("PJSIPShowEndpoints", "res_pjsip.so", "DBPut"),
];

const RELOAD: &str = "then run: asterisk -rx 'manager reload'";

/// What the user may not do of what it must, from the answer to `ListCommands`: one sentence, or one for each module that is
/// not loaded.
pub(super) fn not_permitted(user: &str, commands: &Message) -> Vec<String> {
    let missing = |action: &str| commands.get(action).is_none();
    let module_of = |action: &str| {
        let without = |(name, _, witness): &&(&str, &str, &str)| *name == action && !missing(witness);
        OF_MODULES.iter().find(without).map(|(_, module, _)| *module)
    };
    let mut said = Vec::new();
    let mut actions = Vec::new();
    for (name, what, _) in NEEDED.into_iter().filter(|(name, ..)| missing(name)) {
        match module_of(name) {
            Some(module) => said.push(format!(
                "the server has no {name} ({what}): in modules.conf, section [modules], add the line \"load = {module}\", \
                 then run: asterisk -rx 'module load {module}'"
            )),
            None => actions.push(format!("{name} ({what})")),
        }
    }
    if !actions.is_empty() {
        said.push(format!(
            "the manager user may not do {}: in manager.conf, section [{user}], make the line \"write = {WRITE}\", {RELOAD}",
            actions.join(", ")
        ));
    }
    said
}

/// Which classes of events were heard.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Heard {
    pub(super) system: bool,
    pub(super) call: bool,
    pub(super) user: bool,
}

impl Heard {
    pub(super) fn all(self) -> bool {
        self.system && self.call && self.user
    }

    /// Of which classes nothing came, though something must have happened.
    pub(super) fn not_delivered(self, user: &str) -> Option<String> {
        let heard = [self.system, self.call, self.user];
        let silent: Vec<&str> =
            READ.into_iter().zip(heard).filter(|(_, heard)| !heard).map(|(class, _)| class).collect();
        if silent.is_empty() {
            return None;
        }
        let classes = silent.join(", ");
        // Only that the server has booted is awaited of this class, and a server may take its time.
        let starting = if silent == ["system"] { ", or the server is still starting" } else { "" };
        Some(format!(
            "events of class {classes} are not delivered{starting}: in manager.conf, section [{user}], make the line \
             \"read = {}\", remove eventfilter lines that hold them back, {RELOAD}",
            READ.join(",")
        ))
    }
}

/// What to check when the server does not let this user in.
pub(super) fn login_refused(user: &str, loss: &Loss) -> String {
    format!("{loss}; the user is {user:?}, its section [{user}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(without: &[&str]) -> Message {
        let all = NEEDED.iter().map(|(name, ..)| *name).chain(["DBPut"]);
        Message::from_headers(all.filter(|name| !without.contains(name)).map(|name| (name, "x")))
    }

    #[test]
    fn what_is_missing_is_named_with_the_line_to_change() {
        assert_eq!(not_permitted("ringback", &commands(&[])), [""; 0]);
        let class = "the manager user may not do MessageSend (to send texts): in manager.conf, section [ringback], make the \
                     line \"write = system,call,originate,message,user\", then run: asterisk -rx 'manager reload'";
        assert_eq!(not_permitted("ringback", &commands(&["MessageSend"])), [class]);
        let module = "the server has no DeviceStateList (to read device states): in modules.conf, section [modules], add the \
                      line \"load = res_manager_devicestate.so\", then run: asterisk -rx 'module load \
                      res_manager_devicestate.so'";
        assert_eq!(not_permitted("ringback", &commands(&["DeviceStateList"])), [module]);
        let calls = ["DeviceStateList", "ExtensionStateList", "Redirect", "Hangup", "Setvar"];
        assert!(not_permitted("ringback", &commands(&calls))[0].starts_with(
            "the manager user may not do DeviceStateList (to read device states), ExtensionStateList (to read the hints), \
             Redirect"
        ));
    }

    #[test]
    fn silent_classes_are_named_with_the_line_to_change() {
        let heard = Heard { system: true, call: false, user: false };
        assert_eq!(
            heard.not_delivered("rb").unwrap_or_default(),
            "events of class call, user are not delivered: in manager.conf, section [rb], make the line \"read = \
             system,call,user\", remove eventfilter lines that hold them back, then run: asterisk -rx 'manager reload'"
        );
        assert_eq!(Heard { system: true, call: true, user: true }.not_delivered("rb"), None);
    }
}
