//! Policies as JSON: a canonical writer.

use serde_json::{Map, Value};
use sorted_vec::SortedSet;

use super::document::{
    ActionPattern, Actions, Condition, Document, Effect, IdentityPolicy, IdentityStatement,
    Principals, Resources, Statement, Version,
};
use crate::model::Principal;

/// Writes a policy for people: two spaces, elements in AWS's order, lists sorted, single values plain.
pub fn write(document: &Document) -> String {
    serde_json::to_string_pretty(&to_value(document)).unwrap_or_default()
}

/// Writes a policy for KMS, in as few bytes as the same text allows.
pub fn write_compact(document: &Document) -> String {
    to_value(document).to_string()
}

/// Writes a policy that a caller carries, for IAM.
pub fn write_identity(policy: &IdentityPolicy) -> String {
    let statements = policy.statements.iter();
    policy_value(
        policy.version,
        None,
        statements.map(identity_statement_value).collect(),
    )
    .to_string()
}

fn to_value(document: &Document) -> Value {
    let Document {
        version,
        id,
        statements,
    } = document;
    let statements = statements.iter().map(statement_value).collect();
    policy_value(*version, id.as_deref(), statements)
}

fn policy_value(version: Version, id: Option<&str>, statements: Value) -> Value {
    let mut object = Map::new();
    let version = match version {
        Version::V2008 => "2008-10-17",
        Version::V2012 => "2012-10-17",
    };
    object.insert("Version".to_owned(), version.into());
    if let Some(id) = id {
        object.insert("Id".to_owned(), id.into());
    }
    object.insert("Statement".to_owned(), statements);
    Value::Object(object)
}

fn statement_value(statement: &Statement) -> Value {
    let Statement {
        sid,
        effect,
        principals,
        actions,
        resources,
        conditions,
    } = statement;
    let terms = Terms {
        sid: sid.as_deref(),
        effect: *effect,
        principals: Some(principals),
        actions,
        resources,
        conditions,
    };
    terms_value(&terms)
}

fn identity_statement_value(statement: &IdentityStatement) -> Value {
    let IdentityStatement {
        sid,
        effect,
        actions,
        resources,
        conditions,
    } = statement;
    let terms = Terms {
        sid: sid.as_deref(),
        effect: *effect,
        principals: None,
        actions,
        resources,
        conditions,
    };
    terms_value(&terms)
}

/// A statement of any policy; only key policies name principals.
struct Terms<'a> {
    sid: Option<&'a str>,
    effect: Effect,
    principals: Option<&'a Principals>,
    actions: &'a Actions,
    resources: &'a Resources,
    conditions: &'a SortedSet<Condition>,
}

fn terms_value(terms: &Terms<'_>) -> Value {
    let Terms {
        sid,
        effect,
        principals,
        actions,
        resources,
        conditions,
    } = terms;
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    if let Some(sid) = sid {
        put("Sid", (*sid).into());
    }
    let effect = match effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    put("Effect", effect.into());
    match principals {
        Some(Principals::Any(set)) => put("Principal", principals_value(set)),
        Some(Principals::Not(set)) => put("NotPrincipal", principals_value(set)),
        None => {}
    }
    match actions {
        Actions::Any(set) if set.is_empty() => {}
        Actions::Any(set) => put("Action", list(in_console_order(set))),
        Actions::Not(set) => put("NotAction", list(in_console_order(set))),
    }
    match resources {
        Resources::Any(set) if set.is_empty() => {}
        Resources::Any(set) => put("Resource", list(set.iter().cloned())),
        Resources::Not(set) => put("NotResource", list(set.iter().cloned())),
    }
    if !conditions.is_empty() {
        put("Condition", conditions_value(conditions));
    }
    Value::Object(object)
}

fn principals_value(principals: &SortedSet<Principal>) -> Value {
    if principals.len() == 1 && principals.contains(&Principal::Anyone) {
        return "*".into();
    }
    let (services, others): (Vec<_>, Vec<_>) = principals
        .iter()
        .partition(|one| matches!(one, Principal::Service(_)));
    let mut object = Map::new();
    for (kind, group) in [("AWS", others), ("Service", services)] {
        if !group.is_empty() {
            object.insert(
                kind.to_owned(),
                list(group.into_iter().map(ToString::to_string)),
            );
        }
    }
    Value::Object(object)
}

fn conditions_value(conditions: &SortedSet<Condition>) -> Value {
    let mut object = Map::new();
    for Condition {
        operator,
        key,
        values,
    } in conditions
    {
        let tests = object
            .entry(operator.to_string())
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(tests) = tests {
            tests.insert(key.clone(), list(values.iter().cloned()));
        }
    }
    Value::Object(object)
}

fn list(texts: impl IntoIterator<Item = String>) -> Value {
    let mut texts: Vec<Value> = texts.into_iter().map(Value::String).collect();
    if texts.len() == 1 {
        texts.remove(0)
    } else {
        Value::Array(texts)
    }
}

/// The console's own order of actions; others follow by name.
const CONSOLE_ORDER: &[&str] = &[
    "kms:*",
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:ImportKeyMaterial",
    "kms:ReplicateKey",
    "kms:UpdatePrimaryRegion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
    "kms:RotateKeyOnDemand",
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncrypt*",
    "kms:GenerateDataKey*",
    "kms:DescribeKey",
    "kms:GetPublicKey",
    "kms:Sign",
    "kms:Verify",
    "kms:GenerateMac",
    "kms:VerifyMac",
    "kms:DeriveSharedSecret",
    "kms:Encapsulate",
    "kms:Decapsulate",
    "kms:CreateGrant",
    "kms:ListGrants",
    "kms:RevokeGrant",
];

fn in_console_order(actions: &SortedSet<ActionPattern>) -> Vec<String> {
    let rank = |action: &str| {
        CONSOLE_ORDER
            .iter()
            .position(|known| *known == action)
            .unwrap_or(CONSOLE_ORDER.len())
    };
    let mut actions: Vec<String> = actions.iter().map(ToString::to_string).collect();
    actions.sort_by_cached_key(|action| rank(action));
    actions
}
