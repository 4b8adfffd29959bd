//! Lines `eventfilter` of manager.conf: what they hold back of what ringback must be told. A server does not say which events
//! it left out, so that its lines are tried on what it would say.

use regex::{Regex, RegexBuilder};

/// What the provider listens to: the event, its class, and what a server says of it.
const NEEDED: [(&str, &str, &str); 21] = [
    ("FullyBooted", "system", "Uptime: 1\nLastReload: 1\nStatus: Fully Booted\n"),
    ("PeerStatus", "system", "ChannelType: PJSIP\nPeer: PJSIP/{phone}\nPeerStatus: Reachable\n"),
    (
        "ContactStatus",
        "system",
        "URI: sip:{phone}@192.0.2.1:5060\nContactStatus: Reachable\nAOR: {phone}\nEndpointName: {phone}\n",
    ),
    ("DeviceStateChange", "call", "Device: PJSIP/{phone}\nState: INUSE\n"),
    ("Newchannel", "call", "{channel}"),
    ("Newstate", "call", "{channel}"),
    ("NewConnectedLine", "call", "{channel}"),
    ("Rename", "call", "Channel: {name}\nNewname: {name}\nUniqueid: 1.1\n"),
    ("DialBegin", "call", "{channel}{dest}DialString: {phone}\n"),
    ("DialState", "call", "{channel}{dest}DialStatus: RINGING\n"),
    ("DialEnd", "call", "{channel}{dest}DialStatus: BUSY\n"),
    ("BridgeEnter", "call", "{bridge}{channel}"),
    ("BridgeLeave", "call", "{bridge}{channel}"),
    ("HangupRequest", "call", "{channel}Cause: 16\n"),
    ("SoftHangupRequest", "call", "{channel}Cause: 16\n"),
    ("Hangup", "call", "{channel}Cause: 16\nCause-txt: Normal Clearing\n"),
    (
        "OriginateResponse",
        "call",
        "ActionID: 1\nResponse: Success\nChannel: {name}\nContext: ringback-recall\nExten: recall\nReason: 4\n\
         Uniqueid: 1.1\n",
    ),
    ("UserEvent", "user", "{channel}UserEvent: CallBackKey\nCaller: {phone}\nCallee: 1002\n"),
    ("UserEvent", "user", "{channel}UserEvent: CallBackSoftKey\nCaller: {phone}\nPosition: 1\n"),
    ("UserEvent", "user", "{channel}UserEvent: CallBackText\nFrom: {phone}\nText: 1\n"),
    ("UserEvent", "user", "{channel}UserEvent: CallBackSetting\nPhone: {phone}\n"),
];

const CHANNEL: &str = "Channel: {name}\nChannelState: 6\nChannelStateDesc: Up\nCallerIDNum: {phone}\n\
    CallerIDName: <unknown>\nConnectedLineNum: <unknown>\nConnectedLineName: <unknown>\nLanguage: en\nAccountCode: \n\
    Context: phones\nExten: {phone}\nPriority: 1\nUniqueid: 1.1\nLinkedid: 1.1\n";

const BRIDGE: &str = "BridgeUniqueid: 0a1b\nBridgeType: basic\nBridgeTechnology: simple_bridge\nBridgeCreator: <unknown>\n\
    BridgeName: <unknown>\nBridgeNumChannels: 2\nBridgeVideoSourceMode: none\n";

/// How the pattern of a filter is held against what it looks at.
#[derive(Debug)]
enum Method {
    Regex(Regex),
    Exact(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    /// Anything will do.
    None,
}

/// One line.
#[derive(Debug)]
struct Filter {
    /// As it stands in the file.
    line: String,
    excludes: bool,
    /// Only this event.
    name: Option<String>,
    /// Only this header's value is looked at.
    header: Option<String>,
    method: Method,
}

/// The pattern as the server's own library understands it.
fn regex(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).dot_matches_new_line(true).build().ok()
}

