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

/// Phones, lines, directory and store answer at once; B is busy.
fn answer(output: Output) -> Option<Input> {
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
        Output::OpenLine(at) => Input::Line { at, occupancy: Occupancy::InUse, calls: None },
        Output::Save { save, .. } | Output::Remove { save, .. } => Input::Saved(save),
        _ => return None,
    })
}

fn tell(engine: &mut Engine, input: Input) {
    let mut inputs = VecDeque::from([input]);
    while let Some(input) = inputs.pop_front() {
        let mut outputs = Vec::new();
        engine.handle(Timestamp(1), input, &mut outputs);
        inputs.extend(outputs.into_iter().filter_map(answer));
    }
}

fn press(during: PressedDuring) -> Input {
    Input::CallBackKey {
        invocation: 1,
        from: at("A", "1001"),
        call: Some(CallId(1)),
        called: Some(DirectoryNumber::new("1002").unwrap()),
        during,
    }
}

fn key(key: SoftKey, engine: &Engine) -> Input {
    let device = at("A", "1001").device;
    let about = engine.request_of(&device).map(|record| record.id);
    Input::ScreenKey { device, key, about }
}

fn assert_empty(engine: &Engine) {
    assert_eq!((engine.requests.len(), engine.lines.len(), engine.watch.known()), (0, 0, 0));
    assert!(engine.gates.is_empty() && engine.replacing.is_empty());
    assert!(engine.clears.is_empty() && engine.tickets.is_empty());
}

#[test]
fn nothing_is_kept_of_a_request_that_has_ended() {
    let mut engine = Engine::new(Group::default(), Epoch(1), Parameters::default());
    tell(&mut engine, press(PressedDuring::Busy));
    assert_eq!((engine.requests.len(), engine.lines.len(), engine.watch.known()), (1, 1, 2));
    let cancel = key(SoftKey::Cancel, &engine);
    tell(&mut engine, cancel);
    assert_empty(&engine);
}

#[test]
fn nothing_is_kept_of_a_phone_that_has_left_its_screen() {
    let mut engine = Engine::new(Group::default(), Epoch(1), Parameters::default());
    tell(&mut engine, press(PressedDuring::Idle));
    assert_eq!(engine.watch.known(), 1);
    let exit = key(SoftKey::Exit, &engine);
    tell(&mut engine, exit);
    assert_empty(&engine);
}
