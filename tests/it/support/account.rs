//! A live account in memory: the bundled engine with a clock and ids of the test's own, through the real client.

use std::sync::Arc;

use jiff::Timestamp;
use keywright::apply::{Event, Outcome, Stop, apply};
use keywright::engine::{Chaos, Clock, Engine, Interceptor, Settings, Store};
use keywright::kms::{Client, Pace};
use keywright::model::Place;
use keywright::observe::{Others, Scope, observe};
use keywright::plan::{Allow, Limits, Plan, plan};
use keywright::state::{Desired, Observed};
use tokio::time::Instant;

use super::engine::{Seeded, engine_config};

/// The time of every test.
pub(crate) const NOW: &str = "2026-06-01T00:00:00Z";

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }
}

/// A clock that goes with the runtime's.
#[derive(Debug)]
struct Flowing(Instant);

impl Clock for Flowing {
    fn now(&self) -> Timestamp {
        let begin: Timestamp = NOW.parse().unwrap();
        begin + self.0.elapsed()
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
            entropy: Arc::new(Seeded::new(1)),
            interceptor,
            ..Settings::new(Store::Memory, place.account)
        };
        Self::on(&Arc::new(Engine::open(settings).unwrap()), place)
    }

    /// An account that misbehaves, whose time passes where the code waits.
    pub(crate) fn in_chaos(place: &Place, chaos: Chaos) -> Self {
        let settings = Settings {
            clock: Arc::new(Flowing(Instant::now())),
            entropy: Arc::new(Seeded::new(1)),
            chaos: Some(chaos),
            ..Settings::new(Store::Memory, place.account)
        };
        Self::on(&Arc::new(Engine::open(settings).unwrap()), place)
    }

    /// Another client of the same engine.
    pub(crate) fn on(engine: &Arc<Engine>, place: &Place) -> Self {
        let config = engine_config(engine, place.account.as_str(), place.region.as_str()).build();
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
        let mut events = |_: Event<'_>| {};
        apply(&self.client, &plan.places[0], &Stop::default(), &mut events).await
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
        undetermined: true,
    };
    Limits {
        now: NOW.parse().unwrap(),
        allow,
        rewrite: false,
    }
}
