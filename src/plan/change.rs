//! Changes: what a plan does, as data with no choices left in it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{
    AliasName, GrantTerms, KeyId, KeyType, LiveGrantName, Origin, RotationPeriod, TagKey, Tags,
};
use crate::policy::Document;
use crate::state::{
    Fingerprint, LiveGrant, LivePolicy, ObservedKey, Part, Rotation, RotationStatus,
};

/// One effect, and the live state that it was planned from.
#[derive(Clone, Debug)]
pub struct Change {
    /// What to do.
    pub action: Action,
    /// What must still be so just before; `None` where KMS itself refuses a conflict.
    pub expects: Option<Expectation>,
}

/// Live state that a change was planned from.
#[derive(Clone, Debug)]
pub enum Expectation {
    /// A part of the key means what it meant.
    Part(Part, Fingerprint),
    /// An alias leads to this key.
    AliasTarget(AliasName, KeyId),
}

/// What to do, in AWS's words; `from` is what is there now, for the reader.
#[derive(Clone, Debug)]
pub enum Action {
    /// Make a key.
    CreateKey(Box<NewKey>),
    /// Take a key out of its waiting time before deletion; it comes back disabled.
    CancelKeyDeletion {
        /// When KMS would have deleted it.
        was_due: Option<Timestamp>,
    },
    /// Replace the key policy.
    PutKeyPolicy {
        /// What is there now.
        from: Box<LivePolicy>,
        /// What will be there.
        to: Arc<Document>,
        /// Whether AWS's lock-out check is skipped.
        bypass_lockout_check: bool,
        /// Same meaning, other text.
        cosmetic: bool,
    },
    /// Switch the key on.
    EnableKey,
    /// Replace the description.
    UpdateKeyDescription {
        /// What is there now.
        from: String,
        /// What will be there.
        to: String,
    },
    /// Add tags or replace their values.
    TagResource {
        /// The values that these tags have now, where they exist.
        from: Tags,
        /// What they will have.
        to: Tags,
    },
    /// Remove tags.
    UntagResource {
        /// The tags as they are now.
        from: Tags,
    },
    /// Lead a new alias to the key.
    CreateAlias(AliasName),
    /// Lead an alias to this key instead of another.
    UpdateAlias {
        /// The alias.
        alias: AliasName,
        /// The key that it leads to now.
        from: KeyId,
    },
    /// Switch automatic rotation on, or change its period.
    EnableKeyRotation {
        /// How it is now; `None` for a new key, and where KMS does not show it.
        from: Option<RotationStatus>,
        /// The new period.
        to: RotationPeriod,
    },
    /// Switch automatic rotation off.
    DisableKeyRotation {
        /// How it is now.
        from: RotationStatus,
    },
    /// Rotate once, now.
    RotateKeyOnDemand {
        /// Which on-demand rotation of the key this is, from 1.
        number: u32,
    },
    /// Give access by a grant.
    CreateGrant(Box<GrantToCreate>),
    /// Take a grant away.
    RevokeGrant {
        /// The grant.
        grant: Box<LiveGrant>,
        /// Why, for the reader.
        why: &'static str,
    },
    /// Remove an alias.
    DeleteAlias(AliasName),
    /// Switch the key off.
    DisableKey,
    /// Start the waiting time before deletion.
    ScheduleKeyDeletion {
        /// Its length in days.
        window_days: i32,
        /// Why, in the person's words.
        reason: String,
    },
}

/// A key to make.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Spec and usage.
    pub key_type: KeyType,
    /// Where its material comes from.
    pub origin: Origin,
    /// The description; empty for none.
    pub description: String,
    /// The key policy.
    pub policy: Arc<Document>,
    /// All tags, the ownership tags included.
    pub tags: Tags,
    /// Whether AWS's lock-out check is skipped.
    pub bypass_lockout_check: bool,
}

/// A grant to make.
#[derive(Clone, Debug)]
pub struct GrantToCreate {
    /// The name it gets in KMS.
    pub name: LiveGrantName,
    /// What it gives to whom.
    pub terms: GrantTerms,
    /// Whether an older one is revoked after it.
    pub replaces: bool,
}

