//! Tags of users and roles.

use std::collections::BTreeMap;

use crate::engine::operation::Context;
use crate::engine::store::iam::entities::{self, Kind};
use crate::engine::wire::{Code, Failure, Form, Xml};

use super::member;

/// The most tags of one user or role.
const MOST: usize = 50;

pub(super) fn tag(context: &Context<'_>, form: &Form, kind: Kind) -> Result<Option<Xml>, Failure> {
    let tags = form.pairs("Tags", "Key", "Value");
    check(&tags)?;
    context.write(|connection| {
        let entity = member::entity(context, connection, form, kind)?;
        for (name, value) in &tags {
            entities::tag(connection, entity.row, name, value)?;
        }
        if entities::tags(connection, entity.row)?.len() > MOST {
            return Err(too_many());
        }
        Ok(None)
    })
}

pub(super) fn untag(
    context: &Context<'_>,
    form: &Form,
    kind: Kind,
) -> Result<Option<Xml>, Failure> {
    context.write(|connection| {
        let entity = member::entity(context, connection, form, kind)?;
        for name in form.list("TagKeys") {
            entities::untag(connection, entity.row, name)?;
        }
        Ok(None)
    })
}

pub(super) fn list(context: &Context<'_>, form: &Form, kind: Kind) -> Result<Option<Xml>, Failure> {
    context.read(|connection| {
        let entity = member::entity(context, connection, form, kind)?;
        let mut result = Xml::default();
        result.text("IsTruncated", "false");
        write(&mut result, &entities::tags(connection, entity.row)?);
        Ok(Some(result))
    })
}

/// Checks tags that are to be set.
pub(crate) fn check(tags: &[(&str, &str)]) -> Result<(), Failure> {
    if tags.len() > MOST {
        return Err(too_many());
    }
    for (name, value) in tags {
        let is_reserved = name
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
        if is_reserved
            || name.is_empty()
            || name.chars().count() > 128
            || value.chars().count() > 256
        {
            return Err(Failure::validation(format!("The tag {name} is not valid")));
        }
    }
    Ok(())
}

fn too_many() -> Failure {
    Failure::new(
        Code::LimitExceeded,
        format!("There can be at most {MOST} tags."),
    )
}

pub(super) fn write(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    xml.list("Tags", tags, |xml, (name, value)| {
        xml.text("Key", name).text("Value", value);
    });
}
