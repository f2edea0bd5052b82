//! Live keys by the names that people give them: a manifest's name, an alias, an id or an ARN.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use futures_util::future::join_all;

use super::args::{LiveArgs, ManifestArgs};
use super::context::Context;
use super::progress::Progress;
use super::session::{self, Faulty};
use super::target::{self, Targets};
use crate::manifest::Fallback;
use crate::model::{
    AccountId, AliasName, Arn, KeyArn, KeyId, KeyManager, KeyName, Malformed, Place, Region,
};
use crate::observe::{self, Event, Extras, Scope, Wanted};
use crate::policy::Identities;
use crate::state::{Desired, DesiredPlace, ObservedKey, ObservedPlace, Target, Unreadable};

/// Where manifests are unless somebody says otherwise.
const MANIFESTS: &str = "manifests";

/// A key as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyRef {
    /// A key's ARN.
    Arn(KeyArn),
    /// An alias, of one place where its ARN was typed.
    Alias(Option<Place>, AliasName),
    /// A key's id.
    Id(KeyId),
    /// A manifest's name of a key, or an alias without its prefix.
    Name(KeyName),
}

impl FromStr for KeyRef {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.starts_with("arn:") {
            let arn: Arn = text.parse()?;
            if !arn.resource().starts_with("alias/") {
                return text.parse().map(Self::Arn);
            }
            let place = Place {
                account: arn.account().parse::<AccountId>()?,
                region: arn.region().parse::<Region>()?,
            };
            return Ok(Self::Alias(Some(place), arn.resource().parse()?));
        }
        if text.starts_with("alias/") {
            return Ok(Self::Alias(None, text.parse()?));
        }
        text.parse()
            .map(Self::Id)
            .or_else(|_| text.parse().map(Self::Name))
    }
}

impl fmt::Display for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arn(arn) => arn.fmt(f),
            Self::Alias(_, alias) => alias.fmt(f),
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

impl KeyRef {
    /// The one place where the key can be.
    fn place(&self) -> Option<&Place> {
        match self {
            Self::Arn(arn) => Some(&arn.place),
            Self::Alias(place, _) => place.as_ref(),
            Self::Id(_) | Self::Name(_) => None,
        }
    }
}

/// A key to look for.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// What people call it.
    pub(super) name: String,
    /// Where it may be.
    places: BTreeSet<Place>,
    id: Option<KeyId>,
    /// Aliases that may lead to it, the first one first.
    aliases: Vec<AliasName>,
}

/// What was found of a wish in one place.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Nothing,
    Key(Box<ObservedKey>),
    /// There is a key, or there may be one, but it cannot be read; why.
    Unreadable(String),
}

/// The accounts and Regions that keys are looked for in.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    context: &'a Context,
    targets: Targets<'a>,
    desired: Desired,
}

impl<'a> Keys<'a> {
    /// Reads the manifests where there are any; their faults are told, and end the run.
    pub(super) async fn open(
        args: &'a LiveArgs,
        asked: &[KeyRef],
        context: &'a Context,
    ) -> anyhow::Result<Self> {
        let targets = Targets::new(&args.target, context);
        let manifests = ManifestArgs {
            paths: paths(args, asked),
            iam: args.iam.clone(),
        };
        let (manifests, mut found) = session::read(&manifests)?.map_err(Faulty)?;
        let places: Option<Vec<&Place>> = asked.iter().map(KeyRef::place).collect();
        let place = match places.as_deref() {
            _ if manifests.has_account() => target::local_place()?,
            // Nothing is looked for anywhere else.
            Some([first, ..]) => Place::clone(first),
            Some([]) | None => targets.fallback().await?,
        };
        let (desired, more) = manifests.desired(&Fallback { place });
        found.extend(more);
        session::settle(found)?;
        Ok(Self {
            context,
            targets,
            desired,
        })
    }

    /// What IAM is known to say.
    pub(super) fn identities(&self) -> Arc<Identities> {
        let first = self.desired.places.first();
        first.map_or_else(Arc::default, |place| Arc::clone(&place.identities))
    }

    /// All keys of the manifests.
    pub(super) fn declared(&self) -> Vec<Wish> {
        let of_place = |place: &DesiredPlace| {
            let names: Vec<KeyName> = place
                .keys
                .keys()
                .chain(place.grants.keys())
                .cloned()
                .collect();
            let here = BTreeSet::from([place.place.clone()]);
            let wishes = names
                .into_iter()
                .map(|name| self.wish_for(&name, here.clone()));
            wishes.collect::<Vec<Wish>>()
        };
        self.desired.places.iter().flat_map(of_place).collect()
    }

    /// What to look for so that a key is found.
    pub(super) fn wish(&self, asked: &KeyRef) -> Wish {
        let everywhere = || self.desired.places.iter().map(|place| place.place.clone());
        let (id, aliases) = match asked {
            KeyRef::Arn(arn) => (Some(arn.id.clone()), Vec::new()),
            KeyRef::Id(id) => (Some(id.clone()), Vec::new()),
            KeyRef::Alias(_, alias) => (None, vec![alias.clone()]),
            KeyRef::Name(name) => {
                let declares = |place: &&DesiredPlace| {
                    place.keys.contains_key(name) || place.grants.contains_key(name)
                };
                let declared = self.desired.places.iter().filter(declares);
                let places: BTreeSet<Place> = declared.map(|place| place.place.clone()).collect();
                let is_undeclared = places.is_empty();
                let places = if is_undeclared {
                    everywhere().collect()
                } else {
                    places
                };
                return self.wish_for(name, places);
            }
        };
        let places = match asked.place() {
            Some(place) => BTreeSet::from([place.clone()]),
            None => everywhere().collect(),
        };
        Wish {
            name: asked.to_string(),
            places,
            id,
            aliases,
        }
    }

