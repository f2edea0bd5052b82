//! What everything that gives access to a key allows together, as boxes for each level.

use fixedbitset::FixedBitSet;
use sorted_vec::SortedSet;

use super::caller::Caller;
use super::clause::Clause;
use super::cube::{Budget, Cube};
use super::rule::{Rule, Who};
use super::space::{CALLERS, Space};
use super::{Exhausted, Scene, Tables, Undetermined};
use crate::model::{KeyArn, Principal};
use crate::policy::reading::{
    ACCOUNT_GRANT_DELEGATES, Exemption, FOREIGN_ROOT_USER_NEEDS_POLICY, GRANTS_ARE_LIMITED,
    PRINCIPAL_ARN_CONDITION_IS_LIMITED,
};
use crate::policy::{Condition, Effect, Identities, Level, Principals};

/// Who may what: the boxes overlap, and what is denied is not taken out of the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels {
    /// What is allowed with the help of IAM policies, or directly.
    pub(super) delegated: Vec<Cube>,
    /// What is allowed directly, or where IAM's answer is known to be yes.
    pub(super) direct: Vec<Cube>,
    /// What is denied.
    pub(super) denied: Vec<Cube>,
}

impl Levels {
    /// The boxes that a level is allowed by; none for levels that need no statement.
    pub(super) fn from(&self, level: Level) -> Option<&[Cube]> {
        match level {
            Level::Deny | Level::None => None,
            Level::Delegated => Some(&self.delegated),
            Level::Direct => Some(&self.direct),
        }
    }
}

/// What IAM says about the principals that are known.
#[derive(Debug, Default)]
pub(super) struct Iam<'a> {
    carriers: Vec<Carrier<'a>>,
    /// Accounts of which every principal is known.
    complete: Vec<Principal>,
}

/// A principal with the rules that it carries, as far as they are about the key.
#[derive(Debug)]
struct Carrier<'a> {
    principal: &'a Principal,
    rules: Vec<Rule<'a>>,
    boundary: Option<Vec<Rule<'a>>>,
}

impl<'a> Iam<'a> {
    /// Reads what is known of principals that can call the key.
    pub(super) fn of(
        identities: Option<&'a Identities>,
        key: &KeyArn,
    ) -> Result<Self, Undetermined> {
        let Some(identities) = identities else {
            return Ok(Self::default());
        };
        let mut carriers = Vec::new();
        for identity in identities.iter() {
            let principal = &identity.principal;
            let mut rules = Vec::new();
            for policy in &identity.policies {
                rules.extend(Rule::of_identity(policy, principal, key)?);
            }
            let boundary = identity.boundary.as_ref();
            let boundary = boundary.map(|policy| Rule::of_identity(policy, principal, key));
            let boundary = boundary.transpose()?;
            let is_in_complete = principal
                .home()
                .is_some_and(|(partition, account)| identities.is_complete(partition, account));
            // Who has no policy about the key is like everyone else of a known account.
            if rules.is_empty() && boundary.is_none() && is_in_complete {
                continue;
            }
            carriers.push(Carrier {
                principal,
                rules,
                boundary,
            });
        }
        Ok(Self {
            carriers,
            complete: identities
                .complete()
                .map(|(partition, account)| Principal::Account(partition, account))
                .collect(),
        })
    }

    /// All rules of IAM.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule<'a>> {
        self.carriers.iter().flat_map(|carrier| {
            let boundary = carrier.boundary.iter().flatten();
            carrier.rules.iter().chain(boundary)
        })
    }

    /// Everyone of whom IAM's part is known, some as whole accounts.
    pub(super) fn principals(&self) -> impl Iterator<Item = &Principal> {
        let carriers = self.carriers.iter().map(|carrier| carrier.principal);
        carriers.chain(&self.complete)
    }

    fn is_known(&self, caller: &Caller) -> bool {
        // The policies of a federated user are those of whoever asked for it.
        if matches!(caller.principal, Principal::Federated(_)) {
            return false;
        }
        let mut carriers = self.carriers.iter();
        self.is_of_complete(caller) || carriers.any(|carrier| is_named(carrier.principal, caller))
    }

    fn is_of_complete(&self, caller: &Caller) -> bool {
        self.complete.iter().any(|account| is_of(account, caller))
    }

    /// True for a caller to whom its own account is known to allow everything.
    fn is_known_root(&self, caller: &Caller) -> bool {
        let is_root = matches!(caller.principal, Principal::Account(..));
        is_root && !FOREIGN_ROOT_USER_NEEDS_POLICY && self.is_of_complete(caller)
    }

    fn has_boundary(&self, caller: &Caller) -> bool {
        let mut carriers = self.carriers.iter();
        carriers.any(|one| one.boundary.is_some() && is_named(one.principal, caller))
    }
}

