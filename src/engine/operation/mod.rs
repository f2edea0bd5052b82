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

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use crate::engine::store::Connection;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::model::{Operation, Place, Region};
use crate::policy;

use super::Rules;
use super::authorize::{self, Carried};
use super::caller::Caller;
use super::chaos::{Lag, Luck, Quota};
use super::entropy::Entropy;
use super::parsed::Parsed;
use super::record::Ruling;
use super::store::keys::Key;
use super::store::{Database, deadlines};
use super::wire::{self, Code, Failure};

/// What an operation works with.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub database: &'a Database,
    pub entropy: &'a dyn Entropy,
    pub caller: &'a Caller,
    pub now: Timestamp,
    pub request_id: &'a str,
    pub rules: Rules,
    /// The request's body.
    pub body: &'a [u8],
    pub members: OnceCell<Map<String, Value>>,
    pub parsed: &'a Parsed,
    /// What the caller brings along.
    pub carried: Carried,
    /// Condition keys that an operation has found out besides its members.
    pub known: RefCell<policy::Context>,
    /// The grants whose tokens the request has.
    pub shown_grants: RefCell<BTreeSet<String>>,
    /// What was decided so far.
    pub rulings: RefCell<Vec<Ruling>>,
    /// What chaos has in store for the call.
    pub luck: Option<Luck>,
    /// True while the call looks at a state that is over.
    pub is_in_past: Cell<bool>,
    /// For how long the states before writes are kept.
    pub memory: Duration,
    pub patience: Patience,
    /// Set when a write was given up for lack of patience; nothing has happened then.
    pub is_postponed: Cell<bool>,
}

/// Whether an operation may wait for a disk or for another writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Waits,
    Hurries,
}

impl Context<'_> {
    /// The members of the body, whatever the operation makes of them; none before [`admit`] has read them.
    pub(crate) fn members(&self) -> &Map<String, Value> {
        self.members.get_or_init(Map::new)
    }

    /// Counts the call against one more of its caller's quotas, where chaos minds them.
    pub(crate) fn count(&self, region: &Region, quota: Quota, count: u32) -> Result<(), Failure> {
        let Some(luck) = &self.luck else {
            return Ok(());
        };
        let place = Place {
            account: self.caller.account,
            region: region.clone(),
        };
        luck.count(&place, (quota, count), self.now)
    }

    /// Counts the use of a key.
    pub(crate) fn count_use(&self, key: &Key, operation: Operation) -> Result<(), Failure> {
        if self.luck.is_none() || !operation.is_cryptographic() {
            return Ok(());
        }
        let pair = self.members().get("KeyPairSpec").and_then(Value::as_str);
        let region = &key.arn.place.region;
        self.count(region, Quota::of_use(key, operation, pair), 1)?;
        match &key.store {
            Some(store) => self.count(region, Quota::KeyStore(store.clone()), 1),
            None => Ok(()),
        }
    }

    /// Notes a condition key for the decisions to come.
    fn know(&self, key: &str, value: String) {
        self.known.borrow_mut().set(key, [value]);
    }

    /// Reads from one state of the store, in which everything that is due by now has happened.
    pub(crate) fn read<T>(
        &self,
        run: impl Fn(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if let Some(past) = self.read_past(Lag::Reads, &run) {
            return past;
        }
        let ruled = self.rulings.borrow().len();
        let settled = self.database.read(|connection| {
            // What was decided on a state that has moved on was not decided.
            self.rulings.borrow_mut().truncate(ruled);
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

    /// Reads a state of the store that is over, where the call is to see one.
    pub(crate) fn read_past<T>(
        &self,
        lag: Lag,
        run: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Option<Result<T, Failure>> {
        if self.is_in_past.get() {
            return None;
        }
        let since = self.luck.as_ref()?.blind_since(lag, self.now)?;
        self.is_in_past.set(true);
        let outcome = self.database.read_past(since, run);
        self.is_in_past.set(false);
        outcome
    }

    /// Changes the store after everything that is due by now has happened; all of it or nothing.
    pub(crate) fn write<T>(
        &self,
        run: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.patience == Patience::Hurries {
            self.is_postponed.set(true);
            return Err(Failure::silent(Code::Internal));
        }
        if !self.memory.is_zero() {
            self.database.keep_present(self.now, self.memory)?;
        }
        self.database.write(|connection| {
            settle::settle(self, connection)?;
            run(connection)
        })
    }
}

/// An operation from body to body.
pub(crate) type Handler = fn(&Context<'_>) -> Result<Bytes, Failure>;

/// Targets that mostly read, and little, so that answering them at once holds nobody up; where one has to write after
/// all, it is asked again by somebody who can wait.
pub(crate) const QUICK: &[&[u8]] = &[
    b"TrentService.Decrypt",
    b"TrentService.DescribeKey",
    b"TrentService.Encrypt",
    b"TrentService.GenerateDataKey",
    b"TrentService.GenerateDataKeyWithoutPlaintext",
    b"TrentService.GetKeyPolicy",
    b"TrentService.GetKeyRotationStatus",
];

macro_rules! operations {
    ($($name:ident $way:ident $run:path,)+) => {
        /// Finds an operation by its name on the wire.
        pub(crate) fn find(name: &str) -> Option<Handler> {
            match name {
                $(stringify!($name) => Some(|context| $way(context, stringify!($name), $run)),)+
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
    name: &str,
    run: impl Fn(&Context<'_>, &I) -> Result<O, Failure>,
) -> Result<Bytes, Failure> {
    let output = run(context, &admit(context, name)?)?;
    wire::write(&output)
}

/// Runs an operation that answers with nothing.
fn done<I: DeserializeOwned>(
    context: &Context<'_>,
    name: &str,
    run: impl Fn(&Context<'_>, &I) -> Result<(), Failure>,
) -> Result<Bytes, Failure> {
    run(context, &admit(context, name)?)?;
    Ok(Bytes::new())
}

/// Reads the members of a request; what is about no key is authorised here, what is about one where it is found.
fn admit<I: DeserializeOwned>(context: &Context<'_>, name: &str) -> Result<I, Failure> {
    let members = wire::members(context.body)?;
    let members = context.members.get_or_init(|| members);
    let input = wire::read(members)?;
    match name.parse::<Operation>() {
        // Who may retire a grant depends on the grant.
        Ok(Operation::RetireGrant) => {}
        Ok(operation) if !operation.is_key_level() => authorize::on_account(context, operation)?,
        // `ReEncrypt` is no permission; its two halves are, each on its key.
        Ok(_) | Err(_) => {}
    }
    Ok(input)
}
