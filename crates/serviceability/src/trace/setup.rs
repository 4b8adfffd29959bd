use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ringback_model::Timestamp;
use tracing::Dispatch;
use tracing::dispatcher::{self, WeakDispatch};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::{Registry, fmt as lines, registry, reload};

use super::error::{TraceError, TraceFault};
use super::field::TraceField;
use super::files::TraceFiles;
use super::level::{TraceLevel, TraceLevels};
use super::rotate::Rotation;

/// Where the time of a trace line comes from: the service's clock, so that traces and requests have the same time.
#[derive(Clone)]
pub struct TraceClock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl TraceClock {
    /// A clock that asks this.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }
}

impl fmt::Debug for TraceClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TraceClock")
    }
}

impl FormatTime for TraceClock {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        write!(w, "{}", (self.0)())
    }
}

/// Where trace lines go.
#[derive(Debug)]
#[non_exhaustive]
pub enum TraceOutput {
    /// To the standard error output.
    Stderr,
    /// To files.
    Files(TraceFiles),
    /// Elsewhere.
    Writer(BoxMakeWriter),
}

/// What traces need to begin.
#[derive(Debug)]
pub struct TraceSettings {
    /// What is traced.
    pub levels: TraceLevels,
    /// Where to.
    pub output: TraceOutput,
    /// The time.
    pub clock: TraceClock,
}

/// Changes traces while the program runs. Clones change the same traces.
#[derive(Debug, Clone)]
pub struct TraceHandle {
    filter: reload::Handle<Targets, Registry>,
    levels: Arc<Mutex<TraceLevels>>,
    dispatch: WeakDispatch,
    files: Option<TraceFiles>,
}

impl TraceHandle {
    /// Changes the level of one field, at once.
    ///
    /// # Errors
    /// The traces that this handle belongs to are gone.
    pub fn set_level(&self, field: TraceField, level: TraceLevel) -> Result<(), TraceError> {
        self.change(|levels| levels.with(field, level))
    }

    /// Changes all levels, at once.
    ///
    /// # Errors
    /// The traces that this handle belongs to are gone.
    pub fn set_levels(&self, levels: TraceLevels) -> Result<(), TraceError> {
        self.change(|_| levels)
    }

    /// The levels in force.
    #[must_use]
    pub fn levels(&self) -> TraceLevels {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the limits of the files, from the next file on. Does nothing if traces do not go to files.
    ///
    /// # Errors
    /// A limit is zero.
    pub fn set_rotation(&self, rotation: Rotation) -> Result<(), TraceError> {
        self.files.as_ref().map_or_else(|| rotation.check(), |files| files.set_rotation(rotation))
    }

    /// The limits of the files; `None` if traces do not go to files.
    #[must_use]
    pub fn rotation(&self) -> Option<Rotation> {
        self.files.as_ref().map(TraceFiles::rotation)
    }

    /// Why lines are being lost now; see [`TraceFiles::fault`].
    #[must_use]
    pub fn fault(&self) -> Option<TraceFault> {
        self.files.as_ref().and_then(TraceFiles::fault)
    }

    fn change(&self, change: impl FnOnce(TraceLevels) -> TraceLevels) -> Result<(), TraceError> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(levels.clone());
        // Which events are wanted is found out anew from the dispatcher in force: it must be ours, even where it is
        // not the process's.
        let dispatch = self.dispatch.upgrade().ok_or(TraceError::Gone)?;
        dispatcher::with_default(&dispatch, || self.filter.reload(changed.filter()))
            .map_err(|_| TraceError::Gone)?;
        *levels = changed;
        Ok(())
    }
}

/// Traces that are not installed yet: for tests, and for programs that have more to put together.
#[must_use]
pub fn prepare(settings: TraceSettings) -> (Dispatch, TraceHandle) {
    let (filter, handle) = reload::Layer::new(settings.levels.filter());
    let (writer, files) = match settings.output {
        TraceOutput::Stderr => (BoxMakeWriter::new(io::stderr), None),
        TraceOutput::Files(files) => (BoxMakeWriter::new(files.clone()), Some(files)),
        TraceOutput::Writer(writer) => (writer, None),
    };
    let layer = lines::layer()
        .with_timer(settings.clock)
        .with_ansi(false)
        // What cannot be written is counted by the files themselves.
        .log_internal_errors(false)
        .with_writer(writer)
        .with_filter(filter);
    let levels = Arc::new(Mutex::new(settings.levels));
    let dispatch = Dispatch::new(registry().with(layer));
    let handle = TraceHandle { filter: handle, levels, dispatch: dispatch.downgrade(), files };
    (dispatch, handle)
}

/// Begins traces for the whole process. Only a program does this, once, at its start.
///
/// # Errors
/// The process has traces already.
pub fn install(settings: TraceSettings) -> Result<TraceHandle, TraceError> {
    let (dispatch, handle) = prepare(settings);
    dispatcher::set_global_default(dispatch).map_err(|_| TraceError::Installed)?;
    Ok(handle)
}
