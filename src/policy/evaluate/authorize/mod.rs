//! What key policy, the caller's own policies and grants say together.

mod errand;

use std::fmt;

use super::{Call, Caller, Decision, Level, Matching, Request, decide, names};
use crate::model::{Operation, Principal};
use crate::policy::context::{Context, Facts};
use crate::policy::document::{
    Document, Effect, IdentityPolicy, IdentityStatement, Principals, Statement,
};
use crate::policy::grant::{Grant, Reach};
use crate::policy::reading::{
    Exemption, FOREIGN_ROOT_USER_NEEDS_POLICY, GRANTS_ARE_LIMITED,
    PRINCIPAL_ARN_CONDITION_IS_LIMITED, UNKNOWN_OPERATIONS_CROSS_ACCOUNTS,
};

pub use errand::{Errand, authorize_errand};

/// All that has a say about a request on one key.
#[derive(Clone, Copy, Debug)]
pub struct Policies<'a> {
    /// The key policy.
    pub key: &'a Document,
    /// The caller's identity policies, of its groups too.
    pub identity: &'a [IdentityPolicy],
    /// The caller's permissions boundary.
    pub boundary: Option<&'a IdentityPolicy>,
    /// The session policies of the caller's session; with none, the session is not limited.
    pub session: &'a [IdentityPolicy],
    /// The key's grants.
    pub grants: &'a [Grant],
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is allowed.
    Allowed,
    /// A statement denies it.
    ExplicitlyDenied,
    /// Not all allow it whose word it needs.
    ImplicitlyDenied,
}

/// What becomes of a request, and why.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What becomes of it.
    pub outcome: Outcome,
    /// How much access the key policy alone gives.
    pub level: Level,
    /// What decided: all that denies, or all that allows; nothing where too little allows it.
    pub by: Vec<Ground>,
    /// Why it is not allowed.
    pub denial: Option<Denial>,
}

/// Something that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ground {
    /// A statement.
    Statement {
        /// Of which policy.
        source: Source,
        /// Its position in the policy, from 0.
        index: usize,
        /// Its `Sid`.
        sid: Option<String>,
    },
    /// The grant with this id.
    Grant(String),
}

/// A policy among those of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The key policy.
    Key,
    /// An identity policy, by position.
    Identity(usize),
    /// The permissions boundary.
    Boundary,
    /// A session policy, by position.
    Session(usize),
}

/// Why a request is not allowed; as text, one short sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// A statement of this policy denies it.
    Explicit(Source),
    /// Nobody has signed it.
    Unsigned,
    /// The key policy neither allows it nor leaves it to IAM.
    KeyPolicy,
    /// The same, and identity policies that allow it have no say.
    KeyPolicyIgnoresIam,
    /// No key policy has a say about this operation, and whoever has does not allow it.
    BeyondKeyPolicies(String),
    /// A grant would allow it, but for its constraints.
    Constraints(String),
    /// The operation does not work from other accounts.
    NotAcrossAccounts(String),
    /// It is left to the identity policies, and none allows it.
    Identity,
    /// The caller's own account must allow it too, and does not.
    ForeignIdentity,
    /// The permissions boundary does not allow it.
    Boundary,
    /// No session policy allows it.
    Session,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Explicit(source) => {
                write!(f, "{source} denies it, which nothing overrides")
            }
            Self::Unsigned => f.write_str("KMS answers no anonymous callers"),
            Self::KeyPolicy => f.write_str("neither the key policy nor a grant allows it"),
            Self::KeyPolicyIgnoresIam => f.write_str(
                "the key policy does not let the account's IAM policies allow it, and no grant does",
            ),
            Self::BeyondKeyPolicies(action) => write!(
                f,
                "no key policy can allow {action}, and neither IAM policies nor a grant do"
            ),
            Self::Constraints(grant) => {
                write!(f, "the request does not meet the constraints of grant {grant}")
            }
            Self::NotAcrossAccounts(action) => {
                write!(f, "{action} does not work from another account")
            }
            Self::Identity => {
                f.write_str("the key policy leaves it to IAM, and no identity policy allows it")
            }
            Self::ForeignIdentity => {
                f.write_str("an identity policy in the caller's own account must allow it too")
            }
            Self::Boundary => f.write_str("the permissions boundary does not allow it"),
            Self::Session => f.write_str("no session policy allows it"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("the key policy"),
            Self::Identity(index) => write!(f, "identity policy {}", index + 1),
            Self::Boundary => f.write_str("the permissions boundary"),
            Self::Session(index) => write!(f, "session policy {}", index + 1),
        }
    }
}

