//! Users, roles and groups themselves.

use crate::engine::store::Connection;

use crate::engine::Principals;
use crate::engine::chaos::Luck;
use crate::engine::credentials;
use crate::engine::operation::Context;
use crate::engine::store::iam::entities::{self, Entity, Kind};
use crate::engine::store::iam::{access_keys, inline, managed};
use crate::engine::wire::{Code, Failure, Form, Xml, percent};

use super::{attachment, decay, member, policy_text, tag};

/// The longest name of a user, role or group.
const LONGEST_NAME: usize = 64;
/// How long sessions of a role may last where it does not say, in seconds.
const SESSION: i64 = 3600;

/// Makes a user, role or group.
pub(super) fn create(
    context: &Context<'_>,
    form: &Form,
    kind: Kind,
) -> Result<Option<Xml>, Failure> {
    let name = member::new_name(form, &format!("{}Name", kind.title()), LONGEST_NAME)?;
    let path = member::path(form)?;
    let tags = form.pairs("Tags", "Key", "Value");
    tag::check(&tags)?;
    let trust = match kind {
        Kind::Role => {
            let text = member::required(form, "AssumeRolePolicyDocument")?;
            policy_text::check_trust(context, text)?;
            Some(text.to_owned())
        }
        Kind::User | Kind::Group => None,
    };
    let longest = longest(form)?;
    context.write(|connection| {
        let boundary = form.get("PermissionsBoundary");
        if let Some(arn) = boundary {
            attachment::check_policy(connection, arn)?;
        }
        let entity = Entity {
            description: form.get("Description").map(str::to_owned),
            trust,
            longest: (kind == Kind::Role).then_some(longest.unwrap_or(SESSION)),
            boundary: boundary.map(str::to_owned),
            ..fresh(context, kind, path, name)?
        };
        let entity = add(connection, entity)?;
        for (name, value) in &tags {
            entities::tag(connection, entity.row, name, value)?;
        }
        let mut result = Xml::default();
        write(connection, &mut result, &entity)?;
        Ok(Some(result))
    })
}

/// An entity that is not in the store yet.
pub(crate) fn fresh(
    context: &Context<'_>,
    kind: Kind,
    path: &str,
    name: &str,
) -> Result<Entity, Failure> {
    Ok(Entity {
        row: 0,
        partition: context.caller.region.partition(),
        account: context.caller.account,
        kind,
        name: name.to_owned(),
        path: path.to_owned(),
        id: credentials::unique_id(kind.prefix(), context.entropy)?,
        created: context.now,
        description: None,
        trust: None,
        longest: None,
        boundary: None,
    })
}

/// Adds an entity, unless its name is taken.
pub(crate) fn add(connection: &Connection, entity: Entity) -> Result<Entity, Failure> {
    let Entity {
        account,
        kind,
        ref name,
        ..
    } = entity;
    if entities::find(connection, account, kind, name)?.is_some() {
        return Err(Failure::new(
            Code::EntityAlreadyExists,
            format!("{} with name {name} already exists.", kind.title()),
        ));
    }
    let row = entities::insert(connection, &entity)?;
    Ok(Entity { row, ..entity })
}

pub(super) fn get(context: &Context<'_>, form: &Form, kind: Kind) -> Result<Option<Xml>, Failure> {
    context.read(|connection| {
        let entity = member::entity(context, connection, form, kind)?;
        let mut result = Xml::default();
        write(connection, &mut result, &entity)?;
        Ok(Some(result))
    })
}

pub(super) fn list(context: &Context<'_>, form: &Form, kind: Kind) -> Result<Option<Xml>, Failure> {
    let (after, limit) = member::page(form)?;
    let account = context.caller.account;
    let prefix = form.get("PathPrefix").unwrap_or("/");
    let mut found = context.read(|connection| {
        Ok(entities::after(
            connection,
            account,
            kind,
            after,
            limit + 1,
        )?)
    })?;
    let mut result = Xml::default();
    member::cut(&mut found, limit, &mut result, |entity| &entity.name);
    let shown = found
        .iter()
        .filter(|entity| entity.path.starts_with(prefix));
    result.list(&format!("{}s", kind.title()), shown, members);
    Ok(Some(result))
}

