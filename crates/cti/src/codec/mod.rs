//! The wire layout, version 1, and its codec. Nothing outside this module knows a byte of it.
//!
//! All numbers are big-endian. Every message is one frame:
//!
//! ```text
//!  0               4       6       8              12
//! +---------------+-------+-------+---------------+----------------- - -
//! | length        | versn | type  | sequence      | body (length - 12)
//! +---------------+-------+-------+---------------+----------------- - -
//! ```
//!
//! * **length**: of the whole frame, 12 to 65536 ([`limits::FRAME`]). The header never changes, whatever the version.
//! * **version**: that the sender speaks; before the provider is open its oldest one, afterwards the one agreed on.
//! * **type**: `0x0001` heartbeat, `0x01xx` request, `0x02xx` answer, `0x03xx` event. An unknown type is kept as
//!   [`Message::Unknown`] and encodes as it came.
//! * **sequence**: chosen by the application for a request, repeated in its answer; 0 otherwise.
//!
//! A later version may append fields to a body: what follows the last known field is skipped, and not kept.
//! An enum's unknown number is kept as `Unknown(number)` and encodes as it came.
//!
//! # Fields
//!
//! ```text
//! text (number, name, partition, user ...)     long text (data of a phone)    list
//! +-----+----------- - -                       +-------+------------- - -     +-------+--------- - -
//! | len | UTF-8, len bytes                     |  len  | UTF-8, len bytes     | count | entries
//! +-----+----------- - -                       +-------+------------- - -     +-------+--------- - -
//! An absent number is a text of length 0. A flag is one byte, 0 or 1; `[x]` is a flag, and x if it is 1.
//!
//! appearance                                   call
//! +-------------+-----------+-------------+    +---------------+-------+-------+--------+------+
//! | device text | partition | number text |    | id (8)        | state | cause | called | peer |
//! +-------------+-----------+-------------+    +---------------+---1---+---2---+--text--+-text-+
//!
//! status: activity (1), do not disturb (flag)
//! ```
//!
//! # Bodies
//!
//! ```text
//! 0001 Heartbeat            interval ms (4): wished for by the application, in force from the CTIManager
//! 0101 ProviderOpen         oldest version (2), newest (2), epoch (8), heartbeat ms (4), user, password,
//!                           application, group
//! 0102 ProviderClose        -
//! 0103 Assume               epoch (8)
//! 0104 FeatureRegister      feature (2)
//! 0105 FeatureAnswer        invocation (8), accepted (flag)
//! 0106 DeviceOpen           device
//! 0107 DeviceClose          device
//! 0108 LineOpen             appearance
//! 0109 LineClose            appearance
//! 010a MakeCall             appearance, number, override forwarding (flag)
//! 010b DeviceData           device, [data id (16)], data (long text)
//! 0201 ProviderOpened       version (2), heartbeat ms (4)
//! 0202 DeviceOpened         status
//! 0203 LineOpened           list of calls
//! 0204 CallMade             call id (8)
//! 0205 Done                 -
//! 02ff refused              error (2)
//! 0301 DeviceInService      device
//! 0302 DeviceOutOfService   device
//! 0303 DeviceStatus         device, status
//! 0304 DeviceUserChanged    device
//! 0305 Call                 appearance, call
//! 0306 FeatureInvoked       invocation (8), feature (2), appearance, [call id (8)], state (1), cause (2), called
//! 0307 DeviceData           device, data (long text)
//! 0308 ProviderClosed       error (2)
//! ```

mod error;
mod frame;
pub mod limits;
mod message;
mod reader;
mod value;
mod writer;

#[cfg(test)]
mod tests;

pub use error::{DecodeError, EncodeError};
pub use frame::{Frame, HEADER, decode, encode};
pub use message::Message;

use crate::message::Version;

/// The oldest and the newest version that this crate speaks.
pub const VERSIONS: (Version, Version) = (Version(1), Version(1));
