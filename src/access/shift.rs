//! Access gained and lost: each difference grown to the largest box of requests that all change alike.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use super::compare::{Pair, Witness};
use super::cube::{Budget, Cube};
use super::levels::Levels;
use super::mark::{Mark, marks};
use super::phrase::{GONE, Phrases};
use super::requests::Requests;
use super::space::{ACTIONS, CALLERS, KEYS, Space};
use super::survey::{Rules, Survey};
use super::{Exhausted, Rights, Scene, Tables, Undetermined};

/// The most shifts that are told for each turn.
const MAX_TOLD: usize = 10;

/// How access turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Turn {
    /// Not allowed before, allowed now.
    Gains,
    /// Not allowed before, now allowed where IAM policies allow it.
    GainsThroughIam,
    /// Allowed before where IAM policies allowed it, now without them.
    NeedsNoIam,
    /// Denied before, also to grants; now grants can give it.
    Undenied,
    /// Allowed before without IAM policies, now only where they allow it.
    NeedsIam,
    /// Allowed before, not now.
    Loses,
    /// Allowed before where IAM policies allowed it, not now.
    LosesThroughIam,
    /// Given by nothing before, now denied to grants too.
    Denied,
}

impl Turn {
    pub(super) const ALL: [Self; 8] = [
        Self::Gains,
        Self::GainsThroughIam,
        Self::NeedsNoIam,
        Self::Undenied,
        Self::NeedsIam,
        Self::Loses,
        Self::LosesThroughIam,
        Self::Denied,
    ];

    /// The same turn for those who need no IAM policies; none where there is no such thing.
    fn without_iam(self) -> Option<Self> {
        match self {
            Self::GainsThroughIam => Some(Self::Gains),
            Self::LosesThroughIam => Some(Self::Loses),
            Self::Gains
            | Self::NeedsNoIam
            | Self::Undenied
            | Self::NeedsIam
            | Self::Loses
            | Self::Denied => None,
        }
    }

    /// The word for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gains => "gains",
            Self::GainsThroughIam => "gains-through-iam",
            Self::NeedsNoIam => "needs-no-iam",
            Self::Undenied => "undenied",
            Self::NeedsIam => "needs-iam",
            Self::Loses => "loses",
            Self::LosesThroughIam => "loses-through-iam",
            Self::Denied => "denied",
        }
    }

    /// True when there is more access than before.
    pub fn is_gain(self) -> bool {
        match self {
            Self::Gains | Self::GainsThroughIam | Self::NeedsNoIam | Self::Undenied => true,
            Self::NeedsIam | Self::Loses | Self::LosesThroughIam | Self::Denied => false,
        }
    }
}

/// Requests that all turn alike, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// How they turn.
    pub turn: Turn,
    /// Who calls, each a phrase such as `role/app`.
    pub principals: Vec<String>,
    /// What is called, each an operation's name or a pattern.
    pub operations: Vec<String>,
    /// Under which conditions, each a phrase such as `only via s3`.
    pub conditions: Vec<String>,
    /// True when nothing is left to these principals, beside what IAM policies may allow where those are needed now.
    pub is_everything: bool,
    /// What a reviewer should look at twice.
    pub marks: BTreeSet<Mark>,
    /// One of the requests.
    pub witness: Witness,
}

/// All that turns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shifts {
    /// What is told, gains first.
    pub told: Vec<Shift>,
    /// True when there is more than is told.
    pub has_more: bool,
}

impl Shifts {
    /// True when nothing turns.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty() && !self.has_more
    }

    /// True when the other tells the same in the same words, whichever requests show it.
    fn says_the_same(&self, other: &Self) -> bool {
        let says = |(own, its): (&Shift, &Shift)| {
            let witness = own.witness.clone();
            let its = its.clone();
            *own == Shift { witness, ..its }
        };
        self.has_more == other.has_more
            && self.told.len() == other.told.len()
            && self.told.iter().zip(&other.told).all(says)
    }
}

