//! The service model's constraints on members, with the texts of their violations.

use std::fmt;
use std::ops::RangeInclusive;

use super::{Blob, Failure};

/// Collects the violations of one request, which AWS reports together.
#[derive(Debug, Default)]
pub(crate) struct Check {
    violations: Vec<String>,
}

impl Check {
    /// Fails when anything was violated.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let count = self.violations.len();
        if count == 0 {
            return Ok(());
        }
        let plural = if count == 1 { "error" } else { "errors" };
        Err(Failure::validation(format!(
            "{count} validation {plural} detected: {}",
            self.violations.join("; ")
        )))
    }

    /// A member that must be there; a default stands in for it until [`Check::finish`].
    pub(crate) fn required<'a, T: ?Sized>(&mut self, member: &str, value: Option<&'a T>) -> &'a T
    where
        &'a T: Default,
    {
        value.unwrap_or_else(|| {
            self.null(member);
            <&T>::default()
        })
    }

    /// Notes that a member is missing.
    pub(crate) fn null(&mut self, member: &str) {
        self.violations.push(format!(
            "Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ));
    }

    /// A required key reference: 1 to 2048 characters.
    pub(crate) fn key_id<'a>(&mut self, value: Option<&'a str>) -> &'a str {
        self.text("keyId", value, 1..=2048)
    }

    /// A required text of a length.
    pub(crate) fn text<'a>(
        &mut self,
        member: &str,
        value: Option<&'a str>,
        length: RangeInclusive<usize>,
    ) -> &'a str {
        self.length(member, value, length);
        self.required(member, value)
    }

    /// The length of an optional text, in characters.
    pub(crate) fn length(
        &mut self,
        member: &str,
        value: Option<&str>,
        length: RangeInclusive<usize>,
    ) {
        if let Some(value) = value {
            self.size(member, Some(value), value.chars().count(), &length);
        }
    }

    /// The length of an optional text that is never repeated in the message.
    pub(crate) fn secret_length(
        &mut self,
        member: &str,
        value: Option<&str>,
        length: RangeInclusive<usize>,
    ) {
        if let Some(value) = value {
            self.size(member, None, value.chars().count(), &length);
        }
    }

    /// Required bytes of a length; they are never repeated in the message.
    pub(crate) fn blob<'a>(
        &mut self,
        member: &str,
        value: Option<&'a Blob>,
        most: usize,
    ) -> &'a [u8] {
        if let Some(Blob(bytes)) = value {
            self.size(member, None, bytes.len(), &(1..=most));
        }
        self.required(member, value.map(|blob| blob.0.as_slice()))
    }

    fn size(
        &mut self,
        member: &str,
        shown: Option<&str>,
        size: usize,
        length: &RangeInclusive<usize>,
    ) {
        let shown = shown.map(|value| format!("'{value}' ")).unwrap_or_default();
        let broken = if size > *length.end() {
            format!("less than or equal to {}", length.end())
        } else if size < *length.start() {
            format!("greater than or equal to {}", length.start())
        } else {
            return;
        };
        self.violations.push(format!(
            "Value {shown}at '{member}' failed to satisfy constraint: Member must have length {broken}"
        ));
    }

    /// The range of an optional number.
    pub(crate) fn range(&mut self, member: &str, value: Option<i64>, range: &RangeInclusive<i64>) {
        let Some(value) = value else { return };
        let broken = if value > *range.end() {
            format!("less than or equal to {}", range.end())
        } else if value < *range.start() {
            format!("greater than or equal to {}", range.start())
        } else {
            return;
        };
        self.violations.push(format!(
            "Value '{value}' at '{member}' failed to satisfy constraint: Member must have value {broken}"
        ));
    }

    /// The characters of an optional text.
    pub(crate) fn pattern(
        &mut self,
        member: &str,
        value: Option<&str>,
        pattern: &str,
        matches: impl Fn(char) -> bool,
    ) {
        if let Some(value) = value.filter(|value| !value.chars().all(matches)) {
            self.violations.push(format!(
                "Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
            ));
        }
    }

    /// The form of an optional text.
    pub(crate) fn shape(
        &mut self,
        member: &str,
        value: Option<&str>,
        pattern: &str,
        fits: impl Fn(&str) -> bool,
    ) {
        let wrong = value.filter(|value| !fits(value));
        self.pattern(member, wrong, pattern, |_| false);
    }

    /// How many members a list has.
    pub(crate) fn list_length(
        &mut self,
        member: &str,
        values: &[String],
        length: RangeInclusive<usize>,
    ) {
        if length.contains(&values.len()) {
            return;
        }
        let shown = format!("[{}]", values.join(", "));
        self.size(member, Some(&shown), values.len(), &length);
    }

    /// One of an enum's values.
    pub(crate) fn choice<T: Copy + fmt::Display>(
        &mut self,
        member: &str,
        value: Option<&str>,
        all: &[T],
    ) -> Option<T> {
        let value = value?;
        let found = all.iter().copied().find(|one| one.to_string() == value);
        if found.is_none() {
            self.violations.push(format!(
                "Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
                listed(all)
            ));
        }
        found
    }

    /// One of an enum's values, which must be there.
    pub(crate) fn required_choice<T: Copy + fmt::Display>(
        &mut self,
        member: &str,
        value: Option<&str>,
        all: &[T],
    ) -> Option<T> {
        if value.is_none() {
            self.null(member);
        }
        self.choice(member, value, all)
    }

    /// Several of an enum's values.
    pub(crate) fn choices<T: Copy + fmt::Display>(
        &mut self,
        member: &str,
        values: &[String],
        all: &[T],
    ) -> Vec<T> {
        let find = |value: &String| all.iter().copied().find(|one| one.to_string() == *value);
        let found: Vec<T> = values.iter().filter_map(find).collect();
        if found.len() != values.len() {
            self.violations.push(format!(
                "Value '[{}]' at '{member}' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [{}]]",
                values.join(", "),
                listed(all)
            ));
        }
        found
    }
}

fn listed<T: fmt::Display>(all: &[T]) -> String {
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    names.join(", ")
}
