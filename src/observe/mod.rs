//! The live account, read: from a list of names to [`ObservedPlace`]. Reads only.

mod grants;
mod key;
mod known;
mod search;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::kms::{Api, CallError, Client};
use crate::model::{AliasName, KeyId, KeyName, ScopeName};
use crate::state::{DesiredPlace, ObservedKey, ObservedPlace, Unreadable};

pub use key::{Extras, read_part};
pub use known::KnownPolicies;

/// Keys that are read at once.
const KEYS_AT_ONCE: usize = 128;

/// What to look for in one account and Region.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Whose keys are ours.
    pub name: ScopeName,
    /// The keys to find.
    pub wanted: Vec<Wanted>,
    /// The policies that keys should have; a live one that is equal is not held a second time.
    pub policies: KnownPolicies,
    /// Whether to look at keys that nobody asked for.
    pub others: Others,
}

impl Scope {
    /// What to look for so that a place can be planned.
    #[must_use]
    pub fn of(place: &DesiredPlace, others: Others) -> Self {
        let owned = place.keys.values().map(|key| {
            let formerly = key.formerly.iter().map(|name| name.alias().clone());
            Wanted {
                name: key.name.clone(),
                formerly: key.formerly.clone(),
                id: key.id.clone(),
                aliases: key.aliases.iter().cloned().chain(formerly).collect(),
                search: true,
                extras: Extras {
                    rotations: key.rotations_on_demand.is_some(),
                    last_use: key.deletion.is_some(),
                },
            }
        });
        let foreign = place.grants.values().map(|grants| Wanted {
            name: grants.name.clone(),
            formerly: Vec::new(),
            id: None,
            aliases: BTreeSet::from([grants.name.alias().clone()]),
            search: false,
            extras: Extras::default(),
        });
        Self {
            name: place.scope.clone(),
            wanted: owned.chain(foreign).collect(),
            policies: place.keys.values().map(|key| &key.policy).collect(),
            others,
        }
    }
}

/// One key to find.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name.
    pub name: KeyName,
    /// Older names, under which its tags may still know it.
    pub formerly: Vec<KeyName>,
    /// Its id, where the manifest gives it.
    pub id: Option<KeyId>,
    /// Aliases that may lead to it or that it should get.
    pub aliases: BTreeSet<AliasName>,
    /// Whether its tags are searched for where no alias leads to it.
    pub search: bool,
    /// Reads beyond the usual five.
    pub extras: Extras,
}

/// Whether to look at keys that nobody asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// Only where a key would be created otherwise.
    #[default]
    WhenMissing,
    /// Always: their tags tell whose they are.
    Always,
}

/// Progress of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many keys will be read.
    Found(usize),
    /// One more key was read.
    Read,
}

/// Reads what the scope names; what cannot be read is in the result.
pub async fn observe(
    client: &Client,
    scope: &Scope,
    progress: &mut impl FnMut(Event),
) -> ObservedPlace {
    let mut place = ObservedPlace {
        place: client.place().clone(),
        caller: client.caller().cloned(),
        aliases: BTreeMap::new(),
        keys: BTreeMap::new(),
        others: BTreeMap::new(),
        unreadable: Vec::new(),
    };
    let reserved = match aliases(client, None).await {
        Ok((aliases, reserved)) => {
            place.aliases = aliases;
            reserved
        }
        Err(error) => {
            place.unreadable.push(Unreadable::list(&error));
            return place;
        }
    };
    let mut targets = targets(scope, &place.aliases);
    let missing = || {
        scope
            .wanted
            .iter()
            .filter(|wanted| wanted.search && !is_found(wanted, &place.aliases))
    };
    if scope.others == Others::Always || missing().next().is_some() {
        let names = |wanted: &'_ Wanted| {
            std::iter::once(wanted.name.clone()).chain(wanted.formerly.clone())
        };
        let missing = missing()
            .flat_map(|wanted| names(wanted).map(|name| (name, wanted.extras)))
            .collect();
        let search = search::Search {
            scope,
            missing,
            aliases: &place.aliases,
            reserved: &reserved,
            known: &targets,
        };
        let found = search.run(client).await;
        targets.extend(found.ours);
        if scope.others == Others::Always {
            place.others = found.others;
        }
        place.unreadable.extend(found.unreadable);
    }
    read_keys(client, scope, &targets, &mut place, progress).await;
    place
}

