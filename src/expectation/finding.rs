//! What does not hold, in words: the claim, a request that shows it, what decides, and the next step.

use super::Test;
use super::bench::Bench;
use super::verdict::{Kind, Verdict};
use crate::access::Example;
use crate::diagnostic::{Diagnostic, Location};
use crate::model::{AccountId, KeyName, Place, Principal, PrincipalName};
use crate::policy::{Allowance, Ground, Identities, Level, Source};
use crate::state::Verb;

/// A claim that does not hold for a key.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The account and Region of the key.
    pub place: Place,
    /// The key.
    pub key: KeyName,
    /// The principals as the manifest names them.
    pub principal: PrincipalName,
    /// What is claimed.
    pub verb: Verb,
    /// Of which operations.
    pub allowance: Allowance,
    /// Why it does not hold.
    pub kind: Kind,
    /// A request that shows it.
    pub example: Option<Example>,
    /// What decides that request, in words.
    pub decided_by: Vec<String>,
    /// The manifest's reason for the expectation.
    pub why: Option<String>,
    /// All of it for people.
    pub diagnostic: Diagnostic,
}

/// The failure of a test; `None` where it holds.
pub(super) fn failure(bench: &Bench<'_>, test: &Test<'_>, verdict: Verdict) -> Option<Failure> {
    let Verdict::Fails {
        kind,
        example,
        why: reason,
    } = verdict
    else {
        return None;
    };
    let (place, key) = (bench.place, bench.key);
    let identities = &*place.identities;
    let decided_by = example.as_deref().map_or_else(Vec::new, |example| {
        let home = place.place.account;
        let by = example.by.iter();
        by.map(|ground| described(ground, example, home, identities))
            .collect()
    });
    let label = format!("key `{}` in {}", key.name, place.place);
    let mut diagnostic = Diagnostic::finding(
        kind.code(),
        message(kind, test, &key.name),
        test.claim.location.clone(),
    )
    .with_location(key.location.clone().labelled(label))
    .with_help(help(kind, test.claim.verb));
    if let Some(example) = &example {
        diagnostic = diagnostic.with_note(request(example, place.place.account));
        diagnostic = diagnostic.with_note(decision(example, &decided_by));
        if let Some(other) = example.otherwise {
            diagnostic = diagnostic.with_note(disputed(other));
        }
    }
    if let Some(reason) = reason {
        diagnostic = diagnostic.with_note(reason);
    }
    let why = test.expectation.why.clone();
    if let Some(why) = &why {
        diagnostic = diagnostic.with_note(format!("expected because: {why}"));
    }
    Some(Failure {
        place: place.place.clone(),
        key: key.name.clone(),
        principal: test.callers.name.clone(),
        verb: test.claim.verb,
        allowance: test.claim.allowance,
        kind,
        example: example.map(|example| *example),
        decided_by,
        why,
        diagnostic,
    })
}

impl Failure {
    /// Where the manifest claims it.
    pub fn claim(&self) -> Option<&Location> {
        self.diagnostic.locations.first()
    }
}

impl Kind {
    /// Stable identifier of the kind of finding.
    pub fn code(self) -> &'static str {
        match self {
            Self::Contrary | Self::NotAcrossAccounts => "expectation-failed",
            Self::LeftToIam | Self::NamedById => "expectation-not-proven",
            Self::Undetermined => "expectation-undetermined",
            Self::Empty => "expectation-empty",
        }
    }
}

fn message(kind: Kind, test: &Test<'_>, key: &KeyName) -> String {
    let name = test.callers.name.to_string();
    let what = format!("`{}` with key `{key}`", test.claim.allowance);
    let is_many = name == "account" || name.starts_with("account/");
    let who = match test.claim.verb {
        _ if !is_many => format!("`{name}`"),
        Verb::Can => format!("everyone in `{name}`"),
        Verb::Cannot => format!("someone in `{name}`"),
    };
    match (kind, test.claim.verb) {
        (Kind::NotAcrossAccounts, _) | (Kind::Contrary, Verb::Can) if is_many => {
            format!("not {who} can always {what}")
        }
        (Kind::NotAcrossAccounts, _) | (Kind::Contrary, Verb::Can) => {
            format!("{who} cannot always {what}")
        }
        (Kind::Contrary, Verb::Cannot) => format!("{who} can {what}"),
        (Kind::LeftToIam, _) => {
            format!(
                "not proven: IAM policies that are not declared decide whether {who} can {what}"
            )
        }
        (Kind::NamedById, _) => format!(
            "not proven: whether {who} can {what} depends on which key a policy means that names one by id"
        ),
        (Kind::Undetermined, _) => format!("not proven: no sure answer whether {who} can {what}"),
        (Kind::Empty, _) => format!("`{name}` has no such request to {what}, so nothing is tested"),
    }
}

