//! Managed policies on users, roles and groups: attached, or as a permissions boundary.

use crate::engine::store::Connection;

use crate::engine::authorize;
use crate::engine::operation::Context;
use crate::engine::store::iam::entities::{self, Kind};
use crate::engine::store::iam::managed;
use crate::engine::wire::{Code, Failure, Form, Xml};

use super::member;

/// The most managed policies on one user, role or group.
const MOST_ATTACHED: usize = 10;

pub(super) fn attach(
    context: &Context<'_>,
    form: &Form,
    kind: Kind,
) -> Result<Option<Xml>, Failure> {
    let arn = member::required(form, "PolicyArn")?;
    context.write(|connection| {
        let entity = member::entity(context, connection, form, kind)?;
        check_policy(connection, arn)?;
        let attached = managed::attached(connection, entity.row)?;
        if attached.len() >= MOST_ATTACHED && !attached.iter().any(|one| one == arn) {
            let title = kind.title();
            return Err(Failure::new(
                Code::LimitExceeded,
                format!("Cannot exceed quota for PoliciesPer{title}: {MOST_ATTACHED}"),
            ));
        }
        managed::attach(connection, entity.row, arn)?;
        Ok(None)
    })
}

pub(super) fn detach(
    context: &Context<'_>,
    form: &Form,
    kind: Kind,
) -> Result<Option<Xml>, Failure> {
    let arn = member::required(form, "PolicyArn")?;
    context.write(|connection| {
        let entity = member::entity(context, connection, form, kind)?;
        if managed::detach(connection, entity.row, arn)? {
            return Ok(None);
        }
        Err(member::missing(format!("Policy {arn} was not found.")))
    })
}

pub(super) fn list(context: &Context<'_>, form: &Form, kind: Kind) -> Result<Option<Xml>, Failure> {
    let attached = context.read(|connection| {
        let entity = member::entity(context, connection, form, kind)?;
        Ok(managed::attached(connection, entity.row)?)
    })?;
    let mut result = Xml::default();
    result.text("IsTruncated", "false");
    result.list("AttachedPolicies", &attached, |xml, arn| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        xml.text("PolicyName", name).text("PolicyArn", arn);
    });
    Ok(Some(result))
}

/// Who has a policy.
pub(super) fn holders(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    let arn = member::required(form, "PolicyArn")?;
    let found = context.read(|connection| {
        check_policy(connection, arn)?;
        let rows = managed::holders(connection, arn)?;
        let holders = rows.into_iter().map(|row| entities::at(connection, row));
        Ok(holders.collect::<Result<Vec<_>, _>>()?)
    })?;
    let own = |kind: Kind| {
        let mine = move |entity: &&entities::Entity| {
            entity.kind == kind && entity.account == context.caller.account
        };
        found.iter().filter(mine)
    };
    let mut result = Xml::default();
    result.text("IsTruncated", "false");
    for kind in [Kind::User, Kind::Role, Kind::Group] {
        let title = kind.title();
        result.list(&format!("Policy{title}s"), own(kind), |xml, entity| {
            xml.text(&format!("{title}Name"), &entity.name)
                .text(&format!("{title}Id"), &entity.id);
        });
    }
    Ok(Some(result))
}

pub(super) fn put_boundary(
    context: &Context<'_>,
    form: &Form,
    kind: Kind,
) -> Result<Option<Xml>, Failure> {
    let arn = member::required(form, "PermissionsBoundary")?;
    set_boundary(context, form, kind, Some(arn))
}

pub(super) fn delete_boundary(
    context: &Context<'_>,
    form: &Form,
    kind: Kind,
) -> Result<Option<Xml>, Failure> {
    set_boundary(context, form, kind, None)
}

fn set_boundary(
    context: &Context<'_>,
    form: &Form,
    kind: Kind,
    arn: Option<&str>,
) -> Result<Option<Xml>, Failure> {
    context.write(|connection| {
        let mut entity = member::entity(context, connection, form, kind)?;
        if let Some(arn) = arn {
            check_policy(connection, arn)?;
        }
        entity.boundary = arn.map(str::to_owned);
        entities::update(connection, &entity)?;
        Ok(None)
    })
}

/// Fails for a policy that is not there.
pub(super) fn check_policy(connection: &Connection, arn: &str) -> Result<(), Failure> {
    let missing = || member::missing(format!("Policy {arn} does not exist or is not attachable."));
    authorize::managed_text(connection, arn)?
        .map(drop)
        .ok_or_else(missing)
}
