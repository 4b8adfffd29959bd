//! The addresses of softkeys. Each says whose phone it is and what the key means, and is signed: any instance that knows the
//! secret can take it, without having shown the screen.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use ringback_model::DeviceName;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::config::Login;
use crate::notify::Press;

/// Tells the screens of one phone apart, in its first so many bytes of a signature.
const MARK_BYTES: usize = 6;

/// So many bytes of the code follow it: 144 bits are not guessed.
const CODE_BYTES: usize = 18;

/// Of which screen a key is.
pub(super) type Mark = [u8; MARK_BYTES];

/// Signs addresses, and knows its own again.
#[derive(Clone)]
pub(super) struct Signer(Hmac<Sha256>);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

impl Signer {
    /// With this secret, or else with user and password, which are the same at all instances, too: whoever knows them can
    /// have the phones do anything.
    pub(super) fn new(secret: Option<&SecretString>, login: &Login) -> Self {
        let key = match secret {
            Some(secret) => secret.expose_secret().as_bytes().to_vec(),
            None => {
                let (user, password) = (login.user.as_bytes(), login.password.expose_secret().as_bytes());
                [user, b":", password].concat()
            }
        };
        #[expect(clippy::expect_used, reason = "invariant: HMAC takes a key of any length")]
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).expect("a key of any length");
        Self(mac.chain_update(b"ringback key address 1\0"))
    }

    fn code(&self, mark: Mark, device: &str, content: &str) -> Hmac<Sha256> {
        // No name holds a NUL.
        self.0.clone().chain_update(mark).chain_update(device).chain_update([0]).chain_update(content)
    }

    /// The path of a key, from the root.
    pub(super) fn path(&self, mark: Mark, device: &DeviceName, content: &str) -> String {
        let code = self.code(mark, device.as_str(), content).finalize().into_bytes();
        let signature: Vec<u8> = mark.iter().chain(code.iter().take(CODE_BYTES)).copied().collect();
        let signature = URL_SAFE_NO_PAD.encode(signature);
        format!("/key/{signature}/{}/{}", escaped(device.as_str()), escaped(content))
    }

    /// What the rest of such a path says; `None`: nobody who knows the secret wrote it.
    pub(super) fn read(&self, signature: &str, device: &str, content: &str) -> Option<(Mark, Press)> {
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let (mark, code) = signature.split_first_chunk::<MARK_BYTES>()?;
        let (device, content) = (plain(device)?, plain(content)?);
        if code.len() != CODE_BYTES {
            return None;
        }
        self.code(*mark, &device, &content).verify_truncated_left(code).ok()?;
        Some((*mark, Press { device: DeviceName::new(device).ok()?, content }))
    }
}

/// As a part of a path.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' | b':' => escaped.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => escaped.push(char::from(byte)),
            _ => {
                let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
                escaped.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
    escaped
}

fn plain(text: &str) -> Option<String> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(plain).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signer(secret: Option<&str>, password: &str) -> Signer {
        let secret = secret.map(|secret| secret.to_owned().into());
        Signer::new(secret.as_ref(), &Login::new("ringback", password.to_owned().into()))
    }

    fn read(signer: &Signer, path: &str) -> Option<(Mark, String, String)> {
        let parts: Vec<&str> = path.strip_prefix("/key/")?.split('/').collect();
        let [signature, device, content] = parts[..] else { return None };
        let (mark, press) = signer.read(signature, device, content)?;
        Some((mark, press.device.as_str().to_owned(), press.content))
    }

    #[test]
    fn an_address_says_what_a_press_is() {
        let device = DeviceName::new("1001").unwrap();
        let path = signer(None, "secret").path([1; 6], &device, "Dial:ringback:7-12");
        assert!(path.starts_with("/key/AQEBAQEB") && path.ends_with("/1001/Dial:ringback:7-12"), "{path}");
        assert_eq!(path.len(), "/key//1001/Dial:ringback:7-12".len() + 32);
        let expected = Some(([1; 6], "1001".to_owned(), "Dial:ringback:7-12".to_owned()));
        // Another instance, or the same after a restart.
        assert_eq!(read(&signer(None, "secret"), &path), expected);
        assert_eq!(read(&signer(None, "other"), &path), None);
        assert_eq!(read(&signer(Some("secret"), "secret"), &path), None);
        let path = signer(Some("s"), "a").path([1; 6], &device, "Dial:ringback:7-12");
        assert_eq!(read(&signer(Some("s"), "b"), &path), expected);
    }

    #[test]
    fn no_part_can_be_changed() {
        let device = DeviceName::new("1001").unwrap();
        let signer = signer(None, "secret");
        let path = signer.path([1; 6], &device, "Cancel:ringback:7-12");
        for (part, other) in [("1001", "1002"), ("Cancel", "Dial"), ("7-12", "7-13"), ("AQEB", "AQEC")] {
            assert_eq!(read(&signer, &path.replace(part, other)), None, "{part}");
        }
        let signature = path.split('/').nth(2).unwrap();
        for other in ["", "AQEBAQEB", &signature[..30], &format!("{signature}AAAA")] {
            assert_eq!(signer.read(other, "1001", "Cancel:ringback:7-12"), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_name_and_content_come_back(
            name in "[a-zA-Z0-9 ._%/-]{1,30}", content in "\\PC{0,40}", mark in any::<[u8; 6]>()
        ) {
            if let Ok(device) = DeviceName::new(name.as_str()) {
                let signer = signer(None, "secret");
                let path = signer.path(mark, &device, &content);
                prop_assert!(path.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert_eq!(read(&signer, &path), Some((mark, name, content)));
            }
        }

        #[test]
        fn what_strangers_write_is_read_without_harm(
            signature in "[ -~]{0,40}", device in "[ -~]{0,20}", content in "[ -~]{0,20}"
        ) {
            prop_assert_eq!(signer(None, "secret").read(&signature, &device, &content), None);
        }
    }
}
