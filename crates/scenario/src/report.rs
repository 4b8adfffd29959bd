use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::language::{Scenario, SyntaxError, parse};

/// How the playing of one scenario ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was as expected.
    Passed {
        /// What the reader should know all the same.
        notes: Vec<String>,
    },
    /// One statement failed; those after it were not played.
    Failed(Failure),
    /// The back end cannot play it.
    Skipped {
        /// Why not.
        reason: String,
    },
}

/// The statement that failed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its line in the file.
    pub line: usize,
    /// The statement.
    pub statement: String,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub saw: String,
}

/// Counts the outcomes and words them: one line a file, then the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Report {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts an outcome and gives the line for it.
    pub fn add(&mut self, file: &Path, outcome: &Outcome) -> String {
        let file = file.display();
        match outcome {
            Outcome::Passed { notes } => {
                self.passed += 1;
                if notes.is_empty() {
                    format!("ok {file}")
                } else {
                    format!("ok {file} ({})", notes.join("; "))
                }
            }
            Outcome::Failed(Failure { line, statement, expected, saw }) => {
                self.failed += 1;
                format!("FAILED {file}:{line}: {statement}: expected {expected}, saw {saw}")
            }
            Outcome::Skipped { reason } => {
                self.skipped += 1;
                format!("skipped {file}: {reason}")
            }
        }
    }

    /// The exit status: 1 if one failed, else 0.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        u8::from(self.failed > 0)
    }
}

impl fmt::Display for Report {
    /// `N passed, N failed`, with `, N skipped` if any was.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 { write!(f, ", {} skipped", self.skipped) } else { Ok(()) }
    }
}

/// Why there is nothing to play. The exit status is [`FileError::EXIT_STATUS`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// A file or folder could not be read.
    #[error("{path}: cannot be read: {error}", path = path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A folder holds no scenario.
    #[error("{path}: no scenario in it: expected files whose names end in .scn", path = path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// A file is not of the language.
    #[error("{path}:{error}", path = path.display())]
    Syntax {
        /// Which.
        path: PathBuf,
        /// Where and why.
        error: SyntaxError,
    },
}

impl FileError {
    /// The exit status of a program that met it.
    pub const EXIT_STATUS: u8 = 2;
}

/// The scenario files among these files and folders: a folder stands for all `*.scn` in and below it, by name.
///
/// # Errors
/// One does not exist or cannot be read, or a folder holds none.
pub fn collect(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FileError> {
    let mut files = Vec::new();
    for path in paths {
        let unreadable = |error| FileError::Unreadable { path: path.clone(), error };
        if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            let before = files.len();
            below(path, &mut files)?;
            if files.len() == before {
                return Err(FileError::Empty { path: path.clone() });
            }
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), FileError> {
    let unreadable = |error| FileError::Unreadable { path: folder.to_owned(), error };
    let mut entries = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>())
        .map_err(unreadable)?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            below(&path, files)?;
        } else if path.extension() == Some(OsStr::new("scn")) {
            files.push(path);
        }
    }
    Ok(())
}

/// Reads one scenario file.
///
/// # Errors
/// It cannot be read (or is not UTF-8), or is not of the language.
pub fn read(path: &Path) -> Result<Scenario, FileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| FileError::Unreadable { path: path.to_owned(), error })?;
    parse(&text).map_err(|error| FileError::Syntax { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_and_the_sum() {
        let mut report = Report::new();
        let failure = Failure {
            line: 7,
            statement: "expect A alerted 1 times".into(),
            expected: "A alerted 1 times within 1s".into(),
            saw: "A alerted 0 times".into(),
        };
        assert_eq!(report.add(Path::new("a.scn"), &Outcome::Passed { notes: vec![] }), "ok a.scn");
        assert_eq!(report.to_string(), "1 passed, 0 failed");
        assert_eq!(report.exit_status(), 0);
        assert_eq!(
            report.add(Path::new("d/b.scn"), &Outcome::Failed(failure)),
            "FAILED d/b.scn:7: expect A alerted 1 times: expected A alerted 1 times within 1s, saw A alerted 0 times"
        );
        assert_eq!(report.exit_status(), 1);
        let skipped = Outcome::Skipped { reason: "needs several instances".into() };
        assert_eq!(report.add(Path::new("c.scn"), &skipped), "skipped c.scn: needs several instances");
        assert_eq!(report.to_string(), "1 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn folders_are_searched_in_order_and_only_for_scenarios() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("b")).unwrap();
        for name in ["c.scn", "a.scn", "b/x.scn", "readme.md"] {
            std::fs::write(at(name), "").unwrap();
        }
        let found = collect(&[folder.path().to_owned(), at("readme.md")]).unwrap();
        assert_eq!(found, [at("a.scn"), at("b/x.scn"), at("c.scn"), at("readme.md")]);
    }

    #[test]
    fn what_is_missing_empty_or_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let shown = path.display().to_string();
        let error = collect(&[path.join("none.scn")]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{shown}/none.scn: cannot be read: ")), "{error}");
        assert_eq!(
            collect(std::slice::from_ref(&path)).unwrap_err().to_string(),
            format!("{shown}: no scenario in it: expected files whose names end in .scn")
        );
        let file = path.join("x.scn");
        std::fs::write(&file, "phone A 1\nwait long").unwrap();
        assert_eq!(
            read(&file).unwrap_err().to_string(),
            format!("{shown}/x.scn:2:6: expected a duration (250ms, 5s, 3m, 2h), found `long`")
        );
        std::fs::write(&file, [0xff]).unwrap();
        assert!(matches!(read(&file), Err(FileError::Unreadable { .. })));
    }
}
