//! The lock-out safety check: whoever writes a key policy must be able to write the next one.

use crate::engine::caller::Caller;
use crate::engine::store::keys::Key;
use crate::model::Principal;
use crate::policy::{ActionPattern, Actions, Document, Effect, Principals, Resources, Statement};

use super::Context;

/// True when the caller may put another policy under this one.
pub(super) fn keeps_access(context: &Context<'_>, _key: &Key, document: &Document) -> bool {
    let caller = context.caller;
    let applies = |effect: Effect| {
        move |statement: &&Statement| statement.effect == effect && covers(statement, caller)
    };
    document
        .statements
        .iter()
        .any(|one| applies(Effect::Allow)(&one))
        && !document
            .statements
            .iter()
            .any(|one| applies(Effect::Deny)(&one))
}

fn covers(statement: &Statement, caller: &Caller) -> bool {
    let is_caller =
        |principal: &Principal| *principal == Principal::Anyone || *principal == caller.principal;
    let principals = match &statement.principals {
        Principals::Any(set) => set.iter().any(is_caller),
        Principals::Not(set) => !set.iter().any(is_caller),
    };
    let actions = match &statement.actions {
        Actions::Any(set) => set.iter().any(is_put),
        Actions::Not(set) => !set.iter().any(is_put),
    };
    let resources = matches!(&statement.resources, Resources::Any(set) if !set.is_empty());
    principals && actions && resources && statement.conditions.is_empty()
}

fn is_put(pattern: &ActionPattern) -> bool {
    matches_wild(&pattern.as_str().to_ascii_lowercase(), "kms:putkeypolicy")
}

fn matches_wild(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|tail| {
            tail.char_indices()
                .map(|(at, _)| at)
                .chain([tail.len()])
                .any(|at| tail.get(at..).is_some_and(|tail| matches_wild(rest, tail)))
        }),
    }
}
