use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Stops a [`Pausable`] future and lets it go on, as SIGSTOP and SIGCONT do a process.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    paused: bool,
    waiting: Option<Waker>,
}

impl Gate {
    pub(super) fn pause(&self) {
        self.state().paused = true;
    }

    pub(super) fn resume(&self) {
        let mut state = self.state();
        state.paused = false;
        if let Some(waker) = state.waiting.take() {
            waker.wake();
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.state().paused
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A future that is not polled while its gate is closed: its timers pass and its sockets fill, and it knows nothing.
pub(super) struct Pausable<F> {
    future: Pin<Box<F>>,
    gate: Gate,
}

impl<F: Future> Pausable<F> {
    pub(super) fn new(future: F, gate: Gate) -> Self {
        Self { future: Box::pin(future), gate }
    }
}

impl<F: Future> Future for Pausable<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        {
            let mut state = self.gate.state();
            if state.paused {
                state.waiting = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
        self.future.as_mut().poll(context)
    }
}
