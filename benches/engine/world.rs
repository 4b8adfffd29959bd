//! The engine and what it talks to, as little of it as there can be: everything answers at once, all goes well.

use std::mem::take;

use ringback_callback::{
    AlertId, DeviceState, Engine, Input, Occupancy, Output, Parameters, PressedDuring, Resolution, SaveId,
    SoftKey, Ticket,
};
use ringback_model::{
    Appearance, CallId, DeviceName, DirectoryNumber, Epoch, Group, LineId, Millis, Partition, RequestId,
    Timestamp,
};

/// What came out of the engine and is to be answered.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) saves: Vec<SaveId>,
    pub(crate) alerts: Vec<AlertId>,
    pub(crate) tickets: Vec<Ticket>,
}

/// Caller N waits for the line of phone N.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) pending: usize,
    out: Vec<Output>,
    pub(crate) answers: Answers,
}

fn appearance(digit: char, mac: usize, number: usize) -> Appearance {
    // 7 to 11 digits, and no two the same.
    let width = 6 + number % 5;
    let dn = DirectoryNumber::new(format!("{digit}{number:0width$}")).unwrap();
    Appearance {
        device: DeviceName::new(format!("SEP{mac:012X}")).unwrap(),
        line: LineId::new(Partition::new("Internal_PT").unwrap(), dn),
    }
}

/// The phone and line of the caller who waits for `number`.
pub(crate) fn caller(number: usize) -> Appearance {
    appearance('1', 0x0011_2200_0000 + number, number)
}

/// The phone and line that are waited for.
pub(crate) fn called(number: usize) -> Appearance {
    appearance('2', 0x0033_4400_0000 + number, number)
}

/// A phone and line for which nobody waits.
pub(crate) fn stranger(number: usize) -> Appearance {
    appearance('3', 0x0055_6600_0000 + number, number)
}

/// A line event.
pub(crate) fn line(at: Appearance, occupancy: Occupancy) -> Input {
    Input::Line { at, occupancy, calls: None }
}

/// The press of the CallBack key by the caller who wants `number`. Half of all hear busy tone, half ringback.
pub(crate) fn press(number: usize) -> Input {
    let during = if number.is_multiple_of(2) { PressedDuring::Busy } else { PressedDuring::Ringback };
    Input::CallBackKey {
        invocation: number as u64,
        from: caller(number),
        call: Some(CallId(number as u64)),
        called: Some(called(number).line.dn),
        during,
    }
}

/// What the directory says of it.
pub(crate) fn resolution(number: usize) -> Resolution {
    Resolution {
        line: called(number).line,
        devices: vec![called(number).device],
        names: Vec::new(),
        forwards_all: false,
        caller_has_key: true,
        caller_lines: vec![caller(number).line],
    }
}

/// Leaves the screen.
pub(crate) fn exit(number: usize) -> Input {
    Input::ScreenKey { device: caller(number).device, key: SoftKey::Exit, about: None }
}

/// Ends the request.
pub(crate) fn cancel(number: usize, request: RequestId) -> Input {
    Input::ScreenKey { device: caller(number).device, key: SoftKey::Cancel, about: Some(request) }
}

/// What the phones and lines say when they have been opened.
pub(crate) fn readings(number: usize) -> [Input; 4] {
    let state = DeviceState::InService { busy: false, do_not_disturb: false };
    [
        Input::Device { device: caller(number).device, state },
        Input::Line { at: caller(number), occupancy: Occupancy::Idle, calls: Some(Vec::new()) },
        Input::Device { device: called(number).device, state },
        Input::Line { at: called(number), occupancy: Occupancy::InUse, calls: Some(Vec::new()) },
    ]
}

impl World {
    /// An engine for so many callers, none of whom has pressed the key yet.
    pub(crate) fn new(pending: usize) -> Self {
        let parameters = Parameters {
            max_in_all: 0,
            // Nothing ends by itself while it is measured.
            busy_duration: Millis::from_mins(1_000_000_000),
            no_answer_duration: Millis::from_mins(4_000_000_000),
            ..Parameters::default()
        };
        Self {
            engine: Engine::new(Group::default(), Epoch(1), parameters),
            now: Timestamp(0),
            pending,
            out: Vec::new(),
            answers: Answers::default(),
        }
    }

    /// Everybody presses the key, 100 a second, reads the screen and leaves it. All called lines are in use then.
    pub(crate) fn fill(&mut self) {
        for number in 0..self.pending {
            self.now = Timestamp(number as u64 * 10);
            self.give(press(number));
            for ticket in take(&mut self.answers.tickets) {
                self.give(Input::Resolved { ticket, result: Ok(resolution(number)) });
            }
            for reading in readings(number) {
                self.give(reading);
            }
            self.saved();
            self.give(exit(number));
            self.saved();
        }
        assert_eq!(self.engine.pending(), self.pending, "all have been accepted");
        self.answers = Answers::default();
        self.out = Vec::new();
    }

    /// One event: one call of the engine. What it puts out is looked at once and dropped.
    pub(crate) fn give(&mut self, input: Input) {
        self.engine.handle(self.now, input, &mut self.out);
        for output in self.out.drain(..) {
            match output {
                Output::Save { save, .. } | Output::Remove { save, .. } => self.answers.saves.push(save),
                Output::Alert { alert, .. } => self.answers.alerts.push(alert),
                Output::Resolve { ticket, .. } => self.answers.tickets.push(ticket),
                _ => {}
            }
        }
    }

    /// Everything that was written is durable. How many events that is.
    pub(crate) fn saved(&mut self) -> usize {
        let saves = take(&mut self.answers.saves);
        let events = saves.len();
        for save in saves {
            self.give(Input::Saved(save));
        }
        events
    }

    /// All alerts have been played. How many events that is.
    pub(crate) fn alerted(&mut self) -> usize {
        let alerts = take(&mut self.answers.alerts);
        let events = alerts.len();
        for alert in alerts {
            self.give(Input::Alerted { alert, delivered: true });
        }
        events
    }
}
