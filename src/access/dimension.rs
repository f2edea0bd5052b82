//! The dimension of one context key: one example of each set of values that conditions tell apart.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use fixedbitset::FixedBitSet;
use jiff::Timestamp;

use super::clause::{Clause, Family, LARGEST, Line, Place, Range, Tests};
use super::minterm::minterms;
use super::pattern::{Class, Pattern};
use super::{Exhausted, Undetermined};

/// The most points of one dimension.
const MAX_POINTS: usize = 4_096;

/// The clock, under its one name.
pub(super) const CLOCK: &str = "aws:epochtime";

/// A context key and what conditions tell apart of it.
#[derive(Clone, Debug)]
pub(super) struct Dimension {
    /// The key, in lower case.
    pub(super) key: String,
    /// The key as written.
    pub(super) name: String,
    /// Examples: a request's values, none where the key is absent.
    pub(super) points: Vec<Vec<String>>,
    /// Each condition with the points where it holds.
    clauses: Vec<(Clause, FixedBitSet)>,
}

/// Values that no condition tells apart, by one of them.
struct Value {
    word: String,
    /// For each condition, whether it passes.
    passes: Vec<bool>,
}

/// Several values, and for each condition whether they pass.
type List = (Vec<String>, Vec<bool>);

impl Dimension {
    /// Finds the points of a key that these conditions tell apart.
    pub(super) fn of(key: &str, clauses: &[&Clause]) -> Result<Self, Undetermined> {
        let values = values(key, clauses)?;
        let is_list = clauses.iter().any(|clause| {
            clause.quantifier.is_some() && !matches!(clause.tests, Tests::Null { .. })
        });
        let mut points: Vec<List> = Vec::new();
        if key != CLOCK {
            let without = clauses.iter().map(|clause| clause.holds_without());
            points.push((Vec::new(), without.collect()));
        }
        if is_list {
            points.extend(lists(&values, clauses)?);
        } else {
            let single = |value: Value| (vec![value.word], value.passes);
            points.extend(values.into_iter().map(single));
        }
        if points.len() > MAX_POINTS {
            return Err(Exhausted::Words.into());
        }
        let holds = |index: usize| {
            let mut set = FixedBitSet::with_capacity(points.len());
            let holding = points.iter().enumerate();
            set.extend(
                holding
                    .filter(|(_, (_, holds))| holds.get(index).copied().unwrap_or_default())
                    .map(|(point, _)| point),
            );
            set
        };
        let name = clauses
            .first()
            .map_or(key, |clause| clause.name.as_str())
            .to_owned();
        let clauses = clauses
            .iter()
            .enumerate()
            .map(|(index, clause)| ((*clause).clone(), holds(index)))
            .collect();
        Ok(Self {
            key: key.to_owned(),
            name,
            clauses,
            points: points.into_iter().map(|(values, _)| values).collect(),
        })
    }

    /// Where the key is not there.
    pub(super) fn absent(&self) -> FixedBitSet {
        let mut absent = FixedBitSet::with_capacity(self.points.len());
        let points = self.points.iter().enumerate();
        let without = points.filter(|(_, values)| values.is_empty());
        absent.extend(without.map(|(at, _)| at));
        absent
    }

    /// Where a condition holds.
    pub(super) fn set(&self, clause: &Clause) -> Option<&FixedBitSet> {
        let found = self.clauses.iter().find(|(own, _)| own == clause);
        found.map(|(_, set)| set)
    }
}

fn values(key: &str, clauses: &[&Clause]) -> Result<Vec<Value>, Undetermined> {
    let lines: BTreeSet<Option<Line>> = clauses
        .iter()
        .filter_map(|clause| match &clause.tests {
            Tests::Words(_) => Some(None),
            Tests::Ranges(line, _) => Some(Some(*line)),
            Tests::Null { .. } => None,
        })
        .collect();
    let mut lines = lines.into_iter();
    match (lines.next(), lines.next()) {
        (_, Some(_)) => Err(Undetermined::Unsupported(format!(
            "{key} is compared in two ways, as text and as a number or address"
        ))),
        (Some(Some(line)), None) => Ok(on_line(line, clauses)),
        (Some(None) | None, None) => words(key, clauses),
    }
}

/// The words of a key that the patterns tell apart.
fn words(key: &str, clauses: &[&Clause]) -> Result<Vec<Value>, Undetermined> {
    let of_clause = |clause: &&&Clause| match &clause.tests {
        Tests::Words(patterns) => patterns.clone(),
        Tests::Ranges(..) | Tests::Null { .. } => Vec::new(),
    };
    let patterns: BTreeSet<Pattern> = clauses
        .iter()
        .flat_map(|clause| of_clause(&clause))
        .collect();
    let patterns: Vec<Pattern> = patterns.into_iter().collect();
    let has = |family: Family| clauses.iter().any(|clause| clause.family == family);
    let is_truth = has(Family::Bool) && !has(Family::Text) && !has(Family::Arn);
    let is_arn = has(Family::Arn);
    let language = if is_truth {
        vec![Pattern::literal("true"), Pattern::literal("false")]
    } else if is_arn {
        vec![arns()]
    } else {
        vec![Pattern::default().many(Class::Any)]
    };
    let minterms = minterms(&patterns, &language, &favourites(key, is_truth, is_arn))?;
    let value = |minterm: super::minterm::Minterm| {
        let named = |clause: &&Clause| match &clause.tests {
            Tests::Words(own) => minterm
                .fits
                .ones()
                .any(|index| patterns.get(index).is_some_and(|one| own.contains(one))),
            Tests::Ranges(..) | Tests::Null { .. } => false,
        };
        let passes = clauses.iter().map(|clause| clause.passes(named(clause)));
        Value {
            passes: passes.collect(),
            word: minterm.word,
        }
    };
    Ok(minterms.into_iter().map(value).collect())
}

