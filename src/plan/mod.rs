//! Desired × Observed → Plan. Pure: no async, no clock, no randomness; the time is an argument.

mod access;
mod aliases;
mod change;
mod grants;
mod guard;
mod identity;
mod key;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{AliasName, KeyArn, KeyId, KeyName, Place, TagKey};
use crate::state::{self, Desired, DesiredPlace, Observed, ObservedPlace, Unreadable};

pub use access::AccessChange;
pub use change::{Action, Change, Expectation, GrantToCreate, NewKey};
pub use guard::{Note, Refusal, Rule};

/// What a person allowed this run to do, and when it runs.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Now; grants that expired before are revoked.
    pub now: Timestamp,
    /// What needs permission of its own.
    pub allow: Allow,
    /// Whether policies of the same meaning but other text are rewritten.
    pub rewrite: bool,
}

/// Permissions that a person gives one run.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one flag of the command line"
)]
pub struct Allow {
    /// Take over keys without our tags.
    pub adoption: bool,
    /// Disable keys.
    pub disabling: bool,
    /// Schedule the deletion of keys.
    pub deletion: bool,
    /// Change more keys at once than the guardrail allows.
    pub mass_change: bool,
    /// Skip the lock-out checks, AWS's own included.
    pub lockout: bool,
    /// Change access that cannot be told.
    pub undetermined: bool,
}

/// What a run would do, as data.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Per account and Region.
    pub places: Vec<PlacePlan>,
}

/// What a run would do in one account and Region.
#[derive(Clone, Debug)]
pub struct PlacePlan {
    /// The account and Region.
    pub place: Place,
    /// Per key, by name.
    pub keys: Vec<KeyPlan>,
    /// Keys that are ours but in no manifest, as far as they were come across.
    pub orphans: Vec<Other>,
    /// The same, in their waiting time before deletion.
    pub going: Vec<Other>,
    /// Keys that are nobody's, where they were looked at.
    pub unmanaged: Vec<Other>,
    /// What could not be read, apart from keys of the manifests.
    pub unreadable: Vec<Unreadable>,
    /// Why nothing is done here to keys that exist already.
    pub refusals: Vec<Refusal>,
}

/// A live key that no manifest declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its id.
    pub id: KeyId,
    /// The name in its ownership tag.
    pub name: Option<String>,
    /// Aliases that lead to it.
    pub aliases: BTreeSet<AliasName>,
}

/// What a run would do to one key.
#[derive(Clone, Debug)]
pub struct KeyPlan {
    /// The name.
    pub name: KeyName,
    /// The live key; `None` where there is none yet.
    pub key: Option<KeyArn>,
    /// What to do, in order.
    pub changes: Vec<Change>,
    /// Who gains and who loses what by the changes.
    pub access: AccessChange,
    /// Worth knowing, without effect.
    pub notes: Vec<Note>,
    /// Why nothing is done to this key.
    pub refusals: Vec<Refusal>,
    /// Why the key cannot be planned at all.
    pub unreadable: Vec<Unreadable>,
}

impl PlacePlan {
    /// The keys to change: those that no refusal holds back.
    pub fn work(&self) -> impl Iterator<Item = &KeyPlan> {
        let held = |key: &&KeyPlan| self.refusals.is_empty() || key.key.is_none();
        let ready = |key: &&KeyPlan| key.refusals.is_empty() && !key.changes.is_empty();
        self.keys.iter().filter(ready).filter(held)
    }
}

impl Plan {
    /// True when a note of one of the codes is in the plan.
    pub fn has_note(&self, codes: &[&str]) -> bool {
        let mut notes = self.keys().flat_map(|(_, key)| &key.notes);
        notes.any(|note| codes.contains(&note.code))
    }

    /// Every key's plan, with its place.
    pub fn keys(&self) -> impl Iterator<Item = (&PlacePlan, &KeyPlan)> {
        self.places
            .iter()
            .flat_map(|place| place.keys.iter().map(move |key| (place, key)))
    }

    /// Numbers for the summary line and the exit code.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for (_, key) in self.keys() {
            summary.count(key);
        }
        for place in &self.places {
            summary.refused += place.refusals.len();
            summary.unreadable += place.unreadable.len();
            summary.orphans += place.orphans.len();
            summary.unmanaged += place.unmanaged.len();
        }
        summary
    }
}

/// Numbers of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Keys to create.
    pub create: usize,
    /// Keys to change.
    pub change: usize,
    /// Keys whose deletion is to be scheduled.
    pub delete: usize,
    /// Keys that are as they should be.
    pub unchanged: usize,
    /// Refusals.
    pub refused: usize,
    /// Keys and lists that could not be read.
    pub unreadable: usize,
    /// Keys of ours in no manifest.
    pub orphans: usize,
    /// Keys of nobody.
    pub unmanaged: usize,
}

