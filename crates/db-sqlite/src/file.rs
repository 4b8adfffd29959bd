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
    /// Says what SQLite would say less well, before it is asked to open or create the file.
    pub(crate) fn check_path(path: &Path) -> Result<(), OpenError> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Err(OpenError::Folder(path.to_owned())),
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(OpenError::NotWritable(path.to_owned()));
            }
            Err(_) => {}
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_none_or(Path::is_dir) { Ok(()) } else { Err(OpenError::NoFolder(path.to_owned())) }
    }

    /// Remembers the file that was just opened.
    pub(crate) fn remember(path: &Path) -> Result<Self, OpenError> {
        // Absolute, because the process may change its folder.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&path) {
            Ok(metadata) => Ok(Self { identity: identity(&metadata), path }),
            Err(error) => Err(OpenError::Other { path, reason: error.to_string() }),
        }
    }

    /// Whether the path still leads to the file that was opened.
    pub(crate) fn check<E>(&self) -> Result<(), Fault<E>> {
        match fs::metadata(&self.path) {
            Ok(metadata) if identity(&metadata) == self.identity => Ok(()),
            Ok(_) => Err(Fault::Invalid(format!(
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
