use bytes::{Buf, BufMut, BytesMut};

use super::error::{DecodeError, EncodeError};
use super::limits;
use super::message::{Message, kind_of, read, write};
use super::writer::Writer;
use crate::message::Version;

/// The bytes before the body.
pub const HEADER: usize = 12;

/// One message on its way.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The version that the sender speaks.
    pub version: Version,
    /// For a request a number that the application chooses, for an answer that of its request, otherwise 0.
    pub sequence: u32,
    /// What it says.
    pub message: Message,
}

/// Takes the next whole frame from the front of `input`; `None` while it is incomplete. Nothing is copied or
/// allocated but long texts and lists.
///
/// # Errors
/// The peer did not speak the protocol. What is left in `input` means nothing any more: give up the link.
pub fn decode(input: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
    let Some(head) = input.first_chunk::<4>() else { return Ok(None) };
    let len = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
    // Judged by the first four bytes, before anything is waited for: who speaks another protocol is told at once.
    if len > limits::FRAME {
        return Err(DecodeError::MessageTooBig { len, max: limits::FRAME });
    }
    if len < HEADER {
        return Err(DecodeError::FrameTooShort { len });
    }
    if len > input.len() {
        input.reserve(len - input.len());
        return Ok(None);
    }
    let taken = Taken { input, len };
    let (mut header, body) = taken.frame();
    header.advance(4);
    let version = Version(header.get_u16());
    let kind = header.get_u16();
    let sequence = header.get_u32();
    if version == Version(0) {
        return Err(DecodeError::NoVersion);
    }
    read(version, sequence, kind, body)
}

/// A frame at the front of the buffer, taken off once it has been read: when the message is already in its place and
/// need not be moved any more.
struct Taken<'a> {
    input: &'a mut BytesMut,
    len: usize,
}

impl Taken<'_> {
    /// Header and body.
    fn frame(&self) -> (&[u8], &[u8]) {
        self.input.get(..self.len).and_then(|frame| frame.split_at_checked(HEADER)).unwrap_or_default()
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.input.advance(self.len);
    }
}

/// Appends one frame to `out`.
///
/// # Errors
/// A field is longer than the protocol allows; `out` is as it was.
pub fn encode(
    version: Version,
    sequence: u32,
    message: &Message,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let start = out.len();
    let ([v0, v1], [k0, k1]) = (version.0.to_be_bytes(), kind_of(message).to_be_bytes());
    let [s0, s1, s2, s3] = sequence.to_be_bytes();
    out.put_slice(&[0, 0, 0, 0, v0, v1, k0, k1, s0, s1, s2, s3]);
    let written = write(&mut Writer::new(out), message).and_then(|()| {
        let len = out.len() - start;
        u32::try_from(len).ok().filter(|_| len <= limits::FRAME).ok_or(EncodeError::TooLong {
            field: "the message",
            len,
            max: limits::FRAME,
        })
    });
    match written {
        Ok(len) => {
            if let Some(place) = out.get_mut(start..start + 4) {
                place.copy_from_slice(&len.to_be_bytes());
            }
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}
