//! Words for one condition of a policy.

use super::rule::PAIR;
use crate::model::KeyArn;
use crate::policy::{Condition, OperatorName, Quantifier};

/// Stands behind values that are compared without regard to case.
pub(super) const ANY_CASE: &str = " (in any case)";

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
    let ignores_case = matches!(
        operator.name,
        OperatorName::StringEqualsIgnoreCase | OperatorName::StringNotEqualsIgnoreCase
    );
    let case = if ignores_case { ANY_CASE } else { "" };
    let list = format!("{}{case}", shown.join(" or "));
    if let Some(quantifier) = operator.quantifier {
        return quantified(condition, quantifier, &format!("{relation} {list}"));
    }
    // A negated operator holds without its key anyway.
    let or_absent = match (operator.if_exists && holds, is_via) {
        (true, true) => " or directly",
        (true, false) => " or absent",
        (false, _) => "",
    };
    let pair = name.get(PAIR.len()..).filter(|_| lower.starts_with(PAIR));
    let words = match pair {
        None if is_via && relation == "is" => format!("via {list}{or_absent}"),
        None => format!("when {name} {relation} {list}{or_absent}"),
        Some(pair) if relation == "is" => format!("with context {pair}={list}{or_absent}"),
        Some(pair) => format!("when context {pair} {relation} {list}{or_absent}"),
    };
    Core { words, holds }
}

/// A condition on lists of values in positive words; `test` is what it asks of a value.
///
/// Its negation is about the other quantifier: not every value passes where some value fails.
fn quantified(condition: &Condition, quantifier: Quantifier, test: &str) -> Core {
    let (_, holds) = relation(condition.operator.name);
    let if_exists = condition.operator.if_exists;
    let is_context = condition
        .key
        .eq_ignore_ascii_case("kms:EncryptionContextKeys");
    let key = named(&condition.key);
    let is_about_every = (quantifier == Quantifier::ForAllValues) == holds;
    let words = match test.strip_prefix("is ").filter(|_| is_context) {
        Some(names) if is_about_every => format!("with no context keys but {names}"),
        Some(names) => format!("with context key {names}"),
        None if is_about_every => format!("when every value of {key} {test}"),
        None => format!("when a value of {key} {test}"),
    };
    // People do not take "every value" to be true of none, so that is said.
    let holds_without = quantifier == Quantifier::ForAllValues || if_exists;
    let words = match (is_about_every, holds_without == holds) {
        (true, true) if is_context => words,
        (_, true) => format!("{words} or there is none"),
        (true, false) => format!("{words} and there is one"),
        (false, false) => words,
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
        | Name::StringEqualsIgnoreCase
        | Name::Null => ("is", true),
        Name::StringNotEquals
        | Name::StringNotEqualsIgnoreCase
        | Name::NumericNotEquals
        | Name::DateNotEquals => ("is", false),
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