impl Filter {
    /// `None`: not understood.
    fn parse(key: &str, value: &str) -> Option<Self> {
        let line = format!("{key} = {value}").trim_end().to_owned();
        let criteria = key.strip_prefix("eventfilter")?.trim();
        let (mut excludes, mut name, mut header, mut method) = (false, None, None, "none");
        if criteria.is_empty() {
            let pattern = value.strip_prefix('!');
            let method = Method::Regex(regex(pattern.unwrap_or(value))?);
            return Some(Self { line, excludes: pattern.is_some(), name, header, method });
        }
        let criteria = criteria.strip_prefix('(')?.strip_suffix(')')?;
        for criterion in criteria.split_inclusive(')').map(|text| text.trim_start_matches([',', ' '])) {
            let (what, which) = criterion.strip_suffix(')')?.split_once('(')?;
            match what {
                "action" => excludes = which == "exclude",
                "name" => name = Some(which.to_owned()),
                "header" => header = Some(which.to_owned()),
                "method" => method = which,
                _ => return None,
            }
        }
        let pattern = value.to_owned();
        let method = match method {
            "regex" => Method::Regex(regex(value)?),
            "exact" => Method::Exact(pattern),
            "starts_with" => Method::StartsWith(pattern),
            "ends_with" => Method::EndsWith(pattern),
            "contains" => Method::Contains(pattern),
            "none" => Method::None,
            _ => return None,
        };
        Some(Self { line, excludes, name, header, method })
    }

    fn matches(&self, event: &str, payload: &str) -> bool {
        if self.name.as_ref().is_some_and(|name| name != event) {
            return false;
        }
        match &self.header {
            None => self.takes(payload),
            Some(header) => payload
                .lines()
                .filter_map(|line| line.split_once(": "))
                .any(|(key, value)| key == header && self.takes(value)),
        }
    }

    fn takes(&self, data: &str) -> bool {
        match &self.method {
            Method::Regex(regex) => regex.is_match(data),
            Method::Exact(pattern) => data == pattern,
            Method::StartsWith(pattern) => data.starts_with(pattern),
            Method::EndsWith(pattern) => data.ends_with(pattern),
            Method::Contains(pattern) => data.contains(pattern),
            Method::None => true,
        }
    }
}

/// What the lines of a manager user hold back.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct HeldBack {
    /// The events, in order.
    pub(super) events: Vec<&'static str>,
    /// Lines that exclude some of them.
    pub(super) excluding: Vec<String>,
    /// Those that no line includes, though some include others.
    pub(super) not_included: Vec<&'static str>,
    /// Lines that were not understood.
    pub(super) unclear: Vec<String>,
}

impl HeldBack {
    /// By these lines, key and value each, of what is to be told of these phones.
    pub(super) fn by<'a>(
        lines: &[(String, String)],
        technology: &str,
        phones: impl Iterator<Item = &'a str>,
    ) -> Self {
        let mut held = Self::default();
        if lines.is_empty() {
            return held;
        }
        let mut filters = Vec::new();
        for (key, value) in lines {
            match Filter::parse(key, value) {
                Some(filter) => filters.push(filter),
                None => held.unclear.push(format!("{key} = {value}")),
            }
        }
        let phones: Vec<&str> = phones.collect();
        let phones = if phones.is_empty() { vec!["1001"] } else { phones };
        for (event, class, says) in NEEDED {
            for phone in &phones {
                held.judge(&filters, event, &payload(event, class, says, technology, phone));
            }
        }
        held
    }

    fn judge(&mut self, filters: &[Filter], event: &'static str, payload: &str) {
        let mut including = filters.iter().filter(|filter| !filter.excludes).peekable();
        let is_included =
            including.peek().is_none() || including.any(|filter| filter.matches(event, payload));
        let excluding = filters.iter().filter(|filter| filter.excludes && filter.matches(event, payload));
        let before = self.excluding.len();
        let mut is_excluded = false;
        for filter in excluding {
            is_excluded = true;
            if !self.excluding[..before].contains(&filter.line) {
                self.excluding.push(filter.line.clone());
            }
        }
        if !is_included && !self.not_included.contains(&event) {
            self.not_included.push(event);
        }
        if (is_excluded || !is_included) && !self.events.contains(&event) {
            self.events.push(event);
        }
    }
}

