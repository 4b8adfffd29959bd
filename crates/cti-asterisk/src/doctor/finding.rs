use std::fmt;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weight {
    /// Call Back works without a change.
    Note,
    /// Something has to be changed.
    Change,
}

/// What is to be done with the lines of a [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edit {
    /// They are added; a line with the same key that is there already is changed.
    Set,
    /// They are removed.
    Remove,
}

/// One change at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file or the machine, and the section in it.
    pub place: String,
    /// What is done with the lines.
    pub edit: Edit,
    /// The lines, as they are to stand there.
    pub lines: Vec<String>,
}

impl Change {
    /// These lines are added, or changed, here.
    pub fn set<L: Into<String>>(place: impl Into<String>, lines: impl IntoIterator<Item = L>) -> Self {
        Self { place: place.into(), edit: Edit::Set, lines: lines.into_iter().map(Into::into).collect() }
    }

    /// These lines are removed from here.
    pub fn remove<L: Into<String>>(place: impl Into<String>, lines: impl IntoIterator<Item = L>) -> Self {
        Self { edit: Edit::Remove, ..Self::set(place, lines) }
    }
}

/// Something at a PBX that is not as Call Back needs it.
///
/// Shown with `{}` it is what a person reads: what is wrong, the exact lines and where they belong, and how the change is
/// put in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub weight: Weight,
    /// What is wrong, and what follows from it.
    pub what: String,
    /// What mends it.
    pub changes: Vec<Change>,
    /// Whether one of the changes is enough.
    pub any: bool,
    /// What puts it in force.
    pub then: Option<&'static str>,
}

impl Finding {
    /// Something has to be changed.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { weight: Weight::Change, what: what.into(), changes: Vec::new(), any: false, then: None }
    }

    /// Something to know.
    pub(super) fn note(what: impl Into<String>) -> Self {
        Self { weight: Weight::Note, ..Self::new(what) }
    }

    pub(super) fn with(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// One of the changes is enough.
    pub(super) fn any(self) -> Self {
        Self { any: true, ..self }
    }

    pub(super) fn then(self, then: &'static str) -> Self {
        Self { then: Some(then), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.weight == Weight::Note {
            f.write_str("note: ")?;
        }
        f.write_str(&self.what)?;
        for (nth, change) in self.changes.iter().enumerate() {
            let or = if self.any && nth > 0 { "or " } else { "" };
            let verb = match change.edit {
                Edit::Set => "",
                Edit::Remove => "remove from ",
            };
            write!(f, "\n  {or}{verb}{}:", change.place)?;
            for line in &change.lines {
                write!(f, "\n    {line}")?;
            }
        }
        match self.then {
            Some(then) => write!(f, "\n  then: {then}"),
            None => Ok(()),
        }
    }
}
