//! What makes tags acceptable.

use std::collections::BTreeSet;

use crate::engine::wire::{Check, Code, Failure, Structure, WireTag};

/// The most tags that a key can have; KMS Developer Guide, "Resource quotas".
pub(super) const MOST: usize = 50;

/// Notes what the service model finds wrong with tags.
pub(super) fn check_members(check: &mut Check, tags: &[Structure<WireTag>]) {
    for (index, Structure(tag)) in tags.iter().enumerate() {
        let member = |name: &str| format!("tags.{}.member.{name}", index + 1);
        check.text(&member("tagKey"), tag.tag_key.as_deref(), 1..=128);
        check.text(&member("tagValue"), tag.tag_value.as_deref(), 0..=256);
    }
}

/// The tags as pairs; fails when they are too many, reserved, repeated or misspelt.
pub(super) fn pairs(tags: &[Structure<WireTag>]) -> Result<Vec<(&str, &str)>, Failure> {
    let wrong = |why: &str| Failure::new(Code::Tag, why);
    if tags.len() > MOST {
        return Err(wrong("Too many tags"));
    }
    let pairs: Vec<(&str, &str)> = tags
        .iter()
        .filter_map(|Structure(tag)| tag.tag_key.as_deref().zip(tag.tag_value.as_deref()))
        .collect();
    let mut seen = BTreeSet::new();
    for (key, value) in &pairs {
        if is_reserved(key) {
            return Err(wrong("Tags beginning with aws: are reserved"));
        }
        if !key.chars().chain(value.chars()).all(is_allowed) {
            return Err(wrong("Tags contain invalid characters"));
        }
        if !seen.insert(key) {
            return Err(wrong("Duplicate tag keys"));
        }
    }
    Ok(pairs)
}

/// True for the keys that belong to AWS, in whatever case.
pub(super) fn is_reserved(key: &str) -> bool {
    key.get(..4)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
}

/// AWS's general alphabet for tags.
fn is_allowed(character: char) -> bool {
    character.is_alphanumeric()
        || character.is_whitespace()
        || matches!(character, '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@')
}
