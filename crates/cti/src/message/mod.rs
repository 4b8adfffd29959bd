//! The messages of the protocol as values. The wire layout is another matter: see the codec.

mod call;
mod device;
mod error;
mod event;
mod feature;
mod request;

pub use call::{CallInfo, CallState, Cause};
pub use device::{Activity, DeviceStatus};
pub use error::CtiError;
pub use event::Event;
pub use feature::{Feature, FeatureInvocation, InvocationId};
pub use request::{Answer, ProviderOpen, Request, Version};
