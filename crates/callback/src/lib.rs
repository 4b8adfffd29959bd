//! The Call Back state machine: one [`Engine`] that holds all requests of one group.
//!
//! It promises to be pure and deterministic: the present time and one [`Input`] go in, a list of [`Output`]s comes
//! out as plain data; no clock, no I/O, no wire format, no XML. The rules R1 to R51 that the comments name are those
//! of the project's requirement, which restates OL-4660-01, chapter 4; scenarios that show R16, say, are found by
//! `grep -lw R16 tests/scenarios/*.scn`.
//!
//! # What it promises
//!
//! - A request is durable before its caller is told that it is active, and an alert is on record before it is played:
//!   what follows a [`Output::Save`] is put out when [`Input::Saved`] has come.
//! - A request ends exactly once ([`Notice::Ended`]); after that nothing is said, shown or played for it. Its slot, its
//!   screen and what was open for it go with it.
//! - One active request per phone; under `fifo` one turn per called line; no alert to a caller who is busy or cannot
//!   be seen.
//! - What it has opened it closes, each device and line once.
//! - Another engine that is given the stored [`Record`]s goes on where this one stopped ([`Input::Restored`]).
//!
//! # A request
//!
//! ```text
//!                                     key pressed, Resolved, not refused
//!                                                    |
//!                                              [ being saved ] ----- not saved in 2 s: Cannot, revoked
//!                                                    | Saved: Activated
//!                                                    v
//!        +------------------------------------> [ Waiting ] <-----------------------------+
//!        |                                           |                                    |
//!        |                 B available, A idle, the  |                                    |
//!        | B off hook or   policy's choice: saved,   |                                    |
//!        | away (R27)      then Available and alert  v                                    |
//!        +---------------------------------------- [ Turn ] --- time is up (R26) --+      |
//!                                                    |                             |      |
//!                                      Dial: saved,  |                             v      |
//!                                      then the call |                        [ Lapsed ]  |
//!                                                    v         Dial             |   ^     |
//!                                               [ Dialing ] <-------------------+   |     |
//!                                                |   |   |                          |     |
//!                              B rings (R19):    |   |   +--- fails, elsewhere -----+     |
//!                              the request ends <+   |        (R21)                       |
//!                                                    +------- B is busy (R20) ------------+
//! ```
//!
//! From every phase it ends by Cancel, by its service duration, when its phone resets or changes its user, when another
//! request takes its place, or when B answers the call during which the key was pressed ([`Ending`]). A *suspended*
//! caller (R16) is one in `Waiting` for whom B is available while the caller's own phone is not idle.
//!
//! # What to tell
//!
//! - [`Input::Restored`] first, if the store holds anything, to an engine of a higher [`Epoch`](ringback_model::Epoch)
//!   than any before.
//! - Each [`Output::OpenDevice`] is answered by [`Input::Device`], each [`Output::OpenLine`] by [`Input::Line`], soon
//!   and again at every change until it is closed. What is told of others is not remembered; what was never told is
//!   unknown, and an unknown phone is neither shown anything nor counted as free.
//! - A, who calls back, is idle when its phone is in service and not `busy`. The use of A's line does not count, two
//!   of its calls do: the one during which the key was pressed, and the one that Dial made ([`Input::Call`]).
//! - B, who is waited for, is available when its line is [`Occupancy::Idle`] on all its phones that are in service, and
//!   one at least is; `busy` of B's phones does not count.
//! - Every [`Output::Save`] and [`Output::Remove`] is answered by [`Input::Saved`] or [`Input::SaveFailed`],
//!   [`Output::Resolve`], [`Output::Locate`], [`Output::Dial`] and [`Output::Alert`] by the inputs that their
//!   comments name. An answer may come late; the other outputs have none.
//! - [`Input::Tick`], when [`Engine::next_timeout`] has come and nothing else has happened.
//!
//! # A small program
//!
//! Outputs are carried out in order; what comes of them are new inputs. Here the directory, the store and the phones
//! answer at once, and B is in a call:
//!
//! ```
//! use std::collections::VecDeque;
//!
//! use ringback_callback::{
//!     DeviceState, Engine, Input, Occupancy, Output, Parameters, PressedDuring, Resolution,
//! };
//! use ringback_model::{
//!     Appearance, DeviceName, DirectoryNumber, Epoch, Group, LineId, Partition, TextError, Timestamp,
//! };
//!
//! fn line(number: &str) -> Result<LineId, TextError> {
//!     Ok(LineId::new(Partition::default(), DirectoryNumber::new(number)?))
//! }
//!
//! /// What becomes of an output.
//! fn carry_out(output: &Output) -> Result<Option<Input>, TextError> {
//!     Ok(match output {
//!         Output::Resolve { ticket, from, dn } => Some(Input::Resolved {
//!             ticket: *ticket,
//!             result: Ok(Resolution {
//!                 line: line(dn.as_str())?,
//!                 devices: vec![DeviceName::new("B")?],
//!                 names: Vec::new(),
//!                 forwards_all: false,
//!                 caller_has_key: true,
//!                 caller_lines: vec![from.line.clone()],
//!             }),
//!         }),
//!         Output::OpenDevice(device) => Some(Input::Device {
//!             device: device.clone(),
//!             state: DeviceState::InService { busy: false, do_not_disturb: false },
//!         }),
//!         Output::OpenLine(at) => Some(Input::Line {
//!             at: at.clone(),
//!             occupancy: if at.line == line("1002")? { Occupancy::InUse } else { Occupancy::Idle },
//!             calls: Some(Vec::new()),
//!         }),
//!         Output::Save { save, .. } | Output::Remove { save, .. } => Some(Input::Saved(*save)),
//!         Output::Alert { alert, .. } => Some(Input::Alerted { alert: *alert, delivered: true }),
//!         _ => None,
//!     })
//! }
//!
//! let mut engine = Engine::new(Group::default(), Epoch(1), Parameters::default());
//! let (a, b) = (DeviceName::new("A")?, DeviceName::new("B")?);
//! let mut inputs = VecDeque::from([
//!     Input::CallBackKey {
//!         invocation: 1,
//!         from: Appearance { device: a.clone(), line: line("1001")? },
//!         call: None,
//!         called: Some(DirectoryNumber::new("1002")?),
//!         during: PressedDuring::Busy,
//!     },
//! ]);
//! let free = Input::Line {
//!     at: Appearance { device: b, line: line("1002")? },
//!     occupancy: Occupancy::Idle,
//!     calls: None,
//! };
//! let mut seen = Vec::new();
//! for next in [None, Some(free)] {
//!     inputs.extend(next);
//!     while let Some(input) = inputs.pop_front() {
//!         let mut outputs = Vec::new();
//!         engine.handle(Timestamp(1_000), input, &mut outputs);
//!         for output in outputs {
//!             inputs.extend(carry_out(&output)?);
//!             seen.push(output);
//!         }
//!     }
//! }
//! assert!(seen.iter().any(|output| matches!(output, Output::Alert { device, .. } if *device == a)));
//! assert!(engine.queue(&line("1002")?).next().is_none(), "A has the turn, and does not wait any more");
//! assert!(engine.next_timeout().is_some(), "A's turn runs out, unless something else happens before");
//! # Ok::<(), ringback_model::TextError>(())
//! ```
//!
//! `examples/embedding` of the repository is a complete program that goes on to Dial and to the end of the request.
//! Tests of the crate do the same with a bench of phones (`tests/harness`); `tests/rules` reads like the requirement.
#![forbid(unsafe_code)]

mod engine;
mod input;
mod output;
mod parameters;
#[cfg(feature = "planted")]
mod planted;
mod policy;
mod record;

pub use engine::Engine;
pub use input::{
    CallProgress, DeviceState, DialOutcome, Input, Occupancy, PressedDuring, Resolution, Ticket, Unresolved,
};
pub use output::{Ending, Notice, Output, Refusal, SaveId, SoftKey, View};
pub use parameters::{ParameterError, Parameters, QueuePolicyName};
#[cfg(feature = "planted")]
#[doc(hidden)]
pub use planted::Fault;
pub use policy::{All, Candidate, Fifo, QueuePolicy};
pub use record::{AlertId, Cycle, Kind, Phase, Record};
