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
    let Some((mut header, body)) = input.get(..len).and_then(|frame| frame.split_at_checked(HEADER)) else {
        input.reserve(len - input.len());
        return Ok(None);
    };
    header.advance(4);
    let version = Version(header.get_u16());
    let kind = header.get_u16();
    let sequence = header.get_u32();
    if version == Version(0) {
        return Err(DecodeError::NoVersion);
    }
    let message = read(kind, body)?;
    input.advance(len);
    Ok(Some(Frame { version, sequence, message }))
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
    out.put_u32(0);
    out.put_u16(version.0);
    out.put_u16(kind_of(message));
    out.put_u32(sequence);
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
