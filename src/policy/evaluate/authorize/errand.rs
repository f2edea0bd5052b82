//! Requests on what has no key policy: aliases, roles, and an account as a whole.

use super::{Answer, Call, Caller, Hearing, Policies, conclude, decide};
use crate::model::{AccountId, Partition, Principal};
use crate::policy::context::{Context, Facts};
use crate::policy::reading::Exemption;

/// One call on something other than a key.
#[derive(Clone, Copy, Debug)]
pub struct Errand<'a> {
    /// Who calls; an account is its root user, a role any session of it.
    pub caller: &'a Principal,
    /// What is called, such as `sts:AssumeRole`.
    pub action: &'a str,
    /// On what: an ARN, or `*` for what has none.
    pub resource: &'a str,
    /// Whose it is.
    pub owner: (Partition, AccountId),
    /// What else is known; it has the last word over what follows from the caller.
    pub context: &'a Context,
}

/// Answers one request as [`super::authorize`] does, with a role's trust policy in the place of the key policy.
///
/// What has no policy of its own leaves everything to its account. Grants have no say.
pub fn authorize_errand(policies: &Policies<'_>, errand: &Errand<'_>) -> Answer {
    let Errand {
        caller,
        action,
        resource,
        owner,
        context,
    } = *errand;
    let of_caller = Context::of_caller(caller);
    let facts = Facts {
        given: context,
        of_caller: &of_caller,
    };
    let call = Call {
        caller,
        action,
        resource,
        owner,
    };
    let has_boundary = policies.boundary.is_some();
    let subject = Caller {
        exemption: Exemption::default(),
        has_boundary,
    };
    let decision = decide(policies.key, call, facts, subject);
    conclude(&Hearing::open(policies, call, facts, decision, Vec::new()))
}
