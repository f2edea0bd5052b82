//! `keywright check`: manifests and what they expect, offline.

use std::sync::Arc;

use crate::cli::args::CheckArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::session;
use crate::cli::target;
use crate::diagnostic::{Diagnostic, Location};
use crate::expectation::{self, Outcome};
use crate::manifest::Fallback;
use crate::report::Checked;

/// The most findings that are told as text.
const MOST_TOLD: usize = 100;

pub(super) fn run(args: &CheckArgs, context: &Context) -> anyhow::Result<Exit> {
    let outputs = &args.outputs.outputs;
    let (manifests, mut faults) = session::read_all(&args.manifests);
    let place = target::local_place()?;
    let (desired, more) = manifests.desired(&Fallback { place });
    faults.extend(more);
    let is_wrong = faults.iter().any(Diagnostic::is_error);
    let outcome = (!is_wrong).then(|| expectation::check(&desired, context.now));
    if output::shows_text(outputs) {
        let findings = outcome.as_ref().map(told).unwrap_or_default();
        session::tell(&[faults.as_slice(), &findings].concat())?;
    }
    let checked = Checked {
        desired: &desired,
        faults: &faults,
        outcome: outcome.as_ref(),
    };
    output::write_check(outputs, &checked)?;
    Ok(match outcome {
        None => Exit::Error,
        Some(outcome) if outcome.failures.is_empty() => Exit::Done,
        Some(_) => Exit::Changes,
    })
}

/// The findings that are told as text.
fn told(outcome: &Outcome) -> Vec<Diagnostic> {
    let failures = outcome.failures.iter();
    let all = failures.map(|failure| failure.diagnostic.clone());
    let mut told: Vec<Diagnostic> = all.take(MOST_TOLD).collect();
    let hidden = outcome.failures.len() - told.len();
    if hidden > 0 {
        let message = format!("{hidden} more findings are not shown");
        let last = told.last().and_then(|last| last.locations.first());
        let file = last.map(|last| Arc::clone(&last.file)).unwrap_or_default();
        let location = Location::whole_file(file);
        let more = Diagnostic::finding("too-many-findings", message, location);
        told.push(more.with_help("`--output json` has them all"));
    }
    told
}
