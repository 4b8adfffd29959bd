use ringback_cti::ProviderEvent;
use ringback_cti_asterisk::ami::{Action, AmiError, Item, Limits, Message, Parser};
use ringback_cti_asterisk::map::{Mapper, Timing, line_of};
use ringback_cti_asterisk::trace;
use ringback_model::{DeviceName, Timestamp, reveal_personal_data};

/// Small enough that a fuzzer meets them.
const SMALL: Limits = Limits { line: 64, message: 512, headers: 12 };

/// A stream of the manager interface: read whole and in pieces, with and without narrow limits, and given to the
/// mapper; and the same bytes as a recording.
pub(super) fn target(data: &[u8]) {
    reveal_personal_data(true);
    let (head, stream) = data.split_at(data.len().min(2));
    let size = 1 + usize::from(head.first().copied().unwrap_or(0));
    let pause = u64::from(head.get(1).copied().unwrap_or(0));
    let (items, _) = read(SMALL, stream, size);
    for item in &items {
        if let Item::Message(message) = item {
            assert!(message.headers().count() <= SMALL.headers);
        }
    }
    let (items, end) = read(Limits::default(), stream, size);
    let messages: Vec<Message> = items
        .into_iter()
        .filter_map(|item| if let Item::Message(message) = item { Some(message) } else { None })
        .collect();
    if end.is_ok() {
        for message in &messages {
            written(message);
        }
    }
    map(messages.iter().enumerate().map(|(index, message)| (index as u64 * pause, message)));
    recording(data);
}

fn read(limits: Limits, stream: &[u8], size: usize) -> (Vec<Item>, Result<(), AmiError>) {
    let mut whole = Vec::new();
    let mut parser = Parser::new(limits);
    let end = parser.feed(stream, &mut whole);
    let mut pieces = Vec::new();
    let mut in_pieces = Parser::new(limits);
    let mut end_in_pieces = Ok(());
    for piece in stream.chunks(size) {
        end_in_pieces = in_pieces.feed(piece, &mut pieces);
        if end_in_pieces.is_err() {
            assert_eq!(in_pieces.feed(b"Event: A\n\n", &mut pieces), end_in_pieces, "an error is final");
            break;
        }
    }
    assert_eq!((&whole, &end), (&pieces, &end_in_pieces));
    if end.is_ok() {
        assert_eq!(parser.is_between_messages(), in_pieces.is_between_messages());
    }
    (whole, end)
}

/// What an action takes as headers is read back as the same headers, and never as more of them.
fn written(message: &Message) {
    let mut action = Action::new("Ping");
    let mut headers = vec![("Action".to_owned(), "Ping".to_owned())];
    for (key, value) in message.headers() {
        let Ok(present) = action else { return };
        action = present.clone().header(key, value);
        match action {
            Ok(_) => headers.push((key.to_owned(), value.to_owned())),
            Err(_) => action = Ok(present),
        }
    }
    let Ok(action) = action else { return };
    let mut items = Vec::new();
    let end = Parser::default().feed(&action.to_bytes(), &mut items);
    assert_eq!((items, end), (vec![Item::Message(Message::from_headers(headers))], Ok(())), "{action:?}");
}

fn recording(data: &[u8]) {
    let records = match trace::read(data) {
        Ok(records) => records,
        Err(error) => {
            let lines = data.split_inclusive(|byte| *byte == b'\n').count();
            // An empty file has no error; the end of a file is an error of its last line.
            assert!((1..=lines).contains(&error.line), "{error}: there are {lines} lines");
            return;
        }
    };
    assert!(records.windows(2).all(|pair| pair[0].at <= pair[1].at && pair[0].line <= pair[1].line));
    map(records
        .iter()
        .map(|record| (u64::try_from(record.at.as_millis()).unwrap_or(u64::MAX / 2), &record.message)));
}

/// Gives the messages to a mapper with two phones open. It tells only of those, wakes up in the future only, and comes
/// to rest.
fn map<'a>(messages: impl Iterator<Item = (u64, &'a Message)>) {
    let mut desk = Desk { mapper: Mapper::new(Timing::default()), now: 0, told: Vec::new() };
    let mut count = 0;
    for name in ["1001", "1002"] {
        let Ok(device) = DeviceName::new(name) else { return };
        desk.mapper.open_device(&device, &mut desk.told);
        if let Some(at) = line_of(&device) {
            desk.mapper.open_line(&at, &mut desk.told);
        }
    }
    for (at, message) in messages {
        desk.until(at);
        desk.mapper.handle(Timestamp(desk.now), message, &mut desk.told);
        desk.look();
        count += 1;
    }
    desk.until(desk.now.saturating_add(60_000));
    assert_eq!(desk.mapper.next_wakeup(), None, "a minute after {count} messages nothing is waited for");
}

struct Desk {
    mapper: Mapper,
    now: u64,
    told: Vec<ProviderEvent>,
}

impl Desk {
    fn until(&mut self, now: u64) {
        let now = now.max(self.now);
        while let Some(due) = self.mapper.next_wakeup().filter(|due| due.0 <= now) {
            self.now = due.0.max(self.now);
            self.mapper.poll(Timestamp(self.now), &mut self.told);
            let next = self.mapper.next_wakeup();
            assert!(next.is_none_or(|next| next.0 > self.now), "it spins at {} for {next:?}", self.now);
            self.look();
        }
        self.now = now;
    }

    fn look(&mut self) {
        for event in self.told.drain(..) {
            let device = match &event {
                ProviderEvent::Device { device, .. } | ProviderEvent::DeviceUserChanged(device) => device,
                ProviderEvent::LineOpened { at, .. } | ProviderEvent::Call { at, .. } => &at.device,
                // A key press is told of every phone.
                ProviderEvent::FeatureInvoked(_) => continue,
                other => panic!("{other:?} is not for a mapper to tell"),
            };
            assert!(matches!(device.as_str(), "1001" | "1002"), "{event:?} of a phone that is not open");
        }
    }
}
