//! The configuration file of the service at an Asterisk: what it may say, and what it is told of mistakes.

use std::path::Path;

use ringback::model::{DeviceName, Millis};
use ringback_cti_asterisk::session::Login;
use ringback_examples::asterisk::{
    AsteriskConfig, AsteriskTlsConfig, CommonWay, PhoneWay, PushConfig, connector, provider, ways,
};
use ringback_examples::service::{CtiConfig, ServiceConfig};

const EXAMPLE: &str = include_str!("../asterisk/ringback.toml");

const README: &str = include_str!("../../README.md");

/// What every file needs.
const NEEDED: &str = "[asterisk]\nsecret = \"xyzzy\"\n";

fn parse(text: &str) -> ServiceConfig {
    ServiceConfig::parse(Path::new("site.toml"), text).unwrap_or_else(|error| panic!("{error}"))
}

/// The Asterisk of its only group.
fn asterisk(mut config: ServiceConfig) -> AsteriskConfig {
    config.groups.remove(0).asterisk.unwrap_or_else(|| panic!("no Asterisk"))
}

fn error(text: &str) -> String {
    match ServiceConfig::parse(Path::new("site.toml"), text) {
        Ok(config) => panic!("taken: {config:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_example_says_the_defaults_and_every_key() {
    let config = parse(EXAMPLE);
    let secret = asterisk(parse(NEEDED)).secret;
    let said = asterisk(config.clone());
    assert!(said.secret.is_some() && said.secret != secret);
    assert_eq!(said, AsteriskConfig { secret: said.secret.clone(), ..AsteriskConfig::default() });
    let mut rest = config;
    rest.groups[0].asterisk = None;
    assert_eq!(rest, ServiceConfig::default());
    for section in ["asterisk", "asterisk.tls", "asterisk.push"] {
        let message = error(&format!("[{section}]\nqqqqqqqqqqqqqqqq = 1\n"));
        let keys = message.split_once("there are ").map(|(_, keys)| keys.to_owned());
        for key in keys.expect(&message).split(", ") {
            let is_said = |line: &str| {
                let line = line.trim_start_matches("# ");
                line.starts_with(&format!("{key} = ")) || line == format!("[{section}.{key}]")
            };
            assert!(EXAMPLE.lines().any(is_said), "{section}.{key}");
        }
    }
}

#[test]
fn what_is_commented_out_can_be_said() {
    // Of two keys that exclude each other the first.
    let without =
        ["# secret_file = \"manager-secret\"\n", "# password_file", "# secret_file = \"key-secret\"\n"];
    let text = without.iter().fold(EXAMPLE.to_owned(), |text, line| {
        assert!(text.contains(line), "{line}");
        text.replace(line, "## ")
    });
    let is_said = |line: &str| {
        line.starts_with('[') && line.ends_with(']')
            || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
    };
    let lines = text.lines().map(|line| line.strip_prefix("# ").filter(|line| is_said(line)).unwrap_or(line));
    let asterisk = asterisk(parse(&lines.collect::<Vec<_>>().join("\n")));
    let phone = |name| asterisk.phones[&DeviceName::new(name).unwrap()].clone();
    assert_eq!(phone("1003"), PhoneWay::Common(CommonWay::Text));
    assert_eq!(phone("1001"), PhoneWay::Push("192.0.2.71".to_owned()));
    assert!(asterisk.uses(CommonWay::Text) && asterisk.uses(CommonWay::Recall));
    assert!(!asterisk.uses(CommonWay::Notify));
    let push = asterisk.push.clone().unwrap();
    let defaults = PushConfig {
        public: Some("192.0.2.1:8188".to_owned()),
        keys: Some("192.0.2.10:8188".to_owned()),
        password: push.password.clone(),
        secret: push.secret.clone(),
        ..PushConfig::default()
    };
    assert_eq!(push, defaults);
    assert!(push.password.is_some() && push.secret.is_some());
    let tls = AsteriskTlsConfig {
        ca_file: Some("asterisk-ca.pem".into()),
        server_name: Some("pbx.example.com".to_owned()),
    };
    assert_eq!(asterisk.tls, Some(tls));
}

#[test]
fn what_the_readme_shows_can_be_said() {
    let lines = README.lines().skip_while(|line| *line != "    [asterisk.phones]");
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with("    "));
    let shown = lines.map(str::trim).collect::<Vec<_>>().join("\n");
    let asterisk = asterisk(parse(&format!("{NEEDED}{shown}\n")));
    let ways: Vec<PhoneWay> = asterisk.phones.into_values().collect();
    assert_eq!(ways, [PhoneWay::Push("192.0.2.71".to_owned()), CommonWay::Text.into()]);
    assert_eq!(asterisk.push.unwrap().password_file, Some("phone-password".into()));
}

#[test]
fn one_call_manager_and_no_more() {
    let none = "site.toml: no call manager is named: add [[cti.managers]] with name = \"cti1\" and address = \
                \"HOST:2748\", or [asterisk] with address = \"HOST:5038\"";
    assert_eq!(error(""), none);
    assert_eq!(
        error(&format!("{NEEDED}[[cti.managers]]\nname = \"cti1\"\naddress = \"10.0.0.5:2748\"\n")),
        "site.toml:5: address = \"10.0.0.5:2748\": there is [asterisk], too: one service has one call manager, keep \
         one of the two"
    );
    assert_eq!(
        error(&format!("{NEEDED}[cti]\npassword_file = \"pw\"\n")),
        "site.toml:4: password_file = \"pw\": this is for a CTIManager, and there is [asterisk]: move it there, or \
         remove it"
    );
}

#[test]
fn mistakes_are_told_with_their_line() {
    assert_eq!(
        error("[asterisk]\n"),
        "site.toml: the manager user has no secret: give secret or, better, secret_file in [asterisk]"
    );
    let rows = [
        ("address = \"pbx\"", "\"pbx\": expected host:port of the manager interface, like 10.0.0.5:5038"),
        ("secret_file = \"s\"", "\"s\": there is secret, too: give one of the two"),
        ("adress = \"pbx:1\"", "\"pbx:1\": there is no such key here: did you mean `address`?"),
        ("user = \"\"", "\"\": expected one line of text"),
        ("refresh = 0", "0: expected at least 1 ms"),
        ("refresh = \"30 s\"", "\"30 s\": expected a whole number, found a string"),
        ("utc_offset = 1440", "1440: expected minutes east of UTC, -1439 to 1439"),
        (
            "way = \"letter\"",
            "\"letter\": unknown variant `letter`, expected one of `recall`, `text`, `notify`",
        ),
    ];
    for (line, problem) in rows {
        let key = line.split(" = ").next().unwrap();
        assert_eq!(error(&format!("{NEEDED}{line}\n")), format!("site.toml:3: {key} = {problem}"));
    }
    let phone = |way: &str| error(&format!("{NEEDED}[asterisk.phones]\n1003 = {way}\n"));
    let expected = r#"expected "recall", "text", "notify", or { push = "HOST" }"#;
    assert_eq!(phone("\"post\""), format!("site.toml:4: 1003 = \"post\": {expected}"));
    assert_eq!(phone("7"), format!("site.toml:4: 1003 = 7: {expected}, found an integer"));
    assert!(!format!("{:?}", parse(NEEDED)).contains("xyzzy"));
}

/// What a file says of a mistake about phones that show screens.
fn push_error(phone: &str, section: &str) -> String {
    error(&format!("{NEEDED}[asterisk.phones]\n\"1001\" = {phone}\n{section}"))
}

#[test]
fn phones_that_show_screens() {
    const GOOD: &str = "{ push = \"192.0.2.71\" }";
    const SECTION: &str = "[asterisk.push]\npassword = \"xyzzy\"\npublic = \"192.0.2.1:8188\"\n";
    let good = parse(&format!("{NEEDED}[asterisk.phones]\n\"1001\" = {GOOD}\n{SECTION}"));
    assert!(!format!("{good:?}").contains("xyzzy"));
    for host in ["phone.example", "192.0.2.71:8080", "[fd00::71]:80"] {
        parse(&format!("{NEEDED}[asterisk.phones]\n\"1001\" = {{ push = \"{host}\" }}\n{SECTION}"));
    }
    assert_eq!(
        push_error(GOOD, ""),
        "site.toml:4: 1001 = { push = \"192.0.2.71\" }: how such phones reach this instance is not said: add \
         [asterisk.push] with public = \"HOST:8188\" and password_file"
    );
    for host in ["", "phone one", "192.0.2.71:0", "192.0.2.71:web", "ringback@192.0.2.71"] {
        assert_eq!(
            push_error(&format!("{{ push = \"{host}\" }}"), SECTION),
            format!(
                "site.toml:4: 1001 = {{ push = \"{host}\" }}: no phone is told anything at \"{host}\": give its host name \
                 or address, and its port if that is not 80"
            )
        );
    }
    assert!(
        push_error("{ push = \"http://192.0.2.71\" }", SECTION)
            .contains(": no phone is told anything at \"http://192.0.2.71\": ")
    );
    assert_eq!(
        push_error("{ psh = \"192.0.2.71\" }", SECTION),
        "site.toml:4: 1001 = { psh = \"192.0.2.71\" }: there is no such key here: did you mean `push`?"
    );
    assert_eq!(push_error("{}", SECTION), "site.toml:4: 1001 = {}: missing field `push`");
}

#[test]
fn how_phones_that_show_screens_are_reached() {
    const PHONE: &str = "{ push = \"192.0.2.71\" }";
    assert_eq!(
        push_error(PHONE, "[asterisk.push]\npublic = \"192.0.2.1:8188\"\n"),
        "site.toml: the user for phones that show screens has no password: give password or, better, password_file in \
         [asterisk.push]"
    );
    assert_eq!(
        push_error(PHONE, "[asterisk.push]\npassword_file = \"pw\"\n"),
        "site.toml: asterisk.push.listen: phones cannot fetch from 0.0.0.0:8188: say in `public` at which address they \
         reach this machine"
    );
    let reach = "give host or address, and port, like 192.0.2.1:8188, in at most 128 characters";
    let rows = [
        ("password_file = \"pw\"", "\"pw\": there is password, too: give one of the two".to_owned()),
        (
            "listen = \"8188\"",
            "\"8188\": expected an address and a port, like 0.0.0.0:8188 or [fd00::1]:8188".to_owned(),
        ),
        (
            "lisen = \"0.0.0.0:1\"",
            "\"0.0.0.0:1\": there is no such key here: did you mean `listen`?".to_owned(),
        ),
        ("keys = \"a b\"", format!("\"a b\": phones cannot fetch from \"a b\": {reach}")),
        (
            "user = \"a:b\"",
            "\"a:b\": the user for phones must not be empty, nor hold a colon or a control character"
                .to_owned(),
        ),
        ("answer = 0", "0: answer must be at least 1".to_owned()),
        ("fetch = 0", "0: fetch must be at least 1".to_owned()),
        ("authenticates = \"yes\"", "\"yes\": expected true or false, found a string".to_owned()),
    ];
    for (line, problem) in rows {
        let key = line.split(" = ").next().unwrap();
        let section = format!("[asterisk.push]\npublic = \"192.0.2.1:8188\"\npassword = \"p\"\n{line}\n");
        assert_eq!(push_error(PHONE, &section), format!("site.toml:8: {key} = {problem}"));
    }
    assert_eq!(
        push_error(PHONE, "[asterisk.push]\npublic = \"http:\"\npassword = \"p\"\n"),
        format!("site.toml:6: public = \"http:\": phones cannot fetch from \"http:\": {reach}")
    );
    // Nothing of a secret is repeated.
    assert_eq!(
        push_error(PHONE, "[asterisk.push]\npublic = \"192.0.2.1:8188\"\npassword = \"\"\n"),
        "site.toml:7: password = <secret>: the password for phones must not be empty, nor hold a control character"
    );
    let both = "[asterisk.push]\npassword = \"p\"\npublic = \"192.0.2.1:8188\"\nsecret = \"s\"\nsecret_file = \"f\"\n";
    assert_eq!(
        push_error(PHONE, both),
        "site.toml:9: secret_file = \"f\": there is secret, too: give one of the two"
    );
}

#[test]
fn paths_are_relative_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.toml");
    let push =
        "[asterisk.push]\nlisten = \"127.0.0.1:0\"\npassword_file = \"phones\"\nsecret_file = \"keys\"\n";
    let text = format!("[asterisk]\nsecret_file = \"pw\"\n{push}[asterisk.tls]\nca_file = \"ca.pem\"\n");
    std::fs::write(&file, text).unwrap();
    let asterisk = asterisk(ServiceConfig::read(&file).unwrap());
    assert_eq!(asterisk.secret_file, Some(folder.path().join("pw")));
    assert_eq!(asterisk.tls.unwrap().ca_file, Some(folder.path().join("ca.pem")));
    let push = asterisk.push.unwrap();
    assert_eq!(push.password_file, Some(folder.path().join("phones")));
    assert_eq!(push.secret_file, Some(folder.path().join("keys")));
}

