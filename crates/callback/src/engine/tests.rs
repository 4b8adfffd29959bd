//! What cannot be seen from outside: that nothing is kept for those who have gone.

use std::collections::VecDeque;

use ringback_model::{
    Appearance, CallId, DeviceName, DirectoryNumber, Epoch, Group, LineId, Partition, Timestamp,
};

use super::Engine;
use crate::input::{DeviceState, Input, Occupancy, PressedDuring, Resolution};
use crate::output::{Output, SoftKey};
use crate::parameters::Parameters;

fn line(number: &str) -> LineId {
    LineId::new(Partition::default(), DirectoryNumber::new(number).unwrap())
}

fn at(name: &str, number: &str) -> Appearance {
    Appearance { device: DeviceName::new(name).unwrap(), line: line(number) }
}

/// An engine among phones and a directory that answer at once.
struct Office {
    engine: Engine,
    b_is: Occupancy,
    store_answers: bool,
}

impl Office {
    fn new(b_is: Occupancy) -> Self {
        let engine = Engine::new(Group::default(), Epoch(1), Parameters::default());
        Self { engine, b_is, store_answers: true }
    }

    fn answer(&self, output: Output) -> Option<Input> {
        Some(match output {
            Output::Resolve { ticket, from, .. } => Input::Resolved {
                ticket,
                result: Ok(Resolution {
                    line: line("1002"),
                    devices: vec![at("B", "1002").device],
                    names: Vec::new(),
                    forwards_all: false,
                    caller_has_key: true,
                    caller_lines: vec![from.line],
                }),
            },
            Output::OpenDevice(device) => {
                Input::Device { device, state: DeviceState::InService { busy: false, do_not_disturb: false } }
            }
            Output::OpenLine(at) => Input::Line { at, occupancy: self.b_is, calls: None },
            Output::Save { save, .. } | Output::Remove { save, .. } if self.store_answers => {
                Input::Saved(save)
            }
            Output::Alert { alert, .. } => Input::Alerted { alert, delivered: true },
            _ => return None,
        })
    }

    fn tell(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut outputs = Vec::new();
            self.engine.handle(Timestamp(1), input, &mut outputs);
            inputs.extend(outputs.into_iter().filter_map(|output| self.answer(output)));
        }
    }

    fn press(&mut self, during: PressedDuring) {
        self.tell(Input::CallBackKey {
            invocation: 1,
            from: at("A", "1001"),
            call: Some(CallId(1)),
            called: Some(DirectoryNumber::new("1002").unwrap()),
            during,
        });
    }

    fn key(&mut self, key: SoftKey) {
        let device = at("A", "1001").device;
        let about = self.engine.request_of(&device).map(|record| record.id);
        self.tell(Input::ScreenKey { device, key, about });
    }

    fn assert_empty(&self) {
        let engine = &self.engine;
        assert_eq!((engine.requests.len(), engine.lines.len(), engine.watch.known()), (0, 0, 0));
        assert!(engine.gates.is_empty() && engine.replacing.is_empty());
        assert!(engine.clears.is_empty() && engine.tickets.is_empty());
    }

    /// A thousand requests later few timers are left of them, though their time is not over for long.
    fn assert_few_timers(mut self, request_that_ends: impl Fn(&mut Self)) {
        for _ in 0..1000 {
            request_that_ends(&mut self);
        }
        let left = self.engine.timers.len();
        assert!(left < 100, "{left} timers");
    }
}

#[test]
fn nothing_is_kept_of_a_request_that_has_ended() {
    let mut office = Office::new(Occupancy::InUse);
    office.press(PressedDuring::Busy);
    let engine = &office.engine;
    assert_eq!((engine.requests.len(), engine.lines.len(), engine.watch.known()), (1, 1, 2));
    office.key(SoftKey::Cancel);
    office.assert_empty();
}

#[test]
fn nothing_is_kept_of_a_phone_that_has_left_its_screen() {
    let mut office = Office::new(Occupancy::InUse);
    office.press(PressedDuring::Idle);
    assert_eq!(office.engine.watch.known(), 1);
    office.key(SoftKey::Exit);
    office.assert_empty();
}

#[test]
fn no_timers_are_kept_of_requests_that_were_cancelled_while_they_waited() {
    Office::new(Occupancy::InUse).assert_few_timers(|office| {
        office.press(PressedDuring::Busy);
        office.key(SoftKey::Cancel);
    });
}

#[test]
fn no_timers_are_kept_of_requests_that_were_cancelled_in_their_turn() {
    Office::new(Occupancy::Idle).assert_few_timers(|office| {
        office.press(PressedDuring::Busy);
        office.key(SoftKey::Cancel);
    });
}

#[test]
fn no_timers_are_kept_of_requests_whose_phone_was_reset_while_they_were_saved() {
    let mut office = Office::new(Occupancy::InUse);
    office.store_answers = false;
    office.assert_few_timers(|office| {
        office.press(PressedDuring::Busy);
        office.tell(Input::Device { device: at("A", "1001").device, state: DeviceState::OutOfService });
    });
}
