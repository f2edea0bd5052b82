//! KMS operations: from the members of a request to the members of an answer.

mod cipher;
mod find_key;
mod grant_members;
mod grant_token;
mod imported;
mod key_state;
mod key_store_backend;
mod key_store_members;
mod key_use;
mod lockout;
mod metadata;
mod page;
mod policy_text;
mod settle;
mod source;
mod tag_rules;

mod alias;
mod create_grant;
mod create_key;
mod create_key_store;
mod data_key;
mod data_key_pair;
mod decrypt;
mod deletion;
mod describe_key;
mod describe_key_stores;
mod description;
mod enabling;
mod encrypt;
mod end_grant;
mod import_material;
mod import_parameters;
mod key_policy;
mod key_store_connection;
mod last_usage;
mod list_aliases;
mod list_grants;
mod list_keys;
mod list_rotations;
mod mac;
mod public_key;
mod random;
mod re_encrypt;
mod replicate;
mod rotate_on_demand;
mod rotation;
mod shared_secret;
mod sign;
mod tags;
mod update_key_store;

use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::caller::Caller;
use super::entropy::Entropy;
use super::store::{Database, deadlines};
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
            if deadlines::passed(connection, self.now)? {
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

macro_rules! operations {
    ($($name:ident $way:ident $run:path,)+) => {
        /// Finds an operation by its name on the wire.
        pub(crate) fn find(name: &str) -> Option<Handler> {
            match name {
                $(stringify!($name) => Some(|context, body| $way(context, body, $run)),)+
                _ => None,
            }
        }
    };
}

// Each with the way in which it answers: with members, or done with nothing to say.
operations! {
    CancelKeyDeletion answer deletion::cancel,
    ConnectCustomKeyStore done key_store_connection::connect,
    CreateAlias done alias::create,
    CreateCustomKeyStore answer create_key_store::create,
    CreateGrant answer create_grant::create_grant,
    CreateKey answer create_key::create_key,
    Decapsulate answer shared_secret::decapsulate,
    Decrypt answer decrypt::decrypt,
    DeleteAlias done alias::delete,
    DeleteCustomKeyStore done key_store_connection::delete,
    DeleteImportedKeyMaterial answer import_material::delete,
    DeriveSharedSecret answer shared_secret::derive,
    DescribeCustomKeyStores answer describe_key_stores::describe,
    DescribeKey answer describe_key::describe_key,
    DisableKey done enabling::disable,
    DisableKeyRotation done rotation::disable,
    DisconnectCustomKeyStore done key_store_connection::disconnect,
    EnableKey done enabling::enable,
    EnableKeyRotation done rotation::enable,
    Encapsulate answer shared_secret::encapsulate,
    Encrypt answer encrypt::encrypt,
    GenerateDataKey answer data_key::generate,
    GenerateDataKeyPair answer data_key_pair::generate,
    GenerateDataKeyPairWithoutPlaintext answer data_key_pair::generate_without_plaintext,
    GenerateDataKeyWithoutPlaintext answer data_key::generate_without_plaintext,
    GenerateMac answer mac::generate,
    GenerateRandom answer random::generate,
    GetKeyLastUsage answer last_usage::last_usage,
    GetKeyPolicy answer key_policy::get,
    GetKeyRotationStatus answer rotation::status,
    GetParametersForImport answer import_parameters::get,
    GetPublicKey answer public_key::get,
    ImportKeyMaterial answer import_material::import,
    ListAliases answer list_aliases::list_aliases,
    ListGrants answer list_grants::list,
    ListKeyPolicies answer key_policy::list,
    ListKeyRotations answer list_rotations::list_rotations,
    ListKeys answer list_keys::list_keys,
    ListResourceTags answer tags::list,
    ListRetirableGrants answer list_grants::list_retirable,
    PutKeyPolicy done key_policy::put,
    ReEncrypt answer re_encrypt::re_encrypt,
    ReplicateKey answer replicate::replicate,
    RetireGrant done end_grant::retire,
    RevokeGrant done end_grant::revoke,
    RotateKeyOnDemand answer rotate_on_demand::rotate_on_demand,
    ScheduleKeyDeletion answer deletion::schedule,
    Sign answer sign::sign,
    TagResource done tags::tag,
    UntagResource done tags::untag,
    UpdateAlias done alias::update,
    UpdateCustomKeyStore done update_key_store::update,
    UpdateKeyDescription done description::update,
    UpdatePrimaryRegion done replicate::update_primary,
    Verify answer sign::verify,
    VerifyMac answer mac::verify,
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
