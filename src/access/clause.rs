//! Conditions as sets: what one condition asks of the values of its key.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::pattern::{Class, Pattern, Sign};
use crate::policy::{Condition, Operator, OperatorName, Quantifier, Version};

/// A condition, read for comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    /// The context key, in lower case.
    pub(super) key: String,
    /// The context key as written.
    pub(super) name: String,
    pub(super) quantifier: Option<Quantifier>,
    if_exists: bool,
    negated: bool,
    pub(super) family: Family,
    pub(super) tests: Tests,
}

/// What kind of values an operator is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Text,
    Arn,
    Bool,
    Number,
    Date,
    Address,
    Binary,
    Presence,
}

impl Family {
    fn of(name: OperatorName) -> Self {
        use OperatorName as Name;
        match name {
            Name::StringEquals
            | Name::StringNotEquals
            | Name::StringEqualsIgnoreCase
            | Name::StringNotEqualsIgnoreCase
            | Name::StringLike
            | Name::StringNotLike => Self::Text,
            Name::ArnEquals | Name::ArnLike | Name::ArnNotEquals | Name::ArnNotLike => Self::Arn,
            Name::Bool => Self::Bool,
            Name::NumericEquals
            | Name::NumericNotEquals
            | Name::NumericLessThan
            | Name::NumericLessThanEquals
            | Name::NumericGreaterThan
            | Name::NumericGreaterThanEquals => Self::Number,
            Name::DateEquals
            | Name::DateNotEquals
            | Name::DateLessThan
            | Name::DateLessThanEquals
            | Name::DateGreaterThan
            | Name::DateGreaterThanEquals => Self::Date,
            Name::IpAddress | Name::NotIpAddress => Self::Address,
            Name::BinaryEquals => Self::Binary,
            Name::Null => Self::Presence,
        }
    }
}

/// What a value must be one of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tests {
    /// Words of patterns.
    Words(Vec<Pattern>),
    /// Points of ranges.
    Ranges(Line, Vec<Range>),
    /// `Null`: whether it holds with the key, and without.
    Null { present: bool, absent: bool },
}

/// An order that values are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Line {
    /// Whole numbers from 0, dates as seconds since 1970 among them.
    Numbers,
    /// IPv4 addresses from 0, then IPv6 addresses from 2^33; see [`place`].
    Addresses,
}

/// From here to there, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: Place,
    pub(super) to: Place,
}

/// A point on a line: the address family, 0 for numbers, and the position.
pub(super) type Place = (u8, u128);

/// The largest number that is told apart.
pub(super) const LARGEST: u128 = i64::MAX as u128;

/// What stands for a condition that relates two keys, or that this comparison does not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It has variables: it may hold or not.
    Variable,
    /// Nothing can be said.
    Unsupported(String),
}

impl Clause {
    pub(super) fn of(condition: &Condition, version: Version) -> Result<Self, Unread> {
        let Condition {
            operator,
            key,
            values,
        } = condition;
        let Operator {
            quantifier,
            name,
            if_exists,
        } = *operator;
        let family = Family::of(name);
        let tests = match family {
            Family::Text | Family::Arn | Family::Bool => {
                Tests::Words(words(name, family, values, version)?)
            }
            Family::Number | Family::Date => {
                let is_date = family == Family::Date;
                Tests::Ranges(Line::Numbers, numbers(name, is_date, values)?)
            }
            Family::Address => Tests::Ranges(Line::Addresses, blocks(values)?),
            Family::Presence => null(quantifier, values),
            Family::Binary => {
                let why = "BinaryEquals is not compared".to_owned();
                return Err(Unread::Unsupported(why));
            }
        };
        Ok(Self {
            key: key.to_ascii_lowercase(),
            name: key.clone(),
            quantifier,
            if_exists,
            negated: is_negated(name),
            family,
            tests,
        })
    }

