//! Inline policies of users, roles and groups.

use crate::engine::operation::Context;
use crate::engine::store::iam::entities::Kind;
use crate::engine::store::iam::inline;
use crate::engine::wire::{Code, Failure, Form, Xml, percent};

use super::{member, policy_text};

/// The longest name of a policy.
const LONGEST_NAME: usize = 128;

/// The most that the inline policies of one user, role or group have together, white space left out.
fn most(kind: Kind) -> usize {
    match kind {
        Kind::User => 2048,
        Kind::Role => 10_240,
        Kind::Group => 5120,
    }
}

pub(super) fn put(context: &Context<'_>, form: &Form, kind: Kind) -> Result<Option<Xml>, Failure> {
    let name = member::new_name(form, "PolicyName", LONGEST_NAME)?;
    let text = member::required(form, "PolicyDocument")?;
    policy_text::check(text)?;
    context.write(|connection| {
        let entity = member::entity(context, connection, form, kind)?;
        inline::put(connection, entity.row, name, text)?;
        let texts = inline::texts(connection, entity.row)?;
        let size: usize = texts.iter().map(|text| policy_text::size(text)).sum();
        let most = most(kind);
        if size > most {
            let (kind, name) = (kind.word(), &entity.name);
            return Err(Failure::new(
                Code::LimitExceeded,
                format!("Maximum policy size of {most} bytes exceeded for {kind} {name}"),
            ));
        }
        Ok(None)
    })
}

pub(super) fn get(context: &Context<'_>, form: &Form, kind: Kind) -> Result<Option<Xml>, Failure> {
    let name = member::required(form, "PolicyName")?;
    context.read(|connection| {
        let entity = member::entity(context, connection, form, kind)?;
        let text = inline::get(connection, entity.row, name)?.ok_or_else(|| missing(kind, name))?;
        let mut result = Xml::default();
        result
            .text(&format!("{}Name", kind.title()), &entity.name)
            .text("PolicyName", name)
            .text("PolicyDocument", &percent::encode(&text, ""));
        Ok(Some(result))
    })
}

pub(super) fn list(context: &Context<'_>, form: &Form, kind: Kind) -> Result<Option<Xml>, Failure> {
    let (after, limit) = member::page(form)?;
    let mut found = context.read(|connection| {
        let entity = member::entity(context, connection, form, kind)?;
        Ok(inline::names_after(
            connection,
            entity.row,
            after,
            limit + 1,
        )?)
    })?;
    let mut result = Xml::default();
    member::cut(&mut found, limit, &mut result, |name| name);
    result.element("PolicyNames", |xml| {
        for name in &found {
            xml.text("member", name);
        }
    });
    Ok(Some(result))
}

pub(super) fn delete(
    context: &Context<'_>,
    form: &Form,
    kind: Kind,
) -> Result<Option<Xml>, Failure> {
    let name = member::required(form, "PolicyName")?;
    context.write(|connection| {
        let entity = member::entity(context, connection, form, kind)?;
        if inline::delete(connection, entity.row, name)? {
            return Ok(None);
        }
        Err(missing(kind, name))
    })
}

fn missing(kind: Kind, name: &str) -> Failure {
    member::missing(format!(
        "The {kind} policy with name {name} cannot be found."
    ))
}
