//! A policy document as its meaning: every element typed, lists as sets.

use std::borrow::Cow;
use std::fmt;

use sorted_vec::SortedSet;

use crate::model::{Operation, Principal};

/// A policy document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Document {
    /// The language version; decides whether variables are expanded.
    pub version: Version,
    /// The document's `Id`, which has no meaning.
    pub id: Option<String>,
    /// The statements in the author's order, which has no meaning either.
    pub statements: Vec<Statement>,
}

impl Document {
    /// A policy that says nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            version: Version::V2012,
            id: None,
            statements: Vec::new(),
        }
    }
}

/// A version of the policy language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `2008-10-17`, or none given: `${…}` is literal text.
    V2008,
    /// `2012-10-17`: `${…}` are variables.
    V2012,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statement {
    /// The statement's `Sid`, which has no meaning to KMS.
    pub sid: Option<String>,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// For whom.
    pub principals: Principals,
    /// What.
    pub actions: Actions,
    /// On what; in a key policy that is `*`.
    pub resources: Resources,
    /// On which requests: all of these must hold.
    pub conditions: SortedSet<Condition>,
}

/// A policy that a caller carries: an identity policy, a permissions boundary or a session policy.
///
/// Its statements name nobody; whoever carries it is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityPolicy {
    /// The language version; decides whether variables are expanded.
    pub version: Version,
    /// The statements in the author's order, which has no meaning.
    pub statements: Vec<IdentityStatement>,
}

impl IdentityPolicy {
    /// A policy that says nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            version: Version::V2012,
            statements: Vec::new(),
        }
    }
}

/// One statement of a policy that a caller carries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityStatement {
    /// The statement's `Sid`, which has no meaning.
    pub sid: Option<String>,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// What.
    pub actions: Actions,
    /// On what.
    pub resources: Resources,
    /// On which requests: all of these must hold.
    pub conditions: SortedSet<Condition>,
}

/// What a matching statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Gives access.
    Allow,
    /// Takes it away, whatever else allows it.
    Deny,
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principals {
    /// Any of these.
    Any(SortedSet<Principal>),
    /// Anyone but these.
    Not(SortedSet<Principal>),
}

/// `Action` or `NotAction`; a statement with neither has no effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actions {
    /// Any of these.
    Any(SortedSet<ActionPattern>),
    /// Anything but these.
    Not(SortedSet<ActionPattern>),
}

/// `Resource` or `NotResource`; a statement with neither has no effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resources {
    /// Any of these, as glob patterns over ARNs.
    Any(SortedSet<String>),
    /// Anything but these.
    Not(SortedSet<String>),
}

impl Resources {
    /// What key policies say: `*`, this key.
    #[must_use]
    pub fn this_key() -> Self {
        Self::Any(SortedSet::from(vec!["*".to_owned()]))
    }
}

/// An action with wildcards, such as `kms:ReEncrypt*` or `*`; compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionPattern(Cow<'static, str>);

impl ActionPattern {
    /// A pattern; a known operation's name takes AWS's spelling, so that case never makes two patterns.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let Some((service, name)) = text.split_once(':') else {
            return Self(text.to_owned().into());
        };
        let service = service.to_ascii_lowercase();
        let is_one = service == "kms" && !name.contains(['*', '?']);
        let known = Operation::ALL
            .iter()
            .filter(|_| is_one)
            .find(|operation| operation.name().eq_ignore_ascii_case(name));
        match known {
            Some(operation) => (*operation).into(),
            None => Self(format!("{service}:{name}").into()),
        }
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The pattern in one case, to be compared.
    pub(super) fn folded(&self) -> Self {
        Self(self.0.to_ascii_lowercase().into())
    }
}

impl From<Operation> for ActionPattern {
    fn from(operation: Operation) -> Self {
        Self(operation.action().into())
    }
}

impl fmt::Display for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One test of one context key: `{"OPERATOR": {"KEY": [VALUES]}}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Condition {
    /// How values are compared.
    pub operator: Operator,
    /// The context key as written; compared without regard to case.
    pub key: String,
    /// The policy's values, as text.
    pub values: SortedSet<String>,
}

/// A condition operator with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator {
    /// `ForAllValues:` or `ForAnyValue:`.
    pub quantifier: Option<Quantifier>,
    /// The comparison.
    pub name: OperatorName,
    /// `…IfExists`.
    pub if_exists: bool,
}

/// How an operator treats a key with several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantifier {
    /// Every value in the request must match.
    ForAllValues,
    /// At least one value in the request must match.
    ForAnyValue,
}

/// The comparison of a condition operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "each is AWS's own name; the IAM reference documents it"
)]
pub enum OperatorName {
    StringEquals,
    StringNotEquals,
    StringEqualsIgnoreCase,
    StringNotEqualsIgnoreCase,
    StringLike,
    StringNotLike,
    NumericEquals,
    NumericNotEquals,
    NumericLessThan,
    NumericLessThanEquals,
    NumericGreaterThan,
    NumericGreaterThanEquals,
    DateEquals,
    DateNotEquals,
    DateLessThan,
    DateLessThanEquals,
    DateGreaterThan,
    DateGreaterThanEquals,
    Bool,
    BinaryEquals,
    IpAddress,
    NotIpAddress,
    ArnEquals,
    ArnLike,
    ArnNotEquals,
    ArnNotLike,
    Null,
}
