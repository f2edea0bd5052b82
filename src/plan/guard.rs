//! Guardrails: why a plan refuses to do something, and what is worth knowing about it.

use super::{KeyPlan, Limits};
use crate::state::DesiredPlace;

/// A guardrail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A key without our tags.
    Adoption,
    /// A key or alias that belongs to someone else.
    Ownership,
    /// A field that is fixed at creation.
    Immutable,
    /// An alias that leads to another key.
    AliasTaken,
    /// A key that is not there.
    MissingKey,
    /// A key that would stop working.
    Disabling,
    /// A key that would be deleted.
    Deletion,
    /// Too many keys at once.
    MassChange,
    /// A quota of KMS.
    Quota,
}

impl Rule {
    /// The rule's name in messages and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adoption => "adoption",
            Self::Ownership => "ownership",
            Self::Immutable => "immutable",
            Self::AliasTaken => "alias-taken",
            Self::MissingKey => "missing-key",
            Self::Disabling => "disabling",
            Self::Deletion => "deletion",
            Self::MassChange => "mass-change",
            Self::Quota => "quota",
        }
    }
}

/// Why a plan refuses to do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The guardrail.
    pub rule: Rule,
    /// What is wrong.
    pub message: String,
    /// The next step.
    pub help: String,
}

impl Refusal {
    pub(super) fn new(rule: Rule, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            rule,
            message: message.into(),
            help: help.into(),
        }
    }
}

/// Something worth knowing that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The kind of note, for machines.
    pub code: &'static str,
    /// What it is about.
    pub message: String,
}

impl Note {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

/// How many existing keys there must be for the share of changed ones to mean anything.
const ENOUGH_KEYS: usize = 10;

/// Refuses to change a large part of the existing keys in one run.
pub(super) fn mass_change(
    desired: &DesiredPlace,
    keys: &[KeyPlan],
    limits: &Limits,
) -> Option<Refusal> {
    let existing = keys.iter().filter(|key| key.key.is_some()).count();
    let changed = keys
        .iter()
        .filter(|key| key.key.is_some() && !key.changes.is_empty())
        .count();
    let percent = usize::from(desired.guardrails.mass_change_percent);
    if limits.allow.mass_change || existing < ENOUGH_KEYS || changed * 100 <= existing * percent {
        return None;
    }
    let message = format!("{changed} of {existing} keys would change, which is over {percent} %");
    Some(Refusal::new(
        Rule::MassChange,
        message,
        "review the plan, then allow it with --allow-mass-change",
    ))
}
