use std::net::IpAddr;

use ringback_model::{DeviceName, DirectoryNumber, Locale, Millis, Partition};

use super::parameter::{Parameter, Value};

/// A rule of the requirement, as `# covers: R12` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rule(pub u16);

/// A scenario file, understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scenario {
    /// The rules that it shows, in the order of the file.
    pub covers: Vec<Rule>,
    /// What is there before anything happens.
    pub setup: Vec<Setup>,
    /// What happens and what must be seen, in order.
    pub steps: Vec<Step>,
}

/// One set-up statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Its line in the file, from 1.
    pub line: usize,
    /// What it says.
    pub what: SetupStatement,
}

/// One statement that takes time: an action or an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its line in the file, from 1.
    pub line: usize,
    /// What it says.
    pub what: StepStatement,
}

/// The statements of the set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetupStatement {
    /// `phone NAME DN,...`.
    Phone(PhoneSetup),
    /// `pool NAME`.
    Pool {
        /// Its name.
        name: String,
        /// The softkey template of its phones.
        template: Option<String>,
    },
    /// `template NAME`.
    Template {
        /// Its name.
        name: String,
        /// Whether it has the CallBack key.
        callback: bool,
    },
    /// `set "PARAMETER" = VALUE`.
    Set(Setting),
    /// `node IP,...`.
    Nodes(Vec<IpAddr>),
    /// `ctimanager NAME,...`.
    CtiManagers(Vec<String>),
}

/// A phone and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneSetup {
    /// Its name.
    pub name: DeviceName,
    /// The numbers of its lines, in order of their buttons; at least one.
    pub lines: Vec<DirectoryNumber>,
    /// The locale of its user.
    pub locale: Option<Locale>,
    /// Its own softkey template.
    pub template: Option<String>,
    /// Its device pool.
    pub pool: Option<String>,
    /// How many calls a line takes before it is busy; 1 if not given.
    pub calls: Option<u32>,
    /// The partition of its lines; the one without a name if not given.
    pub partition: Option<Partition>,
}

/// A service parameter and its new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Which parameter.
    pub parameter: &'static Parameter,
    /// Its value.
    pub value: Value,
}

impl Setting {
    /// The value as the database holds it.
    #[must_use]
    pub fn stored(&self) -> String {
        self.parameter.stored(&self.value)
    }
}

/// An action or an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepStatement {
    /// Something is done.
    Action(Action),
    /// Something must be seen.
    Expectation(Expectation),
}

/// What can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Somebody does something at a phone.
    Phone {
        /// Which phone.
        phone: DeviceName,
        /// What.
        does: PhoneAction,
    },
    /// `remove phone NAME`, from the database.
    RemovePhone(DeviceName),
    /// `add phone NAME DN`, to the database.
    AddPhone {
        /// Its name.
        name: DeviceName,
        /// The number of its line.
        dn: DirectoryNumber,
    },
    /// Something is done to an instance of the service.
    Node {
        /// Its address.
        address: IpAddr,
        /// What.
        fault: NodeAction,
    },
    /// Something is done to a CTIManager.
    CtiManager {
        /// Its name.
        name: String,
        /// What.
        fault: CtiManagerAction,
    },
    /// `start database` or `stop database`.
    Database(Running),
    /// `start store` or `stop store`.
    Store(Running),
    /// `set "PARAMETER" = VALUE`, while the service runs.
    Set(Setting),
    /// `wait DURATION`.
    Wait(Millis),
}

/// What is done at a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhoneAction {
    /// Goes off hook and dials.
    Calls {
        /// The number dialled.
        dn: DirectoryNumber,
        /// The line it is dialled from, if not the first.
        on: Option<DirectoryNumber>,
    },
    /// Takes the call that rings.
    Answers,
    /// Ends the active call, or the one with this number.
    HangsUp(Option<DirectoryNumber>),
    /// Off hook, without dialling.
    Lifts,
    /// On hook.
    Replaces,
    /// Presses a softkey.
    Presses(Key),
    /// Call forward all on its first line: to this number, or off.
    Forwards(Option<DirectoryNumber>),
    /// Do not disturb: on or off.
    DoNotDisturb(bool),
    /// Unregisters and registers again at once.
    Resets,
    /// Unregisters.
    Unregisters,
    /// Registers.
    Registers,
    /// Extension mobility: a user logs in.
    LogsIn,
    /// Extension mobility: the user logs out.
    LogsOut,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// All of them, in the order in which messages list them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word of the language.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

