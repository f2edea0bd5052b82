//! `keywright apply`: the plan, carried out and read back.

use std::collections::BTreeSet;
use std::io::{BufRead as _, Write as _};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::apply::{self, Event, Failure, Outcome};
use crate::cli::args::ApplyArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::progress::Progress;
use crate::cli::session::{self, Session};
use crate::model::KeyName;
use crate::observe::Others;
use crate::plan::{KeyPlan, Limits, Plan};
use crate::report::{self, Applied, Report};

/// How often what was written is looked for on a remote target, with growing pauses: a minute in all.
const LOOKS: u32 = 6;

pub(super) async fn run(args: &ApplyArgs, context: &Context) -> anyhow::Result<Exit> {
    let outputs = &args.plan.outputs.outputs;
    let Some(session) = Session::open(&args.plan.manifests, &args.plan.target, context).await?
    else {
        return Ok(Exit::Error);
    };
    let limits = session::limits(&args.plan.allow, context);
    let plan = session.plan(&limits, Others::WhenMissing).await;
    if output::shows_text(outputs) {
        let mut out = anstream::stdout();
        report::render_plan(&plan, &mut out)?;
        out.flush()?;
    }
    let has_work = plan
        .places
        .iter()
        .any(|place| place.refusals.is_empty() && place.keys.iter().any(is_work));
    let applied = if !has_work {
        None
    } else if args.yes || confirm(context)? {
        Some(carry_out(&session, &plan, &limits, context).await?)
    } else {
        writeln!(anstream::stderr(), "nothing was changed")?;
        return Ok(Exit::Refused);
    };
    let calls = session.calls();
    let later = outputs
        .iter()
        .filter(|output| applied.is_some() || **output != output::STANDARD)
        .cloned();
    let later: Vec<_> = later.collect();
    output::write(
        &later,
        Report {
            verb: "apply",
            plan: &plan,
            applied: applied.as_ref(),
            calls: &calls,
        },
    )?;
    Ok(exit_of(&plan, applied.as_ref()))
}

fn is_work(key: &KeyPlan) -> bool {
    key.refusals.is_empty() && !key.changes.is_empty()
}

fn confirm(context: &Context) -> anyhow::Result<bool> {
    anyhow::ensure!(
        context.can_ask,
        "nobody can be asked here: review the plan above, then run again with --yes"
    );
    let mut stderr = anstream::stderr();
    write!(stderr, "Apply these changes? Only `yes` does it: ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

async fn carry_out(
    session: &Session<'_>,
    plan: &Plan,
    limits: &Limits,
    context: &Context,
) -> anyhow::Result<Applied> {
    let stop = AtomicBool::new(false);
    let work = async {
        let mut applied = execute(session, plan, &stop, context).await;
        if has_superseded(&applied.outcomes) {
            let again = session.plan(limits, Others::WhenMissing).await;
            let second = execute(session, &again, &stop, context).await;
            merge(&mut applied.outcomes, second.outcomes);
        }
        applied.unconfirmed = confirm_written(session, plan, &applied.outcomes, limits).await;
        applied
    };
    let interrupt = async {
        while tokio::signal::ctrl_c().await.is_ok() {
            // The calls under way are finished first: a write is never left without its answer.
            if stop.swap(true, Ordering::Relaxed) {
                return;
            }
        }
    };
    tokio::select! {
        applied = work => Ok(applied),
        () = interrupt => anyhow::bail!("stopped in the middle of a call; run again to continue"),
    }
}

async fn execute(
    session: &Session<'_>,
    plan: &Plan,
    stop: &AtomicBool,
    context: &Context,
) -> Applied {
    let progress = Progress::start(context, "applying");
    let mut outcomes = Vec::with_capacity(plan.places.len());
    for place in &plan.places {
        progress.add(place.keys.iter().filter(|key| is_work(key)).count());
        let Some(client) = session.client(&place.place) else {
            outcomes.push(Outcome::default());
            continue;
        };
        let mut events = |event: Event<'_>| {
            if let Event::Finished { key, failure } = event {
                progress.step();
                if let Some(failure) = failure {
                    progress.say(&format!("{key}: {failure}"));
                }
            }
            if stop.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        outcomes.push(apply::apply(client, place, &mut events).await);
    }
    Applied {
        outcomes,
        unconfirmed: Vec::new(),
    }
}

fn has_superseded(outcomes: &[Outcome]) -> bool {
    let superseded =
        |failure: &Option<Failure>| matches!(failure, Some(Failure::Superseded { .. }));
    outcomes
        .iter()
        .flat_map(|outcome| &outcome.keys)
        .any(|key| superseded(&key.failure))
}

/// Puts the second round's outcome in place of keys that another run had created first.
fn merge(first: &mut [Outcome], second: Vec<Outcome>) {
    for (first, second) in first.iter_mut().zip(second) {
        for key in &mut first.keys {
            if !matches!(key.failure, Some(Failure::Superseded { .. })) {
                continue;
            }
            match second.keys.iter().find(|again| again.name == key.name) {
                Some(again) => *key = again.clone(),
                // The winner's key is as the manifest says already.
                None => key.failure = None,
            }
        }
    }
}

/// Reads back what was written, until it is what is read; returns what is not.
async fn confirm_written(
    session: &Session<'_>,
    plan: &Plan,
    outcomes: &[Outcome],
    limits: &Limits,
) -> Vec<Vec<KeyPlan>> {
    let written = |outcome: &Outcome| -> BTreeSet<KeyName> {
        let whole = outcome
            .keys
            .iter()
            .filter(|key| key.failure.is_none() && key.done > 0);
        whole.map(|key| key.name.clone()).collect()
    };
    let mut names: Vec<BTreeSet<KeyName>> = outcomes.iter().map(written).collect();
    let mut unconfirmed: Vec<Vec<KeyPlan>> = plan.places.iter().map(|_| Vec::new()).collect();
    for look in 0..LOOKS {
        let again = session.plan_only(&names, limits).await;
        unconfirmed = again;
        names = unconfirmed
            .iter()
            .map(|keys| keys.iter().map(|key| key.name.clone()).collect())
            .collect();
        if names.iter().all(BTreeSet::is_empty) || !session.is_remote() || look + 1 == LOOKS {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1 << look)).await;
    }
    unconfirmed
}

fn exit_of(plan: &Plan, applied: Option<&Applied>) -> Exit {
    let summary = plan.summary();
    let failures = || {
        applied
            .iter()
            .flat_map(|applied| &applied.outcomes)
            .flat_map(|outcome| &outcome.keys)
            .filter_map(|key| key.failure.as_ref())
    };
    let unconfirmed =
        applied.is_some_and(|applied| applied.unconfirmed.iter().any(|keys| !keys.is_empty()));
    if failures().any(|failure| !failure.is_stale()) {
        Exit::Partial
    } else if summary.refused > 0 || failures().next().is_some() {
        Exit::Refused
    } else if unconfirmed {
        Exit::Partial
    } else if summary.unreadable > 0 {
        Exit::Unreadable
    } else {
        Exit::Done
    }
}
