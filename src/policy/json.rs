//! Policies as JSON: a lenient reader and a canonical writer.

use std::collections::BTreeSet;
use std::fmt::{Arguments, Display};

use serde_json::error::Category;
use serde_json::{Map, Value};
use sorted_vec::SortedSet;

use super::console_order::in_console_order;
use super::document::{
    ActionPattern, Actions, Condition, Document, Effect, IdentityPolicy, IdentityStatement,
    Operator, Principals, Resources, Statement, Version,
};
use super::member;
use crate::model::{Partition, Principal};

/// Why a text is not a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct ReadError {
    /// Where in the document: `Statement[2].Principal.AWS`; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub problem: String,
}

impl ReadError {
    /// The same fault, in a document that is itself a member of something: `keyPolicy.Statement[2]`.
    #[must_use]
    pub fn within(self, outer: &str) -> Self {
        let path = match self.path.as_str() {
            "" => outer.to_owned(),
            path if path.starts_with('[') => format!("{outer}{path}"),
            path => format!("{outer}.{path}"),
        };
        Self { path, ..self }
    }
}

pub(super) fn error(path: impl Display, problem: impl Into<String>) -> ReadError {
    ReadError {
        path: path.to_string(),
        problem: problem.into(),
    }
}

/// Reads a policy in any form that AWS accepts; `partition` completes bare account ids.
pub fn read(text: &str, partition: Partition) -> Result<Document, ReadError> {
    read_value(&read_json(text)?, partition)
}

/// Reads a policy as it is, or as `aws kms get-key-policy` prints it.
pub fn read_live(text: &str, partition: Partition) -> Result<Document, ReadError> {
    let value = read_json(text)?;
    match value.get("Policy").and_then(Value::as_str) {
        Some(text) => read(text, partition).map_err(|error| error.within("Policy")),
        None => read_value(&value, partition),
    }
}

/// Reads a policy from a JSON value.
pub fn read_value(value: &Value, partition: Partition) -> Result<Document, ReadError> {
    let one = |value: &Value, path: Arguments<'_>| statement(value, path, partition);
    let (version, id, statements) = read_members(value, one)?;
    Ok(Document {
        version,
        id,
        statements,
    })
}

/// Reads an identity policy, a permissions boundary or a session policy.
pub fn read_identity(text: &str) -> Result<IdentityPolicy, ReadError> {
    read_identity_value(&read_json(text)?)
}

/// Reads an identity policy, a permissions boundary or a session policy from a JSON value.
pub fn read_identity_value(value: &Value) -> Result<IdentityPolicy, ReadError> {
    let (version, _, statements) = read_members(value, read_identity_statement)?;
    Ok(IdentityPolicy {
        version,
        statements,
    })
}

/// Reads a JSON text in which no object names a member twice.
pub fn read_json(text: &str) -> Result<Value, ReadError> {
    member::parse(text).map_err(|problem| match problem.classify() {
        Category::Data => error("", problem.to_string()),
        Category::Io | Category::Syntax | Category::Eof => {
            error("", format!("not JSON: {problem}"))
        }
    })
}

type Members<S> = (Version, Option<String>, Vec<S>);