/// Removes a user, role or group on which nothing hangs any more.
pub(super) fn delete(
    context: &Context<'_>,
    form: &Form,
    kind: Kind,
) -> Result<Option<Xml>, Failure> {
    context.write(|connection| {
        let entity = member::entity(context, connection, form, kind)?;
        let conflict = |what: &str| {
            let message = format!("Cannot delete entity, must {what} first.");
            Err(Failure::new(Code::DeleteConflict, message))
        };
        if !managed::attached(connection, entity.row)?.is_empty() {
            return conflict("detach all policies");
        }
        if !inline::names_after(connection, entity.row, "", 1)?.is_empty() {
            return conflict("delete policies");
        }
        if !access_keys::of(connection, entity.account, Some(entity.row))?.is_empty() {
            return conflict("delete access keys");
        }
        if !entities::teams_of(connection, entity.row)?.is_empty()
            || !entities::members_of(connection, entity.row)?.is_empty()
        {
            return conflict("remove users from group");
        }
        let is_strict = context.rules.principals == Principals::Existing;
        if is_strict || context.luck.as_ref().is_some_and(Luck::decays) {
            decay::decay(connection, &entity)?;
        }
        entities::delete(connection, entity.row)?;
        Ok(None)
    })
}

pub(super) fn update_trust(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    let text = member::required(form, "PolicyDocument")?;
    policy_text::check_trust(context, text)?;
    context.write(|connection| {
        let mut role = member::entity(context, connection, form, Kind::Role)?;
        role.trust = Some(text.to_owned());
        entities::update(connection, &role)?;
        Ok(None)
    })
}

pub(super) fn update_role(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    let longest = longest(form)?;
    context.write(|connection| {
        let mut role = member::entity(context, connection, form, Kind::Role)?;
        if let Some(description) = form.get("Description") {
            role.description = Some(description.to_owned());
        }
        role.longest = longest.or(role.longest);
        entities::update(connection, &role)?;
        Ok(Some(Xml::default()))
    })
}

/// Roles of the engine have none, but clients ask before they delete one.
pub(super) fn instance_profiles(
    context: &Context<'_>,
    form: &Form,
) -> Result<Option<Xml>, Failure> {
    context.read(|connection| {
        member::entity(context, connection, form, Kind::Role)?;
        let mut result = Xml::default();
        result
            .text("IsTruncated", "false")
            .element("InstanceProfiles", |_| {});
        Ok(Some(result))
    })
}

fn longest(form: &Form) -> Result<Option<i64>, Failure> {
    match form.get("MaxSessionDuration").map(str::parse::<i64>) {
        None => Ok(None),
        Some(Ok(seconds)) if (3600..=43_200).contains(&seconds) => Ok(Some(seconds)),
        Some(_) => Err(Failure::validation(
            "1 validation error detected: Value at 'maxSessionDuration' failed to satisfy constraint: Member must have \
             value between 3600 and 43200",
        )),
    }
}

/// Writes an entity as an element of its own.
fn write(connection: &Connection, result: &mut Xml, entity: &Entity) -> Result<(), Failure> {
    let tags = entities::tags(connection, entity.row)?;
    result.element(entity.kind.title(), |xml| {
        members(xml, entity);
        if !tags.is_empty() {
            tag::write(xml, &tags);
        }
    });
    Ok(())
}

/// Writes the members of an entity.
pub(super) fn members(xml: &mut Xml, entity: &Entity) {
    let title = entity.kind.title();
    xml.text("Path", &entity.path)
        .text(&format!("{title}Name"), &entity.name)
        .text(&format!("{title}Id"), &entity.id)
        .text("Arn", &entity.arn())
        .time("CreateDate", entity.created)
        .optional("Description", entity.description.as_deref());
    if let Some(trust) = &entity.trust {
        xml.text("AssumeRolePolicyDocument", &percent::encode(trust, ""));
    }
    if let Some(longest) = entity.longest {
        xml.text("MaxSessionDuration", &longest.to_string());
    }
    if let Some(boundary) = &entity.boundary {
        xml.element("PermissionsBoundary", |xml| {
            xml.text("PermissionsBoundaryType", "Policy")
                .text("PermissionsBoundaryArn", boundary);
        });
    }
}
