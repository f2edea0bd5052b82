//! An engine on the bench: a client wired into it, a clock to turn, randomness that repeats.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_kms::Client;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::types::{KeySpec, KeyUsageType};
use bytes::Bytes;
use jiff::Timestamp;
use keywright::engine::{Chaos, Clock, Engine, Rules, Settings, Store};

use crate::support::engine::{Seeded, engine_config};

pub(super) use crate::support::engine::ACCOUNT;

pub(super) const REGION: &str = "eu-central-1";
/// A key id that no key has.
pub(super) const UNKNOWN: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

/// A clock that moves when it is told to.
#[derive(Debug)]
pub(super) struct Hands(AtomicI64);

impl Hands {
    pub(super) fn forward_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    pub(super) fn forward_minutes(&self, minutes: i64) {
        self.0.fetch_add(minutes * 60_000, Ordering::Relaxed);
    }

    pub(super) fn forward_days(&self, days: i64) {
        self.0.fetch_add(days * 86_400_000, Ordering::Relaxed);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// An engine, its clock, and a client of the root user of [`ACCOUNT`] in [`REGION`].
pub(super) struct Bench {
    pub(super) engine: Arc<Engine>,
    pub(super) clock: Arc<Hands>,
    pub(super) kms: Client,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(Store::Memory, 1)
    }

    /// A bench on which the engine misbehaves.
    pub(super) fn in_chaos(chaos: &str) -> Self {
        Self::of(Store::Memory, 1, Some(chaos.parse().unwrap()))
    }

    pub(super) fn with(store: Store, seed: u64) -> Self {
        Self::of(store, seed, None)
    }

    fn of(store: Store, seed: u64, chaos: Option<Chaos>) -> Self {
        let clock = Arc::new(Hands(AtomicI64::new(1_780_000_000_000)));
        let shared: Arc<dyn Clock> = Arc::<Hands>::clone(&clock);
        let engine = Engine::open(Settings {
            store,
            master_key: None,
            clock: shared,
            entropy: Arc::new(Seeded::new(seed)),
            default_account: "999988887777".parse().unwrap(),
            rules: Rules::default(),
            interceptor: None,
            chaos,
        });
        let engine = Arc::new(engine.unwrap());
        let kms = client(&engine, ACCOUNT, REGION);
        Self { engine, clock, kms }
    }

    /// Makes a symmetric key and gives its id.
    pub(super) async fn key(&self) -> String {
        let made = self.kms.create_key().send().await.unwrap();
        made.key_metadata.unwrap().key_id
    }

    /// Sends a body as it is and gives the status and the body of the answer.
    pub(super) fn raw(&self, operation: &str, body: &str) -> (u16, String) {
        let request = http::Request::post("https://kms.eu-central-1.amazonaws.com/")
            .header("x-amz-target", format!("TrentService.{operation}"))
            .header("authorization", authorization("kms"))
            .body(Bytes::copy_from_slice(body.as_bytes()));
        let answer = self.engine.handle(request.unwrap());
        let status = answer.status().as_u16();
        let body = String::from_utf8(answer.into_body().to_vec()).unwrap();
        (status, body)
    }
}

pub(super) fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

/// A client of an engine that takes the first answer.
pub(super) fn client(engine: &Arc<Engine>, access_key: &str, region: &str) -> Client {
    let config = engine_config(engine, access_key, region).retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

/// Makes a key and gives its id.
pub(super) async fn key_of(kms: &Client, spec: KeySpec, usage: KeyUsageType) -> String {
    let made = kms.create_key().key_spec(spec).key_usage(usage).send();
    made.await.unwrap().key_metadata.unwrap().key_id
}

/// What a dry run says when the request would have succeeded.
pub(super) const DRY_RUN: &str = "The request would have succeeded, but the DryRun option is set.";

/// The ARN of a key of the bench.
pub(super) fn arn(id: &str) -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}")
}

/// Expects an error by code and message.
#[track_caller]
pub(super) fn refused<T, E, R>(answer: Result<T, SdkError<E, R>>, code: &str, message: &str)
where
    T: Debug,
    E: ProvideErrorMetadata + Debug,
    R: Debug,
{
    let error = answer.unwrap_err();
    let error = error.as_service_error().unwrap();
    assert_eq!(
        (error.code(), error.message().unwrap_or_default()),
        (Some(code), message)
    );
}
