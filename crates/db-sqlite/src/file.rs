use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Fault, OpenError};

/// Which file was opened, to notice that its path leads elsewhere meanwhile: SQLite itself would go on with the old one.
#[derive(Debug)]
pub(crate) struct OpenedFile {
    path: PathBuf,
    identity: Identity,
}

type Identity = Option<(u64, u64)>;

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

/// Elsewhere an open file can be neither replaced nor deleted.
#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {
    None
}

impl OpenedFile {
    /// Says what SQLite would say less well, before it is asked to open or create the file. The path it returns still
    /// leads there when the process changes its folder, and is none of the names that are special to SQLite.
    pub(crate) fn check_path(path: &Path) -> Result<PathBuf, OpenError> {
        let path = std::path::absolute(path)
            .map_err(|error| OpenError::Other { path: path.to_owned(), reason: error.to_string() })?;
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Err(OpenError::Folder(path)),
            Ok(_) => Ok(path),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(OpenError::NotWritable(path)),
            Err(_) if path.parent().is_some_and(Path::is_dir) => Ok(path),
            Err(_) => Err(OpenError::NoFolder(path)),
        }
    }

    /// Remembers the file that was just opened, by its absolute path.
    pub(crate) fn remember(path: &Path) -> Result<Self, OpenError> {
        let path = path.to_owned();
        match fs::metadata(&path) {
            Ok(metadata) => Ok(Self { identity: identity(&metadata), path }),
            Err(error) => Err(OpenError::Other { path, reason: error.to_string() }),
        }
    }

    /// Whether the path still leads to the file that was opened.
    pub(crate) fn check<E>(&self) -> Result<(), Fault<E>> {
        match fs::metadata(&self.path) {
            Ok(metadata) if identity(&metadata) == self.identity => Ok(()),
            Ok(_) => Err(Fault::Replaced(format!(
                "{} was replaced by another file under the running service: put the former back, or restart the \
                 service to use the new one",
                self.path.display()
            ))),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Fault::Unavailable(format!(
                "{} was deleted or moved under the running service: put it back, or restart the service to begin anew",
                self.path.display()
            ))),
            Err(error) => Err(Fault::Unavailable(format!("{}: {error}", self.path.display()))),
        }
    }
}
