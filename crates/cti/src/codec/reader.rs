use super::error::DecodeError;

/// Reads fields from a body. Every length is checked against its maximum and against what is left before it is
/// used; nothing is allocated here.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline(always)]
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    #[inline(always)]
    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(DecodeError::Truncated { field })?;
        self.rest = rest;
        Ok(*head)
    }

    #[inline(always)]
    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array(field).map(u8::from_be_bytes)
    }

    #[inline(always)]
    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_be_bytes)
    }

    #[inline(always)]
    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_be_bytes)
    }

    #[inline(always)]
    pub(super) fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.array(field).map(u64::from_be_bytes)
    }

    #[inline(always)]
    pub(super) fn u128(&mut self, field: &'static str) -> Result<u128, DecodeError> {
        self.array(field).map(u128::from_be_bytes)
    }

    #[inline(always)]
    pub(super) fn flag(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        match self.u8(field)? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(DecodeError::InvalidFlag { field, value }),
        }
    }

    /// A text with a length of one byte.
    #[inline(always)]
    pub(super) fn text(&mut self, field: &'static str, max: usize) -> Result<&'a str, DecodeError> {
        let len = usize::from(self.u8(field)?);
        self.text_of(field, len, max)
    }

    /// A text with a length of two bytes.
    #[inline(always)]
    pub(super) fn long_text(&mut self, field: &'static str, max: usize) -> Result<&'a str, DecodeError> {
        let len = usize::from(self.u16(field)?);
        self.text_of(field, len, max)
    }

    #[inline(always)]
    fn text_of(&mut self, field: &'static str, len: usize, max: usize) -> Result<&'a str, DecodeError> {
        if len > max {
            return Err(DecodeError::TextTooLong { field, len, max });
        }
        let (text, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Truncated { field })?;
        self.rest = rest;
        std::str::from_utf8(text).map_err(|_| DecodeError::NotUtf8 { field })
    }

    /// The number of entries of a list; each takes at least `least` bytes.
    #[inline(always)]
    pub(super) fn count(
        &mut self,
        field: &'static str,
        max: usize,
        least: usize,
    ) -> Result<usize, DecodeError> {
        let len = usize::from(self.u16(field)?);
        if len > max {
            return Err(DecodeError::ListTooLong { field, len, max });
        }
        if len * least > self.rest.len() {
            return Err(DecodeError::Truncated { field });
        }
        Ok(len)
    }
}
