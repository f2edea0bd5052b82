//! Who can do what with one key: all that is given, as the largest boxes of requests that are allowed alike, in words.

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use super::compare::standing;
use super::cube::{Budget, Cube, rest};
use super::mark::{Mark, marks};
use super::matrix::{Column, Row};
use super::phrase::Phrases;
use super::query::Query;
use super::requests::Requests;
use super::shift::{Turn, grow, trim};
use super::space::{ACTIONS, Space};
use super::survey::{Rules, Survey};
use super::{Exhausted, Rights, Scene, Undetermined};
use crate::model::{AccountId, Principal};
use crate::policy::reading::Exemption;
use crate::policy::{Actions, Level, Principals, Request};

/// The most boxes that are told for each level.
const MAX_TOLD: usize = 100;

/// Who can do what with a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// All that is given, what needs no IAM policies first.
    pub told: Vec<Holding>,
    /// True when there is more than is told.
    pub has_more: bool,
    /// The matrix, a row for each principal or kind of principals.
    pub rows: Vec<Row>,
}

/// Requests that are all allowed alike, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// [`Level::Direct`], or [`Level::Delegated`] where IAM policies must allow them too.
    pub level: Level,
    /// Who calls, each a phrase such as `role/app`.
    pub principals: Vec<String>,
    /// What is called, each an operation's name or a pattern.
    pub operations: Vec<String>,
    /// Under which conditions, each a phrase such as `only via s3`.
    pub conditions: Vec<String>,
    /// What a reviewer should look at twice.
    pub marks: BTreeSet<Mark>,
    /// One of the requests; none where that depends on a policy variable.
    pub witness: Option<Sample>,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Who calls; a role stands for its sessions.
    pub principal: Principal,
    /// What is called.
    pub action: String,
    /// The context keys that are there.
    pub context: BTreeMap<String, Vec<String>>,
}

/// Tells who can do what with a key, as far as AWS's tables say that there are such requests.
pub fn holdings<'a>(
    rights: impl Into<Rights<'a>>,
    columns: &[Column],
    scene: &Scene<'a>,
) -> Result<Holdings, Undetermined> {
    let rights = rights.into();
    let rules = Rules::read(&[rights], scene)?;
    let accounts = everyone_of(&rules.survey()?.space.accounts, scene);
    let rules = rules.with_queries(&accounts)?;
    let mut told: Option<(Given, Holdings)> = None;
    rules.each_reading(|survey, _| {
        let never = survey.space.impossible(scene.key);
        let given = Given::of(survey, &never)?;
        if let Some((first, _)) = &told {
            return first.check_same(&given);
        }
        let teller = Teller {
            rights,
            scene,
            space: &survey.space,
            phrases: Phrases::new(&survey.space, &rules, scene),
            given,
            never,
        };
        let mut holdings = Holdings::default();
        for level in [Level::Direct, Level::Delegated] {
            teller.tell(level, &mut holdings)?;
        }
        holdings.rows = teller.rows(columns)?;
        told = Some((teller.given, holdings));
        Ok(())
    })?;
    Ok(told.map(|(_, holdings)| holdings).unwrap_or_default())
}

/// Questions about everyone of an account, so that accounts are told apart which no policy names as a whole.
fn everyone_of(accounts: &BTreeSet<AccountId>, scene: &Scene<'_>) -> Vec<Query> {
    let key = scene.key;
    let others = accounts
        .iter()
        .filter(|account| **account != key.place.account);
    let everyone = |account: &AccountId| Query {
        principals: Principals::Any(vec![Principal::Account(key.partition, *account)].into()),
        actions: Actions::Any(Vec::new().into()),
        when: Vec::new(),
    };
    others.map(everyone).collect()
}

/// What is given.
pub(super) struct Given {
    /// What needs no IAM policies.
    pub(super) direct: Requests,
    /// That, and what IAM policies can give.
    pub(super) any: Requests,
}

impl Given {
    fn of(survey: &Survey<'_>, never: &[Cube]) -> Result<Self, Exhausted> {
        let never: Vec<&Cube> = never.iter().collect();
        let possible = |level| {
            let set = survey.at_least(0, level)?;
            Requests::of(&set.0, &never, &mut Budget::new())
        };
        Ok(Self {
            direct: possible(Level::Direct)?,
            any: possible(Level::Delegated)?,
        })
    }

    /// Fails where another reading of the policy gives something else.
    fn check_same(&self, other: &Self) -> Result<(), Undetermined> {
        if self.direct.equals(&other.direct)? && self.any.equals(&other.any)? {
            return Ok(());
        }
        let why =
            "AWS's pages disagree on whom `NotPrincipal` spares, and the answer depends on it";
        Err(Undetermined::Unclear(why.to_owned()))
    }

