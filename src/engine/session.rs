//! Sessions: temporary credentials, and what they carry.
//!
//! INVARIANT: a session lives in its token alone, sealed with the master key; the engine keeps none.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Partition, Principal};
use crate::policy::{IdentityPolicy, read_identity};

use super::credentials::AccessKey;
use super::entropy::{Entropy, NoEntropy};
use super::store::MasterKey;

const LABEL: &str = "session token";

/// What temporary credentials carry besides who they stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The role that was assumed, or the user that asked.
    pub source: Principal,
    /// The unique id of that role or user.
    pub source_id: String,
    /// What narrows the session; with none, it is as wide as its source.
    pub policies: Vec<IdentityPolicy>,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
    /// The keys of the tags that the next session inherits.
    pub transitive: Vec<String>,
    /// Who is behind it, as was said when the first role was assumed; it goes on from session to session.
    pub source_identity: Option<String>,
    /// When it began.
    pub issued: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

/// Temporary credentials, as their token tells.
pub(crate) struct Opened {
    pub(crate) access_key: String,
    pub(crate) secret: String,
    pub(crate) principal: Principal,
    pub(crate) session: Session,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("access_key", &self.access_key)
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

/// What a token holds.
#[derive(Deserialize, Serialize)]
struct Content {
    access_key: String,
    secret: String,
    partition: String,
    principal: String,
    source: String,
    source_id: String,
    policies: Vec<String>,
    tags: BTreeMap<String, String>,
    transitive: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
    issued: i64,
    expires: i64,
}

/// What a new session says; its policies as texts, so that they go into the token as they came.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) principal: Principal,
    pub(crate) partition: Partition,
    pub(crate) source: Principal,
    pub(crate) source_id: String,
    pub(crate) policies: Vec<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) transitive: Vec<String>,
    pub(crate) source_identity: Option<String>,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
}

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session token cannot be made")]
pub(crate) struct NoToken;

impl From<NoEntropy> for NoToken {
    fn from(_: NoEntropy) -> Self {
        Self
    }
}

/// The token of a new session.
pub(crate) fn seal(
    master: &MasterKey,
    key: &AccessKey,
    terms: &Terms,
    entropy: &dyn Entropy,
) -> Result<String, NoToken> {
    let content = Content {
        access_key: key.id.clone(),
        secret: key.secret.clone(),
        partition: terms.partition.to_string(),
        principal: terms.principal.to_string(),
        source: terms.source.to_string(),
        source_id: terms.source_id.clone(),
        policies: terms.policies.clone(),
        tags: terms.tags.clone(),
        transitive: terms.transitive.clone(),
        source_identity: terms.source_identity.clone(),
        issued: terms.issued.as_millisecond(),
        expires: terms.expires.as_millisecond(),
    };
    let content = serde_json::to_vec(&content).map_err(|_| NoToken)?;
    Ok(STANDARD.encode(master.seal(&content, LABEL, entropy)?))
}

/// What a token of this engine holds; `None` for any other text.
pub(crate) fn open(master: &MasterKey, token: &str) -> Option<Opened> {
    let sealed = STANDARD.decode(token).ok()?;
    let content = master.open(&sealed, LABEL).ok()?;
    let content: Content = serde_json::from_slice(&content).ok()?;
    let partition = content.partition.parse().ok()?;
    let policies = content.policies.iter().map(|text| read_identity(text));
    Some(Opened {
        access_key: content.access_key,
        secret: content.secret,
        principal: Principal::parse(&content.principal, partition).ok()?,
        session: Session {
            source: Principal::parse(&content.source, partition).ok()?,
            source_id: content.source_id,
            policies: policies.collect::<Result<_, _>>().ok()?,
            tags: content.tags,
            transitive: content.transitive,
            source_identity: content.source_identity,
            issued: Timestamp::from_millisecond(content.issued).ok()?,
            expires: Timestamp::from_millisecond(content.expires).ok()?,
        },
    })
}
