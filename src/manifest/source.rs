//! Files that hold manifests, read from disk with limits on how much.

use std::fs;
use std::io;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::fault::{Fault, Span};
use crate::diagnostic::{Diagnostic, Location};

/// The largest file that is read, in bytes.
pub(crate) const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// The most files of one run.
const MAX_FILES: usize = 20_000;
/// The deepest folder below a given path.
const MAX_FOLDERS: usize = 32;
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
        let after = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(after).collect();
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
        rest.lines().next().unwrap_or_default()
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
    /// Reads every `*.yaml` and `*.yml` under the paths, in sorted order.
    #[must_use]
    pub fn read(paths: &[Utf8PathBuf]) -> (Self, Vec<Diagnostic>) {
        let mut walk = Walk::default();
        for path in paths {
            walk.visit_given(path);
        }
        let Walk {
            mut found,
            mut faults,
        } = walk;
        found.sort();
        found.dedup();
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
        (sources, faults)
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
        let hidden = faults.len().saturating_sub(MAX_FAULTS);
        let shown = faults.into_iter().take(MAX_FAULTS);
        let mut diagnostics: Vec<Diagnostic> = shown.map(|fault| fault.locate(self)).collect();
        if hidden > 0 {
            let last = diagnostics.last().and_then(|last| last.locations.first());
            let file = last.map(|last| Arc::clone(&last.file));
            let location = Location::whole_file(file.unwrap_or_default());
            let message = format!("{hidden} more faults are not shown");
            diagnostics.push(Diagnostic::error("too-many-faults", message, location));
        }
        diagnostics
    }
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

#[derive(Default)]
struct Walk {
    found: Vec<Utf8PathBuf>,
    faults: Vec<Diagnostic>,
}

impl Walk {
    fn visit_given(&mut self, path: &Utf8Path) {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.visit_folder(path, 0),
            Ok(metadata) if metadata.is_file() => self.found.push(path.to_owned()),
            Ok(_) => self.fault(path, "neither a file nor a folder"),
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn visit_folder(&mut self, folder: &Utf8Path, depth: usize) {
        if depth > MAX_FOLDERS {
            self.fault(folder, "too many folders inside each other");
            return;
        }
        let entries = match folder.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(folder, &error),
        };
        for entry in entries {
            match entry {
                Ok(entry) => self.visit_entry(entry.path(), depth),
                Err(error) => self.unreadable(folder, &error),
            }
        }
    }

    fn visit_entry(&mut self, path: &Utf8Path, depth: usize) {
        if path.file_name().is_none_or(|name| name.starts_with('.')) {
            return;
        }
        let is_manifest = matches!(path.extension(), Some("yaml" | "yml"));
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.visit_folder(path, depth + 1),
            Ok(metadata) if is_manifest && metadata.is_file() => self.add(path),
            Err(error) if is_manifest => self.unreadable(path, &error),
            Ok(_) | Err(_) => {}
        }
    }

    fn add(&mut self, path: &Utf8Path) {
        if self.found.len() == MAX_FILES {
            self.fault(path, "one manifest file more than a run can take");
        }
        if self.found.len() <= MAX_FILES {
            self.found.push(path.to_owned());
        }
    }

    fn unreadable(&mut self, path: &Utf8Path, error: &io::Error) {
        self.faults.push(unreadable(path, error));
    }

    fn fault(&mut self, path: &Utf8Path, why: &str) {
        let location = Location::whole_file(path.as_str());
        let message = format!("cannot read `{path}`: {why}");
        self.faults
            .push(Diagnostic::error("unreadable-file", message, location));
    }
}

/// Reads a file unless it is too large, which its size tells before a byte is read.
fn read_limited(path: &Utf8Path) -> Result<Vec<u8>, Diagnostic> {
    let size = fs::metadata(path)
        .map_err(|error| unreadable(path, &error))?
        .len();
    if size > MAX_FILE_BYTES {
        let message = format!("`{path}` has {} MiB", size / (1024 * 1024));
        let location = Location::whole_file(path.as_str());
        return Err(Diagnostic::error("file-too-large", message, location)
            .with_help("a manifest file has at most 4 MiB; split it, or point at another folder"));
    }
    fs::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Utf8Path, error: &io::Error) -> Diagnostic {
    let why = if error.kind() == io::ErrorKind::NotFound {
        "it does not exist".to_owned()
    } else {
        error.to_string()
    };
    let message = format!("cannot read `{path}`: {why}");
    Diagnostic::error(
        "unreadable-file",
        message,
        Location::whole_file(path.as_str()),
    )
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
