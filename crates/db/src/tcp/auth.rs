use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use thiserror::Error;

/// What the greeting begins with; the challenge follows.
pub(super) const GREETING: &str = "RINGBACK-CHANGES 1 ";

/// What listener and clients both know, and nobody else. Printed redacted.
#[derive(Debug, Clone)]
pub struct SharedSecret(SecretString);

/// Why a text is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the shared secret has {length} bytes: give at least {} random ones", SharedSecret::MIN_LEN)]
pub struct SecretError {
    /// How many bytes it has.
    pub length: usize,
}

impl SharedSecret {
    /// The shortest secret, in bytes.
    pub const MIN_LEN: usize = 16;

    /// Checks its length.
    ///
    /// # Errors
    /// It is too short.
    pub fn new(secret: impl Into<SecretString>) -> Result<Self, SecretError> {
        let secret = secret.into();
        let length = secret.expose_secret().len();
        if length < Self::MIN_LEN { Err(SecretError { length }) } else { Ok(Self(secret)) }
    }

    /// What proves to have read this greeting and to know the secret.
    pub(super) fn proof(&self, greeting: &str) -> String {
        hex(&self.mac(greeting).finalize().into_bytes())
    }

    /// Whether that is the proof; takes the same time for every wrong one.
    pub(super) fn accepts(&self, greeting: &str, proof: &str) -> bool {
        unhex(proof).is_some_and(|proof| self.mac(greeting).verify_slice(&proof).is_ok())
    }

    #[expect(clippy::expect_used, reason = "invariant: HMAC takes keys of any length")]
    fn mac(&self, greeting: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes())
            .expect("invariant: HMAC takes keys of any length");
        mac.update(greeting.as_bytes());
        mac
    }
}

/// A greeting like no other before; `None` if the system has no random numbers.
pub(super) fn greeting() -> Option<String> {
    let mut challenge = [0; 32];
    getrandom::fill(&mut challenge).ok()?;
    Some(format!("{GREETING}{}", hex(&challenge)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with another implementation.
    #[test]
    fn the_proof_is_the_hmac_of_the_greeting() {
        let secret = SharedSecret::new("0123456789abcdef").unwrap();
        let proof = secret.proof("RINGBACK-CHANGES 1 00");
        assert_eq!(proof, "91f93a7f1d4198520797297f02a687db2283d56c2925ec6d0bc6c226789022d7");
        assert!(secret.accepts("RINGBACK-CHANGES 1 00", &proof));
        assert!(secret.accepts("RINGBACK-CHANGES 1 00", &proof.to_uppercase()));
        for wrong in ["", "0", "zz", "+1", &proof[2..], &proof[1..], &"0".repeat(64), &format!("{proof}00")] {
            assert!(!secret.accepts("RINGBACK-CHANGES 1 00", wrong), "{wrong}");
        }
        assert!(!secret.accepts("RINGBACK-CHANGES 1 01", &proof));
    }

    #[test]
    fn a_secret_is_long_and_not_printed() {
        let error = SharedSecret::new("short").unwrap_err();
        assert_eq!(error.to_string(), "the shared secret has 5 bytes: give at least 16 random ones");
        let printed = format!("{:?}", SharedSecret::new("0123456789abcdef").unwrap());
        assert!(!printed.contains("0123"), "{printed}");
    }

    #[test]
    fn no_two_greetings_are_alike() {
        let (one, other) = (greeting().unwrap(), greeting().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), GREETING.len() + 64);
    }
}
