//! Plays a scenario: what it observes, from when on it counts, and how it judges.

mod evaluate;
mod observations;
mod play;
mod window;

pub use evaluate::{Seen, evaluate};
pub use observations::{InstanceStatus, Observations, Screen};
pub use play::{Pace, in_simulated_time, play};
pub use window::{EventWindow, Mark};