words! {
    /// A softkey by its logical name, whatever the locale calls it.
    Key {
        /// The call manager's key that reaches the service.
        CallBack = "CallBack",
        /// Calls the number that has become available.
        Dial = "Dial",
        /// Ends the request.
        Cancel = "Cancel",
        /// Leaves the screen.
        Exit = "Exit",
        /// Replaces the earlier request.
        Ok = "OK",
    }
}

words! {
    /// What a phone's ear piece gives.
    Tone {
        /// The far end is busy.
        Busy = "busy",
        /// The far end rings.
        Ringback = "ringback",
        /// The call failed.
        Reorder = "reorder",
        /// Off hook, nothing dialled.
        DialTone = "dialtone",
        /// None of these.
        Silence = "silence",
    }
}

words! {
    /// What is done to an instance.
    NodeAction {
        /// It starts; one not named before joins.
        Start = "start",
        /// It stops, orderly.
        Stop = "stop",
        /// It dies, as by kill -9.
        Kill = "kill",
        /// It stands still, as by SIGSTOP.
        Pause = "pause",
        /// It goes on, as by SIGCONT.
        Resume = "resume",
        /// It is cut off from the store, its peers and the CTIManagers.
        Cut = "cut",
        /// It is connected again.
        Heal = "heal",
    }
}

words! {
    /// What is done to a CTIManager.
    CtiManagerAction {
        /// It starts; a freeze ends and its old connections close.
        Start = "start",
        /// It stops: connections close.
        Stop = "stop",
        /// Connections stay open, nothing is answered.
        Freeze = "freeze",
    }
}

words! {
    /// Whether a database runs from now on.
    Running {
        /// It runs.
        Start = "start",
        /// It does not.
        Stop = "stop",
    }
}

/// What must be seen, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// `expect X [within D]`: at some moment until then.
    Holds {
        /// X.
        condition: Condition,
        /// D; one second if not given.
        within: Option<Millis>,
    },
    /// `expect never X for D`: at no moment until then.
    Never {
        /// X.
        condition: Condition,
        /// D.
        during: Millis,
    },
}

impl Expectation {
    /// How long `expect X` waits if it does not say.
    pub const DEFAULT_WITHIN: Millis = Millis(1000);

    /// What it is about.
    #[must_use]
    pub fn condition(&self) -> &Condition {
        match self {
            Self::Holds { condition, .. } | Self::Never { condition, .. } => condition,
        }
    }
}

/// What can be true or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Something about a phone.
    Phone {
        /// Which phone.
        phone: DeviceName,
        /// What.
        is: PhoneCondition,
    },
    /// `active IP`.
    Active(IpAddr),
    /// `backups IP...`.
    Backups(Vec<IpAddr>),
    /// `no active`.
    NoActive,
    /// `IP registered NAME`; `None` is nowhere.
    Registered {
        /// The instance.
        address: IpAddr,
        /// The CTIManager at which its provider is open.
        at: Option<String>,
    },
    /// `IP database up` or `down`.
    Database {
        /// The instance.
        address: IpAddr,
        /// Whether it says that the directory can be reached.
        up: bool,
    },
    /// `pending N`.
    Pending(u64),
    /// `queue DN PHONE...`.
    Queue {
        /// The called number.
        dn: DirectoryNumber,
        /// Who waits for it, in order.
        callers: Vec<DeviceName>,
    },
    /// `open devices N`.
    OpenDevices(u64),
    /// `open lines N`.
    OpenLines(u64),
    /// `alarm NAME`.
    Alarm(String),
}

/// What can be true of a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhoneCondition {
    /// Hears this tone.
    Hears(Tone),
    /// An incoming call alerts, from this number if given.
    Rings(Option<DirectoryNumber>),
    /// Talks to this number.
    ConnectedTo(DirectoryNumber),
    /// Has no call and is on hook.
    Idle,
    /// The service's screen holds this text; `None`: no screen of the service is up.
    Shows(Option<String>),
    /// The call manager's prompt line holds this text.
    Prompts(String),
    /// The keys below the screen are exactly these, in this order.
    SoftKeys(Vec<Key>),
    /// The alert was played: at all, or exactly so many times.
    Alerted(Option<u64>),
}
