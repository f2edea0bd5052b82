//! What the manifests ask for, with teams, defaults and principals resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::diagnostic::Location;
use crate::model::{
    AccountId, AliasName, GrantName, GrantTerms, KeyId, KeyName, KeyType, OrganizationId, Origin,
    Place, PrincipalName, RotationPeriod, ScopeName, Tags,
};
use crate::policy::{Allowance, Document, Holder, Identities};

/// Everything that one set of manifests asks for.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    /// Per account and Region; each [`Place`] occurs once.
    pub places: Vec<DesiredPlace>,
    /// What is expected of the access to the keys.
    pub expectations: Vec<Expectation>,
}

/// What is asked for in one account and Region.
#[derive(Clone, Debug)]
pub struct DesiredPlace {
    /// The account and Region.
    pub place: Place,
    /// How the account is reached.
    pub target: Target,
    /// Whose keys they are.
    pub scope: ScopeName,
    /// Limits on what a plan may do here.
    pub guardrails: Guardrails,
    /// Keys that this scope owns, by name.
    pub keys: BTreeMap<KeyName, DesiredKey>,
    /// Grants on keys that this scope does not own, by the key's name.
    pub grants: BTreeMap<KeyName, GrantsOnKey>,
    /// What IAM says about principals, of whichever account; all places share it.
    pub identities: Arc<Identities>,
}

/// How an account is reached, as its `Account` document says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The manifest's name of the account; `None` where no document describes it.
    pub name: Option<String>,
    /// Which KMS it is; `None` leaves it to the command line.
    pub kind: Option<TargetKind>,
    /// A KMS endpoint URL.
    pub endpoint: Option<String>,
    /// A role to assume for the account.
    pub assume_role: Option<String>,
    /// The external id for that role.
    pub external_id: Option<String>,
    /// The profile of the shared configuration.
    pub profile: Option<String>,
    /// Percent of AWS's published request quotas to use, 1 to 100.
    pub requests_share: u8,
}

/// A KMS without a URL of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// AWS's.
    Aws,
    /// The bundled engine.
    Local,
}

/// Limits on what a plan may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guardrails {
    /// Largest part of ten or more keys that one run may change, in percent.
    pub mass_change_percent: u8,
    /// How many durable principals must be able to change a key's policy, at least.
    pub minimum_administrators: u8,
    /// Whether whoever makes a change may lose the way to undo it.
    pub caller_may_leave: bool,
    /// Other accounts that may be given access.
    pub allowed_accounts: BTreeSet<AccountId>,
    /// Organizations that may be given access.
    pub allowed_organizations: BTreeSet<OrganizationId>,
    /// Whether anyone may be given access.
    pub public: bool,
    /// The key policy beyond which no access goes.
    pub ceiling: Option<Arc<Document>>,
}

impl Default for Guardrails {
    fn default() -> Self {
        Self {
            mass_change_percent: 30,
            minimum_administrators: 1,
            caller_may_leave: false,
            allowed_accounts: BTreeSet::new(),
            allowed_organizations: BTreeSet::new(),
            public: false,
            ceiling: None,
        }
    }
}

/// One key that the manifests ask for.
#[derive(Clone, Debug)]
pub struct DesiredKey {
    /// The name.
    pub name: KeyName,
    /// Where the manifest names it.
    pub location: Location,
    /// The key to adopt, where the manifest names it outright.
    pub id: Option<KeyId>,
    /// Older names by which the key may still be known.
    pub formerly: Vec<KeyName>,
    /// Every alias it should have, the name's own included.
    pub aliases: BTreeSet<AliasName>,
    /// Spec and usage.
    pub key_type: KeyType,
    /// Where its material comes from.
    pub origin: Origin,
    /// The description; empty for none.
    pub description: String,
    /// Whether it should be usable.
    pub enabled: bool,
    /// Automatic rotation; `None` where the type or origin cannot rotate.
    pub rotation: Option<Rotation>,
    /// How many on-demand rotations there should have been, at least.
    pub rotations_on_demand: Option<u32>,
    /// Every tag it should have, the ownership tags included.
    pub tags: Tags,
    /// The key policy.
    pub policy: Arc<Document>,
    /// Its grants.
    pub grants: BTreeMap<GrantName, DesiredGrant>,
    /// What happens to grants that no manifest declares.
    pub unmanaged_grants: UnmanagedGrants,
    /// Its deletion, where the manifest asks for it: `state: pending_deletion`.
    pub deletion: Option<Deletion>,
}

/// Automatic rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// Never.
    Off,
    /// After each period.
    Every(RotationPeriod),
}

/// What happens to grants that no manifest declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnmanagedGrants {
    /// They stay and are reported.
    #[default]
    Keep,
    /// They are revoked, except those of AWS services.
    Revoke,
}

/// A deletion that the manifest asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Days until KMS deletes the key, 7 to 30.
    pub window_days: i32,
    /// Why, in the person's words.
    pub reason: String,
}

/// One grant that the manifests ask for.
#[derive(Clone, Debug)]
pub struct DesiredGrant {
    /// The name.
    pub name: GrantName,
    /// Where the manifest names it.
    pub location: Location,
    /// What it gives to whom.
    pub terms: GrantTerms,
    /// When a run should revoke it.
    pub expires: Option<Timestamp>,
}

/// Grants on a key that this scope does not own.
#[derive(Clone, Debug)]
pub struct GrantsOnKey {
    /// The key's name: it must exist, whoever owns it.
    pub name: KeyName,
    /// Where the manifest names it.
    pub location: Location,
    /// The grants.
    pub grants: BTreeMap<GrantName, DesiredGrant>,
}

/// An access test.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Where the manifest states it.
    pub location: Location,
    /// What is claimed.
    pub claims: Vec<Claim>,
    /// Of which keys and principals, per account and Region.
    pub subjects: BTreeMap<Place, Subjects>,
    /// Why, in the person's words.
    pub why: Option<String>,
}

/// That requests are allowed, or are not.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Which of the two.
    pub verb: Verb,
    /// What is called.
    pub allowance: Allowance,
    /// Where the manifest names it.
    pub location: Location,
}

/// What a claim says of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// All are allowed.
    Can,
    /// None is allowed.
    Cannot,
}

/// What an expectation is about in one account and Region.
#[derive(Clone, Debug)]
pub struct Subjects {
    /// The keys.
    pub keys: BTreeSet<KeyName>,
    /// Who calls.
    pub callers: Vec<Callers>,
    /// Which requests are meant: context keys with their values; with none, the key is absent.
    pub when: BTreeMap<String, Vec<String>>,
}

/// Who one name of a manifest stands for.
#[derive(Clone, Debug)]
pub struct Callers {
    /// The name.
    pub name: PrincipalName,
    /// Everyone it stands for.
    pub holders: BTreeSet<Holder>,
}

impl Verb {
    /// The word for it in manifests.
    pub fn word(self) -> &'static str {
        match self {
            Self::Can => "can",
            Self::Cannot => "cannot",
        }
    }
}

impl Desired {
    /// The accounts that are named, once each.
    pub fn accounts(&self) -> BTreeSet<AccountId> {
        self.places
            .iter()
            .map(|place| place.place.account)
            .collect()
    }

    /// How many keys are asked for, over all places.
    pub fn key_count(&self) -> usize {
        self.places
            .iter()
            .map(|place| place.keys.len() + place.grants.len())
            .sum()
    }
}