impl Action {
    /// AWS's name of the call.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateKey(_) => "CreateKey",
            Self::CancelKeyDeletion { .. } => "CancelKeyDeletion",
            Self::PutKeyPolicy { .. } => "PutKeyPolicy",
            Self::EnableKey => "EnableKey",
            Self::UpdateKeyDescription { .. } => "UpdateKeyDescription",
            Self::TagResource { .. } => "TagResource",
            Self::UntagResource { .. } => "UntagResource",
            Self::CreateAlias(_) => "CreateAlias",
            Self::UpdateAlias { .. } => "UpdateAlias",
            Self::EnableKeyRotation { .. } => "EnableKeyRotation",
            Self::DisableKeyRotation { .. } => "DisableKeyRotation",
            Self::RotateKeyOnDemand { .. } => "RotateKeyOnDemand",
            Self::CreateGrant(_) => "CreateGrant",
            Self::RevokeGrant { .. } => "RevokeGrant",
            Self::DeleteAlias(_) => "DeleteAlias",
            Self::DisableKey => "DisableKey",
            Self::ScheduleKeyDeletion { .. } => "ScheduleKeyDeletion",
        }
    }

    /// The key policy that it writes.
    pub fn policy(&self) -> Option<&Document> {
        if let Self::PutKeyPolicy { to, .. } = self {
            return Some(to);
        }
        if let Self::CreateKey(new) = self {
            return Some(&new.policy);
        }
        None
    }

    /// What must still be so just before the action; `live` is the key, where there is one already.
    pub(super) fn expectation(&self, live: Option<&ObservedKey>) -> Option<Expectation> {
        if let Self::UpdateAlias { alias, from } = self {
            return Some(Expectation::AliasTarget(alias.clone(), from.clone()));
        }
        let live = live?;
        let part = match self {
            Self::CreateKey(_) | Self::CreateAlias(_) | Self::UpdateAlias { .. } => return None,
            Self::DeleteAlias(alias) => {
                return Some(Expectation::AliasTarget(alias.clone(), live.arn.id.clone()));
            }
            Self::PutKeyPolicy { .. } => Part::Policy,
            Self::TagResource { .. } | Self::UntagResource { .. } => Part::Tags,
            // KMS shows no rotation while a deletion waits, so there is nothing to compare with.
            Self::EnableKeyRotation { .. } | Self::DisableKeyRotation { .. }
                if live.rotation.is_none() =>
            {
                return None;
            }
            Self::EnableKeyRotation { .. } | Self::DisableKeyRotation { .. } => Part::Rotation,
            Self::RotateKeyOnDemand { .. } => Part::OnDemandRotations,
            Self::CreateGrant(_) | Self::RevokeGrant { .. } => Part::Grants,
            Self::CancelKeyDeletion { .. }
            | Self::EnableKey
            | Self::UpdateKeyDescription { .. }
            | Self::DisableKey
            | Self::ScheduleKeyDeletion { .. } => Part::Metadata,
        };
        Some(Expectation::Part(part, live.fingerprint(part)))
    }
}

/// True when automatic rotation is what the manifest asks for.
pub(super) fn rotation_agrees(desired: Rotation, live: RotationStatus) -> bool {
    match desired {
        Rotation::Off => !live.enabled,
        Rotation::Every(period) => {
            live.enabled && live.period.unwrap_or(RotationPeriod::DEFAULT) == period
        }
    }
}

/// The tags that are missing or have another value.
pub(super) fn tags_to_set(desired: &Tags, live: &Tags) -> Tags {
    let differs = |(key, value): &(&TagKey, &_)| live.get(*key) != Some(*value);
    desired
        .iter()
        .filter(differs)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The tags that should not be there.
pub(super) fn tags_to_remove(desired: &Tags, live: &Tags) -> Tags {
    let extra = |(key, _): &(&TagKey, &_)| !desired.contains_key(*key);
    live.iter()
        .filter(extra)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
