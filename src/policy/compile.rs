//! Duties → statements: the console's own, word for word, and ours for what the console cannot say.

use std::collections::BTreeSet;

use sorted_vec::SortedSet;

use super::capability;
use super::document::{
    ActionPattern, Actions, Condition, Document, Effect, Operator, OperatorName, Principals,
    Resources, Statement, Version,
};
use super::duty::{Allowance, Capability, Duties, Holder, User};
use crate::model::{KeyType, OrganizationId, Origin, Place, Principal};

/// The statement that lets IAM policies of the account work; the console finds it by this text.
pub(super) const ACCOUNT_SID: &str = "Enable IAM User Permissions";
/// The console's statement of administrators.
pub(super) const ADMINISTRATORS_SID: &str = "Allow access for Key Administrators";
/// The console's statement of users.
pub(super) const USERS_SID: &str = "Allow use of the key";
/// The console's statement that lets users delegate to AWS services.
pub(super) const DELEGATION_SID: &str = "Allow attachment of persistent resources";
/// How the Sids of our own statements begin.
pub(super) const OWN_SID: &str = "keywright: ";
/// The end of the Sid of a user's actions that carry no encryption context.
pub(super) const NO_CONTEXT: &str = " (without context)";
/// The end of the Sid of a user's delegation to AWS services.
pub(super) const DELEGATION: &str = " (for AWS services)";

/// What a policy needs to know of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyContext {
    /// Spec and usage.
    pub key_type: KeyType,
    /// Where the material comes from.
    pub origin: Origin,
    /// True for multi-Region keys.
    pub multi_region: bool,
    /// Where the key is.
    pub place: Place,
}

/// Compiles duties and extra statements to the key policy that says them.
pub fn compile(duties: &Duties, key: &KeyContext, extra: &[Statement]) -> Document {
    let Duties {
        iam_policies,
        administrators,
        administrators_may_delete,
        users,
    } = duties.normalised(key);
    let account = Principal::Account(key.place.partition(), key.place.account);
    let mut statements = Vec::new();
    if iam_policies {
        statements.push(allow(
            ACCOUNT_SID,
            Principals::Any(vec![account].into()),
            ["kms:*"],
        ));
    }
    let is_bare = iam_policies && administrators.is_empty() && users.is_empty() && extra.is_empty();
    if !administrators.is_empty() {
        let actions = capability::administration(key, administrators_may_delete);
        statements.push(allow(
            ADMINISTRATORS_SID,
            Principals::Any(administrators.into_iter().collect()),
            actions,
        ));
    }
    for user in &users {
        statements.extend(user_statements(user, key));
    }
    statements.extend_from_slice(extra);
    let id = if is_bare {
        "key-default-1"
    } else {
        "key-consolepolicy-3"
    };
    Document {
        version: Version::V2012,
        id: Some(id.to_owned()),
        statements,
    }
}

/// The statements of one user in normal form.
pub(super) fn user_statements(user: &User, key: &KeyContext) -> Vec<Statement> {
    let principals = principals_of(&user.holders);
    if user.is_plain() {
        let mut statements = vec![allow(
            USERS_SID,
            principals.clone(),
            capability::use_of(key.key_type).iter().copied(),
        )];
        if delegates_by_default(key.key_type) {
            statements.push(delegation(DELEGATION_SID, principals, Vec::new()));
        }
        return statements;
    }
    let sid = own_sid(user);
    let shared = shared_conditions(user, key);
    let mut bound = shared.clone();
    bound.extend(
        user.context
            .iter()
            .map(|(name, value)| equals(&format!("kms:EncryptionContext:{name}"), [value.clone()])),
    );
    let (delegates, actions) = actions_of(user, key);
    // A user bound to a context never gets more than reads without it, even where that makes actions dead.
    let splits = !user.context.is_empty() && user.can_meet_context(key);
    let (without, with_context): (BTreeSet<_>, BTreeSet<_>) = actions
        .into_iter()
        .partition(|action| splits && capability::stands_without_context(action));
    let mut statements = Vec::new();
    if !with_context.is_empty() {
        statements.push(Statement {
            conditions: bound.clone().into(),
            ..allow_patterns(&sid, principals.clone(), with_context)
        });
    }
    if !without.is_empty() {
        let sid = if statements.is_empty() {
            sid.clone()
        } else {
            format!("{sid}{NO_CONTEXT}")
        };
        statements.push(Statement {
            conditions: shared.into(),
            ..allow_patterns(&sid, principals.clone(), without)
        });
    }
    if delegates {
        let sid = if statements.is_empty() {
            sid
        } else {
            format!("{sid}{DELEGATION}")
        };
        statements.push(delegation(&sid, principals, bound));
    }
    statements
}

