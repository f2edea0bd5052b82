//! `GetCallerIdentity`, which nobody can be denied.

use crate::engine::operation::Context;
use crate::engine::wire::{Failure, Form, Xml};

#[expect(
    clippy::unnecessary_wraps,
    reason = "every action has this type; this one never fails"
)]
pub(super) fn get_caller_identity(
    context: &Context<'_>,
    _form: &Form,
) -> Result<Option<Xml>, Failure> {
    let caller = context.caller;
    let account = caller.account.as_str();
    let user_id = caller.facts.get("aws:userid").and_then(|ids| ids.first());
    let mut result = Xml::default();
    result
        .text("Arn", &caller.principal.to_string())
        .text("UserId", user_id.map_or(account, String::as_str))
        .text("Account", account);
    Ok(Some(result))
}
