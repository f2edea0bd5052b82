//! What a caller carries: its identity policies, its boundary, and its tags.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::store::Connection;

use crate::engine::caller::Caller;
use crate::engine::iam::builtin;
use crate::engine::parsed::Parsed;
use crate::engine::store::Database;
use crate::engine::store::iam::entities::{self, Entity, Kind};
use crate::engine::store::iam::{Held, inline, managed};
use crate::engine::wire::Failure;
use crate::model::{Arn, Principal};
use crate::policy::{Context, IdentityPolicy};

/// What comes with a caller into every decision.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried {
    pub(crate) identity: Arc<[IdentityPolicy]>,
    boundary: Option<IdentityPolicy>,
    /// The role or user behind a session.
    pub(crate) source: Option<String>,
    /// Tags of the principal and of its session, and the role's own ARN.
    pub(crate) facts: Context,
}

impl Carried {
    /// The permissions boundary; one that is gone allows nothing.
    pub(super) fn boundary(&self) -> Option<&IdentityPolicy> {
        self.boundary.as_ref()
    }

    /// Loads what a caller carries, or what it carried since some moment; a root user carries nothing.
    pub(crate) fn load(
        database: &Database,
        parsed: &Parsed,
        caller: &Caller,
        blind_since: Option<Timestamp>,
    ) -> Result<Self, Failure> {
        match &caller.principal {
            Principal::Account(..) | Principal::Anyone | Principal::Service(_) => {
                Ok(Self::default())
            }
            Principal::User(_)
            | Principal::Role(_)
            | Principal::Session(_)
            | Principal::Federated(_)
            | Principal::Deleted(_) => {
                let load = |connection: &Connection| of_entity(connection, parsed, caller);
                let past = blind_since.and_then(|since| database.read_past(since, load));
                past.unwrap_or_else(|| database.read(load))
            }
        }
    }
}

fn of_entity(
    connection: &Connection,
    parsed: &Parsed,
    caller: &Caller,
) -> Result<Carried, Failure> {
    let mut carried = Carried::default();
    if let Some(session) = &caller.session {
        if let Principal::Account(..) = session.source {
            // A root user's own session is not narrower than the root user.
            carried.identity = read(parsed, vec![builtin::EVERYTHING.to_owned()])?;
        }
        for (name, value) in &session.tags {
            put_tag(&mut carried.facts, name, value);
        }
        if let Some(who) = &session.source_identity {
            carried.facts.set("aws:SourceIdentity", [who.clone()]);
        }
    }
    let Some(held) = held(connection, parsed, caller)? else {
        return Ok(carried);
    };
    for (name, value) in &held.tags {
        let key = format!("aws:PrincipalTag/{name}");
        if carried.facts.get(&key).is_none() {
            put_tag(&mut carried.facts, name, value);
        }
    }
    if matches!(caller.principal, Principal::Session(_)) {
        carried.facts.set("aws:PrincipalArn", [held.arn.clone()]);
    }
    carried.identity = Arc::clone(&held.policies);
    carried.boundary.clone_from(&held.boundary);
    carried.source = Some(held.arn.clone());
    Ok(carried)
}

/// What the user or role behind a caller carries, if it is there.
fn held(
    connection: &Connection,
    parsed: &Parsed,
    caller: &Caller,
) -> Result<Option<Arc<Held>>, Failure> {
    let (principal, id) = match &caller.session {
        Some(session) => (&session.source, session.source_id.as_str()),
        None => (&caller.principal, ""),
    };
    let key = (principal.to_string(), id.to_owned());
    connection.memory.held.recall(connection, key, |_| {
        let Some(entity) = entity(connection, caller)? else {
            return Ok(None);
        };
        let mut texts = inline::in_force(connection, entity.row)?;
        let attached = managed::attached_through_groups(connection, entity.row)?;
        let known = attached.iter().filter_map(|arn| builtin::text(arn));
        texts.extend(known.map(str::to_owned));
        let boundary = match &entity.boundary {
            None => None,
            Some(arn) => {
                let text = managed_text(connection, arn)?;
                let found = read(parsed, text.into_iter().collect())?;
                Some(found.first().cloned().unwrap_or_else(IdentityPolicy::empty))
            }
        };
        Ok(Some(Arc::new(Held {
            arn: entity.arn(),
            policies: read(parsed, texts)?,
            boundary,
            tags: entities::tags(connection, entity.row)?,
        })))
    })
}

/// The user or role whose policies count; after it was deleted, another of the same name is not it.
fn entity(connection: &Connection, caller: &Caller) -> Result<Option<Entity>, Failure> {
    let found = match (&caller.session, &caller.principal) {
        (Some(session), _) => {
            let found = entities::of_principal(connection, &session.source)?;
            found.filter(|entity| entity.id == session.source_id)
        }
        (None, Principal::Session(arn)) => {
            entities::find(connection, caller.account, Kind::Role, role_name(arn))?
        }
        (None, principal) => entities::of_principal(connection, principal)?,
    };
    Ok(found)
}

/// The role in the ARN of one of its sessions.
fn role_name(arn: &Arn) -> &str {
    arn.resource().split('/').nth(1).unwrap_or_default()
}

/// The text in force of a managed policy, the account's or AWS's; a boundary that is gone allows nothing.
pub(crate) fn managed_text(connection: &Connection, arn: &str) -> Result<Option<String>, Failure> {
    if let Some(text) = builtin::text(arn) {
        return Ok(Some(text.to_owned()));
    }
    let Some(policy) = managed::find(connection, arn)? else {
        return Ok(None);
    };
    let versions = managed::versions(connection, policy.row)?;
    let mut in_force = versions
        .into_iter()
        .filter(|one| one.number == policy.in_force);
    Ok(in_force.next().map(|version| version.text))
}

fn put_tag(facts: &mut Context, name: &str, value: &str) {
    facts.set(&format!("aws:PrincipalTag/{name}"), [value.to_owned()]);
}

/// Policies by their texts. One that cannot be read might deny anything, so that it denies everything.
fn read(parsed: &Parsed, texts: Vec<String>) -> Result<Arc<[IdentityPolicy]>, Failure> {
    let denied = || parsed.carried(vec![builtin::NOTHING.to_owned()]);
    let read = parsed.carried(texts).or_else(|_| denied());
    read.map_err(|error| Failure::internal(&error))
}
