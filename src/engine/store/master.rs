//! The master key: what key material at rest and grant tokens are sealed with.

use std::str::FromStr;
use std::{fmt, fs, io};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8Path;
use rusqlite::{Connection, OptionalExtension as _};

use crate::engine::entropy::{self, Entropy};

use super::{OpenError, file};

/// Why a sealed value cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value is damaged")]
pub(crate) struct Damaged;

/// The bytes of a master key that somebody else keeps.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterSecret([u8; 32]);

/// Why a text is no master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 32 bytes in base64")]
pub struct NoMasterSecret;

impl FromStr for MasterSecret {
    type Err = NoMasterSecret;

    fn from_str(text: &str) -> Result<Self, NoMasterSecret> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| NoMasterSecret)?;
        let bytes = bytes.try_into().map_err(|_| NoMasterSecret)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for MasterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterSecret(…)")
    }
}

/// An AES-256-GCM key, and a key for tags that is derived from it.
pub(crate) struct MasterKey {
    sealing: LessSafeKey,
    tagging: hmac::Key,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// A new key that nothing else knows.
    pub(crate) fn generate(entropy: &dyn Entropy) -> Result<Self, OpenError> {
        Ok(Self::from_bytes(&entropy::bytes::<32>(entropy)?).ok_or(entropy::NoEntropy)?)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM, bytes).ok()?;
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), b"tags");
        Some(Self {
            sealing: LessSafeKey::new(key),
            tagging: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()),
        })
    }

    /// What only this key can make of some bytes.
    pub(crate) fn tag(&self, bytes: &[u8]) -> Vec<u8> {
        hmac::sign(&self.tagging, bytes).as_ref().to_vec()
    }

    /// Encrypts a secret for one place, named by `label`.
    pub(crate) fn seal(
        &self,
        secret: &[u8],
        label: &str,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, entropy::NoEntropy> {
        let nonce: [u8; NONCE_LEN] = entropy::bytes(entropy)?;
        let mut sealed = secret.to_vec();
        self.sealing
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(label),
                &mut sealed,
            )
            .map_err(|_| entropy::NoEntropy)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Decrypts what was sealed with the same label.
    pub(crate) fn open(&self, sealed: &[u8], label: &str) -> Result<Vec<u8>, Damaged> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Damaged)?;
        let mut secret = sealed.to_vec();
        let length = self
            .sealing
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(label),
                &mut secret,
            )
            .map_err(|_| Damaged)?
            .len();
        secret.truncate(length);
        Ok(secret)
    }
}

/// Takes the master key of a database that is given, or reads it from its file, or makes the first one.
///
/// The database's write lock keeps two processes from making one each.
pub(crate) fn load_or_make(
    connection: &Connection,
    given: Option<&MasterSecret>,
    path: &Utf8Path,
    entropy: &dyn Entropy,
) -> Result<MasterKey, OpenError> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let key = match given {
        Some(MasterSecret(bytes)) => check(connection, bytes, || OpenError::MasterKeyUnfit),
        None => under_lock(connection, path, entropy),
    };
    connection.execute_batch(if key.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    key
}

fn under_lock(
    connection: &Connection,
    path: &Utf8Path,
    entropy: &dyn Entropy,
) -> Result<MasterKey, OpenError> {
    let fault = |source| OpenError::File {
        path: path.to_owned(),
        source,
    };
    let foreign = || OpenError::MasterKeyForeign {
        path: path.to_owned(),
    };
    let known = print(connection)?;
    let bytes = match fs::read_to_string(path) {
        Ok(_) if file::is_exposed(path).map_err(fault)? => {
            return Err(OpenError::MasterKeyExposed {
                path: path.to_owned(),
            });
        }
        Ok(text) => STANDARD.decode(text.trim()).map_err(|_| foreign())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound && known.is_some() => {
            return Err(OpenError::MasterKeyMissing {
                path: path.to_owned(),
            });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let bytes: [u8; 32] = entropy::bytes(entropy)?;
            let text = STANDARD.encode(bytes) + "\n";
            file::write_whole(path, text.as_bytes()).map_err(fault)?;
            bytes.to_vec()
        }
        Err(error) => return Err(fault(error)),
    };
    check(connection, &bytes, foreign)
}

/// What the database knows its master key by.
fn print(connection: &Connection) -> Result<Option<Vec<u8>>, rusqlite::Error> {
    connection
        .query_row(
            "SELECT value FROM meta WHERE name = 'master_key'",
            [],
            |row| row.get(0),
        )
        .optional()
}

fn check(
    connection: &Connection,
    bytes: &[u8],
    foreign: impl Fn() -> OpenError,
) -> Result<MasterKey, OpenError> {
    let own = digest(&SHA256, bytes);
    match print(connection)? {
        Some(known) if known != own.as_ref() => return Err(foreign()),
        Some(_) => {}
        None => {
            connection.execute(
                "INSERT INTO meta (name, value) VALUES ('master_key', ?1)",
                [own.as_ref()],
            )?;
        }
    }
    MasterKey::from_bytes(bytes).ok_or_else(foreign)
}
