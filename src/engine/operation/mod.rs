//! KMS operations: from the members of a request to the members of an answer.

mod find_key;
mod grant_members;
mod grant_token;
mod key_state;
mod metadata;
mod page;
mod policy_text;
mod settle;
mod tag_rules;

mod alias;
mod create_grant;
mod create_key;
mod deletion;
mod describe_key;
mod description;
mod enabling;
mod end_grant;
mod key_policy;
mod list_aliases;
mod list_grants;
mod list_keys;
mod rotation;
mod tags;

use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::caller::Caller;
use super::entropy::Entropy;
use super::store::{Database, keys};
use super::wire::{self, Failure};

/// What an operation works with.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub database: &'a Database,
    pub entropy: &'a dyn Entropy,
    pub caller: &'a Caller,
    pub now: Timestamp,
    pub request_id: &'a str,
}

impl Context<'_> {
    /// Reads from one state of the store, in which everything that is due by now has happened.
    fn read<T>(&self, run: impl Fn(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let settled = self.database.read(|connection| {
            if keys::anything_due(connection, self.now)? {
                return Ok(None);
            }
            run(connection).map(Some)
        })?;
        match settled {
            Some(value) => Ok(value),
            None => self.write(run),
        }
    }

    /// Changes the store after everything that is due by now has happened; all of it or nothing.
    fn write<T>(&self, run: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        self.database.write(|connection| {
            settle::settle(self, connection)?;
            run(connection)
        })
    }
}

/// An operation from body to body.
pub(crate) type Handler = fn(&Context<'_>, &[u8]) -> Result<Bytes, Failure>;

/// Finds an operation by its name on the wire.
pub(crate) fn find(name: &str) -> Option<Handler> {
    let handler: Handler = match name {
        "CancelKeyDeletion" => |context, body| answer(context, body, deletion::cancel),
        "CreateAlias" => |context, body| done(context, body, alias::create),
        "CreateGrant" => |context, body| answer(context, body, create_grant::create_grant),
        "CreateKey" => |context, body| answer(context, body, create_key::create_key),
        "DeleteAlias" => |context, body| done(context, body, alias::delete),
        "DescribeKey" => |context, body| answer(context, body, describe_key::describe_key),
        "DisableKey" => |context, body| done(context, body, enabling::disable),
        "DisableKeyRotation" => |context, body| done(context, body, rotation::disable),
        "EnableKey" => |context, body| done(context, body, enabling::enable),
        "EnableKeyRotation" => |context, body| done(context, body, rotation::enable),
        "GetKeyPolicy" => |context, body| answer(context, body, key_policy::get),
        "GetKeyRotationStatus" => |context, body| answer(context, body, rotation::status),
        "ListAliases" => |context, body| answer(context, body, list_aliases::list_aliases),
        "ListGrants" => |context, body| answer(context, body, list_grants::list),
        "ListKeyPolicies" => |context, body| answer(context, body, key_policy::list),
        "ListKeys" => |context, body| answer(context, body, list_keys::list_keys),
        "ListResourceTags" => |context, body| answer(context, body, tags::list),
        "ListRetirableGrants" => |context, body| answer(context, body, list_grants::list_retirable),
        "PutKeyPolicy" => |context, body| done(context, body, key_policy::put),
        "RetireGrant" => |context, body| done(context, body, end_grant::retire),
        "RevokeGrant" => |context, body| done(context, body, end_grant::revoke),
        "ScheduleKeyDeletion" => |context, body| answer(context, body, deletion::schedule),
        "TagResource" => |context, body| done(context, body, tags::tag),
        "UntagResource" => |context, body| done(context, body, tags::untag),
        "UpdateAlias" => |context, body| done(context, body, alias::update),
        "UpdateKeyDescription" => |context, body| done(context, body, description::update),
        _ => return None,
    };
    Some(handler)
}

/// Runs an operation that answers with members.
fn answer<I: DeserializeOwned, O: Serialize>(
    context: &Context<'_>,
    body: &[u8],
    run: impl Fn(&Context<'_>, &I) -> Result<O, Failure>,
) -> Result<Bytes, Failure> {
    let output = run(context, &wire::read(body)?)?;
    wire::write(&output)
}

/// Runs an operation that answers with nothing.
fn done<I: DeserializeOwned>(
    context: &Context<'_>,
    body: &[u8],
    run: impl Fn(&Context<'_>, &I) -> Result<(), Failure>,
) -> Result<Bytes, Failure> {
    run(context, &wire::read(body)?)?;
    Ok(Bytes::new())
}
