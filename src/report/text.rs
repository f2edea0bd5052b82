//! The report for people.

use std::io::{self, Write};

use anstyle::Style;
use similar::{ChangeTag, TextDiff};

use super::action::describe;
use super::shifts::write_shifts;
use super::style::{ADDED, CHANGED, HEADING, PROBLEM, QUIET, REMOVED, paint};
use super::{Applied, Report};
use crate::apply::{Failure, KeyOutcome};
use crate::model::AccountId;
use crate::plan::{AccessChange, Action, KeyPlan, Other, PlacePlan, Plan, Refusal, Summary};
use crate::policy::{self, Document};
use crate::state::{LivePolicy, Unreadable};

/// Width of the column of labels.
const LABEL: usize = 12;

pub(super) fn write(report: Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    match report.applied {
        None => write_plan(report.plan, out),
        Some(applied) => write_applied(report.plan, applied, out),
    }
}

pub(super) fn write_plan(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    for place in &plan.places {
        if !is_quiet(place) {
            write_place(place, out)?;
        }
    }
    write_summary(&plan.summary(), out)
}

fn is_quiet(place: &PlacePlan) -> bool {
    let nothing = |key: &KeyPlan| {
        key.changes.is_empty()
            && key.notes.is_empty()
            && key.refusals.is_empty()
            && key.unreadable.is_empty()
    };
    place.keys.iter().all(nothing)
        && place.orphans.is_empty()
        && place.going.is_empty()
        && place.unmanaged.is_empty()
        && place.unreadable.is_empty()
        && place.refusals.is_empty()
}

fn write_place(place: &PlacePlan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}\n", paint(HEADING, &place.place.to_string()))?;
    for key in &place.keys {
        write_key(key, place.place.account, out)?;
    }
    write_others(
        "orphan",
        "carries our tags, but no manifest declares it; nothing is done to it",
        &place.orphans,
        out,
    )?;
    write_others(
        "going",
        "carries our tags, and no manifest declares it; it is pending deletion",
        &place.going,
        out,
    )?;
    write_others("unmanaged", "is in no manifest", &place.unmanaged, out)?;
    for row in &place.unreadable {
        write_unreadable(row, "", out)?;
    }
    for refusal in &place.refusals {
        write_refusal(refusal, "", out)?;
    }
    Ok(())
}

fn write_others(kind: &str, what: &str, others: &[Other], out: &mut dyn Write) -> io::Result<()> {
    for other in others {
        let name = other
            .name
            .as_deref()
            .map_or_else(String::new, |name| format!(" ({name})"));
        let aliases: Vec<&str> = other.aliases.iter().map(|alias| alias.as_str()).collect();
        let aliases = if aliases.is_empty() {
            String::new()
        } else {
            format!(", {}", aliases.join(", "))
        };
        writeln!(
            out,
            "{} {}{name}{aliases}: {what}",
            paint(CHANGED, kind),
            other.id
        )?;
    }
    if others.is_empty() {
        Ok(())
    } else {
        writeln!(out)
    }
}

/// The sign in front of a key: what happens to it, readable without colour.
fn sign(key: &KeyPlan) -> (Style, &'static str) {
    let has = |wanted: fn(&Action) -> bool| key.changes.iter().any(|change| wanted(&change.action));
    if !key.refusals.is_empty() || !key.unreadable.is_empty() {
        (PROBLEM, "!")
    } else if has(|action| matches!(action, Action::CreateKey(_))) {
        (ADDED, "+")
    } else if has(|action| matches!(action, Action::ScheduleKeyDeletion { .. })) {
        (REMOVED, "-")
    } else if key.changes.is_empty() {
        (QUIET, "=")
    } else {
        (CHANGED, "~")
    }
}

