use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::severity::Severity;

/// Something that is either wrong or not, and stays so until it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Condition {
    /// No link to any CTIManager.
    Cti,
    /// The directory database cannot be reached.
    Database,
    /// The request store cannot be reached.
    Store,
    /// Nothing is heard of changes in the directory.
    ChangeNotification,
    /// Trace files cannot be written.
    TraceFiles,
}

/// How an alarm is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlarmKind {
    /// Each time it happens.
    Event,
    /// When the condition begins to be wrong.
    Raises(Condition),
    /// When it is right again.
    Clears(Condition),
}

/// What an alarm says beside its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AlarmParameter {
    /// The address of the instance that tells it.
    Address,
    /// The address of another instance.
    Peer,
    /// The CTIManager, as configured.
    Manager,
    /// The epoch.
    Epoch,
    /// The rank among the backups.
    Rank,
    /// Why, as the error says it.
    Reason,
    /// Which limit.
    Limit,
    /// How many.
    Count,
    /// Which file.
    File,
    /// Which service parameter.
    Parameter,
    /// What was given.
    Value,
    /// Which request.
    Request,
    /// Which phone: personal data.
    Device,
    /// Which locale.
    Locale,
    /// The version of the program.
    Version,
}

impl AlarmParameter {
    /// The name in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Peer => "peer",
            Self::Manager => "manager",
            Self::Epoch => "epoch",
            Self::Rank => "rank",
            Self::Reason => "reason",
            Self::Limit => "limit",
            Self::Count => "count",
            Self::File => "file",
            Self::Parameter => "parameter",
            Self::Value => "value",
            Self::Request => "request",
            Self::Device => "device",
            Self::Locale => "locale",
            Self::Version => "version",
        }
    }
}

macro_rules! catalogue {
    ($(
        $name:ident: $severity:ident, $kind:expr, [$($parameter:ident),*],
        $explanation:literal,
        $action:literal;
    )+) => {
        /// All alarms. [`AlarmName::explanation`] and its neighbours say what each means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum AlarmName {
            $(#[doc = $explanation] $name,)+
        }

        impl AlarmName {
            /// All alarms, in the order of this catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name, as scenarios and settings write it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)+ }
            }

            /// How it is told.
            #[must_use]
            pub fn kind(self) -> AlarmKind {
                use AlarmKind::{Clears, Event, Raises};
                match self { $(Self::$name => $kind,)+ }
            }

            /// What it may say beside its name.
            #[must_use]
            pub fn parameters(self) -> &'static [AlarmParameter] {
                match self { $(Self::$name => &[$(AlarmParameter::$parameter),*],)+ }
            }

            /// What happened.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$name => $explanation,)+ }
            }

            /// What to do about it.
            #[must_use]
            pub fn recommended_action(self) -> &'static str {
                match self { $(Self::$name => $action,)+ }
            }
        }
    };
}

