//! Files that only their owner can read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};

use super::OpenError;

/// Makes the folder (0700) of a file where it is not there yet.
pub(crate) fn prepare_folder(path: &Utf8Path) -> Result<(), OpenError> {
    match path.parent().filter(|folder| !folder.as_str().is_empty()) {
        Some(folder) => make_folder(folder).map_err(|source| fault(folder, source)),
        None => Ok(()),
    }
}

/// Makes a database's folder (0700) and file (0600) where they are not there yet.
pub(crate) fn prepare(path: &Utf8Path) -> Result<(), OpenError> {
    prepare_folder(path)?;
    // SQLite gives its side files the mode of the database.
    private(OpenOptions::new().write(true).create(true).truncate(false))
        .open(path)
        .map(drop)
        .map_err(|source| fault(path, source))
}

/// Whether a database is yet to be made; fails where there was one.
///
/// The first start puts a database in its place whole, and its master key after that: whatever ends it, there is no key
/// without a database, and no empty database.
pub(super) fn is_new(path: &Utf8Path, key: Option<&Utf8PathBuf>) -> Result<bool, OpenError> {
    // Looked at first, since another process may be at its first start.
    let key = key.filter(|key| key.exists());
    match (fs::metadata(path), key) {
        (Ok(found), _) if found.len() == 0 => Err(OpenError::Damaged("it is empty".to_owned())),
        (Ok(_), _) => Ok(false),
        (Err(error), Some(key)) if error.kind() == io::ErrorKind::NotFound => {
            Err(OpenError::Missing {
                path: path.to_owned(),
                key: key.clone(),
            })
        }
        (Err(error), None) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        (Err(error), _) => Err(fault(path, error)),
    }
}

pub(crate) fn fault(path: &Utf8Path, source: io::Error) -> OpenError {
    OpenError::File {
        path: path.to_owned(),
        source,
    }
}

/// Writes a new private file so that it is either whole or not there.
pub(crate) fn write_whole(path: &Utf8Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("key.new");
    let mut file =
        private(OpenOptions::new().write(true).create(true).truncate(true)).open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    sync_folder(path)
}

/// True for a file that others than its owner may read or write.
#[cfg(unix)]
pub(super) fn is_exposed(path: &Utf8Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_exposed(_path: &Utf8Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn make_folder(path: &Utf8Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(not(unix))]
fn make_folder(path: &Utf8Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Makes a rename survive a crash.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Utf8Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty());
    fs::File::open(folder.unwrap_or(Utf8Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_path: &Utf8Path) -> io::Result<()> {
    Ok(())
}
