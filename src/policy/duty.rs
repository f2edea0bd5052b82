//! Duties: what a person means when they name administrators and users of a key.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Operation, OrganizationId, Principal};

/// Who administers and who uses a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duties {
    /// Whether IAM policies of the account can allow access to the key.
    pub iam_policies: bool,
    /// Who administers the key.
    pub administrators: BTreeSet<Principal>,
    /// Whether administrators may schedule its deletion.
    pub administrators_may_delete: bool,
    /// Who uses the key, and how.
    pub users: Vec<User>,
}

/// Principals that use a key in one way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    /// Who.
    pub holders: BTreeSet<Holder>,
    /// What; empty means all use of the key's type, as the console gives it.
    pub allowances: BTreeSet<Allowance>,
    /// Only through one of these AWS services: the first label of `kms:ViaService`, such as `s3`.
    pub via: BTreeSet<String>,
    /// Only with an encryption context that contains these pairs.
    pub context: BTreeMap<String, String>,
}

/// Whom a duty is given to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// One principal.
    Principal(Principal),
    /// Every principal of an organization.
    Organization(OrganizationId),
}

/// One thing that a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Allowance {
    /// A named set of operations.
    Capability(Capability),
    /// One operation.
    Operation(Operation),
}

/// A named set of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// `encrypt`
    Encrypt,
    /// `decrypt`
    Decrypt,
    /// `generate-data-keys`
    GenerateDataKeys,
    /// `re-encrypt`
    ReEncrypt,
    /// `sign`
    Sign,
    /// `verify`
    Verify,
    /// `mac`
    Mac,
    /// `verify-mac`
    VerifyMac,
    /// `agree`
    Agree,
    /// `encapsulate`
    Encapsulate,
    /// `decapsulate`
    Decapsulate,
    /// `public-key`
    PublicKey,
    /// `describe`
    Describe,
    /// `use`: all of the key's usage.
    Use,
    /// `delegate`: grants for AWS services only.
    Delegate,
    /// `read`
    Read,
    /// `administer`
    Administer,
    /// `delete`
    Delete,
    /// `grant`: grants for anyone.
    Grant,
}
