//! Getting in, and what is said when that fails: exactly what to change, and where.

use std::sync::Arc;

use ringback::db::MemoryStore;
use ringback::serviceability::alarm::{AlarmName, MemorySink};
use ringback::{Ports, Service};
use ringback_cti::{LinkLoss, ProviderEvent};
use ringback_cti_asterisk::directory::Profile;
use ringback_cti_asterisk::provider::{AsteriskProvider, Config};
use ringback_model::Millis;
use ringback_pbx_lab::Site;

use super::seat::{SOON, config, provider, server, until};

/// Why the link fails, in words.
pub(crate) async fn failure_of(mut provider: AsteriskProvider) -> LinkLoss {
    let seen = until(&mut provider, SOON, |event| matches!(event, ProviderEvent::LinkFailed { .. })).await;
    match seen.into_iter().last() {
        Some(ProviderEvent::LinkFailed { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

async fn failure(config: Config) -> LinkLoss {
    failure_of(provider(config)).await
}

const LOGIN_REFUSED: &str = "login refused (Authentication failed): check that the user is a section of manager.conf, that its \
     secret is the same here and there, and that deny and permit in it allow this machine's address; the user is \
     \"ringback\", its section [ringback]";

#[tokio::test]
async fn a_wrong_password_is_told_and_the_right_one_helps_without_a_restart() {
    let Some(server) = server(&Site::with_phones(["1001"])).await else { return };
    let mut wrong = config(&server);
    wrong.session.server.secret = "wrong".into();
    assert_eq!(failure(wrong).await, LinkLoss::LoginRefused(LOGIN_REFUSED.to_owned()));
    let mut right = provider(config(&server));
    until(&mut right, SOON, |event| matches!(event, ProviderEvent::LinkUp { .. })).await;
}

/// The login is answered, and nothing ever comes: only what is provoked and not heard tells.
#[tokio::test]
async fn a_class_of_events_that_is_silently_not_delivered_is_named() {
    for (read, classes) in [
        ("call,user", "system are not delivered, or the server is still starting"),
        ("system,user", "call are not delivered"),
        ("system,call", "user are not delivered"),
        ("reporting", "system, call, user are not delivered"),
    ] {
        let permissions = format!("read = {read}\nwrite = system,call,originate,message,user");
        let Some(server) = server(&Site::with_phones(["1001"]).with_permissions(permissions)).await else {
            return;
        };
        let expected = format!(
            "events of class {classes}: in manager.conf, section [ringback], make the line \"read = system,call,user\", \
             remove eventfilter lines that hold them back, then run: asterisk -rx 'manager reload'"
        );
        assert_eq!(failure(impatient(config(&server))).await, LinkLoss::Unfit(expected));
    }
}

/// What is not delivered is found out by waiting for it.
fn impatient(config: Config) -> Config {
    Config { patience: Millis(1500), ..config }
}

#[tokio::test]
async fn a_filter_that_holds_events_back_is_found_out() {
    let permissions = "read = system,call,user\nwrite = system,call,originate,message,user\n\
                       eventfilter = !Event: UserEvent";
    let Some(server) = server(&Site::with_phones(["1001"]).with_permissions(permissions)).await else {
        return;
    };
    let LinkLoss::Unfit(what) = failure(impatient(config(&server))).await else { panic!("not named") };
    assert!(what.starts_with("events of class user are not delivered"), "{what}");
    assert!(what.contains("remove eventfilter lines that hold them back"), "{what}");
}

#[tokio::test]
async fn a_missing_right_to_act_is_named_with_what_it_is_for() {
    for (write, missing) in [
        (
            "call,originate,message,user",
            "CoreStatus (to see whether it was restarted), CoreShowChannels (to read calls), \
          PJSIPShowEndpoints (to read the phones)",
        ),
        (
            "system,originate,message,user",
            "DeviceStateList (to read device states), ExtensionStateList (to read the hints), \
          Redirect (to connect a recall), Setvar (to override forwarding)",
        ),
        ("system,call,message,user", "Originate (to recall and to call back)"),
        ("system,call,originate,user", "MessageSend (to send texts)"),
        ("system,call,originate,message", "UserEvent (to see whether events are delivered)"),
    ] {
        let site =
            Site::with_phones(["1001"]).with_permissions(format!("read = system,call,user\nwrite = {write}"));
        let Some(server) = server(&site).await else { return };
        let expected = format!(
            "the manager user may not do {missing}: in manager.conf, section [ringback], make the line \"write = \
             system,call,originate,message,user\", then run: asterisk -rx 'manager reload'"
        );
        assert_eq!(failure(config(&server)).await, LinkLoss::Unfit(expected), "write = {write}");
    }
}

#[tokio::test]
async fn rights_and_events_are_named_together() {
    let site =
        Site::with_phones(["1001"]).with_permissions("read = system,call\nwrite = system,call,user,message");
    let Some(server) = server(&site).await else { return };
    let LinkLoss::Unfit(what) = failure(impatient(config(&server))).await else { panic!("not named") };
    assert!(what.contains("may not do Originate") && what.contains("events of class user are not"), "{what}");
}

#[tokio::test]
async fn a_wrong_port_and_a_wrong_host_are_told() {
    let Some(server) = server(&Site::with_phones(["1001"])).await else { return };
    let address = format!("{}:1", server.address());
    let mut wrong = config(&server);
    wrong.session.server.address.clone_from(&address);
    let expected = format!(
        "{address}: Connection refused (os error 111): check bindaddr and port in manager.conf, and enabled = yes"
    );
    assert_eq!(failure(wrong).await, LinkLoss::Connect(expected));
    let mut wrong = config(&server);
    wrong.session.server.address = "no-such-host.invalid:5038".to_owned();
    let LinkLoss::Connect(why) = failure(wrong).await else { panic!("it cannot be reached") };
    assert!(
        why.starts_with("no-such-host.invalid:5038: ") && why.ends_with(": check the host's name"),
        "{why}"
    );
}

/// What the operator gets to see: an alarm that says what to change.
#[tokio::test]
async fn the_service_raises_an_alarm_that_says_what_to_change() {
    let site = Site::with_phones(["1001"])
        .with_permissions("read = system,call,user\nwrite = system,call,message,user");
    let Some(server) = server(&site).await else { return };
    let mut wrong = config(&server);
    wrong.session.server.secret = "wrong".into();
    for (config, alarm, what) in [
        (wrong, AlarmName::LoginRefused, LOGIN_REFUSED),
        (config(&server), AlarmName::ProviderOpenFailed, "section [ringback], make the line \"write = "),
    ] {
        let provider = provider(config);
        let directory = provider.directory(Profile::default());
        let alarms = Arc::new(MemorySink::default());
        let store = MemoryStore::new(Arc::new(|| ringback_model::Timestamp(0)));
        let ports = Ports { alarms: alarms.clone(), ..Ports::new(provider, directory, store) };
        let address = std::net::Ipv4Addr::LOCALHOST.into();
        let (service, handle) = Service::new(ringback::Config::new(address, 1), ports).unwrap();
        let running = tokio::spawn(service.run());
        let end = tokio::time::Instant::now() + SOON;
        let said = loop {
            if let Some(raised) = alarms.alarms().into_iter().find(|raised| raised.name() == alarm) {
                break raised.report.to_string();
            }
            assert!(tokio::time::Instant::now() < end, "{:?}", alarms.names());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        assert!(said.contains(what), "{said}");
        assert_eq!(handle.watch().borrow().registered_at, None);
        running.abort();
    }
}
