use std::net::Ipv4Addr;

use crate::address::{AMI, SIP};

/// The manager user of the tests.
pub(crate) const USER: &str = "ringback";
/// Its secret.
pub(crate) const SECRET: &str = "ringback-secret";

/// What a server of a test serves.
#[derive(Debug, Clone)]
pub struct Site {
    phones: Vec<String>,
    dialplan: String,
    /// The manager user's section, without its name and secret.
    manager: String,
    extra: Vec<(String, String)>,
}

impl Site {
    /// These phones (each is its number), the dialplan and the manager's permissions of `examples/asterisk`.
    pub fn with_phones<P: Into<String>>(phones: impl IntoIterator<Item = P>) -> Self {
        Self {
            phones: phones.into_iter().map(Into::into).collect(),
            dialplan: include_str!("../../../examples/asterisk/extensions.conf").to_owned(),
            manager: permissions(include_str!("../../../examples/asterisk/manager.conf")),
            extra: Vec::new(),
        }
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

    /// The files of its configuration.
    pub(crate) fn files(&self, address: Ipv4Addr) -> Vec<(String, String)> {
        let manager = format!(
            "[general]\nenabled = yes\nwebenabled = no\nbindaddr = {address}\nport = {AMI}\n\
             [{USER}]\nsecret = {SECRET}\ndeny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.0/255.0.0.0\n{}\n",
            self.manager
        );
        let fixed = [
            ("modules.conf", include_str!("../conf/modules.conf").to_owned()),
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
        fixed.chain(self.extra.iter().cloned()).collect()
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
                "[{phone}](phone)\nauth = {phone}\naors = {phone}\ncallerid = User {phone} <{phone}>\n\
                 [{phone}]\ntype = auth\nauth_type = userpass\nusername = {phone}\npassword = {}\n\
                 [{phone}]\ntype = aor\nmax_contacts = 1\nremove_existing = yes\nqualify_frequency = 0\n",
                password(phone)
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