/// Whom a rule allows something.
struct Callers {
    /// With the help of IAM policies, or directly.
    delegated: FixedBitSet,
    /// Directly, whatever IAM policies say.
    direct: FixedBitSet,
    /// Directly, within what their permissions boundaries allow.
    limited: FixedBitSet,
}

/// What the levels of one key depend on.
pub(super) struct Setting<'s> {
    pub(super) space: &'s Space<'s>,
    pub(super) scene: &'s Scene<'s>,
    pub(super) iam: &'s Iam<'s>,
    pub(super) exemption: Exemption,
}

impl Setting<'_> {
    /// The levels that rules give.
    pub(super) fn levels(
        &self,
        rules: &[Rule<'_>],
        budget: &mut Budget,
    ) -> Result<Levels, Exhausted> {
        let mut levels = Levels::default();
        for rule in rules {
            self.add(rule, &mut levels);
        }
        self.hear_iam(&mut levels, budget)?;
        if self.scene.tables == Tables::Heard {
            // What cannot be asked makes no difference: as good as denied, on every side.
            levels.denied.extend(self.space.impossible(self.scene.key));
        }
        Ok(levels)
    }

    fn add(&self, rule: &Rule<'_>, levels: &mut Levels) {
        let reach = self.space.reach(rule);
        let cube = |callers: &FixedBitSet| {
            let mut cube = reach.clone();
            cube.limit(CALLERS, callers);
            Some(cube).filter(|cube| !cube.is_empty())
        };
        if rule.effect == Effect::Deny {
            let denies = |caller: &Caller| self.denies(rule.who, caller);
            levels
                .denied
                .extend(cube(&self.space.set_of_callers(&denies)));
            return;
        }
        let Callers {
            delegated,
            direct,
            limited,
        } = self.allowed_callers(rule);
        let Some(delegated) = cube(&delegated) else {
            return;
        };
        levels.delegated.push(delegated);
        levels.direct.extend(cube(&direct));
        // Within a boundary, a statement that names a role gives no more than the boundary allows.
        let Some(limited) = cube(&limited) else {
            return;
        };
        for carrier in &self.iam.carriers {
            let allowed = carrier.boundary.iter().flatten();
            for own in allowed.filter(|own| own.effect == Effect::Allow) {
                levels.direct.extend(self.carried(own).and(&limited));
            }
        }
    }

    fn allowed_callers(&self, rule: &Rule<'_>) -> Callers {
        let count = self.space.callers.len();
        let [mut delegated, mut direct, mut limited] =
            std::array::from_fn(|_| FixedBitSet::with_capacity(count));
        for (at, caller) in self.space.callers.iter().enumerate() {
            let level = self.allows(rule.who, caller);
            if level >= Level::Delegated {
                delegated.insert(at);
            }
            if level == Level::Direct {
                let is_limited = self.iam.has_boundary(caller) && is_limited(rule, caller);
                let callers = if is_limited {
                    &mut limited
                } else {
                    &mut direct
                };
                callers.insert(at);
            }
        }
        Callers {
            delegated,
            direct,
            limited,
        }
    }

    /// Puts in what IAM is known to say: known callers are allowed or not, whatever was left to it.
    fn hear_iam(&self, levels: &mut Levels, budget: &mut Budget) -> Result<(), Exhausted> {
        if self.iam.carriers.is_empty() && self.iam.complete.is_empty() {
            return Ok(());
        }
        let mut of_root = self.space.all();
        let roots = |caller: &Caller| self.iam.is_known_root(caller);
        of_root.limit(CALLERS, &self.space.set_of_callers(&roots));
        let mut allowed = Vec::from([of_root]);
        for carrier in &self.iam.carriers {
            let boundary = carrier.boundary.as_deref();
            for rule in carrier.rules.iter().chain(boundary.into_iter().flatten()) {
                if rule.effect == Effect::Deny {
                    levels.denied.push(self.carried(rule));
                }
            }
            for rule in carrier
                .rules
                .iter()
                .filter(|rule| rule.effect == Effect::Allow)
            {
                let own = self.carried(rule);
                match boundary {
                    None => allowed.push(own),
                    Some(boundary) => allowed.extend(
                        boundary
                            .iter()
                            .filter(|limit| limit.effect == Effect::Allow)
                            .filter_map(|limit| own.and(&self.carried(limit))),
                    ),
                }
            }
        }
        levels.denied.retain(|cube| !cube.is_empty());
        let known = self
            .space
            .set_of_callers(&|caller| self.iam.is_known(caller));
        for delegated in std::mem::take(&mut levels.delegated) {
            let by_iam = allowed.iter().filter_map(|own| own.and(&delegated));
            for both in by_iam {
                budget.spend(0)?;
                levels.direct.push(both);
            }
            let mut unknown = delegated;
            unknown.leave(CALLERS, &known);
            if !unknown.is_empty() {
                levels.delegated.push(unknown);
            }
        }
        // A level includes the ones above it.
        levels.delegated.extend(levels.direct.iter().cloned());
        Ok(())
    }

    /// The box of a rule that a principal carries.
    fn carried(&self, rule: &Rule<'_>) -> Cube {
        let mut cube = self.space.reach(rule);
        let carries = |caller: &Caller| match rule.who {
            Who::Carrier(principal) => is_named(principal, caller),
            Who::Named(_) | Who::Grantee(_) => false,
        };
        cube.limit(CALLERS, &self.space.set_of_callers(&carries));
        cube
    }

    /// How much a rule allows a caller.
    fn allows(&self, who: Who<'_>, caller: &Caller) -> Level {
        match who {
            Who::Named(principals) => allowed(principals, caller, self.scene.key),
            Who::Grantee(grantee) if is_named(grantee, caller) => Level::Direct,
            Who::Grantee(grantee) if ACCOUNT_GRANT_DELEGATES && is_of(grantee, caller) => {
                Level::Delegated
            }
            Who::Grantee(_) | Who::Carrier(_) => Level::None,
        }
    }

    fn denies(&self, who: Who<'_>, caller: &Caller) -> bool {
        match who {
            Who::Named(Principals::Any(set)) => set
                .iter()
                .any(|one| is_named(one, caller) || is_of(one, caller)),
            Who::Named(Principals::Not(_)) if self.iam.has_boundary(caller) => true,
            Who::Named(Principals::Not(set)) => !is_spared(set, caller, self.exemption),
            Who::Grantee(_) | Who::Carrier(_) => false,
        }
    }
}

