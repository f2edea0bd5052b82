//! `CreateGrant`.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::store::Connection;
use serde::{Deserialize, Serialize};

use crate::engine::authorize;
use crate::engine::entropy;
use crate::engine::store::grants::{self, Grant, Terms};
use crate::engine::store::keys::Key;
use crate::engine::wire::{Check, Code, Failure, Structure};
use crate::model::{Operation, Principal};

use super::{Context, find_key, grant_members, grant_token};

/// The most grants that a key can have; KMS Developer Guide, "Resource quotas".
const MOST: i64 = 50_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
    grantee_principal: Option<String>,
    grantee_service_principal: Option<String>,
    retiring_principal: Option<String>,
    retiring_service_principal: Option<String>,
    operations: Option<Vec<String>>,
    constraints: Option<Structure<Constraints>>,
    grant_tokens: Option<Vec<String>>,
    name: Option<String>,
    dry_run: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Constraints {
    encryption_context_subset: Option<BTreeMap<String, String>>,
    encryption_context_equals: Option<BTreeMap<String, String>>,
    source_arn: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    grant_token: String,
    grant_id: String,
}

pub(super) fn create_grant(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let terms = terms(&mut check, input);
    check.finish()?;
    check_parties(&terms)?;
    check_context(&terms)?;
    let grant_id = context.write(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::CreateGrant)?;
        authorize::check_child(context, connection, &terms)?;
        check_principals(context, connection, &terms)?;
        check_key(&key, &terms)?;
        if input.dry_run == Some(true) {
            return Err(grant_members::dry_run());
        }
        insert(context, connection, &key, input.name.as_deref(), &terms)
    })?;
    Ok(Output {
        grant_token: grant_token::issue(context, &grant_id)?,
        grant_id,
    })
}

/// The terms of a request; what the service model finds wrong with them goes to `check`.
fn terms(check: &mut Check, input: &Input) -> Terms {
    let principal = grant_members::check_principal;
    let service = grant_members::check_service;
    principal(
        check,
        "granteePrincipal",
        input.grantee_principal.as_deref(),
    );
    principal(
        check,
        "retiringPrincipal",
        input.retiring_principal.as_deref(),
    );
    service(
        check,
        "granteeServicePrincipal",
        input.grantee_service_principal.as_deref(),
    );
    service(
        check,
        "retiringServicePrincipal",
        input.retiring_service_principal.as_deref(),
    );
    let names = check.required("operations", input.operations.as_deref());
    let grantable: Vec<Operation> = Operation::ALL
        .iter()
        .copied()
        .filter(|operation| operation.is_grantable())
        .collect();
    let operations: BTreeSet<Operation> = check
        .choices("operations", names, &grantable)
        .into_iter()
        .collect();
    grant_members::check_name(check, input.name.as_deref());
    grant_members::check_tokens(check, input.grant_tokens.as_deref());
    let constraints = input.constraints.as_ref().map(|all| &all.0);
    let source_arn = constraints.and_then(|all| all.source_arn.clone());
    grant_members::check_source_arn(check, source_arn.as_deref());
    let given =
        |pairs: &Option<BTreeMap<String, String>>| pairs.clone().filter(|pairs| !pairs.is_empty());
    Terms {
        grantee: input.grantee_principal.clone(),
        grantee_service: input.grantee_service_principal.clone(),
        retiring: input.retiring_principal.clone(),
        retiring_service: input.retiring_service_principal.clone(),
        operations,
        context_subset: constraints.and_then(|all| given(&all.encryption_context_subset)),
        context_equals: constraints.and_then(|all| given(&all.encryption_context_equals)),
        source_arn,
    }
}

