//! Long-lived access keys.

use crate::engine::store::Connection;

use crate::engine::credentials::{self, AccessKey, Life};
use crate::engine::operation::Context;
use crate::engine::store::iam::access_keys::{self, StoredKey};
use crate::engine::store::iam::entities::{Entity, Kind};
use crate::engine::wire::{Code, Failure, Form, Xml};
use crate::model::Principal;

use super::member;

/// The most access keys of one user.
const MOST: usize = 2;

pub(super) fn create(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    context.write(|connection| {
        let owner = owner(context, connection, form)?;
        let row = owner.as_ref().map(|user| user.row);
        if access_keys::of(connection, context.caller.account, row)?.len() >= MOST {
            return Err(Failure::new(
                Code::LimitExceeded,
                format!("Cannot exceed quota for AccessKeysPerUser: {MOST}"),
            ));
        }
        let key = match &owner {
            Some(user) => issue(context, connection, user)?,
            None => issue_for_root(context, connection)?,
        };
        let mut result = Xml::default();
        result.element("AccessKey", |xml| {
            xml.text("UserName", name(owner.as_ref()))
                .text("AccessKeyId", &key.id)
                .text("Status", "Active")
                .text("SecretAccessKey", &key.secret)
                .time("CreateDate", context.now);
        });
        Ok(Some(result))
    })
}

/// Makes an access key for a user.
pub(crate) fn issue(
    context: &Context<'_>,
    connection: &Connection,
    user: &Entity,
) -> Result<AccessKey, Failure> {
    insert(context, connection, Some(user.row))
}

/// Makes an access key for the root user of the caller's account.
pub(crate) fn issue_for_root(
    context: &Context<'_>,
    connection: &Connection,
) -> Result<AccessKey, Failure> {
    insert(context, connection, None)
}

fn insert(
    context: &Context<'_>,
    connection: &Connection,
    entity: Option<i64>,
) -> Result<AccessKey, Failure> {
    let master = &context.database.master;
    let key = credentials::mint(Life::Long, master, context.entropy)?;
    let sealed = master.seal(key.secret.as_bytes(), &key.id, context.entropy)?;
    let stored = StoredKey {
        id: key.id.clone(),
        partition: context.caller.region.partition(),
        account: context.caller.account,
        entity,
        sealed,
        is_active: true,
        created: context.now,
    };
    access_keys::insert(connection, &stored)?;
    Ok(key)
}

pub(super) fn list(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    context.read(|connection| {
        let owner = owner(context, connection, form)?;
        let row = owner.as_ref().map(|user| user.row);
        let keys = access_keys::of(connection, context.caller.account, row)?;
        let mut result = Xml::default();
        result.text("IsTruncated", "false");
        result.list("AccessKeyMetadata", &keys, |xml, key| {
            xml.text("UserName", name(owner.as_ref()))
                .text("AccessKeyId", &key.id)
                .text("Status", if key.is_active { "Active" } else { "Inactive" })
                .time("CreateDate", key.created);
        });
        Ok(Some(result))
    })
}

pub(super) fn update(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    let is_active = match member::required(form, "Status")? {
        "Active" => true,
        "Inactive" => false,
        other => {
            return Err(Failure::validation(format!(
                "1 validation error detected: Value '{other}' at 'status' failed to satisfy constraint: Member must \
                 satisfy enum value set: [Active, Inactive]"
            )));
        }
    };
    context.write(|connection| {
        let key = find(context, connection, form)?;
        access_keys::set_active(connection, &key.id, is_active)?;
        Ok(None)
    })
}

pub(super) fn delete(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    context.write(|connection| {
        let key = find(context, connection, form)?;
        access_keys::delete(connection, &key.id)?;
        Ok(None)
    })
}

/// The user that a request names, or the caller; `None` for a root user.
fn owner(
    context: &Context<'_>,
    connection: &Connection,
    form: &Form,
) -> Result<Option<Entity>, Failure> {
    let is_root = matches!(context.caller.principal, Principal::Account(..));
    if is_root && form.get("UserName").is_none() {
        return Ok(None);
    }
    member::entity(context, connection, form, Kind::User).map(Some)
}

fn name(owner: Option<&Entity>) -> &str {
    owner.map_or("root", |user| &user.name)
}

/// The access key that a request names, of the user that it means.
fn find(context: &Context<'_>, connection: &Connection, form: &Form) -> Result<StoredKey, Failure> {
    let id = member::required(form, "AccessKeyId")?;
    let owner = owner(context, connection, form)?.map(|user| user.row);
    let found = access_keys::find(connection, id)?;
    found
        .filter(|key| key.account == context.caller.account && key.entity == owner)
        .ok_or_else(|| member::missing(format!("The Access Key with id {id} cannot be found.")))
}
