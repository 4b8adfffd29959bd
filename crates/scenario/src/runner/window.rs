/// A moment in the event logs: how many alerts and alarms there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Mark {
    /// Alerts, of all phones.
    pub alerts: usize,
    /// Alarms, of all names.
    pub alarms: usize,
}

/// From when on events are counted: the start of the latest run of actions that no expectation interrupts. An
/// expectation ends the run; the count goes on until the next action begins a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventWindow {
    start: Mark,
    in_run: bool,
}

impl EventWindow {
    /// The window before the first action: everything since the start counts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An action is about to be done.
    pub fn before_action(&mut self, now: Mark) {
        if !self.in_run {
            self.start = now;
        }
        self.in_run = true;
    }

    /// Something is about to be expected. Gives the start of the window.
    pub fn before_expectation(&mut self) -> Mark {
        self.in_run = false;
        self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(alerts: usize) -> Mark {
        Mark { alerts, alarms: 0 }
    }

    #[test]
    fn before_the_first_action_everything_counts() {
        let mut window = EventWindow::new();
        assert_eq!(window.before_expectation(), mark(0));
    }

    #[test]
    fn a_run_of_actions_counts_from_its_start() {
        let mut window = EventWindow::new();
        window.before_action(mark(1));
        window.before_action(mark(2));
        window.before_action(mark(3));
        assert_eq!(window.before_expectation(), mark(1));
    }

    #[test]
    fn an_expectation_does_not_reset_the_count_but_ends_the_run() {
        let mut window = EventWindow::new();
        window.before_action(mark(1));
        assert_eq!(window.before_expectation(), mark(1));
        assert_eq!(window.before_expectation(), mark(1));
        window.before_action(mark(5));
        window.before_action(mark(6));
        assert_eq!(window.before_expectation(), mark(5));
    }
}
