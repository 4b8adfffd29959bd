use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

use super::error::{TraceError, TraceFault};
use super::rotate::{Rotating, Rotation};

/// Trace files that rotate by lines and by count. A line that cannot be written is dropped, counted and shown by
/// [`TraceFiles::fault`]: the service never waits or fails for it. Clones write to the same files.
#[derive(Debug, Clone)]
pub struct TraceFiles(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    files: Rotating,
    fault: Option<TraceFault>,
}

impl TraceFiles {
    /// Begins a new file `<prefix><number>.log` in this folder, which is made if it is missing.
    ///
    /// # Errors
    /// The folder cannot be made or written, or an argument is out of bounds.
    pub fn open(
        folder: impl Into<PathBuf>,
        prefix: impl Into<String>,
        rotation: Rotation,
    ) -> Result<Self, TraceError> {
        let (folder, prefix) = (folder.into(), prefix.into());
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if prefix.is_empty() || prefix.len() > 64 || !prefix.chars().all(allowed) {
            return Err(TraceError::Prefix { found: prefix });
        }
        rotation.check()?;
        let files = Rotating::begin(folder.clone(), prefix, rotation)
            .map_err(|why| TraceError::Folder { folder, why })?;
        Ok(Self(Arc::new(Mutex::new(Inner { files, fault: None }))))
    }

    /// Changes the limits, from the next file on.
    ///
    /// # Errors
    /// A limit is zero.
    pub fn set_rotation(&self, rotation: Rotation) -> Result<(), TraceError> {
        rotation.check()?;
        self.locked().files.rotation = rotation;
        Ok(())
    }

    /// The limits in force.
    #[must_use]
    pub fn rotation(&self) -> Rotation {
        self.locked().files.rotation
    }

    /// Why lines are being lost now; `None` while they are written. To be looked at from time to time, for the alarms
    /// `TraceWriteFailed` and `TraceWriteBack`.
    #[must_use]
    pub fn fault(&self) -> Option<TraceFault> {
        self.locked().fault.clone()
    }

    /// The file being written.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.locked().files.path()
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        // A panic while writing has left at worst half a line.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for TraceFiles {
    /// Always succeeds: what cannot be written is counted.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = self.locked();
        match inner.files.write(bytes) {
            Ok(_) => inner.fault = None,
            Err(e) => {
                let dropped = inner.fault.as_ref().map_or(0, |fault| fault.dropped) + 1;
                inner.fault = Some(TraceFault { file: inner.files.path(), why: e.to_string(), dropped });
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.locked().files.flush()
    }
}

impl<'a> MakeWriter<'a> for TraceFiles {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use super::{Rotation, TraceFiles};

    #[test]
    fn a_full_disk_costs_lines_and_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = TraceFiles::open(folder.path(), "t-", Rotation { lines: 10, files: 2 }).unwrap();
        writeln!(files, "before").unwrap();
        for dropped in 1..=2 {
            let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
            files.locked().files.file = Some(full);
            writeln!(files, "lost").unwrap();
            let fault = files.fault().unwrap();
            assert!(fault.why.contains("No space left"), "{fault}");
            assert_eq!((fault.dropped, fault.file), (dropped, folder.path().join("t-00000001.log")));
        }
        writeln!(files, "after").unwrap();
        assert_eq!(files.fault(), None);
        assert_eq!(fs::read_to_string(files.path()).unwrap(), "before\nafter\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
