//! Faults in people's files, drawn under the line they are on, or as JSON.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Map, Value as Json, json};

use crate::diagnostic::{Diagnostic, Location, Severity};

/// Whether to colour a text; colour never carries meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Terminal colours; a stream that knows its terminal may strip them again.
    Always,
    /// Plain text.
    Never,
}

/// Draws diagnostics as text, with a count at the end; empty when there are none.
#[must_use]
pub fn text(diagnostics: &[Diagnostic], colour: Colour) -> String {
    let renderer = match colour {
        Colour::Always => Renderer::styled(),
        Colour::Never => Renderer::plain(),
    };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&renderer.render(&[group(diagnostic)]));
        out.push_str("\n\n");
    }
    if let Some(summary) = summary(diagnostics) {
        out.push_str(&summary);
        out.push('\n');
    }
    out
}

/// Counts errors, findings and warnings in words.
#[must_use]
pub fn summary(diagnostics: &[Diagnostic]) -> Option<String> {
    let count = |severity| {
        let matching = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity);
        matching.count()
    };
    let mut out = String::new();
    for severity in [Severity::Error, Severity::Finding, Severity::Warning] {
        let (separator, plural) = match (out.is_empty(), count(severity)) {
            (_, 0) => continue,
            (first, 1) => (if first { "" } else { ", " }, ""),
            (first, _) => (if first { "" } else { ", " }, "s"),
        };
        // Writing to a `String` cannot fail.
        let _ = write!(out, "{separator}{} {severity}{plural}", count(severity));
    }
    (!out.is_empty()).then_some(out)
}

/// Diagnostics as JSON, in order.
#[must_use]
pub fn json(diagnostics: &[Diagnostic]) -> Json {
    let all = diagnostics.iter().map(diagnostic_json);
    all.map(Json::Object).collect()
}

fn group(diagnostic: &Diagnostic) -> Group<'_> {
    let Diagnostic {
        code,
        severity,
        message,
        locations,
        notes,
        help,
    } = diagnostic;
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Finding => Level::ERROR.with_name("finding"),
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(message.as_str()).id(*code);
    let elements = locations
        .iter()
        .enumerate()
        .map(|(index, location)| element(location, index == 0));
    let notes = notes.iter().map(|note| Level::NOTE.message(note.as_str()));
    let mut group = title.elements(elements).elements(notes);
    if let Some(help) = help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

/// A location's line with carets, or its path alone where there is no line to show.
fn element(location: &Location, is_primary: bool) -> Element<'_> {
    let Location {
        file,
        line,
        column,
        length,
        source,
        label,
    } = location;
    let start = byte_at(source, column.saturating_sub(1));
    let (Some(start), 1..) = (start, *line) else {
        let mut origin = Origin::path(&**file);
        if *line > 0 {
            origin = origin.line(*line).char_column(*column);
        }
        return origin.into();
    };
    let end = byte_at(source, column.saturating_sub(1) + length).unwrap_or(source.len());
    let kind = if is_primary {
        AnnotationKind::Primary
    } else {
        AnnotationKind::Context
    };
    let mut annotation = kind.span(start..end.max(start));
    if !label.is_empty() {
        annotation = annotation.label(label.as_str());
    }
    Snippet::source(&**source)
        .line_start(*line)
        .path(&**file)
        .annotation(annotation)
        .into()
}

/// The byte at which a character of a line starts; its end counts as one more character.
fn byte_at(line: &str, characters: usize) -> Option<usize> {
    let starts = line.char_indices().map(|(at, _)| at);
    starts.chain([line.len()]).nth(characters)
}

pub(super) fn diagnostic_json(diagnostic: &Diagnostic) -> Map<String, Json> {
    let Diagnostic {
        code,
        severity,
        message,
        locations,
        notes,
        help,
    } = diagnostic;
    let mut object = Map::new();
    let mut put = |name: &str, value: Json| object.insert(name.to_owned(), value);
    put("code", json!(code));
    put("severity", json!(severity.to_string()));
    put("message", json!(message));
    put("locations", locations.iter().map(location_json).collect());
    if !notes.is_empty() {
        put("notes", json!(notes));
    }
    put("help", json!(help));
    object
}

fn location_json(location: &Location) -> Json {
    let Location {
        file,
        line,
        column,
        length,
        source: _,
        label,
    } = location;
    let mut object = json!({"file": &**file});
    if let Json::Object(object) = &mut object {
        if *line > 0 {
            object.insert("line".to_owned(), json!(line));
            object.insert("column".to_owned(), json!(column));
            object.insert("length".to_owned(), json!(length));
        }
        if !label.is_empty() {
            object.insert("label".to_owned(), json!(label));
        }
    }
    object
}
