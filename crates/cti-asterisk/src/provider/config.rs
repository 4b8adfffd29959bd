use ringback_model::Millis;

use crate::map::Timing;
use crate::notify::Ways;
use crate::session;

/// What a provider is told about its PBX.
#[derive(Debug, Clone)]
pub struct Config {
    /// The manager interface.
    pub session: session::Config,
    /// How the server calls a phone: this and the phone's name (default `PJSIP/`).
    pub technology: String,
    /// The context of the dialplan in which recalls and calls back begin (default `ringback-recall`): its extension
    /// `recall` waits, and any number is dialled as the phone itself would.
    pub recall_context: String,
    /// How long a recall or a call back rings its own phone (default 20 s, as Call Back Recall Timer).
    pub ring: Millis,
    /// How phones are told something.
    pub ways: Ways,
    /// How long the server may take to say that it has booted, to answer the first questions, and to show that it
    /// delivers events (default 5 s each).
    pub patience: Millis,
    /// How long a line that looks free is not believed after the *server* was started (default 2 min): a server that was
    /// restarted does not know of the calls that its phones are still in. A line that is used is believed at once.
    /// `None`: only that. Longer: callers wait longer after a restart; shorter: a caller may be told of a callee who
    /// still holds the handset of a call that died.
    pub proof: Option<Millis>,
    /// How often the directory is read anew (default 30 s). Changes that the server tells are seen at once.
    pub refresh: Millis,
    /// The waiting times of the mapping.
    pub timing: Timing,
}

impl Config {
    /// The defaults, for this manager interface.
    #[must_use]
    pub fn new(session: session::Config) -> Self {
        Self {
            session,
            technology: "PJSIP/".to_owned(),
            recall_context: "ringback-recall".to_owned(),
            ring: Millis::from_secs(20),
            ways: Ways::default(),
            patience: Millis::from_secs(5),
            proof: Some(Millis::from_mins(2)),
            refresh: Millis::from_secs(30),
            timing: Timing::default(),
        }
    }
}