/// AWS services integrate with symmetric encryption keys only, so only their users need to delegate.
pub(super) fn delegates_by_default(key: KeyType) -> bool {
    key.is_symmetric()
}

impl User {
    /// True for users whom the console's own statements can say.
    pub(super) fn is_plain(&self) -> bool {
        let Self {
            holders,
            allowances,
            via,
            context,
        } = self;
        let is_principal = |holder: &Holder| matches!(holder, Holder::Principal(_));
        allowances.is_empty()
            && via.is_empty()
            && context.is_empty()
            && holders.iter().all(is_principal)
    }
}

/// Whether a user delegates, and all other actions.
fn actions_of(user: &User, key: &KeyContext) -> (bool, BTreeSet<ActionPattern>) {
    if user.allowances.is_empty() {
        return (
            false,
            capability::patterns(capability::use_of(key.key_type)),
        );
    }
    let delegates = user
        .allowances
        .contains(&Allowance::Capability(Capability::Delegate));
    let others = user
        .allowances
        .iter()
        .filter(|one| **one != Allowance::Capability(Capability::Delegate));
    (
        delegates,
        others
            .flat_map(|one| capability::actions(*one, key))
            .collect(),
    )
}

fn principals_of(holders: &BTreeSet<Holder>) -> Principals {
    let principal = |holder: &Holder| match holder {
        Holder::Principal(principal) => principal.clone(),
        Holder::Organization(_) => Principal::Anyone,
    };
    Principals::Any(holders.iter().map(principal).collect())
}

fn shared_conditions(user: &User, key: &KeyContext) -> Vec<Condition> {
    let organization = |holder: &Holder| match holder {
        Holder::Organization(id) => Some(OrganizationId::to_string(id)),
        Holder::Principal(_) => None,
    };
    let organizations: Vec<String> = user.holders.iter().filter_map(organization).collect();
    let service = |name: &String| format!("{name}.{}.amazonaws.com", key.place.region);
    let via: Vec<String> = user.via.iter().map(service).collect();
    let tests = [
        ("aws:PrincipalOrgID", organizations),
        ("kms:ViaService", via),
    ];
    tests
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(key, values)| equals(key, values))
        .collect()
}

/// A Sid that tells what the statement is for, and differs between users in normal form.
fn own_sid(user: &User) -> String {
    let mut sid = OWN_SID.to_owned();
    let allowances: Vec<String> = user.allowances.iter().map(ToString::to_string).collect();
    sid.push_str(if allowances.is_empty() { "use" } else { "" });
    sid.push_str(&allowances.join(", "));
    if user
        .holders
        .iter()
        .any(|holder| matches!(holder, Holder::Organization(_)))
    {
        sid.push_str(" by organization");
    }
    for (index, service) in user.via.iter().enumerate() {
        sid.push_str(if index == 0 { " via " } else { ", " });
        sid.push_str(service);
    }
    for (index, (name, value)) in user.context.iter().enumerate() {
        sid.push_str(if index == 0 { " when " } else { ", " });
        sid.push_str(name);
        sid.push('=');
        sid.push_str(value);
    }
    sid
}

fn delegation(sid: &str, principals: Principals, mut conditions: Vec<Condition>) -> Statement {
    conditions.push(Condition {
        operator: Operator {
            quantifier: None,
            name: OperatorName::Bool,
            if_exists: false,
        },
        key: "kms:GrantIsForAWSResource".to_owned(),
        values: vec!["true".to_owned()].into(),
    });
    Statement {
        conditions: conditions.into(),
        ..allow(sid, principals, capability::GRANTING.iter().copied())
    }
}

fn equals(key: &str, values: impl IntoIterator<Item = String>) -> Condition {
    Condition {
        operator: Operator {
            quantifier: None,
            name: OperatorName::StringEquals,
            if_exists: false,
        },
        key: key.to_owned(),
        values: values.into_iter().collect(),
    }
}

fn allow<'a>(
    sid: &str,
    principals: Principals,
    actions: impl IntoIterator<Item = &'a str>,
) -> Statement {
    allow_patterns(sid, principals, capability::patterns(actions))
}

fn allow_patterns(
    sid: &str,
    principals: Principals,
    actions: BTreeSet<ActionPattern>,
) -> Statement {
    Statement {
        sid: Some(sid.to_owned()),
        effect: Effect::Allow,
        principals,
        actions: Actions::Any(actions.into_iter().collect()),
        resources: Resources::this_key(),
        conditions: SortedSet::default(),
    }
}
