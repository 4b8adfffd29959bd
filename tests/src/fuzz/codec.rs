use bytes::BytesMut;
use ringback_cti::codec::{DecodeError, Frame, HEADER, Message, decode, encode, limits};
use ringback_model::reveal_personal_data;

/// How a frame looks: everything it says.
fn shown(frame: &Frame) -> String {
    format!("{frame:?}")
}

fn encoded(frame: &Frame) -> BytesMut {
    let mut out = BytesMut::new();
    let written = encode(frame.version, frame.sequence, &frame.message, &mut out);
    assert_eq!(written, Ok(()), "what has been decoded can be encoded");
    out
}

/// Everything that can be taken from the front of the input now.
fn take(input: &mut BytesMut, frames: &mut Vec<String>) -> Result<(), DecodeError> {
    loop {
        let before = input.len();
        match decode(input) {
            Ok(Some(frame)) => {
                assert!(before - input.len() >= HEADER, "a frame takes its header at least");
                assert!(before - input.len() <= limits::FRAME, "a frame is within its limit");
                frames.push(shown(&frame));
            }
            Ok(None) => {
                assert_eq!(input.len(), before, "an incomplete frame is left as it is");
                // Twice, because a buffer grows by doubling.
                assert!(input.capacity() <= before.max(limits::FRAME) * 2, "room for one frame is enough");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
}

/// A stream, whole and in pieces of the sizes that its first bytes say: the same frames, the same error.
pub(super) fn frame(data: &[u8]) {
    reveal_personal_data(true);
    let (sizes, stream) = data.split_at(data.len().min(4));
    let mut frames = Vec::new();
    let mut input = BytesMut::from(stream);
    let end = take(&mut input, &mut frames);

    let mut in_pieces = Vec::new();
    let mut buffer = BytesMut::new();
    let mut end_in_pieces = Ok(());
    let mut sizes = sizes.iter().cycle().map(|size| 1 + usize::from(*size));
    let mut rest = stream;
    while end_in_pieces.is_ok() && !rest.is_empty() {
        let (piece, later) = rest.split_at(sizes.next().unwrap_or(1).min(rest.len()));
        buffer.extend_from_slice(piece);
        end_in_pieces = take(&mut buffer, &mut in_pieces);
        rest = later;
    }
    assert_eq!((frames, &end), (in_pieces, &end_in_pieces));
    if end.is_ok() {
        assert_eq!(input, buffer, "what is left over is the same");
    }
}

/// One message: type and sequence, then its body. What is decoded encodes as the part of the body that was understood,
/// and decodes again as the same.
pub(super) fn message(data: &[u8]) {
    reveal_personal_data(true);
    let (head, body) = data.split_at(data.len().min(6));
    let Ok(len) = u32::try_from(HEADER + body.len()) else { return };
    let mut input = BytesMut::from(&len.to_be_bytes()[..]);
    input.extend_from_slice(&[0, 1]);
    input.extend_from_slice(head);
    input.resize(HEADER, 0);
    input.extend_from_slice(body);
    let Ok(Some(frame)) = decode(&mut input) else { return };
    assert!(input.is_empty());

    let again = encoded(&frame);
    let (header, understood) = again.split_at(HEADER);
    assert_eq!(header[4..6], [0, 1]);
    assert_eq!(header[6..6 + head.len()], *head, "type and sequence stay");
    assert!(body.starts_with(understood), "{frame:?}: {understood:?} of {body:?}");
    let mut copy = again.clone();
    let Ok(Some(second)) = decode(&mut copy) else { panic!("{frame:?} does not come back") };
    assert_eq!(shown(&second), shown(&frame));
    assert_eq!(encoded(&second), again);

    // Cut anywhere, a message that is known says nothing.
    if !matches!(frame.message, Message::Unknown { .. }) && !understood.is_empty() {
        let kept = HEADER + usize::try_from(frame.sequence).unwrap_or(0) % understood.len();
        let mut cut = BytesMut::from(&again[..kept]);
        let Ok(len) = u32::try_from(kept) else { return };
        cut[..4].copy_from_slice(&len.to_be_bytes());
        assert!(matches!(decode(&mut cut), Err(DecodeError::Truncated { .. })), "{frame:?} cut to {kept}");
    }
}
