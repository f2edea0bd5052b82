//! How fast each operation is called: a lane of its own per operation, slower after throttling.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::Api;

/// Calls under way at once in one lane.
const WORKERS: usize = 32;
/// The slowest a lane gets, in calls a second.
const SLOWEST: f64 = 0.5;

/// The pace of every operation for one account and Region.
#[derive(Debug)]
pub struct Pace {
    lanes: Vec<Lane>,
}

/// One operation's lane: sleeping calls here never hold up another operation.
#[derive(Debug)]
struct Lane {
    workers: Semaphore,
    /// Calls a second at best; `None` leaves the lane unlimited until it is throttled.
    best: Option<f64>,
    tempo: Mutex<Tempo>,
}

#[derive(Debug)]
struct Tempo {
    rate: Option<f64>,
    next: Option<Instant>,
}

impl Pace {
    /// A part, in percent, of AWS's published quotas.
    pub fn share(percent: u8) -> Self {
        Self::with(|api| Some(f64::from(api.quota()) * f64::from(percent.clamp(1, 100)) / 100.0))
    }

    /// No limit of ours, for servers that have no quotas.
    pub fn unlimited() -> Self {
        Self::with(|_| None)
    }

    fn with(best: impl Fn(Api) -> Option<f64>) -> Self {
        let lane = |api: &Api| {
            let best = best(*api);
            Lane {
                workers: Semaphore::new(WORKERS),
                best,
                tempo: Mutex::new(Tempo {
                    rate: best,
                    next: None,
                }),
            }
        };
        Self {
            lanes: Api::ALL.iter().map(lane).collect(),
        }
    }

    /// Waits for the operation's next turn; the turn ends when the permit is dropped.
    pub(super) async fn turn(&self, api: Api) -> Option<SemaphorePermit<'_>> {
        let lane = self.lanes.get(api as usize)?;
        let permit = lane.workers.acquire().await.ok();
        if let Some(start) = lane.book() {
            tokio::time::sleep_until(start).await;
        }
        permit
    }

    /// Halves the operation's pace.
    pub(super) fn throttled(&self, api: Api) {
        let Some(lane) = self.lanes.get(api as usize) else {
            return;
        };
        let mut tempo = lane.tempo.lock().unwrap_or_else(PoisonError::into_inner);
        let rate = tempo.rate.unwrap_or_else(|| f64::from(api.quota()));
        tempo.rate = Some((rate / 2.0).max(SLOWEST));
    }

    /// Recovers a little of the operation's pace.
    pub(super) fn succeeded(&self, api: Api) {
        let Some(lane) = self.lanes.get(api as usize) else {
            return;
        };
        let mut tempo = lane.tempo.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rate) = tempo.rate {
            let best = lane.best.unwrap_or_else(|| f64::from(api.quota()));
            tempo.rate = Some((rate + best / 50.0).min(best));
        }
    }
}

impl Lane {
    /// Books the next free moment, if it is not now.
    fn book(&self) -> Option<Instant> {
        let mut tempo = self.tempo.lock().unwrap_or_else(PoisonError::into_inner);
        let rate = tempo.rate?;
        let now = Instant::now();
        let start = tempo.next.map_or(now, |next| next.max(now));
        tempo.next = Some(start + Duration::from_secs_f64(1.0 / rate));
        (start > now).then_some(start)
    }
}

/// A number in 0 to 1 that differs between calls and processes; not for secrets.
pub(super) fn jitter() -> f64 {
    let random = RandomState::new().hash_one(0_u8);
    f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
