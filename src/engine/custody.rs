//! What whoever holds the state may do without being asked: hand out access keys, look, and copy.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::engine::store::Connection;
use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};

use crate::model::{Place, Principal, Region};
use crate::policy::{self, Identities};

use super::authorize::Carried;
use super::caller::Caller;
use super::chaos::Turmoil;
use super::credentials::AccessKey;
use super::operation::{Context, Patience};
use super::store::{OpenError, file};
use super::wire::Failure;
use super::{Engine, iam, sts};

/// How long a session lasts that is handed out.
const SESSION: SignedDuration = SignedDuration::from_hours(12);
/// The name of such a session.
const SESSION_NAME: &str = "keywright";

/// An access key that was just made; its secret is shown this once.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedKeys {
    /// The access key's id.
    pub access_key: String,
    /// Its secret.
    pub secret: String,
    /// The session token, for a role.
    pub token: Option<String>,
    /// When a session ends.
    pub expires: Option<Timestamp>,
}

impl fmt::Debug for IssuedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedKeys")
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

/// Why something cannot be done with an engine's state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CustodyError {
    /// A principal that can have no access keys.
    #[error("`{0}` can have no access keys; a user, a role or an account's root user can")]
    NoKeys(String),
    /// The store failed.
    #[error("{0}")]
    Store(String),
}

impl From<Failure> for CustodyError {
    fn from(failure: Failure) -> Self {
        let code = failure.code.name().to_owned();
        Self::Store(failure.message.unwrap_or(code))
    }
}

/// What an engine holds of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Keys by Region.
    pub keys: BTreeMap<String, i64>,
    /// Aliases.
    pub aliases: i64,
    /// Grants.
    pub grants: i64,
    /// Users, roles and groups, by what they are.
    pub entities: BTreeMap<String, i64>,
    /// Managed policies.
    pub policies: i64,
    /// Long-lived access keys.
    pub access_keys: i64,
}

impl Engine {
    /// Makes an access key for a user or a root user, or a session of a role; who is not there yet is made, without any
    /// policy.
    pub fn issue_keys(
        &self,
        principal: &Principal,
        region: &Region,
    ) -> Result<IssuedKeys, CustodyError> {
        let none = || CustodyError::NoKeys(principal.to_string());
        let account = principal.account().ok_or_else(none)?;
        let place = Place {
            account,
            region: region.clone(),
        };
        let caller = Caller::root(&place);
        let context = self.context(&caller, (self.clock.now(), ""), &[], Carried::default());
        match principal {
            Principal::Account(..) => {
                let key = context.write(|connection| iam::issue_for_root(&context, connection))?;
                Ok(long_lived(key))
            }
            Principal::User(_) => {
                let key = context.write(|connection| {
                    let user = iam::find_or_make(&context, connection, principal)?;
                    iam::issue(&context, connection, &user)
                })?;
                Ok(long_lived(key))
            }
            Principal::Role(_) => {
                let role = context
                    .write(|connection| iam::find_or_make(&context, connection, principal))?;
                let issued = sts::of_role(&context, &role, SESSION_NAME, SESSION)?;
                Ok(IssuedKeys {
                    access_key: issued.key.id,
                    secret: issued.key.secret,
                    token: Some(issued.token),
                    expires: Some(issued.expires),
                })
            }
            Principal::Anyone
            | Principal::Session(_)
            | Principal::Federated(_)
            | Principal::Service(_)
            | Principal::Deleted(_) => Err(none()),
        }
    }

    /// Makes users and roles carry what is said of them, all at once; who is not there yet is made.
    pub fn put_identities(
        &self,
        identities: &Identities,
        home: &Place,
    ) -> Result<(), CustodyError> {
        let caller = Caller::root(home);
        let context = self.context(&caller, (self.clock.now(), ""), &[], Carried::default());
        let written = context.write(|connection| {
            let mut all = identities.iter();
            all.try_for_each(|identity| iam::put(&context, connection, identity))
        });
        Ok(written?)
    }

    /// What the engine holds, by account.
    pub fn holdings(&self) -> Result<BTreeMap<String, Holdings>, CustodyError> {
        Ok(self.database.read(|connection| Ok(count(connection)?))?)
    }

    /// Copies the state, as it is at one moment, into a folder; the master key is part of it.
    pub fn back_up(&self, folder: &Utf8Path) -> Result<(), OpenError> {
        let database = folder.join("engine.db");
        file::prepare_folder(&database)?;
        self.database.copy_to(&database)
    }

    /// The surroundings of an operation.
    pub(super) fn context<'a>(
        &'a self,
        caller: &'a Caller,
        (now, request_id): (Timestamp, &'a str),
        body: &'a [u8],
        carried: Carried,
    ) -> Context<'a> {
        Context {
            database: &self.database,
            entropy: &*self.entropy,
            caller,
            now,
            request_id,
            rules: self.rules,
            body,
            members: OnceCell::new(),
            parsed: &self.parsed,
            carried,
            known: RefCell::new(policy::Context::new()),
            shown_grants: RefCell::default(),
            rulings: RefCell::new(Vec::new()),
            luck: None,
            is_in_past: Cell::new(false),
            memory: self
                .turmoil
                .as_ref()
                .map_or(Duration::ZERO, Turmoil::memory),
            patience: Patience::Waits,
            is_postponed: Cell::new(false),
        }
    }
}

fn long_lived(key: AccessKey) -> IssuedKeys {
    IssuedKeys {
        access_key: key.id,
        secret: key.secret,
        token: None,
        expires: None,
    }
}

fn count(connection: &Connection) -> Result<BTreeMap<String, Holdings>, rusqlite::Error> {
    let mut all: BTreeMap<String, Holdings> = BTreeMap::new();
    let mut each = |sql: &str, put: &dyn Fn(&mut Holdings, String, i64)| {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let account: String = row.get(0)?;
            put(all.entry(account).or_default(), row.get(1)?, row.get(2)?);
        }
        Ok::<(), rusqlite::Error>(())
    };
    each(
        "SELECT account, region, count(*) FROM keys GROUP BY account, region",
        &|held, region, count| held.keys.extend([(region, count)]),
    )?;
    each(
        "SELECT account, '', count(*) FROM aliases GROUP BY account",
        &|held, _, count| held.aliases = count,
    )?;
    each(
        "SELECT k.account, '', count(*) FROM grants g JOIN keys k ON k.row = g.key GROUP BY k.account",
        &|held, _, count| held.grants = count,
    )?;
    each(
        "SELECT account, kind, count(*) FROM iam_entities GROUP BY account, kind",
        &|held, kind, count| held.entities.extend([(kind, count)]),
    )?;
    each(
        "SELECT account, '', count(*) FROM iam_policies GROUP BY account",
        &|held, _, count| held.policies = count,
    )?;
    each(
        "SELECT account, '', count(*) FROM iam_access_keys GROUP BY account",
        &|held, _, count| held.access_keys = count,
    )?;
    Ok(all)
}