/// Every ARN: five parts without a colon, and a sixth.
fn arns() -> Pattern {
    let start = Pattern::literal("arn:");
    (0..4)
        .fold(start, |pattern, _| pattern.many(Class::NoColon).text(":"))
        .many(Class::Any)
}

/// Values that a person knows.
fn favourites(key: &str, is_truth: bool, is_arn: bool) -> Vec<String> {
    let known: &[&str] = match key {
        _ if is_truth => &["true", "false"],
        "kms:viaservice" => &[
            "s3.us-east-1.amazonaws.com",
            "ec2.us-east-1.amazonaws.com",
            "s3.eu-west-1.amazonaws.com",
        ],
        "aws:sourceaccount" | "kms:calleraccount" => &["777788889999", "444455556666"],
        "aws:principalorgid" | "aws:sourceorgid" => &["o-example1234", "o-another1234"],
        "aws:sourcearn" => &[
            "arn:aws:s3:::example",
            "arn:aws:sns:us-east-1:777788889999:example",
        ],
        _ if is_arn => &["arn:aws:iam::777788889999:role/Example"],
        _ => &["example", "other", "another"],
    };
    known.iter().map(|word| (*word).to_owned()).collect()
}

/// The points of a line that ranges tell apart.
fn on_line(line: Line, clauses: &[&Clause]) -> Vec<Value> {
    let starts: &[Place] = match line {
        Line::Numbers => &[(0, 0)],
        Line::Addresses => &[(4, 0), (6, 0)],
    };
    let last = |family: u8| match family {
        0 => LARGEST,
        4 => u128::from(u32::MAX),
        _ => u128::MAX,
    };
    let ranges = |clause: &&Clause| match &clause.tests {
        Tests::Ranges(_, ranges) => ranges.clone(),
        Tests::Words(_) | Tests::Null { .. } => Vec::new(),
    };
    let mut edges: BTreeSet<Place> = starts.iter().copied().collect();
    for Range { from, to } in clauses.iter().flat_map(ranges) {
        edges.insert(from);
        if to.1 < last(to.0) {
            edges.insert((to.0, to.1 + 1));
        }
    }
    let value = |at: Place| {
        let within = |range: &Range| range.from <= at && at <= range.to;
        let named = |clause: &&Clause| ranges(clause).iter().any(within);
        let passes = clauses.iter().map(|clause| clause.passes(named(clause)));
        Value {
            passes: passes.collect(),
            word: text(line, at),
        }
    };
    edges.into_iter().map(value).collect()
}

fn text(line: Line, (family, at): Place) -> String {
    match line {
        Line::Numbers => at.to_string(),
        Line::Addresses if family == 4 => {
            Ipv4Addr::from(u32::try_from(at).unwrap_or(u32::MAX)).to_string()
        }
        Line::Addresses => Ipv6Addr::from(at).to_string(),
    }
}

/// Lists of values: only what the conditions say of them matters, so few values of each are enough.
fn lists(values: &[Value], clauses: &[&Clause]) -> Result<Vec<List>, Undetermined> {
    let mut known: BTreeMap<Vec<bool>, Vec<String>> = BTreeMap::new();
    let mut open: Vec<Vec<bool>> = Vec::new();
    for Value { word, passes } in values {
        if !known.contains_key(passes) {
            known.insert(passes.clone(), vec![word.clone()]);
            open.push(passes.clone());
        }
    }
    let singles: Vec<(Vec<bool>, Vec<String>)> = known.clone().into_iter().collect();
    while let Some(list) = open.pop() {
        for (passes, word) in &singles {
            let both = list.iter().zip(passes).zip(clauses);
            let both: Vec<bool> = both
                .map(|((own, its), clause)| {
                    if clause.wants_all() {
                        *own && *its
                    } else {
                        *own || *its
                    }
                })
                .collect();
            if known.contains_key(&both) {
                continue;
            }
            if known.len() >= MAX_POINTS {
                return Err(Exhausted::Words.into());
            }
            let mut words = known.get(&list).cloned().unwrap_or_default();
            words.extend(word.iter().cloned());
            known.insert(both.clone(), words);
            open.push(both);
        }
    }
    Ok(known
        .into_iter()
        .map(|(passes, words)| (words, passes))
        .collect())
}

/// A clock's value as AWS writes it.
pub(super) fn date(seconds: &str) -> Option<String> {
    let seconds = seconds.parse().ok()?;
    Some(Timestamp::from_second(seconds).ok()?.to_string())
}
