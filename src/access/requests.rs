//! Sets of requests: boxes that do not overlap, with the algebra of sets.

use fixedbitset::FixedBitSet;

use super::Exhausted;
use super::cube::{Budget, Cube, pieces, rest};

/// A set of requests of one survey, as boxes that do not overlap.
#[derive(Clone, Debug, Default)]
pub struct Requests(pub(super) Vec<Cube>);

impl Requests {
    /// All requests of some boxes but those of others.
    pub(super) fn of<'c>(
        cubes: impl IntoIterator<Item = &'c Cube>,
        but: &[&Cube],
        budget: &mut Budget,
    ) -> Result<Self, Exhausted> {
        let mut found: Vec<Cube> = Vec::new();
        for cube in cubes {
            let taken: Vec<&Cube> = but.iter().copied().chain(&found).collect();
            let more = pieces(cube.clone(), &taken, budget)?;
            found.extend(more);
        }
        Ok(Self(found))
    }

    /// True when there is no such request.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In how many boxes the set is told.
    pub fn boxes(&self) -> usize {
        self.0.len()
    }

    /// The requests of either set.
    pub fn union(&self, other: &Self) -> Result<Self, Exhausted> {
        Self::of(self.0.iter().chain(&other.0), &[], &mut Budget::new())
    }

    /// The requests of this set that are not in the other one.
    pub fn difference(&self, other: &Self) -> Result<Self, Exhausted> {
        let taken: Vec<&Cube> = other.0.iter().collect();
        Self::of(&self.0, &taken, &mut Budget::new())
    }

    /// The requests of both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let with_all = |cube: &Cube| other.0.iter().filter_map(|its| cube.and(its)).collect();
        Self(self.0.iter().flat_map::<Vec<Cube>, _>(with_all).collect())
    }

    /// The requests within a set in one dimension.
    pub(super) fn limited(mut self, dim: usize, set: &FixedBitSet) -> Self {
        for cube in &mut self.0 {
            cube.limit(dim, set);
        }
        self.0.retain(|cube| !cube.is_empty());
        self
    }

    /// True when the other set has no request that this one lacks.
    pub fn includes(&self, other: &Self) -> Result<bool, Exhausted> {
        let budget = &mut Budget::new();
        for cube in &other.0 {
            if !self.covers(cube, budget)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// True when both sets have the same requests.
    pub fn equals(&self, other: &Self) -> Result<bool, Exhausted> {
        Ok(self.includes(other)? && other.includes(self)?)
    }

    /// True when every request of a box is in the set.
    pub(super) fn covers(&self, cube: &Cube, budget: &mut Budget) -> Result<bool, Exhausted> {
        let own: Vec<&Cube> = self.0.iter().collect();
        Ok(rest(cube.clone(), &own, budget)?.is_none())
    }
}
