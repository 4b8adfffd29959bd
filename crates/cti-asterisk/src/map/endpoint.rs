use ringback_model::{Appearance, DeviceName, DirectoryNumber, LineId, Partition};

/// The channel technologies whose resources are phones. `Local`, `Message`, `Surrogate`, ... are the server's own.
const TECHNOLOGIES: [&str; 2] = ["PJSIP", "SIP"];

/// The phone behind a device name such as `PJSIP/1002`. `ccss:SIP/1001` and lists are none.
pub(crate) fn of_device(name: &str) -> Option<DeviceName> {
    let (technology, rest) = name.split_once('/')?;
    if !TECHNOLOGIES.contains(&technology) || rest.contains(['/', '&', ' ']) {
        return None;
    }
    DeviceName::new(rest).ok()
}

/// The phone behind a channel name such as `PJSIP/1002-0000000a`. A channel that has handed its phone to another one
/// (`...<ZOMBIE>`) has none.
pub(super) fn of_channel(name: &str) -> Option<DeviceName> {
    let name = name.strip_suffix("<MASQ>").unwrap_or(name);
    let (device, counter) = name.rsplit_once('-')?;
    let is_counter = !counter.is_empty() && counter.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_counter { of_device(device) } else { None }
}

/// The one line of a phone: the number it is named after. `None` if the name is too long for a number.
#[must_use]
pub fn line(device: &DeviceName) -> Option<Appearance> {
    let dn = DirectoryNumber::new(device.as_str()).ok()?;
    Some(Appearance { device: device.clone(), line: LineId::new(Partition::default(), dn) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_phones_have_a_device() {
        let found = |name: &str| of_channel(name).map(|device| device.as_str().to_owned());
        assert_eq!(found("PJSIP/1002-0000000a").as_deref(), Some("1002"));
        assert_eq!(found("SIP/front-desk-0000000A<MASQ>").as_deref(), Some("front-desk"));
        for other in [
            "Local/1002@phones-00000001;1",
            "Message/ast_msg_queue",
            "SIP/1002-0000000a<ZOMBIE>",
            "SIP/1002",
            "PJSIP/-1",
            "",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
        assert!(of_device("SIP/1001").is_some());
        for other in ["ccss:SIP/1001", "SIP/1001&SIP/1002", "Custom:DND1001", "1001"] {
            assert_eq!(of_device(other), None, "{other}");
        }
    }
}