fn write_key(key: &KeyPlan, home: AccountId, out: &mut dyn Write) -> io::Result<()> {
    if key.changes.is_empty()
        && key.notes.is_empty()
        && key.refusals.is_empty()
        && key.unreadable.is_empty()
    {
        return Ok(());
    }
    let (style, sign) = sign(key);
    let which = key
        .key
        .as_ref()
        .map_or_else(|| "new key".to_owned(), |arn| arn.id.to_string());
    writeln!(
        out,
        "{} {}  {}",
        paint(style, sign),
        paint(HEADING, key.name.as_str()),
        paint(QUIET, &which)
    )?;
    write_access(&key.access, out)?;
    for change in &key.changes {
        write_action(&change.action, home, out)?;
    }
    for note in &key.notes {
        writeln!(
            out,
            "    {}",
            paint(QUIET, &format!("{:LABEL$} {}", "note", note.message))
        )?;
    }
    for row in &key.unreadable {
        write_unreadable(row, "    ", out)?;
    }
    for refusal in &key.refusals {
        write_refusal(refusal, "    ", out)?;
    }
    writeln!(out)
}

/// Who gains and who loses what, before everything else.
fn write_access(access: &AccessChange, out: &mut dyn Write) -> io::Result<()> {
    match access {
        AccessChange::None => Ok(()),
        AccessChange::Shifts(shifts) => {
            let hint = "; compare the policies with `keywright diff`";
            write_shifts(shifts, "    ", hint, out)
        }
        AccessChange::Undetermined(why) => {
            let text = format!("access undetermined, take it as wider: {why}");
            writeln!(out, "    {}", paint(PROBLEM, &text))
        }
    }
}

fn write_action(action: &Action, home: AccountId, out: &mut dyn Write) -> io::Result<()> {
    let [label, text] = describe(action, home);
    writeln!(out, "    {label:LABEL$} {}", paint(style_of(&text), &text))?;
    if let Action::PutKeyPolicy { from, to, .. } = action {
        return write_policy_diff(&live_text(from, to), &policy::write(to), out);
    }
    if let Action::CreateKey(new) = action {
        if !new.description.is_empty() {
            writeln!(
                out,
                "    {:LABEL$} {}",
                "description",
                paint(ADDED, &format!("+ {:?}", new.description))
            )?;
        }
        let tags: Vec<String> = new
            .tags
            .iter()
            .map(|(key, value)| format!("+ {key}={value}"))
            .collect();
        writeln!(
            out,
            "    {:LABEL$} {}",
            "tags",
            paint(ADDED, &tags.join(", "))
        )?;
        write_policy_diff("", &policy::write(&new.policy), out)?;
    }
    Ok(())
}

fn style_of(text: &str) -> Style {
    match text.get(..1) {
        Some("+") => ADDED,
        Some("-") => REMOVED,
        Some("!") => PROBLEM,
        _ => CHANGED,
    }
}

/// The live policy in the order of the new one, so that a diff shows differences of meaning only.
fn live_text(live: &LivePolicy, desired: &Document) -> String {
    match live {
        LivePolicy::Document(document) => policy::write(&policy::align(desired, document)),
        LivePolicy::Opaque { text, .. } => text.clone(),
    }
}

fn write_policy_diff(from: &str, to: &str, out: &mut dyn Write) -> io::Result<()> {
    if from.is_empty() {
        writeln!(out, "    {:LABEL$} {}", "policy", paint(ADDED, "+"))?;
    }
    let diff = TextDiff::from_lines(from, to);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        writeln!(out, "      {}", paint(QUIET, &hunk.header().to_string()))?;
        for change in hunk.iter_changes() {
            let style = match change.tag() {
                ChangeTag::Delete => REMOVED,
                ChangeTag::Insert => ADDED,
                ChangeTag::Equal => QUIET,
            };
            let line = change.value().trim_end_matches('\n');
            writeln!(
                out,
                "      {}",
                paint(style, &format!("{}{line}", change.tag()))
            )?;
        }
    }
    Ok(())
}

fn write_refusal(refusal: &Refusal, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{indent}{} {}",
        paint(PROBLEM, &format!("refused ({}):", refusal.rule.name())),
        refusal.message
    )?;
    writeln!(out, "{indent}  help: {}", refusal.help)
}

