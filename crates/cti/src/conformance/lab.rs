use ringback_model::{Appearance, DeviceName, DirectoryNumber};

use crate::message::CallInfo;
use crate::provider::{CtiProvider, ProviderEvent};

/// How long [`Lab::hear`] waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Something must come: wait as long as it may ever take, a time-out and the next attempt to connect included.
    UntilItComes,
    /// Until nothing more is to be expected unless somebody acts. Attempts to connect that fail again and again do not
    /// count.
    UntilItIsQuiet,
}

/// What somebody in the lab does. A phone is named by its device, a line by its appearance.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// The user of the phone goes off hook and dials.
    Call {
        /// From this line.
        from: Appearance,
        /// This number.
        to: DirectoryNumber,
    },
    /// The user of the phone answers what rings.
    Answer(DeviceName),
    /// The user of the phone ends what it is in, and is on hook afterwards.
    HangUp(DeviceName),
    /// The user of the phone presses the CallBack key. Needs [`Ability::FeatureKey`].
    PressFeatureKey(DeviceName),
    /// The user of the phone presses the key of the screen that [`Lab::screen_with_key`] shows. Needs
    /// [`Ability::ScreenKey`].
    PressScreenKey(DeviceName),
    /// The phone unregisters. Needs [`Ability::Registration`].
    Unregister(DeviceName),
    /// The phone registers again. Needs [`Ability::Registration`].
    Register(DeviceName),
    /// Its user does not want to be disturbed, or does again. Needs [`Ability::DoNotDisturb`].
    DoNotDisturb(DeviceName, bool),
    /// Another user logs in at the phone. Needs [`Ability::Users`].
    ChangeUser(DeviceName),
    /// The line forwards all its calls there, or nothing. Needs [`Ability::Forwarding`].
    Forward(Appearance, Option<DirectoryNumber>),
    /// Every link of a provider to the far side breaks, and none can be made. The calls go on. Needs [`Ability::Link`].
    CutLink,
    /// Links can be made again. Needs [`Ability::Link`].
    RestoreLink,
}

/// What a far side and its lab can do beyond calls between three phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Ability {
    /// Phones have the CallBack key, or something in its place.
    FeatureKey,
    /// Phones take data ([`Lab::data`], [`Lab::received`]).
    Data,
    /// Phones play an alert ([`Lab::alert`], [`Lab::played`]).
    Alert,
    /// Phones show keys that answer to the application ([`Lab::screen_with_key`]).
    ScreenKey,
    /// Phones can be out of service.
    Registration,
    /// Phones know do-not-disturb.
    DoNotDisturb,
    /// Users log in and out.
    Users,
    /// Lines forward their calls, and a call can ring there all the same.
    Forwarding,
    /// The link can be cut and restored.
    Link,
    /// Two instances of one group can be connected at a time. [`Fencing::Strict`](crate::Fencing::Strict) demands it.
    Instances,
}

impl Ability {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::FeatureKey,
        Self::Data,
        Self::Alert,
        Self::ScreenKey,
        Self::Registration,
        Self::DoNotDisturb,
        Self::Users,
        Self::Forwarding,
        Self::Link,
        Self::Instances,
    ];
}

/// The world around a provider, as the suite plays on it: a far side that is running, and three phones of one line each
/// that are registered, idle and forward nothing.
///
/// Where a phone rings first for a call that is made from it ([`Placing::RingsFirst`](crate::Placing::RingsFirst)), its user picks
/// up by itself.
///
/// A lab acts at once: when [`act`](Self::act) returns, the far side has done it. The suite never sleeps; waiting is the
/// lab's business, so that it runs on any executor, and on a clock that stands still.
#[expect(async_fn_in_trait, reason = "the suite spawns nothing: its futures need not be Send")]
pub trait Lab {
    /// What is proven.
    type Provider: CtiProvider;

    /// What it can do. The suite leaves out what needs more; [`left_out`](super::left_out) tells what that is.
    fn abilities(&self) -> &[Ability];

    /// The three phones. Their numbers can be dialled as they are.
    fn phones(&self) -> [Appearance; 3];

    /// A new provider, of another instance each time. It stands by, and may connect only when it is polled.
    async fn provider(&mut self) -> Self::Provider;

    /// The next report of a provider; `None` if none came for so long.
    async fn hear(&mut self, provider: &mut Self::Provider, wait: Wait) -> Option<ProviderEvent>;

    /// Lets somebody do something.
    ///
    /// # Errors
    /// It cannot be done, and why: the suite ends with it.
    async fn act(&mut self, act: Act) -> Result<(), String>;

    /// Whether the phone rings now.
    async fn rings(&mut self, device: &DeviceName) -> bool;

    /// The calls of a line as they are in truth, whoever looks; only id and state count.
    async fn calls(&mut self, at: &Appearance) -> Vec<CallInfo>;

    /// Some different texts that the phones take, the stranger the better: of the greatest length, with quotation marks
    /// and letters beyond ASCII. Needs [`Ability::Data`].
    fn data(&self) -> Vec<String> {
        Vec::new()
    }

    /// What reaches a phone of one of [`data`](Self::data) under [`Delivery::Adapted`](crate::Delivery::Adapted). A provider
    /// that declares `Verbatim` is not asked.
    fn adapted(&self, content: &str) -> String {
        content.to_owned()
    }

    /// A text that is larger than the far side takes. Needs [`Ability::Data`].
    fn too_large(&self) -> String {
        "x".repeat(100_000)
    }

    /// The data that the phone was given so far, in order. Needs [`Ability::Data`].
    async fn received(&mut self, device: &DeviceName) -> Vec<String> {
        let _ = device;
        Vec::new()
    }

    /// Data on which a phone plays an alert, though the user is in a call. Needs [`Ability::Alert`].
    fn alert(&self) -> String {
        String::new()
    }

    /// How many alerts the phone has played. Needs [`Ability::Alert`].
    async fn played(&mut self, device: &DeviceName) -> u64 {
        let _ = device;
        0
    }

    /// Data on which a phone shows a screen with a key, and what the phone sends when that is pressed. Needs
    /// [`Ability::ScreenKey`].
    fn screen_with_key(&self) -> (String, String) {
        Default::default()
    }
}
