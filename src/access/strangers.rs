//! Access for those whom nobody listed: other accounts, other organizations, anyone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use fixedbitset::FixedBitSet;
use sorted_vec::SortedSet;

use super::cube::Cube;
use super::mark::{is_anybody, is_tied};
use super::query::{Example, Query, View, facts};
use super::requests::Requests;
use super::space::{CALLERS, KEYS, Space};
use super::survey::{Rules, Survey};
use super::{Rights, Scene, Undetermined};
use crate::model::{AccountId, OrganizationId, Principal};
use crate::policy::{
    ActionPattern, Actions, Condition, Level, Operator, OperatorName, Principals, Quantifier,
};

/// Those who may be given access beside the key's own account and AWS services.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// Accounts.
    pub accounts: &'a BTreeSet<AccountId>,
    /// Organizations.
    pub organizations: &'a BTreeSet<OrganizationId>,
}

/// Someone whom nobody listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stranger {
    /// Principals of any account.
    Anyone,
    /// Principals of an organization.
    Organization(String),
    /// Principals of an account.
    Account(AccountId),
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("anyone"),
            Self::Organization(id) => write!(f, "organization {id}"),
            Self::Account(id) => write!(f, "account {id}"),
        }
    }
}

/// Condition keys that name an organization.
const ORGANIZATION: [&str; 4] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
];

/// Finds strangers to whom a change gives access that they did not have, each with one request.
pub fn strangers<'a>(
    before: Rights<'a>,
    after: Rights<'a>,
    trust: &Trust<'_>,
    scene: &Scene<'a>,
) -> Result<BTreeMap<Stranger, Example>, Undetermined> {
    let queries = trust.queries();
    let rules = Rules::read(&[before, after], scene)?.with_queries(&queries)?;
    let mut found = BTreeMap::new();
    rules.each_reading(|survey, exemption| {
        let view = View {
            rights: after,
            scene,
            exemption,
        };
        for cube in &trust.gained(survey, queries.len(), scene)?.0 {
            for (stranger, callers) in strangers_of(&survey.space, cube, scene) {
                let mut theirs = cube.clone();
                theirs.limit(CALLERS, &callers);
                if let Some(example) = view.look(&survey.space, &theirs) {
                    found.entry(stranger).or_insert(example);
                }
            }
        }
        Ok(())
    })?;
    Ok(found)
}

impl Trust<'_> {
    /// All requests of callers of the organizations.
    fn queries(&self) -> Vec<Query> {
        if self.organizations.is_empty() {
            return Vec::new();
        }
        let ids = self.organizations.iter();
        let ids: Vec<String> = ids.map(ToString::to_string).collect();
        let paths = Condition {
            operator: Operator {
                quantifier: Some(Quantifier::ForAnyValue),
                name: OperatorName::StringLike,
                if_exists: false,
            },
            key: "aws:PrincipalOrgPaths".to_owned(),
            values: SortedSet::from(ids.iter().map(|id| format!("{id}/*")).collect::<Vec<_>>()),
        };
        let query = |when| Query {
            principals: Principals::Any(vec![Principal::Anyone].into()),
            actions: Actions::Any(vec![ActionPattern::new("*")].into()),
            when,
        };
        vec![query(facts("aws:PrincipalOrgID", &ids)), query(vec![paths])]
    }

    /// What callers of other accounts can do after the change and could not before, but for those who are trusted.
    fn gained(
        &self,
        survey: &Survey<'_>,
        queries: usize,
        scene: &Scene<'_>,
    ) -> Result<Requests, Undetermined> {
        let home = (scene.key.partition, scene.key.place.account);
        let foreign = survey.space.set_of_callers(&|caller| {
            caller
                .home
                .is_some_and(|its| its != home && !self.accounts.contains(&its.1))
        });
        let gained = survey.at_least(1, Level::Delegated)?;
        let mut gained = gained.limited(CALLERS, &foreign);
        if gained.is_empty() {
            return Ok(gained);
        }
        for query in 0..queries {
            gained = gained.difference(&survey.named(query)?)?;
        }
        Ok(gained.difference(&survey.at_least(0, Level::Delegated)?)?)
    }
}

/// The strangers among a box's callers, each with their points.
fn strangers_of(
    space: &Space<'_>,
    cube: &Cube,
    scene: &Scene<'_>,
) -> BTreeMap<Stranger, FixedBitSet> {
    let mut found: BTreeMap<Stranger, FixedBitSet> = BTreeMap::new();
    for at in cube.0.get(CALLERS).into_iter().flat_map(FixedBitSet::ones) {
        let Some(caller) = space.callers.get(at) else {
            continue;
        };
        let stranger = if is_anybody(space, caller, scene) {
            match organization(space, cube) {
                Some(organization) => Stranger::Organization(organization),
                // A network or resource of somebody's own is as good as an account that is known.
                None if is_tied(space, cube) => continue,
                None => Stranger::Anyone,
            }
        } else if let Some((_, account)) = caller.home {
            Stranger::Account(account)
        } else {
            continue;
        };
        let points = found
            .entry(stranger)
            .or_insert_with(|| FixedBitSet::with_capacity(space.callers.len()));
        points.insert(at);
    }
    found
}

/// The organization that a box's requests are tied to.
fn organization(space: &Space<'_>, cube: &Cube) -> Option<String> {
    if !is_tied(space, cube) {
        return None;
    }
    let mut dimensions = space.dimensions.iter().enumerate();
    dimensions.find_map(|(at, dimension)| {
        let set = cube.0.get(KEYS + at)?;
        if set.is_full() || !ORGANIZATION.contains(&dimension.key.as_str()) {
            return None;
        }
        let values = dimension.points.get(set.minimum()?)?;
        Some(values.first()?.split('/').next()?.to_owned())
    })
}
