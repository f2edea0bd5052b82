//! Managed policies and their versions.

use crate::engine::store::Connection;

use crate::engine::credentials;
use crate::engine::operation::Context;
use crate::engine::store::iam::managed::{self, Managed, PolicyVersion};
use crate::engine::wire::{Code, Failure, Form, Xml, percent};

use super::{builtin, member, policy_text};

/// The longest name of a policy.
const LONGEST_NAME: usize = 128;
/// The most versions that a policy can have.
const MOST_VERSIONS: usize = 5;

/// The most that a policy has, white space left out.
const LONGEST: usize = 6144;

pub(super) fn create(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    let name = member::new_name(form, "PolicyName", LONGEST_NAME)?;
    let path = member::path(form)?;
    let text = member::required(form, "PolicyDocument")?;
    check_text(text)?;
    let caller = context.caller;
    let (partition, account) = (caller.region.partition(), caller.account);
    let policy = Managed {
        row: 0,
        arn: format!("arn:{partition}:iam::{account}:policy{path}{name}"),
        name: name.to_owned(),
        path: path.to_owned(),
        id: credentials::unique_id("ANPA", context.entropy)?,
        description: form.get("Description").map(str::to_owned),
        created: context.now,
        updated: context.now,
        in_force: 1,
        newest: 1,
    };
    context.write(|connection| {
        if managed::is_named(connection, account, name)? {
            return Err(Failure::new(
                Code::EntityAlreadyExists,
                format!("A policy called {name} already exists. Duplicate names are not allowed."),
            ));
        }
        managed::insert(connection, account, &policy, text)?;
        shown(connection, &policy)
    })
}

fn check_text(text: &str) -> Result<(), Failure> {
    policy_text::check(text)?;
    if policy_text::size(text) > LONGEST {
        return Err(Failure::new(
            Code::LimitExceeded,
            format!("Cannot exceed quota for PolicySize: {LONGEST}"),
        ));
    }
    Ok(())
}

pub(super) fn get(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    let arn = member::required(form, "PolicyArn")?;
    context.read(|connection| match of_aws(context, arn) {
        Some(policy) => shown(connection, &policy),
        None => shown(connection, &find(connection, arn)?),
    })
}

pub(super) fn list(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    let (after, limit) = member::page(form)?;
    let scope = form.get("Scope").unwrap_or("All");
    let account = context.caller.account;
    context.read(|connection| {
        let mut found = match scope {
            "AWS" => Vec::new(),
            _ => managed::after(connection, account, after, limit + 1)?,
        };
        if scope != "Local" && after.is_empty() {
            let partition = context.caller.region.partition();
            let arn = |name: &str| format!("arn:{partition}:iam::aws:policy/{name}");
            let of_aws = builtin::POLICIES
                .iter()
                .filter_map(|(name, _)| of_aws(context, &arn(name)));
            found.splice(0..0, of_aws);
        }
        let mut result = Xml::default();
        let limit = if after.is_empty() {
            limit.max(10)
        } else {
            limit
        };
        member::cut(&mut found, limit, &mut result, |policy| &policy.name);
        let mut counts = Vec::new();
        for policy in &found {
            counts.push(managed::holders(connection, &policy.arn)?.len());
        }
        result.list(
            "Policies",
            found.iter().zip(counts),
            |xml, (policy, count)| {
                members(xml, policy, count);
            },
        );
        Ok(Some(result))
    })
}

pub(super) fn delete(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    let arn = member::required(form, "PolicyArn")?;
    context.write(|connection| {
        let policy = find(connection, arn)?;
        let is_held = !managed::holders(connection, arn)?.is_empty();
        if is_held || managed::bounded(connection, arn)? > 0 {
            return Err(Failure::new(
                Code::DeleteConflict,
                "Cannot delete a policy attached to entities.",
            ));
        }
        if managed::versions(connection, policy.row)?.len() > 1 {
            return Err(Failure::new(
                Code::DeleteConflict,
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions.",
            ));
        }
        managed::delete(connection, policy.row)?;
        Ok(None)
    })
}

pub(super) fn create_version(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    let arn = member::required(form, "PolicyArn")?;
    let text = member::required(form, "PolicyDocument")?;
    check_text(text)?;
    let becomes_default = form.get("SetAsDefault") == Some("true");
    context.write(|connection| {
        let policy = find(connection, arn)?;
        if managed::versions(connection, policy.row)?.len() >= MOST_VERSIONS {
            return Err(Failure::new(
                Code::LimitExceeded,
                "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing \
                 version.",
            ));
        }
        let number = policy.newest + 1;
        managed::insert_version(connection, policy.row, number, text, context.now)?;
        let in_force = if becomes_default { number } else { policy.in_force };
        managed::set_versions(connection, policy.row, in_force, number, context.now)?;
        let version = PolicyVersion {
            number,
            text: text.to_owned(),
            created: context.now,
        };
        let mut result = Xml::default();
        result.element("PolicyVersion", |xml| version_members(xml, &version, in_force, false));
        Ok(Some(result))
    })
}

