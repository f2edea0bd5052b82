//! One key as the manifests ask for it, ready for queries.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sorted_vec::SortedSet;

use super::verdict::Answered;
use crate::access::{Prospect, Query, Rights, Scene, Tables, Undetermined, Universe, ask, facts};
use crate::model::{KeyArn, Operation, Principal};
use crate::policy::{
    Actions, Condition, Document, Extent, Grant, Holder, Identities, KeyContext, Operator,
    OperatorName, Principals,
};
use crate::state::{Callers, Claim, DesiredGrant, DesiredKey, DesiredPlace, Verb};

/// A key with everything that gives access to it.
pub(super) struct Bench<'a> {
    pub(super) place: &'a DesiredPlace,
    pub(super) key: &'a DesiredKey,
    arn: KeyArn,
    context: KeyContext,
    grants: Vec<Grant>,
}

/// The condition key of a principal's tag.
const TAG: &str = "aws:PrincipalTag/";

impl<'a> Bench<'a> {
    pub(super) fn new(place: &'a DesiredPlace, key: &'a DesiredKey, now: Timestamp) -> Self {
        let arn = match &key.id {
            Some(id) => KeyArn::new(place.place.clone(), id.clone()),
            None => KeyArn::of_new_key(place.place.clone()),
        };
        let lives = |grant: &&DesiredGrant| grant.expires.is_none_or(|expires| expires > now);
        Self {
            place,
            key,
            arn,
            context: KeyContext {
                key_type: key.key_type,
                origin: key.origin,
                multi_region: false,
                place: place.place.clone(),
            },
            grants: key.grants.values().filter(lives).map(to_come).collect(),
        }
    }

    /// The queries that answer a claim about some callers together.
    pub(super) fn queries(
        &self,
        claim: &Claim,
        callers: &Callers,
        when: &BTreeMap<String, Vec<String>>,
    ) -> Vec<Query> {
        let actions = claim.allowance.actions(&self.context);
        let actions = Actions::Any(actions.into_iter().collect());
        let when: Vec<Condition> = when
            .iter()
            .flat_map(|(key, values)| conditions(key, values))
            .collect();
        let query = |principals: SortedSet<Principal>, more: Vec<Condition>| Query {
            principals: Principals::Any(principals),
            actions: actions.clone(),
            when: [when.clone(), more].concat(),
        };
        let mut together = Vec::new();
        let mut queries = Vec::new();
        for holder in &callers.holders {
            match holder {
                Holder::Organization(id) => {
                    let ids = [id.to_string()];
                    let anyone = vec![Principal::Anyone].into();
                    queries.push(query(anyone, facts("aws:PrincipalOrgID", &ids)));
                }
                Holder::Principal(principal) => {
                    let tags = self.tags(claim.verb, principal, &when);
                    if tags.is_empty() {
                        together.push(principal.clone());
                    } else {
                        queries.push(query(vec![principal.clone()].into(), tags));
                    }
                }
            }
        }
        if !together.is_empty() {
            queries.push(query(together.into(), Vec::new()));
        }
        queries
    }

    /// The tags that a principal's requests carry. What it cannot do, it cannot with other tags of a session either.
    fn tags(&self, verb: Verb, principal: &Principal, when: &[Condition]) -> Vec<Condition> {
        let identity = self.place.identities.get(principal);
        let tags = identity.map(|identity| &identity.tags);
        let of_tag = |(name, value): (&String, &String)| {
            let key = format!("{TAG}{name}");
            let is_given = |one: &Condition| one.key.eq_ignore_ascii_case(&key);
            let is_open = !when.iter().any(is_given);
            is_open.then(|| facts(&key, std::slice::from_ref(value)))
        };
        match verb {
            Verb::Can => tags
                .into_iter()
                .flatten()
                .filter_map(of_tag)
                .flatten()
                .collect(),
            Verb::Cannot => Vec::new(),
        }
    }

