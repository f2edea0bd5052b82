//! The nouns: what AWS KMS and IAM name, parsed once into types that cannot hold nonsense.

mod account;
mod alias;
mod arn;
mod context_key;
mod grant;
mod key;
mod operation;
mod principal;
mod quota;
mod tag;

pub use account::{AccountId, Partition, Place, Region};
pub use alias::AliasName;
pub use arn::{Arn, KeyArn};
pub use context_key::{ContextValue, context_value, is_key_of_kms};
pub use grant::{Constraints, GrantName, GrantTerms, LiveGrantName};
pub use key::{
    Algorithms, KeyId, KeyManager, KeyName, KeySpec, KeyState, KeyType, KeyUsage, Origin,
    RotationPeriod,
};
pub use operation::{GrantOperations, Operation};
pub use principal::{OrganizationId, Principal, PrincipalName, ServiceName, TeamName, UniqueId};
pub use tag::{ScopeName, TagKey, TagValue, Tags};

/// Why a text is not one of the model's nouns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Malformed {
    /// What is wrong, in words: "an account id has 12 digits".
    pub problem: String,
    /// The next step, where there is an obvious one.
    pub help: Option<String>,
}

impl Malformed {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            help: None,
        }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