catalogue! {
    ServiceStarted: Informational, Event, [Address, Version],
        "The Call Back service has started.",
        "None.";
    ServiceStopped: Notice, Event, [Address, Reason],
        "The Call Back service has stopped in an orderly way; another instance takes over if there is one.",
        "Start it again unless it was stopped on purpose.";
    BecameActive: Notice, Event, [Address, Epoch],
        "This instance has become the active one.",
        "None if an instance was started or stopped; otherwise find out why the former active instance gave way.";
    BecameBackup: Notice, Event, [Address, Rank],
        "This instance stands by as a backup.",
        "None.";
    CtiConnected: Notice, Clears(Condition::Cti), [Manager],
        "The provider is open at a CTIManager.",
        "None.";
    CtiLost: Critical, Raises(Condition::Cti), [Manager, Reason],
        "The link to the CTIManager is gone. Requests are kept; nobody is notified until a CTIManager answers.",
        "None if CtiConnected follows. Otherwise see that a configured CTIManager runs and can be reached on its port.";
    CtiFailedOver: Warning, Event, [Manager],
        "The service uses another CTIManager than before.",
        "See why the CTIManager before it in the configured order does not answer.";
    ProviderOpenFailed: Error, Event, [Manager, Reason],
        "A CTIManager did not open the provider.",
        "Follow the reason: protocol version, number of connections, a CTIManager that does not answer in time, or one that \
         knows a later epoch: another cluster uses it, or the registry was restored from an older backup.";
    LoginRefused: Critical, Event, [Manager, Reason],
        "A CTIManager refused the user or the password.",
        "Correct user and password of the service, or give the user the right to control phones.";
    DatabaseLost: Critical, Raises(Condition::Database), [Reason],
        "The directory database cannot be reached. Pending requests go on; new ones are refused.",
        "See that the database runs and can be reached; the service recovers by itself.";
    DatabaseBack: Notice, Clears(Condition::Database), [],
        "The directory database can be reached again.",
        "None.";
    StoreLost: Alert, Raises(Condition::Store), [Reason],
        "The request store cannot be reached or written. New requests are refused and notifications wait.",
        "Follow the reason: free space on its disk, release a lock, or start its server; the service recovers by itself.";
    StoreBack: Notice, Clears(Condition::Store), [],
        "The request store can be written again.",
        "None.";
    StoreSetBack: Alert, Event, [Address, Count, Reason],
        "The request store lacks what it had confirmed: a standby has taken the server's place to which not everything had \
         been copied, or an older backup was restored. What this instance knew has been written again, as many as are \
         counted; what only others knew is lost.",
        "Let the server confirm only what a standby has, too: synchronous_standby_names for PostgreSQL.";
    LimitReached: Warning, Event, [Limit, Count],
        "A request was refused because a limit of requests is reached.",
        "Raise the service parameter that the limit names if so many requests are wanted.";
    FencedOff: Error, Event, [Address, Epoch],
        "Another instance has taken over while this one believed to be active; this one has stopped acting.",
        "Find out why this instance did not answer in time: a paused machine, an overloaded disk, a cut network.";
    SplitDetected: Critical, Event, [Address, Peer, Epoch],
        "Two instances believed to be active. Only the one with the later epoch can write and notify.",
        "Mend the network between the instances.";
    AddressConflict: Error, Event, [Address, Reason],
        "The address of an instance is taken, has changed, or is in none of the configured networks: it does not join.",
        "Give each instance an address of its own in a configured network and restart it.";
    ChangeNotificationLost: Error, Raises(Condition::ChangeNotification), [Reason],
        "Nothing is heard of changes in the directory: changed parameters and phones take effect only later.",
        "See that the database runs and that the port for change notification is free; the service recovers by itself.";
    ChangeNotificationBack: Notice, Clears(Condition::ChangeNotification), [],
        "Changes in the directory are heard again, and those that were missed have been read.",
        "None.";
    DictionaryInvalid: Error, Event, [File, Reason],
        "A dictionary of the screens is invalid and is not used.",
        "Correct the file as the reason says. Until then the dictionaries before it are used.";
    DictionaryFallback: Warning, Event, [Locale, Reason],
        "A phone's language, or a text in it, is missing: English is shown instead.",
        "Add the dictionary or the text.";
    ScreenRejected: Error, Event, [Device, Request, Reason],
        "A phone refused a screen or an alert.",
        "Follow the reason; see that the phone knows phone XML and that the audio file is on it.";
    ParameterInvalid: Error, Event, [Parameter, Value, Reason],
        "A service parameter has a value that is not allowed; its default is in force instead.",
        "Correct the parameter as the reason says.";
    RequestsNotSaved: Error, Event, [Count, Reason],
        "Requests could not be saved in time and were refused.",
        "See whether the request store is slow: its disk, its server, the network to it.";
    AlertInDoubt: Notice, Event, [Request, Epoch],
        "An alert was sent again because it is not known whether the phone played it before.",
        "None: the phone may have played it twice.";
    TraceWriteFailed: Error, Raises(Condition::TraceFiles), [File, Reason],
        "Trace files cannot be written. The service goes on without traces.",
        "Free space on the disk or make the folder writable; writing is tried again with every line.";
    TraceWriteBack: Notice, Clears(Condition::TraceFiles), [File, Count],
        "Trace files can be written again.",
        "None.";
}

impl fmt::Display for AlarmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no alarm. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{found:?} is no alarm: names are written like CtiLost, and the catalogue of alarms lists them")]
pub struct AlarmNameError {
    /// What was given.
    pub found: String,
}

impl FromStr for AlarmName {
    type Err = AlarmNameError;

    fn from_str(name: &str) -> Result<Self, AlarmNameError> {
        Self::ALL
            .iter()
            .copied()
            .find(|alarm| alarm.name() == name)
            .ok_or_else(|| AlarmNameError { found: name.to_owned() })
    }
}
