use std::sync::Arc;

use ringback_db::{
    Change, ChangeFeed, Directory, DirectoryAdmin, DirectoryError, FeedError, MemoryDirectory, PhoneConfig,
    Table,
};
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Locale, Partition, UtcOffset};

use super::{FurnishedDirectory, PbxDirectory, PbxFeed, Profile, Reading, Record, Shared};
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
        // A hint of no phone at all, and of a phone that does not exist.
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
    for nobody in ["700", "1004", "1009"] {
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

/// Endpoints that are not named after their numbers: the hints say which they are, a group's hint says nothing, two phones
/// may share a number, and what is kept by a phone's name counts for its number.
#[tokio::test]
async fn phones_need_not_be_named_after_their_numbers() {
    let hint = |exten: &'static str, hint: &'static str| [("Exten", exten), ("Hint", hint)];
    let hints = [
        hint("600", "PJSIP/desk-anna&PJSIP/desk-ben&PJSIP/1001"),
        hint("1001", "PJSIP/1001"),
        hint("1002", "PJSIP/desk-anna"),
        hint("51002", "PJSIP/desk-anna"),
        hint("1003", "PJSIP/desk-ben&PJSIP/mobile-ben"),
    ];
    let endpoints =
        ["1001", "desk-anna", "desk-ben", "mobile-ben", "trunk"].map(|name| [("ObjectName", name)]);
    let mut parts: Vec<(Reading, &[(&str, &str)])> = Vec::new();
    parts.extend(endpoints.iter().map(|headers| (Reading::Endpoints, &headers[..])));
    parts.extend(hints.iter().map(|headers| (Reading::Hints, &headers[..])));
    parts.push((Reading::DoNotDisturb, &[("Key", "/DND/desk-ben"), ("Val", "1")]));
    parts.push((Reading::Forwards, &[("Key", "/CFWD/desk-anna"), ("Val", "1003")]));
    let shared = Shared::default();
    let directory = PbxDirectory::new(shared.clone(), Profile::default());
    shared.put(record(&parts));
    let phones = [("1001", "1001"), ("desk-anna", "1002"), ("desk-ben", "1003"), ("mobile-ben", "1003")];
    assert_eq!(directory.phones().unwrap(), phones.map(|(name, number)| (device(name), dn(number))).into());
    let group = Group::default();
    let anna = directory.dialled(&group, &line("1001"), &dn("1002")).await.unwrap().unwrap();
    assert_eq!((anna.devices, anna.forwards_all_to), (vec![device("desk-anna")], Some(dn("1003"))));
    let ben = directory.line(&group, &line("1003")).await.unwrap().unwrap();
    assert_eq!(ben.devices, [device("desk-ben"), device("mobile-ben")]);
    for (name, refuses) in [("desk-ben", true), ("mobile-ben", false)] {
        let phone = directory.phone(&group, &device(name)).await.unwrap().unwrap();
        assert_eq!((phone.lines, phone.do_not_disturb), (vec![line("1003")], refuses), "{name}");
    }
    for nobody in ["600", "51002"] {
        assert_eq!(directory.dialled(&group, &line("1001"), &dn(nobody)).await, Ok(None), "{nobody}");
    }
}

#[tokio::test]
async fn a_furnished_directory_has_the_phones_of_the_pbx_and_the_rest_from_the_other() {
    let (shared, furniture, group) = (Shared::default(), MemoryDirectory::new(), Group::default());
    let profile = Profile { utc_offset: UtcOffset::from_minutes(60).unwrap(), ..Profile::default() };
    let pbx = PbxDirectory::new(shared.clone(), profile);
    let directory = FurnishedDirectory::new(pbx.clone(), Arc::new(furniture.clone()));
    shared.put(site());
    // Without a row of its own a phone is as the profile says.
    let of_pbx = pbx.phone(&group, &device("1001")).await.unwrap();
    assert_eq!(directory.phone(&group, &device("1001")).await.unwrap(), of_pbx);
    furniture.put_template(&group, "plain", false).await.unwrap();
    let row = PhoneConfig {
        locale: Locale::new("fr_FR").unwrap(),
        utc_offset: UtcOffset::from_minutes(120).unwrap(),
        template: Some("plain".to_owned()),
        // Which lines it has says the PBX.
        ..PhoneConfig::new(device("1001"), vec![line("1009")])
    };
    furniture.put_phone(&group, &row).await.unwrap();
    furniture.put_phone(&group, &PhoneConfig { device: device("1009"), ..row.clone() }).await.unwrap();
    furniture.set_parameter(&group, "Call Back Recall Timer", Some("30")).await.unwrap();
    let phone = directory.phone(&group, &device("1001")).await.unwrap().unwrap();
    assert_eq!(
        (&phone.locale, phone.utc_offset, phone.has_callback_key),
        (&row.locale, row.utc_offset, false)
    );
    assert_eq!((phone.lines, phone.do_not_disturb), (vec![line("1001")], true));
    // A phone or line that only the other has is none.
    assert_eq!(directory.phone(&group, &device("1009")).await, Ok(None));
    assert_eq!(directory.line(&group, &line("1009")).await, Ok(None));
    assert_eq!(directory.dialled(&group, &line("1001"), &dn("1009")).await, Ok(None));
    let b = directory.dialled(&group, &line("1001"), &dn("1002")).await.unwrap().unwrap();
    assert_eq!((b.devices, b.forwards_all_to), (vec![device("1002")], Some(dn("1001"))));
    let parameters = vec![("Call Back Recall Timer".to_owned(), "30".to_owned())];
    assert_eq!(directory.parameters(&group).await, Ok(parameters.clone()));
    assert_eq!(directory.settings(&group, Table::Parameter).await, Ok(parameters));
}

#[tokio::test]
async fn a_furnished_directory_can_be_read_while_both_can() {
    let (shared, furniture, group) = (Shared::default(), MemoryDirectory::new(), Group::default());
    let pbx = PbxDirectory::new(shared.clone(), Profile::default());
    let directory = FurnishedDirectory::new(pbx, Arc::new(furniture.clone()));
    assert!(matches!(directory.probe().await, Err(DirectoryError::Unavailable(_))));
    shared.put(site());
    assert_eq!(directory.probe().await, Ok(()));
    furniture.set_available(false);
    assert!(matches!(directory.probe().await, Err(DirectoryError::Unavailable(_))));
    assert!(matches!(directory.phone(&group, &device("1001")).await, Err(DirectoryError::Unavailable(_))));
    furniture.set_available(true);
    assert_eq!(directory.probe().await, Ok(()));
}
