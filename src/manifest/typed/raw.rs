//! Raw policy language inside a manifest.

use serde_json::{Value as Json, json};

use crate::manifest::fault::Faults;
use crate::manifest::fields::{Readable, wrong_type};
use crate::manifest::yaml::{Entry, Node, Value};

/// Raw policy language, kept with its places.
#[derive(Clone, Debug)]
pub(crate) struct Raw(pub(crate) Node);

impl Raw {
    /// The same as JSON, with every text filled in by `fill`. Only `true` and `false` are not text:
    /// an account id must never become a number, and policies compare numbers as text anyway.
    pub(crate) fn to_json(&self, fill: &dyn Fn(&str) -> String) -> Json {
        to_json(&self.0, fill)
    }
}

fn to_json(node: &Node, fill: &dyn Fn(&str) -> String) -> Json {
    match &node.value {
        Value::Scalar { .. } if node.is_null() => Json::Null,
        Value::Scalar {
            text,
            quoted: false,
        } if text == "true" => Json::Bool(true),
        Value::Scalar {
            text,
            quoted: false,
        } if text == "false" => Json::Bool(false),
        Value::Scalar { text, .. } => Json::String(fill(text)),
        Value::List(items) => items.iter().map(|item| to_json(item, fill)).collect(),
        Value::Mapping(entries) => {
            let pair = |Entry { key, value }: &Entry| (key.value.clone(), to_json(value, fill));
            Json::Object(entries.iter().map(pair).collect())
        }
    }
}

impl Readable for Raw {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        match &node.value {
            Value::Mapping(_) => Some(Self(node.clone())),
            Value::Scalar { .. } | Value::List(_) => {
                faults.push(wrong_type(node, "a mapping"));
                None
            }
        }
    }

    fn schema() -> Json {
        json!({"type": "object"})
    }
}
