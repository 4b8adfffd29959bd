//! The service as a process of its own at a real Asterisk that has the files of `examples/asterisk`, with real SIP phones.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "nothing is typed here")]
mod terminal;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use ringback_pbx_lab::{
    Answering, Asterisk, CallOutcome, Phone, PhoneCall, PhoneEvent, Release, Server, Site, XmlPhone,
};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::terminal::{Program, program};

/// What happens at once happens within this time, on a busy machine, too.
const SOON: Duration = Duration::from_secs(30);

const DIALPLAN: &str = include_str!("../asterisk/extensions.conf");
const MANAGER: &str = include_str!("../asterisk/manager.conf");
const PJSIP: &str = include_str!("../asterisk/pjsip.conf");
const CONFIG: &str = include_str!("../asterisk/ringback.toml");

fn replaced(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "no {old:?}");
        text.replace(old, new)
    })
}

/// A server with the files of the example as they are, but for addresses and the phones' passwords, which are the
/// laboratory's.
async fn example() -> Option<Server> {
    let asterisk = Asterisk::fetch_or_skip(Release::V22)?;
    let mut server = Server::start(&asterisk, &Site::with_phones(["1001"])).await.expect("it starts");
    let address = server.address().to_string();
    let files = [
        ("extensions.conf", DIALPLAN.to_owned()),
        ("manager.conf", replaced(MANAGER, &[("bindaddr = 127.0.0.1", &format!("bindaddr = {address}"))])),
        ("pjsip.conf", replaced(PJSIP, &[("0.0.0.0", &address), ("change-me-", "pw")])),
    ];
    for (name, text) in files {
        server.write(name, &text).expect("a file");
    }
    server.restart().await.expect("it starts with the files of the example");
    Some(server)
}

/// The example's configuration for this server; the server has just been started, and nobody is in a call of before.
fn config(folder: &Path, server: &Server, own: &str) -> PathBuf {
    let (manager, own_line) = (server.manager(), format!("\naddress = \"{own}\"\n\n[asterisk]"));
    let edits = [
        ("127.0.0.1:5038", manager.as_str()),
        ("\naddress = \"127.0.0.1\"\n\n[asterisk]", own_line.as_str()),
        ("proof = 120000", "proof = 0"),
        // A busy machine is no finding.
        ("patience = 5000", "patience = 30000"),
    ];
    let file = folder.join(format!("{own}.toml"));
    std::fs::write(&file, replaced(CONFIG, &edits)).expect("a file");
    file
}

fn service(file: &Path) -> Program {
    let mut command = program();
    command.arg("--config").arg(file);
    Program::start(command)
}

fn kill(service: &mut Program, signal: Signal) -> bool {
    kill_process(Pid::from_child(&service.child), signal).expect("it runs");
    service.child.wait().expect("it ends").success()
}

fn run(arguments: &[&str], file: &Path) -> (Option<i32>, String) {
    let (first, rest) = arguments.split_first().expect("a command");
    let output: Output = program().arg(first).arg("--config").arg(file).args(rest).output().expect("it ends");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.code(), text.concat())
}

/// Three phones; the third talks with the second, which is busy for the first, who asks to be called back, and is shown a
/// text.
async fn asks_to_be_called_back(server: &Server) -> (Vec<Phone>, PhoneCall) {
    let (mut phones, talk) = asks(server).await;
    phones[0].wait_for(SOON, |event| is_text(event, "CallBack is activated on 1002")).await.expect("a text");
    (phones, talk)
}

/// The same, as far as the first asks.
async fn asks(server: &Server) -> (Vec<Phone>, PhoneCall) {
    let mut phones = Vec::new();
    for name in ["1001", "1002", "1003"] {
        phones.push(Phone::register(server, name).await.expect("it registers"));
    }
    phones[1].set_answering(Answering::After(Duration::ZERO));
    let mut talk = phones[2].call("1002").expect("a call");
    talk.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.expect("they talk");
    phones[1].set_answering(Answering::Busy);
    let mut failed = phones[0].call("1002").expect("a call");
    failed.wait_for(SOON, |outcome| matches!(outcome, CallOutcome::Failed(486))).await.expect("it is busy");
    let mut key = phones[0].call("*661002").expect("a call");
    key.wait_for(SOON, |outcome| outcome == CallOutcome::Answered).await.expect("a feature code");
    // The server may have been first.
    let _ended = key.hang_up().await;
    (phones, talk)
}

