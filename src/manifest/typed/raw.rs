//! Raw policy language inside a manifest.

use serde_json::{Value as Json, json};

use crate::manifest::fault::{Faults, Span};
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

    /// The place of a part, such as `Statement[2].Principal.AWS`, or of what is nearest to it.
    pub(crate) fn span_of(&self, path: &str) -> Span {
        let mut node = &self.0;
        let mut span = node.span;
        let mut rest = path;
        loop {
            rest = rest.trim_start_matches('.');
            let (next, at, after) = match &node.value {
                Value::List(items) => match item(items, rest) {
                    Some((item, after)) => (item, item.span, after),
                    None => return span,
                },
                // A single value stands for a list of one.
                Value::Mapping(_) if rest.starts_with("[0]") => {
                    rest = rest.trim_start_matches("[0]");
                    continue;
                }
                Value::Mapping(entries) => match entry(entries, rest) {
                    Some((entry, after)) => (&entry.value, entry.key.span, after),
                    None => return span,
                },
                Value::Scalar { .. } => return node.span,
            };
            (node, span, rest) = (next, at, after);
        }
    }
}

/// The item that a path starts with, and what follows: `[2].Effect`.
fn item<'n, 'p>(items: &'n [Node], path: &'p str) -> Option<(&'n Node, &'p str)> {
    let (index, after) = path.strip_prefix('[')?.split_once(']')?;
    Some((items.get(index.parse::<usize>().ok()?)?, after))
}

/// The entry that a path starts with, and what follows; keys may have dots of their own.
fn entry<'n, 'p>(entries: &'n [Entry], path: &'p str) -> Option<(&'n Entry, &'p str)> {
    let found = entries.iter().filter_map(|entry| {
        let after = path.strip_prefix(entry.key.value.as_str())?;
        let ends = after.is_empty() || after.starts_with(['.', '[']);
        (ends && !entry.key.value.is_empty()).then_some((entry, after))
    });
    found.min_by_key(|(_, after)| after.len())
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
