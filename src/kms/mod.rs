//! The one KMS client: every call is paced, retried where that is safe, classified and counted.

mod api;
mod error;
mod pace;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::config::timeout::TimeoutConfig;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};

use crate::model::{Place, Principal};

pub use api::Api;
pub use error::{CallError, ErrorKind, innermost, reason};
pub use pace::Pace;

/// How often a call is tried in all.
const ATTEMPTS: u32 = 6;
/// The first pause before trying again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A KMS client for one account and Region.
#[derive(Debug)]
pub struct Client {
    place: Place,
    caller: Option<Principal>,
    sdk: aws_sdk_kms::Client,
    pace: Pace,
    calls: Vec<AtomicU64>,
}

impl Client {
    /// Wraps an SDK configuration; the SDK's own retries go, because they repeat `CreateKey`.
    pub fn new(place: Place, config: &aws_sdk_kms::Config, pace: Pace) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(Duration::from_secs(30))
            .build();
        let config = config
            .to_builder()
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .stalled_stream_protection(
                aws_sdk_kms::config::StalledStreamProtectionConfig::disabled(),
            )
            .build();
        let calls = Api::ALL.iter().map(|_| AtomicU64::new(0)).collect();
        Self {
            place,
            caller: None,
            sdk: aws_sdk_kms::Client::from_conf(config),
            pace,
            calls,
        }
    }

    /// The same client, of which it is known who calls.
    #[must_use]
    pub fn with_caller(mut self, caller: Option<Principal>) -> Self {
        self.caller = caller;
        self
    }

    /// Who calls, where that is known.
    pub fn caller(&self) -> Option<&Principal> {
        self.caller.as_ref()
    }

    /// The account and Region that the client talks to.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The SDK client, to build requests with.
    pub fn sdk(&self) -> &aws_sdk_kms::Client {
        &self.sdk
    }

    /// How often each operation was called, retries included.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        let counted = Api::ALL.iter().zip(&self.calls);
        counted
            .map(|(api, count)| (api.name(), count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// Makes one call, in its turn, again where repeating it is safe.
    pub async fn call<T, E, F>(&self, api: Api, send: impl Fn() -> F) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + Debug + 'static,
    {
        let mut attempt = 1;
        loop {
            let turn = self.pace.turn(api).await;
            if let Some(count) = self.calls.get(api as usize) {
                count.fetch_add(1, Ordering::Relaxed);
            }
            let answer = Box::pin(send()).await;
            drop(turn);
            let error = match answer {
                Ok(value) => {
                    self.pace.succeeded(api);
                    return Ok(value);
                }
                Err(error) => CallError::new(api, &error),
            };
            if error.kind == ErrorKind::Throttled {
                self.pace.throttled(api);
            }
            if attempt >= error.kind.attempts(api) {
                return Err(error);
            }
            tokio::time::sleep(pause(attempt, error.kind)).await;
            attempt += 1;
        }
    }
}

impl ErrorKind {
    /// How often a call that fails this way may be tried in all.
    fn attempts(self, api: Api) -> u32 {
        match self {
            Self::Throttled => ATTEMPTS + 2,
            Self::Unclear if api.is_repeatable() => ATTEMPTS,
            Self::NotVisibleYet => 4,
            Self::Unclear | Self::NotFound | Self::Denied | Self::Final => 1,
        }
    }
}

/// Exponential backoff with jitter, so that many keys do not come back at once.
fn pause(attempt: u32, kind: ErrorKind) -> Duration {
    let first = if kind == ErrorKind::NotVisibleYet {
        FIRST_PAUSE * 10
    } else {
        FIRST_PAUSE
    };
    let longest = first.saturating_mul(1 << attempt.saturating_sub(1).min(7));
    longest.mul_f64(0.5 + pace::jitter() / 2.0)
}
