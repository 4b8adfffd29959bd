//! The longest texts and lists on the wire. A longer one is refused before anything is allocated for it.

/// A whole frame with its header, in bytes.
pub const FRAME: usize = 64 * 1024;
/// The CTI user, in bytes.
pub const USER: usize = 128;
/// The password, in bytes.
pub const PASSWORD: usize = 255;
/// The application's name, in bytes.
pub const APPLICATION: usize = 64;
/// Data to or from a phone, in bytes. More than a phone takes (2000), so that the CTIManager can refuse it by name.
pub const DATA: usize = 32 * 1024;
/// The calls of one line.
pub const CALLS: usize = 256;
