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
    /// Whether the condition is one of ARN operators.
    pub(super) is_arn: bool,
    /// Whether the condition is `Bool`.
    pub(super) is_bool: bool,
    pub(super) tests: Tests,
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
        use OperatorName as Name;
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
        let plain = |text: &String| signs(text, version, false);
        let globs = |text: &String| signs(text, version, true);
        let words = |read: &dyn Fn(&String) -> Option<Vec<Sign>>,
                     make: &dyn Fn(&[Sign]) -> Option<Pattern>| {
            let read: Option<Vec<Vec<Sign>>> = values.iter().map(read).collect();
            let read = read.ok_or(Unread::Variable)?;
            Ok(Tests::Words(
                read.iter().filter_map(|one| make(one)).collect(),
            ))
        };
        let glob = |text: &[Sign]| Some(Pattern::glob(text, Class::Any));
        let any_case = |text: &[Sign]| Some(Pattern::any_case(&written(text)));
        let truth = |text: &[Sign]| {
            let word = written(text).to_ascii_lowercase();
            matches!(word.as_str(), "true" | "false").then(|| Pattern::any_case(&word))
        };
        let tests = match name {
            Name::StringEquals | Name::StringNotEquals => words(&plain, &glob)?,
            Name::StringEqualsIgnoreCase | Name::StringNotEqualsIgnoreCase => {
                words(&plain, &any_case)?
            }
            Name::StringLike | Name::StringNotLike => words(&globs, &glob)?,
            Name::ArnEquals | Name::ArnLike | Name::ArnNotEquals | Name::ArnNotLike => {
                words(&globs, &Pattern::arn)?
            }
            Name::Bool => words(&plain, &truth)?,
            Name::BinaryEquals => {
                return Err(Unread::Unsupported(
                    "BinaryEquals is not compared".to_owned(),
                ));
            }
            Name::IpAddress | Name::NotIpAddress => Tests::Ranges(Line::Addresses, blocks(values)?),
            Name::Null => null(quantifier, values.iter()),
            _ => Tests::Ranges(Line::Numbers, numbers(name, values)?),
        };
        Ok(Self {
            key: key.to_ascii_lowercase(),
            name: key.clone(),
            quantifier,
            if_exists,
            negated: is_negated(name),
            is_arn: matches!(
                name,
                Name::ArnEquals | Name::ArnLike | Name::ArnNotEquals | Name::ArnNotLike
            ),
            is_bool: name == Name::Bool,
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

fn is_negated(name: OperatorName) -> bool {
    name_of(name).contains("Not")
}

fn name_of(name: OperatorName) -> String {
    format!("{name:?}")
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

fn null<'a>(
    quantifier: Option<Quantifier>,
    values: impl Iterator<Item = &'a String> + Clone,
) -> Tests {
    let (present, absent) = match quantifier {
        Some(Quantifier::ForAllValues) => (true, true),
        Some(Quantifier::ForAnyValue) => (false, false),
        None => {
            let says = |word: &str| values.clone().any(|value| value.eq_ignore_ascii_case(word));
            (says("false"), says("true"))
        }
    };
    Tests::Null { present, absent }
}

/// The numbers that an operator asks for; dates are their seconds.
fn numbers<'a>(
    name: OperatorName,
    values: impl IntoIterator<Item = &'a String>,
) -> Result<Vec<Range>, Unread> {
    let is_date = name_of(name).starts_with("Date");
    let mut ranges = Vec::new();
    for value in values {
        if value.contains("${") {
            return Err(Unread::Variable);
        }
        let Some(number) = decimal(value).or_else(|| instant(value).filter(|_| is_date)) else {
            continue;
        };
        let Decimal { floor, is_whole } = number;
        let ceiling = if is_whole { floor } else { floor + 1 };
        use OperatorName as Name;
        let (from, to) = match name {
            Name::NumericLessThan | Name::DateLessThan => (0, ceiling - 1),
            Name::NumericLessThanEquals | Name::DateLessThanEquals => (0, floor),
            Name::NumericGreaterThan | Name::DateGreaterThan => (floor + 1, i128::MAX),
            Name::NumericGreaterThanEquals | Name::DateGreaterThanEquals => (ceiling, i128::MAX),
            _ if is_whole => (floor, floor),
            _ => continue,
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
fn blocks<'a>(values: impl IntoIterator<Item = &'a String>) -> Result<Vec<Range>, Unread> {
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
