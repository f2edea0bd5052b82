//! What makes a text acceptable as a policy of IAM: the reader takes more, because live policies have it.

use std::collections::BTreeSet;

use crate::engine::operation::Context;
use crate::engine::wire::{Code, Failure};
use crate::policy::{self, IdentityPolicy, IdentityStatement, ReadError, Resources};

/// A policy's size as IAM counts it.
pub(super) fn size(text: &str) -> usize {
    text.chars().filter(|one| !one.is_whitespace()).count()
}

/// Fails for what is no policy of a caller's own.
pub(crate) fn check(text: &str) -> Result<(), Failure> {
    let policy = policy::read_identity(text).map_err(|error| syntax(&error))?;
    let sids = || {
        let all = policy.statements.iter();
        all.filter_map(|one| one.sid.as_deref())
    };
    let is_plain = |sid: &str| sid.chars().all(|c| c.is_ascii_alphanumeric());
    if !sids().all(is_plain) {
        return Err(malformed(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
        ));
    }
    check_terms(&policy)
}

/// Fails for what is no trust policy of a role.
pub(super) fn check_trust(context: &Context<'_>, text: &str) -> Result<(), Failure> {
    let partition = context.caller.region.partition();
    let document = policy::read(text, partition).map_err(|error| syntax(&error))?;
    let nothing = Resources::Any(Vec::new().into());
    if document
        .statements
        .iter()
        .any(|one| one.resources != nothing)
    {
        return Err(malformed("Has prohibited field Resource"));
    }
    let terms = document
        .statements
        .into_iter()
        .map(|one| IdentityStatement {
            sid: one.sid,
            effect: one.effect,
            actions: one.actions,
            resources: one.resources,
            conditions: one.conditions,
        });
    check_terms(&IdentityPolicy {
        version: document.version,
        statements: terms.collect(),
    })
}

/// What all policies of IAM are held to.
fn check_terms(policy: &IdentityPolicy) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    let sids = policy.statements.iter().filter_map(|one| one.sid.as_ref());
    for sid in sids {
        if !seen.insert(sid) {
            return Err(malformed(
                "Statement IDs (SID) in a single policy must be unique.",
            ));
        }
    }
    policy::refuse_malformed(policy.flaws()).map_err(|error| syntax(&error))
}

fn syntax(error: &ReadError) -> Failure {
    malformed(&format!("Syntax errors in policy: {error}"))
}

fn malformed(why: &str) -> Failure {
    Failure::new(Code::MalformedPolicyDocument, why)
}
