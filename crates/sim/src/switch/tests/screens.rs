use ringback_cti::DataId;
use ringback_cti::message::{CtiError, InvocationId};

use super::*;

const SCREEN: &str = "<CiscoIPPhoneText><Title>T</Title><Prompt>P</Prompt><Text>Hello</Text>\
    <SoftKeyItem><Name>Quitter</Name><URL>UserDataSoftKey:Exit:ringback:</URL><Position>2</Position></SoftKeyItem>\
    <SoftKeyItem><Name>Annuler</Name><URL>UserDataSoftKey:Cancel:ringback:7-12</URL><Position>1</Position>\
    </SoftKeyItem></CiscoIPPhoneText>";
const ALERT: &str =
    "<CiscoIPPhoneExecute><ExecuteItem Priority=\"0\" URL=\"Play:CallBack.raw\"/></CiscoIPPhoneExecute>";
const CLEAR: &str =
    "<CiscoIPPhoneExecute><ExecuteItem Priority=\"0\" URL=\"Init:Services\"/></CiscoIPPhoneExecute>";

fn data(lab: &mut Lab, id: Option<u128>, content: &str) -> Result<(), CtiError> {
    lab.switch.device_data(&dev("A"), id.map(DataId), content)
}

#[test]
fn a_screen_is_shown_its_keys_answer_and_it_is_cleared() {
    let mut lab = Lab::new(&["A 1001"]);
    data(&mut lab, None, SCREEN).unwrap();
    let view = lab.switch.screen(&dev("A")).unwrap();
    assert_eq!((view.title.as_str(), view.prompt.as_str(), view.text.as_str()), ("T", "P", "Hello"));
    assert_eq!(view.soft_keys, ["Cancel", "Exit"], "by position, under their logical names");
    lab.heard();
    lab.presses("A", "Cancel");
    lab.presses("A", "Dial");
    assert_eq!(lab.heard(), ["A sends Cancel:ringback:7-12"]);
    data(&mut lab, None, CLEAR).unwrap();
    assert_eq!(lab.heard(), ["A shows nothing"]);
    lab.presses("A", "Exit");
    assert_eq!(lab.heard(), Vec::<String>::new());
}

#[test]
fn an_alert_is_played_once_under_its_id() {
    let mut lab = Lab::new(&["A 1001"]);
    for id in [Some(7), Some(7), Some(8), None, None] {
        data(&mut lab, id, ALERT).unwrap();
    }
    assert_eq!(lab.switch.alerts(&dev("A")), 4);
}

#[test]
fn an_item_may_wait_until_the_phone_is_idle() {
    let mut lab = Lab::new(&["A 1001"]);
    lab.does("A", Action::Lifts);
    data(&mut lab, None, &ALERT.replace("\"0\"", "\"2\"")).unwrap();
    data(&mut lab, None, &ALERT.replace("\"0\"", "\"1\"")).unwrap();
    assert_eq!(lab.switch.alerts(&dev("A")), 0);
    lab.does("A", Action::Replaces);
    assert_eq!(lab.switch.alerts(&dev("A")), 1);
}

#[test]
fn what_the_phone_cannot_take_changes_nothing() {
    let mut lab = Lab::new(&["A 1001"]);
    data(&mut lab, None, SCREEN).unwrap();
    lab.heard();
    assert_eq!(
        data(&mut lab, None, "<CiscoIPPhoneText><Txt>x</Txt></CiscoIPPhoneText>"),
        Err(CtiError::DataRejected)
    );
    assert_eq!(data(&mut lab, None, &"x".repeat(2001)), Err(CtiError::DataSizeLimitExceeded));
    assert_eq!(lab.heard(), Vec::<String>::new());
    lab.does("A", Action::Unregisters);
    assert_eq!(lab.heard(), ["A out of service", "A shows nothing"]);
    assert_eq!(data(&mut lab, None, SCREEN), Err(CtiError::DeviceOutOfService));
}

#[test]
fn callback_tells_the_call_in_the_foreground() {
    let mut lab = Lab::new(&["A 1001", "B 1002", "C 1003,1013"]);
    lab.heard();
    lab.presses("A", "CallBack");
    assert_eq!(lab.heard(), ["A CallBack Idle 0 -"]);
    lab.calls("A", "1002");
    lab.heard();
    lab.presses("A", "CallBack");
    lab.presses("B", "CallBack");
    assert_eq!(lab.heard(), ["A CallBack Ringback 0 1002", "B CallBack Ringing 0 1002"]);
    lab.wait(Millis::from_secs(180));
    lab.heard();
    lab.presses("A", "CallBack");
    assert_eq!(lab.heard(), ["A CallBack Disconnected 19 1002"]);
}

#[test]
fn the_prompt_stays_until_the_phone_does_something() {
    let mut lab = Lab::new(&["A 1001"]);
    lab.presses("A", "CallBack");
    lab.switch.feature_answered(InvocationId(1), true);
    assert_eq!(lab.switch.prompt(&dev("A")), None);
    lab.presses("A", "CallBack");
    lab.switch.feature_answered(InvocationId(2), false);
    assert_eq!(lab.switch.prompt(&dev("A")).as_deref(), Some("Key Not Active"));
    lab.switch.feature_answered(InvocationId(2), false);
    lab.does("A", Action::Lifts);
    assert_eq!(lab.switch.prompt(&dev("A")), None);
    lab.presses("A", "CallBack");
    lab.switch.feature_unavailable(InvocationId(3));
    assert_eq!(lab.switch.prompt(&dev("A")).as_deref(), Some("Feature unavailable"));
}

#[test]
fn another_user_is_told() {
    let mut lab = Lab::new(&["A 1001"]);
    lab.does("A", Action::LogsIn);
    lab.does("A", Action::LogsOut);
    assert_eq!(lab.heard(), ["A user changed", "A user changed"]);
}
