//! Members that actions share: names, pages, and the entities that they name.

use crate::engine::store::Connection;

use crate::engine::operation::Context;
use crate::engine::store::iam::entities::{self, Entity, Kind};
use crate::engine::wire::{Code, Failure, Form, Xml};
use crate::model::Principal;

/// How long pages are where a request does not say.
const PAGE: i64 = 100;

/// A member that must be there.
pub(super) fn required<'a>(form: &'a Form, name: &str) -> Result<&'a str, Failure> {
    let value = form.get(name).filter(|value| !value.is_empty());
    value.ok_or_else(|| {
        let member = lower_first(name);
        Failure::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

/// A new name, in IAM's alphabet.
pub(super) fn new_name<'a>(form: &'a Form, member: &str, most: usize) -> Result<&'a str, Failure> {
    let name = required(form, member)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    if name.chars().all(is_plain) && name.len() <= most {
        return Ok(name);
    }
    Err(Failure::validation(format!(
        "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: \
         +=,.@_- and be at most {most} characters long",
        lower_first(member)
    )))
}

/// The path of something new.
pub(super) fn path(form: &Form) -> Result<&str, Failure> {
    let path = form.get("Path").unwrap_or("/");
    let is_plain = |c: char| c.is_ascii_graphic();
    if path.starts_with('/')
        && path.ends_with('/')
        && path.len() <= 512
        && path.chars().all(is_plain)
    {
        return Ok(path);
    }
    Err(Failure::validation(
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
         characters and/or / characters.",
    ))
}

/// The entity that a request names; for a user without a name, the caller itself.
pub(super) fn entity(
    context: &Context<'_>,
    connection: &Connection,
    form: &Form,
    kind: Kind,
) -> Result<Entity, Failure> {
    let member = format!("{}Name", kind.title());
    let name = match (form.get(&member), &context.caller.principal) {
        (None, Principal::User(arn)) if kind == Kind::User => entities::last_name(arn),
        _ => required(form, &member)?,
    };
    named(context, connection, kind, name)
}

/// The entity with a name.
pub(super) fn named(
    context: &Context<'_>,
    connection: &Connection,
    kind: Kind,
    name: &str,
) -> Result<Entity, Failure> {
    let found = entities::find(connection, context.caller.account, kind, name)?;
    found.ok_or_else(|| missing(format!("The {kind} with name {name} cannot be found.")))
}

/// The ARN of what a request names, with its path where it has one.
pub(super) fn arn(
    context: &Context<'_>,
    form: &Form,
    kind: Kind,
    name: &str,
) -> Result<String, Failure> {
    let caller = context.caller;
    let found =
        context.read(|connection| Ok(entities::find(connection, caller.account, kind, name)?))?;
    let made = || {
        let path = form.get("Path").unwrap_or("/");
        let (partition, account) = (caller.region.partition(), caller.account);
        format!("arn:{partition}:iam::{account}:{kind}{path}{name}")
    };
    Ok(found.map_or_else(made, |entity| entity.arn()))
}

/// What IAM says about what is not there.
pub(super) fn missing(what: impl Into<String>) -> Failure {
    Failure::new(Code::NoSuchEntity, what)
}

/// The page of a list that a request asks for: after which name, and how many.
pub(super) fn page(form: &Form) -> Result<(&str, i64), Failure> {
    let limit = match form.get("MaxItems").map(str::parse::<i64>) {
        None => PAGE,
        Some(Ok(limit)) if (1..=1000).contains(&limit) => limit,
        Some(_) => {
            return Err(Failure::validation(
                "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value \
                 between 1 and 1000",
            ));
        }
    };
    Ok((form.get("Marker").unwrap_or_default(), limit))
}

/// Cuts what was found to a page, of which one item more was looked for; writes how it goes on.
pub(super) fn cut<T>(found: &mut Vec<T>, limit: i64, result: &mut Xml, name: impl Fn(&T) -> &str) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_truncated = found.len() > limit;
    found.truncate(limit);
    result.text("IsTruncated", if is_truncated { "true" } else { "false" });
    if let Some(last) = found.last().filter(|_| is_truncated) {
        result.text("Marker", name(last));
    }
}

/// A member's name as messages write it.
fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
