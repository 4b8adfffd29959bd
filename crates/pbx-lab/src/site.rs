use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::address::{AMI, AMI_TLS, CHAN_SIP, SIP};

/// The manager user of the tests.
pub(crate) const USER: &str = "ringback";
/// Its secret.
pub(crate) const SECRET: &str = "ringback-secret";

/// What is loaded.
const MODULES: &str = include_str!("../conf/modules.conf");

/// What a server of a test serves.
#[derive(Debug, Clone)]
pub struct Site {
    phones: Vec<String>,
    /// Those of Asterisk 16's older SIP channel, with its own call completion.
    older: Vec<String>,
    dialplan: String,
    /// The manager user's section, without its name and secret.
    manager: String,
    /// The manager interface is there over TLS, too.
    tls: bool,
    /// Phones that are not named after their number.
    numbers: BTreeMap<String, String>,
    extra: Vec<(String, String)>,
}

impl Site {
    /// These phones (each is its number), the dialplan and the manager's permissions of `examples/asterisk`.
    pub fn with_phones<P: Into<String>>(phones: impl IntoIterator<Item = P>) -> Self {
        Self {
            phones: phones.into_iter().map(Into::into).collect(),
            dialplan: include_str!("../../../examples/asterisk/extensions.conf").to_owned(),
            manager: permissions(include_str!("../../../examples/asterisk/manager.conf")),
            tls: false,
            numbers: BTreeMap::new(),
            older: Vec::new(),
            extra: Vec::new(),
        }
    }

    /// The same with a hint for each of its phones, instead of those that the example lists.
    #[must_use]
    pub fn with_hints(self) -> Self {
        let listed = |line: &&str| line.starts_with("exten => ") && line.contains(",hint,");
        let mut dialplan = String::new();
        let mut hints = Some(
            self.phones.iter().map(|phone| format!("exten => {},hint,PJSIP/{phone}\n", self.number(phone))),
        );
        for line in self.dialplan.lines() {
            if listed(&line) {
                dialplan.extend(hints.take().into_iter().flatten());
            } else {
                dialplan.push_str(line);
                dialplan.push('\n');
            }
        }
        Self { dialplan, ..self }
    }

    /// The same, but these phones, by name, have these numbers. Hints for them are added with [`with_hints`](Self::with_hints),
    /// and the dialplan must find the phone of a number by its hint.
    #[must_use]
    pub fn with_numbers<P: Into<String>>(mut self, numbers: impl IntoIterator<Item = (P, P)>) -> Self {
        self.numbers = numbers.into_iter().map(|(phone, number)| (phone.into(), number.into())).collect();
        self
    }

    /// The same with the manager interface over TLS, too, with this certificate and key (PEM).
    #[must_use]
    pub fn with_tls(self, certificate: &str, key: &str) -> Self {
        Self { tls: true, ..self }.with_file("manager.pem", certificate).with_file("manager.key", key)
    }

    /// The same with further phones at the older SIP channel of Asterisk 16, for which the server itself completes calls
    /// (CCSS): `*66` after a failed call asks for it. `timers` are lines of their section in `sip.conf`, such as
    /// `cc_recall_timer = 20`.
    #[must_use]
    pub fn with_call_completion<P: Into<String>>(
        mut self,
        phones: impl IntoIterator<Item = P>,
        timers: &str,
    ) -> Self {
        self.older = phones.into_iter().map(Into::into).collect();
        self.dialplan.push_str(include_str!("../conf/ccss-extensions.conf"));
        let sip = include_str!("../conf/ccss-sip.conf").replace("@TIMERS@", timers);
        let phones =
            self.older.iter().map(|phone| format!("[{phone}](phone)\nsecret = {}\n", password(phone)));
        let sip = phones.fold(sip, |sip, phone| sip + &phone);
        let modules = format!("{MODULES}load = chan_sip.so\n");
        self.with_file("ccss.conf", "").with_file("sip.conf", sip).with_file("modules.conf", modules)
    }

    /// The same with another dialplan.
    #[must_use]
    pub fn with_dialplan(self, dialplan: impl Into<String>) -> Self {
        Self { dialplan: dialplan.into(), ..self }
    }

    /// The same with this text of the dialplan replaced.
    ///
    /// # Panics
    /// The text is not there.
    #[must_use]
    pub fn replacing(self, old: &str, new: &str) -> Self {
        assert!(self.dialplan.contains(old), "the dialplan has no {old:?}");
        Self { dialplan: self.dialplan.replace(old, new), ..self }
    }

