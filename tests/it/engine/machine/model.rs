//! What keys ought to do, on a page: the reference that the engine is held against.

use std::collections::{BTreeMap, BTreeSet};

/// A day in the model's unit of time.
pub(super) const DAY: i64 = 24 * 60;
/// How long a key waits for its deletion, and how long imported material that expires is good.
pub(super) const WINDOW: i64 = 7;
pub(super) const EXPIRY: i64 = 20;

/// One thing that is done.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Create(Kind),
    To(usize, Act),
    Unname(&'static str, usize),
    Days(i64),
    Reopen,
}

/// What is done to one key.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Enable,
    Disable,
    Schedule,
    Cancel,
    Name(usize),
    Point(usize),
    Tag(u8, u8),
    Untag(u8),
    PutPolicy(u8),
    Grant,
    Revoke(usize),
    Import { expires: bool },
    TakeMaterial,
    RotateEvery(i64),
    StopRotating,
    Rotate,
    Encrypt,
    Decrypt(usize),
    Replicate,
    Promote,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    External,
    Primary,
    Replica,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deletion {
    Never,
    At(i64),
    AfterReplica,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) region: &'static str,
    pub(super) id: String,
    pub(super) kind: Kind,
    /// The same multi-Region key elsewhere.
    pub(super) sibling: Option<usize>,
    enabled: bool,
    deletion: Deletion,
    pub(super) is_gone: bool,
    has_material: bool,
    pub(super) expires: Option<i64>,
    /// The period and the next time.
    rotation: Option<(i64, i64)>,
    pub(super) rotations: usize,
    pub(super) tags: BTreeMap<u8, u8>,
    pub(super) policy: u8,
    pub(super) grants: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) now: i64,
    pub(super) keys: Vec<Key>,
    pub(super) aliases: BTreeMap<(&'static str, usize), usize>,
    /// What was encrypted, by a key's id.
    pub(super) sealed: BTreeMap<String, Vec<String>>,
}

impl Key {
    pub(super) fn new(region: &'static str, id: String, kind: Kind) -> Self {
        Self {
            region,
            id,
            kind,
            sibling: None,
            enabled: true,
            deletion: Deletion::Never,
            is_gone: false,
            has_material: kind != Kind::External,
            expires: None,
            rotation: None,
            rotations: 0,
            tags: BTreeMap::new(),
            policy: 0,
            grants: BTreeSet::new(),
        }
    }

    fn is_kept(&self) -> bool {
        !self.is_gone && self.deletion == Deletion::Never
    }

    fn is_usable(&self) -> bool {
        self.is_kept() && self.has_material && self.enabled
    }

    /// When it will be gone, as far as that is known.
    pub(super) fn deletion(&self) -> Option<i64> {
        match self.deletion {
            Deletion::At(time) => Some(time),
            Deletion::Never | Deletion::AfterReplica => None,
        }
    }

    /// The state's name; none once the key is gone.
    pub(super) fn state(&self) -> Option<&'static str> {
        Some(match self {
            Self { is_gone: true, .. } => return None,
            Self {
                deletion: Deletion::AfterReplica,
                ..
            } => "PendingReplicaDeletion",
            key if key.deletion().is_some() => "PendingDeletion",
            key if !key.has_material => "PendingImport",
            key if key.enabled => "Enabled",
            _ => "Disabled",
        })
    }
}

impl Model {
    pub(super) fn sibling(&self, key: usize) -> Option<usize> {
        let sibling = self.keys[key].sibling?;
        (!self.keys[sibling].is_gone).then_some(sibling)
    }

    /// The key that bears a key's name: where a replica is gone, another one may be in its place.
    pub(super) fn bearer(&self, key: usize) -> usize {
        let Some(one) = self.keys.get(key).filter(|one| one.is_gone) else {
            return key;
        };
        let bears =
            |other: &Key| other.region == one.region && other.id == one.id && !other.is_gone;
        self.keys.iter().position(bears).unwrap_or(key)
    }

    /// Adds the replica of a primary in another Region.
    pub(super) fn add_replica(&mut self, key: usize, region: &'static str) {
        let number = self.keys.len();
        let primary = &mut self.keys[key];
        primary.sibling = Some(number);
        let mut replica = Key::new(region, primary.id.clone(), Kind::Replica);
        (replica.sibling, replica.rotations) = (Some(key), primary.rotations);
        self.keys.push(replica);
    }

    /// The days between rotations that a key shows, and the next time.
    pub(super) fn rotation(&self, key: usize) -> Option<(i64, i64)> {
        let rotating = match self.keys[key].kind {
            Kind::Replica => self.sibling(key).unwrap_or(key),
            Kind::Plain | Kind::External | Kind::Primary => key,
        };
        let shows = self.keys[key].is_kept();
        self.keys[rotating].rotation.filter(|_| shows)
    }