fn read_members<S>(
    value: &Value,
    read_statement: impl Fn(&Value, Arguments<'_>) -> Result<S, ReadError>,
) -> Result<Members<S>, ReadError> {
    let mut version = Version::V2008;
    let mut id = None;
    let mut statements = Vec::new();
    for (name, value) in object(value, "")? {
        match name.as_str() {
            "Version" => version = read_version(value)?,
            "Id" => id = Some(text(value, "Id")?.to_owned()),
            "Statement" => statements = read_statements(value, &read_statement)?,
            other => return Err(error(other, "is not an element of a policy")),
        }
    }
    if statements.is_empty() {
        return Err(error("Statement", "a policy needs at least one statement"));
    }
    Ok((version, id, statements))
}

fn read_version(value: &Value) -> Result<Version, ReadError> {
    match text(value, "Version")? {
        "2012-10-17" => Ok(Version::V2012),
        "2008-10-17" => Ok(Version::V2008),
        other => Err(error(
            "Version",
            format!("`{other}` is not a version; write `2012-10-17`"),
        )),
    }
}

fn read_statements<S>(
    value: &Value,
    read_statement: impl Fn(&Value, Arguments<'_>) -> Result<S, ReadError>,
) -> Result<Vec<S>, ReadError> {
    let Value::Array(items) = value else {
        return Ok(vec![read_statement(value, format_args!("Statement"))?]);
    };
    let one =
        |(index, item): (usize, &Value)| read_statement(item, format_args!("Statement[{index}]"));
    items.iter().enumerate().map(one).collect()
}

/// Reads one statement; `path` is where it stands.
pub fn read_statement(
    value: &Value,
    path: &str,
    partition: Partition,
) -> Result<Statement, ReadError> {
    statement(value, format_args!("{path}"), partition)
}

/// Reads one statement; paths are not written out before something is wrong.
fn statement(
    value: &Value,
    path: Arguments<'_>,
    partition: Partition,
) -> Result<Statement, ReadError> {
    let object = object(value, path)?;
    only_elements(object, path)?;
    let Some((is_not, name, value)) = either(object, path, PRINCIPAL)? else {
        return Err(error(
            path,
            "has no Principal; every statement of a key policy needs one",
        ));
    };
    let principals = read_principals(value, format_args!("{path}.{name}"), partition)?;
    let principals = if is_not {
        Principals::Not(principals)
    } else {
        Principals::Any(principals)
    };
    let IdentityStatement {
        sid,
        effect,
        actions,
        resources,
        conditions,
    } = read_terms(object, path)?;
    Ok(Statement {
        sid,
        effect,
        principals,
        actions,
        resources,
        conditions,
    })
}

fn read_identity_statement(
    value: &Value,
    path: Arguments<'_>,
) -> Result<IdentityStatement, ReadError> {
    let object = object(value, path)?;
    only_elements(object, path)?;
    if let Some((_, name, _)) = either(object, path, PRINCIPAL)? {
        return Err(error(
            format_args!("{path}.{name}"),
            "cannot stand in a policy that the caller carries; only key policies name principals",
        ));
    }
    for element in [ACTION, RESOURCE] {
        if either(object, path, element)?.is_none() {
            let [element, _] = element;
            let problem =
                format!("has no {element}; every statement that is not a key policy's needs one");
            return Err(error(path, problem));
        }
    }
    read_terms(object, path)
}

fn only_elements(object: &Map<String, Value>, path: Arguments<'_>) -> Result<(), ReadError> {
    let known = |name: &str| {
        matches!(name, "Sid" | "Effect" | "Condition")
            || [PRINCIPAL, ACTION, RESOURCE].as_flattened().contains(&name)
    };
    match object.keys().find(|name| !known(name)) {
        Some(name) => Err(error(
            format_args!("{path}.{name}"),
            "is not an element of a statement",
        )),
        None => Ok(()),
    }
}

/// Reads all of a statement but its principals.
fn read_terms(
    object: &Map<String, Value>,
    path: Arguments<'_>,
) -> Result<IdentityStatement, ReadError> {
    let Some(effect) = object.get("Effect") else {
        return Err(error(path, "has no Effect; write `Allow` or `Deny`"));
    };
    let effect = read_effect(effect, format_args!("{path}.Effect"))?;
    let sid = object.get("Sid");
    let sid = sid.map(|value| text(value, format_args!("{path}.Sid")));
    let sid = sid.transpose()?;
    let sid = sid.filter(|sid| !sid.is_empty()).map(str::to_owned);
    let conditions = object.get("Condition");
    let conditions =
        conditions.map(|value| read_conditions(value, format_args!("{path}.Condition")));
    let conditions = conditions.transpose()?.unwrap_or_default();
    let (actions, resources) = (read_actions(object, path)?, read_resources(object, path)?);
    Ok(IdentityStatement {
        sid,
        effect,
        actions,
        resources,
        conditions,
    })
}

fn read_actions(object: &Map<String, Value>, path: Arguments<'_>) -> Result<Actions, ReadError> {
    let Some((is_not, name, value)) = either(object, path, ACTION)? else {
        return Ok(Actions::Any(SortedSet::default()));
    };
    let set = texts(value, format_args!("{path}.{name}"))?
        .iter()
        .map(|text| ActionPattern::new(text))
        .collect();
    Ok(if is_not {
        Actions::Not(set)
    } else {
        Actions::Any(set)
    })
}

fn read_resources(
    object: &Map<String, Value>,
    path: Arguments<'_>,
) -> Result<Resources, ReadError> {
    let Some((is_not, name, value)) = either(object, path, RESOURCE)? else {
        return Ok(Resources::Any(SortedSet::default()));
    };
    let set = texts(value, format_args!("{path}.{name}"))?;
    let set = set.into_iter().collect();
    Ok(if is_not {
        Resources::Not(set)
    } else {
        Resources::Any(set)
    })
}

/// An element and its `Not…` form.
type Either = [&'static str; 2];
const PRINCIPAL: Either = ["Principal", "NotPrincipal"];
const ACTION: Either = ["Action", "NotAction"];
const RESOURCE: Either = ["Resource", "NotResource"];

/// An element or its `Not…` form: whether it is that, its name, and its value.
fn either<'a>(
    object: &'a Map<String, Value>,
    path: Arguments<'_>,
    [plain, negated]: Either,
) -> Result<Option<(bool, &'static str, &'a Value)>, ReadError> {
    match (object.get(plain), object.get(negated)) {
        (Some(_), Some(_)) => Err(error(path, format!("has both {plain} and {negated}"))),
        (Some(value), None) => Ok(Some((false, plain, value))),
        (None, Some(value)) => Ok(Some((true, negated, value))),
        (None, None) => Ok(None),
    }
}

fn read_effect(value: &Value, path: Arguments<'_>) -> Result<Effect, ReadError> {
    match text(value, path)? {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => Err(error(
            path,
            format!("`{other}` is not an effect; write `Allow` or `Deny`"),
        )),
    }
}

fn read_principals(
    value: &Value,
    path: Arguments<'_>,
    partition: Partition,
) -> Result<SortedSet<Principal>, ReadError> {
    if let Value::String(text) = value {
        return match text.as_str() {
            "*" => Ok(vec![Principal::Anyone].into()),
            other => Err(error(
                path,
                format!("`{other}` must stand under `AWS` or `Service`"),
            )),
        };
    }
    let mut principals = Vec::new();
    for (kind, value) in object(value, path)? {
        let at = format_args!("{path}.{kind}");
        for text in texts(value, at)? {
            let principal = match kind.as_str() {
                "AWS" => Principal::parse(&text, partition),
                "Service" => text.parse().map(Principal::Service),
                _ => {
                    let problem = "cannot stand in a key policy; use `AWS` or `Service`";
                    return Err(error(at, problem));
                }
            };
            principals.push(principal.map_err(|malformed| error(at, malformed.problem))?);
        }
    }
    if principals.is_empty() {
        Err(error(path, "names nobody"))
    } else {
        Ok(principals.into())
    }
}

fn read_conditions(value: &Value, path: Arguments<'_>) -> Result<SortedSet<Condition>, ReadError> {
    let mut conditions = Vec::new();
    for (operator, tests) in object(value, path)? {
        let at = format_args!("{path}.{operator}");
        let operator: Operator = operator
            .parse()
            .map_err(|problem: String| error(at, problem))?;
        let mut seen = BTreeSet::new();
        for (key, values) in object(tests, at)? {
            let at = format_args!("{at}.{key}");
            if !seen.insert(key.to_ascii_lowercase()) {
                return Err(error(
                    at,
                    "stands twice under one operator; case does not distinguish condition keys",
                ));
            }
            let values = texts(values, at)?.into_iter().collect();
            conditions.push(Condition {
                operator,
                key: key.clone(),
                values,
            });
        }
    }
    Ok(conditions.into())
}

pub(super) fn object(value: &Value, path: impl Display) -> Result<&Map<String, Value>, ReadError> {
    value
        .as_object()
        .ok_or_else(|| error(path, "must be an object"))
}

pub(super) fn text(value: &Value, path: impl Display) -> Result<&str, ReadError> {
    value.as_str().ok_or_else(|| error(path, "must be text"))
}

/// One text or a list of them; booleans and numbers count as their text.
pub(super) fn texts(value: &Value, path: impl Display) -> Result<Vec<String>, ReadError> {
    let one = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(error(&path, "must be text or a list of texts"))
        }
    };
    if let Value::Array(items) = value {
        return items.iter().map(one).collect();
    }
    Ok(vec![one(value)?])
}

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
        statements.map(|terms| terms_value(terms, None)).collect(),
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
    } = statement.clone();
    let terms = IdentityStatement {
        sid,
        effect,
        actions,
        resources,
        conditions,
    };
    terms_value(&terms, Some(&principals))
}

fn terms_value(terms: &IdentityStatement, principals: Option<&Principals>) -> Value {
    let IdentityStatement {
        sid,
        effect,
        actions,
        resources,
        conditions,
    } = terms;
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    if let Some(sid) = sid {
        put("Sid", sid.as_str().into());
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
