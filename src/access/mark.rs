//! Marks on gained access: what a reviewer should look at twice.

use std::collections::BTreeSet;

use super::Scene;
use super::caller::Caller;
use super::cube::Cube;
use super::shift::Turn;
use super::space::{ACTIONS, CALLERS, KEYS, Space};
use crate::model::Operation;
use crate::policy::Condition;

/// A risk of gained access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// For principals of any account, or any AWS service, that nothing ties to a known account or organization.
    Public,
    /// For principals of another account.
    CrossAccount,
    /// `PutKeyPolicy`: everything else can be taken with it.
    Administrator,
    /// `CreateGrant` for whomever the principal likes, itself included.
    SelfEscalation,
    /// Use of the key material.
    KeyMaterial,
}

impl Mark {
    /// The mark's name in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::CrossAccount => "cross-account",
            Self::Administrator => "administrator",
            Self::SelfEscalation => "self-escalation",
            Self::KeyMaterial => "key-material",
        }
    }
}

/// Condition keys that tie a request to an account, an organization or a network of somebody's own.
const TIES: [&str; 9] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
];

/// The marks of a box of requests: only what is gained has any.
pub(super) fn marks(
    turn: Turn,
    space: &Space<'_>,
    cube: &Cube,
    scene: &Scene<'_>,
) -> BTreeSet<Mark> {
    let mut marks = BTreeSet::new();
    if !turn.is_gain() {
        return marks;
    }
    let key = scene.key;
    let home = Some((key.partition, key.place.account));
    let is_foreign = |caller: &&Caller| caller.home.is_some() && caller.home != home;
    let callers = || callers(space, cube);
    if callers().any(|caller| is_foreign(&caller)) {
        marks.insert(Mark::CrossAccount);
    }
    if callers().any(|caller| is_anybody(space, caller, scene)) && !is_tied(space, cube) {
        marks.insert(Mark::Public);
    }
    // What IAM policies may give at home, they give under the eyes of those who own the account.
    if turn == Turn::GainsThroughIam && marks.is_empty() {
        return marks;
    }
    let has = |operation: Operation| operations(space, cube).any(|name| name == operation.action());
    if has(Operation::PutKeyPolicy) {
        marks.insert(Mark::Administrator);
    } else if has(Operation::CreateGrant) && !is_for_services_only(space, cube) {
        marks.insert(Mark::SelfEscalation);
    }
    let uses_material = Operation::ALL.iter().filter(|one| one.is_cryptographic());
    if uses_material.copied().any(has) {
        marks.insert(Mark::KeyMaterial);
    }
    marks
}

fn callers<'s>(space: &'s Space<'_>, cube: &'s Cube) -> impl Iterator<Item = &'s Caller> {
    let points = cube.0.get(CALLERS).into_iter().flat_map(|set| set.ones());
    points.filter_map(|at| space.callers.get(at))
}

fn operations<'s>(space: &'s Space<'_>, cube: &'s Cube) -> impl Iterator<Item = &'s str> {
    let points = cube.0.get(ACTIONS).into_iter().flat_map(|set| set.ones());
    points.filter_map(|at| space.actions.get(at).map(|(name, _)| name.as_str()))
}

/// True for callers that stand for all principals of accounts that nobody wrote down.
pub(super) fn is_anybody(space: &Space<'_>, caller: &Caller, scene: &Scene<'_>) -> bool {
    let Some((_, account)) = caller.home else {
        return false;
    };
    !caller.is_named && account != scene.key.place.account && !space.accounts.contains(&account)
}

/// True when a condition of the box ties its requests to something known.
pub(super) fn is_tied(space: &Space<'_>, cube: &Cube) -> bool {
    space.dimensions.iter().enumerate().any(|(at, dimension)| {
        let Some(set) = cube.0.get(KEYS + at) else {
            return false;
        };
        TIES.contains(&dimension.key.as_str())
            && space.conditions.iter().any(|(clause, condition)| {
                clause.key == dimension.key
                    && is_definite(condition)
                    && dimension.set(clause).is_some_and(|own| set.is_subset(own))
            })
    })
}

/// True for a condition that asks for values of somebody in particular, and for the key to be there.
fn is_definite(condition: &Condition) -> bool {
    let key = condition.key.to_ascii_lowercase();
    super::condition_words::is_positive(condition)
        && condition
            .values
            .iter()
            .all(|value| names_somebody(&key, value))
}

/// True for a value that only one account, organization, network or resource of an account can have.
fn names_somebody(key: &str, value: &str) -> bool {
    let is_plain = |part: &str| !part.is_empty() && !part.contains(['*', '?']);
    match key {
        "aws:principalorgpaths" | "aws:sourceorgpaths" => {
            value.split_once('/').is_some_and(|(id, _)| is_plain(id))
        }
        // A bucket's ARN has no account, but no two buckets share a name.
        "aws:sourcearn" => {
            let parts: Vec<&str> = value.splitn(6, ':').collect();
            match parts.as_slice() {
                [_, _, "s3", "", "", bucket] => bucket.split('/').next().is_some_and(is_plain),
                [_, _, _, _, account, _] => is_plain(account),
                _ => false,
            }
        }
        _ => is_plain(value),
    }
}

/// True when a box has only calls by AWS services on somebody's behalf.
fn is_for_services_only(space: &Space<'_>, cube: &Cube) -> bool {
    let mut dimensions = space.dimensions.iter().enumerate();
    dimensions.any(|(at, dimension)| {
        dimension.key == "kms:grantisforawsresource"
            && cube.0.get(KEYS + at).is_some_and(|set| {
                let values = |at| dimension.points.get(at).map(Vec::as_slice);
                let is_true = |at| matches!(values(at), Some([one]) if one == "true");
                set.ones().all(is_true)
            })
    })
}
