//! Request quotas, as buckets that fill with time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::model::{Operation, Place};

/// How many accounts and Regions are told apart; when more come, all start anew.
const MOST: usize = 1024;

/// What each account has left of its quotas, by Region and operation.
#[derive(Debug, Default)]
pub(super) struct Buckets(Mutex<BTreeMap<(Place, Option<Operation>), Bucket>>);

#[derive(Debug)]
struct Bucket {
    /// When it was looked at.
    at: Timestamp,
    /// How many requests it then had room for.
    left: f64,
}

impl Buckets {
    /// Takes one request from a part, in percent, of its quota; false where nothing is left.
    pub(super) fn take(
        &self,
        place: &Place,
        operation: Operation,
        percent: u32,
        now: Timestamp,
    ) -> bool {
        let most = (f64::from(operation.quota()) * f64::from(percent) / 100.0).max(1.0);
        // Operations that use key material share one quota.
        let own = (!operation.is_cryptographic()).then_some(operation);
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST {
            buckets.clear();
        }
        let bucket = buckets.entry((place.clone(), own)).or_insert(Bucket {
            at: now,
            left: most,
        });
        let passed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
        bucket.left = (bucket.left + passed * most).min(most);
        bucket.at = now;
        let is_there = bucket.left >= 1.0;
        if is_there {
            bucket.left -= 1.0;
        }
        is_there
    }
}
