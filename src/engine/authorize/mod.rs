//! Whether a call is allowed: the caller's policies, the key policy and grants, asked by the evaluator of `explain`.
//!
//! INVARIANT: no operation reaches a key but through [`on_key`], and none without a key but through [`on_account`].

mod carried;
mod facts;
mod grant;
mod words;

use std::sync::Arc;

use crate::engine::store::Connection;
use sorted_vec::SortedSet;

use crate::model::{AccountId, Operation, Partition, Principal, Region};
use crate::policy::{
    self, ActionPattern, Actions, Answer, Document, Effect, Errand, IdentityPolicy, Outcome,
    Policies, Principals, Request, Resources, Statement,
};

use super::chaos::Lag;
use super::operation::Context;
use super::record::{Ruling, Service};
use super::store::iam::entities::{self, Entity};
use super::store::keys::Key;
use super::store::policies;
use super::wire::Failure;

pub(crate) use carried::{Carried, managed_text};
pub(crate) use grant::{check_child, retirement};

/// Asks whether the caller may do an operation on a key.
pub(crate) fn on_key(
    context: &Context<'_>,
    connection: &Connection,
    key: &Key,
    operation: Operation,
) -> Result<(), Failure> {
    context.count_use(key, operation)?;
    let memory = &connection.memory.policies;
    let document = memory.recall(connection, key.row, |row| {
        let owner = (key.arn.partition, key.arn.place.account);
        let text = policies::get(connection, *row)?;
        Ok::<_, Failure>(document(context, text, owner))
    })?;
    let grants = if operation.is_grantable() {
        grant::of_caller(context, connection, key)?
    } else {
        Vec::new()
    };
    let policies = policies_of(context, &document, &grants);
    let mut facts = policy::Context::new();
    if !grants.is_empty() || asks_for_facts(&policies, operation) {
        facts = facts::of_call(context, operation.name());
        facts::add_members(&mut facts, context.members(), operation);
        facts::add_traits(&mut facts, key);
        if asks_for_hangings(&policies) {
            facts::add_hangings(&mut facts, context, connection, key)?;
        }
        facts.extend(&context.known.borrow());
        facts.extend(&context.caller.facts);
    }
    let answer = policy::authorize(
        &policies,
        &Request {
            caller: &context.caller.principal,
            action: operation.action(),
            key: &key.arn,
            context: &facts,
        },
    );
    rule(
        context,
        operation.action(),
        &key.arn.to_string(),
        Some(key),
        answer,
    )
}

/// Whether the caller could put the next policy onto a key that had this one.
pub(crate) fn keeps_access(context: &Context<'_>, key: &Key, document: &Document) -> bool {
    let policies = policies_of(context, document, &[]);
    let mut facts = facts::of_call(context, Operation::PutKeyPolicy.name());
    facts::add_traits(&mut facts, key);
    facts.set("kms:PolicyName", ["default".to_owned()]);
    let answer = policy::authorize(
        &policies,
        &Request {
            caller: &context.caller.principal,
            action: Operation::PutKeyPolicy.action(),
            key: &key.arn,
            context: &facts,
        },
    );
    answer.outcome == Outcome::Allowed
}

/// Asks whether the caller's own policies allow an operation of KMS that has no key.
pub(crate) fn on_account(context: &Context<'_>, operation: Operation) -> Result<(), Failure> {
    let mut facts = facts::of_call(context, operation.name());
    facts::add_members(&mut facts, context.members(), operation);
    if operation == Operation::CreateKey {
        on_new_key(context, &context.caller.region, &facts)
    } else {
        on_any(context, operation, "*", &facts)
    }
}

/// Asks whether the caller's own policies allow to make a replica, in the replica's Region.
pub(crate) fn on_replica(context: &Context<'_>, replica: &Key) -> Result<(), Failure> {
    let region = &replica.arn.place.region;
    let mut facts = facts::of_call(context, Operation::CreateKey.name());
    facts.set("aws:RequestedRegion", [region.to_string()]);
    facts::add_traits(&mut facts, replica);
    facts::add_tags(&mut facts, context.members());
    on_new_key(context, region, &facts)
}

