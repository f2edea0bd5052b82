//! Access gained and lost, one sentence for all that turns alike.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::comparison::witness_json;
use super::style::{ADDED, PROBLEM, QUIET, REMOVED, paint};
use crate::access::{Shift, Shifts, Turn};

/// Writes a sentence a line, each after an indent; `hint` says where the rest is, if not all is told.
pub(super) fn write_shifts(
    shifts: &Shifts,
    indent: &str,
    hint: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    for shift in &shifts.told {
        let (style, sign) = if shift.turn.is_gain() {
            (ADDED, "+")
        } else {
            (REMOVED, "-")
        };
        let marks = tagged(shift.marks.iter().map(|mark| mark.word()));
        let text = format!("{sign} {}", sentence(shift));
        writeln!(out, "{indent}{}{marks}", paint(style, &text))?;
    }
    if shifts.has_more {
        let more = format!("… and more of the same kinds{hint}");
        writeln!(out, "{indent}{}", paint(QUIET, &more))?;
    }
    Ok(())
}

/// Marks as they stand at the end of a line; nothing where there are none.
pub(super) fn tagged<'a>(marks: impl Iterator<Item = &'a str>) -> String {
    let marks: Vec<&str> = marks.collect();
    if marks.is_empty() {
        String::new()
    } else {
        format!("  {}", paint(PROBLEM, &format!("[{}]", marks.join(", "))))
    }
}

/// A shift as a sentence: who, how, what, under which conditions.
pub fn sentence(shift: &Shift) -> String {
    let Shift {
        turn,
        principals,
        operations,
        conditions,
        is_everything,
        marks: _,
        witness: _,
    } = shift;
    let operations = operations.join(", ");
    let verb = |one: &'static str, many: &'static str| match principals.as_slice() {
        [who] if is_one(who) => one,
        _ => many,
    };
    // "Not all" would leave open how many.
    let any_operations = match operations.strip_prefix("all operations") {
        Some(rest) => format!("any operation{rest}"),
        None => operations.clone(),
    };
    let loses = || {
        let all = if *turn == Turn::NeedsIam {
            "all direct access"
        } else {
            "everything"
        };
        let what = match *is_everything {
            true if operations == "all operations" => all.to_owned(),
            true => format!("{all}: {operations}"),
            false => operations.clone(),
        };
        format!("{} {what}", verb("loses", "lose"))
    };
    let (what, end) = match turn {
        Turn::Gains => (format!("{} {operations}", verb("gains", "gain")), ""),
        Turn::GainsThroughIam => (format!("can be given {operations} by IAM policies"), ""),
        Turn::NeedsNoIam => (
            format!("{} {operations}", verb("gains", "gain")),
            "; so far only through IAM policies",
        ),
        Turn::Undenied => (
            format!("{} no longer denied {operations}", verb("is", "are")),
            "",
        ),
        Turn::NeedsIam => (loses(), "; from now on only through IAM policies"),
        Turn::Loses => (loses(), ""),
        Turn::LosesThroughIam => (
            format!("can no longer be given {any_operations} by IAM policies"),
            "",
        ),
        Turn::Denied => (
            format!("{} now denied {operations}", verb("is", "are")),
            "; grants cannot give it any more",
        ),
    };
    let mut text = format!("{} {what}", everyone(principals));
    for condition in conditions {
        text = format!("{text}, {condition}");
    }
    text + end
}

/// True for words that stand for one, or for everyone as one.
fn is_one(who: &str) -> bool {
    const MANY: [&str; 5] = [
        "other ",
        "sessions ",
        "root users ",
        "federated users ",
        "deleted principals",
    ];
    !MANY.iter().any(|words| who.starts_with(words))
}

/// Principals as a list; whoever is excepted stands at its end, so that nobody after them seems to be.
fn everyone(principals: &[String]) -> String {
    let is_limited = |who: &&String| who.contains(" except ");
    let (limited, plain): (Vec<&String>, Vec<&String>) = principals.iter().partition(is_limited);
    let all: Vec<&str> = plain
        .into_iter()
        .chain(limited)
        .map(String::as_str)
        .collect();
    match all.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        Some((last, _)) => (*last).to_owned(),
        None => String::new(),
    }
}

/// The shifts as JSON: `told`, each with its `sentence`, and `hasMore`.
pub fn shifts_json(shifts: &Shifts) -> Value {
    let told: Vec<Value> = shifts
        .told
        .iter()
        .map(|shift| {
            let marks: Vec<&str> = shift.marks.iter().map(|mark| mark.word()).collect();
            json!({
                "turn": shift.turn.word(),
                "principals": shift.principals,
                "operations": shift.operations,
                "conditions": shift.conditions,
                "everything": shift.is_everything,
                "marks": marks,
                "sentence": sentence(shift),
                "witness": witness_json(&shift.witness),
            })
        })
        .collect();
    json!({"told": told, "hasMore": shifts.has_more})
}
