//! The doctor at real servers: nothing to change at a good one, and at broken ones the line that mends it. Needs a
//! server of the laboratory.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringback_cti_asterisk::client::TcpConnector;
use ringback_cti_asterisk::doctor::{Answers, Blind, findings, look, reasons};
use ringback_cti_asterisk::{doctor, session};
use ringback_model::{Millis, Timestamp, reveal_personal_data};
use ringback_pbx_lab::{Asterisk, Phone, Release, Server, Site};
use tokio::time::Instant;

/// What happens at once happens within this time, on a busy machine, too.
const SOON: Duration = Duration::from_secs(30);
/// How long an event may take: only one that does not come at all takes so long.
const PATIENCE: Millis = Millis(5000);

const DIALPLAN: &str = include_str!("../../../examples/asterisk/extensions.conf");
const PJSIP: &str = include_str!("../../../examples/asterisk/pjsip.conf");
const MODULES: &str = include_str!("../../pbx-lab/conf/modules.conf");

const WRITE: &str = "write = system,call,originate,message,user,reporting";

async fn server_of(release: Release, site: Site) -> Option<Server> {
    reveal_personal_data(true);
    let asterisk = Asterisk::fetch_or_skip(release)?;
    Some(Server::start(&asterisk, &site).await.unwrap())
}

fn two_phones() -> Site {
    Site::with_phones(["1001", "1002"]).with_hints()
}

#[expect(clippy::disallowed_methods, reason = "compared with the server's clock")]
fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(u64::try_from(since.as_millis()).unwrap())
}

async fn look_with(server: &Server, secret: &str) -> Result<Answers, Blind> {
    let manager = session::Server::new("pbx", server.manager(), server.login().0, secret.to_owned().into());
    let mut config = session::Config::new(manager);
    config.request_timeout = Millis::from_secs(30);
    look(config, Arc::new(TcpConnector), PATIENCE, wall_clock).await
}

fn site_of(server: &Server) -> doctor::Site {
    doctor::Site::new(server.manager(), server.login().0)
}

/// Looks until exactly this is found.
async fn look_until(server: &Server, wanted: &[&str]) -> Answers {
    let end = Instant::now() + SOON;
    loop {
        let answers = look_with(server, server.login().1).await.unwrap();
        let found = findings(&site_of(server), &answers).iter().map(ToString::to_string).collect::<Vec<_>>();
        if found == wanted {
            return answers;
        }
        assert!(Instant::now() < end, "{found:#?}");
    }
}

/// What is found, but for notes.
async fn told(server: &Server) -> Vec<String> {
    let answers = look_with(server, server.login().1).await.unwrap();
    let all = findings(&site_of(server), &answers).into_iter();
    all.filter(|it| it.weight == doctor::Weight::Change).map(|it| it.to_string()).collect()
}

async fn told_at(site: Site) -> Option<Vec<String>> {
    Some(told(&server_of(Release::V22, site).await?).await)
}

/// A context of the example as it is told: without comments, indented.
fn context(name: &str) -> String {
    let (_, rest) = DIALPLAN.split_once(&format!("[{name}]\n")).unwrap();
    let lines = rest.lines().take_while(|line| !line.starts_with('['));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(';'));
    lines.fold(format!("    [{name}]\n"), |text, line| format!("{text}    {line}\n"))
}

#[tokio::test]
async fn a_good_site_needs_no_change() {
    let Some(server) = server_of(Release::V22, two_phones()).await else { return };
    let mut phones = Vec::new();
    for name in ["1001", "1002"] {
        phones.push(Phone::register(&server, name).await.unwrap());
    }
    // The server takes a registration first, and finds out a moment later that the phone can be reached.
    let answers = look_until(&server, &[]).await;
    assert_eq!(answers.phones().collect::<Vec<_>>(), ["1001", "1002"]);
    assert!(answers.version().unwrap().starts_with("22."), "{answers:?}");
    phones[1].unregister().await.unwrap();
    let note = "note: not registered at the moment, so that nobody is called back there until they are: 1002";
    look_until(&server, &[note]).await;
}

#[tokio::test]
async fn neither_does_one_with_asterisk_16() {
    let Some(server) = server_of(Release::V16, two_phones()).await else { return };
    assert_eq!(told(&server).await, [""; 0]);
    let answers = look_with(&server, server.login().1).await.unwrap();
    assert!(answers.version().unwrap().starts_with("16."), "{answers:?}");
}

