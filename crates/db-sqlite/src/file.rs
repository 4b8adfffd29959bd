use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Fault, OpenError};

/// Which file a path led to: when it leads elsewhere meanwhile, SQLite itself would go on with the old one. `None` where
/// an open file can be neither replaced nor deleted.
pub(crate) type Identity = Option<(u64, u64)>;

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {
    None
}

/// Says what SQLite would say less well, before it is asked to open or create the file. The path it returns still leads
/// there when the process changes its folder, and is none of the names that are special to SQLite.
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

/// Which file is there now.
pub(crate) fn present<E>(path: &Path) -> Result<Identity, Fault<E>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(identity(&metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Fault::Unavailable(format!(
            "{} was deleted or moved under the running service: put it back, or restart the service to begin anew",
            path.display()
        ))),
        Err(error) => Err(Fault::Unavailable(format!("{}: {error}", path.display()))),
    }
}

/// Which write-ahead log is beside the file now.
pub(crate) fn log_of(path: &Path) -> Identity {
    fs::metadata(log_path(path)).ok().and_then(|metadata| identity(&metadata))
}

/// Where SQLite keeps the write-ahead log of the file.
pub(crate) fn log_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push("-wal");
    name.into()
}

/// The file as an URI that has SQLite read it as it is, leaving alone what is beside it.
#[cfg(unix)]
pub(crate) fn immutable_uri(path: &Path) -> String {
    use std::fmt::Write;
    use std::os::unix::ffi::OsStrExt;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_') {
            uri.push(char::from(*byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// Never needed: an open file is never replaced there.
#[cfg(not(unix))]
pub(crate) fn immutable_uri(path: &Path) -> String {
    format!("file:{}?immutable=1", path.display())
}
