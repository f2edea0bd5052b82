//! Questions about one key: whether all, some or none of the requests that have something in common are allowed.

use std::collections::BTreeMap;

use sorted_vec::SortedSet;

use super::compare::standing;
use super::cube::Cube;
use super::requests::Requests;
use super::space::Space;
use super::survey::{Rules, Survey};
use super::{Rights, Scene, Undetermined};
use crate::model::{ContextValue, Principal, context_value};
use crate::policy::reading::Exemption;
use crate::policy::{
    Actions, Answer, Condition, Denial, Document, Ground, Level, Operator, OperatorName, Policies,
    Principals, Quantifier, Request, Source, authorize_under,
};

/// Requests that have something in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Who calls: a role takes in its sessions, an account everyone of it.
    pub principals: Principals,
    /// What is called.
    pub actions: Actions,
    /// What is known of the context, as conditions without variables; the rest may be anything. See [`facts`].
    pub when: Vec<Condition>,
}

/// One request of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Who calls; a role stands for its sessions.
    pub principal: Principal,
    /// What is called.
    pub action: String,
    /// The context keys that are there.
    pub context: BTreeMap<String, Vec<String>>,
    /// How much access everything gives together.
    pub level: Level,
    /// The same if `NotPrincipal` is read the other way, where that differs.
    pub otherwise: Option<Level>,
    /// The statements and grants that give or deny it; nothing where too little gives it.
    pub by: Vec<Ground>,
    /// Why it is not allowed.
    pub denial: Option<Denial>,
}

/// What becomes of the requests of a query: one example of each kind that there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prospect {
    /// A request that is allowed.
    pub allowed: Option<Example>,
    /// A request that IAM policies of which nothing is known can allow.
    pub left_to_iam: Option<Example>,
    /// A request that nothing allows.
    pub refused: Option<Example>,
}

/// Answers queries about what gives access to a key, each for all its requests.
///
/// Where AWS's pages leave open whom `NotPrincipal` spares, an example may be of either reading.
pub fn ask<'a>(
    rights: Rights<'a>,
    queries: &'a [Query],
    scene: &Scene<'a>,
) -> Result<Vec<Prospect>, Undetermined> {
    let rules = Rules::read(&[rights], scene)?.with_queries(queries)?;
    let mut prospects = vec![Prospect::default(); queries.len()];
    rules.each_reading(|survey, exemption| {
        let view = View {
            rights,
            scene,
            exemption,
        };
        for (prospect, other) in prospects
            .iter_mut()
            .zip(view.prospects(survey, queries.len())?)
        {
            prospect.complete(other);
        }
        Ok(())
    })?;
    Ok(prospects)
}

impl Prospect {
    /// Takes over what the other one has and this one lacks.
    fn complete(&mut self, other: Self) {
        let Self {
            allowed,
            left_to_iam,
            refused,
        } = other;
        self.allowed = self.allowed.take().or(allowed);
        self.left_to_iam = self.left_to_iam.take().or(left_to_iam);
        self.refused = self.refused.take().or(refused);
    }
}

/// What gives access, as the ordinary evaluator sees it under one reading.
pub(super) struct View<'a> {
    pub(super) rights: Rights<'a>,
    pub(super) scene: &'a Scene<'a>,
    pub(super) exemption: Exemption,
}

