//! Grants: immutable, so a change is a new grant before the old one goes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::key::{Draft, Surroundings};
use super::{Action, GrantToCreate, KeyPlan, Limits, Note, Refusal, Rule};
use crate::model::{GrantName, GrantTerms, KeyState, LiveGrantName, Principal, ScopeName};
use crate::state::{
    DesiredGrant, DesiredPlace, GrantsOnKey, LiveGrant, LivePrincipal, ObservedKey, ObservedPlace,
    UnmanagedGrants,
};

/// Whose grants are planned, and how.
pub(super) struct Terms<'a> {
    /// What the manifests declare.
    pub(super) declared: &'a BTreeMap<GrantName, DesiredGrant>,
    /// Our scope, on a key that another scope owns.
    pub(super) scope: Option<&'a ScopeName>,
    /// What happens to grants that are nobody's.
    pub(super) unmanaged: UnmanagedGrants,
    /// Whether KMS takes new grants on the key in its state.
    pub(super) usable: bool,
    /// Now.
    pub(super) now: Timestamp,
}

/// A grant to revoke, and why.
type Revocation<'a> = (&'a LiveGrant, &'static str);

/// Plans all grants of a key: new ones first, revocations after their replacements.
pub(super) fn plan(draft: &mut Draft<'_>, terms: &Terms<'_>, live: &[LiveGrant]) {
    let mut revocations: Vec<Revocation<'_>> = Vec::new();
    for grant in terms.declared.values() {
        revocations.extend(plan_declared(draft, terms, grant, live));
    }
    let declared: BTreeSet<&GrantName> = terms.declared.keys().collect();
    for grant in live {
        if let Some(why) = undeclared(draft, terms, &declared, grant) {
            revocations.push((grant, why));
        }
    }
    for (grant, why) in revocations {
        draft.change(Action::RevokeGrant {
            grant: Box::new(grant.clone()),
            why,
        });
    }
}

/// Plans one declared grant; returns what goes because of it.
fn plan_declared<'a>(
    draft: &mut Draft<'_>,
    terms: &Terms<'_>,
    grant: &DesiredGrant,
    live: &'a [LiveGrant],
) -> Vec<Revocation<'a>> {
    let mine: Vec<&LiveGrant> = live
        .iter()
        .filter(|live| terms.is_mine(live, &grant.name))
        .collect();
    let all_but = |kept: Option<&String>, why| {
        let others = mine.iter().filter(|live| Some(&live.id) != kept);
        others.map(|live| (*live, why)).collect()
    };
    let name = &grant.name;
    if grant.expires.is_some_and(|expires| expires <= terms.now) {
        let message = format!("grant `{name}` has expired and can leave the manifest");
        draft.note("expired-grant", message);
        return all_but(None, "expired");
    }
    if let Some(kept) = mine.iter().find(|live| agrees(grant, live)) {
        return all_but(Some(&kept.id), "one too many");
    }
    if !terms.usable {
        let message = format!("grant `{name}` waits until the key is usable");
        draft.note(Note::WAITING, message);
        return Vec::new();
    }
    draft.change(Action::CreateGrant(Box::new(GrantToCreate {
        name: LiveGrantName {
            scope: terms.scope.cloned(),
            name: name.clone(),
            expires: grant.expires,
        },
        terms: grant.terms.clone(),
        replaces: !mine.is_empty(),
    })));
    all_but(None, "replaced")
}

impl Terms<'_> {
    fn is_mine(&self, live: &LiveGrant, name: &GrantName) -> bool {
        live.ours
            .as_ref()
            .is_some_and(|ours| ours.scope.as_ref() == self.scope && ours.name == *name)
    }
}

