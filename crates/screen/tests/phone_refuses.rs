//! What a phone refuses: each way to be wrong has its own error, and the error says what to do.
#![allow(clippy::expect_used, reason = "helpers of tests")]

use ringback_screen::phone::{PhoneObject, parse};

fn refusal(xml: impl AsRef<[u8]>) -> String {
    parse(xml.as_ref()).expect_err("a phone would refuse it").to_string()
}

/// A text object with this in it.
fn text_with(content: &str) -> String {
    format!("<CiscoIPPhoneText>{content}</CiscoIPPhoneText>")
}

/// A text object with one softkey with this in it.
fn key_with(content: &str) -> String {
    text_with(&format!("<Text>x</Text><SoftKeyItem>{content}</SoftKeyItem>"))
}

fn execute_with(items: &str) -> String {
    format!("<CiscoIPPhoneExecute>{items}</CiscoIPPhoneExecute>")
}

#[test]
fn entities_that_grow() {
    let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]>\
                  <CiscoIPPhoneText><Text>&b;</Text></CiscoIPPhoneText>";
    assert_eq!(refusal(laughs), "a document type definition (<!DOCTYPE>) is not allowed: remove it");
    for cut_off in ["<!DOCTYPE>", "<!DOCTYPE l [<!ENTITY a"] {
        assert_eq!(refusal(cut_off), "a document type definition (<!DOCTYPE>) is not allowed: remove it");
    }
}

#[test]
fn unknown_entities() {
    assert_eq!(
        refusal(text_with("<Text>&nbsp;</Text>")),
        "entity &nbsp; is not known: only amp, lt, gt, quot and apos are"
    );
    assert_eq!(
        refusal(text_with("<Text>&#65;</Text>")),
        "entity &#65; is not known: only amp, lt, gt, quot and apos are"
    );
    assert_eq!(
        refusal(execute_with("<ExecuteItem URL=\"&euro;\"/>")),
        "entity &euro; is not known: only amp, lt, gt, quot and apos are"
    );
    assert_eq!(refusal(text_with("<Text>A & B</Text>")), "an & stands alone: write &amp;");
    assert_eq!(refusal(execute_with("<ExecuteItem URL=\"a&b\"/>")), "an & stands alone: write &amp;");
}

#[test]
fn wrong_encodings() {
    assert_eq!(
        refusal("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><CiscoIPPhoneText/>"),
        "declared as \"ISO-8859-1\", but only UTF-8 is read: save it as UTF-8 and declare that"
    );
    assert_eq!(
        refusal(b"<CiscoIPPhoneText><Text>R\xfcckruf</Text></CiscoIPPhoneText>"),
        "not UTF-8 from byte 25 on: save it as UTF-8"
    );
    let utf16: Vec<u8> = "\u{feff}<CiscoIPPhoneText/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(refusal(utf16), "not UTF-8 from byte 0 on: save it as UTF-8");
    assert_eq!(refusal(text_with("<Text>\u{1}</Text>")), "character U+0001 is not allowed in XML: remove it");
}

#[test]
fn elements_that_do_not_nest() {
    assert_eq!(refusal("<CiscoIPPhoneText>"), "<CiscoIPPhoneText> is not closed: add </CiscoIPPhoneText>");
    assert_eq!(refusal("<CiscoIPPhoneText><Text>x"), "<Text> is not closed: add </Text>");
    assert_eq!(refusal("<CiscoIPPhoneText><Text>x</Te"), "<Text> is not closed: add </Text>");
    assert_eq!(
        refusal("<CiscoIPPhoneText><Text>x</text></CiscoIPPhoneText>"),
        "<Text> is closed by </text>: tags are case sensitive and must nest"
    );
    assert_eq!(refusal("</CiscoIPPhoneText>"), "</CiscoIPPhoneText> closes nothing: remove it");
    assert_eq!(refusal("<a>".repeat(100)), "elements are nested deeper than 8: nothing that is read here is");
}

