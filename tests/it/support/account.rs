//! A live account in memory: the bundled engine with a clock and ids of the test's own, through the real client.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use jiff::Timestamp;
use keywright::apply::{Event, Outcome, apply};
use keywright::engine::{self, Clock, Engine, Entropy, Interceptor, NoEntropy, Settings, Store};
use keywright::kms::{Client, Pace};
use keywright::model::Place;
use keywright::observe::{Others, Scope, observe};
use keywright::plan::{Allow, Limits, Plan, plan};
use keywright::state::{Desired, Observed};

/// The time of every test.
pub(crate) const NOW: &str = "2026-06-01T00:00:00Z";

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }
}

/// Bytes that look random and are the same in every run.
#[derive(Debug, Default)]
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        for byte in bytes {
            let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = u8::try_from((mixed ^ (mixed >> 27)) >> 56).unwrap();
        }
        Ok(())
    }
}

/// An account in one place.
pub(crate) struct Account {
    pub(crate) client: Client,
}

impl Account {
    pub(crate) fn new(place: &Place) -> Self {
        Self::intercepted(place, None)
    }

    /// An account whose calls go past a hook.
    pub(crate) fn intercepted(place: &Place, interceptor: Option<Arc<dyn Interceptor>>) -> Self {
        let settings = Settings {
            clock: Arc::new(Stopped),
            entropy: Arc::new(Counted::default()),
            interceptor,
            ..Settings::new(Store::Memory, place.account)
        };
        Self::on(&Arc::new(Engine::open(settings).unwrap()), place)
    }

    /// Another client of the same engine.
    pub(crate) fn on(engine: &Arc<Engine>, place: &Place) -> Self {
        let config = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(place.region.to_string()))
            .credentials_provider(Credentials::new(
                place.account.as_str(),
                "test",
                None,
                None,
                "test",
            ))
            .endpoint_url("http://engine.test")
            .http_client(engine::connector(Arc::clone(engine)))
            .build();
        Self {
            client: Client::new(place.clone(), &config, Pace::unlimited()),
        }
    }

    pub(crate) async fn observe(&self, desired: &Desired, others: Others) -> Observed {
        let scope = Scope::of(&desired.places[0], others);
        Observed {
            places: vec![observe(&self.client, &scope, &mut |_| {}).await],
        }
    }

    pub(crate) async fn plan(&self, desired: &Desired) -> Plan {
        plan(
            desired,
            &self.observe(desired, Others::WhenMissing).await,
            &limits(),
        )
    }

    pub(crate) async fn apply(&self, plan: &Plan) -> Outcome {
        apply(&self.client, &plan.places[0], &mut |_: Event<'_>| {
            ControlFlow::Continue(())
        })
        .await
    }
}

/// Everything is allowed that a flag can allow.
pub(crate) fn limits() -> Limits {
    let allow = Allow {
        adoption: true,
        disabling: true,
        deletion: true,
        mass_change: true,
        lockout: true,
    };
    Limits {
        now: NOW.parse().unwrap(),
        allow,
        rewrite: false,
    }
}