/// Why a grant that no manifest declares goes; `None` leaves it.
fn undeclared(
    draft: &mut Draft<'_>,
    terms: &Terms<'_>,
    declared: &BTreeSet<&GrantName>,
    grant: &LiveGrant,
) -> Option<&'static str> {
    if let Some(ours) = &grant.ours {
        if let (None, Some(scope)) = (terms.scope, &ours.scope) {
            draft.note(
                "grant-of-scope",
                format!(
                    "grant `{}` on the key is that of scope `{scope}`",
                    ours.name
                ),
            );
            return None;
        }
        let mine = ours.scope.as_ref() == terms.scope && !declared.contains(&ours.name);
        let expired = ours.expires.is_some_and(|expires| expires <= terms.now);
        return mine.then_some(if expired {
            "expired"
        } else {
            "no longer declared"
        });
    }
    if terms.scope.is_some() || grant.is_of_service() {
        return None;
    }
    let grantee = draft
        .live
        .map_or_else(String::new, |live| principal(&grant.grantee, live));
    let deleted = matches!(grant.grantee, LivePrincipal::Known(Principal::Deleted(_)));
    match terms.unmanaged {
        UnmanagedGrants::Revoke if deleted => Some("its grantee was deleted"),
        UnmanagedGrants::Revoke => Some("not in any manifest"),
        UnmanagedGrants::Keep => {
            draft.note(
                Note::UNMANAGED_GRANT,
                format!("grant {} of {grantee} is in no manifest", grant.id),
            );
            None
        }
    }
}

fn agrees(desired: &DesiredGrant, live: &LiveGrant) -> bool {
    let GrantTerms {
        grantee,
        retiring,
        operations,
        constraints,
    } = &desired.terms;
    let known = |principal: &Principal| LivePrincipal::Known(principal.clone());
    live.grantee == known(grantee)
        && live.retiring == retiring.as_ref().map(known)
        && live.operations == *operations
        && live.unknown_operations.is_empty()
        && live.constraints == *constraints
        && live
            .ours
            .as_ref()
            .is_some_and(|ours| ours.expires == desired.expires)
}

/// A live principal as a person reads it.
pub(super) fn principal(principal: &LivePrincipal, key: &ObservedKey) -> String {
    match principal {
        LivePrincipal::Known(principal) => principal.short(key.arn.place.account),
        LivePrincipal::Unknown(text) => text.clone(),
    }
}

/// Plans our grants on a key that this scope does not own.
pub(super) fn plan_foreign(
    place: &DesiredPlace,
    on_key: &GrantsOnKey,
    live: &ObservedPlace,
    limits: &Limits,
) -> KeyPlan {
    let mut plan = KeyPlan::empty(on_key.name.clone(), None);
    let id = live.aliases.get(on_key.name.alias());
    plan.unreadable = live
        .unreadable
        .iter()
        .filter(|row| row.key.is_some() && row.key.as_ref() == id)
        .cloned()
        .collect();
    if !plan.unreadable.is_empty() {
        return plan;
    }
    let Some(found) = id.and_then(|id| live.keys.get(id)) else {
        let message = format!(
            "there is no {} in {} to give grants on",
            on_key.name.alias(),
            place.place
        );
        plan.refusals.push(Refusal::new(
            Rule::MissingKey,
            message,
            "create the key first, or correct `key`",
        ));
        return plan;
    };
    plan.key = Some(found.arn.clone());
    let mut draft = Draft {
        plan,
        live: Some(found),
    };
    if let Some(key_type) = found.key_type {
        for grant in on_key.grants.values() {
            if let Err(malformed) = grant.terms.check(key_type) {
                let help = malformed
                    .help
                    .unwrap_or_else(|| "correct the grant".to_owned());
                draft.plan.refusals.push(Refusal::new(
                    Rule::Immutable,
                    format!("grant `{}`: {}", grant.name, malformed.problem),
                    help,
                ));
            }
        }
    }
    let usable = found.state == KeyState::Enabled;
    let terms = Terms {
        declared: &on_key.grants,
        scope: Some(&place.scope),
        unmanaged: UnmanagedGrants::Keep,
        usable,
        now: limits.now,
    };
    self::plan(&mut draft, &terms, &found.grants);
    draft.finish(&Surroundings {
        place,
        live,
        limits,
    })
}
