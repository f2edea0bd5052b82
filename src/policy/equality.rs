//! When two policies are the same, and how two that differ are best laid side by side.

use std::collections::BTreeSet;

use super::document::{Condition, Document, Statement, Version};
use super::json;

/// True when two policies have the same statements, whatever their order, Sids, Id and spelling.
pub fn same(a: &Document, b: &Document) -> bool {
    a == b || canonical(a) == canonical(b)
}

/// True when two policies are the same text but for the order of lists and layout.
pub fn identical(a: &Document, b: &Document) -> bool {
    a == b
}

/// A text that is equal for policies that are the [`same`], to be digested.
pub fn write_canonical(document: &Document) -> String {
    json::write_compact(&canonical(document))
}

/// The live policy with its statements in the desired one's order: by Sid, then by content; the rest stays behind.
#[must_use]
pub fn align(desired: &Document, live: &Document) -> Document {
    let mut rest: Vec<Statement> = live.statements.clone();
    let mut aligned = Vec::with_capacity(rest.len());
    for wanted in &desired.statements {
        let by_sid = |one: &Statement| wanted.sid.is_some() && one.sid == wanted.sid;
        let by_content = |one: &Statement| bare(one) == bare(wanted);
        let found = rest
            .iter()
            .position(by_sid)
            .or_else(|| rest.iter().position(by_content));
        aligned.extend(found.map(|index| rest.remove(index)));
    }
    aligned.append(&mut rest);
    Document {
        statements: aligned,
        ..live.clone()
    }
}

fn canonical(document: &Document) -> Document {
    let statements: BTreeSet<Statement> = document.statements.iter().map(bare).collect();
    // Versions differ in variables only.
    let has_variables = statements.iter().any(|statement| {
        statement
            .conditions
            .iter()
            .any(|condition| condition.values.iter().any(|value| value.contains("${")))
    });
    let version = if has_variables {
        document.version
    } else {
        Version::V2012
    };
    Document {
        version,
        id: None,
        statements: statements.into_iter().collect(),
    }
}

/// A statement without its Sid, with condition keys in one case.
pub(super) fn bare(statement: &Statement) -> Statement {
    let lower = |condition: &Condition| Condition {
        key: condition.key.to_ascii_lowercase(),
        ..condition.clone()
    };
    let conditions = statement.conditions.iter().map(lower).collect();
    Statement {
        sid: None,
        conditions,
        ..statement.clone()
    }
}
