//! Mappings with named fields: one table per mapping drives the reader and the JSON Schema alike.

use serde_json::{Map, Value as Json, json};

use super::fault::{Fault, Faults, Span};
use super::yaml::{At, Entry, Node, Value};

/// Something that a field can hold.
pub(crate) trait Readable: Sized {
    /// Reads it; `None` when a fault was reported instead.
    fn read(node: &Node, faults: &mut Faults) -> Option<Self>;

    /// What an editor should accept.
    fn schema() -> Json;
}

/// A field as it was found.
#[derive(Debug)]
pub(crate) enum Field<T> {
    /// It is not there.
    Absent,
    /// It is there, and its fault is reported.
    Wrong,
    /// It is there.
    Given(Given<T>),
}

/// A field's value, with the places of its name and of the value.
#[derive(Debug)]
pub(crate) struct Given<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
    pub(crate) key: Span,
    /// Whether some part of it had a fault and is left out.
    pub(crate) partial: bool,
}

impl<T> Field<T> {
    pub(crate) fn given(&self) -> Option<&Given<T>> {
        match self {
            Self::Given(given) => Some(given),
            Self::Absent | Self::Wrong => None,
        }
    }

    pub(crate) fn value(&self) -> Option<&T> {
        self.given().map(|given| &given.value)
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// True when the field, or a part of it, had a fault.
    pub(crate) fn is_wrong(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Wrong => true,
            Self::Given(given) => given.partial,
        }
    }
}

impl<T: Readable> Field<T> {
    pub(crate) fn read(entry: &Entry, faults: &mut Faults) -> Self {
        let before = faults.len();
        let Some(value) = T::read(&entry.value, faults) else {
            return Self::Wrong;
        };
        Self::Given(Given {
            value,
            span: entry.value.span,
            key: entry.key.span,
            partial: faults.len() > before,
        })
    }
}

/// Whether a field must be there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Presence {
    Required,
    Optional,
    /// What holds without it, as JSON.
    Default(&'static str),
}

/// One row of a mapping's table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldRow {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) presence: Presence,
    pub(crate) schema: fn() -> Json,
}

/// A mapping with named fields.
pub(crate) trait Mapping: Sized {
    /// What it is, with its article.
    const WHAT: &'static str;
    /// What it is for.
    const ABOUT: &'static str;
    /// Its fields.
    const FIELDS: &'static [FieldRow];
    /// Fields that are named in the documentation and not there yet.
    const LATER: &'static [&'static str];

    /// The mapping without any field.
    fn blank(span: Span) -> Self;

    /// Where the mapping starts.
    fn span(&self) -> Span;

    /// Reads one field of the table.
    fn set(&mut self, entry: &Entry, faults: &mut Faults);
}

/// Declares a mapping: its struct, its table and its reader.
macro_rules! mapping {
    (
        $(#[doc = $about:literal])+
        $name:ident ($what:literal) {
            $($(#[doc = $doc:literal])+ $field:ident: $type:ty [$($mark:tt)*],)+
        }
        later { $($later:ident),* }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug)]
        pub(crate) struct $name {
            span: $crate::manifest::fault::Span,
            $($(#[doc = $doc])+ pub(crate) $field: $crate::manifest::fields::Field<$type>,)+
        }

        impl $crate::manifest::fields::Mapping for $name {
            const WHAT: &'static str = $what;
            const ABOUT: &'static str = concat!($($about),+);
            const FIELDS: &'static [$crate::manifest::fields::FieldRow] = &[$(
                $crate::manifest::fields::FieldRow {
                    name: stringify!($field),
                    about: concat!($($doc),+),
                    presence: $crate::manifest::fields::presence!($($mark)*),
                    schema: <$type as $crate::manifest::fields::Readable>::schema,
                },
            )+];
            const LATER: &'static [&'static str] = &[$(stringify!($later)),*];

            fn blank(span: $crate::manifest::fault::Span) -> Self {
                Self { span, $($field: $crate::manifest::fields::Field::Absent,)+ }
            }

            fn span(&self) -> $crate::manifest::fault::Span {
                self.span
            }

            fn set(&mut self, entry: &$crate::manifest::yaml::Entry, faults: &mut $crate::manifest::fault::Faults) {
                match entry.key.value.as_str() {
                    $(stringify!($field) => self.$field = $crate::manifest::fields::Field::read(entry, faults),)+
                    _ => {}
                }
            }
        }
    };
}

/// Whether a field must be there, as [`mapping!`] writes it.
macro_rules! presence {
    () => {
        $crate::manifest::fields::Presence::Optional
    };
    (required) => {
        $crate::manifest::fields::Presence::Required
    };
    (= $text:literal) => {
        $crate::manifest::fields::Presence::Default($text)
    };
}

pub(crate) use {mapping, presence};