/// Answers one request by everything that has a say.
pub fn authorize(policies: &Policies<'_>, request: &Request<'_>) -> Answer {
    authorize_under(policies, request, Exemption::default())
}

/// The same under a reading of `NotPrincipal`.
pub fn authorize_under(
    policies: &Policies<'_>,
    request: &Request<'_>,
    exemption: Exemption,
) -> Answer {
    let of_caller = Context::of_caller(request.caller);
    let facts = Facts {
        given: request.context,
        of_caller: &of_caller,
    };
    let caller = Caller {
        exemption,
        has_boundary: policies.boundary.is_some(),
    };
    let resource = request.key.to_string();
    let call = Call::on_key(request, &resource);
    let key = if is_beyond_key_policies(request.action) {
        Decision::none()
    } else {
        decide(policies.key, call, facts, caller)
    };
    let grants = reaches(policies, request, facts);
    conclude(&Hearing::open(policies, call, facts, key, grants))
}

/// Puts together what was heard.
fn conclude(hearing: &Hearing<'_>) -> Answer {
    let level = hearing.key.level;
    let answer = |outcome, by, denial| Answer {
        outcome,
        level,
        by,
        denial,
    };
    let denied = hearing.denied();
    if let Some(Ground::Statement { source, .. }) = denied.first() {
        let denial = Some(Denial::Explicit(*source));
        return answer(Outcome::ExplicitlyDenied, denied, denial);
    }
    let by_grants = hearing.by_grants();
    match hearing.by_policies() {
        Ok(mut by) => {
            by.extend(by_grants);
            answer(Outcome::Allowed, by, None)
        }
        Err(_) if !by_grants.is_empty() => answer(Outcome::Allowed, by_grants, None),
        Err(denial) => {
            let denial = hearing.refine(denial);
            answer(Outcome::ImplicitlyDenied, Vec::new(), Some(denial))
        }
    }
}

impl Policies<'_> {
    /// How much access everything gives together, where IAM's part is known or not.
    ///
    /// What AWS's tables say about single operations is left out: only what is written counts.
    pub fn standing(
        &self,
        request: &Request<'_>,
        exemption: Exemption,
        is_iam_known: bool,
    ) -> Level {
        let of_caller = Context::of_caller(request.caller);
        let facts = Facts {
            given: request.context,
            of_caller: &of_caller,
        };
        let caller = Caller {
            exemption,
            has_boundary: self.boundary.is_some(),
        };
        let resource = request.key.to_string();
        let call = Call::on_key(request, &resource);
        let key = decide(self.key, call, facts, caller);
        let level = key.level;
        let hearing = Hearing::open(self, call, facts, key, reaches(self, request, facts));
        if !hearing.denied().is_empty() {
            return Level::Deny;
        }
        let is_delegated = level >= Level::Delegated
            || hearing
                .grants
                .iter()
                .any(|(_, reach)| *reach >= Reach::Delegated);
        let is_direct = level == Level::Direct && hearing.directly().is_ok();
        let by_iam = is_iam_known && is_delegated && hearing.by_iam().is_ok();
        if is_direct || by_iam || !hearing.by_grants().is_empty() {
            Level::Direct
        } else if is_delegated && !is_iam_known {
            Level::Delegated
        } else {
            Level::None
        }
    }
}

/// What each grant has to do with a request.
fn reaches<'a>(
    policies: &Policies<'a>,
    request: &Request<'_>,
    facts: Facts<'_>,
) -> Vec<(&'a Grant, Reach)> {
    let reach = |grant: &'a Grant| (grant, grant.reach(request, facts));
    policies.grants.iter().map(reach).collect()
}

/// What the caller's policies of one kind say.
#[derive(Debug, Default)]
struct Voice {
    allows: Vec<Ground>,
    denies: Vec<Ground>,
}

