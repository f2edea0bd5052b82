//! Condition operators as text: `ForAnyValue:StringLikeIfExists`.

use std::fmt;
use std::str::FromStr;

use super::document::{Operator, OperatorName, Quantifier};

impl OperatorName {
    /// Every comparison with AWS's spelling.
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::StringEquals, "StringEquals"),
        (Self::StringNotEquals, "StringNotEquals"),
        (Self::StringEqualsIgnoreCase, "StringEqualsIgnoreCase"),
        (Self::StringNotEqualsIgnoreCase, "StringNotEqualsIgnoreCase"),
        (Self::StringLike, "StringLike"),
        (Self::StringNotLike, "StringNotLike"),
        (Self::NumericEquals, "NumericEquals"),
        (Self::NumericNotEquals, "NumericNotEquals"),
        (Self::NumericLessThan, "NumericLessThan"),
        (Self::NumericLessThanEquals, "NumericLessThanEquals"),
        (Self::NumericGreaterThan, "NumericGreaterThan"),
        (Self::NumericGreaterThanEquals, "NumericGreaterThanEquals"),
        (Self::DateEquals, "DateEquals"),
        (Self::DateNotEquals, "DateNotEquals"),
        (Self::DateLessThan, "DateLessThan"),
        (Self::DateLessThanEquals, "DateLessThanEquals"),
        (Self::DateGreaterThan, "DateGreaterThan"),
        (Self::DateGreaterThanEquals, "DateGreaterThanEquals"),
        (Self::Bool, "Bool"),
        (Self::BinaryEquals, "BinaryEquals"),
        (Self::IpAddress, "IpAddress"),
        (Self::NotIpAddress, "NotIpAddress"),
        (Self::ArnEquals, "ArnEquals"),
        (Self::ArnLike, "ArnLike"),
        (Self::ArnNotEquals, "ArnNotEquals"),
        (Self::ArnNotLike, "ArnNotLike"),
        (Self::Null, "Null"),
    ];
}

impl FromStr for Operator {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("`{text}` is not a condition operator");
        let (quantifier, rest) = match text.split_once(':') {
            None => (None, text),
            Some(("ForAllValues", rest)) => (Some(Quantifier::ForAllValues), rest),
            Some(("ForAnyValue", rest)) => (Some(Quantifier::ForAnyValue), rest),
            Some(_) => return Err(unknown()),
        };
        let (bare, if_exists) = rest
            .strip_suffix("IfExists")
            .map_or((rest, false), |bare| (bare, true));
        let name = OperatorName::NAMES
            .iter()
            .find(|(_, spelling)| *spelling == bare)
            .map(|(name, _)| *name);
        let name = name.ok_or_else(unknown)?;
        if name == OperatorName::Null && if_exists {
            return Err("`Null` cannot have `IfExists`; it asks just that".to_owned());
        }
        Ok(Self {
            quantifier,
            name,
            if_exists,
        })
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            quantifier,
            name,
            if_exists,
        } = self;
        match quantifier {
            None => {}
            Some(Quantifier::ForAllValues) => f.write_str("ForAllValues:")?,
            Some(Quantifier::ForAnyValue) => f.write_str("ForAnyValue:")?,
        }
        let spelling = OperatorName::NAMES
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, spelling)| spelling);
        f.write_str(spelling)?;
        f.write_str(if *if_exists { "IfExists" } else { "" })
    }
}