/// True when a rule names a caller only by its role, so that a boundary limits what it gives.
fn is_limited(rule: &Rule<'_>, caller: &Caller) -> bool {
    let set = match rule.who {
        Who::Named(Principals::Any(set)) => set,
        Who::Grantee(_) => return GRANTS_ARE_LIMITED,
        Who::Named(Principals::Not(_)) | Who::Carrier(_) => return false,
    };
    let is_about_role = |(clause, _): (&Clause, &Condition)| clause.key == "aws:principalarn";
    let mut named = set.iter().filter(|one| is_named(one, caller));
    (PRINCIPAL_ARN_CONDITION_IS_LIMITED && rule.clauses().any(is_about_role))
        || named.all(|one| matches!(one, Principal::Role(_)))
}

/// How much a statement's principals allow a caller.
fn allowed(principals: &Principals, caller: &Caller, key: &KeyArn) -> Level {
    let level = match principals {
        Principals::Any(set) if set.iter().any(|one| is_named(one, caller)) => Level::Direct,
        Principals::Any(set) if set.iter().any(|one| is_of(one, caller)) => Level::Delegated,
        Principals::Any(_) => Level::None,
        Principals::Not(set) if set.iter().any(|one| is_named(one, caller)) => Level::None,
        Principals::Not(_) => Level::Direct,
    };
    let of_key = (key.partition, key.place.account);
    let is_at_home = caller.home.is_none_or(|home| home == of_key);
    level.min(if is_at_home {
        Level::Direct
    } else {
        Level::Delegated
    })
}

/// True when `NotPrincipal` leaves a caller out.
fn is_spared(set: &SortedSet<Principal>, caller: &Caller, exemption: Exemption) -> bool {
    let has_anyone = set.contains(&Principal::Anyone);
    let has_name = set.iter().any(|one| is_named(one, caller));
    let has_self = set.contains(&caller.principal);
    let has_account = set.iter().any(|one| is_of(one, caller));
    match (&caller.principal, exemption) {
        (_, Exemption::AnyLink) => has_name,
        _ if has_anyone => has_name,
        (Principal::Session(_), Exemption::WholeChain) => {
            let is_role = |one: &&Principal| matches!(one, Principal::Role(_));
            let has_role = set.iter().filter(is_role).any(|one| is_named(one, caller));
            has_self && has_role && has_account
        }
        (Principal::User(_) | Principal::Role(_) | Principal::Federated(_), _) => {
            has_self && has_account
        }
        (
            Principal::Anyone
            | Principal::Account(..)
            | Principal::Service(_)
            | Principal::Deleted(_),
            Exemption::WholeChain,
        ) => has_self,
    }
}

/// True when a principal of a policy is the caller itself, or its role.
pub(super) fn is_named(principal: &Principal, caller: &Caller) -> bool {
    *principal == Principal::Anyone
        || *principal == caller.principal
        || principal.is_role_of(&caller.principal)
}

/// True when a principal of a policy is the caller's account.
pub(super) fn is_of(principal: &Principal, caller: &Caller) -> bool {
    match principal {
        Principal::Account(partition, account) => caller.home == Some((*partition, *account)),
        Principal::Anyone
        | Principal::User(_)
        | Principal::Role(_)
        | Principal::Session(_)
        | Principal::Federated(_)
        | Principal::Service(_)
        | Principal::Deleted(_) => false,
    }
}
