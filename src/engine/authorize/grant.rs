//! Grants as a side of decisions, and who may retire one.

use std::collections::BTreeMap;

use crate::engine::store::Connection;

use crate::engine::chaos::Lag;
use crate::engine::operation::Context;
use crate::engine::store::grants::{self, Grant, Terms};
use crate::engine::store::keys::{self, Key};
use crate::engine::wire::Failure;
use crate::model::{Constraints, Operation, Partition, Principal};
use crate::policy::{self, Answer, Errand, Ground, Outcome};

use super::{delegation, facts, policies_of, rule, words};

/// The grants on a key that can be meant for the caller.
pub(super) fn of_caller(
    context: &Context<'_>,
    connection: &Connection,
    key: &Key,
) -> Result<Vec<policy::Grant>, Failure> {
    let names = names(context);
    let mut found = grants::of_grantees(connection, key.row, &names)?;
    let luck = context.luck.as_ref();
    if let Some(since) = luck.and_then(|luck| luck.blind_since(Lag::Grants, context.now)) {
        let shown = context.shown_grants.borrow();
        found.retain(|grant| grant.created < since || shown.contains(&grant.id));
    }
    let partition = key.arn.partition;
    Ok(found
        .into_iter()
        .filter_map(|grant| read(grant, partition))
        .collect())
}

/// The names under which a caller can be given a grant: its own, its role's, its account's.
fn names(context: &Context<'_>) -> [Option<String>; 4] {
    let caller = context.caller;
    let own = caller.principal.to_string();
    let bare = if let Principal::Session(arn) = &caller.principal {
        let role = arn.resource().split('/').nth(1);
        role.map(|role| format!("arn:{}:iam::{}:role/{role}", arn.partition(), arn.account()))
    } else {
        None
    };
    let home = caller.principal.home();
    let account =
        home.map(|(partition, account)| Principal::Account(partition, account).to_string());
    [Some(own), context.carried.source.clone(), bare, account]
}

fn read(grant: Grant, partition: Partition) -> Option<policy::Grant> {
    let terms = grant.terms;
    let grantee = match (&terms.grantee, &terms.grantee_service) {
        (Some(principal), _) => principal
            .parse()
            .map(Principal::Service)
            .or_else(|_| Principal::parse(principal, partition)),
        (None, Some(service)) => service.parse().map(Principal::Service),
        (None, None) => return None,
    };
    let source_arn = terms.source_arn.map(|arn| arn.parse()).transpose().ok()?;
    Some(policy::Grant {
        id: grant.id,
        key: None,
        grantee: grantee.ok()?,
        operations: terms
            .operations
            .iter()
            .map(|one| one.name().to_owned())
            .collect(),
        constraints: Constraints {
            context_subset: terms.context_subset.unwrap_or_default(),
            context_equals: terms.context_equals.unwrap_or_default(),
            source_arn,
        },
    })
}

/// Who may retire a grant: its retiring principal, its grantee where it says so, and the account that made it.
///
/// No policy of the key has a say; the caller's own can deny, and share out what is its account's.
pub(crate) fn retirement(
    context: &Context<'_>,
    connection: &Connection,
    grant: &Grant,
) -> Result<(), Failure> {
    let caller = context.caller;
    let partition = grant.key.partition;
    let issuer = (partition, grant.issuing_account);
    let mut facts = facts::of_call(context, Operation::RetireGrant.name());
    facts::add_constraints(&mut facts, &grant.terms);
    let key = keys::find(connection, &grant.key)?;
    if let Some(key) = &key {
        facts::add_hangings(&mut facts, context, connection, key)?;
    }
    let resource = grant.key.to_string();
    let home = caller.principal.home().unwrap_or(issuer);
    let errand = Errand {
        caller: &caller.principal,
        action: Operation::RetireGrant.action(),
        resource: &resource,
        owner: home,
        context: &facts,
    };
    let own = delegation(home);
    let by_account = policy::authorize_errand(&policies_of(context, &own, &[]), &errand);
    let account = Principal::Account(home.0, home.1).to_string();
    let is_accounts = home == issuer || grant.terms.retiring.as_ref() == Some(&account);
    let is_denied = by_account.outcome == Outcome::ExplicitlyDenied;
    let answer = if !is_denied && is_party(context, grant) {
        Answer {
            outcome: Outcome::Allowed,
            by: vec![Ground::Grant(grant.id.clone())],
            denial: None,
            ..by_account
        }
    } else if by_account.outcome == Outcome::Allowed && !is_accounts {
        Answer {
            outcome: Outcome::ImplicitlyDenied,
            by: Vec::new(),
            ..by_account
        }
    } else {
        by_account
    };
    rule(context, errand.action, &resource, key.as_ref(), answer)
}

/// True for the retiring principal, and for a grantee who may retire its own grant.
fn is_party(context: &Context<'_>, grant: &Grant) -> bool {
    let terms = &grant.terms;
    let is_caller = |name: &Option<String>| {
        let own = |own: &String| Some(own) == name.as_ref();
        names(context).iter().take(3).flatten().any(own)
    };
    let may_retire_own = terms.operations.contains(&Operation::RetireGrant);
    is_caller(&terms.retiring)
        || is_caller(&terms.retiring_service)
        || (may_retire_own && (is_caller(&terms.grantee) || is_caller(&terms.grantee_service)))
}

/// Checks that a new grant gives no more than a grant that lets the caller make it, where nothing but grants do.
pub(crate) fn check_child(
    context: &Context<'_>,
    connection: &Connection,
    terms: &Terms,
) -> Result<(), Failure> {
    let rulings = context.rulings.borrow();
    let Some(ruling) = rulings.last() else {
        return Ok(());
    };
    let mut parents = Vec::new();
    for ground in &ruling.answer.by {
        match ground {
            Ground::Statement { .. } => return Ok(()),
            Ground::Grant(id) => parents.extend(grants::find(connection, id)?),
        }
    }
    if parents.iter().any(|parent| is_within(terms, &parent.terms)) {
        return Ok(());
    }
    Err(words::denied(
        context.caller,
        &ruling.action,
        &ruling.resource,
        &ruling.answer,
    ))
}

/// True when a child grants no other operations than its parent, under constraints at least as strict.
fn is_within(child: &Terms, parent: &Terms) -> bool {
    let holds = |wanted: &BTreeMap<String, String>, given: &BTreeMap<String, String>| {
        wanted
            .iter()
            .all(|(name, value)| given.get(name) == Some(value))
    };
    let is_strict = match (&parent.context_equals, &parent.context_subset) {
        (Some(wanted), _) => child.context_equals.as_ref() == Some(wanted),
        (None, Some(wanted)) => {
            let given = child
                .context_equals
                .as_ref()
                .or(child.context_subset.as_ref());
            given.is_some_and(|given| holds(wanted, given))
        }
        (None, None) => true,
    };
    let is_bound = parent.source_arn.is_none() || parent.source_arn == child.source_arn;
    is_strict && is_bound && child.operations.is_subset(&parent.operations)
}
