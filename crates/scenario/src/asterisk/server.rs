//! The server: the dialplan of `examples/asterisk`, with what phones of a scenario need besides.

use ringback_pbx_lab::{Asterisk, LabError, Server, Site, Sound};

/// A phone that is lifted calls this.
pub(super) const HOT_LINE: &str = "*0";
/// Texts to these set what the feature codes of the same name set.
pub(super) const FORWARD: &str = "*72";
pub(super) const FORWARD_NOT: &str = "*73";
pub(super) const DISTURB_NOT: &str = "*78";
pub(super) const DISTURB: &str = "*79";
/// A text to this tells the service that the directory has changed.
pub(super) const NEWS: &str = "told";

/// What the dialplan says, and what it says here instead.
const CHANGES: [(&str, &str); 5] = [
    // As long as the language says.
    ("RING_TIME = 20", "RING_TIME = 180"),
    // A failed call goes on with its tone until the caller hangs up, as at a desk phone.
    (
        " same => n,Hangup(17)\n same => n(ring)",
        " same => n,Dial(Local/busy@tones)\n same => n,Goto(tones,BUSY,1)\n same => n(ring)",
    ),
    (" same => n,Hangup(${HANGUPCAUSE})", " same => n,Goto(tones,${DIALSTATUS},1)"),
    ("exten => _[0-9*#+]!,1,Hangup(1)", "exten => _[0-9*#+]!,1,Goto(tones,CHANUNAVAIL,1)"),
    // Numbers of any length.
    ("exten => _1XXX,1,NoOp", "exten => _X!,1,NoOp"),
];

/// What it says in addition.
const ADDITIONS: &str = "
[tones]
exten => busy,1,Busy()
exten => BUSY,1,Progress()
 same => n,Playtones(busy)
 same => n,Wait(3600)
exten => _[A-Z]!,1,Progress()
 same => n,Playtones(congestion)
 same => n,Wait(3600)

[ringback-features]
exten => *0,1,Progress()
 same => n,Playtones(dial)
 same => n,Wait(3600)

[ringback-messages]
exten => *72,1,Set(SENDER=${CUT(MESSAGE(from),@,1)})
 same => n,Set(SENDER=${CUT(SENDER,:,2)})
 same => n,Set(DB(CFWD/${SENDER})=${MESSAGE(body)})
 same => n,Goto(told,1)
exten => *73,1,Set(SENDER=${CUT(MESSAGE(from),@,1)})
 same => n,Set(SENDER=${CUT(SENDER,:,2)})
 same => n,Set(DELETED=${DB_DELETE(CFWD/${SENDER})})
 same => n,Goto(told,1)
exten => *78,1,Set(SENDER=${CUT(MESSAGE(from),@,1)})
 same => n,Set(SENDER=${CUT(SENDER,:,2)})
 same => n,Set(DB(DND/${SENDER})=1)
 same => n,Goto(told,1)
exten => *79,1,Set(SENDER=${CUT(MESSAGE(from),@,1)})
 same => n,Set(SENDER=${CUT(SENDER,:,2)})
 same => n,Set(DELETED=${DB_DELETE(DND/${SENDER})})
 same => n,Goto(told,1)
exten => told,1,UserEvent(CallBackSetting,Phone: ${SENDER})
 same => n,Hangup()
";

/// Starts a server for phones with these numbers.
pub(super) async fn start(asterisk: &Asterisk, numbers: Vec<String>) -> Result<Server, LabError> {
    let site = Site::with_phones(numbers).with_hints();
    let site = CHANGES.iter().fold(site, |site, (old, new)| site.replacing(old, new));
    let next = "\n[ringback-nowhere]\n";
    let site = site.replacing(next, &format!("{ADDITIONS}{next}"));
    let site = site.with_file("indications.conf", Sound::indications());
    Server::start(asterisk, &site).await
}
