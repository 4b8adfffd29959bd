use std::path::{Path, PathBuf};
use std::{fs, io};

use ringback::screen::{Dictionaries, DictionaryErrors};
use thiserror::Error;

/// Why the dictionaries of a folder cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The folder, or a file in it.
    #[error("{}: cannot be read: {reason}; give a folder of dictionaries (*.xml)", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// What is in the files.
    #[error(transparent)]
    Invalid(#[from] DictionaryErrors),
}

/// Reads every dictionary (`*.xml`) of a folder; with what is doubtful in them.
///
/// # Errors
/// One cannot be read, or is none.
pub fn load_dictionaries(folder: &Path) -> Result<(Dictionaries, Vec<String>), LoadError> {
    let unreadable = |reason| LoadError::Unreadable { path: folder.to_owned(), reason };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let content =
                fs::read(&path).map_err(|reason| LoadError::Unreadable { path: path.clone(), reason })?;
            files.push((name, content));
        }
    }
    files.sort();
    let loaded = Dictionaries::load(&files)?;
    Ok((loaded.dictionaries, loaded.warnings.iter().map(ToString::to_string).collect()))
}
