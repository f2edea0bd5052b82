//! Grant tokens: a grant's id, sealed so that nobody else can make one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::engine::wire::{Code, Failure};

use super::Context;

const LABEL: &str = "grant token";

/// A new token of a grant; each one is different and all are good for the same.
pub(super) fn issue(context: &Context<'_>, grant_id: &str) -> Result<String, Failure> {
    let sealed = context
        .database
        .master
        .seal(grant_id.as_bytes(), LABEL, context.entropy)?;
    Ok(STANDARD.encode(sealed))
}

/// Checks the tokens of a request. Grants are known everywhere at once, so that good ones add nothing, unless chaos
/// lets grants come late.
pub(super) fn check(context: &Context<'_>) -> Result<(), Failure> {
    let tokens = context
        .members()
        .get("GrantTokens")
        .and_then(Value::as_array);
    for token in tokens.into_iter().flatten().filter_map(Value::as_str) {
        let id = read(context, token)?;
        context.shown_grants.borrow_mut().insert(id);
    }
    Ok(())
}

/// The id of the grant that a token was issued for.
pub(super) fn read(context: &Context<'_>, token: &str) -> Result<String, Failure> {
    let wrong = || Failure::silent(Code::InvalidGrantToken);
    let sealed = STANDARD.decode(token).map_err(|_| wrong())?;
    let id = context
        .database
        .master
        .open(&sealed, LABEL)
        .map_err(|_| wrong())?;
    String::from_utf8(id).map_err(|_| wrong())
}