/// What the server would say.
fn payload(event: &str, class: &str, says: &str, technology: &str, phone: &str) -> String {
    let dest: String = CHANNEL.lines().map(|line| format!("Dest{line}\n")).collect();
    let says = says.replace("{bridge}", BRIDGE).replace("{channel}", CHANNEL).replace("{dest}", &dest);
    let says = says
        .replace("PJSIP/{phone}", &format!("{technology}{phone}"))
        .replace("{name}", &format!("{technology}{phone}-00000001"))
        .replace("{phone}", phone);
    format!("Event: {event}\nPrivilege: {class},all\n{says}").replace('\n', "\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(lines: &[(&str, &str)]) -> HeldBack {
        let lines: Vec<_> =
            lines.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        HeldBack::by(&lines, "PJSIP/", ["1001", "1002"].into_iter())
    }

    fn excluded(events: &[&'static str], lines: &[&str]) -> HeldBack {
        let excluding = lines.iter().map(|line| (*line).to_owned()).collect();
        HeldBack { events: events.to_vec(), excluding, ..HeldBack::default() }
    }

    const KEY: &str = "eventfilter";

    #[test]
    fn what_holds_nothing_back() {
        let harmless = [
            (KEY, "!Event: RTCP"),
            (KEY, "!Channel: Local/"),
            (KEY, "!Event: VarSet"),
            ("eventfilter(action(exclude),name(Newexten))", ""),
            (
                "eventfilter(action(exclude), name(Newchannel), header(Channel), method(starts_with))",
                "Local/",
            ),
        ];
        assert_eq!(held(&[]), HeldBack::default());
        assert_eq!(held(&harmless), HeldBack::default());
    }

    #[test]
    fn one_event_is_enough() {
        let line = "eventfilter = !Event: Newchannel";
        assert_eq!(
            held(&[(KEY, "!Event: RTCP"), (KEY, "!Event: Newchannel")]),
            excluded(&["Newchannel"], &[line])
        );
        let exact = "eventfilter(action(exclude),name(Hangup))";
        assert_eq!(
            held(&[(exact, "")]),
            excluded(&["Hangup"], &["eventfilter(action(exclude),name(Hangup)) ="])
        );
        // The names of two others begin like that.
        assert_eq!(
            held(&[(KEY, "!Event: (Dial|Bridge)E")]),
            excluded(&["DialEnd", "BridgeEnter"], &["eventfilter = !Event: (Dial|Bridge)E"])
        );
    }

    #[test]
    fn one_phone_is_enough() {
        let by_phone = "eventfilter(action(exclude),name(Newchannel),header(Channel),method(starts_with))";
        assert_eq!(
            held(&[(by_phone, "PJSIP/1002-")]),
            excluded(&["Newchannel"], &[&format!("{by_phone} = PJSIP/1002-")])
        );
        assert_eq!(held(&[(by_phone, "PJSIP/1003-")]), HeldBack::default());
        assert_eq!(
            held(&[(KEY, "!Event: Newstate.*Channel: PJSIP/1001")]).events,
            ["Newstate"],
            "a dot stands for the end of a line, too"
        );
    }

    #[test]
    fn methods() {
        let of = |method: &str, value: &str| {
            let key = format!("eventfilter(action(exclude),header(UserEvent),method({method}))");
            held(&[(&key, value)]).events
        };
        for (method, value) in [
            ("exact", "CallBackKey"),
            ("starts_with", "CallBack"),
            ("ends_with", "SoftKey"),
            ("contains", "Back"),
            ("regex", "^CallBack(Text|Key)$"),
            ("none", ""),
        ] {
            assert_eq!(of(method, value), ["UserEvent"], "{method}");
        }
        for (method, value) in [("exact", "CallBack"), ("ends_with", "Call"), ("regex", "^Back")] {
            assert_eq!(of(method, value), [""; 0], "{method}");
        }
    }

    #[test]
    fn what_is_not_included_is_held_back() {
        let all_but = |left_out: &str| {
            let names = NEEDED.iter().map(|(name, ..)| *name).filter(|name| *name != left_out);
            let keys: Vec<String> = names.map(|name| format!("eventfilter(name({name}))")).collect();
            let lines: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "")).collect();
            held(&lines)
        };
        assert_eq!(all_but(""), HeldBack::default());
        let expected =
            HeldBack { events: vec!["Newchannel"], not_included: vec!["Newchannel"], ..HeldBack::default() };
        assert_eq!(all_but("Newchannel"), expected);
        let both = held(&[(KEY, "Event: "), (KEY, "!Event: Rename")]);
        assert_eq!(both, excluded(&["Rename"], &["eventfilter = !Event: Rename"]));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        let lines = [(KEY, "!("), ("eventfilter(colour(red))", ""), ("eventfilter(method(magic))", "x")];
        let unclear = ["eventfilter = !(", "eventfilter(colour(red)) = ", "eventfilter(method(magic)) = x"];
        assert_eq!(
            held(&lines),
            HeldBack { unclear: unclear.map(str::to_owned).to_vec(), ..HeldBack::default() }
        );
    }
}
