//! Alias names.

use std::fmt;
use std::str::FromStr;

use super::Malformed;

/// An alias name with its `alias/` prefix, 7 to 256 characters, never under the reserved `alias/aws/`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasName(String);

impl AliasName {
    /// The name with its prefix.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its prefix.
    pub fn bare(&self) -> &str {
        self.0.strip_prefix("alias/").unwrap_or(&self.0)
    }

    /// True for `alias/aws/…`, which names AWS managed keys.
    pub fn is_reserved(text: &str) -> bool {
        text.starts_with("alias/aws/")
    }
}

impl FromStr for AliasName {
    type Err = Malformed;

    /// Reads a name with or without the `alias/` prefix.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bare = text.strip_prefix("alias/").unwrap_or(text);
        let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b':');
        if bare.is_empty() || bare.len() > 250 {
            return Err(Malformed::new(format!(
                "alias name `{text}` needs 1 to 250 characters after `alias/`"
            )));
        }
        if let Some(wrong) = bare.chars().find(|c| !c.is_ascii() || !valid(*c as u8)) {
            return Err(
                Malformed::new(format!("alias name `{text}` has the character `{wrong}`"))
                    .with_help("use letters, digits, `/`, `_` and `-`"),
            );
        }
        if bare.starts_with("aws/") {
            return Err(Malformed::new(format!("alias name `{text}` is reserved"))
                .with_help("`alias/aws/` belongs to AWS managed keys; choose another name"));
        }
        Ok(Self(format!("alias/{bare}")))
    }
}

impl fmt::Display for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