fn write_unreadable(row: &Unreadable, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    let key = row
        .key
        .as_ref()
        .map_or_else(String::new, |key| format!(" {key}"));
    writeln!(
        out,
        "{indent}{}{key}: {}",
        paint(PROBLEM, "unreadable"),
        row.reason
    )
}

fn write_summary(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let Summary {
        create,
        change,
        delete,
        unchanged,
        refused,
        unreadable,
        orphans,
        unmanaged,
    } = *summary;
    let mut line = if create + change + delete == 0 && refused + unreadable > 0 {
        format!("Plan: nothing that may be done; {unchanged} unchanged")
    } else if create + change + delete == 0 {
        format!("Plan: no changes; {unchanged} unchanged")
    } else {
        format!(
            "Plan: {create} to create, {change} to change, {delete} to delete; {unchanged} unchanged"
        )
    };
    line += &counts(&[
        (refused, "refused"),
        (unreadable, "unreadable"),
        (orphans, "orphaned"),
        (unmanaged, "unmanaged"),
    ]);
    writeln!(out, "{line}.")
}

/// The counts that are not zero, each after a comma.
fn counts(counts: &[(usize, &str)]) -> String {
    let some = counts.iter().filter(|(count, _)| *count > 0);
    let texts: Vec<String> = some
        .map(|(count, what)| format!(", {count} {what}"))
        .collect();
    texts.concat()
}

fn write_applied(plan: &Plan, applied: &Applied, out: &mut dyn Write) -> io::Result<()> {
    let mut done = 0;
    let mut failed = 0;
    let mut skipped = 0;
    for (place, outcome) in plan
        .places
        .iter()
        .filter_map(|place| Some((place, applied.outcomes.get(&place.place)?)))
    {
        for key in &outcome.keys {
            done += key.done;
            skipped += key.skipped;
            failed += usize::from(key.failure.as_ref().is_some_and(Failure::is_of_change));
            write_outcome(place, key, out)?;
        }
    }
    let mut unconfirmed = 0;
    for (place, keys) in &applied.unconfirmed {
        for key in keys {
            unconfirmed += 1;
            writeln!(
                out,
                "{} {}: written, but the server does not show it:",
                paint(PROBLEM, "not confirmed"),
                key.name
            )?;
            for row in &key.unreadable {
                write_unreadable(row, "    ", out)?;
            }
            for change in &key.changes {
                let [label, text] = describe(&change.action, place.account);
                writeln!(out, "    {label:LABEL$} {text}")?;
            }
        }
    }
    let failures = applied.outcomes.values().flat_map(|outcome| &outcome.keys);
    let mut failures = failures.filter_map(|key| key.failure.as_ref());
    let stopped = if failures.any(Failure::is_of_person) {
        " Stopped on request; run again to continue."
    } else {
        ""
    };
    let plural = if done == 1 { "" } else { "s" };
    let mut line = format!("Applied: {done} change{plural} done");
    line += &counts(&[
        (failed, "failed"),
        (skipped, "skipped"),
        (unconfirmed, "keys not confirmed"),
    ]);
    writeln!(out, "{line}.{stopped}")
}

fn write_outcome(place: &PlacePlan, key: &KeyOutcome, out: &mut dyn Write) -> io::Result<()> {
    let Some(failure) = key
        .failure
        .as_ref()
        .filter(|failure| failure.is_of_change())
    else {
        return Ok(());
    };
    let what = if failure.is_stale() {
        "refused"
    } else {
        "failed"
    };
    writeln!(
        out,
        "{} {} in {}: {failure}",
        paint(PROBLEM, what),
        key.name,
        place.place
    )?;
    if let Some(help) = failure.help() {
        writeln!(out, "    help: {help}")?;
    }
    let planned = place.keys.iter().find(|planned| planned.name == key.name);
    let rest = planned.map_or(&[][..], |planned| {
        planned.changes.get(key.done..).unwrap_or_default()
    });
    for change in rest {
        writeln!(
            out,
            "    not done: {}",
            describe(&change.action, place.place.account).join(" ")
        )?;
    }
    Ok(())
}
