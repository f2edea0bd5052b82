//! Keys that no alias of theirs leads to: their tags tell whose they are.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use futures_util::stream;

use super::{Extras, KEYS_AT_ONCE, Others, Scope, key, next_marker, read_part};
use crate::kms::{Api, CallError, Client, ErrorKind};
use crate::model::{AliasName, KeyId, KeyName, TagKey};
use crate::state::{OtherKey, Part, Unreadable, value_of};

/// A search through the account's keys.
pub(super) struct Search<'a> {
    pub(super) scope: &'a Scope,
    /// Keys that no alias leads to.
    pub(super) missing: BTreeMap<KeyName, Extras>,
    pub(super) aliases: &'a BTreeMap<AliasName, KeyId>,
    /// Keys that AWS manages.
    pub(super) reserved: &'a BTreeSet<KeyId>,
    /// Keys that will be read anyway.
    pub(super) known: &'a BTreeMap<KeyId, Extras>,
}

/// What a search found.
#[derive(Default)]
pub(super) struct Found {
    /// Keys tagged as one of the missing.
    pub(super) ours: BTreeMap<KeyId, Extras>,
    /// All others that were looked at.
    pub(super) others: BTreeMap<KeyId, OtherKey>,
    pub(super) unreadable: Vec<Unreadable>,
}

/// What a key turned out to be.
enum Look {
    /// One of the missing.
    Missing(Extras),
    /// Another, without its aliases.
    Other(OtherKey),
}

impl Search<'_> {
    /// Looks at every key that could be one of the missing, or at every key.
    pub(super) async fn run(&self, client: &Client) -> Found {
        let mut found = Found::default();
        let ids = match keys(client).await {
            Ok(ids) => ids,
            Err(error) => {
                found.unreadable.push(Unreadable::list(&error));
                return found;
            }
        };
        let mut aliases_of: BTreeMap<&KeyId, BTreeSet<AliasName>> = BTreeMap::new();
        for (alias, id) in self.aliases {
            aliases_of.entry(id).or_default().insert(alias.clone());
        }
        let candidates = ids
            .iter()
            .filter(|id| !self.reserved.contains(id) && !self.known.contains_key(id));
        let mut readings = stream::iter(candidates)
            .map(|id| async move { (id, self.look_at(client, id).await) })
            .buffer_unordered(KEYS_AT_ONCE);
        while let Some((id, reading)) = readings.next().await {
            match reading {
                Ok(Look::Missing(extras)) => {
                    found.ours.insert(id.clone(), extras);
                }
                Ok(Look::Other(other)) => {
                    let aliases = aliases_of.get(id).cloned().unwrap_or_default();
                    found
                        .others
                        .insert(id.clone(), OtherKey { aliases, ..other });
                }
                // A key that is gone since, or another's that is known by an alias of its own.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) if self.is_anothers(&error, aliases_of.contains_key(id)) => {}
                Err(error) => found.unreadable.push(Unreadable::key(id, &error)),
            }
        }
        found
    }

    /// Reads a key's tags and, where they are ours and nobody asks for the key, whether it is on its way out.
    async fn look_at(&self, client: &Client, id: &KeyId) -> Result<Look, CallError> {
        let tags = key::tags(client, id).await?;
        let is_of = |name: &KeyName| {
            let proof = self.scope.name.ownership(name);
            proof
                .iter()
                .all(|(key, value)| tags.get(key) == Some(value))
        };
        if let Some((_, extras)) = self.missing.iter().find(|(name, _)| is_of(name)) {
            return Ok(Look::Missing(*extras));
        }
        let is_orphan = value_of(&tags, TagKey::SCOPE) == Some(self.scope.name.as_str());
        let state = if is_orphan && self.scope.others == Others::Always {
            Some(read_part(client, id, Part::Metadata).await?.state)
        } else {
            None
        };
        Ok(Look::Other(OtherKey {
            aliases: BTreeSet::new(),
            tags,
            state,
        }))
    }

    /// True when not being allowed to read a key is no loss: it has an alias, and ours get theirs first of all.
    fn is_anothers(&self, error: &CallError, has_alias: bool) -> bool {
        error.kind == ErrorKind::Denied && has_alias && self.scope.others == Others::WhenMissing
    }
}

/// Every key id of the account and Region.
async fn keys(client: &Client) -> Result<Vec<KeyId>, CallError> {
    let mut ids = Vec::new();
    let mut marker = None;
    loop {
        let request = client.sdk().list_keys().limit(1000).set_marker(marker);
        let page = client
            .call(Api::ListKeys, || request.clone().send())
            .await?;
        ids.extend(
            page.keys()
                .iter()
                .filter_map(|entry| entry.key_id()?.parse().ok()),
        );
        marker = next_marker(page.next_marker());
        if marker.is_none() {
            return Ok(ids);
        }
    }
}
