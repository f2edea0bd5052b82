//! Words for one condition of a policy.

use super::rule::PAIR;
use crate::model::KeyArn;
use crate::policy::{Condition, OperatorName, Quantifier};

/// A condition in positive words, and whether it holds where they are true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Core {
    pub(super) words: String,
    pub(super) holds: bool,
}

impl Core {
    /// That a key is absent.
    pub(super) fn absent(key: &str) -> Self {
        Self {
            words: format!("with {}", named(key)),
            holds: false,
        }
    }
}

/// A condition as words that go after "only" or "except".
pub(super) fn core(condition: &Condition, key: &KeyArn) -> Core {
    let Condition {
        operator,
        key: name,
        values,
    } = condition;
    let lower = name.to_ascii_lowercase();
    let (relation, holds) = relation(operator.name);
    if operator.name == OperatorName::Null {
        let is_absent = values
            .iter()
            .any(|value| value.eq_ignore_ascii_case("true"));
        return Core {
            words: format!("with {}", named(name)),
            holds: !is_absent,
        };
    }
    let region = key.place.region.to_string();
    let is_via = lower == "kms:viaservice";
    let shown: Vec<String> = values
        .iter()
        .map(|value| {
            let service = value.strip_suffix(&format!(".{region}.amazonaws.com"));
            service.filter(|_| is_via).unwrap_or(value).to_owned()
        })
        .collect();
    let list = shown.join(" or ");
    let or_absent = if operator.if_exists { " or absent" } else { "" };
    let words = match operator.quantifier {
        Some(Quantifier::ForAllValues) => {
            format!(
                "when every value of {} {relation} {list}{or_absent}",
                named(name)
            )
        }
        Some(Quantifier::ForAnyValue) => {
            format!(
                "when a value of {} {relation} {list}{or_absent}",
                named(name)
            )
        }
        None if is_via && relation == "is" => format!("via {list}{or_absent}"),
        None => match name.get(PAIR.len()..).filter(|_| lower.starts_with(PAIR)) {
            Some(pair) if relation == "is" => format!("with context {pair}={list}{or_absent}"),
            Some(pair) => format!("when context {pair} {relation} {list}{or_absent}"),
            None => format!("when {name} {relation} {list}{or_absent}"),
        },
    };
    Core { words, holds }
}

/// A key's name; a pair of the encryption context goes by its own.
fn named(key: &str) -> String {
    let is_pair = key.to_ascii_lowercase().starts_with(PAIR);
    match key.get(PAIR.len()..).filter(|_| is_pair) {
        Some(pair) => format!("context {pair}"),
        None => key.to_owned(),
    }
}

/// How a value must stand to the policy's, and whether the operator holds where it does.
fn relation(name: OperatorName) -> (&'static str, bool) {
    use OperatorName as Name;
    match name {
        Name::StringEquals
        | Name::Bool
        | Name::NumericEquals
        | Name::DateEquals
        | Name::BinaryEquals
        | Name::Null => ("is", true),
        Name::StringNotEquals | Name::NumericNotEquals | Name::DateNotEquals => ("is", false),
        Name::StringEqualsIgnoreCase => ("is in any case", true),
        Name::StringNotEqualsIgnoreCase => ("is in any case", false),
        Name::StringLike | Name::ArnEquals | Name::ArnLike => ("is like", true),
        Name::StringNotLike | Name::ArnNotEquals | Name::ArnNotLike => ("is like", false),
        Name::NumericLessThan => ("is below", true),
        Name::NumericLessThanEquals => ("is at most", true),
        Name::NumericGreaterThan => ("is above", true),
        Name::NumericGreaterThanEquals => ("is at least", true),
        Name::DateLessThan => ("is before", true),
        Name::DateLessThanEquals => ("is not after", true),
        Name::DateGreaterThan => ("is after", true),
        Name::DateGreaterThanEquals => ("is not before", true),
        Name::IpAddress => ("is in", true),
        Name::NotIpAddress => ("is in", false),
    }
}

/// True for a condition that asks for its key to be there with one of its values.
pub(super) fn is_positive(condition: &Condition) -> bool {
    let operator = condition.operator;
    relation(operator.name).1
        && !operator.if_exists
        && operator.quantifier != Some(Quantifier::ForAllValues)
        && operator.name != OperatorName::Null
}
