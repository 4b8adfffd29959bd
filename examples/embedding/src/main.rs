//! A made-up switch embeds the Call Back engine: A calls B, who is busy, and presses CallBack; both hang up, and A is
//! notified and presses Dial; B rings, and the request is over. Here directory, store and phones answer at once, and
//! the store keeps nothing; in a real switch each answer comes in its own time, as one more input.
use ringback_callback::*;
use ringback_model::*;
use std::{collections::VecDeque, error::Error, time::UNIX_EPOCH};

const OFF_HOOK: DeviceState = DeviceState::InService { busy: true, do_not_disturb: false };
const ON_HOOK: DeviceState = DeviceState::InService { busy: false, do_not_disturb: false };

/// Carries out an output; the answer, if it has one, is an input. All numbers lead to B.
fn carry_out(output: Output, to_b: &Resolution) -> Option<Input> {
    Some(match output {
        Output::Resolve { ticket, .. } => Input::Resolved { ticket, result: Ok(to_b.clone()) },
        Output::OpenDevice(device) => Input::Device { device, state: OFF_HOOK },
        Output::OpenLine(at) => Input::Line { at, occupancy: Occupancy::InUse, calls: None },
        Output::Save { save, .. } | Output::Remove { save, .. } => Input::Saved(save),
        Output::Alert { alert, .. } => Input::Alerted { alert, delivered: true },
        Output::Dial { request, .. } => Input::Dialled { request, outcome: DialOutcome::Made(CallId(2)) },
        _ => return None,
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let line = |number| DirectoryNumber::new(number).map(|dn| LineId::new(Partition::default(), dn));
    let a = Appearance { device: DeviceName::new("A")?, line: line("1001")? };
    let b = Appearance { device: DeviceName::new("B")?, line: line("1002")? };
    let (line, devices, caller_lines) = (b.line.clone(), vec![b.device.clone()], vec![a.line.clone()]);
    let to_b =
        Resolution { line, devices, names: vec![], forwards_all: false, caller_has_key: true, caller_lines };
    let mut engine = Engine::new(Group::default(), Epoch(1), Parameters::default());
    let mut tell = |input| -> Result<Vec<Output>, Box<dyn Error>> {
        let (mut inputs, mut done) = (VecDeque::from([input]), Vec::new());
        while let Some(input) = inputs.pop_front() {
            let (now, first) = (Timestamp(Millis::from(UNIX_EPOCH.elapsed()?).0), done.len());
            engine.handle(now, input, &mut done);
            inputs.extend(done[first..].iter().filter_map(|output| carry_out(output.clone(), &to_b)));
        }
        Ok(done)
    };
    let (from, called, during) = (a.clone(), Some(b.line.dn.clone()), PressedDuring::Busy);
    let mut done = tell(Input::CallBackKey { invocation: 1, from, call: Some(CallId(1)), called, during })?;
    let request = RequestId { epoch: Epoch(1), number: 1 };
    assert!(done.contains(&Output::Notice(Notice::Accepted { request })));
    println!("A presses CallBack: request {request} is active");
    for at in [a.clone(), b.clone()] {
        tell(Input::Device { device: at.device.clone(), state: ON_HOOK })?;
        done = tell(Input::Line { at, occupancy: Occupancy::Idle, calls: None })?;
    }
    assert!(done.iter().any(|output| matches!(output, Output::Alert { device, .. } if *device == a.device)));
    println!("B hangs up: A's phone plays the alert");
    let done = tell(Input::ScreenKey { device: a.device.clone(), key: SoftKey::Dial, about: Some(request) })?;
    assert!(done.iter().any(|output| matches!(output, Output::Dial { .. })));
    let progress = CallProgress::Alerting { peer: Some(b.line.dn) };
    let done = tell(Input::Call { at: a, call: CallId(2), called: None, progress })?;
    assert!(done.contains(&Output::Notice(Notice::Ended { request, how: Ending::Reached })));
    println!("A presses Dial and B rings: request {request} is over, {} are left", engine.pending());
    Ok(())
}
