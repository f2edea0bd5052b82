//! Where manifest files are: every file and folder below the given paths once, whatever links lead to it.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};

use crate::diagnostic::{Diagnostic, Location};

/// The largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// The most files of one run.
const MAX_FILES: usize = 20_000;
/// The deepest folder below a given path.
const MAX_FOLDERS: usize = 32;

/// Finds the manifest files under the paths, sorted.
pub(super) fn find(paths: &[Utf8PathBuf]) -> (Vec<Utf8PathBuf>, Vec<Diagnostic>) {
    let mut walk = Walk::default();
    for path in paths {
        walk.visit_given(path);
    }
    walk.found.sort();
    (walk.found, walk.faults)
}

#[derive(Default)]
struct Walk {
    found: Vec<Utf8PathBuf>,
    /// Where the files and folders that were seen really are.
    seen: BTreeSet<PathBuf>,
    faults: Vec<Diagnostic>,
}

impl Walk {
    fn visit_given(&mut self, path: &Utf8Path) {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.visit_folder(path, 0),
            Ok(metadata) if metadata.is_file() => self.add(path),
            Ok(_) => self.fault(path, "neither a file nor a folder"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let help = "name the files or the folder in which your manifests are; `docs/manifests.md` tells how to write one";
                self.faults.push(unreadable(path, &error).with_help(help));
            }
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn visit_folder(&mut self, folder: &Utf8Path, depth: usize) {
        if !self.is_first_visit(folder) {
            return;
        }
        if depth > MAX_FOLDERS {
            self.fault(folder, "too many folders inside each other");
            return;
        }
        let entries: io::Result<Vec<DirEntry>> =
            fs::read_dir(folder).and_then(|entries| entries.collect());
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(folder, &error),
        };
        // In order, so that of two paths to one file it is always the same that is shown.
        entries.sort_by_key(DirEntry::file_name);
        for entry in entries {
            match Utf8PathBuf::try_from(entry.path()) {
                Ok(path) => self.visit_entry(&path, depth),
                Err(error) => self.visit_nameless(error.as_path()),
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

    /// A path that no message could repeat: told of where it could have been a manifest.
    fn visit_nameless(&mut self, path: &Path) {
        let is_manifest = path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml");
        if is_manifest || path.is_dir() {
            let shown = Utf8PathBuf::from(path.to_string_lossy().into_owned());
            self.fault(&shown, "its name is not UTF-8; rename it");
        }
    }

    fn add(&mut self, path: &Utf8Path) {
        if self.found.len() > MAX_FILES || !self.is_first_visit(path) {
            return;
        }
        if self.found.len() == MAX_FILES {
            self.fault(path, "one manifest file more than a run can take");
        }
        self.found.push(path.to_owned());
    }

    fn is_first_visit(&mut self, path: &Utf8Path) -> bool {
        match path.canonicalize() {
            Ok(real) => self.seen.insert(real),
            Err(error) => {
                self.unreadable(path, &error);
                false
            }
        }
    }

    fn unreadable(&mut self, path: &Utf8Path, error: &io::Error) {
        self.faults.push(unreadable(path, error));
    }

    fn fault(&mut self, path: &Utf8Path, why: &str) {
        self.faults.push(cannot_read(path, why));
    }
}

/// Reads a file that is one and not too large: no device, whose end may never come.
pub(super) fn read_limited(path: &Utf8Path) -> Result<Vec<u8>, Diagnostic> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !metadata.is_file() {
        return Err(cannot_read(path, "it is not a file"));
    }
    let mut bytes = Vec::new();
    if metadata.len() <= MAX_FILE_BYTES {
        // What the size says may be outdated, or nothing at all.
        let read =
            File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
        read.map_err(|error| unreadable(path, &error))?;
    }
    let size = metadata.len().max(bytes.len() as u64);
    if size <= MAX_FILE_BYTES {
        return Ok(bytes);
    }
    let message = format!("`{path}` has {} MiB", size.div_ceil(1024 * 1024));
    let location = Location::whole_file(path.as_str());
    Err(Diagnostic::error("file-too-large", message, location)
        .with_help("a manifest file has at most 4 MiB; split it, or point at another folder"))
}

fn unreadable(path: &Utf8Path, error: &io::Error) -> Diagnostic {
    if error.kind() == io::ErrorKind::NotFound {
        cannot_read(path, "it does not exist")
    } else {
        cannot_read(path, &error.to_string())
    }
}

fn cannot_read(path: &Utf8Path, why: &str) -> Diagnostic {
    let message = format!("cannot read `{path}`: {why}");
    let location = Location::whole_file(path.as_str());
    Diagnostic::error("unreadable-file", message, location)
}
