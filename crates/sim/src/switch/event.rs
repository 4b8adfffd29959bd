use std::fmt;

use ringback_cti::message::{CallInfo, DeviceStatus, FeatureInvocation};
use ringback_model::{Appearance, DeviceName};

/// What a phone's user hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Nothing, or a voice.
    Silence,
    /// Dial tone.
    DialTone,
    /// Ringback: the far end rings.
    Ringback,
    /// Busy tone.
    Busy,
    /// Reorder tone: the call failed.
    Reorder,
}

impl fmt::Display for Tone {
    /// As scenarios write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silence => "silence",
            Self::DialTone => "dialtone",
            Self::Ringback => "ringback",
            Self::Busy => "busy",
            Self::Reorder => "reorder",
        })
    }
}

/// A screen as a phone shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenView {
    /// The line above.
    pub title: String,
    /// The line below.
    pub prompt: String,
    /// The text between them.
    pub text: String,
    /// The keys, in order of their positions, by their logical names.
    pub soft_keys: Vec<String>,
}

/// What happened in the switch, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchEvent {
    /// A phone registered.
    InService(DeviceName),
    /// A phone unregistered or was removed.
    OutOfService(DeviceName),
    /// A phone's status changed.
    Status {
        /// Which.
        device: DeviceName,
        /// As it is now.
        status: DeviceStatus,
    },
    /// A call changed at an appearance.
    Call {
        /// Where.
        at: Appearance,
        /// As it is now.
        info: CallInfo,
    },
    /// Another user logged in or out.
    UserChanged(DeviceName),
    /// The key of a feature was pressed; to be answered by [`Switch::feature_answered`](super::Switch::feature_answered).
    Feature(FeatureInvocation),
    /// A screen's key was pressed: the phone sends this to the application.
    Data {
        /// The phone.
        device: DeviceName,
        /// The key's logical name.
        key: String,
        /// What it sends.
        content: String,
    },
    /// The screen changed.
    Screen {
        /// Where.
        device: DeviceName,
        /// What it shows now.
        screen: Option<ScreenView>,
    },
    /// The prompt line changed.
    Prompt {
        /// Where.
        device: DeviceName,
        /// What it says now.
        text: Option<String>,
    },
    /// The phone played the alert.
    Alerted(DeviceName),
}
