//! What an instance has while it is active, and only then.

use ringback_callback::{Engine, Input, Output, Parameters};
use ringback_cti::{CallTable, ProviderEvent};
use ringback_model::{Epoch, Group, RequestId, Timestamp};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::locator::Locator;
use crate::opened::Opened;
use crate::phones::Phones;
use crate::writer::Writer;

/// The office of the active instance.
pub(super) enum Office {
    /// Another instance has it, or nobody.
    Vacant,
    /// It is ours, and the store is being read.
    Entering {
        /// In this epoch.
        epoch: Epoch,
    },
    /// It is ours.
    Held(Box<Term>),
}

/// A claim of the store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claimed {
    pub(super) epoch: Epoch,
    /// The highest epoch that had been claimed before.
    pub(super) before: Epoch,
}

/// One term of office.
pub(super) struct Term {
    pub(super) epoch: Epoch,
    pub(super) clock: Clock,
    pub(super) engine: Engine,
    pub(super) calls: CallTable,
    pub(super) writer: Writer,
    pub(super) opened: Opened,
    pub(super) phones: Phones,
    /// Lines whose phones are being looked up.
    pub(super) locator: Locator,
    /// Presses of the key for which the directory is being asked.
    pub(super) resolving: usize,
    /// Commands to phones that have no outcome yet.
    pub(super) sending: usize,
    /// Calls of which it is not known whether they were made: the link was lost just now, or there was no answer.
    pub(super) doubtful_calls: Vec<RequestId>,
    /// Nothing new is begun: the office is being handed over.
    pub(super) draining: bool,
    /// What happened meanwhile, should the hand-over be called off.
    pub(super) held_back: Vec<ProviderEvent>,
    outputs: Vec<Output>,
}

impl Term {
    pub(super) fn new(
        group: Group,
        epoch: Epoch,
        now: Timestamp,
        parameters: Parameters,
        writer: Writer,
        phones: Phones,
        lines_at_once: usize,
    ) -> Self {
        Self {
            epoch,
            clock: Clock::anchored(now),
            engine: Engine::new(group, epoch, parameters),
            calls: CallTable::default(),
            writer,
            opened: Opened::default(),
            phones,
            locator: Locator::new(lines_at_once),
            resolving: 0,
            sending: 0,
            doubtful_calls: Vec::new(),
            draining: false,
            held_back: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// Gives the engine an input and takes what it wants done.
    pub(super) fn handle(&mut self, input: Input) -> Vec<Output> {
        let mut outputs = std::mem::take(&mut self.outputs);
        self.engine.handle(self.clock.now(), input, &mut outputs);
        outputs
    }

    /// Gives back the list, so that it need not be made anew for each event.
    pub(super) fn recycle(&mut self, mut outputs: Vec<Output>) {
        outputs.clear();
        self.outputs = outputs;
    }

    /// Whether everything begun has come to its end.
    pub(super) fn is_settled(&self) -> bool {
        self.writer.is_idle() && self.phones.is_idle() && self.sending == 0 && self.resolving == 0
    }
}

impl Office {
    pub(super) fn term(&mut self) -> Option<&mut Term> {
        match self {
            Self::Held(term) => Some(term),
            _ => None,
        }
    }

    /// Whether this instance has it, or is about to.
    pub(super) fn is_taken(&self) -> bool {
        !matches!(self, Self::Vacant)
    }

    /// Whether writing fails at present.
    pub(super) fn is_write_failing(&self) -> bool {
        matches!(self, Self::Held(term) if term.writer.is_failing())
    }

    pub(super) fn engine(&self) -> Option<&Engine> {
        match self {
            Self::Held(term) => Some(&term.engine),
            _ => None,
        }
    }

    pub(super) fn opened(&self) -> Option<&Opened> {
        match self {
            Self::Held(term) => Some(&term.opened),
            _ => None,
        }
    }

    /// Whether everything that the requests need has been opened and read.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self, Self::Held(term) if term.opened.all_read() && term.locator.is_idle())
    }

    pub(super) fn next_wakeup(&self) -> Option<Instant> {
        match self {
            Self::Held(term) => {
                // While the office is handed over, the timers are the next one's.
                let engine = term.engine.next_timeout().filter(|_| !term.draining);
                let engine = engine.map(|at| term.clock.instant(at));
                [engine, term.writer.retry_at(), term.locator.retry_at()].into_iter().flatten().min()
            }
            _ => None,
        }
    }
}
