//! Which live key is it? The alias is the index, the tags are the proof.

use std::collections::BTreeSet;

use super::{Limits, Refusal, Rule};
use crate::model::{KeyId, KeyManager, KeyName, KeyState, TagKey, Tags};
use crate::state::{DesiredKey, DesiredPlace, ObservedKey, ObservedPlace, Unreadable};

/// What was found under a name.
pub(super) enum Found<'a> {
    /// Nothing: the key would be created.
    Nothing,
    /// The key.
    Key(&'a ObservedKey, Owner),
    /// A key that may not be planned.
    Refused(&'a ObservedKey, Refusal),
    /// The manifest's id leads nowhere.
    Missing(Refusal),
    /// There is a key, but it cannot be read.
    Unreadable(Vec<Unreadable>),
}

/// Whose the found key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Ours, under this name or a former one.
    Ours,
    /// Nobody's yet.
    Adopted,
}

/// Finds the live key of a manifest.
pub(super) fn find<'a>(
    place: &DesiredPlace,
    key: &DesiredKey,
    live: &'a ObservedPlace,
    limits: &Limits,
) -> Found<'a> {
    let Some(id) = locate(place, key, live) else {
        // An unreadable key without an alias may be the one that is looked for: nothing is created beside it.
        let has_alias = |wanted: &KeyId| live.aliases.values().any(|id| id == wanted);
        let is_hidden = |row: &&Unreadable| row.key.as_ref().is_some_and(|key| !has_alias(key));
        let hidden: Vec<Unreadable> = live.unreadable.iter().filter(is_hidden).cloned().collect();
        return if hidden.is_empty() {
            Found::Nothing
        } else {
            Found::Unreadable(hidden)
        };
    };
    let rows = live
        .unreadable
        .iter()
        .filter(|row| row.key.as_ref() == Some(&id));
    let rows: Vec<Unreadable> = rows.cloned().collect();
    if !rows.is_empty() {
        return Found::Unreadable(rows);
    }
    let Some(found) = live.keys.get(&id) else {
        let message = format!("there is no key {id} in {}", place.place);
        return Found::Missing(Refusal::new(
            Rule::MissingKey,
            message,
            "correct `id`, or remove it to create a key",
        ));
    };
    match ownership(place, key, found, limits) {
        Ok(owner) => Found::Key(found, owner),
        Err(refusal) => Found::Refused(found, refusal),
    }
}

/// The id that the manifest, an alias, a former alias or the tags lead to, in this order.
fn locate(place: &DesiredPlace, key: &DesiredKey, live: &ObservedPlace) -> Option<KeyId> {
    let by_alias = |name: &KeyName| live.aliases.get(name.alias()).cloned();
    key.id
        .clone()
        .or_else(|| by_alias(&key.name))
        .or_else(|| key.formerly.iter().find_map(by_alias))
        .or_else(|| by_tags(place, key, live))
}

/// The oldest usable key that carries our tags under this name or a former one.
fn by_tags(place: &DesiredPlace, key: &DesiredKey, live: &ObservedPlace) -> Option<KeyId> {
    let names = std::iter::once(&key.name).chain(&key.formerly);
    let proofs: Vec<_> = names.map(|name| place.scope.ownership(name)).collect();
    let is_ours = |found: &&ObservedKey| {
        let proves = |proof: &Tags| {
            proof
                .iter()
                .all(|(key, value)| found.tags.get(key) == Some(value))
        };
        proofs.iter().any(proves)
    };
    let candidates = live.keys.values().filter(is_ours);
    let oldest =
        candidates.min_by_key(|found| (is_going(found.state), found.created, found.arn.id.clone()));
    oldest.map(|found| found.arn.id.clone())
}

/// True for keys in their waiting time before deletion.
pub(super) fn is_going(state: KeyState) -> bool {
    matches!(
        state,
        KeyState::PendingDeletion | KeyState::PendingReplicaDeletion
    )
}

fn ownership(
    place: &DesiredPlace,
    key: &DesiredKey,
    found: &ObservedKey,
    limits: &Limits,
) -> Result<Owner, Refusal> {
    let arn = &found.arn;
    if found.manager == KeyManager::Aws {
        let message = format!("{arn} is an AWS managed key");
        return Err(Refusal::new(
            Rule::Ownership,
            message,
            "AWS managed keys cannot be changed; choose another name",
        ));
    }
    let names: BTreeSet<&str> = std::iter::once(&key.name)
        .chain(&key.formerly)
        .map(|name| name.as_str())
        .collect();
    match (found.tag(TagKey::SCOPE), found.tag(TagKey::KEY)) {
        (Some(scope), _) if scope != place.scope.as_str() => Err(Refusal::new(
            Rule::Ownership,
            format!("{arn} belongs to scope `{scope}`, not to `{}`", place.scope),
            format!(
                "change it in the manifests of `{scope}`, or hand it over by changing its `{}` tag there",
                TagKey::SCOPE
            ),
        )),
        (Some(_), Some(name)) if names.contains(name) => Ok(Owner::Ours),
        (Some(_), Some(name)) => Err(Refusal::new(
            Rule::Ownership,
            format!("{arn} is tagged as key `{name}`, not as `{}`", key.name),
            format!("add `formerly: [{name}]` to rename it, or choose another name"),
        )),
        _ if limits.allow.adoption || key.id.is_some() => Ok(Owner::Adopted),
        _ => Err(Refusal::new(
            Rule::Adoption,
            format!("{arn} exists already and is not managed by keywright"),
            format!(
                "take it over as shown with --adopt, or with `id: {}` in the manifest",
                arn.id
            ),
        )),
    }
}
