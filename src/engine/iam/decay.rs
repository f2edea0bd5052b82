//! Names of deleted principals in key policies and grants, where AWS shows unique ids.

use serde_json::Value;

use crate::engine::store::Connection;
use crate::engine::store::iam::entities::Entity;
use crate::engine::store::{grants, policies};
use crate::engine::wire::Failure;

/// Puts a principal's unique id in the place of its ARN, so that another of the same name is not meant.
pub(super) fn decay(connection: &Connection, entity: &Entity) -> Result<(), Failure> {
    let arn = entity.arn();
    for (key, text) in policies::with(connection, &arn)? {
        let policy = serde_json::from_str(&text);
        let mut policy: Value = policy.map_err(|error| Failure::internal(&error))?;
        let statements = policy.get_mut("Statement");
        let statements = statements.into_iter().flat_map(|value| {
            if value.is_array() {
                value.as_array_mut().into_iter().flatten().collect()
            } else {
                vec![value]
            }
        });
        for statement in statements {
            for element in ["Principal", "NotPrincipal"] {
                let named = statement.get_mut(element);
                if let Some(named) = named.and_then(|value| value.get_mut("AWS")) {
                    rename(named, &arn, &entity.id);
                }
            }
        }
        policies::put(connection, key, &policy.to_string())?;
    }
    Ok(grants::rename(connection, &arn, &entity.id)?)
}

fn rename(value: &mut Value, arn: &str, id: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, arn, id)),
        Value::String(text) if text == arn => id.clone_into(text),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
    }
}
