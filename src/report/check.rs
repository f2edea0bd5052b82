//! What `check` found, for people and for programs.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::comparison::context_json;
use super::diagnostics::{diagnostic_json, json};
use crate::diagnostic::Diagnostic;
use crate::expectation::{Failure, Outcome};
use crate::state::Desired;

/// Changes when a field of the report changes its meaning; new fields leave it.
const VERSION: u32 = 1;

/// What was checked, and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a> {
    /// What the manifests ask for.
    pub desired: &'a Desired,
    /// The faults of the files.
    pub faults: &'a [Diagnostic],
    /// What became of the expectations; `None` where faults kept them from being looked at.
    pub outcome: Option<&'a Outcome>,
}

/// Writes the counts in a line, where no fault takes their place.
pub fn check_summary(checked: &Checked<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Checked {
        desired, outcome, ..
    } = checked;
    let Some(outcome) = outcome else {
        return Ok(());
    };
    let (keys, places) = (desired.key_count(), desired.places.len());
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let (expectations, held) = (outcome.expectations, outcome.held);
    write!(
        out,
        "{keys} key{} in {places} place{}: no faults",
        plural(keys),
        plural(places)
    )?;
    match (expectations, held) {
        (0, _) => writeln!(out),
        (1, 1) => writeln!(out, "; 1 expectation holds"),
        (all, held) if all == held => writeln!(out, "; {all} expectations hold"),
        (1, _) => writeln!(out, "; the expectation does not hold"),
        (all, 1) => writeln!(out, "; 1 of {all} expectations holds"),
        (all, held) => writeln!(out, "; {held} of {all} expectations hold"),
    }
}

/// The report for programs.
pub fn check_json(checked: &Checked<'_>) -> Value {
    let Checked {
        desired,
        faults,
        outcome,
    } = checked;
    let expectations = outcome.map(|outcome| {
        json!({
            "count": outcome.expectations,
            "held": outcome.held,
            "findings": outcome.failures.iter().map(failure_json).collect::<Vec<_>>(),
        })
    });
    json!({
        "version": VERSION,
        "verb": "check",
        "keys": desired.key_count(),
        "places": desired.places.len(),
        "faults": json(faults),
        "expectations": expectations,
    })
}

/// A finding: what every diagnostic has, then what is known of the request.
fn failure_json(failure: &Failure) -> Value {
    let Failure {
        place,
        key,
        principal,
        verb,
        allowance,
        kind: _,
        example,
        decided_by,
        why,
        diagnostic,
    } = failure;
    let request = example.as_ref().map(|example| {
        json!({
            "principal": example.principal.to_string(),
            "action": example.action,
            "context": context_json(&example.context),
            "level": example.level.word(),
            "decidedBy": decided_by,
            "reason": example.denial.as_ref().map(ToString::to_string),
        })
    });
    let mut object = diagnostic_json(diagnostic);
    let more = [
        ("account", json!(place.account.as_str())),
        ("region", json!(place.region.as_str())),
        ("key", json!(key.as_str())),
        ("principal", json!(principal.to_string())),
        ("claim", json!(verb.word())),
        ("operation", json!(allowance.to_string())),
        ("request", json!(request)),
        ("why", json!(why)),
    ];
    object.extend(more.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(object)
}
