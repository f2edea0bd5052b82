//! Files that hold manifests, read from disk with limits on how much.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::fault::{Fault, Span};
use super::walk::{self, read_limited};
use crate::diagnostic::{Diagnostic, Location};

/// The most faults that are told in one run.
const MAX_FAULTS: usize = 500;
/// The longest line that is shown, in characters.
const MAX_SHOWN: usize = 400;

/// The manifest files of one run.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Arc<[Source]>,
}

/// One manifest file.
#[derive(Clone, Debug)]
pub struct Source {
    path: Utf8PathBuf,
    name: Arc<str>,
    text: String,
    /// Where each line starts, in bytes.
    lines: Vec<usize>,
}

impl Source {
    fn new(path: Utf8PathBuf, text: String) -> Self {
        let name = Arc::from(path.as_str());
        let lines = line_starts(&text);
        Self {
            path,
            name,
            text,
            lines,
        }
    }

    /// A line of the text, from 0.
    fn line(&self, index: usize) -> &str {
        let start = self.lines.get(index).copied().unwrap_or(self.text.len());
        let rest = self.text.get(start..).unwrap_or_default();
        rest.split(['\r', '\n']).next().unwrap_or_default()
    }

    /// The path as typed, with what was found below it.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Sources {
    /// Reads every `*.yaml` and `*.yml` under the paths, in sorted order and each once.
    #[must_use]
    pub fn read(paths: &[Utf8PathBuf]) -> (Self, Vec<Diagnostic>) {
        let (found, mut faults) = walk::find(paths);
        let mut texts = Vec::new();
        for path in found {
            match read_limited(&path) {
                Ok(bytes) => texts.push((path, bytes)),
                Err(fault) => faults.push(fault),
            }
        }
        if texts.is_empty() && faults.is_empty() {
            faults.push(none_found(paths));
        }
        let (sources, unreadable) = Self::from_texts(texts);
        faults.extend(unreadable);
        (sources, at_most(faults.into_iter()))
    }

    /// Takes texts that are already in memory.
    #[must_use]
    pub fn from_texts(
        texts: impl IntoIterator<Item = (Utf8PathBuf, Vec<u8>)>,
    ) -> (Self, Vec<Diagnostic>) {
        let mut files = Vec::new();
        let mut faults = Vec::new();
        for (path, bytes) in texts {
            match String::from_utf8(bytes) {
                Ok(text) => files.push(Source::new(path, text)),
                Err(error) => faults.push(not_utf8(&path, error.as_bytes(), &error.utf8_error())),
            }
        }
        let files = files.into();
        (Self { files }, faults)
    }

    /// The files that could be read.
    pub fn files(&self) -> &[Source] {
        &self.files
    }

    /// A place in one of the files, with its line of text.
    pub(crate) fn locate(&self, span: Span) -> Location {
        let Some(source) = self.files.get(span.file as usize) else {
            return Location::whole_file("");
        };
        let whole = || Location::whole_file(Arc::clone(&source.name));
        let Some(index) = (span.line as usize).checked_sub(1) else {
            return whole();
        };
        let line = source.line(index);
        let column = span.column.max(1) as usize;
        Location {
            line: span.line as usize,
            column,
            length: shown_length(line, column, span.length as usize),
            source: Arc::from(shown(line)),
            ..whole()
        }
    }

    /// Reads a file beside the one that a span is in; on failure, tells why.
    pub(crate) fn read_beside(
        &self,
        span: Span,
        path: &Utf8Path,
    ) -> Result<(Utf8PathBuf, String), String> {
        let source = self.files.get(span.file as usize);
        let folder = source.and_then(|source| source.path.parent());
        let path = folder.unwrap_or(Utf8Path::new("")).join(path);
        let bytes = read_limited(&path).map_err(|fault| fault.message)?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok((path, text)),
            Err(_) => Err(format!("`{path}` is not UTF-8 text")),
        }
    }

    /// Faults as diagnostics: sorted by place, each once.
    pub(crate) fn diagnostics(&self, mut faults: Vec<Fault>) -> Vec<Diagnostic> {
        faults.sort();
        faults.dedup();
        at_most(faults.into_iter().map(|fault| fault.locate(self)))
    }
}

/// As many faults as a person may want to read, and how many more there are.
fn at_most(mut faults: impl ExactSizeIterator<Item = Diagnostic>) -> Vec<Diagnostic> {
    let mut told: Vec<Diagnostic> = faults.by_ref().take(MAX_FAULTS).collect();
    let hidden = faults.len();
    if hidden > 0 {
        let last = told.last().and_then(|last| last.locations.first());
        let file = last.map(|last| Arc::clone(&last.file));
        let location = Location::whole_file(file.unwrap_or_default());
        let message = format!("{hidden} more faults are not shown");
        told.push(Diagnostic::error("too-many-faults", message, location));
    }
    told
}

/// Where lines start. YAML ends them with LF, CR or both.
fn line_starts(text: &str) -> Vec<usize> {
    let ends = text.match_indices(['\r', '\n']);
    let ends = ends.filter(|(at, end)| *end == "\n" || text.get(at + 1..at + 2) != Some("\n"));
    std::iter::once(0)
        .chain(ends.map(|(at, _)| at + 1))
        .collect()
}

/// How many of the characters from a column on are on the line; at least one.
fn shown_length(line: &str, column: usize, length: usize) -> usize {
    let rest = line.chars().count().saturating_sub(column - 1);
    length.min(rest).max(1)
}

/// A line as it can be printed: not too long, and without control characters.
fn shown(line: &str) -> String {
    let printable = |c: char| {
        if c.is_control() && c != '\t' {
            '\u{fffd}'
        } else {
            c
        }
    };
    line.chars().take(MAX_SHOWN).map(printable).collect()
}

fn none_found(paths: &[Utf8PathBuf]) -> Diagnostic {
    let names: Vec<&str> = paths.iter().map(|path| path.as_str()).collect();
    let first = names.first().copied().unwrap_or_default();
    let message = format!("no manifests under `{}`", names.join("`, `"));
    Diagnostic::error("no-manifests", message, Location::whole_file(first))
        .with_help("manifests are files that end in `.yaml` or `.yml`")
}

fn not_utf8(path: &Utf8Path, bytes: &[u8], error: &std::str::Utf8Error) -> Diagnostic {
    let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
    let before = String::from_utf8_lossy(valid);
    let line_start = valid
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |at| at + 1);
    let rest = bytes.get(line_start..).unwrap_or_default();
    let line = rest.split(|b| *b == b'\n').next().unwrap_or_default();
    let last = before.rsplit('\n').next().unwrap_or_default();
    let location = Location {
        line: before.matches('\n').count() + 1,
        column: last.chars().count() + 1,
        source: Arc::from(shown(&String::from_utf8_lossy(line))),
        ..Location::whole_file(path.as_str())
    };
    Diagnostic::error("not-utf-8", "this byte is not UTF-8 text", location)
        .with_help("save the file as UTF-8")
}