    /// Whether it holds without its key.
    pub(super) fn holds_without(&self) -> bool {
        if let Tests::Null { absent, .. } = self.tests {
            return absent;
        }
        match self.quantifier {
            Some(Quantifier::ForAllValues) => true,
            Some(Quantifier::ForAnyValue) | None if self.if_exists => true,
            Some(Quantifier::ForAnyValue) => false,
            None => self.negated,
        }
    }

    /// Whether one value passes, given whether it is one of those that are named.
    pub(super) fn passes(&self, is_named: bool) -> bool {
        match self.tests {
            Tests::Null { present, .. } => present,
            Tests::Words(_) | Tests::Ranges(..) => is_named != self.negated,
        }
    }

    /// True when every value of a list must pass, and not just one.
    pub(super) fn wants_all(&self) -> bool {
        match self.quantifier {
            Some(Quantifier::ForAllValues) => true,
            Some(Quantifier::ForAnyValue) => false,
            None => self.negated,
        }
    }

    /// Whether a word is one of those that are named.
    pub(super) fn names(&self, word: &str) -> bool {
        match &self.tests {
            Tests::Words(patterns) => patterns.iter().any(|pattern| pattern.matches(word)),
            Tests::Ranges(..) | Tests::Null { .. } => false,
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

/// The patterns of text operators; a value that no value of the key can match has none.
fn words(
    name: OperatorName,
    family: Family,
    values: &[String],
    version: Version,
) -> Result<Vec<Pattern>, Unread> {
    use OperatorName as Name;
    let is_glob = family == Family::Arn || matches!(name, Name::StringLike | Name::StringNotLike);
    let ignores_case = matches!(
        name,
        Name::StringEqualsIgnoreCase | Name::StringNotEqualsIgnoreCase
    );
    let mut patterns = Vec::new();
    for value in values {
        let signs = signs(value, version, is_glob).ok_or(Unread::Variable)?;
        patterns.extend(match family {
            Family::Arn => Pattern::arn(&signs),
            Family::Bool => {
                let word = written(&signs).to_ascii_lowercase();
                matches!(word.as_str(), "true" | "false").then(|| Pattern::any_case(&word))
            }
            Family::Text
            | Family::Number
            | Family::Date
            | Family::Address
            | Family::Binary
            | Family::Presence => Some(if ignores_case {
                Pattern::any_case(&written(&signs))
            } else {
                Pattern::glob(&signs, Class::Any)
            }),
        });
    }
    Ok(patterns)
}

/// A policy's text as a glob or as it is; `None` where it has variables.
pub(super) fn signs(text: &str, version: Version, wild: bool) -> Option<Vec<Sign>> {
    let read = if wild { Sign::read } else { Sign::plain };
    if version == Version::V2008 {
        return Some(read(text));
    }
    let mut signs = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        if !matches!(name, "*" | "?" | "$") {
            return None;
        }
        signs.extend(read(before));
        signs.extend(Sign::plain(name));
        rest = after;
    }
    signs.extend(read(rest));
    Some(signs)
}

fn written(signs: &[Sign]) -> String {
    let char = |sign: &Sign| match sign {
        Sign::Char(c) => *c,
        Sign::One => '?',
        Sign::Many => '*',
    };
    signs.iter().map(char).collect()
}

fn null(quantifier: Option<Quantifier>, values: &[String]) -> Tests {
    let says = |word: &str| values.iter().any(|value| value.eq_ignore_ascii_case(word));
    let (present, absent) = match quantifier {
        Some(Quantifier::ForAllValues) => (true, true),
        Some(Quantifier::ForAnyValue) => (false, false),
        None => (says("false"), says("true")),
    };
    Tests::Null { present, absent }
}

/// The numbers that an operator asks for; dates are their seconds.
fn numbers(name: OperatorName, is_date: bool, values: &[String]) -> Result<Vec<Range>, Unread> {
    let mut ranges = Vec::new();
    for value in values {
        if value.contains("${") {
            return Err(Unread::Variable);
        }
        let number = decimal(value).or_else(|| instant(value).filter(|_| is_date));
        let Some((from, to)) = number.and_then(|number| number.range(name)) else {
            continue;
        };
        let (from, to) = (from.max(0), to.min(i128::from(i64::MAX)));
        if let (Ok(from), Ok(to)) = (u128::try_from(from), u128::try_from(to))
            && from <= to
        {
            let (from, to) = ((0, from), (0, to));
            ranges.push(Range { from, to });
        }
    }
    Ok(ranges)
}

/// The whole number below a decimal one, or that number.
#[derive(Clone, Copy)]
struct Decimal {
    floor: i128,
    is_whole: bool,
}

impl Decimal {
    /// The whole numbers that stand to this one as an operator asks.
    fn range(self, name: OperatorName) -> Option<(i128, i128)> {
        let Self { floor, is_whole } = self;
        let ceiling = if is_whole { floor } else { floor + 1 };
        match Order::of(name) {
            Order::Less => Some((0, ceiling - 1)),
            Order::LessOrEqual => Some((0, floor)),
            Order::Greater => Some((floor + 1, i128::MAX)),
            Order::GreaterOrEqual => Some((ceiling, i128::MAX)),
            Order::Equal => is_whole.then_some((floor, floor)),
        }
    }
}

/// How a request's number must stand to the policy's.
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn of(name: OperatorName) -> Self {
        use OperatorName as Name;
        if matches!(name, Name::NumericLessThan | Name::DateLessThan) {
            Self::Less
        } else if matches!(name, Name::NumericLessThanEquals | Name::DateLessThanEquals) {
            Self::LessOrEqual
        } else if matches!(name, Name::NumericGreaterThan | Name::DateGreaterThan) {
            Self::Greater
        } else if matches!(
            name,
            Name::NumericGreaterThanEquals | Name::DateGreaterThanEquals
        ) {
            Self::GreaterOrEqual
        } else {
            Self::Equal
        }
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let size: i128 = if whole.is_empty() {
        0
    } else {
        // A number beyond all that is told apart is the largest.
        whole
            .parse()
            .unwrap_or(i128::from(i64::MAX))
            .min(i128::from(i64::MAX))
    };
    let is_whole = fraction.bytes().all(|byte| byte == b'0');
    let floor = sign * size - i128::from(sign < 0 && !is_whole);
    Some(Decimal { floor, is_whole })
}

fn instant(text: &str) -> Option<Decimal> {
    // A month alone is its first day.
    let day = (text.len() == 7).then(|| format!("{text}-01"));
    let text = day.as_deref().unwrap_or(text);
    let instant: Timestamp = text.parse().ok().or_else(|| {
        let civil = text.parse::<DateTime>().ok().or_else(|| {
            Some(
                text.parse::<Date>()
                    .ok()?
                    .to_datetime(jiff::civil::Time::midnight()),
            )
        })?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })?;
    let is_whole = instant.subsec_nanosecond() == 0;
    let second = i128::from(instant.as_second());
    let floor = second - i128::from(instant.subsec_nanosecond() < 0);
    Some(Decimal { floor, is_whole })
}

/// The addresses of blocks; a block that cannot be read has none.
fn blocks(values: &[String]) -> Result<Vec<Range>, Unread> {
    let mut ranges = Vec::new();
    for value in values {
        if value.contains("${") {
            return Err(Unread::Variable);
        }
        let (address, bits) = value.split_once('/').unwrap_or((value, ""));
        let Ok(address) = address.parse::<IpAddr>() else {
            continue;
        };
        let (family, at) = place(address);
        let width: u32 = if family == 4 { 32 } else { 128 };
        let bits = if bits.is_empty() {
            Some(width)
        } else {
            bits.parse().ok()
        };
        let Some(host_bits) = bits.and_then(|bits| width.checked_sub(bits)) else {
            continue;
        };
        let hosts = u128::MAX.checked_shr(128 - host_bits).unwrap_or(0);
        ranges.push(Range {
            from: (family, at & !hosts),
            to: (family, at | hosts),
        });
    }
    Ok(ranges)
}

/// An address on its line.
fn place(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(address) => (4, u128::from(u32::from(address))),
        IpAddr::V6(address) => (6, u128::from(address)),
    }
}
