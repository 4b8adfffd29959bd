use std::collections::{BTreeMap, BTreeSet};

use ringback::Story;
use ringback::model::{DeviceName, DirectoryNumber};
use ringback_scenario::language::{Action, PhoneAction, PhoneSetup};

/// The phones whose doings a request depends on: the caller's, the called party's, and whoever had to do with one of
/// them.
pub(super) fn phones<'a>(
    story: &Story,
    setup: &[PhoneSetup],
    actions: impl Iterator<Item = &'a Action> + Clone,
) -> BTreeSet<DeviceName> {
    let mut lines: BTreeMap<DirectoryNumber, BTreeSet<DeviceName>> = BTreeMap::new();
    let mut add = |dn: &DirectoryNumber, name: &DeviceName| {
        lines.entry(dn.clone()).or_default().insert(name.clone());
    };
    for phone in setup {
        phone.lines.iter().for_each(|dn| add(dn, &phone.name));
    }
    for action in actions.clone() {
        if let Action::AddPhone { name, dn } = action {
            add(dn, name);
        }
    }
    let at = |dn: &DirectoryNumber| lines.get(dn).cloned().unwrap_or_default();
    let mut phones = at(&story.called.dn);
    phones.insert(story.caller.device.clone());
    loop {
        let before = phones.len();
        for action in actions.clone() {
            let Action::Phone { phone, does } = action else { continue };
            let (PhoneAction::Calls { dn, .. } | PhoneAction::Forwards(Some(dn))) = does else { continue };
            let others = at(dn);
            if phones.contains(phone) || others.iter().any(|other| phones.contains(other)) {
                phones.insert(phone.clone());
                phones.extend(others);
            }
        }
        if phones.len() == before {
            return phones;
        }
    }
}

/// Whether an action says something of a scenario with these phones.
pub(super) fn concerns(action: &Action, phones: &BTreeSet<DeviceName>) -> bool {
    match action {
        Action::Phone { phone: name, .. } | Action::RemovePhone(name) | Action::AddPhone { name, .. } => {
            phones.contains(name)
        }
        _ => true,
    }
}

/// Whether what an action does lasts when everything is quiet again.
pub(super) fn lasts(action: &Action) -> bool {
    match action {
        Action::Phone { does, .. } => matches!(
            does,
            PhoneAction::Forwards(_)
                | PhoneAction::DoNotDisturb(_)
                | PhoneAction::Unregisters
                | PhoneAction::Registers
                | PhoneAction::Resets
        ),
        Action::Wait(_) => false,
        _ => true,
    }
}
