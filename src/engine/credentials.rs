//! Access keys: their ids, which tell whether this engine made them, and their secrets.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::entropy::{self, Entropy, NoEntropy};
use super::store::MasterKey;

/// How callers are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// An access key that the engine has not made stands for an account's root user, whatever its secret.
    #[default]
    Open,
    /// Only access keys that the engine has made are good for anything.
    Strict,
}

/// An access key, long-lived or temporary.
#[derive(Clone)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AccessKey").field(&self.id).finish()
    }
}

/// How long an access key is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Long,
    Temporary,
}

impl Life {
    /// How ids of such keys begin.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Long => "AKIA",
            Self::Temporary => "ASIA",
        }
    }
}

/// IAM's alphabet for ids.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// How much of an id is random; the rest tells that the engine has made it.
const RANDOM: usize = 10;
const SEAL: usize = 6;

/// A new access key, whose id [`is_ours`].
pub(crate) fn mint(
    life: Life,
    master: &MasterKey,
    entropy: &dyn Entropy,
) -> Result<AccessKey, NoEntropy> {
    let random: [u8; RANDOM] = entropy::bytes(entropy)?;
    let stem = format!("{}{}", life.prefix(), letters(&random));
    let secret: [u8; 30] = entropy::bytes(entropy)?;
    Ok(AccessKey {
        id: format!("{stem}{}", seal(master, &stem)),
        secret: STANDARD_NO_PAD.encode(secret),
    })
}

/// True for ids that this engine has made, whatever has become of them.
pub(crate) fn is_ours(master: &MasterKey, id: &str) -> bool {
    id.split_at_checked(4 + RANDOM)
        .is_some_and(|(stem, end)| end == seal(master, stem))
}

/// A new unique id of a user, role, group or policy.
pub(crate) fn unique_id(prefix: &str, entropy: &dyn Entropy) -> Result<String, NoEntropy> {
    let random: [u8; 17] = entropy::bytes(entropy)?;
    Ok(format!("{prefix}{}", letters(&random)))
}

fn seal(master: &MasterKey, stem: &str) -> String {
    let tag = master.tag(stem.as_bytes());
    letters(tag.get(..SEAL).unwrap_or_default())
}

/// One letter for each byte; the alphabet has a power of two of them.
fn letters(bytes: &[u8]) -> String {
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte & 31)).copied();
    bytes.iter().filter_map(letter).map(char::from).collect()
}