fn help(kind: Kind, verb: Verb) -> &'static str {
    match (kind, verb) {
        (Kind::Contrary, Verb::Can) => {
            "allow it in the key's manifest, or narrow the expectation with `when`"
        }
        (Kind::Contrary, Verb::Cannot) => {
            "take the access away, or narrow the expectation with `when`"
        }
        (Kind::NotAcrossAccounts, _) => {
            "name the operations that principals of other accounts have"
        }
        (Kind::LeftToIam, _) => {
            "declare an `Identity` with the principal's policies, or give the account's with --identities"
        }
        (Kind::NamedById, _) => "write the key's `id` in its manifest",
        (Kind::Undetermined, _) => {
            "write the policy in simpler terms, or name fewer requests with `when`"
        }
        (Kind::Empty, _) => "correct `principals` and `when`: together they leave no request",
    }
}

/// The request that shows it.
fn request(example: &Example, home: AccountId) -> String {
    let who = if let Principal::Account(_, account) = &example.principal {
        let of = if *account == home {
            String::new()
        } else {
            format!(" of {account}")
        };
        format!("the root user{of}")
    } else {
        example.principal.short(home)
    };
    let mut text = format!("the request: {who} calls {}", example.action);
    for (index, (key, values)) in example.context.iter().enumerate() {
        let joint = if index == 0 { ", when" } else { " and" };
        text = format!("{text}{joint} {key} is {}", values.join(", "));
    }
    text
}

/// What decides it.
fn decision(example: &Example, by: &[String]) -> String {
    let by = by.join(", ");
    match (example.level, &example.denial) {
        (Level::Direct, _) => format!("allowed by {by}"),
        (Level::Delegated, _) => {
            format!("left to IAM by {by}; no IAM policy of this principal is known")
        }
        (Level::Deny, _) if !by.is_empty() => format!("denied by {by}"),
        (Level::Deny | Level::None, Some(denial)) => format!("not allowed: {denial}"),
        (Level::Deny | Level::None, None) => "not allowed".to_owned(),
    }
}

/// What becomes of a request under the other reading of `NotPrincipal`.
fn disputed(level: Level) -> String {
    let other = match level {
        Level::Deny => "denied",
        Level::None => "not allowed",
        Level::Delegated => "left to IAM",
        Level::Direct => "allowed",
    };
    format!("AWS's pages disagree on whom `NotPrincipal` spares; read the other way, it is {other}")
}

/// A statement or grant, by the names that people know.
fn described(
    ground: &Ground,
    example: &Example,
    home: AccountId,
    identities: &Identities,
) -> String {
    let Ground::Statement { source, index, sid } = ground else {
        return match ground {
            Ground::Grant(id) => format!("grant `{id}`"),
            Ground::Statement { .. } => String::new(),
        };
    };
    let identity = identities.get(&example.principal);
    let name = identity.and_then(|identity| identity.policy_name(*source));
    let who = example.principal.short(home);
    let policy = match (source, name) {
        (Source::Identity(_), Some(name)) => format!("IAM policy `{name}` of {who}"),
        (Source::Boundary, Some(name)) => format!("permissions boundary `{name}` of {who}"),
        (Source::Key | Source::Identity(_) | Source::Boundary | Source::Session(_), _) => {
            source.to_string()
        }
    };
    match sid {
        Some(sid) => format!("Statement[{index}] `{sid}` of {policy}"),
        None => format!("Statement[{index}] of {policy}"),
    }
}
