use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringback_election::Member;
use thiserror::Error;

/// Why an instance could not show that it lives. Nothing was changed, but for an empty file that may be left.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PresenceError {
    /// Another live process has the lock.
    #[error(
        "another live instance on this machine has the address {address} (it holds {}): give one of the two another \
         address, or stop it",
        path.display()
    )]
    Held {
        /// The address.
        address: IpAddr,
        /// The lock file.
        path: PathBuf,
    },
    /// The file cannot be written or locked.
    #[error(
        "{} cannot be written and locked ({reason}): name a folder on a local disk that this user may write",
        path.display()
    )]
    Unusable {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
}

/// The sign that one run of an instance lives: a lock on a small file, which the kernel takes away when the process is
/// gone, however it ended, and not before. Others on the same machine see that, and may say
/// [`Evidence::ResourceFreed`](ringback_election::Evidence::ResourceFreed): a process that was killed is replaced at once,
/// one that is only paused still holds its lock and is not.
///
/// The file is `ringback-ADDRESS.lock`, in a folder that all instances name alike, best the one of the database. It names
/// the run that has it, and stays when the run is over. Take it before the first report to the registry: who is a member
/// there and is named in the file has held the lock.
#[derive(Debug)]
#[must_use = "the lock is given back when this is dropped"]
pub struct Presence {
    _lock: File,
    path: PathBuf,
}

/// How often a watcher looks.
const INTERVAL: Duration = Duration::from_millis(10);

/// A watcher has the lock for microseconds while it looks; a living instance for good.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

impl Presence {
    /// Takes the lock for this run of the instance, until the value is dropped or the process ends. Blocks for a moment:
    /// call it at the start.
    ///
    /// # Errors
    /// Another live process has it, or the file cannot be used.
    pub fn hold(folder: impl AsRef<Path>, me: &Member) -> Result<Self, PresenceError> {
        let path = path(folder.as_ref(), me.address);
        let unusable = |reason| PresenceError::Unusable { path: path.clone(), reason };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(unusable)?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(reason)) => return Err(unusable(reason)),
                Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    return Err(PresenceError::Held { address: me.address, path });
                }
            }
        }
        name(&mut file, me).map_err(unusable)?;
        Ok(Self { _lock: file, path })
    }

    /// The lock file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns when this very run of another instance is certainly dead; never for one that has not held its lock in this
    /// folder. Cheap, cancel-safe, and without waiting for a disk.
    pub async fn freed(folder: impl AsRef<Path>, peer: Member) {
        let path = path(folder.as_ref(), peer.address);
        let mut was_named = false;
        loop {
            match look(&path, &peer) {
                Sign::Freed => return,
                // The lock has passed on to another run, which only happens when it is free.
                Sign::OtherRun if was_named => return,
                Sign::Held => was_named = true,
                Sign::OtherRun | Sign::None => {}
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Whether this very run of another instance is certainly dead, seen once: its lock is free, and it was the last to
    /// have it.
    #[must_use]
    pub fn is_freed(folder: impl AsRef<Path>, peer: Member) -> bool {
        look(&path(folder.as_ref(), peer.address), &peer) == Sign::Freed
    }
}

/// What a lock file says of a run.
#[derive(Debug, PartialEq, Eq)]
enum Sign {
    /// It is the last that had the lock, and has it no more.
    Freed,
    /// It has the lock.
    Held,
    /// Another run has or had the lock.
    OtherRun,
    /// There is no file, or it cannot be looked at: that proves nothing.
    None,
}

fn look(path: &Path, peer: &Member) -> Sign {
    let Ok(mut file) = File::open(path) else { return Sign::None };
    // Shared: others may look at the same time. It is given back when the file is closed.
    let held = match file.try_lock_shared() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(_)) => return Sign::None,
    };
    let mut text = String::new();
    if file.read_to_string(&mut text).is_err() {
        return Sign::None;
    }
    match (text == line(peer), held) {
        (true, true) => Sign::Held,
        (true, false) => Sign::Freed,
        (false, _) => Sign::OtherRun,
    }
}

/// An address as a file name on every system.
fn path(folder: &Path, address: IpAddr) -> PathBuf {
    folder.join(format!("ringback-{}.lock", address.to_string().replace(':', "_")))
}

fn line(member: &Member) -> String {
    format!("{member}\n")
}

fn name(file: &mut File, me: &Member) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(line(me).as_bytes())
}
