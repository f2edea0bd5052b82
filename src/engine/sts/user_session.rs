//! `GetSessionToken`: a session of the caller itself.

use std::collections::BTreeMap;

use crate::engine::operation::Context;
use crate::engine::session::Terms;
use crate::engine::wire::{Code, Failure, Form, Xml};

use super::issue;

/// How long such a session lasts where the request does not say, in seconds, and at the longest.
const DEFAULT: i64 = 43_200;
const LONGEST: i64 = 129_600;

pub(super) fn get_session_token(
    context: &Context<'_>,
    form: &Form,
) -> Result<Option<Xml>, Failure> {
    let caller = context.caller;
    if caller.session.is_some() {
        return Err(Failure::new(
            Code::AccessDenied,
            "Cannot call GetSessionToken with session credentials",
        ));
    }
    let account = caller.account.to_string();
    let user_id = caller.facts.get("aws:userid").and_then(|ids| ids.first());
    let issued = issue::issue(
        context,
        &Terms {
            principal: caller.principal.clone(),
            partition: caller.region.partition(),
            source: caller.principal.clone(),
            source_id: user_id.cloned().unwrap_or(account),
            policies: Vec::new(),
            tags: BTreeMap::new(),
            transitive: Vec::new(),
            source_identity: None,
            issued: context.now,
            expires: issue::end(context, form, DEFAULT, 900..=LONGEST)?,
        },
    )?;
    let mut result = Xml::default();
    issued.write(&mut result);
    Ok(Some(result))
}
