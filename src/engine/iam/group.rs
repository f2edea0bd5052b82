//! Who is in which group.

use crate::engine::operation::Context;
use crate::engine::store::iam::entities::{self, Kind};
use crate::engine::wire::{Failure, Form, Xml};

use super::{entity, member};

pub(super) fn add_user(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    context.write(|connection| {
        let group = member::entity(context, connection, form, Kind::Group)?;
        let user = member::entity(context, connection, form, Kind::User)?;
        entities::join(connection, user.row, group.row)?;
        Ok(None)
    })
}

pub(super) fn remove_user(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    context.write(|connection| {
        let group = member::entity(context, connection, form, Kind::Group)?;
        let user = member::entity(context, connection, form, Kind::User)?;
        entities::leave(connection, user.row, group.row)?;
        Ok(None)
    })
}

pub(super) fn get(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    context.read(|connection| {
        let group = member::entity(context, connection, form, Kind::Group)?;
        let users = entities::members_of(connection, group.row)?;
        let mut result = Xml::default();
        result
            .element("Group", |xml| entity::members(xml, &group))
            .text("IsTruncated", "false")
            .list("Users", &users, entity::members);
        Ok(Some(result))
    })
}

pub(super) fn of_user(context: &Context<'_>, form: &Form) -> Result<Option<Xml>, Failure> {
    context.read(|connection| {
        let user = member::entity(context, connection, form, Kind::User)?;
        let groups = entities::teams_of(connection, user.row)?;
        let mut result = Xml::default();
        result
            .text("IsTruncated", "false")
            .list("Groups", &groups, entity::members);
        Ok(Some(result))
    })
}
