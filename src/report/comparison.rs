//! A comparison of two policies, for people and for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::style::{ADDED, REMOVED, paint};
use crate::access::{Comparison, Scales, Verdict, Witness};
use crate::model::AccountId;
use crate::policy::Level;

/// The comparison as JSON: `verdict`, `scales`, `witnesses`, and the `reason` where there is no verdict.
pub fn comparison_json(comparison: &Comparison) -> Map<String, Value> {
    let Comparison {
        scales,
        witnesses,
        reason,
    } = comparison;
    let Scales { full, nogrant, may } = *scales;
    let mut object = Map::new();
    object.insert("verdict".to_owned(), full.word().into());
    object.insert(
        "scales".to_owned(),
        json!({"full": full.word(), "nogrant": nogrant.word(), "may": may.word()}),
    );
    object.insert(
        "witnesses".to_owned(),
        witnesses.iter().map(witness_json).collect(),
    );
    if let Some(reason) = reason {
        object.insert("reason".to_owned(), reason.to_string().into());
    }
    object
}

pub(super) fn witness_json(witness: &Witness) -> Value {
    let Witness {
        principal,
        action,
        context,
        a,
        b,
    } = witness;
    json!({
        "principal": principal.to_string(),
        "action": action,
        "context": context_json(context),
        "a": a.word(),
        "b": b.word(),
    })
}

/// A request's context; a key's only value stands for itself.
pub(super) fn context_json(context: &BTreeMap<String, Vec<String>>) -> Value {
    let value = |values: &Vec<String>| match values.as_slice() {
        [one] => Value::from(one.as_str()),
        many => many.into(),
    };
    let pairs = context.iter();
    pairs
        .map(|(key, values)| (key.clone(), value(values)))
        .collect()
}

/// Writes the verdict and a request for each difference, as seen from the key's account.
pub fn comparison_text(
    comparison: &Comparison,
    home: AccountId,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Comparison {
        scales,
        witnesses,
        reason,
    } = comparison;
    let meaning = match scales.full {
        Verdict::Equivalent => "both policies answer every request alike",
        Verdict::Narrower => "the second policy gives less access, and more to nobody",
        Verdict::Wider => "the second policy gives more access, and less to nobody",
        Verdict::Incomparable => "the second policy gives more access to some, and less to others",
        Verdict::Undetermined => "there is no sure answer; take it as wider",
    };
    writeln!(out, "{}: {meaning}", scales.full.word())?;
    if let Some(reason) = reason {
        writeln!(out, "  {reason}")?;
    }
    for witness in witnesses {
        write_witness(witness, home, out)?;
    }
    Ok(())
}

fn write_witness(witness: &Witness, home: AccountId, out: &mut dyn Write) -> io::Result<()> {
    let Witness {
        principal,
        action,
        context,
        a,
        b,
    } = witness;
    let sign = if b > a {
        paint(ADDED, "+")
    } else {
        paint(REMOVED, "-")
    };
    let who = principal.short(home);
    writeln!(
        out,
        "  {sign} {who} {action}: {}, was {}",
        phrase(*b),
        phrase(*a)
    )?;
    for (key, values) in context {
        writeln!(out, "      when {key} is {}", values.join(", "))?;
    }
    Ok(())
}

/// A level in words.
fn phrase(level: Level) -> &'static str {
    match level {
        Level::Deny => "denied",
        Level::None => "not allowed",
        Level::Delegated => "allowed where IAM policies allow it",
        Level::Direct => "allowed",
    }
}
