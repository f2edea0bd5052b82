//! Requests drawn by number, with what the sentences say of them: what the sentences are tested with.

use fixedbitset::FixedBitSet;

use super::compare::{Pair, Witness};
use super::cube::{Budget, Cube};
use super::phrase::Phrases;
use super::shift::{Teller, Turn};
use super::survey::Rules;
use super::{Rights, Scene, Undetermined};
use crate::policy::reading::Exemption;

/// A request, and how the sentences say that it turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The request, as the ordinary evaluator answers it on both sides.
    pub witness: Witness,
    /// The turns of the sentences that it is part of.
    pub turns: Vec<Turn>,
    /// True when the sentences do not tell all.
    pub has_more: bool,
}

/// Draws a request for each number: from all that are told apart, or, for odd numbers, from those of one sentence.
#[doc(hidden)]
pub fn draw<'a>(
    a: impl Into<Rights<'a>>,
    b: impl Into<Rights<'a>>,
    scene: &Scene<'a>,
    numbers: &[u64],
) -> Result<Vec<Drawn>, Undetermined> {
    let pair = pair(a.into(), b.into(), scene);
    let rules = Rules::read(&[pair.a, pair.b], scene)?;
    let survey = rules.survey()?;
    let teller = Teller {
        survey: &survey,
        pair: &pair,
        phrases: Phrases::new(&survey.space, &rules, scene),
    };
    let budget = &mut Budget::new();
    let mut told: Vec<(Turn, Cube)> = Vec::new();
    let mut has_more = false;
    for turn in Turn::ALL {
        let (groups, more) = teller.groups(turn, budget)?;
        has_more |= more;
        told.extend(groups.into_iter().flatten().map(|cube| (turn, cube)));
    }
    let all = survey.space.all();
    let one = |number: &u64| {
        let mut number = *number;
        let boxes = if number % 2 == 1 {
            told.as_slice()
        } else {
            &[]
        };
        let from = pick(&mut number, boxes.len()).and_then(|at| boxes.get(at));
        let from = from.map_or(&all, |(_, cube)| cube);
        let point = Cube(from.0.iter().map(|set| member(&mut number, set)).collect());
        let turns = told.iter().filter(|(_, cube)| cube.and(&point).is_some());
        Some(Drawn {
            witness: pair.witness(&survey.space, &point)?,
            turns: turns.map(|(turn, _)| *turn).collect(),
            has_more,
        })
    };
    Ok(numbers.iter().filter_map(one).collect())
}

/// Draws a request for each number, from all that two sides tell apart.
#[doc(hidden)]
pub fn draw_any<'a>(
    a: impl Into<Rights<'a>>,
    b: impl Into<Rights<'a>>,
    scene: &Scene<'a>,
    numbers: &[u64],
) -> Result<Vec<Witness>, Undetermined> {
    let pair = pair(a.into(), b.into(), scene);
    let rules = Rules::read(&[pair.a, pair.b], scene)?;
    let survey = rules.survey()?;
    let all = survey.space.all();
    let one = |number: &u64| {
        let mut number = *number;
        let point = Cube(all.0.iter().map(|set| member(&mut number, set)).collect());
        pair.witness(&survey.space, &point)
    };
    Ok(numbers.iter().filter_map(one).collect())
}

fn pair<'a>(a: Rights<'a>, b: Rights<'a>, scene: &'a Scene<'a>) -> Pair<'a> {
    Pair {
        a,
        b,
        scene,
        exemption: Exemption::default(),
    }
}

/// One of so many, by a number that goes on to the next.
fn pick(number: &mut u64, count: usize) -> Option<usize> {
    *number = number
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*number >> 33).ok()?.checked_rem(count)
}

/// A set's member by a number.
fn member(number: &mut u64, set: &FixedBitSet) -> FixedBitSet {
    let mut one = FixedBitSet::with_capacity(set.len());
    let at = pick(number, set.count_ones(..));
    one.extend(at.and_then(|at| set.ones().nth(at)));
    one
}
