use async_trait::async_trait;
use ringback_db::{
    AdminError, Directory, DirectoryAdmin, DirectoryError, LineEntry, MemoryDirectory, PhoneConfig,
    PhoneEntry, Table, conformance,
};
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Partition};

use super::caught;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    ComparesNumbersWithoutCase,
    TrimsNames,
    IgnoresPartitions,
    PrefersTheNamelessPartition,
    ForgetsThePool,
    DefaultsToNoKey,
    OneGroupForAll,
    RemembersWhatItRead,
    ParametersAsTheyCame,
    LinesOutliveTheirPhones,
    DoNotDisturbIsLost,
    LeavesOutWhatIsNotThere,
}

struct Faulty {
    directory: MemoryDirectory,
    fault: Fault,
    order: std::sync::Mutex<Vec<String>>,
    read: std::sync::Mutex<std::collections::BTreeMap<DeviceName, PhoneEntry>>,
    lines: std::sync::Mutex<std::collections::BTreeMap<LineId, LineEntry>>,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        let directory = MemoryDirectory::new();
        let (order, read, lines) = Default::default();
        Self { directory, fault, order, read, lines }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn group(&self, group: &Group) -> Group {
        if self.is(Fault::OneGroupForAll) { Group::default() } else { group.clone() }
    }

    fn device(&self, device: &DeviceName) -> DeviceName {
        let trimmed = device.as_str().trim();
        if self.is(Fault::TrimsNames) { trimmed.parse().unwrap() } else { device.clone() }
    }

    fn line_id(&self, line: &LineId) -> LineId {
        let mut line = line.clone();
        if self.is(Fault::IgnoresPartitions) {
            line.partition = Partition::default();
        }
        line
    }
}

#[async_trait]
impl Directory for Faulty {
    async fn phone(&self, group: &Group, device: &DeviceName) -> Result<Option<PhoneEntry>, DirectoryError> {
        let known = self.read.lock().unwrap().get(device).cloned();
        if self.is(Fault::RemembersWhatItRead) && known.is_some() {
            return Ok(known);
        }
        let mut phone = self.directory.phone(&self.group(group), &self.device(device)).await?;
        if let Some(phone) = &mut phone {
            let config = self.directory.phones(&self.group(group)).await.unwrap();
            let config = config.into_iter().find(|config| config.device == phone.device).unwrap();
            match self.fault {
                Fault::ForgetsThePool => phone.has_callback_key |= config.template.is_none(),
                Fault::DefaultsToNoKey => {
                    phone.has_callback_key &= config.template.is_some() || config.pool.is_some();
                }
                _ => {}
            }
            self.read.lock().unwrap().insert(device.clone(), phone.clone());
        }
        Ok(phone)
    }

    async fn line(&self, group: &Group, line: &LineId) -> Result<Option<LineEntry>, DirectoryError> {
        let mut found = self.directory.line(&self.group(group), &self.line_id(line)).await?;
        if self.is(Fault::ComparesNumbersWithoutCase) && found.is_none() {
            let lower: DirectoryNumber = line.dn.as_str().to_lowercase().parse().unwrap();
            found = self.directory.line(group, &LineId::new(line.partition.clone(), lower)).await?;
        }
        if self.is(Fault::LinesOutliveTheirPhones) {
            let mut lines = self.lines.lock().unwrap();
            lines.extend(found.clone().map(|found| (line.clone(), found)));
            found = lines.get(line).cloned();
        }
        Ok(found)
    }

    async fn lines(&self, group: &Group, lines: &[LineId]) -> Result<Vec<Option<LineEntry>>, DirectoryError> {
        let mut found = Vec::new();
        for line in lines {
            found.push(self.line(group, line).await?);
        }
        found.retain(|found| !self.is(Fault::LeavesOutWhatIsNotThere) || found.is_some());
        Ok(found)
    }

    async fn dialled(
        &self,
        group: &Group,
        from: &LineId,
        dn: &DirectoryNumber,
    ) -> Result<Option<LineEntry>, DirectoryError> {
        let nameless = LineId::new(Partition::default(), from.dn.clone());
        let from = if self.is(Fault::PrefersTheNamelessPartition) { &nameless } else { from };
        let found = self.directory.dialled(&self.group(group), from, dn).await?;
        if self.is(Fault::ComparesNumbersWithoutCase) && found.is_none() {
            let lower: DirectoryNumber = dn.as_str().to_lowercase().parse().unwrap();
            return self.directory.dialled(group, from, &lower).await;
        }
        Ok(found)
    }

    async fn parameters(&self, group: &Group) -> Result<Vec<(String, String)>, DirectoryError> {
        let mut parameters = self.directory.parameters(&self.group(group)).await?;
        if self.is(Fault::ParametersAsTheyCame) {
            let order = self.order.lock().unwrap();
            parameters.sort_by_key(|(name, _)| order.iter().position(|came| came == name));
        }
        Ok(parameters)
    }

