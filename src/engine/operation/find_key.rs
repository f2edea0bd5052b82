//! Which key a request means: by id, key ARN, alias or alias ARN.

use crate::engine::store::Connection;

use crate::engine::authorize;
use crate::engine::chaos::Lag;
use crate::engine::store::aliases;
use crate::engine::store::keys::{self, Key};
use crate::engine::wire::{Code, Failure};
use crate::model::{Arn, KeyArn, KeyId, Operation, Place, Region};

use super::{Context, grant_token, key_state};

/// What a `KeyId` member names.
enum Reference {
    Key(KeyArn),
    Alias(Place, String),
}

/// Finds the key of a request and checks that its state lets the operation happen.
pub(super) fn find(
    context: &Context<'_>,
    connection: &Connection,
    text: &str,
    operation: Operation,
) -> Result<Key, Failure> {
    let key = find_in_any_state(context, connection, text, operation)?;
    key_state::check(&key, operation)?;
    Ok(key)
}

/// The key in a row that something else in the request leads to, such as a ciphertext; whoever asks.
pub(super) fn at(connection: &Connection, row: i64, operation: Operation) -> Result<Key, Failure> {
    let key = keys::at(connection, row)?;
    key_state::check(&key, operation)?;
    Ok(key)
}

/// A multi-Region key's relative in another Region.
pub(super) fn relative(
    context: &Context<'_>,
    connection: &Connection,
    key: &Key,
    region: &Region,
    operation: Operation,
) -> Result<Key, Failure> {
    let place = Place {
        account: key.arn.place.account,
        region: region.clone(),
    };
    let arn = KeyArn::new(place, key.arn.id.clone());
    let relative = keys::find(connection, &arn)?.ok_or_else(|| unknown(&arn))?;
    authorize::on_key(context, connection, &relative, operation)?;
    key_state::check(&relative, operation)?;
    Ok(relative)
}

/// Finds the key of a request that the caller may make.
pub(super) fn find_in_any_state(
    context: &Context<'_>,
    connection: &Connection,
    text: &str,
    operation: Operation,
) -> Result<Key, Failure> {
    let key = look_up(context, connection, text, operation)?;
    grant_token::check(context)?;
    if operation.is_key_level() {
        authorize::on_key(context, connection, &key, operation)?;
    }
    Ok(key)
}

/// Finds the key of a request, whoever asks.
pub(super) fn look_up(
    context: &Context<'_>,
    connection: &Connection,
    text: &str,
    operation: Operation,
) -> Result<Key, Failure> {
    match read(context, text)? {
        Reference::Key(arn) => {
            check_account(context, &arn.place, &arn, operation)?;
            keys::find(connection, &arn)?.ok_or_else(|| unknown(&arn))
        }
        Reference::Alias(..) if !accepts_aliases(operation) => Err(invalid(text)),
        Reference::Alias(place, name) => {
            let arn = alias_arn(&place, &name);
            check_account(context, &place, &arn, operation)?;
            let target = |connection: &Connection| Ok(aliases::target(connection, &place, &name)?);
            let row = match context.read_past(Lag::Aliases, target) {
                Some(past) => past?,
                None => target(connection)?,
            };
            let row = row.ok_or_else(|| unknown_alias(&arn))?;
            Ok(keys::at(connection, row)?)
        }
    }
}

/// The ARN of an alias.
pub(super) fn alias_arn(place: &Place, name: &str) -> String {
    format!(
        "arn:{}:kms:{}:{}:{name}",
        place.partition(),
        place.region,
        place.account
    )
}

/// What KMS says about an alias that is not there.
pub(super) fn unknown_alias(arn: &str) -> Failure {
    Failure::new(Code::NotFound, format!("Alias {arn} is not found."))
}

/// Aliases name keys in cryptographic operations, `DescribeKey` and `GetPublicKey` only.
fn accepts_aliases(operation: Operation) -> bool {
    operation.is_cryptographic()
        || matches!(operation, Operation::DescribeKey | Operation::GetPublicKey)
}

fn read(context: &Context<'_>, text: &str) -> Result<Reference, Failure> {
    let here = context.caller.place();
    if text.starts_with("alias/") {
        return Ok(Reference::Alias(here, text.to_owned()));
    }
    if !text.starts_with("arn:") {
        let id: KeyId = text.parse().map_err(|_| invalid(text))?;
        return Ok(Reference::Key(KeyArn::new(here, id)));
    }
    let wrong = || Failure::new(Code::NotFound, format!("Invalid arn {text}"));
    let arn: Arn = text.parse().map_err(|_| wrong())?;
    if arn.service() != "kms" || arn.partition() != here.partition().as_str() {
        return Err(wrong());
    }
    if arn.region() != here.region.as_str() {
        return Err(Failure::new(
            Code::NotFound,
            format!("Invalid arn {}", arn.region()),
        ));
    }
    let place = Place {
        account: arn.account().parse().map_err(|_| wrong())?,
        region: here.region,
    };
    match arn.resource().split_once('/') {
        Some(("alias", _)) => Ok(Reference::Alias(place, arn.resource().to_owned())),
        Some(("key", id)) => {
            let id: KeyId = id.parse().map_err(|_| invalid(id))?;
            Ok(Reference::Key(KeyArn::new(place, id)))
        }
        _ => Err(wrong()),
    }
}

/// Keys of other accounts answer the operations that work across accounts, and no others.
fn check_account(
    context: &Context<'_>,
    place: &Place,
    arn: &dyn std::fmt::Display,
    operation: Operation,
) -> Result<(), Failure> {
    if place.account == context.caller.account || operation.is_cross_account() {
        return Ok(());
    }
    let principal = &context.caller.principal;
    Err(Failure::new(
        Code::AccessDenied,
        format!(
            "User: {principal} is not authorized to perform: kms:{operation} on resource: {arn} because no \
             resource-based policy allows the kms:{operation} action"
        ),
    ))
}

fn unknown(arn: &KeyArn) -> Failure {
    Failure::new(Code::NotFound, format!("Key '{arn}' does not exist"))
}

fn invalid(text: &str) -> Failure {
    Failure::new(Code::NotFound, format!("Invalid keyId '{text}'"))
}
