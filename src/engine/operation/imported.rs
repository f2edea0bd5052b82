//! Imported material: which pieces belong to a key, and which of them are there.

use crate::engine::store::Connection;
use aws_lc_rs::digest::{Context as Hash, SHA256};

use crate::engine::entropy;
use crate::engine::store::keys::{self, Key, MultiRegion};
use crate::engine::store::material::{self, Piece};
use crate::engine::wire::Failure;
use crate::model::KeyId;

use super::settle;

/// The id of material in a key: the same material has the same id in every replica, and another in every other key.
pub(super) fn id(key: &KeyId, secret: &[u8]) -> String {
    let mut hash = Hash::new(&SHA256);
    hash.update(key.as_str().as_bytes());
    hash.update(secret);
    entropy::hex(hash.finish().as_ref())
}

/// Takes a piece away. A key goes on needing its pieces, but not one that is still pending; and what is no longer
/// pending in a primary is not in its replicas either.
pub(super) fn take_away(connection: &Connection, key: &Key, id: &str) -> Result<(), Failure> {
    let pieces = material::pieces(connection, key.row)?;
    let pending = pieces.iter().any(|piece| piece.id == id && piece.pending);
    if pending && key.multi_region != Some(MultiRegion::Replica) {
        for row in settle::rows_of_all(connection, key)? {
            material::remove(connection, row, id)?;
        }
    } else {
        material::empty(connection, key.row, id)?;
    }
    Ok(material::note_completeness(connection, key.row)?)
}

/// How far a key's pending piece has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// A rotation can make it current.
    Ready,
    /// A related key does not have it yet.
    Missing,
}

/// The piece that waits for a rotation on demand.
pub(super) fn pending(
    connection: &Connection,
    key: &Key,
) -> Result<Option<(Piece, Progress)>, Failure> {
    let pieces = material::pieces(connection, key.row)?;
    let Some(piece) = pieces.into_iter().find(|piece| piece.pending) else {
        return Ok(None);
    };
    let mut ready = piece.present;
    for relative in keys::related(connection, key)? {
        ready &= material::find(connection, relative.row, &piece.id)?.is_some();
    }
    let progress = if ready {
        Progress::Ready
    } else {
        Progress::Missing
    };
    Ok(Some((piece, progress)))
}