/// True when the id, the main alias or a former one leads to the key; other aliases prove nothing.
fn is_found(wanted: &Wanted, aliases: &BTreeMap<AliasName, KeyId>) -> bool {
    let mut names = std::iter::once(&wanted.name).chain(&wanted.formerly);
    wanted.id.is_some() || names.any(|name| aliases.contains_key(name.alias()))
}

/// The keys that ids and aliases lead to, with what to read of each beyond the usual.
fn targets(scope: &Scope, aliases: &BTreeMap<AliasName, KeyId>) -> BTreeMap<KeyId, Extras> {
    let mut targets: BTreeMap<KeyId, Extras> = BTreeMap::new();
    for wanted in &scope.wanted {
        let by_alias = wanted.aliases.iter().filter_map(|alias| aliases.get(alias));
        for id in wanted.id.iter().chain(by_alias) {
            let extras = targets.entry(id.clone()).or_default();
            *extras = extras.or(wanted.extras);
        }
    }
    targets
}

async fn read_keys(
    client: &Client,
    scope: &Scope,
    targets: &BTreeMap<KeyId, Extras>,
    place: &mut ObservedPlace,
    progress: &mut impl FnMut(Event),
) {
    progress(Event::Found(targets.len()));
    let mut aliases_of: BTreeMap<KeyId, BTreeSet<AliasName>> = BTreeMap::new();
    for (alias, id) in &place.aliases {
        aliases_of
            .entry(id.clone())
            .or_default()
            .insert(alias.clone());
    }
    let mut readings = stream::iter(targets)
        .map(|(id, extras)| async move {
            let reading = Box::pin(key::read(client, id, *extras, &scope.policies));
            (id, reading.await)
        })
        .buffer_unordered(KEYS_AT_ONCE);
    while let Some((id, reading)) = readings.next().await {
        progress(Event::Read);
        match reading {
            Ok(Some(key)) => {
                let aliases = aliases_of.remove(id).unwrap_or_default();
                place
                    .keys
                    .insert(id.clone(), ObservedKey { aliases, ..key });
            }
            Ok(None) => {}
            Err(error) => place.unreadable.push(Unreadable::key(id, &error)),
        }
    }
    place.unreadable.sort();
}

/// The key that an alias leads to now; `among` narrows the reading to the aliases of one key.
pub async fn alias_target(
    client: &Client,
    alias: &AliasName,
    among: Option<&KeyId>,
) -> Result<Option<KeyId>, CallError> {
    let (mut aliases, _) = aliases(client, among).await?;
    Ok(aliases.remove(alias))
}

/// The account's own aliases, and the keys behind AWS's.
async fn aliases(
    client: &Client,
    of: Option<&KeyId>,
) -> Result<(BTreeMap<AliasName, KeyId>, BTreeSet<KeyId>), CallError> {
    let mut ours = BTreeMap::new();
    let mut reserved = BTreeSet::new();
    let mut marker = None;
    loop {
        let request = client
            .sdk()
            .list_aliases()
            .set_key_id(of.map(ToString::to_string))
            .limit(100)
            .set_marker(marker);
        let page = client
            .call(Api::ListAliases, || request.clone().send())
            .await?;
        for entry in page.aliases() {
            let (Some(name), Some(Ok(id))) = (
                entry.alias_name(),
                entry.target_key_id().map(str::parse::<KeyId>),
            ) else {
                continue;
            };
            if AliasName::is_reserved(name) {
                reserved.insert(id);
            } else if let Ok(name) = name.parse() {
                ours.insert(name, id);
            }
        }
        marker = next_marker(page.next_marker());
        if marker.is_none() {
            return Ok((ours, reserved));
        }
    }
}

/// Where the next page starts. The marker decides: some servers leave `Truncated` out.
fn next_marker(marker: Option<&str>) -> Option<String> {
    marker
        .filter(|marker| !marker.is_empty())
        .map(str::to_owned)
}

impl Unreadable {
    fn list(error: &CallError) -> Self {
        Self {
            key: None,
            operation: error.api.name(),
            reason: error.to_string(),
        }
    }

    fn key(id: &KeyId, error: &CallError) -> Self {
        Self {
            key: Some(id.clone()),
            operation: error.api.name(),
            reason: error.to_string(),
        }
    }
}
