//! Called lines whose phones are to be looked up.

use std::collections::{HashMap, VecDeque};

use ringback_model::LineId;
use tokio::time::{Duration, Instant};

/// So many questions at a time, so that the patience with the directory is not spent waiting in a queue.
const QUESTIONS: usize = 32;

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
#[derive(Debug)]
pub(crate) struct Locator {
    /// So many lines a question.
    size: usize,
    lines: HashMap<LineId, Question>,
    waiting: VecDeque<LineId>,
    /// Questions under way.
    under_way: usize,
    not_before: Option<Instant>,
}

impl Locator {
    /// Asks for so many lines at once at most.
    pub(crate) fn new(size: usize) -> Self {
        let (lines, waiting) = Default::default();
        Self { size: size.max(1), lines, waiting, under_way: 0, not_before: None }
    }

    /// The phones of this line are wanted as they are now.
    pub(crate) fn want(&mut self, line: LineId) {
        match self.lines.get_mut(&line) {
            Some(Question::Waiting) => {}
            Some(asked) => *asked = Question::AskAgain,
            None => {
                self.lines.insert(line.clone(), Question::Waiting);
                self.waiting.push_back(line);
            }
        }
    }

    /// The next question to ask now: none of these lines has been answered.
    pub(crate) fn next(&mut self) -> Option<Vec<LineId>> {
        if self.under_way >= QUESTIONS || self.not_before.is_some_and(|at| Instant::now() < at) {
            return None;
        }
        let count = self.waiting.len().min(self.size);
        let asked: Vec<LineId> = self.waiting.drain(..count).collect();
        if asked.is_empty() {
            return None;
        }
        self.lines.extend(asked.iter().map(|line| (line.clone(), Question::Asked)));
        self.under_way += 1;
        Some(asked)
    }

    /// A question has come to its end. What is to become of its lines is told one by one.
    pub(crate) fn ended(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// The directory has answered.
    pub(crate) fn answered(&mut self, line: &LineId) {
        self.not_before = None;
        if self.lines.remove(line) == Some(Question::AskAgain) {
            self.want(line.clone());
        }
    }

    /// The directory could not say: it is asked again a little later.
    pub(crate) fn failed(&mut self, line: LineId) {
        self.lines.remove(&line);
        self.want(line);
        self.not_before = Some(Instant::now() + RETRY);
    }

    /// Whether every answer has come.
    pub(crate) fn is_idle(&self) -> bool {
        self.lines.is_empty()
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

    fn asked(lines: impl IntoIterator<Item = usize>) -> Option<Vec<LineId>> {
        Some(lines.into_iter().map(line).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_at_a_time_each_until_it_is_answered() {
        let mut locator = Locator::new(1);
        (0..40).for_each(|number| locator.want(line(number)));
        locator.want(line(39));
        for number in 0..QUESTIONS {
            assert_eq!(locator.next(), asked([number]));
        }
        assert_eq!(locator.next(), None);
        locator.ended();
        locator.answered(&line(5));
        assert_eq!(locator.next(), asked([QUESTIONS]));
        locator.ended();
        locator.failed(line(6));
        assert_eq!(locator.next(), None, "not before a second has passed");
        tokio::time::sleep_until(locator.retry_at().expect("a time")).await;
        let rest: Vec<LineId> = std::iter::from_fn(|| {
            let next = locator.next()?;
            locator.ended();
            next.iter().for_each(|line| locator.answered(line));
            Some(next)
        })
        .flatten()
        .collect();
        assert_eq!(rest, [33, 34, 35, 36, 37, 38, 39, 6].map(line));
        assert!(!locator.is_idle(), "31 are under way");
    }

    #[test]
    fn several_are_asked_for_at_once() {
        let mut locator = Locator::new(3);
        (0..5).for_each(|number| locator.want(line(number)));
        assert_eq!(locator.next(), asked(0..3));
        assert_eq!(locator.next(), asked(3..5));
        assert_eq!(locator.next(), None);
        locator.want(line(1));
        locator.ended();
        (0..3).for_each(|number| locator.answered(&line(number)));
        assert_eq!(locator.next(), asked([1]));
        locator.ended();
        locator.ended();
        [1, 3, 4].iter().for_each(|number| locator.answered(&line(*number)));
        assert!(locator.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_while_it_is_asked_is_asked_for_once_more() {
        let mut locator = Locator::new(1);
        locator.want(line(1));
        assert_eq!(locator.next(), asked([1]));
        locator.want(line(1));
        locator.want(line(1));
        assert_eq!(locator.next(), None, "never twice at a time");
        locator.ended();
        locator.answered(&line(1));
        assert_eq!(locator.next(), asked([1]));
        locator.ended();
        locator.answered(&line(1));
        assert!(locator.is_idle());
    }
}
