//! Words for a box of requests: under which conditions.

use fixedbitset::FixedBitSet;

use super::clause::{Clause, Tests};
use super::condition_words::{Core, core};
use super::cube::Cube;
use super::dimension::Dimension;
use super::phrase::{Phrases, listed};
use super::space::{ACTIONS, CALLERS, KEYS};
use crate::policy::{Condition, Version};

impl Phrases<'_> {
    /// Under which conditions.
    pub(super) fn conditions(&self, cube: &Cube) -> Vec<String> {
        let limits = (KEYS..cube.0.len()).filter_map(|dim| self.limit(dim, cube));
        together(limits.collect())
    }

    /// The conditions of boxes that together are one: each has one condition that the others lack.
    pub(super) fn conditions_of_all(&self, cubes: &[Cube]) -> Option<Vec<String>> {
        let [first, others @ ..] = cubes else {
            return None;
        };
        if others.is_empty() {
            return Some(self.conditions(first));
        }
        let same = |dim: usize| others.iter().all(|one| one.0.get(dim) == first.0.get(dim));
        if !same(CALLERS) || !same(ACTIONS) {
            return None;
        }
        let (common, own): (Vec<usize>, Vec<usize>) =
            (KEYS..first.0.len()).partition(|dim| same(*dim));
        let mut theirs = Vec::new();
        for dim in own {
            let is_limited = |cube: &&Cube| cube.0.get(dim).is_some_and(|set| !set.is_full());
            let mut limited = cubes.iter().filter(is_limited);
            theirs.push((dim, limited.next()?));
            if limited.next().is_some() {
                return None;
            }
        }
        let is_one_each = |cube: &Cube| theirs.iter().filter(|(_, its)| *its == cube).count() == 1;
        if theirs.len() != cubes.len() || !cubes.iter().all(is_one_each) {
            return None;
        }
        let mut phrases: Vec<String> = common
            .into_iter()
            .filter_map(|dim| self.limit(dim, first))
            .collect();
        phrases.push(self.either(&theirs)?);
        Some(together(phrases))
    }

    /// That one of several conditions holds, as "except both …" or "only … or …".
    fn either(&self, limits: &[(usize, &Cube)]) -> Option<String> {
        let words = |(dim, cube): &(usize, &Cube), word: &str| {
            let words = self.limit(*dim, cube)?;
            Some(words.strip_prefix(word)?.to_owned())
        };
        let all = |word: &str| {
            let words = limits.iter().map(|limit| words(limit, word));
            words.collect::<Option<Vec<_>>>()
        };
        if let Some(words) = all("except ").filter(|words| words.iter().all(|one| is_simple(one))) {
            let both = if words.len() == 2 { "both" } else { "all of" };
            return Some(format!("except {both} {}", listed(&words)));
        }
        let words = all("only ").filter(|words| words.iter().all(|one| is_simple(one)))?;
        Some(format!("only {}", words.join(" or ")))
    }

    /// What a box asks for in one dimension of the context, if anything.
    fn limit(&self, dim: usize, cube: &Cube) -> Option<String> {
        let set = cube.0.get(dim).filter(|set| !set.is_full())?;
        let at = dim.checked_sub(KEYS)?;
        if at < self.space.dimensions.len() {
            return Some(self.condition(at, set));
        }
        let condition = self.space.variables.get(at - self.space.dimensions.len())?;
        let Core { words, holds } = core(condition, self.scene.key);
        Some(only(&words, holds == set.contains(1)))
    }

    /// The shortest words for a set of values of one key.
    fn condition(&self, at: usize, set: &FixedBitSet) -> String {
        let Some(dimension) = self.space.dimensions.get(at) else {
            return String::new();
        };
        let mut known: Vec<(FixedBitSet, Core)> = Vec::new();
        known.push((dimension.absent(), Core::absent(&dimension.name)));
        for (clause, condition) in &self.space.conditions {
            if clause.key != dimension.key {
                continue;
            }
            if let Some(set) = dimension.set(clause) {
                known.push((set.clone(), core(condition, self.scene.key)));
            }
        }
        let mut signed: Vec<(FixedBitSet, String)> = Vec::new();
        for (set, Core { words, holds }) in known {
            let mut other = set.clone();
            other.toggle_range(..);
            signed.push((set, only(&words, holds)));
            signed.push((other, only(&words, !holds)));
        }
        let is_set = |(own, _): &&(FixedBitSet, String)| own == set;
        if let Some((_, words)) = signed.iter().find(is_set) {
            return words.clone();
        }
        if let Some(words) = self.some_values(dimension, set) {
            return words;
        }
        describe(set, &signed).unwrap_or_else(|| {
            let values = set.ones().filter_map(|at| dimension.points.get(at));
            let examples: Vec<String> = values
                .take(3)
                .map(|values| {
                    if values.is_empty() {
                        "absent".to_owned()
                    } else {
                        values.join(" and ")
                    }
                })
                .collect();
            format!(
                "only when {} is such as {}",
                dimension.name,
                examples.join(" or ")
            )
        })
    }

    /// Words for a set that is what some of a condition's values say.
    fn some_values(&self, dimension: &Dimension, set: &FixedBitSet) -> Option<String> {
        let mut other = set.clone();
        other.toggle_range(..);
        let conditions = self.space.conditions.iter();
        conditions
            .filter(|(clause, _)| clause.key == dimension.key && clause.quantifier.is_none())
            .find_map(|(_, condition)| {
                let Core { holds, .. } = core(condition, self.scene.key);
                [(set, true), (&other, false)]
                    .into_iter()
                    .find_map(|(set, is_in)| {
                        let said = values_within(dimension, condition, holds, set)?;
                        let part = Condition {
                            values: said.into(),
                            ..(*condition).clone()
                        };
                        let words = core(&part, self.scene.key).words;
                        Some(only(&words, is_in))
                    })
            })
    }
}

