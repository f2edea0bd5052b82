//! Names of deleted principals in policies and grants, where AWS shows unique ids.

use serde_json::Value;

use crate::engine::store::Connection;
use crate::engine::store::iam::entities::{self, Entity};
use crate::engine::store::{grants, policies};
use crate::engine::wire::Failure;

/// Puts a principal's unique id in the place of its ARN, so that another of the same name is not meant.
pub(super) fn decay(connection: &Connection, entity: &Entity) -> Result<(), Failure> {
    let arn = entity.arn();
    for (key, text) in policies::with(connection, &arn)? {
        if let Some(policy) = renamed(&text, &arn, &entity.id) {
            policies::put(connection, key, &policy)?;
        }
    }
    for (role, text) in entities::trusts_with(connection, &arn)? {
        if let Some(trust) = renamed(&text, &arn, &entity.id) {
            entities::set_trust(connection, role, &trust)?;
        }
    }
    Ok(grants::rename(connection, &arn, &entity.id)?)
}

/// A policy that names a principal by its id; `None` for what is no JSON.
fn renamed(text: &str, arn: &str, id: &str) -> Option<String> {
    let mut policy: Value = serde_json::from_str(text).ok()?;
    let statements = policy.get_mut("Statement")?;
    let statements = if statements.is_array() {
        statements.as_array_mut()?.as_mut_slice()
    } else {
        std::slice::from_mut(statements)
    };
    for statement in statements {
        for element in ["Principal", "NotPrincipal"] {
            let named = statement.get_mut(element);
            if let Some(named) = named.and_then(|value| value.get_mut("AWS")) {
                rename(named, arn, id);
            }
        }
    }
    Some(policy.to_string())
}

fn rename(value: &mut Value, arn: &str, id: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, arn, id)),
        Value::String(text) if text == arn => id.clone_into(text),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
    }
}
