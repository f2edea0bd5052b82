//! Rules: all that allows or denies, read for comparison, wherever it stands.

use std::borrow::Cow;
use std::collections::BTreeSet;

use sorted_vec::SortedSet;

use super::clause::{Clause, Unread, signs};
use super::dimension::CLOCK;
use super::pattern::{Class, Pattern};
use super::query::Query;
use super::{Rights, Undetermined};
use crate::model::{Constraints, KeyArn, Operation, Principal};
use crate::policy::reading::RESOURCE_WILDCARDS_CROSS_COLONS;
use crate::policy::{
    ActionPattern, Actions, Condition, Effect, Grant, IdentityPolicy, Operator, OperatorName,
    Principals, Quantifier, Resources, Statement, Version,
};

/// Something that allows or denies requests on the key.
#[derive(Debug)]
pub(super) struct Rule<'a> {
    pub(super) effect: Effect,
    pub(super) who: Who<'a>,
    pub(super) actions: Cow<'a, Actions>,
    pub(super) asks: Vec<Ask<'a>>,
}

/// Whom a rule is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who<'a> {
    /// Whom a statement of the key policy names.
    Named(&'a Principals),
    /// A grant's grantee.
    Grantee(&'a Principal),
    /// Whoever carries an IAM policy.
    Carrier(&'a Principal),
}

/// What a rule asks of a request's context.
#[derive(Debug)]
pub(super) enum Ask<'a> {
    /// Something about one key.
    Key(Clause, Cow<'a, Condition>),
    /// A condition that may hold or not: it has a variable, which relates two keys, or AWS leaves it open.
    Variable(&'a Condition),
    /// No pairs in the encryption context but those with these names, in lower case.
    NoOtherPairs(BTreeSet<String>),
}

/// The prefix of the keys that hold the pairs of the encryption context, in lower case.
pub(super) const PAIR: &str = "kms:encryptioncontext:";

impl<'a> Rule<'a> {
    /// The rules of a key's policy, then those of its grants; what is about other keys has none.
    pub(super) fn of_rights(rights: Rights<'a>, key: &KeyArn) -> Result<Vec<Self>, Undetermined> {
        let Rights { policy, grants } = rights;
        let mut rules = Vec::with_capacity(policy.statements.len() + grants.len());
        for statement in &policy.statements {
            rules.extend(Self::of_statement(statement, policy.version, key)?);
        }
        for grant in grants.iter().filter(|grant| grant.is_on(key)) {
            rules.extend(Self::of_grant(grant)?);
        }
        Ok(rules)
    }

    fn of_statement(
        statement: &'a Statement,
        version: Version,
        key: &KeyArn,
    ) -> Result<Option<Self>, Undetermined> {
        let Statement {
            sid: _,
            effect,
            principals,
            actions,
            resources,
            conditions,
        } = statement;
        let asks = asks(conditions, version)?;
        Ok(covers_key(resources, version, key, false)?.then_some(Self {
            effect: *effect,
            who: Who::Named(principals),
            actions: Cow::Borrowed(actions),
            asks,
        }))
    }

    /// The rules of a policy that a principal carries, as far as they are about the key.
    pub(super) fn of_identity(
        policy: &'a IdentityPolicy,
        carrier: &'a Principal,
        key: &KeyArn,
    ) -> Result<Vec<Self>, Undetermined> {
        let mut rules = Vec::new();
        for statement in &policy.statements {
            if !names_kms(&statement.actions)
                || !covers_key(
                    &statement.resources,
                    policy.version,
                    key,
                    RESOURCE_WILDCARDS_CROSS_COLONS,
                )?
            {
                continue;
            }
            rules.push(Self {
                effect: statement.effect,
                who: Who::Carrier(carrier),
                actions: Cow::Borrowed(&statement.actions),
                asks: asks(&statement.conditions, policy.version)?,
            });
        }
        Ok(rules)
    }

    /// What a query asks about, as a rule that gives nothing.
    pub(super) fn of_query(query: &'a Query) -> Result<Self, Undetermined> {
        let Query {
            principals,
            actions,
            when,
        } = query;
        let ask = |condition: &Condition| owned_ask(condition.clone());
        Ok(Self {
            effect: Effect::Allow,
            who: Who::Named(principals),
            actions: Cow::Borrowed(actions),
            asks: when.iter().map(ask).collect::<Result<_, _>>()?,
        })
    }

    /// A grant's rules: constraints bind cryptographic operations, and only in part the others.
    fn of_grant(grant: &'a Grant) -> Result<Vec<Self>, Undetermined> {
        let (mut bound, mut described, mut free) = (Vec::new(), Vec::new(), Vec::new());
        for name in &grant.operations {
            let action = ActionPattern::new(&format!("kms:{name}"));
            match action.as_str() {
                "kms:RetireGrant" => free.push(action),
                "kms:DescribeKey" => described.push(action),
                _ => bound.push(action),
            }
        }
        let Constraints {
            context_subset,
            context_equals,
            source_arn,
        } = &grant.constraints;
        let source: Vec<Condition> = source_arn
            .iter()
            .map(|arn| is("aws:SourceArn", arn.as_str()))
            .collect();
        let pairs = context_subset.iter().chain(context_equals);
        let mut pairs: Vec<Condition> = pairs
            .map(|(name, value)| is(&format!("kms:EncryptionContext:{name}"), value))
            .collect();
        let names: BTreeSet<String> = context_equals
            .keys()
            .map(|name| name.to_ascii_lowercase())
            .collect();
        if !names.is_empty() {
            pairs.push(no_keys_but(context_equals.keys()));
        }
        let mut rules = Vec::new();
        for (actions, conditions, names) in [
            (bound, [source.clone(), pairs].concat(), names),
            (described, source, BTreeSet::new()),
            (free, Vec::new(), BTreeSet::new()),
        ] {
            if actions.is_empty() {
                continue;
            }
            let asks = conditions.into_iter().map(owned_ask);
            let mut asks = asks.collect::<Result<Vec<_>, _>>()?;
            if !names.is_empty() {
                asks.push(Ask::NoOtherPairs(names));
            }
            rules.push(Self {
                effect: Effect::Allow,
                who: Who::Grantee(&grant.grantee),
                actions: Cow::Owned(Actions::Any(SortedSet::from(actions))),
                asks,
            });
        }
        Ok(rules)
    }

    /// The principals that the rule names.
    pub(super) fn principals(&self) -> impl Iterator<Item = &'a Principal> {
        let (named, one) = match self.who {
            Who::Named(Principals::Any(set) | Principals::Not(set)) => (Some(set), None),
            Who::Grantee(one) | Who::Carrier(one) => (None, Some(one)),
        };
        named.into_iter().flat_map(|set| set.iter()).chain(one)
    }

    /// The action patterns that the rule names.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &ActionPattern> {
        let (Actions::Any(set) | Actions::Not(set)) = self.actions.as_ref();
        set.iter()
    }

    /// What it asks of single keys.
    pub(super) fn clauses(&self) -> impl Iterator<Item = (&Clause, &Condition)> {
        self.asks.iter().filter_map(|ask| match ask {
            Ask::Key(clause, condition) => Some((clause, condition.as_ref())),
            Ask::Variable(_) | Ask::NoOtherPairs(_) => None,
        })
    }

    /// Its conditions with variables.
    pub(super) fn variables(&self) -> impl Iterator<Item = &'a Condition> {
        self.asks.iter().filter_map(|ask| match ask {
            Ask::Variable(condition) => Some(*condition),
            Ask::Key(..) | Ask::NoOtherPairs(_) => None,
        })
    }
}

