//! Statements → duties: the inverse of compiling. What it cannot explain stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use super::capability;
use super::compile::{ADMINISTRATORS_SID, DELEGATION, KeyContext, NO_CONTEXT, OWN_SID, compile};
use super::document::{
    ActionPattern, Actions, Condition, Document, Effect, OperatorName, Principals, Statement,
};
use super::duty::{Allowance, Capability, Duties, Holder, User};
use super::equality::{bare, modern, same};
use super::normal;
use crate::model::Principal;

/// A policy as duties and a rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifted {
    /// Who administers and who uses the key.
    pub duties: Duties,
    /// What duties cannot say.
    pub statements: Vec<Statement>,
}

/// Finds the duties in a policy; compiling them with the rest gives the [`same`] policy.
pub fn lift(document: &Document, key: &KeyContext) -> Lifted {
    // Compiling writes the new version of the language only.
    let document = &modern(document);
    let mut rest = document.statements.clone();
    let duties = Duties {
        iam_policies: take_account(&mut rest, key),
        ..nothing()
    };
    let duties = take_administrators(duties, &mut rest, key);
    let duties = take_users(duties, &mut rest, key).normalised(key);
    if same(&compile(&duties, key, &rest), document) {
        return Lifted {
            duties,
            statements: rest,
        };
    }
    Lifted {
        duties: nothing(),
        statements: document.statements.clone(),
    }
}

/// No duties at all.
fn nothing() -> Duties {
    Duties {
        iam_policies: false,
        administrators: BTreeSet::new(),
        administrators_may_delete: true,
        users: Vec::new(),
    }
}

fn take_account(rest: &mut Vec<Statement>, key: &KeyContext) -> bool {
    let wanted = compile(
        &Duties {
            iam_policies: true,
            ..nothing()
        },
        key,
        &[],
    );
    wanted
        .statements
        .first()
        .is_some_and(|wanted| take(rest, wanted).is_some())
}

/// Takes the first statement that says the same, whatever its Sid.
fn take(rest: &mut Vec<Statement>, wanted: &Statement) -> Option<Statement> {
    let index = rest.iter().position(|one| bare(one) == bare(wanted))?;
    Some(rest.remove(index))
}

fn take_administrators(mut duties: Duties, rest: &mut Vec<Statement>, key: &KeyContext) -> Duties {
    for may_delete in [true, false] {
        let actions = capability::administration(key, may_delete);
        let actions = Actions::Any(capability::patterns(actions).into_iter().collect());
        let is_console = |one: &&Statement| one.sid.as_deref() == Some(ADMINISTRATORS_SID);
        let mut found = rest
            .iter()
            .filter(is_console)
            .filter(|one| one.actions == actions);
        let Some(Principals::Any(principals)) = found.next().map(|one| one.principals.clone())
        else {
            continue;
        };
        let duty = Duties {
            administrators: principals.iter().cloned().collect(),
            administrators_may_delete: may_delete,
            ..nothing()
        };
        let wanted = compile(&duty, key, &[]);
        if wanted
            .statements
            .first()
            .is_some_and(|wanted| take(rest, wanted).is_some())
        {
            duties.administrators = duty.administrators;
            duties.administrators_may_delete = may_delete;
            return duties;
        }
    }
    duties
}

fn take_users(mut duties: Duties, rest: &mut Vec<Statement>, key: &KeyContext) -> Duties {
    let actions = capability::patterns(capability::use_of(key.key_type));
    let plain = Actions::Any(actions.into_iter().collect());
    // A user's main statement comes before those whose Sids continue its Sid, in whatever order they stand.
    let continues = |one: &Statement| {
        one.sid
            .as_ref()
            .is_some_and(|sid| sid.ends_with(NO_CONTEXT) || sid.ends_with(DELEGATION))
    };
    let (later, first): (Vec<&Statement>, Vec<&Statement>) =
        rest.iter().partition(|one| continues(one));
    let candidates: Vec<User> = first
        .into_iter()
        .chain(later)
        .filter_map(|one| {
            if is_own(one) {
                own_user(one, rest, key)
            } else {
                plain_user(one, &plain)
            }
        })
        .collect();
    for user in candidates {
        let alone = Duties {
            users: vec![user.clone()],
            ..nothing()
        };
        let wanted = compile(&alone, key, &[]).statements;
        let mut left = rest.clone();
        let is_whole = wanted
            .iter()
            .all(|wanted| take(&mut left, wanted).is_some());
        if is_whole && !is_merged(&user, &duties, key) {
            *rest = left;
            duties.users.push(user);
        }
    }
    duties
}

