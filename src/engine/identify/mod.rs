//! Who signed a request: its claim, checked wherever the engine knows the secret.

mod claim;
mod query;
mod signature;

use std::sync::Arc;

use http::header::USER_AGENT;
use http::request::Parts;
use http::{Extensions, Method};
use jiff::Timestamp;

use super::Engine;
use super::caller::{Caller, Peer};
use super::credentials::{self, Credentials, Life};
use super::record::Service;
use super::session::{self, Session};
use super::store::iam::{access_keys, entities};
use super::wire::{Code, Failure};
use crate::model::{AccountId, Partition, Principal, Region};
use crate::policy::Context;

use claim::{Claim, Form};
use query::Query;
use signature::Signed;

/// What a request asks for, as far as its signature is concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) service: Option<Service>,
    pub(crate) operation: &'a str,
}

/// Who stands behind an access key.
struct Holder {
    principal: Principal,
    account: AccountId,
    user_id: String,
    session: Option<Arc<Session>>,
}

/// What is known of an access key.
enum Known {
    /// The engine has made it, so the secret is known.
    Ours { secret: String, holder: Holder },
    /// It is somebody else's, and stands for the root user of an account.
    Foreign(Holder),
}

/// Finds out who calls.
pub(crate) fn identify(
    engine: &Engine,
    parts: &Parts,
    body: &[u8],
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<Caller, Failure> {
    if let Some(caller) = parts.extensions.get::<Caller>() {
        return Ok(caller.clone());
    }
    let query = Query::read(parts.uri.query().unwrap_or_default());
    let claim = Claim::of(parts, &query)?;
    let region: Region = claim
        .scope
        .region
        .parse()
        .map_err(|_| claim::incomplete(&claim.scope.region))?;
    let holder = match find(engine, &claim, region.partition())? {
        Known::Ours { secret, holder } => {
            let service = asked.service.map(Service::name);
            let signed = Signed {
                parts,
                query: &query,
                body,
            };
            signature::verify(&claim, &secret, service, signed, now)?;
            check_expiry(&holder, now)?;
            holder
        }
        Known::Foreign(holder) => {
            check_form(&claim, parts, asked)?;
            holder
        }
    };
    let facts = facts(&holder, parts);
    Ok(Caller {
        account: holder.account,
        region,
        principal: holder.principal,
        access_key: Some(claim.access_key),
        session: holder.session,
        facts,
    })
}

/// Finds out whose an access key is.
fn find(engine: &Engine, claim: &Claim, partition: Partition) -> Result<Known, Failure> {
    let master = &engine.database.master;
    let opened = claim
        .token
        .as_deref()
        .and_then(|token| session::open(master, token));
    if let Some(opened) = opened {
        if opened.access_key != claim.access_key {
            return Err(invalid());
        }
        let account = opened.session.source.account().ok_or_else(invalid)?;
        let holder = Holder {
            user_id: session_user_id(&opened.principal, &opened.session, account),
            principal: opened.principal,
            account,
            session: Some(Arc::new(opened.session)),
        };
        return Ok(Known::Ours {
            secret: opened.secret,
            holder,
        });
    }
    // Whoever holds a session is told when it is over, and is never more than it was.
    if claim.token.is_some() || claim.access_key.starts_with(Life::Temporary.prefix()) {
        return Err(invalid());
    }
    if credentials::is_ours(master, &claim.access_key) {
        return long_lived(engine, &claim.access_key);
    }
    if engine.rules.credentials == Credentials::Strict {
        return Err(invalid());
    }
    let account = claim.access_key.parse().unwrap_or(engine.default_account);
    Ok(Known::Foreign(Holder {
        principal: Principal::Account(partition, account),
        account,
        user_id: account.to_string(),
        session: None,
    }))
}

/// The holder of a long-lived key.
fn long_lived(engine: &Engine, id: &str) -> Result<Known, Failure> {
    let master = &engine.database.master;
    let found = engine
        .database
        .read(|connection| Ok(access_keys::holder(connection, id)?))?;
    let found = found.filter(|found| found.key.is_active);
    let access_keys::Holder { key, user } = found.ok_or_else(invalid)?;
    let secret = master
        .open(&key.sealed, id)
        .map_err(|error| Failure::internal(&error))?;
    let secret = String::from_utf8(secret).map_err(|error| Failure::internal(&error))?;
    let (principal, user_id) = match user {
        None => (
            Principal::Account(key.partition, key.account),
            key.account.to_string(),
        ),
        Some(user) => {
            let principal = Principal::parse(&user.arn(), key.partition);
            let principal = principal.map_err(|error| Failure::internal(&error))?;
            (principal, user.id)
        }
    };
    Ok(Known::Ours {
        secret,
        holder: Holder {
            principal,
            account: key.account,
            user_id,
            session: None,
        },
    })
}

fn check_expiry(holder: &Holder, now: Timestamp) -> Result<(), Failure> {
    match &holder.session {
        Some(session) if session.expires <= now => Err(Failure::new(
            Code::ExpiredToken,
            "The security token included in the request is expired",
        )),
        Some(_) | None => Ok(()),
    }
}

/// A URL that nobody has signed must do nothing, since any web page can make a browser follow it.
fn check_form(claim: &Claim, parts: &Parts, asked: Asked<'_>) -> Result<(), Failure> {
    let is_url = claim.form != Form::Header || parts.method == Method::GET;
    if is_url && asked.operation != "GetCallerIdentity" {
        return Err(invalid());
    }
    Ok(())
}

fn invalid() -> Failure {
    Failure::new(
        Code::UnrecognizedClient,
        "The security token included in the request is invalid.",
    )
}

/// `aws:userid` of a session.
fn session_user_id(principal: &Principal, session: &Session, account: AccountId) -> String {
    match principal {
        Principal::Session(arn) => format!("{}:{}", session.source_id, entities::last_name(arn)),
        Principal::Federated(arn) => format!("{account}:{}", entities::last_name(arn)),
        Principal::Anyone
        | Principal::Account(..)
        | Principal::User(_)
        | Principal::Role(_)
        | Principal::Service(_)
        | Principal::Deleted(_) => session.source_id.clone(),
    }
}

/// The condition keys that come with a request itself.
fn facts(holder: &Holder, parts: &Parts) -> Context {
    let mut facts = Context::new().with("aws:userid", holder.user_id.as_str());
    if let Some(agent) = parts
        .headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
    {
        facts.set("aws:UserAgent", [agent.to_owned()]);
    }
    of_connection(&mut facts, &parts.extensions);
    if let Some(session) = &holder.session {
        facts.set("aws:TokenIssueTime", [session.issued.to_string()]);
        facts.set("aws:MultiFactorAuthPresent", ["false".to_owned()]);
    }
    facts
}

fn of_connection(facts: &mut Context, extensions: &Extensions) {
    if let Some(peer) = extensions.get::<Peer>() {
        facts.set("aws:SourceIp", [peer.address.to_string()]);
        facts.set("aws:SecureTransport", [peer.is_encrypted.to_string()]);
    }
}
