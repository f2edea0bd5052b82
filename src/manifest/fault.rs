//! Faults while they are collected: a diagnostic whose places are still spans.

use super::source::Sources;
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::model::Malformed;

/// A stretch of one line of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    /// Index into the sources.
    pub(crate) file: u32,
    /// From 1; 0 stands for the whole file.
    pub(crate) line: u32,
    /// In characters, from 1.
    pub(crate) column: u32,
    /// In characters.
    pub(crate) length: u32,
}

impl Span {
    /// The whole of a file.
    pub(crate) fn whole_file(file: u32) -> Self {
        Self {
            file,
            line: 0,
            column: 0,
            length: 1,
        }
    }
}

/// A fault at a span; ordered by place, so that reports read from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    span: Span,
    code: &'static str,
    severity: Severity,
    message: String,
    others: Vec<Other>,
    help: Option<String>,
}

/// A second place that explains the first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Other {
    At(Span, String),
    Located(Location),
}

/// Where faults are collected.
pub(crate) type Faults = Vec<Fault>;

impl Fault {
    pub(crate) fn error(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Self {
            span,
            code,
            severity: Severity::Error,
            message: message.into(),
            others: Vec::new(),
            help: None,
        }
    }

    pub(crate) fn warning(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message, span)
        }
    }

    /// A text that is not one of the model's nouns.
    pub(crate) fn malformed(code: &'static str, malformed: Malformed, span: Span) -> Self {
        let Malformed { problem, help } = malformed;
        Self {
            help,
            ..Self::error(code, problem, span)
        }
    }

    /// Adds the next step.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds `did you mean …`, where something is near; it stands before any other help.
    pub(crate) fn nearest<'a>(
        self,
        text: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match nearest(text, candidates) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    /// Adds a second place that explains the first.
    pub(crate) fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.others.push(Other::At(span, label.into()));
        self
    }

    /// Adds a second place whose line is known already.
    pub(crate) fn also_at(mut self, location: Location) -> Self {
        self.others.push(Other::Located(location));
        self
    }

    /// The diagnostic, with lines of text.
    pub(crate) fn locate(self, sources: &Sources) -> Diagnostic {
        let Self {
            span,
            code,
            severity,
            message,
            others,
            help,
        } = self;
        let mut locations = vec![sources.locate(span)];
        for other in others {
            locations.push(match other {
                Other::At(span, label) => sources.locate(span).labelled(label),
                Other::Located(location) => location,
            });
        }
        Diagnostic {
            code,
            severity,
            message: on_one_line(&message),
            locations,
            notes: Vec::new(),
            help: help.map(|help| on_one_line(&help)),
        }
    }
}

/// A message on one line, without control characters and not endless: it may quote what a person wrote.
fn on_one_line(message: &str) -> String {
    const MAX: usize = 600;
    let mut line = String::new();
    for c in message.chars().take(MAX) {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    if message.chars().count() > MAX {
        line.push('…');
    }
    line
}

/// The candidate that a person most likely meant.
pub(crate) fn nearest<'a>(
    text: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if text.len() > 80 {
        return None;
    }
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let plain = |text: &str| text.replace('-', "_").to_ascii_lowercase();
    let same = candidates
        .iter()
        .find(|candidate| plain(candidate) == plain(text));
    same.copied().or_else(|| {
        similar::get_close_matches(text, &candidates, 1, 0.75)
            .first()
            .copied()
    })
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_the_nearest_spelling() {
        let fields = ["administrators", "aliases", "users"];
        assert_eq!(nearest("adminstrators", fields), Some("administrators"));
        assert_eq!(nearest("Users", fields), Some("users"));
        assert_eq!(nearest("colour", fields), None);
        assert_eq!(nearest("rsa-2048", ["RSA_2048"]), Some("RSA_2048"));
    }
}
