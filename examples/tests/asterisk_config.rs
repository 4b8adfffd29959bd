//! The configuration file of the service at an Asterisk: what it may say, and what it is told of mistakes.

use std::path::Path;

use ringback::model::{DeviceName, Millis};
use ringback_cti_asterisk::session::Login;
use ringback_examples::asterisk::{AsteriskConfig, AsteriskTlsConfig, PhoneWay, connector, provider};
use ringback_examples::service::{CtiConfig, ServiceConfig};

const EXAMPLE: &str = include_str!("../asterisk/ringback.toml");

/// What every file needs.
const NEEDED: &str = "[asterisk]\nsecret = \"xyzzy\"\n";

fn parse(text: &str) -> ServiceConfig {
    ServiceConfig::parse(Path::new("site.toml"), text).unwrap_or_else(|error| panic!("{error}"))
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
    let secret = parse(NEEDED).asterisk.unwrap().secret;
    let said = config.asterisk.clone().unwrap();
    assert!(said.secret.is_some() && said.secret != secret);
    assert_eq!(said, AsteriskConfig { secret: said.secret.clone(), ..AsteriskConfig::default() });
    assert_eq!(ServiceConfig { asterisk: None, ..config }, ServiceConfig::default());
    for section in ["asterisk", "asterisk.tls"] {
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
    let text = EXAMPLE.replace("# 1003", "1003").replace("# [asterisk.tls]", "[asterisk.tls]");
    let text = text.replace("# ca_file", "ca_file").replace("# server_name", "server_name");
    let asterisk = parse(&text).asterisk.unwrap();
    assert_eq!(asterisk.phones[&DeviceName::new("1003").unwrap()], PhoneWay::Text);
    assert!(
        asterisk.uses(PhoneWay::Text) && asterisk.uses(PhoneWay::Recall) && !asterisk.uses(PhoneWay::Notify)
    );
    let tls = AsteriskTlsConfig {
        ca_file: Some("asterisk-ca.pem".into()),
        server_name: Some("pbx.example.com".to_owned()),
    };
    assert_eq!(asterisk.tls, Some(tls));
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
        ("ring = 0", "0: expected at least 1 ms"),
        ("ring = \"20 s\"", "\"20 s\": expected a whole number, found a string"),
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
    assert_eq!(
        error(&format!("{NEEDED}[asterisk.phones]\n1003 = \"post\"\n")),
        "site.toml:4: 1003 = \"post\": unknown variant `post`, expected one of `recall`, `text`, `notify`"
    );
    assert!(!format!("{:?}", parse(NEEDED)).contains("xyzzy"));
}

#[test]
fn paths_are_relative_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.toml");
    std::fs::write(&file, "[asterisk]\nsecret_file = \"pw\"\n[asterisk.tls]\nca_file = \"ca.pem\"\n")
        .unwrap();
    let asterisk = ServiceConfig::read(&file).unwrap().asterisk.unwrap();
    assert_eq!(asterisk.secret_file, Some(folder.path().join("pw")));
    assert_eq!(asterisk.tls.unwrap().ca_file, Some(folder.path().join("ca.pem")));
}

#[test]
fn what_the_provider_is_told() {
    let mut config = AsteriskConfig::default();
    let told = provider(&config, "s".into());
    let defaults = ringback_cti_asterisk::provider::Config::new(told.session.clone());
    assert_eq!(format!("{told:?}"), format!("{defaults:?}"), "the defaults are the provider's");
    assert_eq!(told.session.server.login, Login::Challenge);
    config.tls = Some(AsteriskTlsConfig::default());
    config.proof = Millis(7);
    config.phones.insert(DeviceName::new("1003").unwrap(), PhoneWay::Notify);
    let told = provider(&config, "s".into());
    assert_eq!((told.session.server.login, told.proof), (Login::Plain, Some(Millis(7))));
    assert!(format!("{:?}", told.ways).contains("NotifyWay"));
    assert_eq!(CtiConfig::default().user, config.user);
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
