//! Whatever is provisioned, in whatever order: SQLite answers the same as the directory in memory.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use ringback_db::{Directory, DirectoryAdmin, MemoryDirectory, PhoneConfig};
use ringback_db_sqlite::{Options, SqliteDatabase};
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Partition};

const DEVICES: [&str; 3] = ["A", "B", "C"];
const PARTITIONS: [&str; 3] = ["", "p", "Q"];
const NUMBERS: [&str; 3] = ["1", "2", "3"];
const NAMES: [&str; 2] = ["x", "y"];

#[derive(Debug, Clone)]
enum Step {
    Put(PhoneConfig),
    Remove(DeviceName),
    Template(&'static str, bool),
    RemoveTemplate(&'static str),
    Pool(&'static str, Option<&'static str>),
    Forward(LineId, Option<DirectoryNumber>),
    Name(LineId, Option<&'static str>),
    DoNotDisturb(DeviceName, bool),
    Parameter(&'static str, Option<&'static str>),
}

fn device() -> impl Strategy<Value = DeviceName> {
    prop::sample::select(&DEVICES).prop_map(|name| DeviceName::new(name).unwrap())
}

fn dn() -> impl Strategy<Value = DirectoryNumber> {
    prop::sample::select(&NUMBERS).prop_map(|number| DirectoryNumber::new(number).unwrap())
}

fn line() -> impl Strategy<Value = LineId> {
    (prop::sample::select(&PARTITIONS), dn()).prop_map(|(p, dn)| LineId::new(Partition::new(p).unwrap(), dn))
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&NAMES)
}

fn phone() -> impl Strategy<Value = PhoneConfig> {
    let lines = prop::collection::vec(line(), 0..4);
    (device(), lines, prop::option::weighted(0.2, name()), prop::option::weighted(0.2, name())).prop_map(
        |(device, lines, template, pool)| PhoneConfig {
            template: template.map(str::to_owned),
            pool: pool.map(str::to_owned),
            ..PhoneConfig::new(device, lines)
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    use prop::option::of;
    prop_oneof![
        6 => phone().prop_map(Step::Put),
        2 => device().prop_map(Step::Remove),
        2 => (name(), any::<bool>()).prop_map(|(name, has)| Step::Template(name, has)),
        1 => name().prop_map(Step::RemoveTemplate),
        2 => (name(), of(name())).prop_map(|(name, template)| Step::Pool(name, template)),
        3 => (line(), of(dn())).prop_map(|(line, to)| Step::Forward(line, to)),
        3 => (line(), of(name())).prop_map(|(line, name)| Step::Name(line, name)),
        1 => (device(), any::<bool>()).prop_map(|(device, on)| Step::DoNotDisturb(device, on)),
        1 => (name(), of(name())).prop_map(|(name, value)| Step::Parameter(name, value)),
    ]
}

async fn carry_out(
    admin: &impl DirectoryAdmin,
    group: &Group,
    step: &Step,
) -> Result<(), ringback_db::AdminError> {
    match step {
        Step::Put(phone) => admin.put_phone(group, phone).await,
        Step::Remove(device) => admin.remove_phone(group, device).await,
        Step::Template(name, has) => admin.put_template(group, name, *has).await,
        Step::RemoveTemplate(name) => admin.remove_template(group, name).await,
        Step::Pool(name, template) => admin.put_pool(group, name, *template).await,
        Step::Forward(line, to) => admin.set_forward_all(group, line, to.as_ref()).await,
        Step::Name(line, name) => admin.set_display_name(group, line, *name).await,
        Step::DoNotDisturb(device, on) => admin.set_do_not_disturb(group, device, *on).await,
        Step::Parameter(name, value) => admin.set_parameter(group, name, *value).await,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn same_answers_same_content(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let group = Group::default();
            let memory = MemoryDirectory::new();
            let sqlite = SqliteDatabase::open_in_memory(Options::default()).await.unwrap().directory();
            for step in &steps {
                prop_assert_eq!(
                    carry_out(&sqlite, &group, step).await,
                    carry_out(&memory, &group, step).await,
                    "{:?}", step
                );
            }
            for name in DEVICES {
                let device = DeviceName::new(name).unwrap();
                prop_assert_eq!(sqlite.phone(&group, &device).await, memory.phone(&group, &device).await);
            }
            for partition in PARTITIONS {
                for number in NUMBERS {
                    let dn = DirectoryNumber::new(number).unwrap();
                    let line = LineId::new(Partition::new(partition).unwrap(), dn.clone());
                    prop_assert_eq!(sqlite.line(&group, &line).await, memory.line(&group, &line).await);
                    let dialled = memory.dialled(&group, &line, &dn).await;
                    prop_assert_eq!(sqlite.dialled(&group, &line, &dn).await, dialled);
                }
            }
            prop_assert_eq!(sqlite.parameters(&group).await, memory.parameters(&group).await);
            prop_assert_eq!(sqlite.phones(&group).await, memory.phones(&group).await);
            Ok(())
        })?;
    }
}
