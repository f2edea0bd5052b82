//! Two policies side by side: which of them gives more.

use std::collections::BTreeMap;

use super::cube::{Budget, Cube, rest};
use super::levels::Levels;
use super::space::Space;
use super::survey::{Rules, Survey};
use super::{Exhausted, Rights, Scene, Undetermined};
use crate::model::Principal;
use crate::policy::reading::Exemption;
use crate::policy::{Context, Level, Policies, Request, evaluate_under, same};

/// How the second policy stands to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both answer every request alike.
    Equivalent,
    /// The second gives less to some requests and more to none.
    Narrower,
    /// The second gives more to some requests and less to none.
    Wider,
    /// The second gives more to some requests and less to others.
    Incomparable,
    /// There is no sure answer; to be treated as wider.
    Undetermined,
}

impl Verdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::Narrower => "narrower",
            Self::Wider => "wider",
            Self::Incomparable => "incomparable",
            Self::Undetermined => "undetermined",
        }
    }

    fn of(gains: bool, loses: bool) -> Self {
        match (gains, loses) {
            (false, false) => Self::Equivalent,
            (false, true) => Self::Narrower,
            (true, false) => Self::Wider,
            (true, true) => Self::Incomparable,
        }
    }
}

/// The verdict on three scales of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scales {
    /// All four levels apart.
    pub full: Verdict,
    /// Denied and not allowed are one, as where there are no grants.
    pub nogrant: Verdict,
    /// Allowed directly or with the help of IAM policies is one, and so is the rest.
    pub may: Verdict,
}

impl Scales {
    fn all(verdict: Verdict) -> Self {
        Self {
            full: verdict,
            nogrant: verdict,
            may: verdict,
        }
    }
}

/// A request that two policies answer differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Who calls; a role stands for its sessions.
    pub principal: Principal,
    /// What is called.
    pub action: String,
    /// The context keys that are there.
    pub context: BTreeMap<String, Vec<String>>,
    /// The first policy's answer.
    pub a: Level,
    /// The second policy's answer.
    pub b: Level,
}

/// How two policies stand to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The verdicts.
    pub scales: Scales,
    /// Requests that show each difference: at most one for each level and direction.
    pub witnesses: Vec<Witness>,
    /// Why there is no verdict.
    pub reason: Option<Undetermined>,
}

impl Comparison {
    fn undetermined(reason: Undetermined) -> Self {
        Self {
            scales: Scales::all(Verdict::Undetermined),
            witnesses: Vec::new(),
            reason: Some(reason),
        }
    }
}

/// Compares what gives access to a key on two sides: `b` as seen from `a`.
pub fn compare<'a>(
    a: impl Into<Rights<'a>>,
    b: impl Into<Rights<'a>>,
    scene: &Scene<'a>,
) -> Comparison {
    let (a, b) = (a.into(), b.into());
    let equivalent = Comparison {
        scales: Scales::all(Verdict::Equivalent),
        witnesses: Vec::new(),
        reason: None,
    };
    if a.grants == b.grants && a.policy == b.policy {
        return equivalent;
    }
    match determine(a, b, scene) {
        Ok(comparison) => comparison,
        // The same words need no understanding.
        Err(_) if a.grants == b.grants && same(a.policy, b.policy) => equivalent,
        Err(reason) => Comparison::undetermined(reason),
    }
}

fn determine<'a>(
    a: Rights<'a>,
    b: Rights<'a>,
    scene: &Scene<'a>,
) -> Result<Comparison, Undetermined> {
    let rules = Rules::read(&[a, b], scene)?;
    let mut found: Option<Comparison> = None;
    rules.each_reading(|survey, exemption| {
        let pair = Pair {
            a,
            b,
            scene,
            exemption,
        };
        let comparison = pair.compare(survey)?;
        match &mut found {
            Some(first) if first.scales != comparison.scales => {
                let why = "AWS's pages disagree on whom `NotPrincipal` spares, and the answer depends on it";
                Err(Undetermined::Unclear(why.to_owned()))
            }
            Some(first) => {
                // What shows a difference either way is shown, where there is such a request.
                let sure = |one: &Witness| pair.confirms(one);
                let has_sure = first.witnesses.iter().any(sure);
                first.witnesses.retain(|one| !has_sure || sure(one));
                Ok(())
            }
            None => {
                found = Some(comparison);
                Ok(())
            }
        }
    })?;
    found.ok_or_else(|| Undetermined::Unsupported("there is nothing to compare".to_owned()))
}

/// A level, to be reached or not.
const THRESHOLDS: [Level; 3] = [Level::Direct, Level::Delegated, Level::None];

