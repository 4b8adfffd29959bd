use bytes::{BufMut, BytesMut};

use super::error::EncodeError;

/// Writes fields into the caller's buffer, refusing what a reader would refuse.
pub(super) struct Writer<'a> {
    out: &'a mut BytesMut,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut BytesMut) -> Self {
        Self { out }
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.out.put_u8(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.out.put_u16(value);
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.out.put_u32(value);
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.out.put_u64(value);
    }

    pub(super) fn u128(&mut self, value: u128) {
        self.out.put_u128(value);
    }

    pub(super) fn flag(&mut self, value: bool) {
        self.out.put_u8(u8::from(value));
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.out.put_slice(bytes);
    }

    /// A text with a length of one byte.
    #[inline(always)]
    pub(super) fn text(&mut self, field: &'static str, text: &str, max: usize) -> Result<(), EncodeError> {
        let len = text.len();
        match u8::try_from(len) {
            Ok(short) if len <= max => self.out.put_u8(short),
            _ => return Err(EncodeError::TooLong { field, len, max }),
        }
        self.raw(text.as_bytes());
        Ok(())
    }

    /// A text with a length of two bytes.
    pub(super) fn long_text(
        &mut self,
        field: &'static str,
        text: &str,
        max: usize,
    ) -> Result<(), EncodeError> {
        self.count(field, text.len(), max)?;
        self.raw(text.as_bytes());
        Ok(())
    }

    /// The length of a list or of a long text.
    pub(super) fn count(&mut self, field: &'static str, len: usize, max: usize) -> Result<(), EncodeError> {
        match u16::try_from(len) {
            Ok(short) if len <= max => {
                self.out.put_u16(short);
                Ok(())
            }
            _ => Err(EncodeError::TooLong { field, len, max }),
        }
    }
}