    async fn settings(&self, group: &Group, table: Table) -> Result<Vec<(String, String)>, DirectoryError> {
        self.directory.settings(&self.group(group), table).await
    }

    async fn probe(&self) -> Result<(), DirectoryError> {
        self.directory.probe().await
    }
}

#[async_trait]
impl DirectoryAdmin for Faulty {
    async fn put_phone(&self, group: &Group, phone: &PhoneConfig) -> Result<(), AdminError> {
        let mut phone = phone.clone();
        phone.device = self.device(&phone.device);
        self.directory.put_phone(&self.group(group), &phone).await?;
        if self.is(Fault::DoNotDisturbIsLost) {
            self.directory.set_do_not_disturb(group, &phone.device, false).await?;
        }
        Ok(())
    }

    async fn remove_phone(&self, group: &Group, device: &DeviceName) -> Result<(), AdminError> {
        self.directory.remove_phone(&self.group(group), &self.device(device)).await
    }

    async fn put_template(&self, group: &Group, name: &str, has_callback: bool) -> Result<(), AdminError> {
        self.directory.put_template(&self.group(group), name, has_callback).await
    }

    async fn remove_template(&self, group: &Group, name: &str) -> Result<(), AdminError> {
        self.directory.remove_template(&self.group(group), name).await
    }

    async fn put_pool(&self, group: &Group, name: &str, template: Option<&str>) -> Result<(), AdminError> {
        self.directory.put_pool(&self.group(group), name, template).await
    }

    async fn set_forward_all(
        &self,
        group: &Group,
        line: &LineId,
        to: Option<&DirectoryNumber>,
    ) -> Result<(), AdminError> {
        self.directory.set_forward_all(&self.group(group), line, to).await
    }

    async fn set_display_name(
        &self,
        group: &Group,
        line: &LineId,
        name: Option<&str>,
    ) -> Result<(), AdminError> {
        self.directory.set_display_name(&self.group(group), line, name).await
    }

    async fn set_do_not_disturb(
        &self,
        group: &Group,
        device: &DeviceName,
        on: bool,
    ) -> Result<(), AdminError> {
        self.directory.set_do_not_disturb(&self.group(group), &self.device(device), on).await
    }

    async fn set_parameter(&self, group: &Group, name: &str, value: Option<&str>) -> Result<(), AdminError> {
        self.order.lock().unwrap().push(name.to_owned());
        self.directory.set_parameter(&self.group(group), name, value).await
    }

    async fn set_setting(
        &self,
        group: &Group,
        table: Table,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), AdminError> {
        self.directory.set_setting(&self.group(group), table, name, value).await
    }

    async fn phones(&self, group: &Group) -> Result<Vec<PhoneConfig>, AdminError> {
        self.directory.phones(&self.group(group)).await
    }
}

#[tokio::test]
async fn directories() {
    const BYTES: &str = "a name or number is found by its very bytes only, whatever they are";
    const PHONE: &str = "a phone is read as it was put, its lines in the order of their buttons";
    const TEMPLATE: &str =
        "a phone's own softkey template wins over its pool's; with neither it has CallBack";
    const LINE: &str = "a line names the phones it appears on, by name, and exists as long as there is one";
    const DIALLED: &str =
        "a number leads to the caller's partition, else the one without a name, else the first by name";
    const DND: &str = "do-not-disturb is read as it was set, and stays when the phone is put again";
    let cases = [
        (Fault::ComparesNumbersWithoutCase, BYTES, "Directory"),
        (Fault::TrimsNames, BYTES, "Directory"),
        (Fault::IgnoresPartitions, LINE, "Directory::line"),
        (Fault::PrefersTheNamelessPartition, DIALLED, "Directory::dialled"),
        (Fault::ForgetsThePool, TEMPLATE, "PhoneEntry::has_callback_key"),
        (Fault::DefaultsToNoKey, PHONE, "Directory::phone"),
        (
            Fault::OneGroupForAll,
            "settings of traces and alarms are read by table, ordered by name, and removed",
            "Directory::settings",
        ),
        (Fault::RemembersWhatItRead, PHONE, "Directory::phone"),
        (
            Fault::ParametersAsTheyCame,
            "service parameters that are set are read, ordered by name",
            "Directory::parameters",
        ),
        (Fault::LinesOutliveTheirPhones, LINE, "Directory::line"),
        (
            Fault::LeavesOutWhatIsNotThere,
            "several lines are told as each of them is, in the order in which they were asked for",
            "Directory::lines",
        ),
        (Fault::DoNotDisturbIsLost, DND, "Directory::phone"),
    ];
    for (fault, rule, paragraph) in cases {
        caught(fault, conformance::directory(async || Faulty::new(fault)).await, rule, paragraph);
    }
}
