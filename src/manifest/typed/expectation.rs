//! `kind: Expectation`.

use serde_json::{Value as Json, json};

use super::words::{Text, text};
use crate::manifest::fault::{Fault, Faults};
use crate::manifest::fields::{Field, NonEmpty, Pairs, Readable, mapping, wrong_type};
use crate::manifest::yaml::{At, Entry, Node, Value};
use crate::model::PrincipalName;
use crate::policy::Allowance;

mapping! {
    /// An access test that `check` runs offline: what some principals can or cannot do with some keys, over all requests.
    ExpectationFields ("an expectation") {
        /// Names of `Key` manifests; `*` and `?` are wildcards.
        keys: Several<KeyPattern> [required],
        /// Who.
        principals: NonEmpty<PrincipalName> [required],
        /// Capabilities or KMS operations of which every request is allowed.
        can: NonEmpty<Allowance> [],
        /// Capabilities or KMS operations of which no request is allowed.
        cannot: NonEmpty<Allowance> [],
        /// Which requests are meant: condition keys with a value, a list of values, or `null` where the key is absent; all by default.
        when: RequestContext [],
        /// Why, for those who read a failure.
        why: Text [],
    }
    later {}
}

/// One value, or a list that is not empty.
#[derive(Debug)]
pub(crate) struct Several<T>(pub(crate) Vec<At<T>>);

impl<T: Readable> Readable for Several<T> {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        match &node.value {
            Value::List(_) => NonEmpty::read(node, faults).map(|NonEmpty(items)| Self(items)),
            Value::Scalar { .. } | Value::Mapping(_) => {
                At::read(node, faults).map(|one| Self(vec![one]))
            }
        }
    }

    fn schema() -> Json {
        json!({"anyOf": [T::schema(), NonEmpty::<T>::schema()]})
    }
}

/// A key's name, in which `*` and `?` are wildcards.
#[derive(Debug)]
pub(crate) struct KeyPattern(pub(crate) String);

impl Readable for KeyPattern {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let text = text(node, "a key's name", faults)?;
        let bare = text.strip_prefix("alias/").unwrap_or(text);
        let valid = |b: u8| b.is_ascii_alphanumeric() || b"/_:-*?".contains(&b);
        if bare.is_empty() || !bare.bytes().all(valid) {
            let message = format!("`{text}` is not a key's name");
            let fault = Fault::error("malformed", message, node.span);
            faults.push(fault.help("write a name, or a pattern such as `*` or `app-*`"));
            return None;
        }
        Some(Self(bare.to_owned()))
    }

    fn schema() -> Json {
        json!({"type": "string", "pattern": "^(alias/)?[A-Za-z0-9/_:*?-]{1,250}$"})
    }
}

/// What is known of the requests that are meant.
#[derive(Debug)]
pub(crate) struct RequestContext {
    /// The AWS services through which they come.
    pub(crate) via: Field<Several<Text>>,
    /// Pairs of their encryption context.
    pub(crate) context: Field<Pairs<Text, Text>>,
    /// Condition keys with their values; none where the key is absent.
    pub(crate) keys: Vec<(At<String>, Vec<String>)>,
}

impl RequestContext {
    const SHORT: [&'static str; 2] = ["via", "context"];

    fn read_key(&mut self, entry: &Entry, faults: &mut Faults) {
        let Entry { key, value } = entry;
        let name = key.value.as_str();
        let is_key = name
            .split_once(':')
            .is_some_and(|(service, rest)| !service.is_empty() && !rest.is_empty());
        if !is_key {
            let message = format!("`{name}` is not a condition key");
            let fault = Fault::error("unknown-field", message, key.span);
            let help = "write `via`, `context`, or a condition key such as `aws:SourceVpc`";
            faults.push(fault.help(help).nearest(name, Self::SHORT));
            return;
        }
        let same = |known: &&(At<String>, Vec<String>)| known.0.value.eq_ignore_ascii_case(name);
        if let Some((first, _)) = self.keys.iter().find(same) {
            let message =
                format!("`{name}` is given twice; case does not distinguish condition keys");
            let fault = Fault::error("duplicate-key", message, key.span);
            faults.push(fault.also(first.span, "first given here"));
            return;
        }
        let values = if value.is_null() {
            Some(Vec::new())
        } else {
            Several::<Text>::read(value, faults)
                .map(|Several(values)| values.into_iter().map(|value| value.value.0).collect())
        };
        self.keys.extend(values.map(|values| (key.clone(), values)));
    }
}

impl Readable for RequestContext {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let Value::Mapping(entries) = &node.value else {
            faults.push(wrong_type(node, "a mapping of condition keys"));
            return None;
        };
        let mut context = Self {
            via: Field::Absent,
            context: Field::Absent,
            keys: Vec::new(),
        };
        for entry in entries {
            match entry.key.value.as_str() {
                "via" => context.via = Field::read(entry, faults),
                "context" => context.context = Field::read(entry, faults),
                _ => context.read_key(entry, faults),
            }
        }
        Some(context)
    }

    fn schema() -> Json {
        let described = |mut schema: Json, about: &str| {
            if let Json::Object(schema) = &mut schema {
                schema.insert("description".to_owned(), about.into());
            }
            schema
        };
        let value = json!({"type": ["string", "number", "boolean", "null"]});
        json!({
            "type": "object",
            "properties": {
                "via": described(Several::<Text>::schema(), "AWS services through which they come, such as `s3`"),
                "context": described(Pairs::<Text, Text>::schema(), "Pairs that their encryption context has"),
            },
            "additionalProperties": {"anyOf": [value, {"type": "array", "items": value, "minItems": 1}]},
        })
    }
}
