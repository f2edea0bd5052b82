//! Policies that were parsed before, by their texts.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Partition;
use crate::policy::{self, Document, IdentityPolicy, ReadError};

/// How many texts are kept; when more come, all are forgotten.
const MOST: usize = 4096;

/// Parsed policies. A text always means the same, so nothing here ever goes stale.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    documents: Mutex<HashMap<(Partition, String), Arc<Document>>>,
    carried: Mutex<HashMap<Vec<String>, Arc<[IdentityPolicy]>>>,
}

impl Parsed {
    /// A key policy or a trust policy.
    pub(crate) fn document(
        &self,
        text: String,
        partition: Partition,
    ) -> Result<Arc<Document>, ReadError> {
        let key = (partition, text);
        remembered(&self.documents, key, |(partition, text)| {
            policy::read(text, *partition).map(Arc::new)
        })
    }

    /// The policies that somebody carries, together.
    pub(crate) fn carried(&self, texts: Vec<String>) -> Result<Arc<[IdentityPolicy]>, ReadError> {
        remembered(&self.carried, texts, |texts| {
            texts
                .iter()
                .map(|text| policy::read_identity(text))
                .collect()
        })
    }
}

fn remembered<K: Eq + Hash, V: Clone>(
    known: &Mutex<HashMap<K, V>>,
    key: K,
    parse: impl FnOnce(&K) -> Result<V, ReadError>,
) -> Result<V, ReadError> {
    let locked = || known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = locked().get(&key) {
        return Ok(found.clone());
    }
    let value = parse(&key)?;
    let mut known = locked();
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(key, value.clone());
    Ok(value)
}
