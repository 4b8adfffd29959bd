use std::path::Path;

use ringback_db::ServiceParameters;
use ringback_examples::service::{ConfigError, ServiceConfig};

/// The password of the corpus. It may be in no message, wherever a file has it as a password.
const SECRET: &str = "S3CRET";

/// A configuration file; and the same text as rows of service parameters, `NAME=VALUE` a line.
pub(super) fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    file(text);
    let rows: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    parameters(&rows);
}

fn file(text: &str) {
    let lines = text.matches('\n').count() + 1;
    match ServiceConfig::parse(Path::new("site.toml"), text) {
        Ok(config) => {
            assert!(!config.groups.is_empty());
            for group in &config.groups {
                let (cti, asterisk) = (&group.cti, group.asterisk.is_some());
                assert_ne!(!cti.managers.is_empty(), asterisk);
                assert_ne!(cti.password.is_some() || asterisk, cti.password_file.is_some());
            }
            assert!(config.traces.lines > 0 && config.traces.files > 0);
            if is_secret(text) {
                assert!(!format!("{config:?}").contains(SECRET), "{config:?}");
            }
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.starts_with("site.toml:"), "{message}");
            if is_secret(text) {
                assert!(!message.contains(SECRET), "{message}\n{text}");
            }
            if let ConfigError::Syntax { line, .. } | ConfigError::Value { line, .. } = error {
                assert!((1..=lines).contains(&line), "{message}: there are {lines} lines");
            }
        }
    }
}

/// Whether the secret stands in the text, and only as the value of a key that is for it.
fn is_secret(text: &str) -> bool {
    let mut before = text.split(SECRET).collect::<Vec<_>>();
    before.pop();
    !before.is_empty()
        && before.iter().all(|before| {
            let before = before.trim_end_matches(['"', '\'']).trim_end_matches([' ', '\t']);
            let key = before.strip_suffix('=').map(|key| key.trim_end_matches([' ', '\t', '"', '\'']));
            key.is_some_and(|key| key.ends_with("password") || key.ends_with("secret"))
        })
}

fn parameters(rows: &[(String, String)]) {
    let (parameters, problems) = ServiceParameters::parse(rows);
    assert!(problems.len() <= rows.len());
    let written: Vec<(String, String)> =
        parameters.rows().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(ServiceParameters::parse(&written), (parameters, Vec::new()));
}