/// Reads a mapping, except for the fields that have no place here.
pub(crate) fn read_mapping<M: Mapping>(
    node: &Node,
    without: &[&str],
    faults: &mut Faults,
) -> Option<M> {
    let Value::Mapping(entries) = &node.value else {
        faults.push(wrong_type(node, M::WHAT));
        return None;
    };
    let mut mapping = M::blank(node.span);
    let rows = || M::FIELDS.iter().filter(|row| !without.contains(&row.name));
    for entry in entries {
        let name = entry.key.value.as_str();
        if rows().any(|row| row.name == name) {
            mapping.set(entry, faults);
        } else if M::LATER.contains(&name) {
            faults.push(not_yet(&format!("`{name}`"), entry.key.span));
        } else if without.contains(&name) {
            let message = format!("`{name}` cannot be given here");
            faults.push(Fault::error("unknown-field", message, entry.key.span));
        } else if name != "kind" {
            faults.push(unknown::<M>(entry, without, faults.len()));
        }
    }
    for row in rows().filter(|row| matches!(row.presence, Presence::Required)) {
        if !entries.iter().any(|entry| entry.key.value == row.name) {
            let message = format!("{} needs `{}`", M::WHAT, row.name);
            faults.push(Fault::error("missing-field", message, node.span));
        }
    }
    Some(mapping)
}

/// A field that is not in the table.
fn unknown<M: Mapping>(entry: &Entry, without: &[&str], known_faults: usize) -> Fault {
    /// Looking for the nearest spelling takes time; among so many faults nobody would read it.
    const ENOUGH: usize = 200;
    let name = entry.key.value.as_str();
    let message = format!("`{name}` is not a field of {}", M::WHAT);
    let fault = Fault::error("unknown-field", message, entry.key.span);
    if known_faults > ENOUGH {
        return fault;
    }
    let rows = M::FIELDS.iter().map(|row| row.name);
    let names: Vec<&str> = rows.filter(|name| !without.contains(name)).collect();
    fault
        .help(format!("its fields are {}", names.join(", ")))
        .nearest(name, names)
}

/// The schema of a mapping, except for the fields that have no place here.
pub(crate) fn mapping_schema<M: Mapping>(without: &[&str]) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for row in M::FIELDS {
        if without.contains(&row.name) {
            continue;
        }
        let mut schema = (row.schema)();
        if let Json::Object(schema) = &mut schema {
            schema.insert("description".to_owned(), Json::from(row.about.trim()));
            if let Presence::Default(text) = row.presence
                && let Ok(default) = serde_json::from_str::<Json>(text)
            {
                schema.insert("default".to_owned(), default);
            }
        }
        if matches!(row.presence, Presence::Required) {
            required.push(row.name);
        }
        properties.insert(row.name.to_owned(), schema);
    }
    json!({
        "type": "object",
        "description": M::ABOUT.trim(),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A value of the wrong type.
pub(crate) fn wrong_type(node: &Node, expected: &str) -> Fault {
    let message = format!("expected {expected}, found {}", node.kind());
    let fault = Fault::error("wrong-type", message, node.span);
    if node.is_null() {
        return fault.help("give it a value, or remove the field");
    }
    match &node.value {
        Value::Scalar { text, .. } if expected.contains("list") && text.len() < 60 => {
            fault.help(format!("write `[{text}]`"))
        }
        Value::Scalar { .. } | Value::List(_) | Value::Mapping(_) => fault,
    }
}

/// A field or kind whose behaviour comes later.
pub(crate) fn not_yet(what: &str, span: Span) -> Fault {
    Fault::error(
        "not-supported-yet",
        format!("{what} is not supported yet"),
        span,
    )
    .help("remove it: a manifest is never half obeyed")
}

impl<T: Readable> Readable for At<T> {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let value = T::read(node, faults)?;
        Some(Self {
            value,
            span: node.span,
        })
    }

    fn schema() -> Json {
        T::schema()
    }
}

impl<T: Readable> Readable for Vec<T> {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let Value::List(items) = &node.value else {
            faults.push(wrong_type(node, "a list"));
            return None;
        };
        // Items with a fault are left out and the others stay, so that their faults come to light too.
        Some(
            items
                .iter()
                .filter_map(|item| T::read(item, faults))
                .collect(),
        )
    }

    fn schema() -> Json {
        json!({"type": "array", "items": T::schema()})
    }
}

/// A list that must not be empty.
#[derive(Debug)]
pub(crate) struct NonEmpty<T>(pub(crate) Vec<At<T>>);

impl<T: Readable> Readable for NonEmpty<T> {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let before = faults.len();
        let items = Vec::<At<T>>::read(node, faults)?;
        if items.is_empty() && faults.len() == before {
            let fault = Fault::error("empty-list", "this list is empty", node.span);
            faults.push(fault.help("name at least one, or remove the field"));
            return None;
        }
        Some(Self(items))
    }

    fn schema() -> Json {
        json!({"type": "array", "items": T::schema(), "minItems": 1})
    }
}

/// Names with values, such as tags.
#[derive(Debug)]
pub(crate) struct Pairs<K, V>(pub(crate) Vec<(At<K>, At<V>)>);

impl<K: Readable, V: Readable> Readable for Pairs<K, V> {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let Value::Mapping(entries) = &node.value else {
            faults.push(wrong_type(node, "a mapping"));
            return None;
        };
        let mut pairs = Vec::new();
        for Entry { key, value } in entries {
            let text = key.value.clone();
            let name = At {
                value: Value::Scalar { text, quoted: true },
                span: key.span,
            };
            let name = At::<K>::read(&name, faults);
            let value = At::<V>::read(value, faults);
            pairs.extend(name.zip(value));
        }
        Some(Self(pairs))
    }

    fn schema() -> Json {
        json!({"type": "object", "additionalProperties": V::schema()})
    }
}
