//! Plays a scenario: what it is played on, what it observes, from when on it counts, and how it judges.

mod back_end;
mod evaluate;
mod observations;
mod pace;
mod play;
mod window;

pub use back_end::{BackEnd, Hindrance};
pub use evaluate::{Seen, evaluate};
pub use observations::{InstanceStatus, Observations, Screen};
pub use pace::Pace;
pub(crate) use play::play_timed;
pub use play::{in_simulated_time, play};
pub use window::{EventWindow, Mark};
