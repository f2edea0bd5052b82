//! Policies that keys should have, found again in what KMS gives back.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use crate::policy::{Document, write_compact};

/// Policies by their texts as they are written for KMS, which gives back what it was given.
///
/// A live policy that is among them is neither read nor held a second time.
#[derive(Clone, Debug, Default)]
pub struct KnownPolicies {
    /// By the hash of the text, which would take as much memory as the policy again.
    by_hash: HashMap<u64, Arc<Document>>,
    hasher: RandomState,
}

impl KnownPolicies {
    /// The policy that has a text, if it is a known one.
    pub(super) fn find(&self, text: &str) -> Option<&Arc<Document>> {
        let found = self.by_hash.get(&self.hasher.hash_one(text))?;
        (write_compact(found) == text).then_some(found)
    }
}

impl<'a> FromIterator<&'a Arc<Document>> for KnownPolicies {
    fn from_iter<I: IntoIterator<Item = &'a Arc<Document>>>(policies: I) -> Self {
        let hasher = RandomState::new();
        let by_hash = policies.into_iter().map(|policy| {
            let hash = hasher.hash_one(write_compact(policy).as_str());
            (hash, Arc::clone(policy))
        });
        Self {
            by_hash: by_hash.collect(),
            hasher,
        }
    }
}
