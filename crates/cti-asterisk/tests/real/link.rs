//! Getting in, and what is said when that fails.

use ringback_cti::message::CtiError;
use ringback_cti::{LinkLoss, ProviderEvent};
use ringback_cti_asterisk::provider::Config;
use ringback_pbx_lab::Site;

use super::seat::{SOON, config, provider, server, until};

async fn failure(config: Config) -> LinkLoss {
    let mut provider = provider(config);
    let seen = until(&mut provider, SOON, |event| matches!(event, ProviderEvent::LinkFailed { .. })).await;
    match seen.into_iter().last() {
        Some(ProviderEvent::LinkFailed { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_and_the_right_one_helps_without_a_restart() {
    let Some(server) = server(&Site::with_phones(["1001"])).await else { return };
    let mut wrong = config(&server);
    wrong.session.server.secret = "wrong".into();
    assert_eq!(failure(wrong).await, LinkLoss::OpenRefused(CtiError::LoginFailed));
    let mut right = provider(config(&server));
    until(&mut right, SOON, |event| matches!(event, ProviderEvent::LinkUp { .. })).await;
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let all = ["system", "call", "user"];
    for missing in all {
        let read: Vec<&str> = all.into_iter().filter(|class| *class != missing).collect();
        let permissions =
            format!("read = {}\nwrite = system,call,originate,message,reporting,user", read.join(","));
        let site = Site::with_phones(["1001"]).with_permissions(permissions);
        let Some(server) = server(&site).await else { return };
        let mut impatient = config(&server);
        impatient.patience = ringback_model::Millis(1500);
        let LinkLoss::Unfit(what) = failure(impatient).await else { panic!("not named") };
        assert!(what.contains(&format!("read = ...,{missing}")), "{what}");
    }
}

#[tokio::test]
async fn a_missing_right_to_act_is_named() {
    let site = Site::with_phones(["1001"])
        .with_permissions("read = system,call,user\nwrite = system,call,reporting,user");
    let Some(server) = server(&site).await else { return };
    let LinkLoss::Unfit(what) = failure(config(&server)).await else { panic!("not named") };
    assert!(what.contains("Originate") && what.contains("write = ...,originate"), "{what}");
    assert!(what.contains("MessageSend") && !what.contains("Redirect"), "{what}");
}

#[tokio::test]
async fn a_wrong_port_is_told() {
    let Some(server) = server(&Site::with_phones(["1001"])).await else { return };
    let mut wrong = config(&server);
    wrong.session.server.address = format!("{}:1", server.address());
    let LinkLoss::Connect(why) = failure(wrong).await else { panic!("it cannot be reached") };
    assert!(why.contains("check bindaddr and port in manager.conf"), "{why}");
}
