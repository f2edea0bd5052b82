//! Misbehaviour on purpose: what AWS does to its callers now and then, as often as asked for and the same each time.
//!
//! Whatever happens to a call hangs on the seed and on the call's number alone, and on the injected clock.

mod dice;
mod order;
mod quota;
mod spec;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Operation, Place};

use super::wire::{Code, Failure};

pub(crate) use quota::Quota;
pub use spec::{Chaos, ChaosError};

use dice::Dice;
use quota::Buckets;

/// What becomes of an answer on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    /// How late it comes.
    pub(crate) delay: Duration,
    /// Whether it never comes, although all was done.
    pub(crate) is_lost: bool,
}

/// The chaos of one engine.
#[derive(Debug)]
pub(crate) struct Turmoil {
    chaos: Chaos,
    buckets: Arc<Buckets>,
}

/// The chaos of one call.
#[derive(Debug)]
pub(crate) struct Luck {
    chaos: Chaos,
    dice: RefCell<Dice>,
    buckets: Arc<Buckets>,
    /// What the call has been counted against; doing a part of it again costs nothing.
    counted: RefCell<BTreeSet<(Place, Quota)>>,
    /// Whether the call only looks, so that it may see what was.
    is_look: bool,
}

/// Which part of the state is seen late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lag {
    Reads,
    Aliases,
    Grants,
    Principals,
}

impl Turmoil {
    pub(crate) fn new(chaos: Chaos) -> Self {
        Self {
            chaos,
            buckets: Arc::default(),
        }
    }

    /// The longest time for which something old is seen.
    pub(crate) fn memory(&self) -> Duration {
        let Chaos {
            reads,
            aliases,
            principals,
            ..
        } = &self.chaos;
        [*reads, *aliases, *principals]
            .into_iter()
            .max()
            .unwrap_or_default()
    }

    /// What awaits a call.
    pub(crate) fn luck(&self, number: u64, operation: &str) -> Luck {
        let looks = ["Describe", "Get", "List"];
        let is_look = looks.iter().any(|verb| operation.starts_with(verb));
        Luck {
            chaos: self.chaos.clone(),
            dice: RefCell::new(Dice::new(self.chaos.seed, number)),
            buckets: Arc::clone(&self.buckets),
            counted: RefCell::default(),
            is_look: is_look && operation != "GetParametersForImport",
        }
    }

    /// Fails a call that comes too soon, or that is out of luck.
    pub(crate) fn check(
        &self,
        luck: &Luck,
        operation: &str,
        place: &Place,
        now: Timestamp,
    ) -> Result<(), Failure> {
        match operation.parse::<Operation>() {
            Ok(Operation::GenerateRandom) => luck.count(place, (Quota::Symmetric, 1), now)?,
            // What uses a key counts once it is known what the key is.
            Ok(operation) if !operation.is_cryptographic() => {
                luck.count(place, (Quota::Operation(operation), 1), now)?;
            }
            Ok(_) | Err(_) => {}
        }
        if luck.dice.borrow_mut().falls(self.chaos.errors) {
            return Err(Failure::internal(&"chaos"));
        }
        Ok(())
    }
}

impl Luck {
    /// Counts the call against a quota, and fails it where nothing of that is left.
    pub(crate) fn count(
        &self,
        place: &Place,
        (quota, count): (Quota, u32),
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(percent) = self.chaos.quotas else {
            return Ok(());
        };
        let is_new = self
            .counted
            .borrow_mut()
            .insert((place.clone(), quota.clone()));
        if !is_new || self.buckets.take(place, (quota, count), percent, now) {
            return Ok(());
        }
        Err(Failure::new(
            Code::Throttling,
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
        ))
    }

    /// What becomes of the answer.
    pub(crate) fn fate(&self) -> Fate {
        let mut dice = self.dice.borrow_mut();
        Fate {
            delay: self.chaos.slow.mul_f64(dice.part()),
            is_lost: dice.falls(self.chaos.lost),
        }
    }

    /// Since when the call may miss what was written; `None` where it sees everything.
    pub(crate) fn blind_since(&self, lag: Lag, now: Timestamp) -> Option<Timestamp> {
        let longest = match lag {
            Lag::Reads if self.is_look => self.chaos.reads,
            Lag::Reads => Duration::ZERO,
            Lag::Aliases => self.chaos.aliases,
            Lag::Grants => self.chaos.grants,
            Lag::Principals => self.chaos.principals,
        };
        if longest.is_zero() {
            return None;
        }
        let blind = longest.mul_f64(self.dice.borrow_mut().part());
        now.checked_sub(SignedDuration::try_from(blind).ok()?).ok()
    }

    /// A policy's text with its lists in another order.
    pub(crate) fn reorder(&self, text: String) -> String {
        if self.chaos.order {
            order::shuffle(&text, &mut self.dice.borrow_mut()).unwrap_or(text)
        } else {
            text
        }
    }

    /// True when policies and grants are to forget the names of deleted principals.
    pub(crate) fn decays(&self) -> bool {
        self.chaos.decay
    }
}
