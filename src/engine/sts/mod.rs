//! STS: who calls, and sessions as somebody else, over the query protocol.

mod assume_role;
mod federation;
mod identity;
mod issue;
mod user_session;

use super::iam::Action;

/// Finds an action by its name.
pub(crate) fn find(name: &str) -> Option<Action> {
    match name {
        "AssumeRole" => Some(assume_role::assume_role),
        "GetCallerIdentity" => Some(identity::get_caller_identity),
        "GetFederationToken" => Some(federation::get_federation_token),
        "GetSessionToken" => Some(user_session::get_session_token),
        _ => None,
    }
}

pub(crate) use assume_role::of_role;
