//! What a key's changes do to access: who gains and who loses what.

use std::borrow::Cow;

use super::guard::Check;
use super::key::Surroundings;
use super::{Action, GrantToCreate, KeyPlan, Refusal};
use crate::access::{Comparison, Rights, Scene, Shifts, Verdict, compare, shifts};
use crate::model::KeyArn;
use crate::policy::{Document, Grant, Identities};
use crate::state::{DesiredPlace, LiveGrant, LivePolicy, LivePrincipal, ObservedKey};

/// What a key's changes do to access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AccessChange {
    /// Nothing, for certain.
    #[default]
    None,
    /// This.
    Shifts(Box<Shifts>),
    /// No one can tell, so take it as wider; why.
    Undetermined(String),
}

impl AccessChange {
    /// True when access may change.
    pub fn is_some(&self) -> bool {
        *self != Self::None
    }
}

/// Both sides of a key's access.
pub(super) struct Sides<'a> {
    pub(super) key: Cow<'a, KeyArn>,
    pub(super) identities: &'a Identities,
    before: Side<'a>,
    after: Side<'a>,
    writes_policy: bool,
}

/// What gives access at one time.
pub(super) struct Side<'a> {
    policy: Result<Cow<'a, Document>, String>,
    grants: Vec<Grant>,
    /// Grants whose grantee is not understood.
    dark: Vec<&'a str>,
}

impl Side<'_> {
    /// What gives access, or why that is not known.
    fn rights(&self) -> Result<Rights<'_>, String> {
        Ok(Rights {
            policy: self.policy.as_ref().map_err(Clone::clone)?,
            grants: &self.grants,
        })
    }

    /// What gives access as far as it is known.
    fn known<'s>(&'s self, silence: &'s Document) -> Rights<'s> {
        Rights {
            policy: self.policy.as_ref().map_or(silence, Cow::as_ref),
            grants: &self.grants,
        }
    }
}

impl<'a> Sides<'a> {
    /// The access to a key before and after its changes; `None` where they leave policy and grants alone.
    pub(super) fn of(
        plan: &'a KeyPlan,
        live: Option<&'a ObservedKey>,
        place: &'a DesiredPlace,
    ) -> Option<Self> {
        let touches = |action: &Action| {
            let is_of_grants =
                matches!(action, Action::CreateGrant(_) | Action::RevokeGrant { .. });
            is_of_grants || action.policy().is_some()
        };
        if !plan.changes.iter().any(|change| touches(&change.action)) {
            return None;
        }
        let key = live.map_or_else(
            || Cow::Owned(KeyArn::of_new_key(place.place.clone())),
            |live| Cow::Borrowed(&live.arn),
        );
        Some(Self {
            key,
            identities: &place.identities,
            before: before(live),
            after: after(plan, live),
            writes_policy: plan.changes.iter().any(|one| one.action.policy().is_some()),
        })
    }

    /// Why the guardrails refuse the change.
    pub(super) fn refusals(&self, around: &Surroundings<'_>) -> Vec<Refusal> {
        let silence = Document::empty();
        let check = Check {
            before: self.before.known(&silence),
            after: self.after.known(&silence),
            scene: Scene::of(&self.key),
            guardrails: &around.place.guardrails,
            caller: around.live.caller.as_ref(),
            limits: around.limits,
        };
        if self.writes_policy {
            check.of_policy()
        } else {
            check.of_grants()
        }
    }

    /// Whether access changes where all of IAM is left open.
    pub(super) fn may_change(&self) -> bool {
        self.told(&Scene::of(&self.key)) != Ok(None)
    }

    fn told(&self, scene: &Scene<'_>) -> Result<Option<Shifts>, String> {
        tell(self.before.rights()?, self.after.rights()?, scene)
    }

