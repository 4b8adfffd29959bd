mod connector;
mod provider;

pub use connector::{Connector, Stream, TcpConnector};
pub use provider::{ClientControl, ClientProvider};
