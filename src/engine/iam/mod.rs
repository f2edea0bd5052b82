//! IAM: users, roles, groups, their policies and access keys, over the query protocol.

mod access_key;
mod attachment;
pub(crate) mod builtin;
mod decay;
mod declared;
mod entity;
mod group;
mod inline;
mod managed;
mod member;
mod policy_text;
mod tag;

use super::authorize;
use super::operation::Context;
use super::record::Service;
use super::store::iam::entities::Kind;
use super::wire::{Failure, Form, Xml};

pub(crate) use access_key::{issue, issue_for_root};
pub(crate) use declared::{find_or_make, put};
pub(crate) use entity::{add, fresh};
pub(crate) use policy_text::check as check_policy;
pub(crate) use tag::check as check_tags;

/// An action from members to result; `None` has nothing to say.
pub(crate) type Action = fn(&Context<'_>, &Form) -> Result<Option<Xml>, Failure>;

macro_rules! actions {
    ($($name:ident $run:path $(, $kind:ident)?;)+) => {
        /// Finds an action by its name.
        pub(crate) fn find(name: &str) -> Option<Action> {
            match name {
                $(stringify!($name) => Some(|context, form| {
                    admit(context, form, stringify!($name))?;
                    $run(context, form $(, Kind::$kind)?)
                }),)+
                _ => None,
            }
        }
    };
}

actions! {
    AddUserToGroup group::add_user;
    AttachGroupPolicy attachment::attach, Group;
    AttachRolePolicy attachment::attach, Role;
    AttachUserPolicy attachment::attach, User;
    CreateAccessKey access_key::create;
    CreateGroup entity::create, Group;
    CreatePolicy managed::create;
    CreatePolicyVersion managed::create_version;
    CreateRole entity::create, Role;
    CreateUser entity::create, User;
    DeleteAccessKey access_key::delete;
    DeleteGroup entity::delete, Group;
    DeleteGroupPolicy inline::delete, Group;
    DeletePolicy managed::delete;
    DeletePolicyVersion managed::delete_version;
    DeleteRole entity::delete, Role;
    DeleteRolePermissionsBoundary attachment::delete_boundary, Role;
    DeleteRolePolicy inline::delete, Role;
    DeleteUser entity::delete, User;
    DeleteUserPermissionsBoundary attachment::delete_boundary, User;
    DeleteUserPolicy inline::delete, User;
    DetachGroupPolicy attachment::detach, Group;
    DetachRolePolicy attachment::detach, Role;
    DetachUserPolicy attachment::detach, User;
    GetGroup group::get;
    GetGroupPolicy inline::get, Group;
    GetPolicy managed::get;
    GetPolicyVersion managed::get_version;
    GetRole entity::get, Role;
    GetRolePolicy inline::get, Role;
    GetUser entity::get, User;
    GetUserPolicy inline::get, User;
    ListAccessKeys access_key::list;
    ListAttachedGroupPolicies attachment::list, Group;
    ListAttachedRolePolicies attachment::list, Role;
    ListAttachedUserPolicies attachment::list, User;
    ListEntitiesForPolicy attachment::holders;
    ListGroupPolicies inline::list, Group;
    ListGroups entity::list, Group;
    ListGroupsForUser group::of_user;
    ListInstanceProfilesForRole entity::instance_profiles;
    ListPolicies managed::list;
    ListPolicyVersions managed::list_versions;
    ListRolePolicies inline::list, Role;
    ListRoleTags tag::list, Role;
    ListRoles entity::list, Role;
    ListUserPolicies inline::list, User;
    ListUserTags tag::list, User;
    ListUsers entity::list, User;
    PutGroupPolicy inline::put, Group;
    PutRolePermissionsBoundary attachment::put_boundary, Role;
    PutRolePolicy inline::put, Role;
    PutUserPermissionsBoundary attachment::put_boundary, User;
    PutUserPolicy inline::put, User;
    RemoveUserFromGroup group::remove_user;
    SetDefaultPolicyVersion managed::set_default_version;
    TagRole tag::tag, Role;
    TagUser tag::tag, User;
    UntagRole tag::untag, Role;
    UntagUser tag::untag, User;
    UpdateAccessKey access_key::update;
    UpdateAssumeRolePolicy entity::update_trust;
    UpdateRole entity::update_role;
}

/// Asks whether the caller may do it, on the ARN of what the request names.
fn admit(context: &Context<'_>, form: &Form, action: &str) -> Result<(), Failure> {
    let kinds = [Kind::Role, Kind::Group, Kind::User];
    let named = kinds.into_iter().find_map(|kind| {
        let name = form.get(&format!("{}Name", kind.title()))?;
        Some((kind, name))
    });
    let resource = match (named, form.get("PolicyArn")) {
        (Some((kind, name)), _) => member::arn(context, form, kind, name)?,
        (None, Some(arn)) => arn.to_owned(),
        (None, None) => "*".to_owned(),
    };
    authorize::on_own(context, Service::Iam, action, &resource)
}
