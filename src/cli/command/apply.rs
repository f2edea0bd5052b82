//! `keywright apply`: the plan, carried out and read back.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io::{BufRead as _, Write as _};
use std::time::Duration;

use futures_util::future::join_all;

use crate::apply::{self, Event, Failure, KeyOutcome, Outcome, Stop, Wish};
use crate::cli::args::ApplyArgs;
use crate::cli::context::Context;
use crate::cli::exit::{Exit, unless_gone};
use crate::cli::output;
use crate::cli::progress::Progress;
use crate::cli::session::{self, Names, Session};
use crate::model::{KeyArn, KeyName, Place};
use crate::observe::Others;
use crate::plan::{KeyPlan, Limits, Plan};
use crate::report::{self, Applied, Format, Report};
use crate::state::Unreadable;

/// How often what was written is looked for on a remote target, with growing pauses: a minute in all.
const LOOKS: u32 = 6;

pub(super) async fn run(args: &ApplyArgs, context: &Context) -> anyhow::Result<Exit> {
    let outputs = &args.plan.outputs.outputs;
    output::prepare(outputs)?;
    let opened = Session::open(&args.plan.manifests, &args.plan.target, context).await?;
    let session = match opened {
        Ok(session) => session,
        Err(faults) => {
            output::write_faults("apply", outputs, &faults)?;
            return Ok(Exit::Error);
        }
    };
    let limits = session::limits(&args.plan.allow, context);
    let plan = session.plan(&limits, Others::WhenMissing).await;
    let shows_text = output::shows_text(outputs);
    if shows_text {
        let mut out = anstream::stdout();
        unless_gone(report::render_plan(&plan, &mut out).and_then(|()| out.flush()))?;
    }
    let has_work = plan
        .places
        .iter()
        .any(|place| place.work().next().is_some());
    let applied = if !has_work {
        session.put_identities()?;
        None
    } else if args.yes || confirm(context, (!shows_text).then_some(&plan))? {
        // First, since key policies may name only principals that are there.
        session.put_identities()?;
        Some(carry_out(&session, &plan, &limits, context).await)
    } else {
        writeln!(anstream::stderr(), "nothing was changed")?;
        return Ok(Exit::Refused);
    };
    let calls = session.calls();
    let report = Report {
        verb: "apply",
        plan: &plan,
        applied: applied.as_ref(),
        calls: &calls,
    };
    let written = if applied.is_some() {
        output::write(outputs, report)
    } else {
        // The text is the plan, which is there already.
        output::write_beside_text(outputs, report)
    };
    if let Err(error) = written {
        // What was done must be told somewhere.
        unless_gone(report::render(
            report,
            Format::Text,
            &mut anstream::stderr(),
        ))?;
        return Err(error);
    }
    Ok(exit_of(&plan, applied.as_ref()))
}

/// Asks, after showing the plan where it was not shown yet: nobody agrees to what is not there to read.
fn confirm(context: &Context, unseen: Option<&Plan>) -> anyhow::Result<bool> {
    if let Some(plan) = unseen {
        report::render_plan(plan, &mut anstream::stderr())?;
    }
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
) -> Applied {
    let stop = Stop::default();
    let work = async {
        let mut applied = execute(session, plan, &stop, context).await;
        let superseded = superseded(&applied);
        if !superseded.is_empty() && stop.wish() == Wish::GoOn {
            // Only those keys: what else moved since the person agreed is for another plan.
            let again = session.plan_some(&superseded, limits).await;
            let second = execute(session, &again, &stop, context).await;
            merge(&mut applied, &second);
        }
        let names = written(&applied);
        applied.unconfirmed = tokio::select! {
            biased;
            () = stop.at_once() => unread(&names),
            open = confirm_written(session, names.clone(), limits) => open,
        };
        applied
    };
    tokio::select! {
        // First, so that a wish to stop is known before the next call.
        biased;
        never = listen(&stop) => match never {},
        applied = work => applied,
    }
}

/// Hears every Ctrl-C; the work ends by itself, and its report is never lost.
async fn listen(stop: &Stop) -> Infallible {
    while tokio::signal::ctrl_c().await.is_ok() {
        let line = match stop.ask() {
            Wish::GoOn | Wish::AfterCalls => {
                "stopping after the calls under way; press again to stop at once"
            }
            Wish::AtOnce => "stopping at once",
        };
        // Nobody is left to tell when stderr is gone.
        let _ignored = writeln!(anstream::stderr(), "{line}");
    }
    std::future::pending().await
}

