//! Guardrails: why a plan refuses to do something, and what is worth knowing about it.

mod access;

use std::collections::BTreeMap;

pub(super) use access::Check;

use super::{Action, KeyPlan, Limits};
use crate::model::{KeyArn, KeyName};
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
    /// Too few could still change the policy.
    Lockout,
    /// Access for anyone.
    Public,
    /// Access for an account or organization that is not listed.
    Foreign,
    /// Access beyond a reference policy.
    Ceiling,
    /// Access that cannot be told.
    Undetermined,
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
            Self::Lockout => "lock-out",
            Self::Public => "public",
            Self::Foreign => "foreign-access",
            Self::Ceiling => "ceiling",
            Self::Undetermined => "undetermined",
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
    /// The code of notes about grants that no manifest declares.
    pub const UNMANAGED_GRANT: &str = "unmanaged-grant";
    /// The code of notes about aliases that no manifest declares.
    pub const UNMANAGED_ALIAS: &str = "unmanaged-alias";
    /// The code of notes about what differs and cannot be changed in the key's state.
    pub const WAITING: &str = "waiting";

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
        .filter(|key| key.key.is_some() && alters(key))
        .count();
    let percent = usize::from(desired.guardrails.mass_change_percent);
    if limits.allow.mass_change || existing < ENOUGH_KEYS || changed * 100 <= existing * percent {
        return None;
    }
    let message = format!("{changed} of {existing} keys would change, which is over {percent} %");
    let help =
        "review the plan, then allow it with --allow-mass-change; new keys are made all the same";
    Some(Refusal::new(Rule::MassChange, message, help))
}

/// True when something that is there would change; completing a key that a killed run left behind does not count.
fn alters(key: &KeyPlan) -> bool {
    let completes = |action: &Action| match action {
        Action::CreateAlias(_) => true,
        Action::CreateGrant(grant) => !grant.replaces,
        Action::EnableKeyRotation { from, .. } => from.is_none_or(|from| !from.enabled),
        Action::CreateKey(_)
        | Action::CancelKeyDeletion { .. }
        | Action::PutKeyPolicy { .. }
        | Action::EnableKey
        | Action::UpdateKeyDescription { .. }
        | Action::TagResource { .. }
        | Action::UntagResource { .. }
        | Action::UpdateAlias { .. }
        | Action::DisableKeyRotation { .. }
        | Action::RotateKeyOnDemand { .. }
        | Action::RevokeGrant { .. }
        | Action::DeleteAlias(_)
        | Action::DisableKey
        | Action::ScheduleKeyDeletion { .. } => false,
    };
    key.changes.iter().any(|change| !completes(&change.action))
}

/// Refuses all manifests that lead to one live key: two owners would undo each other's work.
pub(super) fn one_manifest_a_key(keys: &mut [KeyPlan]) {
    let mut names: BTreeMap<KeyArn, Vec<KeyName>> = BTreeMap::new();
    for key in keys.iter() {
        if let Some(arn) = &key.key {
            names.entry(arn.clone()).or_default().push(key.name.clone());
        }
    }
    for key in keys {
        let Some(names) = key
            .key
            .as_ref()
            .and_then(|arn| names.get(arn))
            .filter(|names| names.len() > 1)
        else {
            continue;
        };
        let others: Vec<&str> = names
            .iter()
            .filter(|name| **name != key.name)
            .map(|name| name.as_str())
            .collect();
        let message = format!(
            "the same live key is also that of `{}`",
            others.join("`, `")
        );
        key.refusals.push(Refusal::new(
            Rule::Ownership,
            message,
            "keep one manifest for it",
        ));
    }
}