/// Whoever it talked with hangs up. A call that came before the phone itself knows that would find it busy.
async fn becomes_free(phone: &mut Phone, talk: PhoneCall) {
    phone.set_answering(Answering::Ring);
    phone.drain();
    talk.hang_up().await.expect("a call");
    phone.wait_for(SOON, |event| *event == PhoneEvent::HungUp).await.expect("it is on hook");
}

/// The second phone is free: the first is recalled, picks up, and the second rings.
async fn is_called_back(phones: &mut [Phone], talk: PhoneCall) {
    becomes_free(&mut phones[1], talk).await;
    let is_recall =
        |event: &PhoneEvent| matches!(event, PhoneEvent::Rings { name, .. } if name == "Call Back 1002");
    phones[0].wait_for(SOON, is_recall).await.expect("a recall");
    phones[0].answer().expect("it rings");
    let rings = |event: &PhoneEvent| matches!(event, PhoneEvent::Rings { .. });
    phones[1].wait_for(SOON, rings).await.expect("it rings");
}

fn is_text(event: &PhoneEvent, part: &str) -> bool {
    matches!(event, PhoneEvent::Text(text) if text.contains(part))
}

async fn until_status(file: &Path, wanted: &str) {
    let end = Instant::now() + SOON;
    loop {
        let (code, said) = run(&["status"], file);
        assert_eq!(code, Some(0), "{said}");
        if said.contains(wanted) {
            return;
        }
        assert!(Instant::now() < end, "{said}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_outlives_the_service_and_is_called_back() {
    let Some(server) = example().await else { return };
    let folder = TempDir::new().expect("a folder");
    let file = config(folder.path(), &server, "127.0.0.1");
    assert_eq!(run(&["status"], &file), (Some(0), "no instance of the service runs here\n".to_owned()));
    let output = program().arg("--config").arg(&file).arg("--check").output().expect("it ends");
    assert!(output.status.success(), "{output:?}");

    let mut first = service(&file);
    first.see("127.0.0.1 is active in epoch 1");
    let (mut phones, talk) = asks_to_be_called_back(&server).await;
    until_status(&file, "Active, epoch 1, ready, directory up, store up, CTI registered at asterisk").await;
    until_status(&file, "1 pending").await;
    let (code, said) = run(&["doctor"], &file);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("Asterisk 22.") && said.contains(", 4 phones\n"), "{said}");
    assert!(said.ends_with("there until they are: 1004\n\nnothing to change\n"), "{said}");

    assert!(!kill(&mut first, Signal::KILL));
    assert_eq!(run(&["status"], &file), (Some(0), "no instance of the service runs here\n".to_owned()));
    let mut second = service(&file);
    second.see("127.0.0.1 is active in epoch 2");
    until_status(&file, "1 pending").await;
    is_called_back(&mut phones, talk).await;
    until_status(&file, "0 pending").await;

    // A parameter acts while the service runs; here only that it is where the service looks.
    let recall = "Call Back Recall Timer";
    assert_eq!(run(&["parameters", recall], &file), (Some(0), format!("{recall} = 20\n")));
    assert_eq!(
        run(&["parameters", recall, "30"], &file),
        (Some(0), format!("{recall} = 30  (default 20)\n"))
    );
    let (code, said) = run(&["parameters", recall, "soon"], &file);
    assert_eq!(
        (code, said.starts_with("ringback: \"Call Back Recall Timer\" cannot be \"soon\"")),
        (Some(1), true),
        "{said}"
    );
    assert_eq!(run(&["parameters", recall, "default"], &file), (Some(0), format!("{recall} = 20\n")));
    assert!(kill(&mut second, Signal::TERM));
    assert!(!folder.path().join("ringback-127.0.0.1.status").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_instance_takes_over() {
    let Some(server) = example().await else { return };
    let folder = TempDir::new().expect("a folder");
    let files = ["127.0.0.1", "127.0.0.2"].map(|own| config(folder.path(), &server, own));
    let mut first = service(&files[0]);
    first.see("127.0.0.1 is active in epoch 1");
    let mut second = service(&files[1]);
    second.see("127.0.0.2 is a backup of 127.0.0.1");
    let (mut phones, talk) = asks_to_be_called_back(&server).await;
    assert!(!kill(&mut first, Signal::KILL));
    until_status(&files[1], "127.0.0.2: Active").await;
    is_called_back(&mut phones, talk).await;
    until_status(&files[1], "0 pending").await;
    assert!(kill(&mut second, Signal::TERM));
}

/// The first phone shows screens: it is told over HTTP, and its softkeys come back over HTTP. It asks ringback itself whether
/// it may be told.
#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_shows_screens_dials_by_its_softkey() {
    let Some(server) = example().await else { return };
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("phone-password"), "of phones\n").expect("a file");
    // Nobody else is at this address.
    let listen = format!("{}:8188", server.address());
    let url = format!("http://{listen}/authenticate");
    let mut screen =
        XmlPhone::start_with_authentication_url([127, 0, 0, 1].into(), &url).await.expect("a phone");
    let file = config(folder.path(), &server, "127.0.0.1");
    let way = format!(
        "\n[asterisk.phones]\n1001 = {{ push = \"{}\" }}\n[asterisk.push]\nlisten = \"{listen}\"\n\
         password_file = \"phone-password\"\nauthenticates = true\nanswer = 60000\nfetch = 60000\n",
        screen.address()
    );
    let text = std::fs::read_to_string(&file).expect("it was written");
    std::fs::write(&file, replaced(&text, &[("\n[asterisk.phones]\n", &way)])).expect("a file");

    let mut service = service(&file);
    service.see("127.0.0.1 is active in epoch 1");
    until_status(&file, "ready, directory up, store up, CTI registered at asterisk").await;
    let (mut phones, talk) = asks(&server).await;
    screen.wait_for(SOON, |seen| seen.shows("CallBack is activated on 1002")).await.expect("a screen");
    becomes_free(&mut phones[1], talk).await;
    let is_offer = |seen: &ringback_pbx_lab::XmlDisplay| {
        seen.shows("1002 has become available") && seen.keys() == ["Dial", "Cancel", "Exit"]
    };
    screen.wait_for(SOON, |seen| is_offer(seen) && seen.alerts() == 1).await.expect("it offers to dial");
    screen.press("Dial").await.expect("it is on the screen");
    // The server calls the phone itself first, then whom it waited for.
    let rings = |event: &PhoneEvent| matches!(event, PhoneEvent::Rings { .. });
    phones[0].wait_for(SOON, rings).await.expect("it rings");
    phones[0].answer().expect("it rings");
    phones[1].wait_for(SOON, rings).await.expect("it rings");
    until_status(&file, "0 pending").await;
    screen.wait_for(SOON, |seen| seen.screen.is_none()).await.expect("nothing is shown any more");
    assert!(kill(&mut service, Signal::TERM));
}

#[test]
fn what_the_service_says_when_phones_cannot_reach_it() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("ringback.toml");
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = taken.local_addr().expect("an address");
    let said = |push: &str| {
        let phone = "[asterisk.phones]\n1001 = { push = \"127.0.0.1:80\" }\n";
        let text =
            format!("[asterisk]\nsecret = \"s\"\n{phone}[asterisk.push]\nlisten = \"{address}\"\n{push}");
        std::fs::write(&file, text).expect("a file");
        let output = program().arg("--config").arg(&file).output().expect("it ends");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let in_use = said("password = \"p\"\n");
    assert!(
        in_use.starts_with(&format!("ringback: [asterisk.push]: cannot listen at {address} for phones: "))
            && in_use.ends_with(": end what uses it, or give another address\n"),
        "{in_use}"
    );
    let password = folder.path().join("phone-password");
    let no_file = said("password_file = \"phone-password\"\n");
    assert!(no_file.starts_with(&format!("ringback: {}: cannot be read: ", password.display())), "{no_file}");
    std::fs::write(&password, "\nsecond line\n").expect("a file");
    assert_eq!(
        said("password_file = \"phone-password\"\n"),
        "ringback: [asterisk.push]: the password for phones must not be empty, nor hold a control character\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_status_of_the_doctor() {
    let Some(server) = example().await else { return };
    let folder = TempDir::new().expect("a folder");
    let file = config(folder.path(), &server, "127.0.0.1");
    let edit = |edits: &[(&str, &str)]| {
        let name = folder.path().join("edited.toml");
        let text = std::fs::read_to_string(&file).expect("it was written");
        std::fs::write(&name, replaced(&text, edits)).expect("a file");
        name
    };
    let (code, said) =
        run(&["doctor"], &edit(&[("recall_context = \"ringback-recall\"", "recall_context = \"recalls\"")]));
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("\nrecalls begin in the context recalls, and there is no extension recall there\n"),
        "{said}"
    );
    assert!(said.ends_with("\n\n1 thing to change\n"), "{said}");
    let (code, said) = run(&["doctor"], &edit(&[("secret = \"change-me\"", "secret = \"wrong\"")]));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with("cannot look: login refused"), "{said}");
    assert!(said.contains("    permit = 127.0.0.1/255.255.255.255\n"), "{said}");
    // A server without TLS.
    let (code, said) = run(&["doctor"], &edit(&[("# [asterisk.tls]", "[asterisk.tls]")]));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with("cannot look: cannot connect: TLS: "), "{said}");
    assert!(said.ends_with("  or remove from ringback's file:\n    [asterisk.tls]\n"), "{said}");
    let cti = folder.path().join("cti.toml");
    std::fs::write(&cti, "[cti]\npassword = \"x\"\n[[cti.managers]]\nname = \"a\"\naddress = \"b:1\"\n")
        .expect("a file");
    let (code, said) = run(&["doctor"], &cti);
    assert_eq!(
        (code, said),
        (Some(2), format!("ringback: {}: there is no [asterisk] to look at\n", cti.display()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls() {
    let Some(asterisk) = Asterisk::fetch_or_skip(Release::V22) else { return };
    let certificate = || {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(["pbx.example".to_owned()]).expect("a name");
        let certificate = params.self_signed(&key).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    };
    let (pem, key) = certificate();
    let site = Site::with_phones(["1001"]).with_hints().with_tls(&pem, &key);
    let server = Server::start(&asterisk, &site).await.expect("it starts");
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("ca.pem"), pem).expect("a file");
    std::fs::write(folder.path().join("other.pem"), certificate().0).expect("a file");
    std::fs::write(folder.path().join("secret"), server.login().1).expect("a file");
    let doctor = |address: String, tls: &str| {
        let file = folder.path().join("ringback.toml");
        let text =
            format!("[asterisk]\naddress = \"{address}\"\nsecret_file = \"secret\"\npatience = 30000\n{tls}");
        std::fs::write(&file, text).expect("a file");
        run(&["doctor"], &file)
    };
    let tls =
        |ca: &str, name: &str| format!("[asterisk.tls]\nca_file = \"{ca}\"\nserver_name = \"{name}\"\n");
    let (code, said) = doctor(server.manager_tls(), &tls("ca.pem", "pbx.example"));
    assert_eq!((code, said.ends_with("\n\nnothing to change\n")), (Some(0), true), "{said}");
    let refused = [
        (tls("other.pem", "pbx.example"), "\n  ringback's file, [asterisk.tls]:\n    ca_file = "),
        (tls("ca.pem", "other.example"), "\n  ringback's file, [asterisk.tls]:\n    server_name = "),
        (String::new(), "\n  or ringback's file, if that is the port of tlsbindaddr:\n    [asterisk.tls]\n"),
    ];
    for (tls, advice) in refused {
        let (code, said) = doctor(server.manager_tls(), &tls);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.starts_with("cannot look: ") && said.contains(advice), "{said}");
    }
}
