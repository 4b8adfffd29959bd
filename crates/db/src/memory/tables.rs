use std::collections::{BTreeMap, BTreeSet};

use ringback_model::{DeviceName, DirectoryNumber, LineId, Partition};

use crate::admin::{AdminError, PhoneConfig};
use crate::directory::{LineEntry, PhoneEntry};
use crate::feed::{Table, line_key};

/// What changed, for the feed.
pub(super) type Changed = Vec<(Table, String)>;

#[derive(Debug)]
struct Phone {
    config: PhoneConfig,
    do_not_disturb: bool,
}

/// A line: on which phones it appears, never none, and its settings.
#[derive(Debug, Default)]
struct Line {
    devices: BTreeSet<DeviceName>,
    display_name: Option<String>,
    forwards_all_to: Option<DirectoryNumber>,
}

/// The directory of one group.
#[derive(Debug, Default)]
pub(super) struct Tables {
    phones: BTreeMap<DeviceName, Phone>,
    /// By number first, because dialling looks in several partitions.
    lines: BTreeMap<DirectoryNumber, BTreeMap<Partition, Line>>,
    templates: BTreeMap<String, bool>,
    pools: BTreeMap<String, Option<String>>,
    /// Of the tables of names and values.
    settings: BTreeMap<(Table, String), String>,
}

impl Tables {
    pub(super) fn put_phone(&mut self, config: &PhoneConfig) -> Result<Changed, AdminError> {
        let wanted: BTreeSet<&LineId> = config.lines.iter().collect();
        if wanted.len() < config.lines.len() {
            return Err(AdminError::DuplicateLine);
        }
        self.check_template(config.template.as_deref())?;
        if config.pool.as_ref().is_some_and(|pool| !self.pools.contains_key(pool)) {
            return Err(AdminError::Unknown { what: "device pool" });
        }
        let device = &config.device;
        let mut changed = vec![(Table::Phone, device.as_str().to_owned())];
        let old = self.phones.get(device);
        let do_not_disturb = old.is_some_and(|phone| phone.do_not_disturb);
        let old_lines = old.map(|phone| phone.config.lines.clone()).unwrap_or_default();
        for line in old_lines.iter().filter(|line| !wanted.contains(line)) {
            self.disappear(device, line);
            changed.push((Table::Line, line_key(line)));
        }
        for line in config.lines.iter().filter(|line| !old_lines.contains(line)) {
            let partitions = self.lines.entry(line.dn.clone()).or_default();
            partitions.entry(line.partition.clone()).or_default().devices.insert(device.clone());
            changed.push((Table::Line, line_key(line)));
        }
        self.phones.insert(device.clone(), Phone { config: config.clone(), do_not_disturb });
        Ok(changed)
    }

    pub(super) fn remove_phone(&mut self, device: &DeviceName) -> Changed {
        let Some(phone) = self.phones.remove(device) else { return Vec::new() };
        let mut changed = vec![(Table::Phone, device.as_str().to_owned())];
        for line in &phone.config.lines {
            self.disappear(device, line);
            changed.push((Table::Line, line_key(line)));
        }
        changed
    }

    pub(super) fn put_template(&mut self, name: &str, has_callback: bool) -> Changed {
        self.templates.insert(name.to_owned(), has_callback);
        vec![(Table::Template, name.to_owned())]
    }

    pub(super) fn remove_template(&mut self, name: &str) -> Result<Changed, AdminError> {
        let used = |template: &Option<String>| template.as_deref() == Some(name);
        let what = "softkey template";
        if self.phones.values().any(|phone| used(&phone.config.template)) {
            return Err(AdminError::InUse { what, used_by: "phones" });
        }
        if self.pools.values().any(used) {
            return Err(AdminError::InUse { what, used_by: "device pools" });
        }
        Ok(self.templates.remove(name).map(|_| (Table::Template, name.to_owned())).into_iter().collect())
    }

    pub(super) fn put_pool(&mut self, name: &str, template: Option<&str>) -> Result<Changed, AdminError> {
        self.check_template(template)?;
        self.pools.insert(name.to_owned(), template.map(str::to_owned));
        Ok(vec![(Table::Pool, name.to_owned())])
    }

    pub(super) fn set_forward_all(
        &mut self,
        line: &LineId,
        to: Option<&DirectoryNumber>,
    ) -> Result<Changed, AdminError> {
        self.line_mut(line)?.forwards_all_to = to.cloned();
        Ok(vec![(Table::Line, line_key(line))])
    }