/// Tells how access turns from one side to the other.
pub fn shifts<'a>(
    a: impl Into<Rights<'a>>,
    b: impl Into<Rights<'a>>,
    scene: &Scene<'a>,
) -> Result<Shifts, Undetermined> {
    let (a, b) = (a.into(), b.into());
    let rules = Rules::read(&[a, b], scene)?;
    let mut found: Option<Shifts> = None;
    let budget = &mut Budget::new();
    rules.each_reading(|survey, exemption| {
        let pair = Pair {
            a,
            b,
            scene,
            exemption,
        };
        let teller = Teller {
            survey,
            pair: &pair,
            phrases: Phrases::new(&survey.space, &rules, scene),
        };
        let mut all = Shifts::default();
        for turn in Turn::ALL {
            teller.tell(turn, &mut all, budget)?;
        }
        // Nobody can call as a principal that is gone: not worth a line beside others.
        let is_of_the_gone = |shift: &Shift| shift.principals == [GONE];
        if !all.told.iter().all(is_of_the_gone) {
            all.told.retain(|shift| !is_of_the_gone(shift));
        }
        match &found {
            Some(first) if !first.says_the_same(&all) => {
                let why = "AWS's pages disagree on whom `NotPrincipal` spares, and who gains or loses what depends on it";
                Err(Undetermined::Unclear(why.to_owned()))
            }
            Some(_) => Ok(()),
            None => {
                found = Some(all);
                Ok(())
            }
        }
    })?;
    Ok(found.unwrap_or_default())
}

/// Who tells how access turns.
pub(super) struct Teller<'s> {
    pub(super) survey: &'s Survey<'s>,
    pub(super) pair: &'s Pair<'s>,
    pub(super) phrases: Phrases<'s>,
}

