//! Aliases of a key: new ones, those that move here from another key, and those that nobody declares.

use super::identity::is_going;
use super::key::{Draft, Task};
use super::{Action, Note, Rule};
use crate::model::{AliasName, KeyId, KeyName, TagKey};
use crate::state::ObservedKey;

/// Aliases that KMS allows on one key.
const MOST_ALIASES: usize = 50;

/// Plans new aliases; moves from other keys are returned, because they come last.
pub(super) fn plan(draft: &mut Draft<'_>, task: &Task<'_>) -> Vec<Action> {
    let Task { key, live, .. } = task;
    let mut moves = Vec::new();
    for alias in &key.aliases {
        match live.aliases.get(alias) {
            Some(target) if draft.live.is_some_and(|found| found.arn.id == *target) => {}
            Some(other) => moves.extend(move_alias(draft, task, alias, other)),
            None if draft.live.is_none() && alias == key.name.alias() => {}
            None => draft.change(Action::CreateAlias(alias.clone())),
        }
    }
    let others = draft
        .live
        .map(|found| found.aliases.difference(&key.aliases));
    if key.aliases.len() + others.map_or(0, Iterator::count) > MOST_ALIASES {
        draft.refuse(
            Rule::Quota,
            format!("a key has at most {MOST_ALIASES} aliases"),
            "remove some from the manifest",
        );
    }
    moves
}

/// An alias that leads to another key: taken from it where that is ours, and KMS can.
fn move_alias(
    draft: &mut Draft<'_>,
    task: &Task<'_>,
    alias: &AliasName,
    other: &KeyId,
) -> Option<Action> {
    let Task {
        place,
        key,
        live,
        limits,
    } = task;
    let Some(other_key) = live.keys.get(other) else {
        let message = format!("{alias} leads to key {other}, which cannot be read");
        let help = "allow keywright to read that key, or remove the alias from the manifest";
        draft.refuse(Rule::AliasTaken, message, help);
        return None;
    };
    let scope = other_key.tag(TagKey::SCOPE);
    if let Some(scope) = scope.filter(|scope| *scope != place.scope.as_str()) {
        let message = format!("{alias} leads to key {other}, which belongs to scope `{scope}`");
        let help = format!(
            "remove the alias from this manifest, or give it up in the manifests of `{scope}` first"
        );
        draft.refuse(Rule::Ownership, message, help);
        return None;
    }
    let its_type = other_key.key_type;
    if its_type.is_some_and(|its| !its.shares_aliases_with(key.key_type)) {
        let message = format!(
            "{alias} leads to key {other}, and KMS moves an alias only between keys of one type and usage"
        );
        let help = "delete the alias first, or name this one differently";
        draft.refuse(Rule::AliasTaken, message, help);
        return None;
    }
    if scope.is_some() || is_going(other_key.state) || limits.allow.adoption {
        return Some(Action::UpdateAlias {
            alias: alias.clone(),
            from: other.clone(),
        });
    }
    draft.refuse(
        Rule::AliasTaken,
        format!("{alias} leads to key {other}, which is not ours"),
        "remove the alias from the manifest, or take it over as shown with --adopt",
    );
    None
}

/// Plans the end of former aliases, and tells of those that no manifest knows.
pub(super) fn plan_others(
    draft: &mut Draft<'_>,
    task: &Task<'_>,
    found: &ObservedKey,
) -> Vec<Action> {
    let Task { key, live, .. } = task;
    let mut removals = Vec::new();
    for alias in found.aliases.difference(&key.aliases) {
        if key.formerly.iter().any(|name| name.alias() == alias) {
            removals.push(Action::DeleteAlias(alias.clone()));
        } else {
            let message = format!(
                "{alias} leads to the key too; list it under `aliases`, or under `formerly` to remove it"
            );
            draft.note(Note::UNMANAGED_ALIAS, message);
        }
    }
    for alias in key.formerly.iter().map(KeyName::alias) {
        if let Some(other) = live.aliases.get(alias).filter(|id| **id != found.arn.id) {
            let message = format!(
                "{alias} leads to another key, {other}, which stays as it is; `formerly` is for the names of this one"
            );
            draft.note("former-alias-elsewhere", message);
        }
    }
    removals
}