/// The values of a condition that say a set together, and nothing outside it; `holds` as for its [`Core`].
fn values_within(
    dimension: &Dimension,
    condition: &Condition,
    holds: bool,
    set: &FixedBitSet,
) -> Option<Vec<String>> {
    if condition.values.len() < 2 || dimension.points.iter().any(|values| values.len() > 1) {
        return None;
    }
    let mut left = set.clone();
    let mut within = Vec::new();
    for value in &condition.values {
        let single = Condition {
            values: vec![value.clone()].into(),
            ..condition.clone()
        };
        let clause = Clause::of(&single, Version::V2012).ok()?;
        if !matches!(clause.tests, Tests::Words(_)) {
            return None;
        }
        let passes = |values: &Vec<String>| match values.first() {
            Some(word) => clause.passes(clause.names(word)),
            None => clause.holds_without(),
        };
        let mut own = FixedBitSet::with_capacity(dimension.points.len());
        let points = dimension.points.iter().enumerate();
        own.extend(
            points
                .filter(|(_, values)| passes(values) == holds)
                .map(|(at, _)| at),
        );
        if !own.is_clear() && own.is_subset(set) {
            left.difference_with(&own);
            within.push(value.clone());
        }
    }
    (left.is_clear() && !within.is_empty()).then_some(within)
}

/// Finds words for a set: those of two known sets of which it is the common part, or of several together.
fn describe(set: &FixedBitSet, known: &[(FixedBitSet, String)]) -> Option<String> {
    for (index, (one, words)) in known.iter().enumerate() {
        for (other, more) in known.iter().skip(index + 1) {
            let mut both = one.clone();
            both.intersect_with(other);
            if both == *set {
                return Some(format!("{words}, {more}"));
            }
        }
    }
    let mut left = set.clone();
    let mut parts: Vec<&str> = Vec::new();
    for (own, words) in known {
        if !own.is_clear() && own.is_subset(set) && !own.is_disjoint(&left) {
            left.difference_with(own);
            parts.push(words.strip_prefix("only ").unwrap_or(words));
        }
    }
    left.is_clear()
        .then(|| format!("only {}", parts.join(" or ")))
}

/// Conditions with those on single pairs of the encryption context as one.
fn together(phrases: Vec<String>) -> Vec<String> {
    const WITH: &str = "only with context ";
    const BUT: &str = "only with no context keys but ";
    let mut joined: Vec<String> = Vec::new();
    for phrase in phrases {
        let pair = phrase.strip_prefix(WITH).filter(|pair| is_pair(pair));
        let others = phrase.strip_prefix(BUT);
        let pairs = |last: &&mut String| last.strip_prefix(WITH).is_some_and(is_pair);
        match (pair, others, joined.last_mut().filter(pairs)) {
            (Some(pair), _, Some(last)) => *last = format!("{last} and {pair}"),
            (None, Some(names), Some(last)) if names_of(last, WITH) == names => {
                last.push_str(" and nothing else");
            }
            _ => joined.push(phrase),
        }
    }
    joined
}

/// The names of pairs, as a condition on all names has them.
fn names_of(pairs: &str, prefix: &str) -> String {
    let pairs = pairs
        .strip_prefix(prefix)
        .unwrap_or_default()
        .split(" and ");
    let names = pairs.filter_map(|pair| pair.split_once('='));
    let mut names: Vec<&str> = names.map(|(name, _)| name).collect();
    names.sort_unstable();
    format!("{}{}", names.join(" or "), super::condition_words::ANY_CASE)
}

/// True for words that ask for more than that a key is there.
fn is_test(words: &str) -> bool {
    let name = words.strip_prefix("context ").unwrap_or(words);
    name.contains([' ', '='])
}

/// True for words that name one value.
fn is_pair(words: &str) -> bool {
    words.contains('=') && !words.contains(" or ")
}

fn only(words: &str, holds: bool) -> String {
    match words.strip_prefix("with ") {
        _ if holds => format!("only {words}"),
        // That a key is there, and not what it is.
        Some(key) if !is_test(key) => format!("only without {key}"),
        Some(_) | None => format!("except {words}"),
    }
}

/// True for words that can stand in a list of conditions.
fn is_simple(words: &str) -> bool {
    !words.contains(", ") && !words.contains(" except ")
}
