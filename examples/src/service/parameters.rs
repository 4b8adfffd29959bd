use std::fmt::Write as _;

use ringback::db::{AdminError, DirectoryError, ParameterProblem, ServiceParameters};
use thiserror::Error;

use super::config::{ServiceConfig, UnknownGroup};
use super::run::options;
use super::secret::SecretFileError;
use crate::database::{Database, OpenError};

/// The word for a value that is not set.
const DEFAULT: &str = "default";

/// Why service parameters were not shown or changed. Unless it says otherwise nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ParametersError {
    /// The file with the database's password.
    #[error(transparent)]
    SecretFile(#[from] SecretFileError),
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] DirectoryError),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] AdminError),
    /// No parameter has this name.
    #[error("there is no service parameter {name:?}: there are {}", ServiceParameters::names().collect::<Vec<_>>().join(", "))]
    UnknownName {
        /// What was said.
        name: String,
    },
    /// No group has this name.
    #[error(transparent)]
    UnknownGroup(#[from] UnknownGroup),
    /// One group's parameter is set, and it is not said which group's.
    #[error("there are several groups: say with --group whose parameter is to be set, one of {names}")]
    WhichGroup {
        /// Their names.
        names: String,
    },
    /// The value is not allowed.
    #[error("{name:?} cannot be {value:?}: allowed is {allowed}, or {DEFAULT}")]
    NotAllowed {
        /// The parameter.
        name: &'static str,
        /// What was said.
        value: String,
        /// What can be said.
        allowed: String,
    },
}

/// The service parameters in the database that the configuration names, as text: all, or the one with this name; those of
/// one group, or of every group. With a value it is set first: running instances follow. The value `default` takes back
/// what was set.
///
/// # Errors
/// Says what to do.
pub async fn parameters(
    config: &ServiceConfig,
    group: Option<&str>,
    name: Option<&str>,
    value: Option<&str>,
) -> Result<String, ParametersError> {
    let groups = config.chosen(group)?;
    if value.is_some() && groups.len() > 1 {
        return Err(ParametersError::WhichGroup { names: config.group_names() });
    }
    if let Some(name) = name.filter(|name| !ServiceParameters::names().any(|known| known == *name)) {
        return Err(ParametersError::UnknownName { name: name.to_owned() });
    }
    let set = value.filter(|value| *value != DEFAULT);
    if let (Some(name), Some(value)) = (name, set) {
        let row = [(name.to_owned(), value.to_owned())];
        if let Some(ParameterProblem::NotAllowed { name, value, allowed, .. }) =
            ServiceParameters::parse(&row).1.into_iter().next()
        {
            return Err(ParametersError::NotAllowed { name, value, allowed });
        }
    }
    let database = Database::open(&config.database.directory, &options(config)?).await?;
    if let (Some(name), Some(_), [group]) = (name, value, &groups[..]) {
        database.admin().set_parameter(&group.name, name, set).await?;
    }
    let mut texts = Vec::new();
    for group in &groups {
        let rows = database.directory().parameters(&group.name).await?;
        let heading = if groups.len() > 1 { format!("[{}]\n", group.name) } else { String::new() };
        texts.push(heading + &shown(&rows, name));
    }
    Ok(texts.join("\n"))
}

fn shown(rows: &[(String, String)], name: Option<&str>) -> String {
    let (present, _) = ServiceParameters::parse(rows);
    let mut text = String::new();
    for ((known, value), (_, default)) in present.rows().into_iter().zip(ServiceParameters::default().rows())
    {
        if name.is_none_or(|name| name == known) {
            let of_default = if value == default { String::new() } else { format!("  (default {default})") };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{known} = {value}{of_default}");
        }
    }
    text
}
