use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::unconstrained;

/// A runtime in real time beside the simulated one.
pub(super) struct RealTime(Runtime);

/// The way there. A clone is the same.
#[derive(Debug, Clone)]
pub(super) struct Real(Handle);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl RealTime {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Builder::new_multi_thread().worker_threads(1).enable_all().build()?))
    }

    pub(super) fn way(&self) -> Real {
        Real(self.0.handle().clone())
    }
}

impl Real {
    /// Carries a call out there while this thread stands still, and with it simulated time: the call takes none, and nothing
    /// else happens meanwhile, so that the same scenario gives the same events, however long the call really took.
    pub(super) fn wait<T>(&self, call: impl Future<Output = T>) -> T {
        // Timers and sockets of the call belong there.
        let _there = self.0.enter();
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        // Whoever waits here is one task for all that time: it would run out of turns.
        let mut call = pin!(unconstrained(call));
        loop {
            if let Poll::Ready(done) = call.as_mut().poll(&mut context) {
                return done;
            }
            thread::park();
        }
    }
}