impl Teller<'_> {
    fn tell(&self, turn: Turn, all: &mut Shifts, budget: &mut Budget) -> Result<(), Undetermined> {
        let (groups, has_more) = self.groups(turn, budget)?;
        all.has_more |= has_more;
        for group in groups {
            all.told.extend(self.shift(turn, &group, budget)?);
        }
        Ok(())
    }

    /// The boxes of requests that turn in one way, those together that are one in words; true when there are more.
    pub(super) fn groups(
        &self,
        turn: Turn,
        budget: &mut Budget,
    ) -> Result<(Vec<Vec<Cube>>, bool), Exhausted> {
        let [a, b] = self.survey.sides.as_slice() else {
            return Ok((Vec::new(), false));
        };
        let whole = region(turn, a, b, budget)?;
        if whole.is_empty() {
            return Ok((Vec::new(), false));
        }
        let mut left = whole.clone();
        // What is allowed anyway may be told along with what IAM policies can give, where that is simpler.
        let mut within = match turn.without_iam() {
            Some(direct) => {
                let direct = region(direct, a, b, budget)?;
                Requests([left.0.clone(), direct.0].concat())
            }
            None => left.clone(),
        };
        let scene = self.pair.scene;
        if scene.tables == Tables::Heard {
            // What cannot be asked needs no words.
            within.0.extend(self.survey.space.impossible(scene.key));
        }
        let mut grown = Vec::new();
        while let Some(first) = left.0.first().filter(|_| grown.len() < MAX_TOLD) {
            let cube = grow(&self.survey.space, &within, first, budget)?;
            left = Requests::of(&left.0, &[&cube], budget)?;
            grown.push(cube);
        }
        let mut groups: Vec<Vec<Cube>> = Vec::new();
        for mut cube in trim(grown, budget)? {
            self.shorten(&mut cube, &whole);
            let with = |group: &[Cube]| [group, std::slice::from_ref(&cube)].concat();
            let is_fit = |group: &&mut Vec<Cube>| {
                let together = self.phrases.conditions_of_all(&with(group));
                together.is_some()
            };
            match groups.iter_mut().find(is_fit) {
                Some(group) => group.push(cube),
                None => groups.push(vec![cube]),
            }
        }
        Ok((groups, !left.is_empty()))
    }

    /// Leaves out callers of whom nothing in the box turns, unless more words are needed without them.
    fn shorten(&self, cube: &mut Cube, turning: &Requests) {
        let parts = turning.0.iter().filter_map(|part| part.and(cube));
        let mut callers = FixedBitSet::with_capacity(self.survey.space.callers.len());
        for part in parts {
            if let Some(theirs) = part.0.get(CALLERS) {
                callers.union_with(theirs);
            }
        }
        let mut fewer = cube.clone();
        fewer.limit(CALLERS, &callers);
        let length = |cube: &Cube| self.phrases.callers(cube).join(", ").len();
        if length(&fewer) < length(cube) {
            *cube = fewer;
        }
    }

    /// What is told of boxes that differ in their conditions at most.
    fn shift(
        &self,
        turn: Turn,
        group: &[Cube],
        budget: &mut Budget,
    ) -> Result<Option<Shift>, Undetermined> {
        let space = &self.survey.space;
        let (Some(cube), Some(after)) = (group.first(), self.survey.sides.last()) else {
            return Ok(None);
        };
        let conditions = self.phrases.conditions_of_all(group).unwrap_or_default();
        let marks = group
            .iter()
            .flat_map(|one| marks(turn, space, one, self.pair.scene));
        let witness = self.pair.witness(space, cube).ok_or_else(|| {
            Undetermined::Unclear("the difference has no request that shows it".to_owned())
        })?;
        Ok(Some(Shift {
            turn,
            principals: self.phrases.callers(cube),
            operations: self.phrases.operations(cube),
            conditions,
            is_everything: match turn {
                Turn::Loses | Turn::LosesThroughIam => {
                    is_nothing_left(space, cube, &after.delegated, after, budget)?
                }
                Turn::NeedsIam => is_nothing_left(space, cube, &after.direct, after, budget)?,
                Turn::Gains
                | Turn::GainsThroughIam
                | Turn::NeedsNoIam
                | Turn::Undenied
                | Turn::Denied => false,
            },
            marks: marks.collect(),
            witness,
        }))
    }
}

/// True when the callers of a box have no access of a kind any more.
fn is_nothing_left(
    space: &Space<'_>,
    cube: &Cube,
    kind: &[Cube],
    after: &Levels,
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    let mut theirs = space.all();
    if let Some(callers) = cube.0.get(CALLERS) {
        theirs.limit(CALLERS, callers);
    }
    let denied: Vec<&Cube> = after.denied.iter().collect();
    let left: Vec<Cube> = kind.iter().filter_map(|one| one.and(&theirs)).collect();
    Ok(Requests::of(&left, &denied, budget)?.is_empty())
}

/// The requests that turn in one way.
fn region(turn: Turn, a: &Levels, b: &Levels, budget: &mut Budget) -> Result<Requests, Exhausted> {
    match turn {
        Turn::Gains => rise(a, b, Reached::Direct, budget),
        Turn::GainsThroughIam => rise(a, b, Reached::ThroughIam, budget),
        Turn::Loses => rise(b, a, Reached::Direct, budget),
        Turn::LosesThroughIam => rise(b, a, Reached::ThroughIam, budget),
        Turn::NeedsNoIam => free(a, b, budget),
        Turn::NeedsIam => free(b, a, budget),
        Turn::Denied => close(a, b, budget),
        Turn::Undenied => close(b, a, budget),
    }
}

/// What is reached from no access at all.
#[derive(Clone, Copy)]
enum Reached {
    Direct,
    ThroughIam,
}

