//! Called lines whose phones are to be looked up.

use std::collections::{HashMap, VecDeque};

use ringback_model::LineId;
use tokio::time::{Duration, Instant};

/// So many questions at a time, so that the patience with the directory is not spent waiting in a queue.
const AT_A_TIME: usize = 32;

/// How soon the directory is asked again when it could not say.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Waiting,
    Asked,
    /// It may have changed since it was asked.
    AskAgain,
}

/// Asks for each line until the directory has answered, never twice at a time, so that answers come in order.
#[derive(Debug, Default)]
pub(crate) struct Locator {
    questions: HashMap<LineId, Question>,
    waiting: VecDeque<LineId>,
    not_before: Option<Instant>,
}

impl Locator {
    /// The phones of this line are wanted as they are now.
    pub(crate) fn want(&mut self, line: LineId) {
        match self.questions.get_mut(&line) {
            Some(Question::Waiting) => {}
            Some(asked) => *asked = Question::AskAgain,
            None => {
                self.questions.insert(line.clone(), Question::Waiting);
                self.waiting.push_back(line);
            }
        }
    }

    /// The next line to ask for now.
    pub(crate) fn next(&mut self) -> Option<LineId> {
        let under_way = self.questions.len() - self.waiting.len();
        if under_way >= AT_A_TIME || self.not_before.is_some_and(|at| Instant::now() < at) {
            return None;
        }
        let line = self.waiting.pop_front()?;
        self.questions.insert(line.clone(), Question::Asked);
        Some(line)
    }

    /// The directory has answered.
    pub(crate) fn answered(&mut self, line: &LineId) {
        self.not_before = None;
        if self.questions.remove(line) == Some(Question::AskAgain) {
            self.want(line.clone());
        }
    }

    /// The directory could not say: it is asked again a little later.
    pub(crate) fn failed(&mut self, line: LineId) {
        self.questions.remove(&line);
        self.want(line);
        self.not_before = Some(Instant::now() + RETRY);
    }

    /// Whether every answer has come.
    pub(crate) fn is_idle(&self) -> bool {
        self.questions.is_empty()
    }

    /// When the directory is to be asked again.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        self.not_before.filter(|_| !self.waiting.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use ringback_model::{DirectoryNumber, Partition};

    use super::*;

    fn line(number: usize) -> LineId {
        LineId::new(Partition::default(), DirectoryNumber::new(number.to_string()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_at_a_time_each_until_it_is_answered() {
        let mut locator = Locator::default();
        (0..40).for_each(|number| locator.want(line(number)));
        locator.want(line(39));
        for number in 0..AT_A_TIME {
            assert_eq!(locator.next(), Some(line(number)));
        }
        assert_eq!(locator.next(), None);
        locator.answered(&line(5));
        assert_eq!(locator.next(), Some(line(AT_A_TIME)));
        locator.failed(line(6));
        assert_eq!(locator.next(), None, "not before a second has passed");
        tokio::time::sleep_until(locator.retry_at().expect("a time")).await;
        let rest: Vec<LineId> = std::iter::from_fn(|| {
            let next = locator.next()?;
            locator.answered(&next);
            Some(next)
        })
        .collect();
        assert_eq!(rest, [33, 34, 35, 36, 37, 38, 39, 6].map(line));
        assert!(!locator.is_idle(), "31 are under way");
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_while_it_is_asked_is_asked_for_once_more() {
        let mut locator = Locator::default();
        locator.want(line(1));
        assert_eq!(locator.next(), Some(line(1)));
        locator.want(line(1));
        locator.want(line(1));
        assert_eq!(locator.next(), None, "never twice at a time");
        locator.answered(&line(1));
        assert_eq!(locator.next(), Some(line(1)));
        locator.answered(&line(1));
        assert!(locator.is_idle());
    }
}
