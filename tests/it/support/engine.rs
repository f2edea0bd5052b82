//! The bundled engine under a client of the AWS SDK, with randomness that repeats.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_kms::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_kms::{Client, Config};
use keywright::engine::{Engine, Entropy, NoEntropy, Settings, Store, connector};

/// The account of every test.
pub(crate) const ACCOUNT: &str = "111122223333";

/// Randomness that is the same in every run: a splitmix64 sequence.
#[derive(Debug)]
pub(crate) struct Seeded(AtomicU64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Entropy for Seeded {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in buffer.chunks_mut(8) {
            let step = 0x9e37_79b9_7f4a_7c15;
            let mut word = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let word = (word ^ (word >> 31)).to_le_bytes();
            chunk.copy_from_slice(word.get(..chunk.len()).unwrap());
        }
        Ok(())
    }
}

/// An engine on a store, for [`ACCOUNT`].
pub(crate) fn open(store: Store) -> Arc<Engine> {
    let settings = Settings::new(store, ACCOUNT.parse().unwrap());
    Arc::new(Engine::open(settings).unwrap())
}

/// What leads a client to a Region, as the root user of the account that the access key names.
pub(crate) fn config(access_key: &str, region: &str) -> Builder {
    Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new(access_key, "secret", None, None, "test"))
}

/// What leads a client to an engine.
pub(crate) fn engine_config(engine: &Arc<Engine>, access_key: &str, region: &str) -> Builder {
    config(access_key, region)
        .endpoint_url("http://engine.test")
        .http_client(connector(Arc::clone(engine)))
}

/// A client of an engine.
pub(crate) fn client(engine: &Arc<Engine>, access_key: &str, region: &str) -> Client {
    Client::from_conf(engine_config(engine, access_key, region).build())
}