impl Voice {
    fn hear(&mut self, source: Source, policy: &IdentityPolicy, matching: Matching<'_>) {
        for (index, statement) in policy.statements.iter().enumerate() {
            let IdentityStatement {
                sid,
                effect,
                actions,
                resources,
                conditions,
            } = statement;
            let applies = matching.covers_action(actions)
                && matching.includes_key(resources)
                && matching.meets(conditions);
            if applies {
                let grounds = match effect {
                    Effect::Allow => &mut self.allows,
                    Effect::Deny => &mut self.denies,
                };
                grounds.push(Ground::Statement {
                    source,
                    index,
                    sid: sid.clone(),
                });
            }
        }
    }

    fn of<'a>(
        policies: impl IntoIterator<Item = (Source, &'a IdentityPolicy)>,
        call: Call<'_>,
        facts: Facts<'_>,
    ) -> Self {
        let mut voice = Self::default();
        for (source, policy) in policies {
            let matching = Matching {
                call,
                version: policy.version,
                facts,
            };
            voice.hear(source, policy, matching);
        }
        voice
    }
}

/// What each side says, before it is put together.
struct Hearing<'a> {
    call: Call<'a>,
    policies: &'a Policies<'a>,
    key: Decision,
    identity: Voice,
    boundary: Option<Voice>,
    session: Option<Voice>,
    grants: Vec<(&'a Grant, Reach)>,
}