#[test]
fn something_around_the_object() {
    assert_eq!(refusal(""), "no element in it: it is empty");
    assert_eq!(refusal(" \n"), "no element in it: it is empty");
    assert_eq!(refusal("x<CiscoIPPhoneText/>"), "something stands outside the outermost element: remove it");
    assert_eq!(
        refusal("<CiscoIPPhoneError Number=\"1\"/><CiscoIPPhoneError Number=\"1\"/>"),
        "something stands outside the outermost element: remove it"
    );
}

#[test]
fn markup_that_a_phone_does_not_read() {
    assert_eq!(refusal("<!-- hello -->"), "a comment is not allowed here: remove it");
    assert_eq!(refusal(text_with("<![CDATA[x]]>")), "a CDATA section is not allowed here: remove it");
    assert_eq!(refusal("<?php x?>"), "a processing instruction is not allowed here: remove it");
    assert_eq!(
        refusal("<CiscoIPPhoneText/><?xml version=\"1.0\"?>"),
        "an XML declaration is not allowed here: remove it"
    );
}

#[test]
fn unknown_tags() {
    assert_eq!(
        refusal("<ciscoipphonetext/>"),
        "<ciscoipphonetext> is no object that a phone knows: tags are case sensitive"
    );
    assert_eq!(
        refusal(text_with("<title>x</title>")),
        "<title> is not known in <CiscoIPPhoneText>: tags are case sensitive"
    );
    assert_eq!(
        refusal(text_with("<Text>a<b>c</b></Text>")),
        "<b> is not known in <Text>: tags are case sensitive"
    );
    assert_eq!(
        refusal(key_with("<Url>x</Url>")),
        "<Url> is not known in <SoftKeyItem>: tags are case sensitive"
    );
    assert_eq!(
        refusal(execute_with("<Item/>")),
        "<Item> is not known in <CiscoIPPhoneExecute>: tags are case sensitive"
    );
    assert_eq!(
        refusal(execute_with("<ExecuteItem URL=\"x\" Prio=\"1\"/>")),
        "attribute Prio is not known in <ExecuteItem>"
    );
    assert_eq!(refusal("<CiscoIPPhoneText a=\"1\"/>"), "attribute a is not known in <CiscoIPPhoneText>");
    assert_eq!(
        refusal(text_with("hello<Text>x</Text>")),
        "<CiscoIPPhoneText> holds text beside its elements: remove it"
    );
}

#[test]
fn things_given_twice() {
    for tag in ["Title", "Prompt", "Text"] {
        let twice = text_with(&format!("<{tag}>x</{tag}><{tag}/>"));
        assert_eq!(refusal(twice), format!("<{tag}> stands twice in <CiscoIPPhoneText>: keep one"));
    }
    for tag in ["Name", "URL", "Position"] {
        let twice = key_with(&format!("<{tag}>1</{tag}><{tag}>2</{tag}>"));
        assert_eq!(refusal(twice), format!("<{tag}> stands twice in <SoftKeyItem>: keep one"));
    }
    assert_eq!(
        refusal(execute_with("<ExecuteItem URL=\"x\" URL=\"y\"/>")),
        "<ExecuteItem> has the same attribute twice: remove one"
    );
    let key = "<SoftKeyItem><Name>a</Name><URL>b</URL><Position>3</Position></SoftKeyItem>";
    assert_eq!(refusal(text_with(&format!("<Text/>{key}{key}"))), "two softkeys have position 3: move one");
}

#[test]
fn things_that_are_missing() {
    assert_eq!(refusal(text_with("<Title>x</Title>")), "<CiscoIPPhoneText> has no Text: add one");
    assert_eq!(refusal(key_with("<URL>x</URL><Position>1</Position>")), "<SoftKeyItem> has no Name: add one");
    assert_eq!(
        refusal(key_with("<Name>x</Name><Position>1</Position>")),
        "<SoftKeyItem> has no URL: add one"
    );
    assert_eq!(refusal(key_with("<Name>x</Name><URL>x</URL>")), "<SoftKeyItem> has no Position: add one");
    assert_eq!(
        refusal(key_with("<Name/><URL>x</URL><Position>1</Position>")),
        "Name of <SoftKeyItem> is empty"
    );
    assert_eq!(
        refusal(key_with("<Name>x</Name><URL/><Position>1</Position>")),
        "URL of <SoftKeyItem> is empty"
    );
    assert_eq!(refusal(execute_with("")), "<CiscoIPPhoneExecute> has no ExecuteItem: add one");
    assert_eq!(refusal(execute_with("<ExecuteItem Priority=\"0\"/>")), "<ExecuteItem> has no URL: add one");
    assert_eq!(refusal("<CiscoIPPhoneError/>"), "<CiscoIPPhoneError> has no Number: add one");
}

