//! What one policy, or all policies and grants together, say to one request.

mod authorize;
mod matching;

use sorted_vec::SortedSet;

pub use authorize::{
    Answer, Denial, Errand, Ground, Outcome, Policies, Source, authorize, authorize_errand,
    authorize_under,
};
use matching::Matching;

use crate::model::{AccountId, KeyArn, Partition, Principal};
use crate::policy::context::{Context, Facts, last_name, session_role};
use crate::policy::document::{Document, Effect, Principals, Statement};
use crate::policy::reading::{ANYONE_INCLUDES_SERVICES, Exemption, SESSIONS_IGNORE_CASE_OF_ROLE};

/// One call of one operation on one key.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who calls; an account is its root user, a role any session of it.
    pub caller: &'a Principal,
    /// What is called, such as `kms:PutKeyPolicy`.
    pub action: &'a str,
    /// On which key.
    pub key: &'a KeyArn,
    /// What else is known; it has the last word over what follows from the caller.
    pub context: &'a Context,
}

/// A request as statements see it: its resource as text, and whose that is.
#[derive(Clone, Copy, Debug)]
struct Call<'a> {
    caller: &'a Principal,
    action: &'a str,
    resource: &'a str,
    owner: (Partition, AccountId),
}

impl<'a> Call<'a> {
    /// A request on a key, whose ARN is written out once.
    fn on_key(request: &Request<'a>, resource: &'a str) -> Self {
        Self {
            caller: request.caller,
            action: request.action,
            resource,
            owner: (request.key.partition, request.key.place.account),
        }
    }
}

/// How much access a policy gives, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Refused, whatever else allows it.
    Deny,
    /// Not allowed here; a grant may allow it.
    None,
    /// Allowed if the caller's IAM policies allow it too.
    Delegated,
    /// Allowed.
    Direct,
}

impl Level {
    /// The word for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::None => "none",
            Self::Delegated => "delegated",
            Self::Direct => "direct",
        }
    }
}

/// What a policy says to a request, and where it says so.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// How much access it gives.
    pub level: Level,
    /// The statements that say so, as indices into the document; none for [`Level::None`].
    pub statements: Vec<usize>,
}

impl Decision {
    /// Nothing is said.
    fn none() -> Self {
        Self {
            level: Level::None,
            statements: Vec::new(),
        }
    }
}

/// Evaluates one key policy alone: no IAM policies, no grants.
pub fn evaluate(document: &Document, request: &Request<'_>) -> Decision {
    evaluate_under(document, request, Exemption::default())
}

/// Evaluates one key policy under a reading of `NotPrincipal`.
pub fn evaluate_under(
    document: &Document,
    request: &Request<'_>,
    exemption: Exemption,
) -> Decision {
    let of_caller = Context::of_caller(request.caller);
    let facts = Facts {
        given: request.context,
        of_caller: &of_caller,
    };
    let caller = Caller {
        exemption,
        has_boundary: false,
    };
    let resource = request.key.to_string();
    decide(document, Call::on_key(request, &resource), facts, caller)
}

/// What a key policy's answer depends on besides the request.
#[derive(Clone, Copy, Debug, Default)]
struct Caller {
    exemption: Exemption,
    /// Whether a permissions boundary is attached to the caller.
    has_boundary: bool,
}

fn decide(document: &Document, call: Call<'_>, facts: Facts<'_>, caller: Caller) -> Decision {
    let evaluation = Evaluation {
        matching: Matching {
            call,
            version: document.version,
            facts,
        },
        caller,
    };
    let levels: Vec<Level> = document
        .statements
        .iter()
        .map(|statement| evaluation.level(statement))
        .collect();
    let level = if levels.contains(&Level::Deny) {
        Level::Deny
    } else {
        levels.iter().copied().max().unwrap_or(Level::None)
    };
    let decides = |one: &Level| *one == level && level != Level::None;
    let statements = levels.iter().enumerate();
    Decision {
        level,
        statements: statements
            .filter(|(_, one)| decides(one))
            .map(|(index, _)| index)
            .collect(),
    }
}

struct Evaluation<'a> {
    matching: Matching<'a>,
    caller: Caller,
}

