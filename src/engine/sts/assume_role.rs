//! `AssumeRole`: a session of a role, if its trust policy lets the caller.

use std::collections::BTreeMap;

use crate::engine::store::Connection;
use jiff::SignedDuration;

use crate::engine::authorize;
use crate::engine::operation::Context;
use crate::engine::session::Terms;
use crate::engine::store::iam::entities::{self, Entity};
use crate::engine::wire::{Code, Failure, Form, Xml};
use crate::model::{Partition, Principal};
use crate::policy;

use super::issue::{self, Issued};

/// How long a session lasts where the request does not say, in seconds.
const DEFAULT: i64 = 3600;
/// How long a session of a session may last.
const CHAINED: i64 = 3600;

pub(super) fn assume_role(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    let name = issue::name(form, "RoleSessionName")?;
    if let Principal::Account(..) = context.caller.principal {
        return Err(Failure::new(
            Code::AccessDenied,
            "Roles may not be assumed by root accounts.",
        ));
    }
    let arn = form.get("RoleArn").unwrap_or_default();
    let (role, policies) = context.read(|connection| {
        let role = find(context, connection, arn)?;
        Ok((role, issue::policies(connection, form)?))
    })?;
    let (tags, transitive) = issue::tags(context, form)?;
    let source_identity = issue::source_identity(context, form)?;
    let terms = Terms {
        policies,
        tags,
        transitive,
        source_identity,
        ..terms(context, &role, name)?
    };
    check_trust(context, form, &role, name, &terms)?;
    let longest = match &context.caller.session {
        Some(_) => CHAINED,
        None => role.longest.unwrap_or(DEFAULT),
    };
    let expires = issue::end(context, form, DEFAULT, 900..=longest)?;
    let terms = Terms { expires, ..terms };
    let issued = issue::issue(context, &terms)?;
    let mut result = Xml::default();
    issued.write(&mut result);
    result.element("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", &format!("{}:{name}", role.id))
            .text("Arn", &terms.principal.to_string());
    });
    result.optional("SourceIdentity", terms.source_identity.as_deref());
    Ok(Some(result))
}

/// A session of a role for somebody at the machine itself, whom no trust policy stops.
pub(crate) fn of_role(
    context: &Context<'_>,
    role: &Entity,
    name: &str,
    duration: SignedDuration,
) -> Result<Issued, Failure> {
    let mut terms = terms(context, role, name)?;
    let expires = context.now.checked_add(duration);
    terms.expires = expires.map_err(|error| Failure::internal(&error))?;
    issue::issue(context, &terms)
}

fn terms(context: &Context<'_>, role: &Entity, name: &str) -> Result<Terms, Failure> {
    let Entity {
        partition, account, ..
    } = role;
    let session = format!(
        "arn:{partition}:sts::{account}:assumed-role/{}/{name}",
        role.name
    );
    let principal =
        |text: &str| Principal::parse(text, *partition).map_err(|error| Failure::internal(&error));
    Ok(Terms {
        principal: principal(&session)?,
        partition: *partition,
        source: principal(&role.arn())?,
        source_id: role.id.clone(),
        policies: Vec::new(),
        tags: BTreeMap::new(),
        transitive: Vec::new(),
        source_identity: None,
        issued: context.now,
        expires: context.now,
    })
}

/// The role that a request names; one that is not there is answered as one that does not trust the caller.
fn find(context: &Context<'_>, connection: &Connection, arn: &str) -> Result<Entity, Failure> {
    let Ok(principal @ Principal::Role(_)) = Principal::parse(arn, Partition::Aws) else {
        return Err(Failure::validation(format!("{arn} is invalid")));
    };
    let found = entities::of_principal(connection, &principal)?;
    found.ok_or_else(|| {
        Failure::new(
            Code::AccessDenied,
            format!(
                "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                context.caller.principal
            ),
        )
    })
}

fn check_trust(
    context: &Context<'_>,
    form: &Form,
    role: &Entity,
    name: &str,
    terms: &Terms,
) -> Result<(), Failure> {
    let tags = &terms.tags;
    let mut known = policy::Context::new().with("sts:RoleSessionName", name);
    if let Some(id) = form.get("ExternalId") {
        known.set("sts:ExternalId", [id.to_owned()]);
    }
    for (key, value) in tags {
        known.set(&format!("aws:RequestTag/{key}"), [value.clone()]);
    }
    if !tags.is_empty() {
        known.set("aws:TagKeys", tags.keys().cloned());
    }
    if form.get("SourceIdentity").is_some() {
        known.set("sts:SourceIdentity", terms.source_identity.clone());
    }
    authorize::on_role(context, "AssumeRole", role, &known)?;
    if issue::has_tags(form) {
        authorize::on_role(context, "TagSession", role, &known)?;
    }
    // Asked for as well where it is inherited.
    if terms.source_identity.is_some() {
        authorize::on_role(context, "SetSourceIdentity", role, &known)?;
    }
    Ok(())
}