async fn execute(session: &Session<'_>, plan: &Plan, stop: &Stop, context: &Context) -> Applied {
    let progress = &Progress::start(context, "applying");
    let places = plan.places.iter().filter_map(|place| {
        let client = session.client(&place.place)?;
        progress.add(place.work().count());
        Some(async move {
            let mut events = |event: Event<'_>| tell(progress, &event);
            let outcome = apply::apply(client, place, stop, &mut events).await;
            (place.place.clone(), outcome)
        })
    });
    Applied {
        outcomes: progress.over(join_all(places)).await.into_iter().collect(),
        ..Applied::default()
    }
}

fn tell(progress: &Progress, event: &Event<'_>) {
    let Event::Finished { key, failure } = event else {
        return;
    };
    progress.step();
    if let Some(failure) = failure.filter(|failure| failure.is_of_change()) {
        progress.say(&format!("{key}: {failure}"));
    }
}

/// The keys that another run had created first.
fn superseded(applied: &Applied) -> Names {
    let is_superseded = |key: &&KeyOutcome| matches!(key.failure, Some(Failure::Superseded { .. }));
    let of_place = |(place, outcome): (&Place, &Outcome)| {
        let names: BTreeSet<KeyName> = outcome
            .keys
            .iter()
            .filter(is_superseded)
            .map(|key| key.name.clone())
            .collect();
        (place.clone(), names)
    };
    let places = applied.outcomes.iter().map(of_place);
    places.filter(|(_, names)| !names.is_empty()).collect()
}

/// Puts the second round's outcome in place of keys that another run had created first.
fn merge(first: &mut Applied, second: &Applied) {
    for (place, outcome) in &mut first.outcomes {
        let second = second.outcomes.get(place);
        for key in &mut outcome.keys {
            let Some(Failure::Superseded { winner }) = &key.failure else {
                continue;
            };
            let again =
                second.and_then(|second| second.keys.iter().find(|again| again.name == key.name));
            *key = again.cloned().unwrap_or_else(|| KeyOutcome {
                // The winner's key is as the manifest says already, so there is nothing left to do.
                key: Some(KeyArn::new(place.clone(), winner.clone())),
                skipped: 0,
                failure: None,
                ..key.clone()
            });
        }
    }
}

/// The keys whose every change took effect.
fn written(applied: &Applied) -> Names {
    let of_outcome = |outcome: &Outcome| -> BTreeSet<KeyName> {
        let whole = outcome
            .keys
            .iter()
            .filter(|key| key.failure.is_none() && key.done > 0);
        whole.map(|key| key.name.clone()).collect()
    };
    applied
        .outcomes
        .iter()
        .map(|(place, outcome)| (place.clone(), of_outcome(outcome)))
        .collect()
}

/// Keys that nobody waited for to be read back.
fn unread(names: &Names) -> BTreeMap<Place, Vec<KeyPlan>> {
    let row = Unreadable {
        key: None,
        operation: "DescribeKey",
        reason: "stopped on request before it was read back".to_owned(),
    };
    let keys = |names: &BTreeSet<KeyName>| {
        let all = names.iter();
        all.map(|name| KeyPlan::unread(name.clone(), row.clone()))
            .collect()
    };
    names
        .iter()
        .map(|(place, names)| (place.clone(), keys(names)))
        .collect()
}

/// Reads back what was written, until it is what is read; returns what is not.
async fn confirm_written(
    session: &Session<'_>,
    mut names: Names,
    limits: &Limits,
) -> BTreeMap<Place, Vec<KeyPlan>> {
    for look in 0.. {
        let open = session.unsettled(&names, limits).await;
        if open.is_empty() || !session.is_remote() || look + 1 == LOOKS {
            return open;
        }
        names = open
            .iter()
            .map(|(place, keys)| {
                (
                    place.clone(),
                    keys.iter().map(|key| key.name.clone()).collect(),
                )
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(1 << look)).await;
    }
    BTreeMap::new()
}

fn exit_of(plan: &Plan, applied: Option<&Applied>) -> Exit {
    let summary = plan.summary();
    let outcomes = || applied.iter().flat_map(|applied| applied.outcomes.values());
    let failures = || {
        outcomes()
            .flat_map(|outcome| &outcome.keys)
            .filter_map(|key| key.failure.as_ref())
    };
    let unconfirmed =
        applied.is_some_and(|applied| applied.unconfirmed.values().any(|keys| !keys.is_empty()));
    if session::is_blind(plan) {
        Exit::Error
    } else if failures().any(|failure| !failure.is_stale()) {
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
