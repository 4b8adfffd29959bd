//! The messages of the protocol as values. The wire layout is another matter: see the codec.

mod call;
mod error;
mod event;
mod request;

pub use call::{CallInfo, CallState, Cause};
pub use error::CtiError;
pub use event::{Activity, DeviceStatus, Event, FeatureInvocation, InvocationId};
pub use request::{Answer, Feature, ProviderOpen, Request, Version};
