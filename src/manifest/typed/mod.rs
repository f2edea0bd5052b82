//! Manifests as typed: every field with its place, nothing resolved.

mod access;
mod account;
mod expectation;
mod grant;
mod identity;
mod key;
mod raw;
mod team;
mod words;

use serde_json::{Value as Json, json};

pub(crate) use self::account::{AccountFields, GuardrailFields};
pub(crate) use self::expectation::{ExpectationFields, KeyPattern, RequestContext};
pub(crate) use self::grant::GrantFields;
pub(crate) use self::identity::IdentityFields;
pub(crate) use self::key::{
    DeletionSetting, KeyFields, KeyStateSetting, PolicySource, RotationSetting, UserEntry,
    UserFields,
};
pub(crate) use self::team::TeamFields;
pub(crate) use self::words::{AccountName, RelativePath, Text};
use super::fault::{Fault, Faults};
use super::fields::{mapping_schema, not_yet, read_mapping, wrong_type};
use super::yaml::{Node, Value};

/// One document.
#[derive(Debug)]
pub(crate) enum Document {
    Account(Box<AccountFields>),
    Team(TeamFields),
    Key(Box<KeyFields>),
    Grant(Box<GrantFields>),
    Identity(Box<IdentityFields>),
    Expectation(Box<ExpectationFields>),
}

impl Document {
    /// The kinds there are.
    pub(crate) const KINDS: [&'static str; 6] =
        ["Account", "Team", "Key", "Grant", "Identity", "Expectation"];
    /// The kinds that come later.
    const LATER: [&'static str; 1] = ["KeyStore"];

    /// Reads a document; `None` when it could not even be told what it is.
    pub(crate) fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let Value::Mapping(entries) = &node.value else {
            faults.push(wrong_type(node, "a mapping with a `kind`"));
            return None;
        };
        let Some(entry) = entries.iter().find(|entry| entry.key.value == "kind") else {
            let fault = Fault::error("missing-field", "a manifest needs `kind`", node.span);
            let kinds = Self::KINDS.join("`, `");
            faults.push(fault.help(format!(
                "start the document with `kind:` and one of `{kinds}`"
            )));
            return None;
        };
        let Value::Scalar { text: kind, .. } = &entry.value.value else {
            faults.push(wrong_type(&entry.value, "the name of a kind"));
            return None;
        };
        match kind.as_str() {
            "Account" => read_mapping(node, &[], faults)
                .map(Box::new)
                .map(Self::Account),
            "Team" => read_mapping(node, &[], faults).map(Self::Team),
            "Key" => read_mapping(node, &[], faults).map(Box::new).map(Self::Key),
            "Grant" => read_mapping(node, &[], faults)
                .map(Box::new)
                .map(Self::Grant),
            "Identity" => read_mapping(node, &[], faults)
                .map(Box::new)
                .map(Self::Identity),
            "Expectation" => read_mapping(node, &[], faults)
                .map(Box::new)
                .map(Self::Expectation),
            later if Self::LATER.contains(&later) => {
                faults.push(not_yet(&format!("`kind: {later}`"), entry.value.span));
                None
            }
            other => {
                let message = format!("`{other}` is not a kind of manifest");
                let fault = Fault::error("unknown-kind", message, entry.value.span);
                let all = format!("the kinds are {}", Self::KINDS.join(", "));
                faults.push(fault.help(all).nearest(other, Self::KINDS));
                None
            }
        }
    }

    /// The schema of one document.
    pub(crate) fn schema() -> Json {
        let schemas = [
            ("Account", mapping_schema::<AccountFields>(&[])),
            ("Team", mapping_schema::<TeamFields>(&[])),
            ("Key", mapping_schema::<KeyFields>(&[])),
            ("Grant", mapping_schema::<GrantFields>(&[])),
            ("Identity", mapping_schema::<IdentityFields>(&[])),
            ("Expectation", mapping_schema::<ExpectationFields>(&[])),
        ];
        let choice: Vec<Json> = schemas
            .iter()
            .map(|(kind, _)| {
                json!({
                    "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                    "then": {"$ref": format!("#/$defs/{kind}")},
                })
            })
            .collect();
        let definitions: serde_json::Map<String, Json> = schemas
            .into_iter()
            .map(|(kind, schema)| (kind.to_owned(), with_kind(kind, schema)))
            .collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "keywright manifest",
            "type": "object",
            "properties": {"kind": {"description": "What the document describes", "enum": Self::KINDS}},
            "required": ["kind"],
            "allOf": choice,
            "$defs": definitions,
        })
    }
}

/// Adds `kind` in front of a document's fields.
fn with_kind(kind: &str, mut schema: Json) -> Json {
    if let Some(Json::Object(properties)) = schema.get_mut("properties") {
        let fields = std::mem::take(properties);
        properties.insert("kind".to_owned(), json!({"const": kind}));
        properties.extend(fields);
    }
    if let Some(Json::Array(required)) = schema.get_mut("required") {
        required.insert(0, Json::from("kind"));
    }
    schema
}
