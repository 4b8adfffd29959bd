//! Settings of traces and alarms, as rows of names and values in the directory.

use std::sync::Arc;

use ringback_serviceability::alarm::{FanOut, Severity};
use ringback_serviceability::trace::{Rotation, TraceField, TraceHandle, TraceLevel, TraceLevels};
use thiserror::Error;

/// What the directory holds in its tables [`Trace`](ringback_db::Table::Trace) and [`Alarm`](ringback_db::Table::Alarm).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingRows {
    /// Names and values of the traces.
    pub trace: Vec<(String, String)>,
    /// Names and values of the alarms.
    pub alarm: Vec<(String, String)>,
}

/// Why a row of the settings was not taken. The other rows were.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettingProblem {
    /// Nothing has this name; the row has no effect.
    #[error("{table} settings: {reason}: its value {value:?} has no effect")]
    UnknownName {
        /// `"trace"` or `"alarm"`.
        table: &'static str,
        /// What there is.
        reason: String,
        /// The value.
        value: String,
    },
    /// The value is not one of those allowed.
    #[error("{table} settings: {name:?} cannot be {value:?}: {reason}; {used} stays in force")]
    NotAllowed {
        /// `"trace"` or `"alarm"`.
        table: &'static str,
        /// The name.
        name: String,
        /// The value.
        value: String,
        /// What is allowed.
        reason: String,
        /// What is in force.
        used: String,
    },
}

/// What puts settings of traces and alarms in force: libraries do not install exporters, so the program says how it is
/// done. Called with all rows at the start, and whenever they change; returns what is wrong with them, which becomes the
/// alarm `ParameterInvalid`. [`put_in_force`] is the ready-made one.
pub type OnSettings = Box<dyn FnMut(&SettingRows) -> Vec<SettingProblem> + Send>;

/// Puts settings in force through the handle of the program's traces and the fan-out of its alarms, those that it has.
///
/// | table | name | value | |
/// |---|---|---|---|
/// | trace | a field: `CTI`, `screen`, `dictionary`, `redundancy`, `change notification`, `handler`, `database`, `monitoring` | a level: `off`, `error`, `special`, `state transition`, `significant`, `entry/exit`, `arbitrary`, `detailed` | at once |
/// | trace | `rotation lines` | 1 to 1000000 | lines a file, from the next file on |
/// | trace | `rotation files` | 1 to 100000 | files kept, from the next file on |
/// | alarm | a destination, as the program named it in the [`FanOut`] | a minimum level: `debug`, `informational`, `notice`, `warning`, `error`, `critical`, `alert`, `emergency`; or `off` | at once |
///
/// Fields, levels and `off` may be written in capitals or not; destinations are matched exactly. What no row sets is as
/// it was when this was called; a row with a value that is not allowed changes nothing.
#[must_use]
pub fn put_in_force(traces: Option<TraceHandle>, alarms: Option<Arc<FanOut>>) -> OnSettings {
    let traces = traces.map(Traces::new);
    let alarms = alarms.map(Alarms::new);
    Box::new(move |rows| {
        let mut problems = Vec::new();
        if let Some(traces) = &traces {
            traces.put_in_force(&rows.trace, &mut problems);
        }
        if let Some(alarms) = &alarms {
            alarms.put_in_force(&rows.alarm, &mut problems);
        }
        problems
    })
}

const MOST_LINES: u64 = 1_000_000;
const MOST_FILES: usize = 100_000;

struct Traces {
    handle: TraceHandle,
    /// What the program began with.
    levels: TraceLevels,
    /// None: they do not go to files.
    rotation: Option<Rotation>,
}

impl Traces {
    fn new(handle: TraceHandle) -> Self {
        let (levels, rotation) = (handle.levels(), handle.rotation());
        Self { handle, levels, rotation }
    }

    fn put_in_force(&self, rows: &[(String, String)], problems: &mut Vec<SettingProblem>) {
        let (present, present_rotation) = (self.handle.levels(), self.handle.rotation().unwrap_or_default());
        let (mut levels, mut rotation) = (self.levels.clone(), self.rotation.unwrap_or_default());
        for (name, value) in rows {
            let not_allowed = |reason: String, used: String| SettingProblem::NotAllowed {
                table: "trace",
                name: name.clone(),
                value: value.clone(),
                reason,
                used,
            };
            let text = value.trim();
            if name.eq_ignore_ascii_case("rotation lines") {
                let allowed = text.parse().ok().filter(|lines| (1..=MOST_LINES).contains(lines));
                rotation.lines = allowed.unwrap_or(present_rotation.lines);
                if allowed.is_none() {
                    let reason = format!("allowed is 1 to {MOST_LINES}");
                    problems.push(not_allowed(reason, rotation.lines.to_string()));
                }
            } else if name.eq_ignore_ascii_case("rotation files") {
                let allowed = text.parse().ok().filter(|files| (1..=MOST_FILES).contains(files));
                rotation.files = allowed.unwrap_or(present_rotation.files);
                if allowed.is_none() {
                    let reason = format!("allowed is 1 to {MOST_FILES}");
                    problems.push(not_allowed(reason, rotation.files.to_string()));
                }
            } else {
                match (name.parse::<TraceField>(), text.parse::<TraceLevel>()) {
                    (Ok(field), Ok(level)) => levels = levels.with(field, level),
                    (Ok(field), Err(error)) => {
                        let used = present.level(field);
                        levels = levels.with(field, used);
                        problems.push(not_allowed(error.to_string(), used.to_string()));
                    }
                    (Err(error), _) => problems.push(SettingProblem::UnknownName {
                        table: "trace",
                        reason: format!("{error}, or rotation lines, or rotation files"),
                        value: value.clone(),
                    }),
                }
            }
        }
        if levels != present {
            // Only if the traces are gone: then nothing is traced.
            let _gone = self.handle.set_levels(levels);
        }
        // The limits have been checked.
        let _invalid = self.handle.set_rotation(rotation);
    }
}

struct Alarms {
    fan_out: Arc<FanOut>,
    /// What the program began with.
    minimums: Vec<(String, Option<Severity>)>,
}

impl Alarms {
    fn new(fan_out: Arc<FanOut>) -> Self {
        let minimums =
            fan_out.minimums().into_iter().map(|(name, minimum)| (name.to_owned(), minimum)).collect();
        Self { fan_out, minimums }
    }

    fn put_in_force(&self, rows: &[(String, String)], problems: &mut Vec<SettingProblem>) {
        let unset = self.minimums.iter().filter(|(name, _)| !rows.iter().any(|(row, _)| row == name));
        for (name, minimum) in unset {
            // It exists.
            let _known = self.fan_out.set_minimum(name, *minimum);
        }
        for (name, value) in rows {
            let present = self.fan_out.minimums().into_iter().find(|(known, _)| known == name);
            let present = present.and_then(|(_, minimum)| minimum);
            let wanted = match value.trim() {
                off if off.eq_ignore_ascii_case("off") => Ok(None),
                level => level.parse::<Severity>().map(Some),
            };
            let used = wanted.as_ref().copied().unwrap_or(present);
            if let Err(error) = self.fan_out.set_minimum(name, used) {
                problems.push(SettingProblem::UnknownName {
                    table: "alarm",
                    reason: error.to_string(),
                    value: value.clone(),
                });
            } else if let Err(error) = wanted {
                problems.push(SettingProblem::NotAllowed {
                    table: "alarm",
                    name: name.clone(),
                    value: value.clone(),
                    reason: format!("{error}, or off"),
                    used: used.map_or("off", Severity::name).to_owned(),
                });
            }
        }
    }
}