fn asks<'a>(
    conditions: &'a SortedSet<Condition>,
    version: Version,
) -> Result<Vec<Ask<'a>>, Undetermined> {
    let ask = |condition: &'a Condition| match read(condition, version) {
        Ok(_) if condition.is_undefined() => Ok(Ask::Variable(condition)),
        Ok(clause) => Ok(Ask::Key(clause, Cow::Borrowed(condition))),
        Err(Unread::Variable) => Ok(Ask::Variable(condition)),
        Err(Unread::Unsupported(why)) => Err(Undetermined::Unsupported(why)),
    };
    conditions.iter().map(ask).collect()
}

/// What a grant's constraint or a query asks; its text has no variables.
fn owned_ask<'a>(condition: Condition) -> Result<Ask<'a>, Undetermined> {
    match read(&condition, Version::V2008) {
        Ok(clause) => Ok(Ask::Key(clause, Cow::Owned(condition))),
        Err(Unread::Unsupported(why)) => Err(Undetermined::Unsupported(why)),
        Err(Unread::Variable) => Err(Undetermined::Unsupported(
            "a constraint has a variable".to_owned(),
        )),
    }
}

fn read(condition: &Condition, version: Version) -> Result<Clause, Unread> {
    let mut clause = Clause::of(condition, version)?;
    if clause.key == "aws:currenttime" {
        CLOCK.clone_into(&mut clause.key);
    }
    Ok(clause)
}

/// A condition that a key has exactly this value.
fn is(key: &str, value: &str) -> Condition {
    Condition {
        operator: Operator {
            quantifier: None,
            name: OperatorName::StringEquals,
            if_exists: false,
        },
        key: key.to_owned(),
        values: SortedSet::from(vec![value.to_owned()]),
    }
}

/// A condition that the encryption context has no names but these.
fn no_keys_but<'n>(names: impl Iterator<Item = &'n String>) -> Condition {
    Condition {
        operator: Operator {
            quantifier: Some(Quantifier::ForAllValues),
            name: OperatorName::StringEqualsIgnoreCase,
            if_exists: false,
        },
        key: "kms:EncryptionContextKeys".to_owned(),
        values: SortedSet::from(names.cloned().collect::<Vec<_>>()),
    }
}

/// True when actions can be operations of KMS.
fn names_kms(actions: &Actions) -> bool {
    let can = |pattern: &ActionPattern| match pattern.as_str().split_once(':') {
        Some((service, _)) => matches!(service, "kms" | "*"),
        None => pattern.as_str() == "*",
    };
    match actions {
        Actions::Any(patterns) => patterns.iter().any(can),
        Actions::Not(_) => true,
    }
}

/// True when resources take in the key; `across` says whether wildcards cross the parts of its ARN.
fn covers_key(
    resources: &Resources,
    version: Version,
    key: &KeyArn,
    across: bool,
) -> Result<bool, Undetermined> {
    let (texts, is_not) = match resources {
        Resources::Any(texts) => (texts, false),
        Resources::Not(texts) => (texts, true),
    };
    let is_all = |text: &String| text == "*";
    if texts.iter().any(is_all) {
        return Ok(!is_not);
    }
    let key = key.to_string();
    let mut covered = false;
    for text in texts {
        let Some(signs) = signs(text, version, true) else {
            let why = "a variable in `Resource` is not compared".to_owned();
            return Err(Undetermined::Unsupported(why));
        };
        let pattern = if across {
            Some(Pattern::glob(&signs, Class::Any))
        } else {
            Pattern::arn(&signs)
        };
        covered |= pattern.is_some_and(|pattern| pattern.matches(&key));
    }
    Ok(!texts.is_empty() && covered != is_not)
}

/// True for an operation that only a grant can speak of, beside those of key policies.
pub(super) fn is_of_grants(operation: Operation) -> bool {
    operation == Operation::RetireGrant
}
