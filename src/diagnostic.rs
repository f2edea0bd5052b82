//! What we tell people about their files, as data: code, severity, message, where, and what to do next.

use std::fmt;
use std::sync::Arc;

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The run cannot use this file.
    Error,
    /// The file says what it should, and what it asks for does not hold.
    Finding,
    /// The run goes on; the person should look.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Finding => "finding",
            Self::Warning => "warning",
        })
    }
}

/// One fault in a person's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable identifier of the kind of fault, such as `unknown-field`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop, names in backticks.
    pub message: String,
    /// Where it is; the first location is the primary one.
    pub locations: Vec<Location>,
    /// More to know about it, a sentence each.
    pub notes: Vec<String>,
    /// The next step for the reader.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a location.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>, location: Location) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            locations: vec![location],
            notes: Vec::new(),
            help: None,
        }
    }

    /// A warning at a location.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>, location: Location) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message, location)
        }
    }

    /// Something that does not hold, at a location.
    #[must_use]
    pub fn finding(code: &'static str, message: impl Into<String>, location: Location) -> Self {
        Self {
            severity: Severity::Finding,
            ..Self::error(code, message, location)
        }
    }

    /// Adds something more to know.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds the next step.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a second place that explains the first.
    #[must_use]
    pub fn with_location(mut self, location: Location) -> Self {
        self.locations.push(location);
        self
    }

    /// True when the run cannot use the file.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// A place in a file, complete enough to be shown without the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Path as the person would type it.
    pub file: Arc<str>,
    /// Line, from 1; 0 where the fault is the whole file.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Length in characters on that line, at least 1.
    pub length: usize,
    /// The text of the line, cut to a printable length.
    pub source: Arc<str>,
    /// What to write next to the carets; empty for the primary location.
    pub label: String,
}

impl Location {
    /// A location that stands for a whole file.
    #[must_use]
    pub fn whole_file(file: impl Into<Arc<str>>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
            length: 1,
            source: Arc::from(""),
            label: String::new(),
        }
    }

    /// The same place with text for the carets.
    #[must_use]
    pub fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{}", self.file, self.column),
        }
    }
}