    /// The same with these permissions of the manager user: lines `read = ...`, `write = ...`.
    #[must_use]
    pub fn with_permissions(self, lines: impl Into<String>) -> Self {
        Self { manager: lines.into(), ..self }
    }

    /// The same with a further configuration file.
    #[must_use]
    pub fn with_file(mut self, name: impl Into<String>, content: impl Into<String>) -> Self {
        self.extra.push((name.into(), content.into()));
        self
    }

    /// The phones.
    #[must_use]
    pub fn phones(&self) -> &[String] {
        &self.phones
    }

    /// The number of a phone.
    fn number<'s>(&'s self, phone: &'s str) -> &'s str {
        self.numbers.get(phone).map_or(phone, String::as_str)
    }

    /// Those of the older SIP channel.
    pub(crate) fn older_phones(&self) -> &[String] {
        &self.older
    }

    /// The files of its configuration; of two of one name the later counts.
    pub(crate) fn files(&self, address: Ipv4Addr) -> Vec<(String, String)> {
        let tls = if self.tls {
            format!(
                "tlsenable = yes\ntlsbindaddr = {address}:{AMI_TLS}\ntlscertfile = @ETC@/manager.pem\n\
                 tlsprivatekey = @ETC@/manager.key\n"
            )
        } else {
            String::new()
        };
        let manager = format!(
            "[general]\nenabled = yes\nwebenabled = no\nbindaddr = {address}\nport = {AMI}\n{tls}\
             [{USER}]\nsecret = {SECRET}\ndeny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.0/255.0.0.0\n{}\n",
            self.manager
        );
        let fixed = [
            ("modules.conf", MODULES.to_owned()),
            ("logger.conf", include_str!("../conf/logger.conf").to_owned()),
            ("rtp.conf", include_str!("../conf/rtp.conf").to_owned()),
            ("indications.conf", include_str!("../conf/indications.conf").to_owned()),
            ("manager.conf", manager),
            // The module for notifications does not load without its file.
            ("pjsip_notify.conf", String::new()),
            ("pjsip.conf", self.pjsip(address)),
            ("extensions.conf", self.dialplan.clone()),
        ];
        let fixed = fixed.into_iter().map(|(name, content)| (name.to_owned(), content));
        let place = |content: &String| content.replace("@ADDRESS@", &format!("{address}:{CHAN_SIP}"));
        let extra = self.extra.iter().map(|(name, content)| (name.clone(), place(content)));
        fixed.chain(extra).collect()
    }

    fn pjsip(&self, address: Ipv4Addr) -> String {
        let mut text = format!(
            "[global]\ntype = global\nendpoint_identifier_order = username,ip\n\
             [udp]\ntype = transport\nprotocol = udp\nbind = {address}:{SIP}\n\
             [phone](!)\ntype = endpoint\ntransport = udp\ncontext = phones\ndisallow = all\nallow = ulaw\n\
             dtmf_mode = info\n             direct_media = no\nrtp_symmetric = yes\nforce_rport = yes\nrewrite_contact = yes\n\
             media_address = {address}\nbind_rtp_to_media_address = yes\nmessage_context = ringback-messages\n"
        );
        for phone in &self.phones {
            text.push_str(&format!(
                "[{phone}](phone)\nauth = {phone}\naors = {phone}\ncallerid = User {phone} <{number}>\n{variable}\
                 [{phone}]\ntype = auth\nauth_type = userpass\nusername = {phone}\npassword = {}\n\
                 [{phone}]\ntype = aor\nmax_contacts = 1\nremove_existing = yes\nqualify_frequency = 0\n",
                password(phone),
                number = self.number(phone),
                variable = self.numbers.get(phone).map(|n| format!("set_var = NUMBER={n}\n")).unwrap_or_default()
            ));
        }
        text
    }
}

/// The password of a phone.
pub(crate) fn password(phone: &str) -> String {
    format!("pw{phone}")
}

/// The lines `read`, `write`, `eventfilter` ... of the example's user.
fn permissions(manager: &str) -> String {
    let wanted = ["read", "write", "eventfilter", "writetimeout"];
    let lines = manager.lines().filter(|line| {
        line.split_once('=').is_some_and(|(key, _)| wanted.iter().any(|want| key.trim().starts_with(want)))
    });
    lines.collect::<Vec<_>>().join("\n")
}
