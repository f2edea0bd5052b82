//! The report for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::diagnostics;
use super::shifts::shifts_json;
use super::{Applied, Report};
use crate::apply::{Failure, KeyOutcome};
use crate::diagnostic::Diagnostic;
use crate::model::{Constraints, GrantTerms, Tags};
use crate::plan::{AccessChange, Action, KeyPlan, NewKey, Other, PlacePlan, Refusal, Summary};
use crate::policy::{self, Document};
use crate::state::{LivePolicy, RotationStatus, Unreadable};

/// Changes when a field changes its meaning; new fields leave it.
const VERSION: u32 = 1;

pub(super) fn write(report: Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Report {
        verb,
        plan,
        applied,
        calls,
    } = report;
    let Summary {
        create,
        change,
        delete,
        unchanged,
        refused,
        unreadable,
        orphans,
        unmanaged,
    } = plan.summary();
    let mut value = json!({
        "version": VERSION,
        "verb": verb,
        "summary": {
            "create": create, "change": change, "delete": delete, "unchanged": unchanged,
            "refused": refused, "unreadable": unreadable, "orphans": orphans, "unmanaged": unmanaged,
        },
        "places": plan.places.iter().map(place).collect::<Vec<_>>(),
        "calls": calls,
    });
    if let (Some(applied), Some(object)) = (applied, value.as_object_mut()) {
        object.insert("applied".to_owned(), outcome(&plan.places, applied));
    }
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

/// The report of a verb that went no further than the faults of the manifests.
pub fn faults_json(verb: &str, faults: &[Diagnostic]) -> Value {
    json!({"version": VERSION, "verb": verb, "faults": diagnostics::json(faults)})
}

fn place(plan: &PlacePlan) -> Value {
    let PlacePlan {
        place,
        keys,
        orphans,
        going,
        unmanaged,
        unreadable,
        refusals,
    } = plan;
    json!({
        "account": place.account.as_str(),
        "region": place.region.as_str(),
        "keys": keys.iter().map(key).collect::<Vec<_>>(),
        "orphans": orphans.iter().map(other).collect::<Vec<_>>(),
        "going": going.iter().map(other).collect::<Vec<_>>(),
        "unmanaged": unmanaged.iter().map(other).collect::<Vec<_>>(),
        "unreadable": unreadable.iter().map(row).collect::<Vec<_>>(),
        "refusals": refusals.iter().map(refusal).collect::<Vec<_>>(),
    })
}

fn key(plan: &KeyPlan) -> Value {
    let KeyPlan {
        name,
        key,
        changes,
        access,
        notes,
        refusals,
        unreadable,
    } = plan;
    json!({
        "name": name.as_str(),
        "arn": key.as_ref().map(ToString::to_string),
        "access": access_json(access),
        "changes": changes.iter().map(|change| action(&change.action)).collect::<Vec<_>>(),
        "notes": notes.iter().map(|note| json!({"code": note.code, "message": note.message})).collect::<Vec<_>>(),
        "refusals": refusals.iter().map(refusal).collect::<Vec<_>>(),
        "unreadable": unreadable.iter().map(row).collect::<Vec<_>>(),
    })
}

fn access_json(access: &AccessChange) -> Value {
    match access {
        AccessChange::None => Value::Null,
        AccessChange::Shifts(shifts) => shifts_json(shifts),
        AccessChange::Undetermined(why) => json!({"undetermined": why}),
    }
}

fn other(other: &Other) -> Value {
    let aliases: Vec<&str> = other.aliases.iter().map(|alias| alias.as_str()).collect();
    json!({"id": other.id.as_str(), "name": other.name, "aliases": aliases})
}

fn row(row: &Unreadable) -> Value {
    json!({"key": row.key.as_ref().map(|key| key.as_str()), "operation": row.operation, "reason": row.reason})
}

fn refusal(refusal: &Refusal) -> Value {
    json!({"rule": refusal.rule.name(), "message": refusal.message, "help": refusal.help})
}

fn action(action: &Action) -> Value {
    let detail = match action {
        Action::CreateKey(new) => new_key(new),
        Action::CancelKeyDeletion { was_due } => {
            json!({"wasDue": was_due.map(|due| due.to_string())})
        }
        Action::PutKeyPolicy {
            from,
            to,
            bypass_lockout_check,
            cosmetic,
        } => json!({
            "from": live_policy(from), "to": document(to), "bypassLockoutCheck": bypass_lockout_check, "cosmetic": cosmetic,
        }),
        Action::EnableKey | Action::DisableKey => json!({}),
        Action::UpdateKeyDescription { from, to } => json!({"from": from, "to": to}),
        Action::TagResource { from, to } => json!({"from": tags(from), "to": tags(to)}),
        Action::UntagResource { from } => json!({"from": tags(from)}),
        Action::CreateAlias(alias) | Action::DeleteAlias(alias) => json!({"alias": alias.as_str()}),
        Action::UpdateAlias { alias, from } => {
            json!({"alias": alias.as_str(), "from": from.as_str()})
        }
        Action::EnableKeyRotation { from, to } => {
            json!({"from": from.map(rotation), "to": {"enabled": true, "periodInDays": to.days()}})
        }
        Action::DisableKeyRotation { from } => {
            json!({"from": rotation(*from), "to": {"enabled": false}})
        }
        Action::RotateKeyOnDemand { number } => json!({"number": number}),
        Action::CreateGrant(grant) => {
            json!({"grant": grant.name.to_string(), "replaces": grant.replaces, "terms": terms(&grant.terms)})
        }
        Action::RevokeGrant { grant, why } => {
            json!({"grant": grant.name, "grantId": grant.id, "why": why})
        }
        Action::ScheduleKeyDeletion {
            window_days,
            reason,
        } => json!({"windowInDays": window_days, "reason": reason}),
    };
    let mut value = json!({"action": action.name()});
    if let (Some(object), Value::Object(detail)) = (value.as_object_mut(), detail) {
        object.extend(detail);
    }
    value
}

fn new_key(new: &NewKey) -> Value {
    let NewKey {
        key_type,
        origin,
        description,
        policy,
        tags: all,
        bypass_lockout_check,
    } = new;
    json!({
        "spec": key_type.spec.as_str(), "usage": key_type.usage.as_str(), "origin": origin.as_str(), "description": description,
        "policy": document(policy), "tags": tags(all), "bypassLockoutCheck": bypass_lockout_check,
    })
}

fn tags(tags: &Tags) -> BTreeMap<&str, &str> {
    tags.iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

fn rotation(status: RotationStatus) -> Value {
    json!({"enabled": status.enabled, "periodInDays": status.period.map(crate::model::RotationPeriod::days)})
}

fn document(document: &Document) -> Value {
    serde_json::from_str(&policy::write_compact(document)).unwrap_or_default()
}

fn live_policy(live: &LivePolicy) -> Value {
    match live {
        LivePolicy::Document(live) => document(live),
        LivePolicy::Opaque { text, reason } => json!({"text": text, "notUnderstood": reason}),
    }
}

fn terms(terms: &GrantTerms) -> Value {
    let GrantTerms {
        grantee,
        retiring,
        operations,
        constraints,
    } = terms;
    let Constraints {
        context_subset,
        context_equals,
        source_arn,
    } = constraints;
    json!({
        "grantee": grantee.to_string(),
        "retiring": retiring.as_ref().map(ToString::to_string),
        "operations": operations.iter().map(|operation| operation.name()).collect::<Vec<_>>(),
        "context": context_subset,
        "contextEquals": context_equals,
        "sourceArn": source_arn.as_ref().map(ToString::to_string),
    })
}

fn outcome(places: &[PlacePlan], applied: &Applied) -> Value {
    let Applied {
        outcomes,
        unconfirmed,
    } = applied;
    let of_place = |PlacePlan { place, .. }: &PlacePlan| {
        let keys = outcomes.get(place).map_or(&[][..], |outcome| &outcome.keys);
        let unconfirmed = unconfirmed.get(place).map_or(&[][..], |keys| keys);
        json!({
            "account": place.account.as_str(),
            "region": place.region.as_str(),
            "keys": keys.iter().map(key_outcome).collect::<Vec<_>>(),
            "unconfirmed": unconfirmed.iter().map(key).collect::<Vec<_>>(),
        })
    };
    places.iter().map(of_place).collect()
}

fn key_outcome(outcome: &KeyOutcome) -> Value {
    let KeyOutcome {
        name,
        key,
        done,
        skipped,
        failure,
    } = outcome;
    json!({
        "name": name.as_str(),
        "arn": key.as_ref().map(ToString::to_string),
        "done": done,
        "skipped": skipped,
        "failure": failure.as_ref().map(ToString::to_string),
        "help": failure.as_ref().and_then(Failure::help),
    })
}
