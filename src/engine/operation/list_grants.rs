//! `ListGrants` and `ListRetirableGrants`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::store::grants::{self, Grant};
use crate::engine::wire::{Check, Code, Failure, Seconds};
use crate::model::{Arn, Operation};

use super::page::{Page, Pages};
use super::{Context, find_key, grant_members};

const PAGES: Pages = Pages {
    kind: "grants",
    default: 50,
    most: 100,
};

const RETIRABLE_PAGES: Pages = Pages {
    kind: "retirable",
    default: 50,
    most: 100,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListInput {
    key_id: Option<String>,
    grant_id: Option<String>,
    grantee_principal: Option<String>,
    grantee_service_principal: Option<String>,
    limit: Option<i64>,
    marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    grants: Vec<Entry>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key_id: String,
    grant_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    creation_date: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    grantee_principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grantee_service_principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retiring_principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retiring_service_principal: Option<String>,
    issuing_account: String,
    operations: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraints: Option<Constraints>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Constraints {
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_context_subset: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_context_equals: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_arn: Option<String>,
}

pub(super) fn list(context: &Context<'_>, input: &ListInput) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    grant_members::check_id(&mut check, input.grant_id.as_deref());
    let grantee = input.grantee_principal.as_deref();
    grant_members::check_principal(&mut check, "granteePrincipal", grantee);
    PAGES.check(&mut check, input.limit, input.marker.as_deref());
    check.finish()?;
    if input.grantee_service_principal.is_some() {
        return Err(services_only("GranteeServicePrincipal"));
    }
    let page = PAGES.page(input.limit, input.marker.as_deref())?;
    let found = context.read(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::ListGrants)?;
        let after = page.after_row()?;
        let found = match (&input.grant_id, grantee) {
            (Some(id), _) => grants::find(connection, id)?
                .into_iter()
                .filter(|grant| grant.key == key.arn && grant.row > after)
                .filter(|grant| grantee.is_none() || grant.terms.grantee.as_deref() == grantee)
                .collect(),
            (None, Some(grantee)) => {
                grants::of_grantee_after(connection, key.row, grantee, after, page.reach())?
            }
            (None, None) => grants::after(connection, key.row, after, page.reach())?,
        };
        Ok(found)
    })?;
    Ok(output(&page, found))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RetirableInput {
    retiring_principal: Option<String>,
    retiring_service_principal: Option<String>,
    limit: Option<i64>,
    marker: Option<String>,
}

pub(super) fn list_retirable(
    context: &Context<'_>,
    input: &RetirableInput,
) -> Result<Output, Failure> {
    let mut check = Check::default();
    let principal = input.retiring_principal.as_deref();
    grant_members::check_principal(&mut check, "retiringPrincipal", principal);
    RETIRABLE_PAGES.check(&mut check, input.limit, input.marker.as_deref());
    check.finish()?;
    let principal = match (principal, &input.retiring_service_principal) {
        (Some(principal), None) => principal,
        (None, Some(_)) => return Err(services_only("RetiringServicePrincipal")),
        (None, None) | (Some(_), Some(_)) => {
            return Err(Failure::validation(
                "You must specify either RetiringPrincipal or RetiringServicePrincipal.",
            ));
        }
    };
    check_account(context, principal)?;
    let page = RETIRABLE_PAGES.page(input.limit, input.marker.as_deref())?;
    let region = context.caller.region.as_str();
    let found = context.read(|connection| {
        let after = page.after_row()?;
        Ok(grants::retirable_after(
            connection,
            region,
            principal,
            after,
            page.reach(),
        )?)
    })?;
    Ok(output(&page, found))
}

/// The retiring principal must be one of the caller's account.
fn check_account(context: &Context<'_>, principal: &str) -> Result<(), Failure> {
    let arn: Arn = principal.parse().map_err(|_| {
        Failure::new(
            Code::InvalidArn,
            format!("ARN does not refer to a valid principal: {principal}"),
        )
    })?;
    if arn.account() == context.caller.account.as_str() {
        return Ok(());
    }
    let caller = &context.caller.principal;
    Err(Failure::new(
        Code::AccessDenied,
        format!(
            "User: {caller} is not authorized to perform: kms:ListRetirableGrants on resource: {principal}"
        ),
    ))
}

/// Some filters are for AWS services, and the engine's callers are none.
fn services_only(member: &str) -> Failure {
    Failure::new(
        Code::AccessDenied,
        format!("{member} can be specified by AWS services only"),
    )
}

fn output(page: &Page, mut found: Vec<Grant>) -> Output {
    let more = page.cut(&mut found, |grant| grant.row.to_string());
    Output {
        grants: found.into_iter().map(entry).collect(),
        truncated: more.truncated,
        next_marker: more.next_marker,
    }
}

fn entry(grant: Grant) -> Entry {
    let terms = grant.terms;
    let constraints = Constraints {
        encryption_context_subset: terms.context_subset,
        encryption_context_equals: terms.context_equals,
        source_arn: terms.source_arn,
    };
    let constrained = constraints.encryption_context_subset.is_some()
        || constraints.encryption_context_equals.is_some()
        || constraints.source_arn.is_some();
    Entry {
        issuing_account: format!(
            "arn:{}:iam::{}:root",
            grant.key.partition, grant.issuing_account
        ),
        key_id: grant.key.to_string(),
        grant_id: grant.id,
        name: grant.name,
        creation_date: grant.created.into(),
        grantee_principal: terms.grantee,
        grantee_service_principal: terms.grantee_service,
        retiring_principal: terms.retiring,
        retiring_service_principal: terms.retiring_service,
        operations: terms.operations.into_iter().map(Operation::name).collect(),
        constraints: constrained.then_some(constraints),
    }
}
