//! What the directory says of the service itself: parameters, and settings of traces and alarms.

use std::fmt::Display;

use ringback_callback::Input;
use ringback_db::{DirectoryError, ParameterProblem, ServiceParameters};

use super::jobs::Done;
use super::reading::Reading;
use super::{OnParameters, Service};
use crate::settings::{OnSettings, SettingProblem, SettingRows};

/// What is in force, and whether it is what the directory holds.
pub(super) struct Configured {
    parameters: ServiceParameters,
    on_parameters: Option<OnParameters>,
    /// Whether they have been read, or told at least as the defaults that they are.
    told_parameters: bool,
    reading_parameters: Reading,
    /// What was wrong with them last time: told once.
    parameter_problems: Vec<ParameterProblem>,
    /// None: the settings do not matter.
    on_settings: Option<OnSettings>,
    /// Those told last.
    settings: Option<SettingRows>,
    reading_settings: Reading,
    setting_problems: Vec<SettingProblem>,
}

impl Configured {
    pub(super) fn new(on_parameters: Option<OnParameters>, on_settings: Option<OnSettings>) -> Self {
        Self {
            parameters: ServiceParameters::default(),
            on_parameters,
            told_parameters: false,
            reading_parameters: Reading::Wanted,
            parameter_problems: Vec::new(),
            on_settings,
            settings: None,
            reading_settings: Reading::Wanted,
            setting_problems: Vec::new(),
        }
    }

    /// The service reads the parameters itself, at its start.
    pub(super) fn first_reading(&mut self) {
        self.reading_parameters.begin();
    }

    pub(super) fn parameters(&self) -> &ServiceParameters {
        &self.parameters
    }

    /// Takes the parameters that the directory holds, or `None` if it could not tell; whether anything changed, and what
    /// is newly wrong. At the start they are told in any case.
    fn take_parameters(&mut self, rows: Option<&[(String, String)]>) -> (bool, Vec<ParameterProblem>) {
        let mut news = Vec::new();
        let parameters = match rows {
            Some(rows) => {
                let (parameters, problems) = ServiceParameters::parse(rows);
                news.extend(unknown(&problems, &self.parameter_problems));
                self.parameter_problems = problems;
                parameters
            }
            None => self.parameters.clone(),
        };
        let changed = parameters != self.parameters;
        if changed || !self.told_parameters {
            self.told_parameters = true;
            if let Some(on_parameters) = &mut self.on_parameters {
                on_parameters(&parameters);
            }
            self.parameters = parameters;
        }
        (changed, news)
    }

    /// Takes the settings that the directory holds; what is newly wrong with them.
    fn take_settings(&mut self, rows: SettingRows) -> Vec<SettingProblem> {
        let Some(on_settings) = self.on_settings.as_mut().filter(|_| self.settings.as_ref() != Some(&rows))
        else {
            return Vec::new();
        };
        let problems = on_settings(&rows);
        let news = unknown(&problems, &self.setting_problems).collect();
        self.settings = Some(rows);
        self.setting_problems = problems;
        news
    }
}

/// Those that were not there before.
fn unknown<'a, T: Clone + PartialEq>(problems: &'a [T], before: &'a [T]) -> impl Iterator<Item = T> + 'a {
    problems.iter().filter(|problem| !before.contains(problem)).cloned()
}

impl Service {
    /// Reads the service parameters.
    pub(super) fn read_parameters(&mut self) {
        if self.configured.reading_parameters.begin() {
            let lookup = self.lookup.clone();
            self.jobs.push(Box::pin(async move { Done::Parameters(lookup.parameters().await) }));
        }
    }

    /// Reads the settings of traces and alarms, if they matter to anybody.
    pub(super) fn read_settings(&mut self) {
        if self.configured.on_settings.is_some() && self.configured.reading_settings.begin() {
            let lookup = self.lookup.clone();
            self.jobs.push(Box::pin(async move { Done::Settings(lookup.settings().await) }));
        }
    }

    /// Reads what could not be read before.
    pub(super) fn read_what_is_missing(&mut self) {
        if self.configured.reading_parameters == Reading::Wanted {
            self.read_parameters();
        }
        if self.configured.reading_settings == Reading::Wanted {
            self.read_settings();
        }
    }

    /// The service parameters, or why they could not be read.
    pub(super) fn parameters_read(&mut self, result: Result<Vec<(String, String)>, DirectoryError>) {
        self.directory_answered(result.as_ref().err());
        let (changed, problems) = self.configured.take_parameters(result.as_deref().ok());
        self.are_invalid(&problems);
        if changed {
            self.tell_engine(Input::Parameters(self.configured.parameters.callback));
        }
        if self.configured.reading_parameters.end(result.is_ok()) {
            self.read_parameters();
        }
    }

    /// The settings, or why they could not be read.
    pub(super) fn settings_read(&mut self, result: Result<SettingRows, DirectoryError>) {
        self.directory_answered(result.as_ref().err());
        let again = self.configured.reading_settings.end(result.is_ok());
        if let Ok(rows) = result {
            let problems = self.configured.take_settings(rows);
            self.are_invalid(&problems);
        }
        if again {
            self.read_settings();
        }
    }

    fn are_invalid<T: Display>(&self, problems: &[T]) {
        for problem in problems {
            self.surroundings.parameter_invalid(problem);
        }
    }
}
