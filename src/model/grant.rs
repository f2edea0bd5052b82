//! Grants: their terms, and the names under which ours live.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::{Arn, GrantOperations, KeyType, Malformed, Principal, ScopeName};

/// Conditions of a grant on the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Constraints {
    /// The encryption context must contain these pairs.
    pub context_subset: BTreeMap<String, String>,
    /// The encryption context must be exactly these pairs; empty means no such constraint.
    pub context_equals: BTreeMap<String, String>,
    /// Calls by AWS services must be for this resource.
    pub source_arn: Option<Arn>,
}

/// Everything that a grant says, apart from its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantTerms {
    /// Who is given access.
    pub grantee: Principal,
    /// Who may retire the grant.
    pub retiring: Option<Principal>,
    /// What is given.
    pub operations: GrantOperations,
    /// On which requests.
    pub constraints: Constraints,
}

impl GrantTerms {
    /// Checks the rules of `CreateGrant` that need no account.
    pub fn check(&self, key: KeyType) -> Result<(), Malformed> {
        let Self {
            grantee,
            retiring,
            operations,
            constraints,
        } = self;
        if operations.is_empty() {
            return Err(Malformed::new("a grant needs at least one operation"));
        }
        if operations.len() == 1 && operations.contains(&super::Operation::CreateGrant) {
            return Err(Malformed::new(
                "a grant cannot consist of `CreateGrant` alone",
            ));
        }
        if let Some(operation) = operations
            .iter()
            .find(|operation| !operation.is_grantable_on(key))
        {
            let possible: Vec<&str> = super::Operation::ALL
                .iter()
                .filter(|operation| operation.is_grantable_on(key))
                .map(|operation| operation.name())
                .collect();
            return Err(Malformed::new(format!(
                "a grant cannot give `{operation}`, which does not work with {} keys for {}",
                key.spec, key.usage
            ))
            .with_help(format!("it can give {}", possible.join(", "))));
        }
        if let Principal::Service(_) = grantee
            && (constraints.source_arn.is_none() || retiring.is_none())
        {
            return Err(Malformed::new(
                "a grant to an AWS service needs `source_arn` and `retiring`",
            ));
        }
        if matches!(grantee, Principal::Anyone | Principal::Deleted(_)) {
            return Err(Malformed::new("a grant needs one named grantee"));
        }
        constraints.check(key)
    }
}

impl Constraints {
    fn check(&self, key: KeyType) -> Result<(), Malformed> {
        let Self {
            context_subset,
            context_equals,
            source_arn: _,
        } = self;
        if !context_subset.is_empty() && !context_equals.is_empty() {
            return Err(
                Malformed::new("a grant cannot have both `context` and `context_equals`")
                    .with_help(
                        "`context` means contains, `context_equals` means is exactly; keep one",
                    ),
            );
        }
        let pairs = if context_subset.is_empty() {
            context_equals
        } else {
            context_subset
        };
        if !pairs.is_empty() && !key.is_symmetric() {
            return Err(Malformed::new(
                "an encryption context works with symmetric encryption keys only",
            ));
        }
        if pairs.len() > 8 {
            return Err(Malformed::new(
                "a grant's encryption context has at most 8 pairs",
            ));
        }
        match pairs.values().find(|value| value.chars().count() > 384) {
            Some(_) => Err(Malformed::new(
                "a value in a grant's encryption context has at most 384 characters",
            )),
            None => Ok(()),
        }
    }
}

/// A grant's name in manifests.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantName(String);

impl GrantName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GrantName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if !text.is_empty() && text.len() <= 128 && text.bytes().all(valid) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(format!("`{text}` is not a grant name"))
                .with_help("use 1 to 128 letters, digits, `_` and `-`"))
        }
    }
}

impl fmt::Display for GrantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for GrantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of one of our grants in KMS: `keywright/[SCOPE:]NAME[/EXPIRY]`.
///
/// The scope stands in the name of a grant on a key that another scope owns, so that the key's owner leaves it alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LiveGrantName {
    /// The scope whose grant it is, where the key is not that scope's.
    pub scope: Option<ScopeName>,
    /// The name in the manifest.
    pub name: GrantName,
    /// When the next run revokes it.
    pub expires: Option<Timestamp>,
}

impl LiveGrantName {
    const PREFIX: &'static str = "keywright/";

    /// True for names in our form or in an older or newer one of ours.
    pub fn is_ours(text: &str) -> bool {
        text.starts_with(Self::PREFIX)
    }
}

impl FromStr for LiveGrantName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let foreign = || Malformed::new(format!("`{text}` is not a name that keywright gives"));
        let rest = text.strip_prefix(Self::PREFIX).ok_or_else(foreign)?;
        let (owned, expires) = match rest.split_once('/') {
            Some((owned, expiry)) => (
                owned,
                Some(expiry.parse::<Timestamp>().map_err(|_| foreign())?),
            ),
            None => (rest, None),
        };
        let (scope, name) = match owned.split_once(':') {
            Some((scope, name)) => (Some(scope.parse()?), name),
            None => (None, owned),
        };
        Ok(Self {
            scope,
            name: name.parse()?,
            expires,
        })
    }
}

impl fmt::Display for LiveGrantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::PREFIX)?;
        if let Some(scope) = &self.scope {
            write!(f, "{scope}:")?;
        }
        write!(f, "{}", self.name)?;
        match self.expires {
            Some(expires) => write!(f, "/{expires}"),
            None => Ok(()),
        }
    }
}