impl Evaluation<'_> {
    /// What one statement says; [`Level::None`] where it does not apply.
    fn level(&self, statement: &Statement) -> Level {
        let Statement {
            sid: _,
            effect,
            principals,
            actions,
            resources,
            conditions,
        } = statement;
        let matching = self.matching;
        if !matching.covers_action(actions) || !matching.is_this_key(resources) {
            return Level::None;
        }
        let level = match effect {
            Effect::Deny if self.denies(principals) => Level::Deny,
            Effect::Deny => Level::None,
            Effect::Allow => self.allows(principals),
        };
        let applies = level != Level::None && matching.meets(conditions);
        if applies { level } else { Level::None }
    }

    fn denies(&self, principals: &Principals) -> bool {
        let caller = self.matching.call.caller;
        match principals {
            Principals::Any(set) => set
                .iter()
                .any(|one| names(one, caller) || stands_for_account_of(one, caller)),
            // IAM's page on boundaries: whoever has one is always denied, listed or not.
            Principals::Not(_) if self.caller.has_boundary => true,
            Principals::Not(set) => !spares(set, caller, self.caller.exemption),
        }
    }

    fn allows(&self, principals: &Principals) -> Level {
        let caller = self.matching.call.caller;
        let level = match principals {
            Principals::Any(set) if set.iter().any(|one| names(one, caller)) => Level::Direct,
            Principals::Any(set) if set.iter().any(|one| stands_for_account_of(one, caller)) => {
                Level::Delegated
            }
            Principals::Any(_) => Level::None,
            Principals::Not(set) if spares(set, caller, Exemption::AnyLink) => Level::None,
            Principals::Not(_) => Level::Direct,
        };
        level.min(self.limit())
    }

    /// The most that a key policy can give the caller.
    fn limit(&self) -> Level {
        match self.matching.call.caller {
            // KMS answers nobody who has not signed the request.
            Principal::Anyone => Level::None,
            Principal::Service(_) | Principal::Deleted(_) => Level::Direct,
            caller if caller.home() == Some(self.matching.call.owner) => Level::Direct,
            Principal::Account(..)
            | Principal::User(_)
            | Principal::Role(_)
            | Principal::Session(_)
            | Principal::Federated(_) => Level::Delegated,
        }
    }
}

/// True when a policy's principal names the caller, not merely its account.
pub(super) fn names(principal: &Principal, caller: &Principal) -> bool {
    match (principal, caller) {
        (Principal::Anyone, Principal::Service(_)) => ANYONE_INCLUDES_SERVICES,
        (Principal::Anyone, _) => true,
        (Principal::Role(role), Principal::Session(session)) => {
            // A session's ARN leaves out the path of its role.
            let (partition, account) = (role.partition(), role.account());
            let bare = format!("arn:{partition}:iam::{account}:role/{}", last_name(role));
            session_role(session).is_some_and(|its| {
                its == bare || (SESSIONS_IGNORE_CASE_OF_ROLE && its.eq_ignore_ascii_case(&bare))
            })
        }
        _ => principal == caller,
    }
}

/// True for the account principal of the caller's account.
pub(super) fn stands_for_account_of(principal: &Principal, caller: &Principal) -> bool {
    caller
        .home()
        .is_some_and(|(partition, account)| *principal == Principal::Account(partition, account))
}

/// True when `NotPrincipal` leaves the caller out.
fn spares(listed: &SortedSet<Principal>, caller: &Principal, exemption: Exemption) -> bool {
    let lists_name = || listed.iter().any(|one| names(one, caller));
    let lists_account = || listed.iter().any(|one| stands_for_account_of(one, caller));
    let lists_role = || {
        let is_role = |one: &&Principal| matches!(one, Principal::Role(_));
        listed.iter().filter(is_role).any(|one| names(one, caller))
    };
    if listed.contains(&Principal::Anyone) || exemption == Exemption::AnyLink {
        return lists_name();
    }
    match caller {
        Principal::Session(_) => listed.contains(caller) && lists_role() && lists_account(),
        Principal::User(_) | Principal::Role(_) | Principal::Federated(_) => {
            listed.contains(caller) && lists_account()
        }
        Principal::Anyone
        | Principal::Account(..)
        | Principal::Service(_)
        | Principal::Deleted(_) => listed.contains(caller),
    }
}

#[cfg(test)]
mod tests;
