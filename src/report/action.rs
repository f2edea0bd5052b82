//! An action as a person reads it: a label and what happens.

use std::collections::BTreeMap;

use crate::model::{AccountId, Constraints, GrantTerms, Principal, Tags};
use crate::plan::{Action, GrantToCreate};
use crate::state::{LiveGrant, LivePrincipal, RotationStatus};

/// The label and the text of an action; a policy's text is its diff, shown elsewhere.
pub(super) fn describe(action: &Action, home: AccountId) -> [String; 2] {
    let (label, text) = match action {
        Action::CreateKey(new) => (
            "key",
            format!("+ {} for {}", new.key_type.spec, new.key_type.usage),
        ),
        Action::CancelKeyDeletion { was_due } => {
            let due = was_due.map_or_else(String::new, |due| format!(", which was due {due}"));
            ("deletion", format!("! cancel the scheduled deletion{due}"))
        }
        Action::PutKeyPolicy { cosmetic: true, .. } => {
            ("policy", "~ same meaning, rewritten".to_owned())
        }
        Action::PutKeyPolicy { .. } => ("policy", "~ replaced".to_owned()),
        Action::EnableKey => ("state", "~ enable".to_owned()),
        Action::DisableKey => ("state", "~ disable".to_owned()),
        Action::UpdateKeyDescription { from, to } => {
            ("description", format!("~ {from:?} -> {to:?}"))
        }
        Action::TagResource { from, to } => ("tags", tags_set(from, to)),
        Action::UntagResource { from } => (
            "tags",
            from.iter()
                .map(|(key, value)| format!("- {key}={value}"))
                .collect::<Vec<_>>()
                .join(", "),
        ),
        Action::CreateAlias(alias) => ("alias", format!("+ {alias}")),
        Action::UpdateAlias { alias, from } => {
            ("alias", format!("~ {alias} moves here from key {from}"))
        }
        Action::DeleteAlias(alias) => ("alias", format!("- {alias}")),
        Action::EnableKeyRotation { from: None, to } => ("rotation", format!("+ every {to}")),
        Action::EnableKeyRotation {
            from: Some(from),
            to,
        } => ("rotation", format!("~ {} -> every {to}", rotation(*from))),
        Action::DisableKeyRotation { from } => {
            ("rotation", format!("~ {} -> off", rotation(*from)))
        }
        Action::RotateKeyOnDemand { number } => (
            "rotation",
            format!("+ rotate now (on-demand rotation {number} of 25)"),
        ),
        Action::CreateGrant(grant) => ("grant", created(grant, home)),
        Action::RevokeGrant { grant, why } => ("grant", format!("- {}: {why}", live(grant, home))),
        Action::ScheduleKeyDeletion {
            window_days,
            reason,
        } => (
            "deletion",
            format!("! delete the key in {window_days} days: {reason}"),
        ),
    };
    [label.to_owned(), text]
}

fn tags_set(from: &Tags, to: &Tags) -> String {
    let one = |(key, value)| match from.get(key) {
        Some(old) => format!("~ {key}={old} -> {value}"),
        None => format!("+ {key}={value}"),
    };
    to.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn rotation(status: RotationStatus) -> String {
    match status {
        RotationStatus { enabled: false, .. } => "off".to_owned(),
        RotationStatus {
            period: Some(period),
            ..
        } => format!("every {period}"),
        RotationStatus { period: None, .. } => "on (the server says no period)".to_owned(),
    }
}

fn created(grant: &GrantToCreate, home: AccountId) -> String {
    let GrantToCreate {
        name,
        terms,
        replaces,
    } = grant;
    let GrantTerms {
        grantee,
        retiring,
        operations,
        constraints,
    } = terms;
    let retiring = retiring.as_ref().map_or_else(String::new, |who| {
        format!(", {} may retire it", who.short(home))
    });
    let until = name
        .expires
        .map_or_else(String::new, |expires| format!(", until {expires}"));
    let replaces = if *replaces {
        ", before the old one goes"
    } else {
        ""
    };
    let operations: Vec<&str> = operations
        .iter()
        .map(|operation| operation.name())
        .collect();
    let when = when(constraints);
    format!(
        "+ {}: {} may {}{when}{retiring}{until}{replaces}",
        name.name,
        grantee.short(home),
        operations.join(", ")
    )
}

fn live(grant: &LiveGrant, home: AccountId) -> String {
    let name = grant.ours.as_ref().map_or_else(
        || format!("grant {}", grant.id),
        |ours| ours.name.to_string(),
    );
    let grantee = match &grant.grantee {
        LivePrincipal::Known(Principal::Deleted(id)) => format!("a deleted principal ({id})"),
        LivePrincipal::Known(principal) => principal.short(home),
        LivePrincipal::Unknown(text) => text.clone(),
    };
    let known = grant.operations.iter().map(|operation| operation.name());
    let operations: Vec<&str> = known
        .chain(grant.unknown_operations.iter().map(String::as_str))
        .collect();
    format!(
        "{name}: {grantee} may no longer {}{}",
        operations.join(", "),
        when(&grant.constraints)
    )
}

fn when(constraints: &Constraints) -> String {
    let Constraints {
        context_subset,
        context_equals,
        source_arn,
    } = constraints;
    let pairs = |pairs: &BTreeMap<String, String>| {
        pairs
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let subset = (!context_subset.is_empty())
        .then(|| format!(" when the context has {}", pairs(context_subset)));
    let equals = (!context_equals.is_empty())
        .then(|| format!(" when the context is {}", pairs(context_equals)));
    let source = source_arn.as_ref().map(|arn| format!(" for {arn}"));
    [subset, equals, source].into_iter().flatten().collect()
}
