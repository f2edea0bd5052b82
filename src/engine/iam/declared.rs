//! Users and roles as somebody outside declares them, in place of what they were.

use std::collections::BTreeMap;

use crate::engine::store::Connection;

use crate::engine::authorize::managed_text;
use crate::engine::credentials;
use crate::engine::operation::Context;
use crate::engine::store::iam::entities::{self, Entity, Kind};
use crate::engine::store::iam::inline;
use crate::engine::store::iam::managed::{self, Managed};
use crate::engine::wire::Failure;
use crate::model::Principal;
use crate::policy::{self, Identity};

use super::{add, fresh};

/// How long a session may last of a role that was made on the way, in seconds.
const LONGEST_SESSION: i64 = 43_200;
/// The path of the policies that are permissions boundaries of declared principals.
const BOUNDARIES: &str = "/declared/";

/// The user or role that a principal is; one that is not there yet is made, and a new role trusts its account.
pub(crate) fn find_or_make(
    context: &Context<'_>,
    connection: &Connection,
    principal: &Principal,
) -> Result<Entity, Failure> {
    if let Some(found) = entities::of_principal(connection, principal)? {
        return Ok(found);
    }
    let text = principal.to_string();
    let resource = text.splitn(6, ':').nth(5).unwrap_or_default();
    let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
    let kind: Kind = kind.parse().map_err(|error| Failure::internal(&error))?;
    let (path, name) = match rest.rsplit_once('/') {
        Some((path, name)) => (format!("/{path}/"), name),
        None => ("/".to_owned(), rest),
    };
    let home = principal.home();
    let (partition, account) =
        home.ok_or_else(|| Failure::internal(&format!("{principal} has no account")))?;
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{account}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let entity = Entity {
        partition,
        account,
        trust: (kind == Kind::Role).then_some(trust),
        longest: (kind == Kind::Role).then_some(LONGEST_SESSION),
        ..fresh(context, kind, &path, name)?
    };
    add(connection, entity)
}

/// Makes a user or role carry what is declared of it, and nothing else. Its id, its access keys and whom it trusts stay.
pub(crate) fn put(
    context: &Context<'_>,
    connection: &Connection,
    identity: &Identity,
) -> Result<(), Failure> {
    let Identity {
        principal,
        policies,
        boundary,
        tags,
        names: _,
    } = identity;
    let mut entity = find_or_make(context, connection, principal)?;
    let row = entity.row;
    for team in entities::teams_of(connection, row)? {
        entities::leave(connection, row, team.row)?;
    }
    for arn in managed::attached(connection, row)? {
        managed::detach(connection, row, &arn)?;
    }
    for name in inline::names_after(connection, row, "", i64::MAX)? {
        inline::delete(connection, row, &name)?;
    }
    for (index, policy) in policies.iter().enumerate() {
        let text = policy::write_identity(policy);
        inline::put(connection, row, &format!("declared-{index}"), &text)?;
    }
    put_tags(connection, row, tags)?;
    entity.boundary = boundary
        .as_ref()
        .map(|policy| {
            put_boundary(
                context,
                connection,
                &entity,
                &policy::write_identity(policy),
            )
        })
        .transpose()?;
    Ok(entities::update(connection, &entity)?)
}

fn put_tags(
    connection: &Connection,
    row: i64,
    tags: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    for name in entities::tags(connection, row)?.into_keys() {
        entities::untag(connection, row, &name)?;
    }
    for (name, value) in tags {
        entities::tag(connection, row, name, value)?;
    }
    Ok(())
}

/// Puts the managed policy that bounds an entity into place, and gives its ARN.
fn put_boundary(
    context: &Context<'_>,
    connection: &Connection,
    entity: &Entity,
    text: &str,
) -> Result<String, Failure> {
    // Unique ids are unique in an account, and so are the names of its policies.
    let name = entity.id.clone();
    let (partition, account) = (entity.partition, entity.account);
    let arn = format!("arn:{partition}:iam::{account}:policy{BOUNDARIES}{name}");
    if managed_text(connection, &arn)?.as_deref() == Some(text) {
        return Ok(arn);
    }
    if let Some(old) = managed::find(connection, &arn)? {
        managed::delete(connection, old.row)?;
    }
    let policy = Managed {
        row: 0,
        arn: arn.clone(),
        name,
        path: BOUNDARIES.to_owned(),
        id: credentials::unique_id("ANPA", context.entropy)?,
        description: None,
        created: context.now,
        updated: context.now,
        in_force: 1,
        newest: 1,
    };
    managed::insert(connection, account, &policy, text)?;
    Ok(arn)
}