#[tokio::test]
async fn events_that_are_silently_not_delivered() {
    for (read, lacking) in [
        ("read = system,call", "class user (feature codes, texts)"),
        ("read = system,user", "class call (calls, device states)"),
        ("read = call,user", "class system (that the server has booted, registrations)"),
    ] {
        let site = two_phones().with_permissions(format!("{read}\n{WRITE}"));
        let Some(told) = told_at(site).await else { return };
        assert_eq!(
            told,
            [format!(
                "the manager user ringback is not told events of the {lacking}: one was made to happen, and did not \
                 arrive\n  manager.conf, [ringback]:\n    read = system,call,user\n    ; and no eventfilter line that \
                 holds them back\n  then: asterisk -rx 'manager reload'"
            )]
        );
    }
}

#[tokio::test]
async fn events_that_a_filter_holds_back() {
    let harmless = "eventfilter = !Event: RTCP\n";
    let by_name = "eventfilter(action(exclude),name(Newchannel)) = ";
    for (release, line, event) in [
        (Release::V22, "eventfilter = !Event: Newchannel", "Newchannel"),
        (Release::V16, "eventfilter = !Event: Newchannel", "Newchannel"),
        (Release::V22, by_name, "Newchannel"),
        // That of the class that is looked for, too: the class is not blamed.
        (Release::V22, "eventfilter = !Event: UserEvent", "UserEvent"),
    ] {
        let lines = format!("read = system,call,user\n{WRITE}\n{harmless}{line}");
        let Some(server) = server_of(release, two_phones().with_permissions(lines)).await else { return };
        assert_eq!(
            told(&server).await,
            [format!(
                "event filters of the manager user ringback hold back {event}: without it ringback does not see all that \
                 phones do\n  remove from manager.conf, [ringback]:\n    {}\n  then: asterisk -rx 'manager reload'",
                line.trim_end()
            )],
            "{release:?}"
        );
        // Removed, as told.
        let (user, secret) = server.login();
        let (address, port) =
            server.manager().rsplit_once(':').map(|(a, p)| (a.to_owned(), p.to_owned())).unwrap();
        let mended = format!(
            "[general]\nenabled = yes\nbindaddr = {address}\nport = {port}\n[{user}]\nsecret = {secret}\n\
             read = system,call,user\n{WRITE}\n{harmless}"
        );
        server.write("manager.conf", &mended).unwrap();
        server.console("manager reload").await.unwrap();
        assert_eq!(told(&server).await, [""; 0], "{line}");
    }
}

#[tokio::test]
async fn what_the_manager_user_may_not_do() {
    let site = two_phones().with_permissions("read = system,call,user\nwrite = system,call,user,reporting");
    let Some(told) = told_at(site).await else { return };
    assert_eq!(
        told,
        [
            "the manager user ringback lacks the write classes originate, message: it may not do Originate (to recall and \
          to call back), MessageSend (to send texts)\n  manager.conf, [ringback]:\n    write = \
          system,call,originate,message,user,reporting\n  then: asterisk -rx 'manager reload'"
        ]
    );
}

#[tokio::test]
async fn a_dialplan_without_its_parts() {
    let site = two_phones()
        .replacing("include => ringback-features\n", "")
        .replacing("[ringback-recall]", "[recalls]")
        .replacing("exten => 1002,hint,PJSIP/1002", "exten => 1005,hint,PJSIP/1005");
    let Some(told) = told_at(site).await else { return };
    let reload = "  then: asterisk -rx 'dialplan reload'";
    assert_eq!(
        told,
        [
            format!(
                "an endpoint is without a hint, so that nobody can be called back there, nor from there: 1002\n  \
                 extensions.conf, [phones]:\n    exten => 1002,hint,PJSIP/1002\n{reload}"
            ),
            format!(
                "1005 has a hint, but no endpoint is behind it\n  remove from extensions.conf, [phones]:\n    exten => \
                 1005,hint,PJSIP/1005\n  or pjsip.conf:\n    [1005]  ; endpoint, auth and aor 1005\n{reload}"
            ),
            format!(
                "the CallBack key (*66 and a number) cannot be dialled in the context phones, where 1001, 1002 dial\n  \
                 extensions.conf, [phones]:\n    include => ringback-features\n{reload}"
            ),
            format!(
                "recalls begin in the context ringback-recall, and there is no extension recall there\n  \
                 extensions.conf:\n{}{reload}",
                context("ringback-recall")
            ),
        ]
    );
}

