//! Duties that make no sense for their key.

use std::collections::BTreeMap;

use super::capability;
use super::compile::KeyContext;
use super::document::ActionPattern;
use super::duty::{Allowance, Capability, Duties, Holder, User};
use crate::model::Operation;

/// Something wrong with one user of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which of the users, by position.
    pub user: usize,
    /// Which of its allowances; `None` where the user as a whole is meant.
    pub allowance: Option<Allowance>,
    /// What is wrong.
    pub message: String,
    /// The next step.
    pub help: String,
}

/// Finds users whose duties would be dead text or refused.
pub fn check(duties: &Duties, key: &KeyContext) -> Vec<Problem> {
    duties
        .users
        .iter()
        .enumerate()
        .flat_map(|(index, user)| check_user(index, user, key))
        .collect()
}

fn check_user(index: usize, user: &User, key: &KeyContext) -> Vec<Problem> {
    let problem = |allowance, (message, help): (String, &str)| Problem {
        user: index,
        allowance,
        message,
        help: help.to_owned(),
    };
    let context = check_context(user, key).map(|fault| problem(None, fault));
    let of_allowance = |one: &Allowance| {
        let fault =
            check_allowance(*one, user, key).or_else(|| check_boundness(*one, user, key))?;
        Some(problem(Some(*one), fault))
    };
    context
        .into_iter()
        .chain(user.allowances.iter().filter_map(of_allowance))
        .collect()
}

/// What is wrong with a user's encryption context, and the next step.
fn check_context(user: &User, key: &KeyContext) -> Option<(String, &'static str)> {
    if user.context.is_empty() {
        return None;
    }
    if !user.can_meet_context(key) {
        let message = "none of the user's operations carries an encryption context";
        let help =
            "remove `context`; only cryptographic operations of symmetric encryption keys have one";
        return Some((message.to_owned(), help));
    }
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    let (first, second) = user.context.keys().find_map(|name| {
        let first = names.insert(name.to_ascii_lowercase(), name)?;
        Some((first, name))
    })?;
    let message =
        format!("`{first}` and `{second}` are one name to KMS, so no request can meet both");
    Some((
        message,
        "keep one of them; the case of context keys does not count in conditions",
    ))
}

/// What is wrong with an allowance of a user who is bound to an encryption context.
fn check_boundness(
    allowance: Allowance,
    user: &User,
    key: &KeyContext,
) -> Option<(String, &'static str)> {
    if user.context.is_empty() || !user.can_meet_context(key) {
        return None;
    }
    let is_held = |action| {
        capability::carries_context(&action) || capability::stands_without_context(&action)
    };
    let delegates = allowance == Allowance::Capability(Capability::Delegate);
    if !delegates && capability::actions(allowance, key).into_iter().all(is_held) {
        return None;
    }
    let message = format!("`{allowance}` cannot depend on an encryption context");
    Some((message, "give it in an entry of its own, without `context`"))
}

/// What is wrong with an allowance, and the next step.
fn check_allowance(
    allowance: Allowance,
    user: &User,
    key: &KeyContext,
) -> Option<(String, &'static str)> {
    let kind = || format!("a {} key for {}", key.key_type.spec, key.key_type.usage);
    let other_type = "remove it, or correct `spec` and `usage`";
    match allowance {
        Allowance::Capability(capability) if !capability.suits(key.key_type) => {
            return Some((format!("{} cannot `{capability}`", kind()), other_type));
        }
        Allowance::Operation(operation) if !operation.is_key_level() => {
            let message = format!("`{operation}` has no effect in a key policy");
            return Some((message, "remove it; only IAM policies can allow it"));
        }
        Allowance::Operation(operation) if !key.key_type.supports(operation) => {
            return Some((format!("{} has no `{operation}`", kind()), other_type));
        }
        Allowance::Capability(_) | Allowance::Operation(_) => {}
    }
    let home = key.place.account;
    let foreign = |holder: &Holder| match holder {
        Holder::Principal(principal) => Some(principal)
            .filter(|one| one.account().is_some_and(|its| its != home))
            .cloned(),
        Holder::Organization(_) => None,
    };
    let stays_home = |action: &ActionPattern| {
        let operation = action.as_str().parse::<Operation>();
        operation.is_ok_and(|operation| !operation.is_cross_account())
    };
    let who = user
        .holders
        .iter()
        .find_map(foreign)
        .filter(|_| capability::actions(allowance, key).iter().all(stays_home))?;
    let message = format!(
        "`{allowance}` does not work across accounts, so {} cannot use it",
        who.short(home)
    );
    Some((
        message,
        "remove it, or give it to principals of the key's account only",
    ))
}
