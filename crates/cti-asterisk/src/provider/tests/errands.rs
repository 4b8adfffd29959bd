//! A way that does its errands itself: what it is given, and what comes back.

use ringback_screen::phone::ExecuteItem;

use super::*;
use crate::ami::ActionError;
use crate::notify::{Alert, Errand, Press, Recipient, Screen, Step, Way, Ways};

/// A way that is all errands.
#[derive(Debug)]
struct Board;

impl Way for Board {
    fn show(&self, _: Recipient<'_>, screen: &Screen) -> Result<Vec<Step>, ActionError> {
        Ok(vec![Step::Errand(Errand::Show(screen.clone()))])
    }

    fn alert(&self, _: Recipient<'_>, alert: Alert<'_>) -> Result<Vec<Step>, ActionError> {
        assert!(alert.screen.is_some(), "the screen was sent before");
        Ok(vec![Step::Errand(Errand::Execute(alert.items.to_vec()))])
    }

    fn clear(&self, _: Recipient<'_>, items: &[ExecuteItem]) -> Result<Vec<Step>, ActionError> {
        Ok(vec![Step::Errand(Errand::Clear(items.to_vec()))])
    }
}

fn desk() -> Desk {
    let mut desk = Desk::up(1000);
    desk.core.config.ways = Ways::default().with(device("1001"), Board);
    desk.asked();
    desk.told();
    desk
}

#[test]
fn errands_answer_their_commands() {
    let mut desk = desk();
    for (tag, content, wanted) in [
        (1, AVAILABLE, "1001 Show(Screen { title: \"CallBack\", prompt: \"Please choose\", "),
        (2, ALERT, "1001 Execute([ExecuteItem { url: \"Play:CallBack.raw\", priority: AtOnce }])"),
        (3, CLEAR, "1001 Clear([ExecuteItem { url: \"Init:Services\", priority: AtOnce }])"),
    ] {
        assert_eq!(desk.send(tag, None, content), [done(tag)]);
        let asked = desk.asked();
        assert!(asked.len() == 1 && asked[0].starts_with(wanted), "{asked:?}");
    }
}

#[test]
fn a_failed_errand_fails_its_command() {
    let mut desk = desk();
    desk.core.submit(
        desk.now,
        Command::SendData { tag: Tag(1), device: device("1001"), id: None, content: AVAILABLE.to_owned() },
    );
    let Some(Do::Ask(_, "DBPut", _)) = desk.core.poll_output() else { panic!("its keys are kept") };
    let Some(Do::Run(Some(tag), _, Errand::Show(_))) = desk.core.poll_output() else { panic!("an errand") };
    let failure = RequestFailure::Refused(CtiError::DeviceRestricted);
    desk.core.errand_ended(Some(tag), Err(failure.clone()));
    desk.run();
    assert_eq!(desk.told(), [ProviderEvent::Answer { tag: Tag(1), result: Err(failure) }]);
}

#[test]
fn a_press_is_told_to_the_instance_that_acts_and_wants_the_phone() {
    let mut desk = desk();
    let content = "Dial:ringback:7-12".to_owned();
    let press = |name: &str| Press { device: device(name), content: content.clone() };
    desk.core.press_told(press("1001"));
    desk.core.press_told(press("4711"));
    desk.run();
    let told = ProviderEvent::DeviceData { device: device("1001"), content: content.clone() };
    assert_eq!(desk.told(), [told]);
    desk.submit(Command::Relinquish);
    desk.core.press_told(press("1001"));
    desk.run();
    assert!(desk.told().iter().all(|event| !matches!(event, ProviderEvent::DeviceData { .. })));
}
