//! `kind: Identity`.

use super::key::PolicySource;
use super::words::AccountName;
use crate::manifest::fields::{NonEmpty, Pairs, mapping};
use crate::manifest::yaml::At;
use crate::model::{PrincipalName, TagKey, TagValue};

mapping! {
    /// What IAM says about a role or user: all of its identity policies, so that access through IAM is known.
    IdentityFields ("an identity") {
        /// The role or user.
        principal: PrincipalName [required],
        /// Names or ids of accounts that have such a principal; needed where the manifests describe several.
        accounts: NonEmpty<AccountName> [],
        /// All its identity policies, those of its groups too, each as YAML or as `file: PATH` from this manifest's folder; `${account}` stands for its account.
        policies: Vec<At<PolicySource>> [],
        /// Its permissions boundary, likewise.
        boundary: PolicySource [],
        /// Its tags.
        tags: Pairs<TagKey, TagValue> [],
    }
    later {}
}
