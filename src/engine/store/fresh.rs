//! A new database: made aside without waiting for the disk, and put into its place whole.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::Connection;

use crate::engine::entropy::{self, Entropy, NoEntropy};

use super::{OpenError, file, schema};

/// Puts an empty database where no file is. Where somebody else does so first, theirs stays.
///
/// Its folder is not synced yet; whoever writes the master key beside it does that.
pub(super) fn put(path: &Utf8Path, entropy: &dyn Entropy) -> Result<(), OpenError> {
    if path.exists() {
        return Ok(());
    }
    let draft = draft(path, entropy)?;
    let made = make(&draft);
    if made.is_ok() {
        // Unlike a rename, a link never takes the place of a file. Where there are no links, the database is made in
        // its place later.
        let _linked = fs::hard_link(&draft, path);
    }
    // What is left of it does no harm.
    drop(fs::remove_file(&draft));
    made
}

/// A name that nobody else takes, in this process or another.
fn draft(path: &Utf8Path, entropy: &dyn Entropy) -> Result<Utf8PathBuf, NoEntropy> {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let name = entropy::uuid(entropy)?;
    Ok(path.with_extension(format!("{name}-{number}")))
}

fn make(draft: &Utf8Path) -> Result<(), OpenError> {
    file::prepare(draft)?;
    let connection = Connection::open(draft)?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF;")?;
    schema::prepare(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.close().map_err(|(_, error)| error)?;
    let synced = fs::File::open(draft).and_then(|file| file.sync_all());
    synced.map_err(|source| file::fault(draft, source))
}
