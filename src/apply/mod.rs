//! Plan → effects, as events. Every write is in the plan, and none is made on a state that the plan did not see.

mod execute;
mod expect;
mod stop;

use std::cell::RefCell;

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::kms::{CallError, Client};
use crate::model::{AliasName, KeyArn, KeyId, KeyName};
use crate::plan::{Action, KeyPlan, PlacePlan};
use crate::state::Part;

pub use self::stop::{Stop, Wish};

/// Keys that are changed at once.
const KEYS_AT_ONCE: usize = 64;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A key's changes begin.
    Started {
        /// The key.
        key: &'a KeyName,
    },
    /// A change took effect.
    Done {
        /// The key.
        key: &'a KeyName,
        /// What was done.
        action: &'a Action,
    },
    /// A key is finished, well or not.
    Finished {
        /// The key.
        key: &'a KeyName,
        /// Why it stopped early.
        failure: Option<&'a Failure>,
    },
}

/// Why a key's changes stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The live state is no longer what the plan saw.
    #[error("the key's {0} changed after the plan was made; nothing more was written to the key")]
    Stale(Part),
    /// An alias no longer leads where the plan saw it lead.
    #[error("{0} changed after the plan was made; nothing more was written to the key")]
    StaleAlias(AliasName),
    /// KMS refused or did not answer.
    #[error("{0}")]
    Call(#[from] CallError),
    /// A new grant did not show up, so the old one was kept.
    #[error("the new grant {0} is not visible yet; the old one was kept")]
    GrantNotVisible(String),
    /// Another run made the key at the same time; ours was scheduled for deletion.
    #[error(
        "another run created the key first as {winner}; the one made here was never used and was scheduled for deletion"
    )]
    Superseded {
        /// The key that stays.
        winner: KeyId,
    },
    /// The person asked to stop.
    #[error("stopped on request")]
    Stopped,
    /// The person asked to stop without waiting for an answer.
    #[error("stopped on request in the middle of a call, which may have taken effect")]
    Abandoned,
}

impl Failure {
    /// True when a change was tried and did not take effect.
    pub fn is_of_change(&self) -> bool {
        !matches!(self, Self::Stopped)
    }

    /// True when the person wanted it so.
    pub fn is_of_person(&self) -> bool {
        matches!(self, Self::Stopped | Self::Abandoned)
    }

    /// The next step, where it is not simply to run again.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Call(error) if error.is_lockout() => Some(
                "let an administrator that is the caller, or the account's IAM policies, keep `kms:PutKeyPolicy`; or skip AWS's check with --allow-lockout",
            ),
            Self::Stale(_) | Self::StaleAlias(_) => {
                Some("look at what changed, then run again to plan from it")
            }
            Self::Call(_)
            | Self::GrantNotVisible(_)
            | Self::Superseded { .. }
            | Self::Stopped
            | Self::Abandoned => None,
        }
    }

    /// True when the plan was refused for being out of date.
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Stale(_) | Self::StaleAlias(_))
    }
}

/// What became of a plan.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Outcome {
    /// Per key with changes, in the plan's order.
    pub keys: Vec<KeyOutcome>,
}

/// What became of one key's changes.
#[derive(Clone, Debug)]
pub struct KeyOutcome {
    /// The name.
    pub name: KeyName,
    /// The key; `None` where none was made.
    pub key: Option<KeyArn>,
    /// How many changes took effect; always the first ones of the plan.
    pub done: usize,
    /// How many were not tried.
    pub skipped: usize,
    /// Why the first of the others did not take effect.
    pub failure: Option<Failure>,
}

/// Carries out what the plan says, independent keys at once, until it is done or someone wants it to stop.
pub async fn apply(
    client: &Client,
    plan: &PlacePlan,
    stop: &Stop,
    events: &mut impl FnMut(Event<'_>),
) -> Outcome {
    let reporter = Reporter(RefCell::new(events));
    let todo = plan.work().enumerate();
    let runs = stream::iter(todo).map(|(index, key)| {
        let reporter = &reporter;
        async move { (index, run(client, key, stop, reporter).await) }
    });
    let mut outcomes: Vec<(usize, KeyOutcome)> =
        runs.buffer_unordered(KEYS_AT_ONCE).collect().await;
    outcomes.sort_by_key(|(index, _)| *index);
    Outcome {
        keys: outcomes.into_iter().map(|(_, outcome)| outcome).collect(),
    }
}

/// The events of keys that run at once, one after the other.
struct Reporter<'a, F>(RefCell<&'a mut F>);

impl<F: FnMut(Event<'_>)> Reporter<'_, F> {
    fn tell(&self, event: Event<'_>) {
        (self.0.borrow_mut())(event);
    }
}

async fn run<F: FnMut(Event<'_>)>(
    client: &Client,
    plan: &KeyPlan,
    stop: &Stop,
    reporter: &Reporter<'_, F>,
) -> KeyOutcome {
    reporter.tell(Event::Started { key: &plan.name });
    let mut key = plan.key.as_ref().map(|arn| arn.id.clone());
    let mut expectations = expect::Expectations::default();
    let mut done = 0;
    let mut failure = None;
    for change in &plan.changes {
        // Whoever asks to stop is heard, though the bundled engine answers without a pause.
        tokio::task::yield_now().await;
        if stop.wish() != Wish::GoOn {
            failure = Some(Failure::Stopped);
            break;
        }
        let attempt = async {
            expectations.check(client, key.as_ref(), change).await?;
            execute::execute(client, plan, &mut key, &change.action).await
        };
        let effect = tokio::select! {
            biased;
            () = stop.at_once() => Err(Failure::Abandoned),
            effect = attempt => effect,
        };
        match effect {
            Ok(()) => {
                done += 1;
                reporter.tell(Event::Done {
                    key: &plan.name,
                    action: &change.action,
                });
            }
            Err(problem) => {
                failure = Some(problem);
                break;
            }
        }
    }
    reporter.tell(Event::Finished {
        key: &plan.name,
        failure: failure.as_ref(),
    });
    KeyOutcome {
        name: plan.name.clone(),
        key: key.map(|id| KeyArn::new(client.place().clone(), id)),
        done,
        skipped: plan.changes.len()
            - done
            - usize::from(failure.as_ref().is_some_and(Failure::is_of_change)),
        failure,
    }
}
