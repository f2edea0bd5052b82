//! When two policies are the same, and how two that differ are best laid side by side.

use std::collections::BTreeSet;

use sorted_vec::SortedSet;

use super::document::{ActionPattern, Actions, Condition, Document, Resources, Statement, Version};
use super::write::write_compact;

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
    write_compact(&canonical(document))
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
    let document = modern(document);
    let statements: BTreeSet<Statement> = document.statements.iter().map(bare).collect();
    Document {
        id: None,
        statements: statements.into_iter().collect(),
        ..document
    }
}

/// The document in the new version of the language, where `${` that was plain text is escaped.
#[must_use]
pub(super) fn modern(document: &Document) -> Document {
    let mut document = document.clone();
    if document.version == Version::V2008 {
        document.version = Version::V2012;
        document.statements = document.statements.iter().map(escaped).collect();
    }
    document
}

fn escaped(statement: &Statement) -> Statement {
    let escape = |texts: &SortedSet<String>| {
        texts
            .iter()
            .map(|text| text.replace("${", "${$}{"))
            .collect()
    };
    let condition = |condition: &Condition| Condition {
        values: escape(&condition.values),
        ..condition.clone()
    };
    Statement {
        resources: match &statement.resources {
            Resources::Any(set) => Resources::Any(escape(set)),
            Resources::Not(set) => Resources::Not(escape(set)),
        },
        conditions: statement.conditions.iter().map(condition).collect(),
        ..statement.clone()
    }
}

/// A statement without its Sid, with condition keys and actions in one case.
pub(super) fn bare(statement: &Statement) -> Statement {
    let lower = |condition: &Condition| Condition {
        key: condition.key.to_ascii_lowercase(),
        ..condition.clone()
    };
    let conditions = statement.conditions.iter().map(lower).collect();
    let actions = match &statement.actions {
        Actions::Any(set) => Actions::Any(set.iter().map(ActionPattern::folded).collect()),
        Actions::Not(set) => Actions::Not(set.iter().map(ActionPattern::folded).collect()),
    };
    Statement {
        sid: None,
        actions,
        conditions,
        ..statement.clone()
    }
}
