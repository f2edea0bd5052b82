//! `GetKeyPolicy`, `PutKeyPolicy` and `ListKeyPolicies`.

use serde::{Deserialize, Serialize};

use crate::engine::store::policies;
use crate::engine::wire::{Check, Code, Failure};
use crate::model::Operation;

use super::page::Pages;
use super::{Context, find_key, policy_text};

/// The one policy that a key's owner writes.
const DEFAULT: &str = "default";
/// The policy that Resource Access Manager writes.
const AWS_RAM: &str = "AWS_RAM";

const PAGES: Pages = Pages {
    kind: "policies",
    default: 100,
    most: 1000,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetInput {
    key_id: Option<String>,
    policy_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetOutput {
    policy: String,
    policy_name: &'static str,
}

pub(super) fn get(context: &Context<'_>, input: &GetInput) -> Result<GetOutput, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    check_name(&mut check, input.policy_name.as_deref());
    check.finish()?;
    let policy = context.read(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::GetKeyPolicy)?;
        if input.policy_name.as_deref().unwrap_or(DEFAULT) != DEFAULT {
            return Err(unknown());
        }
        Ok(policies::get(connection, key.row)?)
    })?;
    let policy = match &context.luck {
        Some(luck) => luck.reorder(policy),
        None => policy,
    };
    Ok(GetOutput {
        policy,
        policy_name: DEFAULT,
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutInput {
    key_id: Option<String>,
    policy_name: Option<String>,
    policy: Option<String>,
    bypass_policy_lockout_safety_check: Option<bool>,
}

pub(super) fn put(context: &Context<'_>, input: &PutInput) -> Result<(), Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    check_name(&mut check, input.policy_name.as_deref());
    policy_text::check_member(&mut check, input.policy.as_deref());
    let text = check.required("policy", input.policy.as_deref());
    check.finish()?;
    match input.policy_name.as_deref().unwrap_or(DEFAULT) {
        DEFAULT => {}
        AWS_RAM => {
            return Err(Failure::validation(
                "The AWS_RAM policy can only be managed by the RAM service",
            ));
        }
        _ => return Err(unknown()),
    }
    let bypass = input.bypass_policy_lockout_safety_check.unwrap_or(false);
    context.write(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::PutKeyPolicy)?;
        policy_text::check_policy(context, &key, text, bypass)?;
        policy_text::check_principals(context, connection, text)?;
        Ok(policies::put(connection, key.row, text)?)
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListInput {
    key_id: Option<String>,
    limit: Option<i64>,
    marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListOutput {
    policy_names: Vec<&'static str>,
    truncated: bool,
}

pub(super) fn list(context: &Context<'_>, input: &ListInput) -> Result<ListOutput, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    PAGES.check(&mut check, input.limit, input.marker.as_deref());
    check.finish()?;
    let page = PAGES.page(input.limit, input.marker.as_deref())?;
    context.read(|connection| {
        find_key::find(context, connection, key_id, Operation::ListKeyPolicies)
    })?;
    let mut policy_names = vec![DEFAULT];
    policy_names.retain(|name| *name > page.after.as_str());
    Ok(ListOutput {
        policy_names,
        truncated: false,
    })
}

fn check_name(check: &mut Check, name: Option<&str>) {
    check.length("policyName", name, 1..=128);
    check.pattern("policyName", name, r"[\w]+", |character| {
        character.is_ascii_alphanumeric() || character == '_'
    });
}

fn unknown() -> Failure {
    Failure::new(Code::NotFound, "No such policy exists")
}