#[tokio::test]
async fn what_is_mended_as_told_is_told_no_more() {
    // Everything that goes with ringback is missing, and the calls are in a context of another name.
    let own = "[office]\nexten => 1001,hint,PJSIP/1001\nexten => _1XXX,1,Dial(PJSIP/${EXTEN},20)\n";
    let Some(mut server) = server_of(Release::V22, two_phones().with_dialplan(own)).await else { return };
    let phones = PJSIP.split("[1003](phone)").next().unwrap().replace("context = phones", "context = office");
    let phones = phones.replace("0.0.0.0", &server.address().to_string());
    server
        .write(
            "pjsip.conf",
            &phones.replace("message_context = ringback-messages", "device_state_busy_at = 1"),
        )
        .unwrap();
    server.restart().await.unwrap();
    let answers = look_with(&server, server.login().1).await.unwrap();
    let all = findings(&site_of(&server), &answers);
    let changes: Vec<_> = all.iter().flat_map(|finding| &finding.changes).collect();
    let lines_for = |file: &str| {
        let of_file = changes.iter().filter(|change| change.place == file);
        of_file.flat_map(|change| change.lines.iter().map(String::as_str)).collect::<Vec<_>>().join("\n")
    };
    let dialplan =
        format!("{own}{}\n{}\n", lines_for("extensions.conf, [office]"), lines_for("extensions.conf"));
    server.write("extensions.conf", &dialplan).unwrap();
    let own_lines = |phone: &str| format!("{}\n", lines_for(&format!("pjsip.conf, [{phone}]")));
    let mended = ["1001", "1002"].iter().fold(
        phones.replace("message_context = ringback-messages", "device_state_busy_at = 1"),
        |text, phone| {
            let header = format!("[{phone}](phone)\n");
            text.replace(&header, &format!("{header}{}", own_lines(phone)))
        },
    );
    server.write("pjsip.conf", &mended).unwrap();
    server.restart().await.unwrap();
    // The context of the recalls goes to the phones of the example.
    let told = told(&server).await;
    assert_eq!(
        told,
        [
            "[ringback-recall] dials in the context phones, which is not in the dialplan: no call back reaches anybody\n  \
          extensions.conf, [ringback-recall], instead of Goto(phones,${EXTEN},1):\n     same => \
          n,Goto(office,${EXTEN},1)\n  then: asterisk -rx 'dialplan reload'"
        ],
        "{dialplan}\n{mended}"
    );
}

#[tokio::test]
async fn modules_that_are_not_loaded() {
    let few = MODULES.replace("load = func_cut.so\n", "").replace("load = res_manager_devicestate.so\n", "");
    let Some(told) = told_at(two_phones().with_file("modules.conf", few)).await else { return };
    assert_eq!(
        told,
        [
            "modules are not loaded: res_manager_devicestate.so (the states of the phones cannot be read), func_cut.so (texts \
          of phones cannot be taken apart)\n  modules.conf, [modules]:\n    load = res_manager_devicestate.so\n    load = \
          func_cut.so\n  then: restart Asterisk, or load them with asterisk -rx 'module load NAME'"
        ]
    );
}

#[tokio::test]
async fn a_wrong_secret_and_a_wrong_address() {
    let Some(mut server) = server_of(Release::V22, two_phones()).await else { return };
    let site = doctor::Site { from: Some([127, 0, 0, 1].into()), ..site_of(&server) };
    let wrong = look_with(&server, "wrong").await.unwrap_err();
    let told = reasons(&site, &wrong).to_string();
    assert!(told.starts_with("login refused (Authentication failed)"), "{told}");
    assert!(told.contains("  manager.conf, [ringback]:\n    secret = ...  ; as in ringback's file\n    permit = 127.0.0.1/255.255.255.255\n"), "{told}");
    server.kill();
    let nobody = look_with(&server, server.login().1).await.unwrap_err();
    let told = reasons(&site, &nobody).to_string();
    assert!(told.starts_with(&format!("cannot connect: {}", server.manager())), "{told}");
    assert!(
        told.contains(
            "  or manager.conf, [general]:\n    enabled = yes\n    bindaddr = 0.0.0.0\n    port = 5038\n"
        ),
        "{told}"
    );
}
