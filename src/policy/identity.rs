//! What IAM says about principals.

use std::collections::{BTreeMap, BTreeSet};

use super::document::IdentityPolicy;
use crate::model::{AccountId, Partition, Principal};

/// What IAM says about one principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// A role or user.
    pub principal: Principal,
    /// Its policies: managed, inline, of its groups.
    pub policies: Vec<IdentityPolicy>,
    /// Its permissions boundary.
    pub boundary: Option<IdentityPolicy>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What IAM says about several principals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identities {
    known: BTreeMap<Principal, Identity>,
    complete: BTreeSet<(Partition, AccountId)>,
}

impl Identities {
    /// All that are known.
    pub fn iter(&self) -> impl Iterator<Item = &Identity> {
        self.known.values()
    }

    /// The accounts of which every principal is known.
    pub fn complete(&self) -> impl Iterator<Item = (Partition, AccountId)> {
        self.complete.iter().copied()
    }

    /// True when every principal of an account is known.
    pub fn is_complete(&self, partition: Partition, account: AccountId) -> bool {
        self.complete.contains(&(partition, account))
    }

    /// What is known of a principal.
    pub fn get(&self, principal: &Principal) -> Option<&Identity> {
        self.known.get(principal)
    }
}
