use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::TraceError;

/// When a trace file is full, and how many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Lines a file. Default 2000.
    pub lines: u64,
    /// Files kept; the oldest is removed. Default 250.
    pub files: usize,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { lines: 2000, files: 250 }
    }
}

impl Rotation {
    pub(super) fn check(self) -> Result<(), TraceError> {
        let Self { lines, files } = self;
        if lines == 0 || files == 0 { Err(TraceError::Rotation { lines, files }) } else { Ok(()) }
    }
}

/// Writes to `<prefix><number>.log` in a folder; the number grows by one a file. A new run begins a new file.
#[derive(Debug)]
pub(super) struct Rotating {
    folder: PathBuf,
    prefix: String,
    pub(super) rotation: Rotation,
    /// The number of the file being written, or of the last one.
    number: u64,
    pub(super) file: Option<File>,
    /// Whole lines in it.
    lines: u64,
    /// Bytes in it that belong to whole lines.
    length: u64,
}

impl Rotating {
    /// Makes the folder if it is missing and begins a file.
    pub(super) fn begin(folder: PathBuf, prefix: String, rotation: Rotation) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let number = numbers(&folder, &prefix)?.last().copied().unwrap_or(0);
        let mut rotating = Self { folder, prefix, rotation, number, file: None, lines: 0, length: 0 };
        rotating.file = Some(rotating.next_file()?);
        Ok(rotating)
    }

    /// The file being written; if there is none, the one to be opened.
    pub(super) fn path(&self) -> PathBuf {
        path(&self.folder, &self.prefix, self.number + u64::from(self.file.is_none() && self.is_full()))
    }

    fn is_full(&self) -> bool {
        self.lines >= self.rotation.lines
    }

    fn next_file(&mut self) -> io::Result<File> {
        // The folder may have been removed meanwhile, with everything in it.
        fs::create_dir_all(&self.folder)?;
        let file = loop {
            let next = path(&self.folder, &self.prefix, self.number + 1);
            match OpenOptions::new().create_new(true).append(true).open(next) {
                Ok(file) => break file,
                // Another process writes beside this one: the number is taken.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => self.number += 1,
                Err(e) => return Err(e),
            }
        };
        self.number += 1;
        self.lines = 0;
        self.length = 0;
        self.remove_oldest();
        Ok(file)
    }

    /// After a failure: the same file again, or a full disk would fill with empty files and push out the old ones.
    fn same_file(&mut self) -> io::Result<File> {
        fs::create_dir_all(&self.folder)?;
        let file = OpenOptions::new().create(true).append(true).open(self.path())?;
        self.length = file.metadata()?.len();
        Ok(file)
    }

    /// What cannot be removed now is tried again with the next file: writing goes on meanwhile.
    fn remove_oldest(&self) {
        let numbers = numbers(&self.folder, &self.prefix).unwrap_or_default();
        let surplus = numbers.len().saturating_sub(self.rotation.files);
        for number in numbers.into_iter().take(surplus) {
            let _ = fs::remove_file(path(&self.folder, &self.prefix, number));
        }
    }
}

impl Write for Rotating {
    /// Writes the whole of it into one file, or nothing: an event is never torn apart.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = match self.file.take() {
            Some(file) if !self.is_full() => file,
            _ if self.is_full() => self.next_file()?,
            _ => self.same_file()?,
        };
        if let Err(e) = file.write_all(bytes) {
            // Take back what may have been written of it; if that fails too, half a line stays.
            let _ = file.set_len(self.length);
            return Err(e);
        }
        self.file = Some(file);
        self.length += bytes.len() as u64;
        self.lines += bytes.iter().fold(0, |lines, byte| lines + u64::from(*byte == b'\n'));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

fn path(folder: &Path, prefix: &str, number: u64) -> PathBuf {
    folder.join(format!("{prefix}{number:08}.log"))
}

/// The numbers of the files that exist, the lowest first.
fn numbers(folder: &Path, prefix: &str) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        // 32 bits: a name that we never gave must not lead to an overflow.
        let number: Option<u32> =
            name.to_str().and_then(|name| name.strip_prefix(prefix)?.strip_suffix(".log")?.parse().ok());
        numbers.extend(number.map(u64::from));
    }
    numbers.sort_unstable();
    Ok(numbers)
}
