use ringback_db::{Change, ChangeFeed, Directory, DirectoryError, FeedError, Table};
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Partition};

use super::{PbxDirectory, PbxFeed, Profile, Reading, Record, Shared};
use crate::ami::Message;

fn dn(text: &str) -> DirectoryNumber {
    DirectoryNumber::new(text).unwrap()
}

fn device(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

fn line(text: &str) -> LineId {
    LineId::new(Partition::default(), dn(text))
}

/// What these answers amount to.
fn record(parts: &[(Reading, &[(&str, &str)])]) -> Record {
    let mut record = Record::default();
    for (reading, headers) in parts {
        reading.take(&Message::from_headers(headers.iter().copied()), &mut record);
    }
    record
}

fn site() -> Record {
    record(&[
        (Reading::Endpoints, &[("ObjectName", "1001")]),
        (Reading::Endpoints, &[("ObjectName", "1002")]),
        (Reading::Endpoints, &[("ObjectName", "trunk")]),
        (Reading::Hints, &[("Exten", "1001"), ("Context", "phones"), ("Hint", "PJSIP/1001")]),
        (Reading::Hints, &[("Exten", "1002"), ("Hint", "PJSIP/1002&Custom:DND1002")]),
        // A hint of a phone that is none of ours, of no phone at all, and of a phone that does not exist.
        (Reading::Hints, &[("Exten", "1003"), ("Hint", "PJSIP/trunk")]),
        (Reading::Hints, &[("Exten", "700"), ("Hint", "park:700@lot")]),
        (Reading::Hints, &[("Exten", "1004"), ("Hint", "PJSIP/1004")]),
        (Reading::DoNotDisturb, &[("Key", "/DND/1001"), ("Val", "1")]),
        (Reading::DoNotDisturb, &[("Key", "/DND/1002"), ("Val", "0")]),
        (Reading::Forwards, &[("Key", "/CFWD/1002"), ("Val", "1001")]),
        (Reading::Forwards, &[("Key", "/CFWD/1001"), ("Val", "")]),
    ])
}

#[tokio::test]
async fn phones_and_lines_are_what_endpoints_hints_and_keys_say() {
    let shared = Shared::default();
    let directory = PbxDirectory::new(shared.clone(), Profile::default());
    let group = Group::default();
    let away = DirectoryError::Unavailable("no link to the PBX's manager interface".to_owned());
    assert_eq!(directory.probe().await, Err(away.clone()));
    shared.put(site());
    assert_eq!(directory.probe().await, Ok(()));
    let a = directory.phone(&group, &device("1001")).await.unwrap().unwrap();
    assert_eq!((a.lines, a.do_not_disturb, a.has_callback_key), (vec![line("1001")], true, true));
    let b = directory.dialled(&group, &line("1001"), &dn("1002")).await.unwrap().unwrap();
    assert_eq!((b.devices, b.forwards_all_to), (vec![device("1002")], Some(dn("1001"))));
    assert_eq!(directory.line(&group, &line("1001")).await.unwrap().unwrap().forwards_all_to, None);
    assert!(!directory.phone(&group, &device("1002")).await.unwrap().unwrap().do_not_disturb);
    for nobody in ["1003", "700", "1004", "1009"] {
        assert_eq!(directory.dialled(&group, &line("1001"), &dn(nobody)).await, Ok(None), "{nobody}");
    }
    assert_eq!(directory.phone(&group, &device("trunk")).await, Ok(None));
    shared.clear();
    assert_eq!(directory.line(&group, &line("1001")).await, Err(away));
}

#[tokio::test]
async fn the_feed_tells_what_is_different_and_begins_anew_after_a_loss() {
    let shared = Shared::default();
    let mut feed = PbxFeed::new(shared.clone());
    shared.put(site());
    assert_eq!(feed.next().await, Ok(Change::Resync));
    // The same again is no news.
    shared.put(site());
    let mut changed = site();
    changed.disturbed_not.remove(&dn("1001"));
    changed.forwards.remove(&dn("1002"));
    changed.endpoints.insert(device("1004"));
    shared.put(changed);
    let row = |seq, table, key: &str| Ok(Change::Row { seq, table, key: key.to_owned() });
    assert_eq!(feed.next().await, row(1, Table::Phone, "1001"));
    assert_eq!(feed.next().await, row(2, Table::Line, "/1002"));
    assert_eq!(feed.next().await, row(3, Table::Line, "/1004"));
    assert_eq!(feed.next().await, row(4, Table::Phone, "1004"));
    shared.clear();
    assert!(matches!(feed.next().await, Err(FeedError::Lost(_))));
    shared.put(site());
    assert_eq!(feed.next().await, Ok(Change::Resync));
}

#[tokio::test]
async fn a_feed_that_begins_later_begins_with_a_resync() {
    let shared = Shared::default();
    shared.put(site());
    assert_eq!(PbxFeed::new(shared).next().await, Ok(Change::Resync));
}