/// Requests that one side does not allow and the other does.
fn rise(
    low: &Levels,
    high: &Levels,
    reached: Reached,
    budget: &mut Budget,
) -> Result<Requests, Exhausted> {
    let mut but: Vec<&Cube> = high.denied.iter().collect();
    let to = match reached {
        Reached::Direct => &high.direct,
        Reached::ThroughIam => {
            but.extend(&high.direct);
            &high.delegated
        }
    };
    let allowed = [but.clone(), low.delegated.iter().collect()].concat();
    let from_none = Requests::of(to, &allowed, budget)?;
    let denied: Vec<Cube> = to
        .iter()
        .flat_map(|cube| low.denied.iter().filter_map(|denied| cube.and(denied)))
        .collect();
    let from_denied = Requests::of(&denied, &but, budget)?;
    Requests::of(from_none.0.iter().chain(&from_denied.0), &[], budget)
}

/// Requests that one side leaves to IAM and the other allows directly.
fn free(low: &Levels, high: &Levels, budget: &mut Budget) -> Result<Requests, Exhausted> {
    let but = high.denied.iter().chain(&low.denied).chain(&low.direct);
    let direct = Requests::of(&high.direct, &but.collect::<Vec<_>>(), budget)?;
    let both: Vec<Cube> = direct
        .0
        .iter()
        .flat_map(|cube| low.delegated.iter().filter_map(|one| cube.and(one)))
        .collect();
    Requests::of(&both, &[], budget)
}

/// Requests that nothing allows on either side, and that one of them denies.
fn close(open: &Levels, closed: &Levels, budget: &mut Budget) -> Result<Requests, Exhausted> {
    let but: Vec<&Cube> = open.denied.iter().chain(&open.delegated).collect();
    Requests::of(&closed.denied, &but, budget)
}

/// Leaves out of each box the callers, then the operations, that other boxes tell already; small boxes first.
pub(super) fn trim(mut cubes: Vec<Cube>, budget: &mut Budget) -> Result<Vec<Cube>, Exhausted> {
    cubes.sort_by_cached_key(Cube::size);
    for dim in [CALLERS, ACTIONS] {
        for index in 0..cubes.len() {
            let others = cubes.iter().enumerate().filter(|(at, _)| *at != index);
            let others = Requests(others.map(|(_, other)| other.clone()).collect());
            let Some(cube) = cubes.get_mut(index) else {
                continue;
            };
            let points: Vec<usize> = cube
                .0
                .get(dim)
                .into_iter()
                .flat_map(FixedBitSet::ones)
                .collect();
            let whole = cube.clone();
            for point in points {
                let mut only = FixedBitSet::with_capacity(point + 1);
                only.insert(point);
                let mut slice = whole.clone();
                slice.limit(dim, &only);
                if others.covers(&slice, budget)? {
                    cube.leave(dim, &only);
                }
            }
        }
        cubes.retain(|cube| !cube.is_empty());
    }
    Ok(cubes)
}

/// The largest box around a point of a box that stays within a set: contexts first, then operations, then callers.
pub(super) fn grow(
    space: &Space<'_>,
    within: &Requests,
    from: &Cube,
    budget: &mut Budget,
) -> Result<Cube, Exhausted> {
    let all = space.all();
    let mut cube = Cube(from.0.iter().map(first).collect());
    for dim in (KEYS..all.0.len()).chain([ACTIONS, CALLERS]) {
        let Some(full) = all.0.get(dim) else { continue };
        let mut wider = cube.clone();
        wider.replace(dim, full.clone());
        if within.covers(&wider, budget)? {
            cube = wider;
            continue;
        }
        for point in full.ones() {
            let mut wider = cube.clone();
            wider.add(dim, point);
            if wider != cube && within.covers(&wider, budget)? {
                cube = wider;
            }
        }
    }
    Ok(cube)
}

/// The first point of a set.
fn first(set: &FixedBitSet) -> FixedBitSet {
    let mut one = FixedBitSet::with_capacity(set.len());
    one.extend(set.minimum());
    one
}
