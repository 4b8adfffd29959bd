//! Whatever is written, in whatever epoch: SQLite answers and holds the same as the store in memory.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use proptest::prelude::*;
use ringback_callback::{AlertId, Cycle, Kind, Phase, Record};
use ringback_db::{MemoryStore, RequestStore, Write};
use ringback_db_sqlite::{Options, SqliteDatabase};
use ringback_model::{
    Appearance, CallId, DeviceName, DirectoryNumber, Epoch, Group, LineId, Partition, RequestId, Timestamp,
};

#[derive(Debug, Clone)]
enum Step {
    Claim(Epoch),
    Apply(Epoch, Vec<Write>),
    Reopen,
}

fn id() -> impl Strategy<Value = RequestId> {
    (0u64..3, 0u64..5).prop_map(|(epoch, number)| RequestId { epoch: Epoch(epoch), number })
}

fn line() -> impl Strategy<Value = LineId> {
    ("[^\\p{Cc}]{0,4}", "[^\\p{Cc}]{1,6}")
        .prop_map(|(p, dn)| LineId::new(Partition::new(p).unwrap(), DirectoryNumber::new(dn).unwrap()))
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![(0u64..4).prop_map(Timestamp), (0..=i64::MAX as u64).prop_map(Timestamp)]
}

fn phase(request: RequestId) -> impl Strategy<Value = Phase> {
    prop_oneof![
        Just(Phase::Waiting),
        Just(Phase::Lapsed),
        any::<bool>().prop_map(|in_turn| Phase::Dialing { in_turn }),
        (any::<u32>(), time(), any::<bool>()).prop_map(move |(number, until, alerted)| Phase::Turn {
            alert: AlertId { request, number },
            until,
            alerted
        }),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let cycle = prop::option::of(prop::sample::select(&[Cycle::Untouched, Cycle::OffHook, Cycle::Complete]));
    let kind = prop::sample::select(&[Kind::Busy, Kind::NoAnswer]);
    let who = (id(), "[^\\p{Cc}]{1,6}", line(), line());
    let when = (time(), prop::option::of(time()), prop::option::of(time()));
    (who, when, kind, cycle, prop::option::of(any::<u64>()), any::<u32>()).prop_flat_map(
        |((id, device, from, called), (since, expires, notified), kind, cycle, origin, alerts)| {
            phase(id).prop_map(move |phase| Record {
                id,
                caller: Appearance { device: DeviceName::new(&device).unwrap(), line: from.clone() },
                called: called.clone(),
                dialled: called.dn.clone(),
                kind,
                since,
                expires,
                origin: origin.map(CallId),
                phase,
                cycle,
                alerts,
                notified,
            })
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let write = prop_oneof![3 => record().prop_map(Write::Put), 1 => id().prop_map(Write::Delete)];
    let epoch = || (0u64..6).prop_map(Epoch);
    prop_oneof![
        1 => epoch().prop_map(Step::Claim),
        6 => (epoch(), prop::collection::vec(write, 0..6)).prop_map(|(epoch, writes)| Step::Apply(epoch, writes)),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn same_answers_same_content(steps in prop::collection::vec((any::<bool>(), step()), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("requests.db");
            let open = async || SqliteDatabase::open(&path, Options::default()).await.unwrap().store();
            let groups = [Group::default(), Group::new("other").unwrap()];
            let memory = MemoryStore::new(Arc::new(|| Timestamp(0)));
            let mut sqlite = open().await;
            for (other, step) in steps {
                let group = &groups[usize::from(other)];
                match step {
                    Step::Claim(epoch) => {
                        prop_assert_eq!(sqlite.claim(group, epoch).await, memory.claim(group, epoch).await);
                    }
                    Step::Apply(epoch, writes) => {
                        // The file keeps no track of where it stands.
                        let expected = memory.apply(group, epoch, &writes).await.map(|_| None);
                        prop_assert_eq!(sqlite.apply(group, epoch, &writes).await, expected);
                    }
                    Step::Reopen => sqlite = open().await,
                }
                for group in &groups {
                    prop_assert_eq!(sqlite.load(group).await, memory.load(group).await);
                    prop_assert_eq!(sqlite.epoch(group).await, memory.epoch(group).await);
                }
            }
            Ok(())
        })?;
    }
}