    /// Where access is looked at: what IAM is known to say counts.
    fn scene(&self) -> Scene<'_> {
        Scene {
            identities: Some(self.identities),
            ..Scene::of(&self.key)
        }
    }

    /// Who gains and who loses what.
    pub(super) fn change(&self) -> AccessChange {
        if self.before.dark != self.after.dark {
            let ids = self.before.dark.join(", ");
            let why = format!("the grantee of grant {ids} is not understood");
            return AccessChange::Undetermined(why);
        }
        let known = self.scene();
        // Among very many identities there may be no answer; with all of IAM open there mostly is.
        let told = self
            .told(&known)
            .or_else(|why| self.told(&Scene::of(&self.key)).map_err(|_| why));
        match told {
            Ok(None) => AccessChange::None,
            Ok(Some(shifts)) => AccessChange::Shifts(Box::new(shifts)),
            Err(why) => AccessChange::Undetermined(why),
        }
    }
}

fn tell(
    before: Rights<'_>,
    after: Rights<'_>,
    scene: &Scene<'_>,
) -> Result<Option<Shifts>, String> {
    let Comparison { scales, reason, .. } = compare(before, after, scene);
    match scales.full {
        Verdict::Equivalent => Ok(None),
        Verdict::Undetermined => Err(reason.map_or_else(String::new, |why| why.to_string())),
        Verdict::Narrower | Verdict::Wider | Verdict::Incomparable => {
            let shifts = shifts(before, after, scene).map_err(|why| why.to_string())?;
            Ok(Some(shifts))
        }
    }
}

fn before(live: Option<&ObservedKey>) -> Side<'_> {
    let Some(live) = live else {
        return Side {
            policy: Ok(Cow::Owned(Document::empty())),
            grants: Vec::new(),
            dark: Vec::new(),
        };
    };
    let policy = match &live.policy {
        LivePolicy::Document(document) => Ok(Cow::Borrowed(document.as_ref())),
        LivePolicy::Opaque { reason, .. } => {
            Err(format!("the live policy is not understood: {reason}"))
        }
    };
    let (grants, dark) = read(live.grants.iter());
    Side {
        policy,
        grants,
        dark,
    }
}

fn after<'a>(plan: &'a KeyPlan, live: Option<&'a ObservedKey>) -> Side<'a> {
    let actions = || plan.changes.iter().map(|change| &change.action);
    let written = actions().find_map(Action::policy);
    let is_revoked = |grant: &&LiveGrant| {
        actions().any(|action| {
            matches!(action, Action::RevokeGrant { grant: gone, .. } if gone.id == grant.id)
        })
    };
    let live_grants = live.into_iter().flat_map(|live| &live.grants);
    let (mut grants, dark) = read(live_grants.filter(|grant| !is_revoked(grant)));
    for action in actions() {
        if let Action::CreateGrant(grant) = action {
            grants.push(to_come(grant));
        }
    }
    let policy = match written {
        Some(document) => Ok(Cow::Borrowed(document)),
        None => before(live).policy,
    };
    Side {
        policy,
        grants,
        dark,
    }
}

/// Live grants as the evaluation takes them, and the ids of those whose grantee is not understood.
fn read<'a>(live: impl Iterator<Item = &'a LiveGrant>) -> (Vec<Grant>, Vec<&'a str>) {
    let mut grants = Vec::new();
    let mut dark = Vec::new();
    for grant in live {
        let LivePrincipal::Known(grantee) = &grant.grantee else {
            dark.push(grant.id.as_str());
            continue;
        };
        let known = grant
            .operations
            .iter()
            .map(|operation| operation.name().to_owned());
        grants.push(Grant {
            id: grant.id.clone(),
            key: None,
            grantee: grantee.clone(),
            operations: known
                .chain(grant.unknown_operations.iter().cloned())
                .collect(),
            constraints: grant.constraints.clone(),
        });
    }
    (grants, dark)
}

fn to_come(grant: &GrantToCreate) -> Grant {
    let operations = grant.terms.operations.iter();
    Grant {
        id: grant.name.to_string(),
        key: None,
        grantee: grant.terms.grantee.clone(),
        operations: operations.map(|one| one.name().to_owned()).collect(),
        constraints: grant.terms.constraints.clone(),
    }
}
