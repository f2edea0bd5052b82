//! Who can change a key's policy, come what may.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;
use jiff::Timestamp;
use sorted_vec::SortedSet;

use super::cube::Cube;
use super::query::{Query, facts};
use super::space::{CALLERS, KEYS, Space};
use super::survey::{Rules, Survey};
use super::{Exhausted, Rights, Scene, Tables, Undetermined};
use crate::model::{Operation, Principal};
use crate::policy::{ActionPattern, Actions, Condition, Level, Operator, OperatorName, Principals};

/// The durable principals that can call `PutKeyPolicy` from a time on: roles and users that are named, and root users.
///
/// Sessions end, services do not call it, and what IAM policies of which nothing is known may allow does not count.
pub fn administrators<'a>(
    rights: Rights<'a>,
    from: Timestamp,
    scene: &Scene<'a>,
) -> Result<BTreeSet<Principal>, Undetermined> {
    let scene = Scene {
        tables: Tables::Heard,
        ..*scene
    };
    let queries = [changes_of_policy(Principal::Anyone, from)];
    let rules = Rules::read(&[rights], &scene)?.with_queries(&queries)?;
    let mut found: Option<BTreeSet<Principal>> = None;
    rules.each_reading(|survey, _| {
        let these = able(survey)?;
        found = Some(match found.take() {
            Some(others) => others.intersection(&these).cloned().collect(),
            None => these,
        });
        Ok(())
    })?;
    Ok(found.unwrap_or_default())
}

/// All requests of somebody to change the key's policy from a time on; an account is its root user.
pub fn changes_of_policy(who: Principal, from: Timestamp) -> Query {
    let mut when = match who {
        Principal::Account(..) => facts("aws:PrincipalArn", &[who.to_string()]),
        Principal::Anyone
        | Principal::User(_)
        | Principal::Role(_)
        | Principal::Session(_)
        | Principal::Federated(_)
        | Principal::Service(_)
        | Principal::Deleted(_) => Vec::new(),
    };
    // A key has one policy that can be written, nobody should need to skip AWS's check, and no service writes it for
    // somebody.
    when.extend(facts("kms:PolicyName", &["default".to_owned()]));
    when.extend(
        [
            "kms:BypassPolicyLockoutSafetyCheck",
            "kms:ViaService",
            "aws:CalledVia",
            "aws:CalledViaFirst",
            "aws:CalledViaLast",
        ]
        .map(absent),
    );
    when.extend(facts("aws:ViaAWSService", &["false".to_owned()]));
    when.push(Condition {
        operator: Operator {
            quantifier: None,
            name: OperatorName::DateGreaterThanEquals,
            if_exists: false,
        },
        key: "aws:CurrentTime".to_owned(),
        values: SortedSet::from(vec![from.to_string()]),
    });
    Query {
        principals: Principals::Any(vec![who].into()),
        actions: Actions::Any(vec![ActionPattern::from(Operation::PutKeyPolicy)].into()),
        when,
    }
}

/// That a request lacks a context key.
fn absent(key: &str) -> Condition {
    Condition {
        operator: Operator {
            quantifier: None,
            name: OperatorName::Null,
            if_exists: false,
        },
        key: key.to_owned(),
        values: SortedSet::from(vec!["true".to_owned()]),
    }
}

/// The durable principals with some request of the first query that is allowed.
fn able(survey: &Survey<'_>) -> Result<BTreeSet<Principal>, Exhausted> {
    let allowed = survey.at_least(0, Level::Direct)?;
    let allowed = survey.named(0)?.intersection(&allowed);
    let mut able = BTreeSet::new();
    for cube in &allowed.0 {
        let callers = cube.0.get(CALLERS).into_iter().flat_map(FixedBitSet::ones);
        let callers = callers.filter_map(|at| survey.space.callers.get(at));
        let durable = callers.filter(|caller| match caller.principal {
            Principal::Account(..) => has_untagged(&survey.space, cube),
            Principal::Role(_) | Principal::User(_) => caller.is_named,
            Principal::Anyone
            | Principal::Session(_)
            | Principal::Federated(_)
            | Principal::Service(_)
            | Principal::Deleted(_) => false,
        });
        able.extend(durable.map(|caller| caller.principal.clone()));
    }
    Ok(able)
}

/// True for a box with requests of callers that have no tags, as root users.
fn has_untagged(space: &Space<'_>, cube: &Cube) -> bool {
    let mut dimensions = space.dimensions.iter().enumerate();
    dimensions.all(|(at, dimension)| {
        let is_tag = dimension.key.starts_with("aws:principaltag/");
        let values = cube.0.get(KEYS + at);
        !is_tag || values.is_none_or(|values| !values.is_disjoint(&dimension.absent()))
    })
}
