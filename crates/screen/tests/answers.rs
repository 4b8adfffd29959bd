//! What phones answer to an order over HTTP: exact answers, the ways to be none, and the way back.
#![allow(clippy::expect_used, reason = "helpers of tests")]

use proptest::prelude::*;
use ringback_screen::ANSWER_BYTES;
use ringback_screen::phone::{PhoneAnswer, PhoneFault, ResponseItem};

fn item(url: &str, data: &str, status: i32) -> ResponseItem {
    ResponseItem { url: url.to_owned(), data: data.to_owned(), status }
}

fn refusal(xml: impl AsRef<[u8]>) -> String {
    PhoneAnswer::parse(xml.as_ref()).expect_err("no answer of a phone").to_string()
}

#[test]
fn answers_are_read_as_phones_write_them() {
    let done = |items| PhoneAnswer::Done { items };
    for (xml, answer) in [
        (
            r#"<CiscoIPPhoneResponse><ResponseItem URL="Play:CallBack.raw" Data="Success" Status="0"/></CiscoIPPhoneResponse>"#,
            done(vec![item("Play:CallBack.raw", "Success", 0)]),
        ),
        (
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<CiscoIPPhoneResponse>\n \
             <ResponseItem Status=\" 0 \" URL=\"http://a/b\"/>\n <ResponseItem Status=\"-3\" Data=\"\" When=\"now\"/>\n\
             </CiscoIPPhoneResponse>",
            done(vec![item("http://a/b", "", 0), item("", "", -3)]),
        ),
        ("<CiscoIPPhoneResponse/>", done(Vec::new())),
        (r#"<CiscoIPPhoneError Number="1"/>"#, PhoneAnswer::Failed(PhoneFault::Parse)),
        (r#"<CiscoIPPhoneError Number="2" />"#, PhoneAnswer::Failed(PhoneFault::Framing)),
        (r#"<CiscoIPPhoneError Number="3"></CiscoIPPhoneError>"#, PhoneAnswer::Failed(PhoneFault::File)),
        (
            "<CiscoIPPhoneError Number=\"4\">Not you</CiscoIPPhoneError>\r\n",
            PhoneAnswer::Failed(PhoneFault::Authentication),
        ),
        (r#"<CiscoIPPhoneError Number="6"/>"#, PhoneAnswer::Failed(PhoneFault::Other(6))),
    ] {
        assert_eq!(PhoneAnswer::parse(xml.as_bytes()), Ok(answer), "{xml}");
    }
}

#[test]
fn what_is_none_is_named() {
    for (xml, error) in [
        ("", "no element in it: it is empty"),
        ("Busy", "something stands outside the outermost element: remove it"),
        ("<html></html>", "<html> is no object that a phone knows: tags are case sensitive"),
        ("<CiscoIPPhoneError/>", "<CiscoIPPhoneError> has no Number: add one"),
        (r#"<CiscoIPPhoneError Number="x"/>"#, "error number \"x\" is not a number from 0 to 255"),
        (r#"<CiscoIPPhoneError Number="256"/>"#, "error number \"256\" is not a number from 0 to 255"),
        (
            "<CiscoIPPhoneResponse><Item/></CiscoIPPhoneResponse>",
            "<Item> is not known in <CiscoIPPhoneResponse>: tags are case sensitive",
        ),
        (
            "<CiscoIPPhoneResponse><ResponseItem/></CiscoIPPhoneResponse>",
            "<ResponseItem> has no Status: add one",
        ),
        (
            r#"<CiscoIPPhoneResponse><ResponseItem Status="OK"/></CiscoIPPhoneResponse>"#,
            "status \"OK\" is not a number",
        ),
    ] {
        assert_eq!(refusal(xml), error, "{xml}");
    }
    let items = r#"<ResponseItem Status="0"/>"#.repeat(4);
    assert_eq!(
        refusal(format!("<CiscoIPPhoneResponse>{items}</CiscoIPPhoneResponse>")),
        "items of an answer: 4 items, but a phone takes at most 3: shorten it"
    );
    assert_eq!(
        refusal(vec![b' '; ANSWER_BYTES + 1]),
        "4097 bytes of XML, but at most 4096 are taken: shorten it"
    );
    // What is declared is believed only as long as it makes no difference.
    let xml = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><CiscoIPPhoneError Number=\"4\">é</CiscoIPPhoneError>";
    assert_eq!(
        refusal(xml),
        "declared as \"ISO-8859-1\", but only UTF-8 is read: save it as UTF-8 and declare that"
    );
}

#[test]
fn answers_are_written_exactly() {
    let answer = PhoneAnswer::Done { items: vec![item("http://a/?b=c&d", "", 0)] };
    assert_eq!(
        answer.to_xml().unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CiscoIPPhoneResponse>\n\
         <ResponseItem URL=\"http://a/?b=c&amp;d\" Data=\"\" Status=\"0\"/>\n</CiscoIPPhoneResponse>\n"
    );
    assert_eq!(
        PhoneAnswer::Failed(PhoneFault::Authentication).to_xml().unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CiscoIPPhoneError Number=\"4\"/>\n"
    );
}

#[test]
fn each_fault_says_what_to_do() {
    for (number, wanted) in [
        (1, "update its firmware"),
        (2, "look at the phone"),
        (3, "Audio File Name"),
        (4, "authentication URL"),
        (9, "error 9"),
    ] {
        let fault = PhoneFault::from_number(number);
        assert!(fault.to_string().contains(wanted), "{fault}");
    }
}

proptest! {
    #[test]
    fn numbers_come_back(number in any::<u8>()) {
        let fault = PhoneFault::from_number(number);
        prop_assert_eq!(fault.number(), number);
        let xml = PhoneAnswer::Failed(fault).to_xml().unwrap();
        prop_assert_eq!(PhoneAnswer::parse(xml.as_bytes()), Ok(PhoneAnswer::Failed(fault)));
    }

    #[test]
    fn answers_come_back(
        items in prop::collection::vec(("[ -~é東]{0,60}", "[ -~é東]{0,60}", any::<i32>()), 0..4)
    ) {
        let items = items.into_iter().map(|(url, data, status)| ResponseItem { url, data, status }).collect();
        let answer = PhoneAnswer::Done { items };
        let xml = answer.to_xml().unwrap();
        prop_assert!(xml.len() <= ANSWER_BYTES);
        prop_assert_eq!(PhoneAnswer::parse(xml.as_bytes()), Ok(answer));
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = PhoneAnswer::parse(&bytes);
    }

    #[test]
    fn any_markup_gets_an_answer(
        tags in prop::collection::vec(prop::sample::select(vec![
            "<CiscoIPPhoneResponse>", "</CiscoIPPhoneResponse>", "<ResponseItem Status=\"0\"/>", "<ResponseItem ",
            "URL=\"a\"", "/>", "<CiscoIPPhoneError Number=\"4\"", ">", "&amp;", "&lol;", "<!--", "-->", "x", "\u{0}",
        ]), 0..10)
    ) {
        if let Ok(answer) = PhoneAnswer::parse(tags.concat().as_bytes()) {
            let xml = answer.to_xml().unwrap();
            prop_assert_eq!(PhoneAnswer::parse(xml.as_bytes()), Ok(answer));
        }
    }
}
