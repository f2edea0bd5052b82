//! Two policies side by side: which of them gives more.

use std::collections::BTreeMap;

use super::cube::{Budget, Cube, rest};
use super::space::{Boxes, Space};
use super::{Exhausted, Scene, Undetermined};
use crate::model::Principal;
use crate::policy::{
    Document, Effect, Exemption, Level, Principals, Request, evaluate_under, same,
};

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

/// Compares two policies of a key: `b` as seen from `a`.
pub fn compare(a: &Document, b: &Document, scene: &Scene<'_>) -> Comparison {
    let equivalent = Comparison {
        scales: Scales::all(Verdict::Equivalent),
        witnesses: Vec::new(),
        reason: None,
    };
    if a == b {
        return equivalent;
    }
    let first = match under(a, b, scene, Exemption::WholeChain) {
        Ok(comparison) => comparison,
        // The same words need no understanding.
        Err(_) if same(a, b) => return equivalent,
        Err(reason) => return Comparison::undetermined(reason),
    };
    if !has_exemption(a) && !has_exemption(b) {
        return first;
    }
    match under(a, b, scene, Exemption::AnyLink) {
        Ok(second) if second.scales == first.scales => first,
        Ok(_) => Comparison::undetermined(Undetermined::Unclear(
            "AWS's pages disagree on whom `NotPrincipal` spares, and the answer depends on it"
                .to_owned(),
        )),
        Err(reason) => Comparison::undetermined(reason),
    }
}

/// True when a statement denies all but some.
fn has_exemption(document: &Document) -> bool {
    document.statements.iter().any(|statement| {
        statement.effect == Effect::Deny && matches!(statement.principals, Principals::Not(_))
    })
}

/// What one policy gives over another, from a level on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Threshold {
    NotDenied,
    Delegated,
    Direct,
}

impl Threshold {
    fn level(self) -> Level {
        match self {
            Self::NotDenied => Level::None,
            Self::Delegated => Level::Delegated,
            Self::Direct => Level::Direct,
        }
    }
}

fn under(
    a: &Document,
    b: &Document,
    scene: &Scene<'_>,
    exemption: Exemption,
) -> Result<Comparison, Undetermined> {
    let pair = Pair {
        a,
        b,
        scene,
        exemption,
    };
    let space = Space::of(&[a, b], scene)?;
    let (boxes_a, boxes_b) = (space.boxes(a, exemption)?, space.boxes(b, exemption)?);
    let budget = &mut Budget::new();
    let mut witnesses: Vec<Witness> = Vec::new();
    let mut differs = |more: &Boxes, less: &Boxes, threshold: Threshold, b_gains: bool| {
        let Some(cube) = gain(more, less, threshold, budget)? else {
            return Ok(false);
        };
        let witness = pair.replay(&space, &cube)?;
        let level = threshold.level();
        let (more, less) = if b_gains {
            (witness.b, witness.a)
        } else {
            (witness.a, witness.b)
        };
        if more < level || less >= level {
            return Err(Undetermined::Unclear(
                "the difference depends on a policy variable".to_owned(),
            ));
        }
        if !witnesses.contains(&witness) {
            witnesses.push(witness);
        }
        Ok(true)
    };
    let mut at = |threshold: Threshold| -> Result<(bool, bool), Undetermined> {
        let gains = differs(&boxes_b, &boxes_a, threshold, true)?;
        let loses = differs(&boxes_a, &boxes_b, threshold, false)?;
        Ok((gains, loses))
    };
    let direct = at(Threshold::Direct)?;
    let delegated = at(Threshold::Delegated)?;
    let not_denied = at(Threshold::NotDenied)?;
    let verdict = |parts: &[(bool, bool)]| {
        Verdict::of(
            parts.iter().any(|(gains, _)| *gains),
            parts.iter().any(|(_, loses)| *loses),
        )
    };
    Ok(Comparison {
        scales: Scales {
            full: verdict(&[direct, delegated, not_denied]),
            nogrant: verdict(&[direct, delegated]),
            may: verdict(&[delegated]),
        },
        witnesses,
        reason: None,
    })
}

/// A box of requests to which `more` gives the level and `less` does not.
fn gain(
    more: &Boxes,
    less: &Boxes,
    threshold: Threshold,
    budget: &mut Budget,
) -> Result<Option<Cube>, Exhausted> {
    let allows = |boxes: &'_ Boxes| match threshold {
        Threshold::NotDenied => Vec::new(),
        Threshold::Delegated => boxes.delegated.clone(),
        Threshold::Direct => boxes.direct.clone(),
    };
    let denied: Vec<&Cube> = more.denied.iter().collect();
    if threshold == Threshold::NotDenied {
        for cube in &less.denied {
            if let Some(found) = rest(cube.clone(), &denied, budget)? {
                return Ok(Some(found));
            }
        }
        return Ok(None);
    }
    let given = allows(less);
    let mut taken = denied.clone();
    taken.extend(&given);
    for cube in allows(more) {
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

/// Two policies under one reading.
struct Pair<'a> {
    a: &'a Document,
    b: &'a Document,
    scene: &'a Scene<'a>,
    exemption: Exemption,
}

impl Pair<'_> {
    /// A request of the box, as the ordinary evaluator answers it for both policies.
    fn replay(&self, space: &Space<'_>, cube: &Cube) -> Result<Witness, Undetermined> {
        let point = space.point(cube).ok_or_else(|| {
            Undetermined::Unclear("the difference has no request that shows it".to_owned())
        })?;
        let request = Request {
            caller: &point.caller,
            action: &point.action,
            key: self.scene.key,
            context: &point.context,
        };
        let level = |document: &Document| evaluate_under(document, &request, self.exemption).level;
        Ok(Witness {
            a: level(self.a),
            b: level(self.b),
            principal: point.caller.clone(),
            action: point.action.clone(),
            context: point.shown,
        })
    }
}