    /// Whether an act works.
    pub(super) fn allows(&self, key: usize, act: &Act) -> bool {
        let Some(one) = self.keys.get(key) else {
            return false;
        };
        let rotates = matches!(one.kind, Kind::Plain | Kind::Primary);
        let named = |alias: usize| self.aliases.contains_key(&(one.region, alias));
        match *act {
            Act::Enable | Act::Disable => one.is_kept() && one.has_material,
            Act::Schedule | Act::Tag(..) | Act::Untag(_) => one.is_kept(),
            Act::Cancel => !one.is_gone && !one.is_kept(),
            Act::Name(alias) => one.is_kept() && !named(alias),
            Act::Point(alias) => one.is_kept() && named(alias),
            Act::PutPolicy(_) => !one.is_gone,
            Act::Grant | Act::Encrypt => one.is_usable(),
            Act::Revoke(_) => !one.is_gone && !one.grants.is_empty(),
            Act::Import { .. } => one.is_kept() && one.kind == Kind::External,
            Act::TakeMaterial => !one.is_gone && one.kind == Kind::External,
            Act::RotateEvery(_) | Act::StopRotating | Act::Rotate => one.is_usable() && rotates,
            Act::Decrypt(_) => one.is_usable() && self.sealed.contains_key(&one.id),
            Act::Replicate => {
                one.is_usable() && one.kind == Kind::Primary && self.sibling(key).is_none()
            }
            Act::Promote => {
                let sibling = self.sibling(key).map(|sibling| &self.keys[sibling]);
                let is_primary = one.kind == Kind::Primary;
                one.is_usable() && is_primary && sibling.is_some_and(Key::is_usable)
            }
        }
    }

    /// Does an act that works, as far as it needs nothing that the engine has made up.
    pub(super) fn apply(&mut self, key: usize, act: &Act) {
        let (now, sibling) = (self.now, self.sibling(key));
        let one = &mut self.keys[key];
        match *act {
            Act::Enable => {
                one.enabled = true;
                if let Some((period, _)) = one.rotation.filter(|(_, next)| *next <= now) {
                    one.rotation = Some((period, now));
                    self.pass(0);
                }
            }
            Act::Disable => one.enabled = false,
            Act::Schedule => {
                one.enabled = false;
                one.deletion = if one.kind == Kind::Primary && sibling.is_some() {
                    Deletion::AfterReplica
                } else {
                    Deletion::At(now + WINDOW * DAY)
                };
            }
            Act::Cancel => one.deletion = Deletion::Never,
            Act::Name(alias) | Act::Point(alias) => {
                self.aliases.insert((one.region, alias), key);
            }
            Act::Tag(name, value) => drop(one.tags.insert(name, value)),
            Act::Untag(name) => drop(one.tags.remove(&name)),
            Act::PutPolicy(number) => one.policy = number,
            Act::Import { expires } => {
                one.enabled |= !one.has_material;
                one.has_material = true;
                one.expires = expires.then_some(now + EXPIRY * DAY);
            }
            Act::TakeMaterial => (one.has_material, one.expires) = (false, None),
            Act::RotateEvery(days) => one.rotation = Some((days, now + days * DAY)),
            Act::StopRotating => one.rotation = None,
            Act::Rotate => self.rotate(key),
            Act::Promote => self.promote(key),
            Act::Grant | Act::Revoke(_) | Act::Encrypt | Act::Decrypt(_) | Act::Replicate => {}
        }
    }

    fn rotate(&mut self, key: usize) {
        for row in [Some(key), self.sibling(key)].into_iter().flatten() {
            self.keys[row].rotations += 1;
        }
    }

    fn promote(&mut self, key: usize) {
        let sibling = self.sibling(key).unwrap();
        self.keys[key].kind = Kind::Replica;
        self.keys[sibling].kind = Kind::Primary;
        self.keys[sibling].rotation = self.keys[key].rotation.take();
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, minutes: i64) {
        self.now += minutes;
        // A primary's deletion can follow from its replica's.
        for _round in 0..2 {
            for key in 0..self.keys.len() {
                let due = self.keys[key].deletion().filter(|time| *time <= self.now);
                if let Some(time) = due.filter(|_| !self.keys[key].is_gone) {
                    self.keys[key].is_gone = true;
                    let sibling = self.sibling(key).map(|sibling| &mut self.keys[sibling]);
                    let waits = |key: &&mut Key| key.deletion == Deletion::AfterReplica;
                    if let Some(primary) = sibling.filter(waits) {
                        primary.deletion = Deletion::At(time + WINDOW * DAY);
                    }
                }
            }
        }
        let keys = &self.keys;
        self.aliases.retain(|_, key| !keys[*key].is_gone);
        for key in 0..self.keys.len() {
            let one = &mut self.keys[key];
            if one.expires.is_some_and(|time| time <= self.now) {
                (one.has_material, one.expires) = (false, None);
            }
            while let Some((period, next)) = self.keys[key].rotation
                && next <= self.now
                && self.keys[key].is_usable()
            {
                self.rotate(key);
                self.keys[key].rotation = Some((period, next + period * DAY));
            }
        }
    }
}