/// Who is given access and who may retire it.
fn check_parties(terms: &Terms) -> Result<(), Failure> {
    let wrong = |why: &str| Err(Failure::validation(why));
    if terms.grantee.is_none() && terms.grantee_service.is_none() {
        return wrong("You must specify either GranteePrincipal or GranteeServicePrincipal.");
    }
    if terms.grantee.is_some() && terms.grantee_service.is_some() {
        return wrong("You cannot specify both GranteePrincipal and GranteeServicePrincipal.");
    }
    let no_retirer = terms.retiring.is_none() && terms.retiring_service.is_none();
    if terms.grantee_service.is_some() && (terms.source_arn.is_none() || no_retirer) {
        return wrong(
            "A grant with a GranteeServicePrincipal must have a SourceArn constraint and a retiring principal.",
        );
    }
    if terms.retiring.is_some() && terms.retiring_service.is_some() {
        return wrong("You cannot specify both RetiringPrincipal and RetiringServicePrincipal.");
    }
    for principal in [&terms.grantee, &terms.retiring].into_iter().flatten() {
        let arn = principal
            .parse()
            .map_err(|_| invalid_principal(principal))?;
        Principal::from_arn(arn).map_err(|_| invalid_principal(principal))?;
    }
    Ok(())
}

/// Fails when a party is not there, for an engine that minds.
fn check_principals(
    context: &Context<'_>,
    connection: &Connection,
    terms: &Terms,
) -> Result<(), Failure> {
    let partition = context.caller.region.partition();
    for name in [&terms.grantee, &terms.retiring].into_iter().flatten() {
        let principal = Principal::parse(name, partition).map_err(|_| invalid_principal(name))?;
        if !authorize::may_be_named(context, connection, &principal)? {
            return Err(invalid_principal(name));
        }
    }
    Ok(())
}

fn invalid_principal(principal: &str) -> Failure {
    Failure::new(
        Code::InvalidArn,
        format!("ARN does not refer to a valid principal: {principal}"),
    )
}

fn check_context(terms: &Terms) -> Result<(), Failure> {
    if terms.context_subset.is_some() && terms.context_equals.is_some() {
        return Err(Failure::validation("More than one constraint supplied"));
    }
    let pairs = terms
        .context_subset
        .as_ref()
        .or(terms.context_equals.as_ref());
    let Some(pairs) = pairs else { return Ok(()) };
    if pairs.len() > 8 {
        return Err(Failure::validation(
            "A grant constraint can have at most 8 encryption context pairs.",
        ));
    }
    if pairs.values().any(|value| value.chars().count() > 384) {
        return Err(Failure::validation(
            "An encryption context value in a grant constraint can have at most 384 characters.",
        ));
    }
    Ok(())
}

/// What only some keys let a grant say.
fn check_key(key: &Key, terms: &Terms) -> Result<(), Failure> {
    if terms.operations.is_empty() {
        return Err(Failure::validation(
            "A grant must have at least one operation",
        ));
    }
    if terms
        .operations
        .iter()
        .all(|one| *one == Operation::CreateGrant)
    {
        return Err(Failure::validation(
            "Grants must not contain only the CreateGrant operation",
        ));
    }
    let unsupported = |operation: &&Operation| !operation.is_grantable_on(key.kind);
    if let Some(operation) = terms.operations.iter().find(unsupported) {
        return Err(Failure::validation(format!(
            "Operation {operation} is not supported by {}, whose key usage is {} and key spec {}",
            key.arn, key.kind.usage, key.kind.spec
        )));
    }
    let has_context = terms.context_subset.is_some() || terms.context_equals.is_some();
    if has_context && !key.kind.is_symmetric() {
        return Err(Failure::validation(
            "Encryption context constraints are supported for symmetric encryption keys only.",
        ));
    }
    Ok(())
}

/// Adds the grant, or finds the one that has the same name and terms.
fn insert(
    context: &Context<'_>,
    connection: &Connection,
    key: &Key,
    name: Option<&str>,
    terms: &Terms,
) -> Result<String, Failure> {
    if let Some(name) = name {
        let named = grants::named(connection, key.row, name)?;
        if let Some(same) = named.into_iter().find(|grant| grant.terms == *terms) {
            return Ok(same.id);
        }
    }
    if grants::count(connection, key.row)? >= MOST {
        return Err(Failure::new(
            Code::LimitExceeded,
            format!("{} has {MOST} grants and cannot have more", key.arn),
        ));
    }
    let grant = Grant {
        row: 0,
        id: entropy::hex(&entropy::bytes::<32>(context.entropy)?),
        key: key.arn.clone(),
        name: name.map(str::to_owned),
        terms: terms.clone(),
        issuing_account: context.caller.account,
        created: context.now,
    };
    grants::insert(connection, key.row, &grant)?;
    Ok(grant.id)
}