    /// The answers to queries, by the least and by the most that policies can mean where they name keys by id.
    pub(super) fn ask(&self, queries: &[Query]) -> Vec<Vec<Answered>> {
        let (policy, identities) = (&*self.key.policy, &*self.place.identities);
        let reading = |extent: Extent| {
            let place = &self.place.place;
            let unknown = self.key.id.is_none();
            let policy = unknown.then(|| extent.of_document(policy, place));
            let identities = unknown.then(|| extent.of_identities(identities, place));
            (policy.flatten(), identities.flatten())
        };
        let readings: Vec<(Option<Document>, Option<Identities>)> =
            [Extent::Least, Extent::Most].map(reading).into();
        if readings
            .iter()
            .all(|(policy, identities)| policy.is_none() && identities.is_none())
        {
            return vec![self.answers(policy, identities, queries)];
        }
        let answers = readings.iter().map(|(its_policy, its_identities)| {
            let policy = its_policy.as_ref().unwrap_or(policy);
            let identities = its_identities.as_ref().unwrap_or(identities);
            self.answers(policy, identities, queries)
        });
        answers.collect()
    }

    fn answers(
        &self,
        policy: &Document,
        identities: &Identities,
        queries: &[Query],
    ) -> Vec<Answered> {
        let rights = Rights {
            policy,
            grants: &self.grants,
        };
        let scene = Scene {
            key: &self.arn,
            universe: Universe::Today,
            tables: Tables::Heard,
            identities: Some(identities),
        };
        match ask(rights, queries, &scene) {
            Ok(prospects) => prospects
                .into_iter()
                .zip(queries)
                .map(|(prospect, query)| answered(prospect, rights, query, &scene))
                .collect(),
            // One question without an answer is not to spoil the others.
            Err(_) => queries
                .iter()
                .map(|query| match only(rights, query, &scene) {
                    Ok(prospect) => answered(prospect, rights, query, &scene),
                    Err(why) => Answered::Unknown(why),
                })
                .collect(),
        }
    }

    /// An operation among those of a claim that callers can never call, since they are of another account.
    pub(super) fn stays_home(&self, claim: &Claim, callers: &Callers) -> Option<Operation> {
        let home = Some((self.arn.partition, self.arn.place.account));
        let is_foreign = |holder: &Holder| match holder {
            Holder::Principal(principal) => principal.home().is_some() && principal.home() != home,
            Holder::Organization(_) => false,
        };
        if claim.verb == Verb::Cannot || !callers.holders.iter().any(is_foreign) {
            return None;
        }
        let actions = claim.allowance.actions(&self.context);
        let is_meant = |operation: &&Operation| {
            let mut patterns = actions.iter();
            patterns.any(|pattern| pattern.matches(operation.action()))
        };
        let operations = Operation::ALL.iter().filter(is_meant);
        let mut working = operations.filter(|operation| operation.is_key_level());
        working
            .find(|operation| !operation.is_cross_account())
            .copied()
    }
}

fn only(rights: Rights<'_>, query: &Query, scene: &Scene<'_>) -> Result<Prospect, Undetermined> {
    let mut prospects = ask(rights, std::slice::from_ref(query), scene)?;
    Ok(prospects.pop().unwrap_or_default())
}

/// An answer; where there is no request, it tells whether that is for AWS's tables alone.
fn answered(prospect: Prospect, rights: Rights<'_>, query: &Query, scene: &Scene<'_>) -> Answered {
    if prospect != Prospect::default() {
        return Answered::Prospect(Box::new(prospect));
    }
    let beyond_tables = Scene {
        tables: Tables::Ignored,
        ..*scene
    };
    match only(rights, query, &beyond_tables) {
        Ok(prospect) if prospect == Prospect::default() => Answered::Prospect(Box::new(prospect)),
        Ok(_) => Answered::Impossible,
        Err(why) => Answered::Unknown(why),
    }
}

/// What is asked of a context key: one of these values, or that it is absent.
fn conditions(key: &str, values: &[String]) -> Vec<Condition> {
    if !values.is_empty() {
        return facts(key, values);
    }
    vec![Condition {
        operator: Operator {
            quantifier: None,
            name: OperatorName::Null,
            if_exists: false,
        },
        key: key.to_owned(),
        values: vec!["true".to_owned()].into(),
    }]
}

fn to_come(grant: &DesiredGrant) -> Grant {
    let operations = grant.terms.operations.iter();
    Grant {
        id: grant.name.to_string(),
        key: None,
        grantee: grant.terms.grantee.clone(),
        operations: operations.map(|one| one.name().to_owned()).collect(),
        constraints: grant.terms.constraints.clone(),
    }
}
