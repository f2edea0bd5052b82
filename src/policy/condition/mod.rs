//! Whether a condition holds for a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::policy::context::Facts;
use crate::policy::document::{Condition, Operator, OperatorName, Quantifier, Version};
use crate::policy::pattern::Glob;
use crate::policy::quantity::{Quantity, in_block};
use crate::policy::reading::FOR_ANY_VALUE_IF_EXISTS_HOLDS_WITHOUT_KEY;
use crate::policy::variable::expand;

/// True when a condition holds; `version` tells whether its values have variables.
pub(super) fn holds(condition: &Condition, version: Version, facts: Facts<'_>) -> bool {
    let Condition {
        operator,
        key,
        values: wanted,
    } = condition;
    let found = facts.values(key);
    let test = Test::of(operator.name);
    if test == Test::Null {
        let wanted = wanted.iter().map(String::as_str);
        return holds_null(operator.quantifier, wanted, found.is_empty());
    }
    if found.is_empty() {
        return holds_without_key(*operator);
    }
    let comparison = Comparison {
        test,
        version,
        facts,
    };
    let passes = |value: &String| {
        let is_any = wanted.iter().any(|wanted| comparison.holds(value, wanted));
        is_any != is_negated(operator.name)
    };
    match operator.quantifier {
        Some(Quantifier::ForAllValues) => found.iter().all(passes),
        // More than one value without a set operator is undefined: none may be forbidden, one must be wanted.
        None if is_negated(operator.name) => found.iter().all(passes),
        Some(Quantifier::ForAnyValue) | None => found.iter().any(passes),
    }
}

/// Whether absence is what was asked for; AWS calls the answer constant under set operators.
fn holds_null<'a>(
    quantifier: Option<Quantifier>,
    mut wanted: impl Iterator<Item = &'a str>,
    is_absent: bool,
) -> bool {
    match quantifier {
        Some(Quantifier::ForAllValues) => true,
        Some(Quantifier::ForAnyValue) => false,
        None => wanted.any(|wanted| truth(wanted) == Some(is_absent)),
    }
}

fn holds_without_key(operator: Operator) -> bool {
    match operator.quantifier {
        Some(Quantifier::ForAllValues) => true,
        Some(Quantifier::ForAnyValue) => {
            operator.if_exists && FOR_ANY_VALUE_IF_EXISTS_HOLDS_WITHOUT_KEY
        }
        None => operator.if_exists || is_negated(operator.name),
    }
}

/// What an operator asks of one value, before any negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Text,
    TextAnyCase,
    Like,
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

/// How a request's value must stand to the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds<T: Ord>(self, value: &T, wanted: &T) -> bool {
        match self {
            Self::Equal => value == wanted,
            Self::Less => value < wanted,
            Self::LessOrEqual => value <= wanted,
            Self::Greater => value > wanted,
            Self::GreaterOrEqual => value >= wanted,
        }
    }
}

impl Test {
    fn of(name: OperatorName) -> Self {
        use OperatorName as Name;
        match name {
            Name::StringEquals | Name::StringNotEquals => Self::Text,
            Name::StringEqualsIgnoreCase | Name::StringNotEqualsIgnoreCase => Self::TextAnyCase,
            Name::StringLike | Name::StringNotLike => Self::Like,
            Name::NumericEquals | Name::NumericNotEquals => Self::Number(Order::Equal),
            Name::NumericLessThan => Self::Number(Order::Less),
            Name::NumericLessThanEquals => Self::Number(Order::LessOrEqual),
            Name::NumericGreaterThan => Self::Number(Order::Greater),
            Name::NumericGreaterThanEquals => Self::Number(Order::GreaterOrEqual),
            Name::DateEquals | Name::DateNotEquals => Self::Date(Order::Equal),
            Name::DateLessThan => Self::Date(Order::Less),
            Name::DateLessThanEquals => Self::Date(Order::LessOrEqual),
            Name::DateGreaterThan => Self::Date(Order::Greater),
            Name::DateGreaterThanEquals => Self::Date(Order::GreaterOrEqual),
            Name::Bool => Self::Bool,
            Name::BinaryEquals => Self::Binary,
            Name::IpAddress | Name::NotIpAddress => Self::Address,
            Name::ArnEquals | Name::ArnLike | Name::ArnNotEquals | Name::ArnNotLike => Self::Arn,
            Name::Null => Self::Null,
        }
    }
}

/// True for operators that hold when none of their values matches.
fn is_negated(name: OperatorName) -> bool {
    use OperatorName as Name;
    matches!(
        name,
        Name::StringNotEquals
            | Name::StringNotEqualsIgnoreCase
            | Name::StringNotLike
            | Name::NumericNotEquals
            | Name::DateNotEquals
            | Name::NotIpAddress
            | Name::ArnNotEquals
            | Name::ArnNotLike
    )
}

/// A test of one value of the request against one of the policy.
#[derive(Clone, Copy)]
struct Comparison<'a> {
    test: Test,
    version: Version,
    facts: Facts<'a>,
}

impl Comparison<'_> {
    /// True when the values match; what cannot be read matches nothing.
    fn holds(self, value: &str, wanted: &str) -> bool {
        match self.test {
            Test::Text => self.fits(wanted, |wanted| wanted.to_text() == value),
            Test::TextAnyCase => self.fits(wanted, |wanted| {
                wanted.to_text().to_lowercase() == value.to_lowercase()
            }),
            Test::Like => self.fits(wanted, |wanted| wanted.matches(value)),
            Test::Arn => self.fits(wanted, |wanted| wanted.matches_arn(value)),
            Test::Bool => self.fits(wanted, |wanted| {
                let value = truth(value);
                value.is_some() && value == truth(&wanted.to_text())
            }),
            // AWS's own guide compares the date `kms:ValidTo` with numbers.
            Test::Number(order) => Quantity::instant(value)
                .zip(Quantity::number(wanted))
                .is_some_and(|(value, wanted)| order.holds(&value, &wanted)),
            Test::Date(order) => Quantity::instant(value)
                .zip(Quantity::instant(wanted))
                .is_some_and(|(value, wanted)| order.holds(&value, &wanted)),
            Test::Binary => bytes(value).is_some_and(|value| bytes(wanted) == Some(value)),
            Test::Address => in_block(value, wanted).unwrap_or(false),
            Test::Null => false,
        }
    }

    /// Tests a policy's value with its variables filled in.
    fn fits(self, wanted: &str, test: impl Fn(&Glob) -> bool) -> bool {
        expand(wanted, self.version, self.facts).is_some_and(|wanted| test(&wanted))
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn bytes(base64: &str) -> Option<Vec<u8>> {
    STANDARD.decode(base64).ok()
}

#[cfg(test)]
mod tests;
