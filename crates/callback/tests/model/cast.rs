//! Who plays: six phones, five lines. 1002 is shared by B and B2; 1004 exists in two partitions.

use std::sync::LazyLock;

use ringback_callback::Refusal;
use ringback_model::{Appearance, DeviceName, DirectoryNumber, LineId, Partition};

/// Names a phone by its place in [`PHONES`].
pub(crate) type PhoneNo = usize;
/// Names a line by its place in [`LINES`].
pub(crate) type LineNo = usize;

/// The phones in the order of their names, with their lines; calls are made from the first one.
pub(crate) const PHONES: [(&str, &[LineNo]); 6] =
    [("A", &[0]), ("B", &[1]), ("B2", &[1]), ("C", &[2]), ("D", &[3]), ("E", &[4, 5])];

/// The lines: partition, number.
pub(crate) const LINES: [(&str, &str); 6] =
    [("", "1001"), ("", "1002"), ("", "1003"), ("", "1004"), ("", "1005"), ("lab", "1004")];

/// What people dial, and which line it leads to.
pub(crate) const DIALLED: [(&str, Option<LineNo>); 9] = [
    ("1001", Some(0)),
    ("1002", Some(1)),
    ("1003", Some(2)),
    ("1004", Some(3)),
    ("1005", Some(4)),
    ("21004", Some(5)),
    ("10 02", Some(1)),
    ("4711", None),
    ("10#2", None),
];

static DEVICES: LazyLock<Vec<DeviceName>> =
    LazyLock::new(|| PHONES.iter().map(|(name, _)| DeviceName::new(name).unwrap()).collect());

static LINE_IDS: LazyLock<Vec<LineId>> = LazyLock::new(|| {
    let id = |(partition, dn): &(&str, &str)| {
        LineId::new(Partition::new(partition).unwrap_or_default(), DirectoryNumber::new(dn).unwrap())
    };
    LINES.iter().map(id).collect()
});

static NUMBERS: LazyLock<Vec<DirectoryNumber>> =
    LazyLock::new(|| DIALLED.iter().map(|(dn, _)| DirectoryNumber::new(dn).unwrap()).collect());

pub(crate) fn device(p: PhoneNo) -> DeviceName {
    DEVICES[p].clone()
}

pub(crate) fn line(l: LineNo) -> LineId {
    LINE_IDS[l].clone()
}

pub(crate) fn number(n: usize) -> DirectoryNumber {
    NUMBERS[n].clone()
}

pub(crate) fn at(p: PhoneNo, l: LineNo) -> Appearance {
    Appearance { device: device(p), line: line(l) }
}

pub(crate) fn name(p: PhoneNo) -> &'static str {
    PHONES[p].0
}

pub(crate) fn phone_no(device: &DeviceName) -> PhoneNo {
    PHONES.iter().position(|(name, _)| *name == device.as_str()).unwrap()
}

pub(crate) fn line_no(line: &LineId) -> LineNo {
    LINE_IDS.iter().position(|other| other == line).unwrap()
}

pub(crate) fn first_line(p: PhoneNo) -> LineNo {
    PHONES[p].1[0]
}

pub(crate) fn phones_with(l: LineNo) -> Vec<PhoneNo> {
    (0..PHONES.len()).filter(|p| PHONES[*p].1.contains(&l)).collect()
}

/// What the directory says of every number that is called, beyond where it leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Odd {
    Nothing,
    /// R31.
    Forwards,
    /// R32: a name with `#`.
    Name,
    /// R34.
    NoKey,
}

impl Odd {
    pub(crate) fn reason(self) -> Option<Refusal> {
        match self {
            Self::Nothing => None,
            Self::Forwards => Some(Refusal::ForwardsAllCalls),
            Self::Name => Some(Refusal::NotDiallable),
            Self::NoKey => Some(Refusal::NoCallBackKey),
        }
    }
}
