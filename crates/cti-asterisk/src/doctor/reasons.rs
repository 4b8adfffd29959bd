use super::finding::{Change, Finding};
use super::look::Blind;
use super::needs::Site;
use crate::session::Loss;

const GENERAL: &str = "manager.conf, [general]";

/// What to do if a server could not be looked at.
#[must_use]
pub fn reasons(site: &Site, blind: &Blind) -> Finding {
    let told = Finding::new(blind.to_string());
    let Blind::Link(loss) = blind else { return told };
    let port = site.address.rsplit_once(':').map_or("5038", |(_, port)| port);
    let reload = "asterisk -rx 'manager reload'";
    match loss {
        Loss::Connect(why) if site.tls && why.contains("TLS") => tls(site, told, why, port),
        Loss::Connect(_) => {
            let (bind, port) = if site.tls {
                (format!("tlsbindaddr = 0.0.0.0:{port}"), "tlsenable = yes".to_owned())
            } else {
                ("bindaddr = 0.0.0.0".to_owned(), format!("port = {port}"))
            };
            told.with(Change::set(site.ours(), ["address = \"HOST:PORT\"  # where the server is"]))
                .with(Change::set(GENERAL, ["enabled = yes".to_owned(), bind, port]))
                .any()
                .then(reload)
        }
        Loss::NoGreeting(_) | Loss::Closed if !site.tls => told
            .with(Change::set(site.ours(), ["address = \"HOST:5038\"  # port of [general] in manager.conf"]))
            .with(Change::set("ringback's file, if that is the port of tlsbindaddr", [site.tls_section()]))
            .any(),
        Loss::NoGreeting(_) | Loss::NoAmi | Loss::Protocol(_) | Loss::LoginTimeout(_) | Loss::Closed => {
            told.with(Change::set(site.ours(), ["address = \"HOST:PORT\"  # of the manager interface"]))
        }
        Loss::LoginRefused(_) => {
            let from = match site.from {
                Some(from) if from.is_ipv4() => format!("permit = {from}/255.255.255.255"),
                Some(from) => format!("permit = {from}/128"),
                None => "permit = ADDRESS/255.255.255.255  ; of the machine of ringback".to_owned(),
            };
            told.with(Change::set(
                format!("manager.conf, [{}]", site.user),
                ["secret = ...  ; as in ringback's file".to_owned(), from],
            ))
            .with(Change::set(
                site.ours(),
                ["user = \"...\"  # a section of manager.conf", "secret_file = \"...\""],
            ))
            .any()
            .then(reload)
        }
        Loss::NoChallenge(_) => told
            .with(Change::set(
                format!("manager.conf, [{}]", site.user),
                ["; no line authtype or allow it: MD5"],
            ))
            .with(Change::set("ringback's file", [site.tls_section()]))
            .any()
            .then(reload),
        _ => told,
    }
}

/// The words are those of the TLS library.
fn tls(site: &Site, told: Finding, why: &str, port: &str) -> Finding {
    let ours_tls = format!("ringback's file, {}", site.tls_section());
    if ["UnknownIssuer", "BadSignature", "CaUsedAsEndEntity"].iter().any(|word| why.contains(word)) {
        return told.with(Change::set(
            ours_tls,
            ["ca_file = \"FILE.pem\"  # the authority that signed tlscertfile of manager.conf, or that file itself"],
        ));
    }
    if why.contains("NotValidForName") || why.contains("not valid for name") {
        return told
            .with(Change::set(ours_tls, ["server_name = \"NAME\"  # as in the certificate of the server"]));
    }
    if why.contains("Expired") || why.contains("expired") {
        return told
            .with(Change::set(GENERAL, ["tlscertfile = FILE.pem  ; a certificate that is still valid"]));
    }
    let host = site.address.rsplit_once(':').map_or(site.address.as_str(), |(host, _)| host);
    told.with(Change::set(
        site.ours(),
        [format!("address = \"{host}:5039\"  # port of tlsbindaddr in manager.conf")],
    ))
    .with(Change::set(
        GENERAL,
        [
            "tlsenable = yes".to_owned(),
            format!("tlsbindaddr = 0.0.0.0:{port}"),
            "tlscertfile = FILE.pem  ; certificate and key".to_owned(),
        ],
    ))
    .with(Change::remove("ringback's file", [site.tls_section()]))
    .any()
}
