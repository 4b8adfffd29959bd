mod connection;
mod link;
mod listen;

use ringback_cti::message::{ProviderOpen, Request, Version};
use ringback_model::Millis;
use tokio::sync::watch;

pub use connection::{ServeError, serve_connection};
pub use link::{Link, LinkId, Reply};
pub use listen::{BindError, bind, listen};

/// What somebody who writes a CTIManager implements. The toolkit does the rest: framing, version negotiation, order
/// of requests (nothing before provider open), heartbeats, silence.
///
/// The methods are called in the order in which the application sent its requests, from the task that serves the
/// link; they must not block. A [`Reply`] may be kept and sent later.
pub trait CtiServer: Send + Sync + 'static {
    /// An application opens its provider. A common version has been found already ([`Link::version`]); `reply` takes
    /// `Answer::ProviderOpened` (its version is set by the toolkit, its heartbeat is kept within
    /// [`ServerConfig::heartbeat`]). After a refusal the link closes.
    fn provider_open(&self, link: &Link, open: ProviderOpen, reply: Reply);

    /// Any other request, once the provider is open. `ProviderClose` is carried out by the toolkit and not seen
    /// here.
    fn request(&self, link: &Link, request: Request, reply: Reply);

    /// The link is gone, for whatever reason. Called exactly once for each link for which `provider_open` was called.
    fn closed(&self, link: LinkId);
}

/// How links are served.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The oldest and the newest protocol version to speak.
    pub versions: (Version, Version),
    /// The shortest and the longest heartbeat interval to grant (default 1 s to 1 h). Equal values dictate it.
    pub heartbeat: (Millis, Millis),
    /// How long a connection may wait before it opens its provider (default 30 s).
    pub open_timeout: Millis,
    /// How many answers and events may wait for a slow application (default 16384); with one more its link is closed.
    pub queue: usize,
    /// While this is `true` nothing is read, sent or timed, and connections stay open: a CTIManager that hangs.
    pub freeze: Option<watch::Receiver<bool>>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            versions: (Version(1), Version(1)),
            heartbeat: (Millis::from_secs(1), Millis::from_mins(60)),
            open_timeout: Millis::from_secs(30),
            queue: 16_384,
            freeze: None,
        }
    }
}
