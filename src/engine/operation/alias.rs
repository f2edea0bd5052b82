//! `CreateAlias`, `UpdateAlias` and `DeleteAlias`.

use crate::engine::store::Connection;
use serde::Deserialize;

use crate::engine::authorize;
use crate::engine::store::aliases;
use crate::engine::store::keys::{self, Key};
use crate::engine::wire::{Check, Code, Failure};
use crate::model::{AliasName, Operation};

use super::{Context, find_key};

/// The most aliases that a key can have; KMS Developer Guide, "Resource quotas".
const MOST: i64 = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    alias_name: Option<String>,
    target_key_id: Option<String>,
}

pub(super) fn create(context: &Context<'_>, input: &Input) -> Result<(), Failure> {
    let (name, target) = names(input)?;
    let place = context.caller.place();
    let arn = find_key::alias_arn(&place, name);
    context.write(|connection| {
        authorize::on_alias(context, Operation::CreateAlias, &arn)?;
        let key = target_key(context, connection, target, Operation::CreateAlias)?;
        if aliases::target(connection, &place, name)?.is_some() {
            return Err(Failure::new(
                Code::AlreadyExists,
                format!("An alias with the name {arn} already exists"),
            ));
        }
        check_quota(connection, &key)?;
        Ok(aliases::insert(
            connection,
            &place,
            name,
            key.row,
            context.now,
        )?)
    })
}

pub(super) fn update(context: &Context<'_>, input: &Input) -> Result<(), Failure> {
    let (name, target) = names(input)?;
    let place = context.caller.place();
    let arn = find_key::alias_arn(&place, name);
    context.write(|connection| {
        authorize::on_alias(context, Operation::UpdateAlias, &arn)?;
        let missing = || find_key::unknown_alias(&arn);
        let before = aliases::target(connection, &place, name)?.ok_or_else(missing)?;
        let before = keys::at(connection, before)?;
        authorize::on_key(context, connection, &before, Operation::UpdateAlias)?;
        let after = target_key(context, connection, target, Operation::UpdateAlias)?;
        if !before.kind.shares_aliases_with(after.kind) {
            return Err(Failure::validation(
                "The current and the new KMS key of an alias must be of the same type and key usage.",
            ));
        }
        if before.row != after.row {
            check_quota(connection, &after)?;
        }
        Ok(aliases::update(
            connection,
            &place,
            name,
            after.row,
            context.now,
        )?)
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteInput {
    alias_name: Option<String>,
}

pub(super) fn delete(context: &Context<'_>, input: &DeleteInput) -> Result<(), Failure> {
    let mut check = Check::default();
    let name = check_name(&mut check, input.alias_name.as_deref());
    check.finish()?;
    check_prefix(name)?;
    let place = context.caller.place();
    let arn = find_key::alias_arn(&place, name);
    context.write(|connection| {
        authorize::on_alias(context, Operation::DeleteAlias, &arn)?;
        let target = aliases::target(connection, &place, name)?;
        let target = target.ok_or_else(|| find_key::unknown_alias(&arn))?;
        let key = keys::at(connection, target)?;
        authorize::on_key(context, connection, &key, Operation::DeleteAlias)?;
        aliases::delete(connection, &place, name)?;
        Ok(())
    })
}

fn names(input: &Input) -> Result<(&str, &str), Failure> {
    let mut check = Check::default();
    let name = check_name(&mut check, input.alias_name.as_deref());
    let target = check.text("targetKeyId", input.target_key_id.as_deref(), 1..=2048);
    check.finish()?;
    check_prefix(name)?;
    Ok((name, target))
}

fn check_name<'a>(check: &mut Check, name: Option<&'a str>) -> &'a str {
    check.pattern("aliasName", name, "^[a-zA-Z0-9:/_-]+$", |character| {
        character.is_ascii_alphanumeric() || matches!(character, ':' | '/' | '_' | '-')
    });
    check.text("aliasName", name, 1..=256)
}

fn check_prefix(name: &str) -> Result<(), Failure> {
    if !name.starts_with("alias/") {
        return Err(Failure::validation(
            "Alias must start with the prefix \"alias/\". Please see \
             https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ));
    }
    if AliasName::is_reserved(name) || name == "alias/" {
        return Err(Failure::new(
            Code::InvalidAliasName,
            format!("{name} is not a valid name for an alias"),
        ));
    }
    Ok(())
}

fn target_key(
    context: &Context<'_>,
    connection: &Connection,
    target: &str,
    operation: Operation,
) -> Result<Key, Failure> {
    if target.starts_with("alias/") {
        return Err(Failure::validation(
            "Aliases must refer to keys. Not aliases",
        ));
    }
    find_key::find(context, connection, target, operation)
}

fn check_quota(connection: &Connection, key: &Key) -> Result<(), Failure> {
    if aliases::count(connection, key.row)? < MOST {
        return Ok(());
    }
    Err(Failure::new(
        Code::LimitExceeded,
        format!("{} has {MOST} aliases and cannot have more", key.arn),
    ))
}