impl<'a> Hearing<'a> {
    fn open(
        policies: &'a Policies<'a>,
        call: Call<'a>,
        facts: Facts<'_>,
        key: Decision,
        grants: Vec<(&'a Grant, Reach)>,
    ) -> Self {
        let hear = |all: &[IdentityPolicy], source: fn(usize) -> Source| {
            let numbered = all.iter().enumerate();
            Voice::of(numbered.map(|(at, one)| (source(at), one)), call, facts)
        };
        let boundary = policies.boundary;
        let has_session = !policies.session.is_empty();
        Self {
            call,
            policies,
            key,
            identity: hear(policies.identity, Source::Identity),
            boundary: boundary.map(|one| Voice::of([(Source::Boundary, one)], call, facts)),
            session: has_session.then(|| hear(policies.session, Source::Session)),
            grants,
        }
    }

    /// All that denies the request, whoever else allows it.
    fn denied(&self) -> Vec<Ground> {
        let mut denied = Vec::new();
        if self.key.level == Level::Deny {
            denied.extend(self.of_key(&self.key.statements));
        }
        let own = [
            Some(&self.identity),
            self.boundary.as_ref(),
            self.session.as_ref(),
        ];
        denied.extend(
            own.into_iter()
                .flatten()
                .flat_map(|voice| voice.denies.clone()),
        );
        denied
    }

    /// What allows the request without grants.
    fn by_policies(&self) -> Result<Vec<Ground>, Denial> {
        let statements = &self.key.statements;
        match self.key.level {
            Level::Deny | Level::None if *self.call.caller == Principal::Anyone => {
                Err(Denial::Unsigned)
            }
            Level::Deny | Level::None if is_beyond_key_policies(self.call.action) => {
                let missing = || Denial::BeyondKeyPolicies(self.call.action.to_owned());
                if self.is_foreign() {
                    return Err(missing());
                }
                self.by_iam().map_err(|denial| {
                    let is_limit = matches!(denial, Denial::Boundary | Denial::Session);
                    if is_limit { denial } else { missing() }
                })
            }
            Level::Deny | Level::None if self.identity.allows.is_empty() => Err(Denial::KeyPolicy),
            Level::Deny | Level::None => Err(Denial::KeyPolicyIgnoresIam),
            Level::Delegated => {
                if self.is_foreign() && !crosses_accounts(self.call.action) {
                    return Err(Denial::NotAcrossAccounts(self.call.action.to_owned()));
                }
                let mut by: Vec<Ground> = self.of_key(statements).collect();
                by.extend(self.by_iam()?);
                Ok(by)
            }
            Level::Direct => self.directly(),
        }
    }

    /// What the statements that name the caller allow.
    fn directly(&self) -> Result<Vec<Ground>, Denial> {
        let statements = &self.key.statements;
        let (limited, free): (Vec<usize>, Vec<usize>) = statements
            .iter()
            .partition(|index| self.is_limited(**index));
        match self.within_limits() {
            Ok(limits) if free.is_empty() => Ok(self.of_key(&limited).chain(limits).collect()),
            Ok(_) => Ok(self.of_key(statements).collect()),
            Err(denial) if free.is_empty() => Err(denial),
            Err(_) => Ok(self.of_key(&free).collect()),
        }
    }

    /// The grants that allow the request.
    fn by_grants(&self) -> Vec<Ground> {
        let allows = |reach: Reach| match reach {
            Reach::Beside | Reach::Unmet => false,
            Reach::Delegated => self.by_iam().is_ok(),
            Reach::Direct => !GRANTS_ARE_LIMITED || self.within_limits().is_ok(),
        };
        let grants = self.grants.iter().filter(|(_, reach)| allows(*reach));
        grants
            .map(|(grant, _)| Ground::Grant(grant.id.clone()))
            .collect()
    }

    /// What the caller's own policies allow, where the key policy leaves it to them.
    fn by_iam(&self) -> Result<Vec<Ground>, Denial> {
        let is_root = matches!(self.call.caller, Principal::Account(..));
        let needs_policy = !is_root || (self.is_foreign() && FOREIGN_ROOT_USER_NEEDS_POLICY);
        if self.identity.allows.is_empty() && needs_policy {
            return Err(if self.is_foreign() {
                Denial::ForeignIdentity
            } else {
                Denial::Identity
            });
        }
        let mut by = self.identity.allows.clone();
        by.extend(self.within_limits()?);
        Ok(by)
    }

    /// What boundary and session policies allow; either of them limits only where it is there.
    fn within_limits(&self) -> Result<Vec<Ground>, Denial> {
        let limits = [
            (self.boundary.as_ref(), Denial::Boundary),
            (self.session.as_ref(), Denial::Session),
        ];
        let mut by = Vec::new();
        for (voice, denial) in limits {
            match voice {
                Some(voice) if voice.allows.is_empty() => return Err(denial),
                Some(voice) => by.extend(voice.allows.iter().cloned()),
                None => {}
            }
        }
        Ok(by)
    }

    /// True for a statement that allows by naming a role, whose boundary and session policies must allow as well.
    fn is_limited(&self, index: usize) -> bool {
        let Some(statement) = self.policies.key.statements.get(index) else {
            return false;
        };
        let Statement {
            principals,
            conditions,
            ..
        } = statement;
        let mut keys = conditions.iter().map(|condition| condition.key.as_str());
        let is_about_role = |key: &str| key.eq_ignore_ascii_case("aws:PrincipalArn");
        if PRINCIPAL_ARN_CONDITION_IS_LIMITED && keys.any(is_about_role) {
            return true;
        }
        match principals {
            Principals::Any(set) => set
                .iter()
                .filter(|one| names(one, self.call.caller))
                .all(|one| matches!(one, Principal::Role(_))),
            Principals::Not(_) => false,
        }
    }

    fn is_foreign(&self) -> bool {
        let home = self.call.caller.home();
        home.is_some_and(|its| its != self.call.owner)
    }

    fn of_key(&self, statements: &[usize]) -> impl Iterator<Item = Ground> {
        let all = &self.policies.key.statements;
        statements.iter().map(|index| Ground::Statement {
            source: Source::Key,
            index: *index,
            sid: all.get(*index).and_then(|statement| statement.sid.clone()),
        })
    }

    /// A grant that is only held up by its constraints explains more than a policy that is silent.
    fn refine(&self, denial: Denial) -> Denial {
        let unmet = self.grants.iter().find(|(_, reach)| *reach == Reach::Unmet);
        match (denial, unmet) {
            (Denial::KeyPolicy | Denial::KeyPolicyIgnoresIam, Some((grant, _))) => {
                Denial::Constraints(grant.id.clone())
            }
            (denial, _) => denial,
        }
    }
}

/// The operation that an action is, where it is one of KMS's.
fn known(action: &str) -> Option<Operation> {
    let mut all = Operation::ALL.iter().copied();
    all.find(|operation| operation.action().eq_ignore_ascii_case(action))
}

/// True for operations that are not on a key, and for the retirement of grants: key policies have no effect on them.
fn is_beyond_key_policies(action: &str) -> bool {
    known(action).is_some_and(|operation| !operation.is_key_level())
}

/// True for operations that principals of other accounts can be allowed.
fn crosses_accounts(action: &str) -> bool {
    known(action).map_or(UNKNOWN_OPERATIONS_CROSS_ACCOUNTS, |operation| {
        operation.is_cross_account()
    })
}

#[cfg(test)]
mod tests;