/// True where compiling would make one statement of the user's and another's.
fn is_merged(user: &User, duties: &Duties, key: &KeyContext) -> bool {
    let mut users = duties.users.clone();
    users.push(user.clone());
    let both = Duties { users, ..nothing() };
    both.normalised(key).users.len() <= duties.users.len()
}

fn is_own(statement: &Statement) -> bool {
    statement
        .sid
        .as_ref()
        .is_some_and(|sid| sid.starts_with(OWN_SID))
}

/// Users as the console writes them.
fn plain_user(statement: &Statement, plain: &Actions) -> Option<User> {
    let Statement {
        effect: Effect::Allow,
        principals: Principals::Any(principals),
        actions,
        conditions,
        ..
    } = statement
    else {
        return None;
    };
    let holders = principals.iter().cloned().map(Holder::Principal).collect();
    let user = User {
        holders,
        allowances: BTreeSet::new(),
        via: BTreeSet::new(),
        context: BTreeMap::new(),
    };
    (actions == plain && conditions.is_empty()).then_some(user)
}

/// The user behind one of our statements and those whose Sid continues its Sid.
fn own_user(statement: &Statement, all: &[Statement], key: &KeyContext) -> Option<User> {
    let sid = statement.sid.as_deref()?;
    let named = |end: &str| {
        all.iter()
            .find(|one| one.sid.as_deref() == Some(&format!("{sid}{end}")))
    };
    let mut actions = BTreeSet::new();
    let mut delegates = false;
    for part in [Some(statement), named(NO_CONTEXT), named(DELEGATION)]
        .into_iter()
        .flatten()
    {
        if is_delegation(part) {
            delegates = true;
        } else if let Actions::Any(patterns) = &part.actions {
            actions.extend(patterns.iter().cloned());
        }
    }
    let Principals::Any(principals) = &statement.principals else {
        return None;
    };
    let terms = Terms::read(&statement.conditions, key)?;
    let holders = if terms.organizations.is_empty() {
        principals.iter().cloned().map(Holder::Principal).collect()
    } else if principals.as_slice() == [Principal::Anyone] {
        terms.organizations
    } else {
        return None;
    };
    let allowances = allowances(&actions, delegates, key)?;
    Some(User {
        holders,
        allowances,
        via: terms.via,
        context: terms.context,
    })
}

fn is_delegation(statement: &Statement) -> bool {
    statement
        .conditions
        .iter()
        .any(|condition| condition.key == "kms:GrantIsForAWSResource")
}

fn allowances(
    actions: &BTreeSet<ActionPattern>,
    delegates: bool,
    key: &KeyContext,
) -> Option<BTreeSet<Allowance>> {
    let mut allowances = normal::name(actions, key)?;
    if delegates {
        allowances.insert(Allowance::Capability(Capability::Delegate));
    }
    Some(allowances)
}

/// The conditions that we write.
struct Terms {
    organizations: BTreeSet<Holder>,
    via: BTreeSet<String>,
    context: BTreeMap<String, String>,
}

impl Terms {
    fn read(conditions: &[Condition], key: &KeyContext) -> Option<Self> {
        let mut terms = Self {
            organizations: BTreeSet::new(),
            via: BTreeSet::new(),
            context: BTreeMap::new(),
        };
        let end = format!(".{}.amazonaws.com", key.place.region);
        for Condition {
            operator,
            key,
            values,
        } in conditions
        {
            if key == "kms:GrantIsForAWSResource" {
                continue;
            }
            if operator.name != OperatorName::StringEquals
                || operator.quantifier.is_some()
                || operator.if_exists
            {
                return None;
            }
            if key == "aws:PrincipalOrgID" {
                let holders = values
                    .iter()
                    .map(|id| Some(Holder::Organization(id.parse().ok()?)));
                terms.organizations = holders.collect::<Option<_>>()?;
            } else if key == "kms:ViaService" {
                let services = values
                    .iter()
                    .map(|value| Some(value.strip_suffix(&end)?.to_owned()));
                terms.via = services.collect::<Option<_>>()?;
            } else {
                let name = key.strip_prefix("kms:EncryptionContext:")?;
                let value = values.first().filter(|_| values.len() == 1)?;
                terms.context.insert(name.to_owned(), value.clone());
            }
        }
        Some(terms)
    }
}