    pub(super) fn set_display_name(
        &mut self,
        line: &LineId,
        name: Option<&str>,
    ) -> Result<Changed, AdminError> {
        self.line_mut(line)?.display_name = name.map(str::to_owned);
        Ok(vec![(Table::Line, line_key(line))])
    }

    pub(super) fn set_do_not_disturb(
        &mut self,
        device: &DeviceName,
        on: bool,
    ) -> Result<Changed, AdminError> {
        let phone = self.phones.get_mut(device).ok_or(AdminError::Unknown { what: "phone" })?;
        phone.do_not_disturb = on;
        Ok(vec![(Table::Phone, device.as_str().to_owned())])
    }

    pub(super) fn set_setting(
        &mut self,
        table: Table,
        name: &str,
        value: Option<&str>,
    ) -> Result<Changed, AdminError> {
        if !matches!(table, Table::Parameter | Table::Trace | Table::Alarm) {
            return Err(AdminError::NoSettings(table));
        }
        let key = (table, name.to_owned());
        match value {
            Some(value) => drop(self.settings.insert(key, value.to_owned())),
            None if self.settings.remove(&key).is_none() => return Ok(Vec::new()),
            None => {}
        }
        Ok(vec![(table, name.to_owned())])
    }

    pub(super) fn phones(&self) -> Vec<PhoneConfig> {
        self.phones.values().map(|phone| phone.config.clone()).collect()
    }

    pub(super) fn phone(&self, device: &DeviceName) -> Option<PhoneEntry> {
        let Phone { config, do_not_disturb } = self.phones.get(device)?;
        let of_pool = || config.pool.as_ref().and_then(|pool| self.pools.get(pool)).and_then(Option::as_ref);
        let template = config.template.as_ref().or_else(of_pool);
        Some(PhoneEntry {
            device: device.clone(),
            lines: config.lines.clone(),
            locale: config.locale.clone(),
            utc_offset: config.utc_offset,
            has_callback_key: template.and_then(|name| self.templates.get(name)).copied().unwrap_or(true),
            do_not_disturb: *do_not_disturb,
        })
    }

    pub(super) fn line(&self, id: &LineId) -> Option<LineEntry> {
        let line = self.lines.get(&id.dn)?.get(&id.partition)?;
        Some(LineEntry {
            line: id.clone(),
            devices: line.devices.iter().cloned().collect(),
            display_name: line.display_name.clone(),
            forwards_all_to: line.forwards_all_to.clone(),
        })
    }

    pub(super) fn dialled(&self, from: &LineId, dn: &DirectoryNumber) -> Option<LineEntry> {
        let partitions = self.lines.get(dn)?;
        // The partition without a name is the first of all, so the order of names is the rest of the rule.
        let partition = partitions
            .contains_key(&from.partition)
            .then_some(&from.partition)
            .or_else(|| partitions.keys().next())?;
        self.line(&LineId::new(partition.clone(), dn.clone()))
    }

    pub(super) fn settings(&self, table: Table) -> Vec<(String, String)> {
        let rows = self.settings.iter().filter(|((of, _), _)| *of == table);
        rows.map(|((_, name), value)| (name.clone(), value.clone())).collect()
    }

    fn check_template(&self, name: Option<&str>) -> Result<(), AdminError> {
        match name {
            Some(name) if !self.templates.contains_key(name) => {
                Err(AdminError::Unknown { what: "softkey template" })
            }
            _ => Ok(()),
        }
    }

    fn line_mut(&mut self, id: &LineId) -> Result<&mut Line, AdminError> {
        self.lines
            .get_mut(&id.dn)
            .and_then(|partitions| partitions.get_mut(&id.partition))
            .ok_or(AdminError::Unknown { what: "line" })
    }

    /// Takes a line off a phone; a line that is then on none is gone.
    fn disappear(&mut self, device: &DeviceName, id: &LineId) {
        let Some(partitions) = self.lines.get_mut(&id.dn) else { return };
        if let Some(line) = partitions.get_mut(&id.partition) {
            line.devices.remove(device);
            if line.devices.is_empty() {
                partitions.remove(&id.partition);
            }
        }
        if partitions.is_empty() {
            self.lines.remove(&id.dn);
        }
    }
}