    /// A manifest's key: by its id, its alias and its former ones.
    fn wish_for(&self, name: &KeyName, places: BTreeSet<Place>) -> Wish {
        let mut known = self.desired.places.iter();
        let known = known.find_map(|place| {
            place
                .keys
                .get(name)
                .filter(|_| places.contains(&place.place))
        });
        let formerly = known.into_iter().flat_map(|key| &key.formerly);
        Wish {
            name: name.to_string(),
            places,
            id: known.and_then(|key| key.id.clone()),
            aliases: std::iter::once(name)
                .chain(formerly)
                .map(|name| name.alias().clone())
                .collect(),
        }
    }

    /// Looks for keys, each place once; gives for each wish what its places have.
    pub(super) async fn look(&self, wishes: &[Wish]) -> anyhow::Result<Vec<Vec<(Place, Found)>>> {
        let places: BTreeSet<&Place> = wishes.iter().flat_map(|wish| &wish.places).collect();
        let mut clients = Vec::new();
        for place in places {
            clients.push(self.targets.client(&self.reached(place)).await?);
        }
        let progress = Progress::start(self.context, "reading");
        let readings = clients.iter().map(|client| {
            let scope = scope(wishes, client.place());
            let progress = &progress;
            async move {
                let mut events = |event| match event {
                    Event::Found(keys) => progress.add(keys),
                    Event::Read => progress.step(),
                };
                let place = observe::observe(client, &scope, &mut events).await;
                (place.place.clone(), place)
            }
        });
        let observed: BTreeMap<Place, ObservedPlace> =
            join_all(readings).await.into_iter().collect();
        drop(progress);
        let found = |wish: &Wish| {
            let live = wish.places.iter().filter_map(|place| observed.get(place));
            live.map(|live| (live.place.clone(), find(wish, live)))
                .collect()
        };
        Ok(wishes.iter().map(found).collect())
    }

    /// How a place is reached, whether or not manifests describe it.
    fn reached(&self, place: &Place) -> DesiredPlace {
        let mut known = self.desired.places.iter();
        let of_account = |known: &&DesiredPlace| known.place.account == place.account;
        let target = known.find(of_account).map(|known| known.target.clone());
        DesiredPlace {
            target: target.unwrap_or_else(|| Target {
                requests_share: 50,
                ..Target::default()
            }),
            place: place.clone(),
            scope: crate::model::ScopeName::default(),
            guardrails: crate::state::Guardrails::default(),
            identities: Arc::default(),
            keys: BTreeMap::new(),
            grants: BTreeMap::new(),
        }
    }
}

/// Where the manifests are; nowhere where there are none and none are needed.
fn paths(args: &LiveArgs, asked: &[KeyRef]) -> Vec<Utf8PathBuf> {
    if !args.manifests.is_empty() {
        return args.manifests.clone();
    }
    if asked.is_empty() || Utf8Path::new(MANIFESTS).exists() {
        vec![MANIFESTS.into()]
    } else {
        Vec::new()
    }
}

fn scope(wishes: &[Wish], place: &Place) -> Scope {
    let here = wishes.iter().filter(|wish| wish.places.contains(place));
    let wanted = here.filter_map(|wish| {
        // Nothing is searched for by name, so any will do where there is none.
        let name = wish.aliases.first().map_or("key", AliasName::bare);
        Some(Wanted {
            name: name.parse().ok()?,
            formerly: Vec::new(),
            id: wish.id.clone(),
            aliases: wish.aliases.iter().cloned().collect(),
            search: false,
            extras: Extras::default(),
        })
    });
    Scope {
        wanted: wanted.collect(),
        ..Scope::default()
    }
}

fn find(wish: &Wish, live: &ObservedPlace) -> Found {
    let is_of_all = |row: &&Unreadable| row.key.is_none();
    if let Some(row) = live.unreadable.iter().find(is_of_all) {
        return Found::Unreadable(row.reason.clone());
    }
    let by_alias = || {
        wish.aliases
            .iter()
            .find_map(|alias| live.aliases.get(alias))
    };
    let Some(id) = wish.id.as_ref().or_else(by_alias) else {
        return Found::Nothing;
    };
    let mut unreadable = live.unreadable.iter();
    if let Some(row) = unreadable.find(|row| row.key.as_ref() == Some(id)) {
        return Found::Unreadable(row.reason.clone());
    }
    match live.keys.get(id) {
        None => Found::Nothing,
        Some(key) if key.manager == KeyManager::Aws => {
            Found::Unreadable("AWS manages it for one of its services".to_owned())
        }
        Some(key) => Found::Key(Box::new(key.clone())),
    }
}
