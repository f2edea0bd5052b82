//! What IAM says about principals.

use std::collections::{BTreeMap, BTreeSet};

use super::document::IdentityPolicy;
use super::evaluate::Source;
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
    /// What people call its policies.
    pub names: PolicyNames,
}

/// What people call a principal's policies: a name, an ARN, or where they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyNames {
    /// Of its policies, in their order.
    pub policies: Vec<String>,
    /// Of its permissions boundary.
    pub boundary: Option<String>,
}

impl Identity {
    /// A principal without policies.
    #[must_use]
    pub fn of(principal: Principal) -> Self {
        Self {
            principal,
            policies: Vec::new(),
            boundary: None,
            tags: BTreeMap::new(),
            names: PolicyNames::default(),
        }
    }

    /// Adds a policy and what people call it.
    pub fn add_policy(&mut self, name: impl Into<String>, policy: IdentityPolicy) {
        self.policies.push(policy);
        self.names.policies.push(name.into());
    }

    /// Sets the permissions boundary and what people call it.
    pub fn set_boundary(&mut self, name: impl Into<String>, policy: IdentityPolicy) {
        self.boundary = Some(policy);
        self.names.boundary = Some(name.into());
    }

    /// What people call one of its policies.
    pub fn policy_name(&self, source: Source) -> Option<&str> {
        match source {
            Source::Identity(index) => self.names.policies.get(index).map(String::as_str),
            Source::Boundary => self.names.boundary.as_deref(),
            Source::Key | Source::Session(_) => None,
        }
    }
}

/// What IAM says about several principals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identities {
    known: BTreeMap<Principal, Identity>,
    complete: BTreeSet<(Partition, AccountId)>,
}

impl Identities {
    /// Adds a principal; false when something is known of it already, which stays.
    pub fn add(&mut self, identity: Identity) -> bool {
        if self.known.contains_key(&identity.principal) {
            return false;
        }
        self.known.insert(identity.principal.clone(), identity);
        true
    }

    /// Says that every principal of an account is known; false when that was said already.
    pub fn complete_account(&mut self, partition: Partition, account: AccountId) -> bool {
        self.complete.insert((partition, account))
    }

    /// Adds what others know; of a principal in both, what is known here stays.
    pub fn extend(&mut self, others: Self) {
        for (principal, identity) in others.known {
            self.known.entry(principal).or_insert(identity);
        }
        self.complete.extend(others.complete);
    }

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

    /// What is known of a caller; a session is its role.
    pub fn of_caller(&self, caller: &Principal) -> Option<&Identity> {
        let is_role = |identity: &&Identity| identity.principal.is_role_of(caller);
        self.get(caller).or_else(|| match caller {
            Principal::Session(_) => self.iter().find(is_role),
            Principal::Anyone
            | Principal::Account(..)
            | Principal::User(_)
            | Principal::Role(_)
            | Principal::Federated(_)
            | Principal::Service(_)
            | Principal::Deleted(_) => None,
        })
    }

    /// True when all that IAM says about a caller is known, even if that is nothing.
    pub fn knows(&self, caller: &Principal) -> bool {
        let is_of_complete = || {
            let home = caller.home();
            home.is_some_and(|(partition, account)| self.is_complete(partition, account))
        };
        // The policies of a federated user are those of the user who asked for it, whoever that was.
        let is_federated = matches!(caller, Principal::Federated(_));
        !is_federated && (self.of_caller(caller).is_some() || is_of_complete())
    }

    /// The same with each principal's policies changed.
    pub(super) fn map(&self, change: impl Fn(&mut IdentityPolicy)) -> Self {
        let mut changed = self.clone();
        for identity in changed.known.values_mut() {
            let policies = identity.policies.iter_mut();
            policies.chain(&mut identity.boundary).for_each(&change);
        }
        changed
    }
}
