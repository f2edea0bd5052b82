//! Policies that were parsed before, by their texts.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Partition;
use crate::policy::{self, Document, IdentityPolicy, ReadError};

/// How many bytes of text are kept of a kind; when more come, all are forgotten. What is parsed takes a few times as much.
const MOST: usize = 1024 * 1024;

/// Parsed policies. A text always means the same, so nothing here ever goes stale.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    documents: Mutex<Texts<(Partition, String), Arc<Document>>>,
    carried: Mutex<Texts<Vec<String>, Arc<[IdentityPolicy]>>>,
}

#[derive(Debug)]
struct Texts<K, V> {
    known: HashMap<K, V>,
    bytes: usize,
}

impl<K, V> Default for Texts<K, V> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            bytes: 0,
        }
    }
}

impl Parsed {
    /// A key policy or a trust policy.
    pub(crate) fn document(
        &self,
        text: String,
        partition: Partition,
    ) -> Result<Arc<Document>, ReadError> {
        let bytes = text.len();
        let key = (partition, text);
        remembered(&self.documents, key, bytes, |(partition, text)| {
            policy::read(text, *partition).map(Arc::new)
        })
    }

    /// The policies that somebody carries, together.
    pub(crate) fn carried(&self, texts: Vec<String>) -> Result<Arc<[IdentityPolicy]>, ReadError> {
        let bytes = texts.iter().map(String::len).sum();
        remembered(&self.carried, texts, bytes, |texts| {
            texts
                .iter()
                .map(|text| policy::read_identity(text))
                .collect()
        })
    }
}

fn remembered<K: Eq + Hash, V: Clone>(
    texts: &Mutex<Texts<K, V>>,
    key: K,
    bytes: usize,
    parse: impl FnOnce(&K) -> Result<V, ReadError>,
) -> Result<V, ReadError> {
    let locked = || texts.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = locked().known.get(&key) {
        return Ok(found.clone());
    }
    let value = parse(&key)?;
    let mut texts = locked();
    if texts.bytes + bytes > MOST {
        *texts = Texts::default();
    }
    texts.bytes += bytes;
    texts.known.insert(key, value.clone());
    Ok(value)
}
