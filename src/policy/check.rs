//! Duties that make no sense for their key.

use super::compile::KeyContext;
use super::duty::{Allowance, Duties, Holder, User};

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
    let context = (!user.context.is_empty() && !user.can_meet_context(key)).then(|| {
        let message = "none of the user's operations carries an encryption context".to_owned();
        problem(None, (message, "remove `context`; only cryptographic operations of symmetric encryption keys have one"))
    });
    let of_allowance =
        |one: &Allowance| Some(problem(Some(*one), check_allowance(*one, user, key)?));
    context
        .into_iter()
        .chain(user.allowances.iter().filter_map(of_allowance))
        .collect()
}

/// What is wrong with an allowance, and the next step.
fn check_allowance(
    allowance: Allowance,
    user: &User,
    key: &KeyContext,
) -> Option<(String, &'static str)> {
    let kind = || format!("{} keys for {}", key.key_type.spec, key.key_type.usage);
    let other_type = "remove it, or correct `spec` and `usage`";
    let operation = match allowance {
        Allowance::Capability(capability) if capability.suits(key.key_type) => return None,
        Allowance::Capability(capability) => {
            return Some((format!("{} cannot `{capability}`", kind()), other_type));
        }
        Allowance::Operation(operation) => operation,
    };
    if !operation.is_key_level() {
        let message = format!("`{operation}` has no effect in a key policy");
        return Some((message, "remove it; only IAM policies can allow it"));
    }
    if !key.key_type.supports(operation) {
        return Some((format!("{} have no `{operation}`", kind()), other_type));
    }
    let home = key.place.account;
    let foreign = |holder: &Holder| match holder {
        Holder::Principal(principal) => Some(principal)
            .filter(|one| one.account().is_some_and(|its| its != home))
            .cloned(),
        Holder::Organization(_) => None,
    };
    let who = user
        .holders
        .iter()
        .find_map(foreign)
        .filter(|_| !operation.is_cross_account())?;
    let message = format!(
        "`{operation}` does not work across accounts, so {} cannot use it",
        who.short(home)
    );
    Some((
        message,
        "remove it, or give it to principals of the key's account only",
    ))
}