#[test]
fn numbers_that_are_none() {
    for position in ["0", "17", "256", "one", ""] {
        let key = key_with(&format!("<Name>x</Name><URL>x</URL><Position>{position}</Position>"));
        assert_eq!(refusal(key), format!("softkey position {position:?} is not a number from 1 to 16"));
    }
    assert_eq!(
        refusal(execute_with("<ExecuteItem URL=\"x\" Priority=\"3\"/>")),
        "priority \"3\" is not 0 (at once), 1 (when idle) or 2 (only if idle)"
    );
    assert_eq!(
        refusal("<CiscoIPPhoneError Number=\"many\"/>"),
        "error number \"many\" is not a number from 0 to 255"
    );
}

#[test]
fn things_that_are_too_long() {
    let long = "x".repeat(33);
    assert_eq!(
        refusal(text_with(&format!("<Title>{long}</Title><Text/>"))),
        "title: 33 characters, but a phone takes at most 32: shorten it"
    );
    assert_eq!(
        refusal(text_with(&format!("<Prompt>{long}</Prompt><Text/>"))),
        "prompt: 33 characters, but a phone takes at most 32: shorten it"
    );
    assert_eq!(
        refusal(key_with(&format!("<Name>{long}</Name><URL>x</URL><Position>1</Position>"))),
        "softkey name: 33 characters, but a phone takes at most 32: shorten it"
    );
    let url = "x".repeat(257);
    assert_eq!(
        refusal(key_with(&format!("<Name>x</Name><URL>{url}</URL><Position>1</Position>"))),
        "URL: 257 characters, but a phone takes at most 256: shorten it"
    );
    assert_eq!(
        refusal(text_with(&format!("<Text>{}</Text>", "x".repeat(2000)))),
        "phone XML: 2050 bytes, but a phone takes at most 2000: shorten it"
    );
    assert_eq!(
        refusal(execute_with(&"<ExecuteItem URL=\"Play:x\"/>".repeat(4))),
        "items to execute: 4 items, but a phone takes at most 3: shorten it"
    );
    assert_eq!(
        refusal(execute_with(&"<ExecuteItem URL=\"HTTP://x\"/>".repeat(2))),
        "HTTP items to execute: 2 items, but a phone takes at most 1: shorten it"
    );
}

#[test]
fn truncated_anywhere_it_is_refused() {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><CiscoIPPhoneText><Title>é</Title><Text>a &amp; b</Text>\
               <SoftKeyItem><Name>n</Name><URL>u</URL><Position>1</Position></SoftKeyItem></CiscoIPPhoneText>";
    assert!(parse(xml.as_bytes()).is_ok());
    for end in 0..xml.len() {
        assert!(parse(&xml.as_bytes()[..end]).is_err(), "taken: {}", &xml[..end]);
    }
}

#[test]
fn what_is_allowed_is_taken() {
    let xml = "\u{feff}<?xml version='1.0'?>\r\n<CiscoIPPhoneText>\r\n <Text>a\r\nb &lt;&gt;&quot;&apos;</Text>\r\n</CiscoIPPhoneText>\r\n";
    assert_eq!(
        parse(xml.as_bytes()).unwrap(),
        PhoneObject::Text {
            title: String::new(),
            prompt: String::new(),
            text: "a\nb <>\"'".to_owned(),
            soft_keys: Vec::new()
        }
    );
    assert_eq!(parse(b"<CiscoIPPhoneError Number=\"1\"/>").unwrap(), PhoneObject::Error { number: 1 });
}