/// A box of requests to which `more` gives the level and `less` does not.
fn gain(
    more: &Levels,
    less: &Levels,
    threshold: Level,
    budget: &mut Budget,
) -> Result<Option<Cube>, Exhausted> {
    let denied: Vec<&Cube> = more.denied.iter().collect();
    let (Some(gives), Some(given)) = (more.from(threshold), less.from(threshold)) else {
        for cube in &less.denied {
            if let Some(found) = rest(cube.clone(), &denied, budget)? {
                return Ok(Some(found));
            }
        }
        return Ok(None);
    };
    let taken: Vec<&Cube> = denied.iter().copied().chain(given).collect();
    for cube in gives {
        if let Some(found) = rest(cube.clone(), &taken, budget)? {
            return Ok(Some(found));
        }
        for refused in &less.denied {
            if let Some(both) = cube.and(refused)
                && let Some(found) = rest(both, &denied, budget)?
            {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// Two sides under one reading.
pub(super) struct Pair<'a> {
    pub(super) a: Rights<'a>,
    pub(super) b: Rights<'a>,
    pub(super) scene: &'a Scene<'a>,
    pub(super) exemption: Exemption,
}

impl Pair<'_> {
    fn compare(&self, survey: &Survey<'_>) -> Result<Comparison, Undetermined> {
        let [a, b] = survey.sides.as_slice() else {
            return Err(Undetermined::Unsupported("two sides are needed".to_owned()));
        };
        let budget = &mut Budget::new();
        let mut witnesses: Vec<Witness> = Vec::new();
        let mut directions = [[false; 2]; 3];
        for (level, differs) in THRESHOLDS.into_iter().zip(&mut directions) {
            for ((more, less, is_gain), differs) in
                [(b, a, true), (a, b, false)].into_iter().zip(differs)
            {
                let Some(cube) = gain(more, less, level, budget)? else {
                    continue;
                };
                let witness = self.replay(&survey.space, &cube, level, is_gain)?;
                if !witnesses.contains(&witness) {
                    witnesses.push(witness);
                }
                *differs = true;
            }
        }
        let [direct, delegated, none] = directions;
        let verdict = |parts: &[[bool; 2]]| {
            let [gains, loses] = parts.iter().fold([false; 2], |[gains, loses], part| {
                [gains | part[0], loses | part[1]]
            });
            Verdict::of(gains, loses)
        };
        Ok(Comparison {
            scales: Scales {
                full: verdict(&[direct, delegated, none]),
                nogrant: verdict(&[direct, delegated]),
                may: verdict(&[delegated]),
            },
            witnesses,
            reason: None,
        })
    }

    /// A request of the box, which the ordinary evaluator must give the level on one side only.
    fn replay(
        &self,
        space: &Space<'_>,
        cube: &Cube,
        level: Level,
        is_gain: bool,
    ) -> Result<Witness, Undetermined> {
        let witness = self.witness(space, cube).ok_or_else(|| {
            Undetermined::Unclear("the difference has no request that shows it".to_owned())
        })?;
        let (more, less) = if is_gain {
            (witness.b, witness.a)
        } else {
            (witness.a, witness.b)
        };
        if more >= level && less < level {
            return Ok(witness);
        }
        Err(match space.open_question(cube) {
            Some(what) => Undetermined::Unclear(format!("the difference depends on {what}")),
            None => {
                Undetermined::Unconfirmed(format!("{} of {}", witness.action, witness.principal))
            }
        })
    }

    /// True when the ordinary evaluator answers a request as it is said to.
    fn confirms(&self, witness: &Witness) -> bool {
        let mut context = Context::new();
        for (key, values) in &witness.context {
            context.set(key, values.iter().cloned());
        }
        let request = Request {
            caller: &witness.principal,
            action: &witness.action,
            key: self.scene.key,
            context: &context,
        };
        let answer = |rights| standing(rights, &request, self.scene, self.exemption);
        answer(self.a) == witness.a && answer(self.b) == witness.b
    }

    /// A request of the box, as the ordinary evaluator answers it on both sides.
    pub(super) fn witness(&self, space: &Space<'_>, cube: &Cube) -> Option<Witness> {
        let point = space.point(cube)?;
        let request = Request {
            caller: &point.caller,
            action: &point.action,
            key: self.scene.key,
            context: &point.context,
        };
        Some(Witness {
            a: standing(self.a, &request, self.scene, self.exemption),
            b: standing(self.b, &request, self.scene, self.exemption),
            principal: point.caller.clone(),
            action: point.action.clone(),
            context: point.shown,
        })
    }
}

/// What the ordinary evaluator answers one request.
pub(super) fn standing(
    rights: Rights<'_>,
    request: &Request<'_>,
    scene: &Scene<'_>,
    exemption: Exemption,
) -> Level {
    let Rights { policy, grants } = rights;
    let identities = scene.identities;
    let identity = identities.and_then(|all| all.of_caller(request.caller));
    let is_known = identities.is_some_and(|all| all.knows(request.caller));
    if grants.is_empty() && !is_known {
        return evaluate_under(policy, request, exemption).level;
    }
    let policies = Policies {
        key: policy,
        identity: identity.map_or(&[], |identity| identity.policies.as_slice()),
        boundary: identity.and_then(|identity| identity.boundary.as_ref()),
        session: &[],
        grants,
    };
    policies.standing(request, exemption, is_known)
}
