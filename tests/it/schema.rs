//! The JSON Schema against the shipped manifests, by the part of JSON Schema that it uses.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

use camino::Utf8Path;
use keywright::manifest::{self, Sources};
use serde_json::Value as Json;

/// Why a value breaks a schema; empty when it does not.
fn violations(root: &Json, schema: &Json, value: &Json, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (keyword, rule) in schema.as_object().unwrap() {
        for (schema, value, name) in parts(root, schema, keyword, value) {
            found.extend(violations(root, schema, value, &format!("{at}.{name}")));
        }
        if !holds(root, schema, keyword, value) {
            found.push(format!("{at}: {keyword} {rule} does not hold for {value}"));
        }
    }
    found
}

/// What a keyword demands of which part of the value.
fn parts<'a>(
    root: &'a Json,
    schema: &'a Json,
    keyword: &str,
    value: &'a Json,
) -> Vec<(&'a Json, &'a Json, &'a str)> {
    let rule = &schema[keyword];
    let entries = || value.as_object().into_iter().flatten();
    match keyword {
        "$ref" => {
            let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
            vec![(&root["$defs"][name], value, "")]
        }
        "allOf" => rule
            .as_array()
            .unwrap()
            .iter()
            .map(|schema| (schema, value, ""))
            .collect(),
        "if" if violations(root, rule, value, "").is_empty() => {
            vec![(&schema["then"], value, "")]
        }
        "properties" => entries()
            .filter_map(|(name, value)| Some((rule.get(name)?, value, name.as_str())))
            .collect(),
        "additionalProperties" if rule.is_object() => entries()
            .filter(|(name, _)| schema["properties"].get(name).is_none())
            .map(|(name, value)| (rule, value, name.as_str()))
            .collect(),
        "items" => value
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| (rule, item, "[]"))
            .collect(),
        _ => Vec::new(),
    }
}

/// What a keyword demands of the value itself.
fn holds(root: &Json, schema: &Json, keyword: &str, value: &Json) -> bool {
    let rule = &schema[keyword];
    let mut rules = rule.as_array().into_iter().flatten();
    match keyword {
        "anyOf" => rules.any(|schema| violations(root, schema, value, "").is_empty()),
        "const" => rule == value,
        "enum" => rules.any(|rule| rule == value),
        "type" if rule.is_array() => rules.any(|name| is_type(value, name)),
        "type" => is_type(value, rule),
        "required" => rules.all(|name| value.get(name.as_str().unwrap()).is_some()),
        "additionalProperties" if rule == &Json::Bool(false) => {
            let mut names = value.as_object().unwrap().keys();
            names.all(|name| schema["properties"].get(name).is_some())
        }
        "minItems" => value.as_array().is_none_or(|items| !items.is_empty()),
        "minLength" => value.as_str().is_none_or(|text| !text.is_empty()),
        "$ref"
        | "allOf"
        | "if"
        | "then"
        | "properties"
        | "additionalProperties"
        | "items"
        | "$schema"
        | "$defs"
        | "title"
        | "description"
        | "default"
        | "examples"
        | "format"
        | "maxLength"
        | "pattern"
        | "minimum"
        | "maximum" => true,
        other => panic!("the schema uses `{other}`, which this test does not know"),
    }
}

fn is_type(value: &Json, name: &Json) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("unknown type `{other}`"),
    }
}

fn check(text: &str) -> Vec<String> {
    let schema = manifest::schema();
    let documents: Vec<Json> = serde_yaml::from_multiple(text).unwrap();
    documents
        .iter()
        .flat_map(|document| violations(&schema, &schema, document, ""))
        .collect()
}

#[test]
fn the_shipped_manifests_satisfy_the_schema() {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let (sources, _) = Sources::read(&[folder]);
    assert!(sources.files().len() >= 10);
    for source in sources.files() {
        assert_eq!(check(source.text()), [""; 0], "{}", source.path());
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    for text in [
        "kind: key\nname: a\n",
        "kind: Key\n",
        "kind: Key\nname: a\ncolour: blue\n",
        "kind: Key\nname: a\nspec: rsa-2048\n",
        "kind: Key\nname: a\nusers: role/app\n",
        "kind: Key\nname: a\nusers: []\n",
        "kind: Key\nname: a\ngrants: [{name: g, key: a, grantee: role/x, operations: [Decrypt]}]\n",
        "kind: Identity\n",
        "kind: Identity\nprincipal: role/a\npolicies: {}\n",
        "kind: Expectation\nkeys: []\nprincipals: [role/a]\ncan: [decrypt]\n",
        "kind: Expectation\nkeys: a\nprincipals: [role/a]\ncan: [decrpyt]\n",
        "kind: Expectation\nkeys: a\nprincipals: [role/a]\ncan: [decrypt]\nwhen: {aws:SourceVpc: {}}\n",
        "kind: Account\nname: a\nid: 111122223333\nregions: [eu-west-1]\ndefaults: {name: b}\n",
    ] {
        assert_ne!(check(text), [""; 0], "{text}");
    }
}

#[test]
fn every_field_is_described() {
    fn described(schema: &Json, at: &str) {
        let Some(properties) = schema.get("properties").and_then(Json::as_object) else {
            return;
        };
        for (name, field) in properties {
            let at = format!("{at}.{name}");
            assert!(name == "kind" || field.get("description").is_some(), "{at}");
            described(field, &at);
        }
    }
    for (kind, schema) in manifest::schema()["$defs"].as_object().unwrap() {
        described(schema, kind);
    }
}