/// Asks for a key that is not there yet, and for its tags, which may be put onto any key or onto none.
fn on_new_key(
    context: &Context<'_>,
    region: &Region,
    facts: &policy::Context,
) -> Result<(), Failure> {
    on_any(context, Operation::CreateKey, "*", facts)?;
    let tags = facts.get("aws:TagKeys").unwrap_or_default();
    if tags.is_empty() {
        return Ok(());
    }
    let (partition, account) = home(context);
    let any = format!("arn:{partition}:kms:{region}:{account}:key/*");
    on_any(context, Operation::TagResource, &any, facts)
}

/// Asks whether the caller's own policies allow an operation on something of its account that has no policy.
fn on_any(
    context: &Context<'_>,
    operation: Operation,
    resource: &str,
    facts: &policy::Context,
) -> Result<(), Failure> {
    let owner = home(context);
    let asked = Asked {
        action: operation.action(),
        resource,
        owner,
        facts,
    };
    on_resource(context, &delegation(owner), &asked)
}

/// Asks whether the caller's own policies allow an operation on an alias, which has no policy.
pub(crate) fn on_alias(
    context: &Context<'_>,
    operation: Operation,
    alias: &str,
) -> Result<(), Failure> {
    let facts = facts::of_call(context, operation.name());
    on_any(context, operation, alias, &facts)
}

/// Asks whether the caller's own policies allow an action of IAM or STS.
pub(crate) fn on_own(
    context: &Context<'_>,
    service: Service,
    operation: &str,
    resource: &str,
) -> Result<(), Failure> {
    let owner = home(context);
    let action = format!("{}:{operation}", service.name());
    let facts = facts::of_call(context, operation);
    let asked = Asked {
        action: &action,
        resource,
        owner,
        facts: &facts,
    };
    on_resource(context, &delegation(owner), &asked)
}

/// Asks whether the caller may assume a role or tag its session, of which its trust policy has a say.
pub(crate) fn on_role(
    context: &Context<'_>,
    operation: &str,
    role: &Entity,
    known: &policy::Context,
) -> Result<(), Failure> {
    let owner = (role.partition, role.account);
    let trust = role.trust.clone().unwrap_or_default();
    let mut document = Document::clone(&*document(context, trust, owner));
    // A trust policy names no resource: it is about its role.
    for statement in &mut document.statements {
        statement.resources = Resources::this_key();
    }
    let mut facts = facts::of_call(context, operation);
    facts.extend(known);
    let asked = Asked {
        action: &format!("{}:{operation}", Service::Sts.name()),
        resource: &role.arn(),
        owner,
        facts: &facts,
    };
    on_resource(context, &document, &asked)
}

/// True for principals that policies and grants may name: any, or those that are there.
pub(crate) fn may_be_named(
    context: &Context<'_>,
    connection: &Connection,
    principal: &Principal,
) -> Result<bool, Failure> {
    let is_entity = matches!(principal, Principal::User(_) | Principal::Role(_));
    if !is_entity {
        return Ok(true);
    }
    let found =
        |connection: &Connection| Ok(entities::of_principal(connection, principal)?.is_some());
    if context.rules.principals == super::Principals::Existing {
        let past = context.read_past(Lag::Principals, found);
        return past.unwrap_or_else(|| found(connection));
    }
    // One that is there, and was not, is one that is too new.
    let past = context.read_past(Lag::Principals, found).transpose()?;
    Ok(past != Some(false) || !found(connection)?)
}

/// A question about what is no key.
struct Asked<'a> {
    action: &'a str,
    resource: &'a str,
    owner: (Partition, AccountId),
    facts: &'a policy::Context,
}

fn on_resource(
    context: &Context<'_>,
    document: &Document,
    asked: &Asked<'_>,
) -> Result<(), Failure> {
    let answer = policy::authorize_errand(
        &policies_of(context, document, &[]),
        &Errand {
            caller: &context.caller.principal,
            action: asked.action,
            resource: asked.resource,
            owner: asked.owner,
            context: asked.facts,
        },
    );
    rule(context, asked.action, asked.resource, None, answer)
}