impl View<'_> {
    fn prospects(&self, survey: &Survey<'_>, count: usize) -> Result<Vec<Prospect>, Undetermined> {
        let direct = survey.at_least(0, Level::Direct)?;
        let delegated = survey.at_least(0, Level::Delegated)?;
        let left_to_iam = delegated.difference(&direct)?;
        let one = |query: usize| {
            let named = survey.named(query)?;
            let refused = named.difference(&delegated)?;
            Ok(Prospect {
                allowed: self.example(survey, &named.intersection(&direct), Level::Direct)?,
                left_to_iam: self.example(
                    survey,
                    &named.intersection(&left_to_iam),
                    Level::Delegated,
                )?,
                refused: self.example(survey, &refused, Level::None)?,
            })
        };
        (0..count).map(one).collect()
    }

    /// One of the requests, which the ordinary evaluator must give this level, or at most none.
    fn example(
        &self,
        survey: &Survey<'_>,
        requests: &Requests,
        level: Level,
    ) -> Result<Option<Example>, Undetermined> {
        let Some(cube) = requests.0.iter().find(|cube| !cube.is_empty()) else {
            return Ok(None);
        };
        let example = self.look(&survey.space, cube);
        match example {
            Some(example) if example.level.max(Level::None) != level => {
                let Example {
                    action, principal, ..
                } = example;
                Err(match survey.space.open_question(cube) {
                    Some(what) => Undetermined::Unclear(format!("the answer depends on {what}")),
                    None => Undetermined::Unconfirmed(format!("{action} of {principal}")),
                })
            }
            example => Ok(example),
        }
    }

    /// A request of a box, as the ordinary evaluator answers it.
    pub(super) fn look(&self, space: &Space<'_>, cube: &Cube) -> Option<Example> {
        let point = space.point(cube)?;
        let request = Request {
            caller: &point.caller,
            action: &point.action,
            key: self.scene.key,
            context: &point.context,
        };
        let level_under = |exemption| standing(self.rights, &request, self.scene, exemption);
        let level = level_under(self.exemption);
        let other = level_under(self.exemption.other());
        let Answer { by, denial, .. } = self.answer(&request);
        Some(Example {
            level,
            otherwise: (other != level).then_some(other),
            by: if level == Level::Delegated {
                self.delegating(&request)
            } else {
                by
            },
            denial,
            principal: point.caller.clone(),
            action: point.action.clone(),
            context: point.shown,
        })
    }

    /// What leaves a request to IAM policies.
    fn delegating(&self, request: &Request<'_>) -> Vec<Ground> {
        let Rights { policy, grants } = self.rights;
        let nothing = Document::empty();
        let delegates = |rights: Rights<'_>| {
            standing(rights, request, self.scene, self.exemption) >= Level::Delegated
        };
        let statements = policy.statements.iter().enumerate();
        let statements = statements.filter(|(_, statement)| {
            delegates(Rights::from(&Document {
                version: policy.version,
                id: None,
                statements: vec![(*statement).clone()],
            }))
        });
        let grants = grants.iter().filter(|grant| {
            delegates(Rights {
                policy: &nothing,
                grants: std::slice::from_ref(*grant),
            })
        });
        let statements = statements.map(|(index, statement)| Ground::Statement {
            source: Source::Key,
            index,
            sid: statement.sid.clone(),
        });
        let grants = grants.map(|grant| Ground::Grant(grant.id.clone()));
        statements.chain(grants).collect()
    }

    fn answer(&self, request: &Request<'_>) -> Answer {
        let Rights { policy, grants } = self.rights;
        let identities = self.scene.identities;
        let identity = identities.and_then(|all| all.of_caller(request.caller));
        let policies = Policies {
            key: policy,
            identity: identity.map_or(&[], |identity| identity.policies.as_slice()),
            boundary: identity.and_then(|identity| identity.boundary.as_ref()),
            session: &[],
            grants,
        };
        authorize_under(&policies, request, self.exemption)
    }
}

/// The conditions that say what values a request has for a context key; none where there are no values.
///
/// Of a key that has one value, several mean any of them; of a key that has several at once, exactly these.
pub fn facts(key: &str, values: &[String]) -> Vec<Condition> {
    let value = context_value(key);
    let name = match value {
        ContextValue::Text | ContextValue::Texts => OperatorName::StringEquals,
        ContextValue::Truth => OperatorName::Bool,
        ContextValue::Number => OperatorName::NumericEquals,
        ContextValue::Date => OperatorName::DateEquals,
        ContextValue::Address => OperatorName::IpAddress,
    };
    let condition = |quantifier, values: &[String]| Condition {
        operator: Operator {
            quantifier,
            name,
            if_exists: false,
        },
        key: key.to_owned(),
        values: SortedSet::from(values.to_vec()),
    };
    if value != ContextValue::Texts {
        return vec![condition(None, values)];
    }
    let each = values
        .iter()
        .map(|one| condition(Some(Quantifier::ForAnyValue), std::slice::from_ref(one)));
    let no_other = condition(Some(Quantifier::ForAllValues), values);
    each.chain([no_other]).collect()
}
