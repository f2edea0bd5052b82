//! What the account holds, as far as it could be read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{
    AliasName, Constraints, GrantOperations, KeyArn, KeyId, KeyManager, KeyState, KeyType,
    LiveGrantName, Origin, Place, Principal, RotationPeriod, Tags,
};
use crate::policy::{Context, Document, Grant};

/// The live state of every place that was read.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Per account and Region, in the order of the request.
    pub places: Vec<ObservedPlace>,
}

/// The live state of one account and Region.
#[derive(Clone, Debug)]
pub struct ObservedPlace {
    /// The account and Region.
    pub place: Place,
    /// Who reads and writes here, where that is known.
    pub caller: Option<Principal>,
    /// Aliases and the keys that they lead to, AWS's own left out.
    pub aliases: BTreeMap<AliasName, KeyId>,
    /// The keys that were read, by id.
    pub keys: BTreeMap<KeyId, ObservedKey>,
    /// Keys that nobody asked for, where they were looked at.
    pub others: BTreeMap<KeyId, OtherKey>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
}

/// A key that nobody asked for.
#[derive(Clone, Debug)]
pub struct OtherKey {
    /// Aliases that lead to it.
    pub aliases: BTreeSet<AliasName>,
    /// Its tags, which tell whose it is.
    pub tags: Tags,
    /// What it can do right now; `None` where nobody asked.
    pub state: Option<KeyState>,
}

/// One live key.
#[derive(Clone, Debug)]
pub struct ObservedKey {
    /// Its ARN.
    pub arn: KeyArn,
    /// Aliases that lead to it.
    pub aliases: BTreeSet<AliasName>,
    /// Spec and usage; `None` where AWS has a newer one than this program knows.
    pub key_type: Option<KeyType>,
    /// Where its material comes from.
    pub origin: Origin,
    /// Who manages it.
    pub manager: KeyManager,
    /// What it can do right now.
    pub state: KeyState,
    /// True for multi-Region keys.
    pub multi_region: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When KMS will delete it.
    pub deletion_date: Option<Timestamp>,
    /// The description; empty for none.
    pub description: String,
    /// The key policy.
    pub policy: LivePolicy,
    /// The grants, in order of id.
    pub grants: Vec<LiveGrant>,
    /// The tags.
    pub tags: Tags,
    /// Automatic rotation; `None` where KMS has no such status for the key.
    pub rotation: Option<RotationStatus>,
    /// How many on-demand rotations there have been; `None` where nobody asked.
    pub rotations_on_demand: Option<u32>,
    /// When it was last used; `None` where nobody asked or it never was.
    pub last_used: Option<Timestamp>,
}

impl ObservedKey {
    /// A key of which nothing is known yet.
    pub fn unread(arn: KeyArn) -> Self {
        Self {
            arn,
            aliases: BTreeSet::new(),
            key_type: None,
            origin: Origin::AwsKms,
            manager: KeyManager::Customer,
            state: KeyState::Unavailable,
            multi_region: false,
            created: None,
            deletion_date: None,
            description: String::new(),
            policy: LivePolicy::Opaque {
                text: String::new(),
                reason: "not read".to_owned(),
            },
            grants: Vec::new(),
            tags: Tags::new(),
            rotation: None,
            rotations_on_demand: None,
            last_used: None,
        }
    }

    /// The value of a tag.
    pub fn tag(&self, name: &str) -> Option<&str> {
        value_of(&self.tags, name)
    }

    /// The condition keys that every request on the key carries, because they follow from the key.
    pub fn condition_keys(&self) -> Context {
        let Self {
            arn,
            aliases,
            key_type,
            origin,
            multi_region,
            tags,
            ..
        } = self;
        let mut context = Context::new()
            .with("aws:ResourceAccount", arn.place.account.to_string())
            .with("aws:RequestedRegion", arn.place.region.to_string())
            .with("kms:KeyOrigin", origin.as_str())
            .with("kms:MultiRegion", multi_region.to_string());
        if let Some(KeyType { spec, usage }) = key_type {
            let words = [spec.as_str(), usage.as_str()];
            let now = ["kms:KeySpec", "kms:KeyUsage"];
            let before = ["kms:CustomerMasterKeySpec", "kms:CustomerMasterKeyUsage"];
            for (name, word) in now.iter().zip(words).chain(before.iter().zip(words)) {
                context.set(name, [word.to_owned()]);
            }
        }
        context.set(
            "kms:ResourceAliases",
            aliases.iter().map(ToString::to_string),
        );
        for (name, value) in tags {
            let name = format!("aws:ResourceTag/{name}");
            context.set(&name, [value.to_string()]);
        }
        context
    }
}

/// The value of a tag.
pub fn value_of<'a>(tags: &'a Tags, name: &str) -> Option<&'a str> {
    tags.iter()
        .find(|(key, _)| key.as_str() == name)
        .map(|(_, value)| value.as_str())
}

/// A live key policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LivePolicy {
    /// Understood; shared with the desired one where they are equal.
    Document(Arc<Document>),
    /// Not understood: the text as KMS gave it, and why.
    Opaque {
        /// The text.
        text: String,
        /// Why it is not understood.
        reason: String,
    },
}

/// Automatic rotation as KMS reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationStatus {
    /// Whether it is on.
    pub enabled: bool,
    /// The period; `None` where rotation is off or the server does not say.
    pub period: Option<RotationPeriod>,
}

/// One live grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveGrant {
    /// The id.
    pub id: String,
    /// The name; empty for none.
    pub name: String,
    /// The name's parts, where the grant is ours.
    pub ours: Option<LiveGrantName>,
    /// Who is given access.
    pub grantee: LivePrincipal,
    /// Who may retire it.
    pub retiring: Option<LivePrincipal>,
    /// What is given.
    pub operations: GrantOperations,
    /// Operations that this program does not know.
    pub unknown_operations: BTreeSet<String>,
    /// On which requests.
    pub constraints: Constraints,
}

impl LiveGrant {
    /// The grant as it is asked about a request; `None` where its grantee is not understood.
    pub fn terms(&self) -> Option<Grant> {
        let LivePrincipal::Known(grantee) = &self.grantee else {
            return None;
        };
        let known = self.operations.iter().map(|one| one.name().to_owned());
        Some(Grant {
            id: self.id.clone(),
            key: None,
            grantee: grantee.clone(),
            operations: known
                .chain(self.unknown_operations.iter().cloned())
                .collect(),
            constraints: self.constraints.clone(),
        })
    }

    /// True for grants that AWS services make for themselves; those come and go, and are never touched.
    pub fn is_of_service(&self) -> bool {
        let of_service = |principal: &LivePrincipal| match principal {
            LivePrincipal::Known(Principal::Service(_)) => true,
            LivePrincipal::Known(Principal::Role(arn)) => {
                arn.resource().starts_with("role/aws-service-role/")
            }
            LivePrincipal::Known(_) | LivePrincipal::Unknown(_) => false,
        };
        self.ours.is_none()
            && (of_service(&self.grantee) || self.retiring.as_ref().is_some_and(of_service))
    }
}

/// A principal in live state: usually one we can name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LivePrincipal {
    /// Understood.
    Known(Principal),
    /// The text as KMS gave it.
    Unknown(String),
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreadable {
    /// The key; `None` for the account's own lists.
    pub key: Option<KeyId>,
    /// The operation that failed.
    pub operation: &'static str,
    /// Why, in the server's words.
    pub reason: String,
}
