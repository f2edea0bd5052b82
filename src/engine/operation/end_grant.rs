//! `RevokeGrant` and `RetireGrant`.

use crate::engine::store::Connection;
use serde::Deserialize;

use crate::engine::authorize;
use crate::engine::store::grants::{self, Grant};
use crate::engine::wire::{Check, Code, Failure};
use crate::model::Operation;

use super::{Context, find_key, grant_members, grant_token};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RevokeInput {
    key_id: Option<String>,
    grant_id: Option<String>,
    dry_run: Option<bool>,
}

pub(super) fn revoke(context: &Context<'_>, input: &RevokeInput) -> Result<(), Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    grant_members::check_id(&mut check, input.grant_id.as_deref());
    let grant_id = check.required("grantId", input.grant_id.as_deref());
    check.finish()?;
    context.write(|connection| {
        let grant = of_key(
            context,
            connection,
            key_id,
            grant_id,
            Operation::RevokeGrant,
        )?;
        end(connection, &grant, input.dry_run)
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RetireInput {
    grant_token: Option<String>,
    key_id: Option<String>,
    grant_id: Option<String>,
    dry_run: Option<bool>,
}

pub(super) fn retire(context: &Context<'_>, input: &RetireInput) -> Result<(), Failure> {
    let mut check = Check::default();
    check.length("grantToken", input.grant_token.as_deref(), 1..=8192);
    check.length("keyId", input.key_id.as_deref(), 1..=2048);
    grant_members::check_id(&mut check, input.grant_id.as_deref());
    check.finish()?;
    context.write(|connection| {
        let grant = match (&input.grant_token, &input.key_id, &input.grant_id) {
            (Some(token), None, None) => {
                let id = grant_token::read(context, token)?;
                grants::find(connection, &id)?
                    .filter(|grant| grant.key.place.region == context.caller.region)
                    .ok_or_else(|| unknown(&id))?
            }
            (None, Some(key_id), Some(grant_id)) => of_key(
                context,
                connection,
                key_id,
                grant_id,
                Operation::RetireGrant,
            )?,
            _ => {
                return Err(Failure::validation(
                    "You must specify either a grant token or a key ARN and a grant ID.",
                ));
            }
        };
        authorize::retirement(context, connection, &grant)?;
        end(connection, &grant, input.dry_run)
    })
}

fn of_key(
    context: &Context<'_>,
    connection: &Connection,
    key_id: &str,
    grant_id: &str,
    operation: Operation,
) -> Result<Grant, Failure> {
    let key = find_key::find(context, connection, key_id, operation)?;
    if grant_id.len() != 64 || !grant_id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Failure::new(
            Code::InvalidGrantId,
            format!("Grant ID {grant_id} is not valid"),
        ));
    }
    grants::find(connection, grant_id)?
        .filter(|grant| grant.key == key.arn)
        .ok_or_else(|| unknown(grant_id))
}

fn end(connection: &Connection, grant: &Grant, dry_run: Option<bool>) -> Result<(), Failure> {
    if dry_run == Some(true) {
        return Err(grant_members::dry_run());
    }
    Ok(grants::delete(connection, grant.row)?)
}

fn unknown(grant_id: &str) -> Failure {
    Failure::new(
        Code::NotFound,
        format!("Grant ID {grant_id} does not exist"),
    )
}