/// Notes a decision, and fails where it is none to allow.
fn rule(
    context: &Context<'_>,
    action: &str,
    resource: &str,
    key: Option<&Key>,
    answer: Answer,
) -> Result<(), Failure> {
    let outcome = match answer.outcome {
        Outcome::Allowed => Ok(()),
        Outcome::ExplicitlyDenied | Outcome::ImplicitlyDenied => {
            Err(words::denied(context.caller, action, resource, &answer))
        }
    };
    context.rulings.borrow_mut().push(Ruling {
        action: action.to_owned(),
        resource: resource.to_owned(),
        key: key.map(|key| key.arn.clone()),
        answer,
    });
    outcome
}

/// Everything that has a say about a call of this caller.
fn policies_of<'a>(
    context: &'a Context<'_>,
    document: &'a Document,
    grants: &'a [policy::Grant],
) -> Policies<'a> {
    let session = context.caller.session.as_deref();
    Policies {
        key: document,
        identity: &context.carried.identity,
        boundary: context.carried.boundary(),
        session: session.map_or(&[], |session| session.policies.as_slice()),
        grants,
    }
}

/// False where no policy looks at anything but who calls what.
fn asks_for_facts(policies: &Policies<'_>, operation: Operation) -> bool {
    let mut of_key = policies.key.statements.iter();
    let carried = |all: &[IdentityPolicy]| !all.is_empty();
    of_key.any(|statement| {
        // A resource may be written with a variable.
        let is_plain =
            statement.conditions.is_empty() && statement.resources == Resources::this_key();
        !is_plain && statement.actions.cover(operation.action())
    }) || carried(policies.identity)
        || policies.boundary.is_some()
        || carried(policies.session)
}

/// False where no policy looks at what hangs on a key, which takes longer to find.
fn asks_for_hangings(policies: &Policies<'_>) -> bool {
    let of_key = policies.key.statements.iter();
    let of_key = of_key.map(|one| (&one.conditions, &one.resources));
    let carried = policies.identity.iter().chain(policies.boundary);
    let carried = carried.chain(policies.session);
    let carried = carried.flat_map(|policy| &policy.statements);
    let carried = carried.map(|one| (&one.conditions, &one.resources));
    of_key.chain(carried).any(|(conditions, resources)| {
        let (Resources::Any(resources) | Resources::Not(resources)) = resources;
        let values = conditions.iter().flat_map(|one| one.values.iter());
        let mut texts = values.chain(resources.iter());
        conditions.iter().any(|one| facts::is_of_hangings(&one.key))
            || texts.any(|text| text.contains("${"))
    })
}

/// The policy of what has none: it is left to its account.
fn delegation(owner: (Partition, AccountId)) -> Document {
    delegation_of(&["*"], owner)
}

fn delegation_of(actions: &[&str], (partition, account): (Partition, AccountId)) -> Document {
    let account = Principal::Account(partition, account);
    let actions = actions.iter().map(|action| ActionPattern::new(action));
    let statement = Statement {
        sid: None,
        effect: Effect::Allow,
        principals: Principals::Any(vec![account].into()),
        actions: Actions::Any(actions.collect::<Vec<_>>().into()),
        resources: Resources::this_key(),
        conditions: SortedSet::new(),
    };
    Document {
        statements: vec![statement],
        ..Document::empty()
    }
}

fn home(context: &Context<'_>) -> (Partition, AccountId) {
    (context.caller.region.partition(), context.caller.account)
}

/// A policy that is kept with a key or a role. One that somebody else wrote and that cannot be read allows nothing but
/// that the account looks at a key's and puts another.
fn document(context: &Context<'_>, text: String, owner: (Partition, AccountId)) -> Arc<Document> {
    let document = context.parsed.document(text, owner.0);
    document.unwrap_or_else(|_| {
        let repair = [Operation::GetKeyPolicy, Operation::PutKeyPolicy];
        Arc::new(delegation_of(&repair.map(Operation::action), owner))
    })
}
