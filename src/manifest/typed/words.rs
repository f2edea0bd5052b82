//! Single values: the model's nouns and a few of the manifests' own.

use std::str::FromStr;

use camino::{Utf8Component, Utf8PathBuf};
use serde_json::{Value as Json, json};

use crate::manifest::fault::{Fault, Faults};
use crate::manifest::fields::{Readable, wrong_type};
use crate::manifest::yaml::{Node, Value};
use crate::model::{
    AccountId, AliasName, GrantName, KeyId, KeyName, KeySpec, KeyUsage, Malformed, OrganizationId,
    Origin, Region, ScopeName, TagKey, TagValue, TeamName,
};

/// The text of a scalar, whatever YAML would make of it.
pub(crate) fn text<'a>(node: &'a Node, what: &str, faults: &mut Faults) -> Option<&'a str> {
    match &node.value {
        Value::Scalar { text, .. } if !node.is_null() => Some(text),
        Value::Scalar { .. } | Value::List(_) | Value::Mapping(_) => {
            faults.push(wrong_type(node, what));
            None
        }
    }
}

/// Reads one of the model's nouns.
fn noun<T: FromStr<Err = Malformed>>(node: &Node, what: &str, faults: &mut Faults) -> Option<T> {
    let text = text(node, what, faults)?;
    match text.parse() {
        Ok(noun) => Some(noun),
        Err(malformed) => {
            faults.push(Fault::malformed("malformed", malformed, node.span));
            None
        }
    }
}

/// Declares how nouns are read and described.
macro_rules! nouns {
    ($($type:ty, $what:literal, $schema:tt;)+) => {$(
        impl Readable for $type {
            fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
                noun(node, $what, faults)
            }

            fn schema() -> Json {
                json!($schema)
            }
        }
    )+};
}

nouns! {
    // An unquoted account id looks like a number to an editor; here it stays text.
    AccountId, "an account id", {"type": ["string", "integer"]};
    AliasName, "an alias name", {"type": "string", "pattern": "^(alias/)?[A-Za-z0-9/_:-]{1,250}$"};
    GrantName, "a grant name", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"};
    KeyId, "a key id", {"type": "string"};
    OrganizationId, "an organization id", {"type": "string", "pattern": "^o-[a-z0-9]{10,32}$"};
    KeyName, "a key name", {"type": "string", "pattern": "^(alias/)?[A-Za-z0-9/_:-]{1,250}$"};
    Region, "a Region", {"type": "string"};
    ScopeName, "a scope", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"};
    TagKey, "a tag key", {"type": "string", "minLength": 1, "maxLength": 128};
    TagValue, "a tag value", {"type": ["string", "number", "boolean"]};
    TeamName, "a team name", {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,128}$"};
}

/// Reads a value of a fixed list, with the nearest spelling.
pub(crate) fn one_of<T: Copy>(
    node: &Node,
    what: &str,
    all: &[(&'static str, T)],
    faults: &mut Faults,
) -> Option<T> {
    let text = text(node, what, faults)?;
    if let Some((_, value)) = all.iter().find(|(name, _)| *name == text) {
        return Some(*value);
    }
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    let message = format!("`{text}` is not {what}");
    let fault = Fault::error("unknown-value", message, node.span);
    let help = format!("one of {}", names.join(", "));
    faults.push(fault.help(help).nearest(text, names));
    None
}

/// Declares enums in AWS's spelling.
macro_rules! spellings {
    ($($type:ty, $what:literal;)+) => {$(
        impl Readable for $type {
            fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
                let all: Vec<(&'static str, Self)> =
                    Self::ALL.iter().map(|value| (value.as_str(), *value)).collect();
                one_of(node, $what, &all, faults)
            }

            fn schema() -> Json {
                let all: Vec<&str> = Self::ALL.iter().map(|value| value.as_str()).collect();
                json!({"enum": all})
            }
        }
    )+};
}

spellings! {
    KeySpec, "a key spec";
    KeyUsage, "a key usage";
    Origin, "a key origin";
}

impl Readable for bool {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        match &node.value {
            Value::Scalar {
                text,
                quoted: false,
            } if text == "true" => Some(true),
            Value::Scalar {
                text,
                quoted: false,
            } if text == "false" => Some(false),
            Value::Scalar { .. } | Value::List(_) | Value::Mapping(_) => {
                let fault = wrong_type(node, "`true` or `false`");
                faults.push(match meant_bool(node) {
                    Some(meant) => fault.help(format!("write `{meant}`")),
                    None => fault,
                });
                None
            }
        }
    }

    fn schema() -> Json {
        json!({"type": "boolean"})
    }
}

/// What a person may have meant who knows other spellings of truth.
fn meant_bool(node: &Node) -> Option<bool> {
    let Value::Scalar { text, .. } = &node.value else {
        return None;
    };
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "enabled" | "1" => Some(true),
        "false" | "no" | "off" | "disabled" | "0" => Some(false),
        _ => None,
    }
}

