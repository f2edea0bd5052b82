//! `GetFederationToken`: a session of a user under another name, with no more than its policies give.

use crate::engine::authorize;
use crate::engine::operation::Context;
use crate::engine::record::Service;
use crate::engine::session::Terms;
use crate::engine::wire::{Code, Failure, Form, Xml};
use crate::model::Principal;

use super::issue;

/// How long such a session lasts where the request does not say, in seconds, and at the longest.
const DEFAULT: i64 = 43_200;
const LONGEST: i64 = 129_600;
/// Stands for no policy at all: a federated user without one may do nothing but what names it.
const NOTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"*","Resource":"*"}]}"#;

pub(super) fn get_federation_token(
    context: &Context<'_>,
    form: &Form,
) -> Result<Option<Xml>, Failure> {
    let name = issue::name(form, "Name")?;
    let caller = context.caller;
    if caller.session.is_some() {
        return Err(Failure::new(
            Code::AccessDenied,
            "Cannot call GetFederationToken with session credentials",
        ));
    }
    let (partition, account) = (caller.region.partition(), caller.account);
    let arn = format!("arn:{partition}:sts::{account}:federated-user/{name}");
    authorize::on_own(context, Service::Sts, "GetFederationToken", &arn)?;
    if issue::has_tags(form) {
        authorize::on_own(context, Service::Sts, "TagSession", &arn)?;
    }
    let mut policies = context.read(|connection| issue::policies(connection, form))?;
    if policies.is_empty() {
        policies.push(NOTHING.to_owned());
    }
    let (tags, transitive) = issue::tags(context, form)?;
    let user_id = caller.facts.get("aws:userid").and_then(|ids| ids.first());
    let terms = Terms {
        principal: Principal::parse(&arn, partition).map_err(|error| Failure::internal(&error))?,
        partition,
        source: caller.principal.clone(),
        source_id: user_id.cloned().unwrap_or_else(|| account.to_string()),
        policies,
        tags,
        transitive,
        source_identity: None,
        issued: context.now,
        expires: issue::end(context, form, DEFAULT, 900..=LONGEST)?,
    };
    let issued = issue::issue(context, &terms)?;
    let mut result = Xml::default();
    issued.write(&mut result);
    result.element("FederatedUser", |xml| {
        xml.text("FederatedUserId", &format!("{account}:{name}"))
            .text("Arn", &arn);
    });
    Ok(Some(result))
}
