//! Boxes of requests, and what is left of one when others are taken away.

use std::ops::ControlFlow;

use fixedbitset::FixedBitSet;

use super::Exhausted;

/// The most steps of one question, counted in pairs of boxes that are held against each other, and more for wide ones.
const MAX_STEPS: usize = 10_000_000;

/// How many dimensions are held against each other for the price of one.
const DIMENSIONS_A_STEP: usize = 16;

/// A product of sets: in each dimension, the points that it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cube(pub(super) Vec<FixedBitSet>);

impl Cube {
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().any(FixedBitSet::is_clear)
    }

    /// How many points it has, as far as that can be counted.
    pub(super) fn size(&self) -> usize {
        let sizes = self.0.iter().map(|set| set.count_ones(..));
        sizes.fold(1, usize::saturating_mul)
    }

    /// Takes away what lies outside a set in one dimension.
    pub(super) fn limit(&mut self, dim: usize, set: &FixedBitSet) {
        if let Some(own) = self.0.get_mut(dim) {
            own.intersect_with(set);
        }
    }

    /// Takes away what lies inside a set in one dimension.
    pub(super) fn leave(&mut self, dim: usize, set: &FixedBitSet) {
        if let Some(own) = self.0.get_mut(dim) {
            own.difference_with(set);
        }
    }

    /// Puts another set into one dimension.
    pub(super) fn replace(&mut self, dim: usize, set: FixedBitSet) {
        if let Some(own) = self.0.get_mut(dim) {
            *own = set;
        }
    }

    /// Adds a point in one dimension.
    pub(super) fn add(&mut self, dim: usize, point: usize) {
        if let Some(own) = self.0.get_mut(dim) {
            own.insert(point);
        }
    }

    /// What both cover; none where they have nothing in common.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        if self.misses(other) {
            return None;
        }
        let both = self.0.iter().zip(&other.0).map(|(own, its)| {
            let mut both = own.clone();
            both.intersect_with(its);
            both
        });
        Some(Self(both.collect()))
    }

    fn misses(&self, other: &Self) -> bool {
        let mut dims = self.0.iter().zip(&other.0);
        dims.any(|(own, its)| own.is_disjoint(its))
    }

    /// In how many dimensions a part of this box lies outside the other one.
    fn overhangs(&self, other: &Self) -> usize {
        let dims = self.0.iter().zip(&other.0);
        dims.filter(|(own, its)| !own.is_subset(its)).count()
    }
}

/// Steps that are left.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new() -> Self {
        Self(MAX_STEPS)
    }

    /// Takes so many steps, and one more.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        let left = self
            .0
            .checked_sub(1)
            .and_then(|left| left.checked_sub(steps));
        self.0 = left.ok_or(Exhausted::Steps)?;
        Ok(())
    }
}

/// A box of what is left of one when others are taken away; none when they cover it.
pub(super) fn rest(
    cube: Cube,
    others: &[&Cube],
    budget: &mut Budget,
) -> Result<Option<Cube>, Exhausted> {
    let mut found = None;
    let _first = split(cube, others, budget, &mut |piece| {
        found = Some(piece);
        ControlFlow::Break(())
    })?;
    Ok(found)
}

/// All that is left of a box when others are taken away, as boxes that do not overlap.
pub(super) fn pieces(
    cube: Cube,
    others: &[&Cube],
    budget: &mut Budget,
) -> Result<Vec<Cube>, Exhausted> {
    let mut found = Vec::new();
    let _all = split(cube, others, budget, &mut |piece| {
        found.push(piece);
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Tells one piece after the other of what is left of a box, until the listener has enough.
fn split(
    cube: Cube,
    others: &[&Cube],
    budget: &mut Budget,
    tell: &mut dyn FnMut(Cube) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Exhausted> {
    budget.spend(
        (others.len() + cube.0.len()).saturating_mul(1 + cube.0.len() / DIMENSIONS_A_STEP),
    )?;
    let near: Vec<&Cube> = others
        .iter()
        .copied()
        .filter(|other| !cube.misses(other))
        .collect();
    let by_overhang = |other: &&&Cube| cube.overhangs(other);
    let Some(other) = near.iter().min_by_key(by_overhang) else {
        return Ok(tell(cube));
    };
    // What lies outside the other box, one dimension after the other; the rest shrinks to what lies inside.
    let mut inside = cube;
    for dim in 0..inside.0.len() {
        let (Some(own), Some(its)) = (inside.0.get(dim), other.0.get(dim)) else {
            break;
        };
        let mut outside = own.clone();
        outside.difference_with(its);
        if outside.is_clear() {
            continue;
        }
        let mut shared = own.clone();
        shared.intersect_with(its);
        let mut piece = inside.clone();
        if let Some(place) = piece.0.get_mut(dim) {
            *place = outside;
        }
        if split(piece, &near, budget, tell)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if let Some(place) = inside.0.get_mut(dim) {
            *place = shared;
        }
    }
    Ok(ControlFlow::Continue(()))
}