/// Free text.
#[derive(Clone, Debug)]
pub(crate) struct Text(pub(crate) String);

impl Readable for Text {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        text(node, "text", faults).map(|text| Self(text.to_owned()))
    }

    fn schema() -> Json {
        json!({"type": ["string", "number", "boolean"]})
    }
}

/// The name of an account.
#[derive(Clone, Debug)]
pub(crate) struct AccountName(pub(crate) String);

impl Readable for AccountName {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let text = text(node, "an account's name", faults)?;
        let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if text.is_empty() || text.len() > 128 || !text.bytes().all(valid) {
            let message = format!("`{text}` is not the name or id of an account");
            let fault = Fault::error("malformed", message, node.span);
            faults.push(fault.help("use letters, digits, `_`, `-` and `.`"));
            return None;
        }
        Some(Self(text.to_owned()))
    }

    fn schema() -> Json {
        json!({"type": ["string", "integer"]})
    }
}

/// The path of a file beside the manifest or below it, so that it means the same wherever a run starts.
#[derive(Clone, Debug)]
pub(crate) struct RelativePath(pub(crate) Utf8PathBuf);

impl Readable for RelativePath {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let text = text(node, "a path", faults)?;
        let path = Utf8PathBuf::from(text);
        let is_below = |part| matches!(part, Utf8Component::Normal(_) | Utf8Component::CurDir);
        if path.components().all(is_below) {
            return Some(Self(path));
        }
        let message = format!("`{text}` leads out of this manifest's folder");
        let fault = Fault::error("malformed", message, node.span);
        faults.push(
            fault.help(
                "put the file beside the manifest or below it, and write the path from there",
            ),
        );
        None
    }

    fn schema() -> Json {
        json!({"type": "string"})
    }
}

/// A whole number, perhaps with a unit behind it.
fn number(node: &Node, unit: char, what: &str, faults: &mut Faults) -> Option<i64> {
    let text = text(node, what, faults)?;
    let digits = text.strip_suffix(unit).unwrap_or(text);
    if let Ok(number) = digits.parse() {
        return Some(number);
    }
    faults.push(Fault::error(
        "wrong-type",
        format!("`{text}` is not {what}"),
        node.span,
    ));
    None
}

/// Days, as `180d` or `180`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Days(pub(crate) i64);

impl Readable for Days {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        number(node, 'd', "a number of days such as `180d`", faults).map(Self)
    }

    fn schema() -> Json {
        json!({"type": ["integer", "string"], "pattern": "^[0-9]+d?$"})
    }
}

/// A part of a whole, as `30%` or `30`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Percent(pub(crate) u8);

impl Readable for Percent {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let number = number(node, '%', "a percentage such as `30%`", faults)?;
        if let Ok(percent @ 1..=100) = u8::try_from(number) {
            return Some(Self(percent));
        }
        let message = format!("{number}% is out of range");
        let fault = Fault::error("out-of-range", message, node.span);
        faults.push(fault.help("it takes 1% to 100%"));
        None
    }

    fn schema() -> Json {
        json!({"type": ["integer", "string"], "minimum": 1, "maximum": 100, "pattern": "^[0-9]+%?$"})
    }
}

/// How many administrators there must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdministratorCount(pub(crate) u8);

impl Readable for AdministratorCount {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let number = number(node, ' ', "a number of administrators", faults)?;
        if let Ok(count @ 1..=100) = u8::try_from(number) {
            return Some(Self(count));
        }
        let message = format!("{number} administrators are out of range");
        let fault = Fault::error("out-of-range", message, node.span);
        faults.push(fault.help("it takes 1 to 100; --allow-lockout lets one run do without"));
        None
    }

    fn schema() -> Json {
        json!({"type": "integer", "minimum": 1, "maximum": 100})
    }
}

/// A count of on-demand rotations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rotations(pub(crate) u32);

impl Readable for Rotations {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let number = number(node, ' ', "a number of rotations", faults)?;
        if let Ok(count @ 0..=25) = u32::try_from(number) {
            return Some(Self(count));
        }
        let message = format!("{number} on-demand rotations are out of range");
        let fault = Fault::error("out-of-range", message, node.span);
        faults.push(fault.help("KMS rotates a key on demand at most 25 times in its life"));
        None
    }

    fn schema() -> Json {
        json!({"type": "integer", "minimum": 0, "maximum": 25})
    }
}
