//! Tags, and the two that prove whose key a key is.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::{KeyName, Malformed};

/// A tag's key: 1 to 128 characters, not under the reserved `aws:`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagKey(String);

impl TagKey {
    /// The tag that names the key's manifest: `keywright:key`.
    pub const KEY: &'static str = "keywright:key";
    /// The tag that names the key's owner: `keywright:scope`.
    pub const SCOPE: &'static str = "keywright:scope";

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the tags that keywright writes itself.
    pub fn is_ownership(&self) -> bool {
        self.0 == Self::KEY || self.0 == Self::SCOPE
    }
}

impl FromStr for TagKey {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() || text.chars().count() > 128 {
            return Err(Malformed::new(format!(
                "tag key `{text}` needs 1 to 128 characters"
            )));
        }
        if text
            .get(..4)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
        {
            return Err(Malformed::new(format!("tag key `{text}` is reserved"))
                .with_help("tags beginning with `aws:` belong to AWS"));
        }
        tag_characters(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for TagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A tag's value: up to 256 characters, perhaps none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagValue(String);

impl TagValue {
    /// The value as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TagValue {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.chars().count() > 256 {
            return Err(Malformed::new("a tag value has at most 256 characters"));
        }
        tag_characters(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for TagValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// AWS's general rule for tags: letters, digits, spaces and `_ . : / = + - @`.
fn tag_characters(text: &str) -> Result<(), Malformed> {
    let valid = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    match text.chars().find(|c| !valid(*c)) {
        None => Ok(()),
        Some(wrong) => Err(Malformed::new(format!(
            "tag text `{text}` has the character `{wrong}`"
        ))
        .with_help("tags hold letters, digits, spaces and `_ . : / = + - @`")),
    }
}

/// A key's tags.
pub type Tags = BTreeMap<TagKey, TagValue>;

/// Who owns a key: the value of the `keywright:scope` tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeName(TagValue);

impl ScopeName {
    /// The scope as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The two tags that prove that a key is this scope's key of that name.
    pub fn ownership(&self, key: &KeyName) -> Tags {
        let pairs = [(TagKey::KEY, key.as_str()), (TagKey::SCOPE, self.as_str())];
        pairs
            .into_iter()
            .map(|(key, value)| (TagKey(key.to_owned()), TagValue(value.to_owned())))
            .collect()
    }
}

impl Default for ScopeName {
    fn default() -> Self {
        Self(TagValue("default".to_owned()))
    }
}

impl FromStr for ScopeName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if text.is_empty() || text.len() > 64 || !text.bytes().all(valid) {
            return Err(Malformed::new(format!("`{text}` is not a scope"))
                .with_help("use 1 to 64 letters, digits, `_` and `-`"));
        }
        Ok(Self(text.parse()?))
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