    fn at(&self, level: Level) -> &Requests {
        match level {
            Level::Delegated => &self.any,
            Level::Deny | Level::None | Level::Direct => &self.direct,
        }
    }
}

/// What there is to tell, and the words for it.
pub(super) struct Teller<'s> {
    rights: Rights<'s>,
    pub(super) scene: &'s Scene<'s>,
    pub(super) space: &'s Space<'s>,
    pub(super) phrases: Phrases<'s>,
    pub(super) given: Given,
    /// Requests that there are not: nothing is said of them, whatever a policy says.
    pub(super) never: Vec<Cube>,
}

impl Teller<'_> {
    /// Tells what is given at a level and at no higher one.
    fn tell(&self, level: Level, holdings: &mut Holdings) -> Result<(), Undetermined> {
        let everything = self.space.all();
        let (cubes, has_more) = self.boxes(level, &everything)?;
        holdings.has_more |= has_more;
        for cube in &cubes {
            holdings.told.push(Holding {
                level,
                principals: self.phrases.callers(cube),
                operations: self.phrases.operations(cube),
                conditions: self.phrases.conditions(cube),
                marks: marks(turn(level), self.space, cube, self.scene),
                witness: self.sample(cube, level)?,
            });
        }
        Ok(())
    }

    /// The largest boxes inside a given one that tell all that a level gives and no higher one; true when there are more.
    pub(super) fn boxes(
        &self,
        level: Level,
        inside: &Cube,
    ) -> Result<(Vec<Cube>, bool), Exhausted> {
        let budget = &mut Budget::new();
        let Given { direct, any } = &self.given;
        let inside = Requests(vec![inside.clone()]);
        let mut left = match level {
            Level::Delegated => any.difference(direct)?.intersection(&inside),
            Level::Deny | Level::None | Level::Direct => direct.intersection(&inside),
        };
        // Boxes may reach over condition keys that an operation does not have.
        let pointless = self.space.pointless().chain(self.space.of_no_service());
        let pointless = Requests(pointless.collect());
        let mut within = self.given.at(level).intersection(&inside);
        within.0.extend(pointless.intersection(&inside).0);
        let mut grown = Vec::new();
        while let Some(first) = left.0.first() {
            if grown.len() == MAX_TOLD {
                break;
            }
            let cube = grow(self.space, &within, first, budget)?;
            left = Requests::of(&left.0, &[&cube], budget)?;
            grown.push(self.possible(cube, budget)?);
        }
        Ok((trim(grown, budget)?, !left.is_empty()))
    }

    /// A box without the operations of which it has no request that there is.
    pub(super) fn possible(&self, mut cube: Cube, budget: &mut Budget) -> Result<Cube, Exhausted> {
        let never: Vec<&Cube> = self.never.iter().collect();
        for at in 0..self.space.actions.len() {
            let mut one = FixedBitSet::with_capacity(self.space.actions.len());
            one.insert(at);
            let mut slice = cube.clone();
            slice.limit(ACTIONS, &one);
            if !slice.is_empty() && rest(slice, &never, budget)?.is_none() {
                cube.leave(ACTIONS, &one);
            }
        }
        Ok(cube)
    }

    /// A request of a box, which the ordinary evaluator must give the level too.
    fn sample(&self, cube: &Cube, level: Level) -> Result<Option<Sample>, Undetermined> {
        let inside = Requests(vec![cube.clone()]);
        let given = self.given.at(level).intersection(&inside);
        let point = given.0.iter().find_map(|cube| self.space.point(cube));
        let Some(point) = point else {
            return Ok(None);
        };
        let request = Request {
            caller: &point.caller,
            action: &point.action,
            key: self.scene.key,
            context: &point.context,
        };
        let found = standing(self.rights, &request, self.scene, Exemption::default());
        if found >= level {
            return Ok(Some(Sample {
                principal: point.caller.clone(),
                action: point.action.clone(),
                context: point.shown,
            }));
        }
        if self.space.open_question(cube).is_some() {
            return Ok(None);
        }
        let request = format!("{} of {}", point.action, point.caller);
        Err(Undetermined::Unconfirmed(request))
    }
}

/// The turn from no access to a level, which the marks depend on.
fn turn(level: Level) -> Turn {
    match level {
        Level::Delegated => Turn::GainsThroughIam,
        Level::Deny | Level::None | Level::Direct => Turn::Gains,
    }
}