#[tokio::test]
async fn what_the_provider_is_told() {
    let mut config = AsteriskConfig::default();
    let told = provider(&config, "s".into(), ways(&config, None).await.unwrap());
    let defaults = ringback_cti_asterisk::provider::Config::new(told.session.clone());
    assert_eq!(format!("{told:?}"), format!("{defaults:?}"), "the defaults are the provider's");
    assert_eq!(told.session.server.login, Login::Challenge);
    config.tls = Some(AsteriskTlsConfig::default());
    config.proof = Millis(7);
    let device = |name| DeviceName::new(name).unwrap();
    config.phones.insert(device("1003"), CommonWay::Notify.into());
    let told = provider(&config, "s".into(), ways(&config, None).await.unwrap());
    assert_eq!((told.session.server.login, told.proof), (Login::Plain, Some(Millis(7))));
    let said = format!("{:?}", told.ways);
    assert!(said.contains("NotifyWay") && !said.contains("PushWay"), "{said}");
    assert_eq!(CtiConfig::default().user, config.user);
    // Phones that show screens share one server.
    for name in ["1001", "1002"] {
        config.phones.insert(device(name), PhoneWay::Push(format!("192.0.2.71:{name}")));
    }
    let said = ways(&config, None).await.unwrap_err().to_string();
    assert_eq!(said, "the password for phones must not be empty, nor hold a control character");
    let push = PushConfig { listen: "127.0.0.1:0".parse().unwrap(), ..PushConfig::default() };
    let told = ways(&config, Some(push.server("p".into(), None))).await.unwrap();
    assert_eq!(format!("{told:?}").matches("PushWay").count(), 2);
}

#[test]
fn authorities_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let failed = |tls: AsteriskTlsConfig| {
        let config = AsteriskConfig { tls: Some(tls), ..AsteriskConfig::default() };
        connector(&config).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let tls = AsteriskTlsConfig { ca_file: Some(file.clone()), server_name: None };
    let advice = "name a file of certificates (PEM) as ca_file in [asterisk.tls]";
    assert!(failed(tls.clone()).ends_with(advice));
    std::fs::write(&file, "nothing\n").unwrap();
    assert_eq!(failed(tls), format!("{}: holds no certificate; {advice}", file.display()));
}