impl Summary {
    fn count(&mut self, key: &KeyPlan) {
        self.refused += key.refusals.len();
        self.unreadable += key.unreadable.len();
        if !key.unreadable.is_empty() || !key.refusals.is_empty() {
            return;
        }
        let does =
            |wanted: fn(&Action) -> bool| key.changes.iter().any(|change| wanted(&change.action));
        let kind = if does(|action| matches!(action, Action::CreateKey(_))) {
            &mut self.create
        } else if does(|action| matches!(action, Action::ScheduleKeyDeletion { .. })) {
            &mut self.delete
        } else if key.changes.is_empty() {
            &mut self.unchanged
        } else {
            &mut self.change
        };
        *kind += 1;
    }

    /// True when live state and manifests agree.
    pub fn is_clean(&self) -> bool {
        self.create + self.change + self.delete + self.refused + self.orphans + self.unmanaged == 0
    }
}

/// Plans everything that was asked for; total, since refusals are part of the plan.
pub fn plan(desired: &Desired, observed: &Observed, limits: &Limits) -> Plan {
    let live: BTreeMap<&Place, &ObservedPlace> = observed
        .places
        .iter()
        .map(|place| (&place.place, place))
        .collect();
    let places = desired
        .places
        .iter()
        .filter_map(|place| Some(plan_place(place, live.get(&place.place)?, limits)));
    Plan {
        places: places.collect(),
    }
}

fn plan_place(desired: &DesiredPlace, live: &ObservedPlace, limits: &Limits) -> PlacePlan {
    let mut keys: Vec<KeyPlan> = Vec::with_capacity(desired.keys.len() + desired.grants.len());
    let readable = live
        .unreadable
        .iter()
        .all(|unreadable| unreadable.key.is_some());
    if readable {
        keys.extend(
            desired
                .keys
                .values()
                .map(|key| key::plan(desired, key, live, limits)),
        );
        keys.extend(
            desired
                .grants
                .values()
                .map(|on_key| grants::plan_foreign(desired, on_key, live, limits)),
        );
    }
    guard::one_manifest_a_key(&mut keys);
    let mine: BTreeSet<&KeyId> = keys
        .iter()
        .flat_map(|key| key.unreadable.iter().filter_map(|row| row.key.as_ref()))
        .collect();
    let unreadable = live
        .unreadable
        .iter()
        .filter(|row| row.key.as_ref().is_none_or(|key| !mine.contains(key)));
    let unreadable = unreadable.cloned().collect();
    let refusals = guard::mass_change(desired, &keys, limits)
        .into_iter()
        .collect();
    let Others {
        orphans,
        going,
        unmanaged,
    } = if readable {
        others(desired, live, &keys)
    } else {
        Others::default()
    };
    PlacePlan {
        place: desired.place.clone(),
        keys,
        orphans,
        going,
        unmanaged,
        unreadable,
        refusals,
    }
}

/// Live keys that no manifest declares.
#[derive(Default)]
struct Others {
    orphans: Vec<Other>,
    going: Vec<Other>,
    unmanaged: Vec<Other>,
}

/// Sorts the keys that were looked at though nobody asked for them, and those that only an alias in question leads to.
fn others(desired: &DesiredPlace, live: &ObservedPlace, keys: &[KeyPlan]) -> Others {
    let asked: BTreeSet<&KeyId> = keys
        .iter()
        .filter_map(|key| Some(&key.key.as_ref()?.id))
        .collect();
    let come_across = live
        .keys
        .iter()
        .filter(|(id, key)| !asked.contains(id) && key.tag(TagKey::SCOPE).is_some())
        .map(|(id, key)| (id, &key.aliases, &key.tags, Some(key.state)));
    let looked_at = live
        .others
        .iter()
        .map(|(id, key)| (id, &key.aliases, &key.tags, key.state));
    let mut others = Others::default();
    for (id, aliases, tags, state) in come_across.chain(looked_at) {
        let tag = |name| state::value_of(tags, name);
        let list = match tag(TagKey::SCOPE) {
            Some(scope) if scope != desired.scope.as_str() => continue,
            Some(_) if state.is_some_and(identity::is_going) => &mut others.going,
            Some(_) => &mut others.orphans,
            None => &mut others.unmanaged,
        };
        list.push(Other {
            id: id.clone(),
            name: tag(TagKey::KEY).map(str::to_owned),
            aliases: aliases.clone(),
        });
    }
    others
}