pub(super) fn get_version(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    let arn = member::required(form, "PolicyArn")?;
    let id = member::required(form, "VersionId")?;
    context.read(|connection| {
        let (versions, in_force) = versions(context, connection, arn)?;
        let number = version_number(id)?;
        let version = versions.iter().find(|version| version.number == number);
        let version = version.ok_or_else(|| missing_version(arn, id))?;
        let mut result = Xml::default();
        result.element("PolicyVersion", |xml| {
            version_members(xml, version, in_force, true);
        });
        Ok(Some(result))
    })
}

pub(super) fn list_versions(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    let arn = member::required(form, "PolicyArn")?;
    context.read(|connection| {
        let (versions, in_force) = versions(context, connection, arn)?;
        let mut result = Xml::default();
        result.text("IsTruncated", "false");
        result.list("Versions", &versions, |xml, version| {
            version_members(xml, version, in_force, false);
        });
        Ok(Some(result))
    })
}

pub(super) fn delete_version(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    let arn = member::required(form, "PolicyArn")?;
    let id = member::required(form, "VersionId")?;
    context.write(|connection| {
        let policy = find(connection, arn)?;
        let number = version_number(id)?;
        if number == policy.in_force {
            return Err(Failure::new(
                Code::DeleteConflict,
                "Cannot delete the default version of a policy.",
            ));
        }
        if managed::delete_version(connection, policy.row, number)? {
            return Ok(None);
        }
        Err(missing_version(arn, id))
    })
}

pub(super) fn set_default_version(
    context: &Context<'_>,
    form: &Form,
) -> Result<Option<Xml>, Failure> {
    let arn = member::required(form, "PolicyArn")?;
    let id = member::required(form, "VersionId")?;
    context.write(|connection| {
        let policy = find(connection, arn)?;
        let number = version_number(id)?;
        let versions = managed::versions(connection, policy.row)?;
        if !versions.iter().any(|version| version.number == number) {
            return Err(missing_version(arn, id));
        }
        managed::set_versions(connection, policy.row, number, policy.newest, context.now)?;
        Ok(None)
    })
}

fn find(connection: &Connection, arn: &str) -> Result<Managed, Failure> {
    let missing = || member::missing(format!("Policy {arn} does not exist or is not attachable."));
    managed::find(connection, arn)?.ok_or_else(missing)
}

/// A policy of AWS, as if it had been made just now.
fn of_aws(context: &Context<'_>, arn: &str) -> Option<Managed> {
    builtin::text(arn)?;
    let (_, name) = arn.rsplit_once('/')?;
    Some(Managed {
        row: 0,
        arn: arn.to_owned(),
        name: name.to_owned(),
        path: "/".to_owned(),
        id: format!("ANPA{}", name.to_ascii_uppercase()),
        description: None,
        created: context.now,
        updated: context.now,
        in_force: 1,
        newest: 1,
    })
}

/// A policy's versions, newest first, and which of them is in force.
fn versions(
    context: &Context<'_>,
    connection: &Connection,
    arn: &str,
) -> Result<(Vec<PolicyVersion>, i64), Failure> {
    if let Some(text) = builtin::text(arn) {
        let only = PolicyVersion {
            number: 1,
            text: text.to_owned(),
            created: context.now,
        };
        return Ok((vec![only], 1));
    }
    let policy = find(connection, arn)?;
    Ok((managed::versions(connection, policy.row)?, policy.in_force))
}

fn version_number(id: &str) -> Result<i64, Failure> {
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    number
        .ok_or_else(|| Failure::validation(format!("Value '{id}' at 'versionId' is not a version")))
}

fn missing_version(arn: &str, id: &str) -> Failure {
    member::missing(format!(
        "Policy {arn} version {id} does not exist or is not attachable."
    ))
}

fn shown(connection: &Connection, policy: &Managed) -> Result<Option<Xml>, Failure> {
    let count = managed::holders(connection, &policy.arn)?.len();
    let mut result = Xml::default();
    result.element("Policy", |xml| members(xml, policy, count));
    Ok(Some(result))
}

fn members(xml: &mut Xml, policy: &Managed, attachments: usize) {
    xml.text("PolicyName", &policy.name)
        .text("PolicyId", &policy.id)
        .text("Arn", &policy.arn)
        .text("Path", &policy.path)
        .text("DefaultVersionId", &format!("v{}", policy.in_force))
        .text("AttachmentCount", &attachments.to_string())
        .text("IsAttachable", "true")
        .optional("Description", policy.description.as_deref())
        .time("CreateDate", policy.created)
        .time("UpdateDate", policy.updated);
}

fn version_members(xml: &mut Xml, version: &PolicyVersion, in_force: i64, with_text: bool) {
    if with_text {
        xml.text("Document", &percent::encode(&version.text, ""));
    }
    let is_default = if version.number == in_force {
        "true"
    } else {
        "false"
    };
    xml.text("VersionId", &format!("v{}", version.number))
        .text("IsDefaultVersion", is_default)
        .time("CreateDate", version.created);
}
