//! What an instance has while it is active, and only then.

use ringback_callback::{Engine, Input, Output, Parameters, Record};
use ringback_cti::CallTable;
use ringback_model::{Epoch, Group, Timestamp};
use tokio::time::Instant;

use crate::clock::Clock;
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
    pub(super) locating: usize,
    /// Commands to phones that have no outcome yet.
    pub(super) sending: usize,
    /// Nothing new is begun: the office is being handed over.
    pub(super) draining: bool,
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
    ) -> Self {
        Self {
            epoch,
            clock: Clock::anchored(now),
            engine: Engine::new(group, epoch, parameters),
            calls: CallTable::default(),
            writer,
            opened: Opened::default(),
            phones,
            locating: 0,
            sending: 0,
            draining: false,
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
        self.writer.is_idle() && self.sending == 0
    }

    /// What the store held goes to the engine.
    pub(super) fn restore(&mut self, records: Vec<Record>) -> Vec<Output> {
        self.handle(Input::Restored(records))
    }
}

impl Office {
    pub(super) fn term(&mut self) -> Option<&mut Term> {
        match self {
            Self::Held(term) => Some(term),
            _ => None,
        }
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
        matches!(self, Self::Held(term) if term.opened.all_read() && term.locating == 0)
    }

    pub(super) fn next_wakeup(&self) -> Option<Instant> {
        match self {
            Self::Held(term) => {
                let engine = term.engine.next_timeout().map(|at| term.clock.instant(at));
                [engine, term.writer.retry_at()].into_iter().flatten().min()
            }
            _ => None,
        }
    }
}
