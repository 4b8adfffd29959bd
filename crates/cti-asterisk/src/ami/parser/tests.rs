use proptest::prelude::*;

use super::*;
use crate::ami::Action;

fn parse_with(limits: Limits, text: &[u8]) -> (Vec<Item>, Result<(), AmiError>) {
    let (mut parser, mut items) = (Parser::new(limits), Vec::new());
    let result = parser.feed(text, &mut items);
    (items, result)
}

fn parse(text: impl AsRef<[u8]>) -> Vec<Item> {
    let (items, result) = parse_with(Limits::default(), text.as_ref());
    result.unwrap();
    items
}

fn message<const N: usize>(headers: [(&str, &str); N]) -> Item {
    Item::Message(Message::from_headers(headers))
}

#[test]
fn greeting_and_messages_with_either_line_end() {
    for end in ["\r\n", "\n"] {
        let text =
            ["Asterisk Call Manager/9.0.0", "Event: X", "Variable: a=b", "Variable: c", "", ""].join(end);
        assert_eq!(
            parse(text),
            [
                Item::Greeting("9.0.0".into()),
                message([("Event", "X"), ("Variable", "a=b"), ("Variable", "c")])
            ]
        );
    }
}

#[test]
fn values_with_colons_empty_values_and_missing_blanks() {
    assert_eq!(
        parse("Event: X\nURI: sip:1002@127.0.0.22:5060;ob\nExten: \nContext:\nData:a: b\n\n"),
        [message([
            ("Event", "X"),
            ("URI", "sip:1002@127.0.0.22:5060;ob"),
            ("Exten", ""),
            ("Context", ""),
            ("Data", "a: b")
        ])]
    );
}

#[test]
fn blank_lines_between_messages_are_nothing() {
    assert_eq!(parse("\n\nEvent: A\n\n\n\nEvent: B\n\n").len(), 2);
}

#[test]
fn command_output_of_old_and_new_servers_reads_alike() {
    let old = "Response: Follows\r\nPrivilege: Command\r\nActionID: 1\r\nName: a\nno colon\n\nPrivilege: x\n\
               --END COMMAND--\r\n\r\nEvent: A\r\n\r\n";
    let output = [
        ("Response", "Follows"),
        ("Privilege", "Command"),
        ("ActionID", "1"),
        ("Output", "Name: a"),
        ("Output", "no colon"),
        ("Output", ""),
        ("Output", "Privilege: x"),
    ];
    assert_eq!(parse(old), [message(output), message([("Event", "A")])]);
    let new = "Response: Success\r\nOutput: Name: a\r\nOutput: \r\n\r\n";
    assert_eq!(parse(new), [message([("Response", "Success"), ("Output", "Name: a"), ("Output", "")])]);
}

#[test]
fn the_end_of_command_may_stand_behind_text() {
    assert_eq!(
        parse("Response: Follows\nx--END COMMAND--\n\n"),
        [message([("Response", "Follows"), ("Output", "x")])]
    );
}

#[test]
fn a_line_without_colon_continues_the_value_before() {
    assert_eq!(parse("Event: A\nAppData: x\ny\n\n"), [message([("Event", "A"), ("AppData", "x\ny")])]);
}

#[test]
fn bytes_that_are_not_utf8_are_replaced() {
    assert_eq!(
        parse(b"Event: A\nCallerIDName: J\xfcrgen\n\n"),
        [message([("Event", "A"), ("CallerIDName", "J\u{fffd}rgen")])]
    );
}

#[test]
fn malformed_streams_are_named_and_final() {
    let small = Limits { line: 10, message: 20, headers: 3 };
    let cases: [(&str, AmiError); 6] = [
        ("SSH-2.0\n", AmiError::NoColon { len: 7 }),
        (": value\n", AmiError::EmptyKey),
        ("0123456789A\n", AmiError::LineTooLong { limit: 10 }),
        ("0123456789AB", AmiError::LineTooLong { limit: 10 }),
        ("Ab: 456789\nAb: 456789\nX:\n", AmiError::MessageTooLarge { limit: 20 }),
        ("A:\nB:\nC:\nD:\n", AmiError::TooManyHeaders { limit: 3 }),
    ];
    for (text, expected) in cases {
        let (mut parser, mut items) = (Parser::new(small), Vec::new());
        assert_eq!(parser.feed(text.as_bytes(), &mut items), Err(expected.clone()), "{text:?}");
        assert_eq!(parser.feed(b"Event: A\n\n", &mut items), Err(expected));
        assert_eq!(items, []);
    }
}

#[test]
fn a_line_may_be_exactly_as_long_as_allowed() {
    let limits = Limits { line: 10, ..Limits::default() };
    for text in ["A: 3456789\r\n\r\n", "A: 3456789\n\n"] {
        assert_eq!(parse_with(limits, text.as_bytes()), (vec![message([("A", "3456789")])], Ok(())));
    }
}

#[test]
fn what_came_before_an_error_is_kept() {
    let (items, result) = parse_with(Limits::default(), b"Event: A\n\nnonsense\nEvent: B\n\n");
    assert_eq!((items, result), (vec![message([("Event", "A")])], Err(AmiError::NoColon { len: 8 })));
}

#[test]
fn knows_whether_it_is_between_messages() {
    let mut parser = Parser::default();
    let mut items = Vec::new();
    for (piece, between) in [("E", false), ("vent: A", false), ("\n", false), ("\r", false), ("\n", true)] {
        parser.feed(piece.as_bytes(), &mut items).unwrap();
        assert_eq!(parser.is_between_messages(), between, "after {piece:?}");
    }
}

fn a_value() -> impl Strategy<Value = String> {
    "[ -~äß€]{0,40}"
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_give_the_same(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), any::<u8>()], 0..200),
        cut in 0usize..200,
    ) {
        let limits = Limits { line: 30, message: 60, headers: 6 };
        let whole = parse_with(limits, &bytes);
        let (mut parser, mut items) = (Parser::new(limits), Vec::new());
        let single: Result<(), AmiError> = bytes.iter().try_for_each(|b| parser.feed(&[*b], &mut items));
        prop_assert_eq!(&whole, &(items, single));
        let (mut parser, mut items) = (Parser::new(limits), Vec::new());
        let (head, tail) = bytes.split_at(cut.min(bytes.len()));
        let halves = parser.feed(head, &mut items).and_then(|()| parser.feed(tail, &mut items));
        prop_assert_eq!(&whole, &(items, halves));
    }

    #[test]
    fn what_the_writer_writes_the_parser_reads(
        headers in proptest::collection::vec(("[A-Za-z][A-Za-z0-9-]{0,12}", a_value()), 0..20),
    ) {
        let mut action = Action::new("Originate").unwrap();
        let mut expected = vec![("Action".to_owned(), "Originate".to_owned())];
        for (key, value) in headers {
            action = action.header(&key, &value).unwrap();
            expected.push((key, value));
        }
        prop_assert_eq!(parse(action.to_bytes()), [Item::Message(Message::from_headers(expected))]);
    }
}
