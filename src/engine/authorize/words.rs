//! What AWS says to those who may not.

use crate::engine::caller::Caller;
use crate::engine::wire::{Code, Failure};
use crate::policy::{Answer, Denial, Source};

/// The answer to a request that is not allowed.
pub(super) fn denied(caller: &Caller, action: &str, resource: &str, answer: &Answer) -> Failure {
    let why = match &answer.denial {
        Some(Denial::Explicit(source)) => format!("with an explicit deny in {}", policy(*source)),
        Some(denial) => format!("because no {} allows the {action} action", silent(denial)),
        None => format!("because no identity-based policy allows the {action} action"),
    };
    let principal = &caller.principal;
    Failure::new(
        Code::AccessDenied,
        format!(
            "User: {principal} is not authorized to perform: {action} on resource: {resource} {why}"
        ),
    )
}

fn policy(source: Source) -> &'static str {
    match source {
        Source::Key => "a resource-based policy",
        Source::Identity(_) => "an identity-based policy",
        Source::Boundary => "a permissions boundary",
        Source::Session(_) => "a session policy",
    }
}

/// The kind of policy that would have had to allow it.
fn silent(denial: &Denial) -> &'static str {
    match denial {
        Denial::Explicit(_)
        | Denial::Unsigned
        | Denial::KeyPolicy
        | Denial::KeyPolicyIgnoresIam
        | Denial::Constraints(_)
        | Denial::NotAcrossAccounts(_) => "resource-based policy",
        Denial::BeyondKeyPolicies(_) | Denial::Identity | Denial::ForeignIdentity => {
            "identity-based policy"
        }
        Denial::Boundary => "permissions boundary",
        Denial::Session => "session policy",
    }
}
