//! One key that this scope owns: what to do so that it is as its manifest says.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::access::Sides;
use super::change::{rotation_agrees, tags_to_remove, tags_to_set};
use super::identity::{self, Found, Owner, is_going};
use super::{
    AccessChange, Action, Change, KeyPlan, Limits, NewKey, Note, Refusal, Rule, aliases, grants,
};
use crate::access::{Scene, Verdict, compare};
use crate::model::{KeyArn, KeyName, KeyState, Origin, RotationPeriod};
use crate::policy::{self, Document};
use crate::state::{
    Deletion, DesiredKey, DesiredPlace, LivePolicy, ObservedKey, ObservedPlace, Rotation,
    RotationStatus, UnmanagedGrants, Unreadable,
};

/// Days without use that a key needs before its deletion may be scheduled.
const SOAK_DAYS: i64 = 30;
/// On-demand rotations that KMS allows in a key's life.
const MOST_ROTATIONS_ON_DEMAND: u32 = 25;

/// A key's plan while it is made.
pub(super) struct Draft<'a> {
    pub(super) plan: KeyPlan,
    /// The live key; `None` where there is none yet.
    pub(super) live: Option<&'a ObservedKey>,
}

impl Draft<'_> {
    /// Adds a change, bound to the live part that it was planned from.
    pub(super) fn change(&mut self, action: Action) {
        let expects = action.expectation(self.live);
        self.plan.changes.push(Change { action, expects });
    }

    /// Adds a change that takes access away: after what gives it, before what takes away what it may replace.
    fn change_before_revocations(&mut self, action: Action) {
        self.change(action);
        let is_revocation = |change: &Change| matches!(change.action, Action::RevokeGrant { .. });
        let changes = &mut self.plan.changes;
        if let Some(first) = changes.iter().position(is_revocation) {
            changes.get_mut(first..).unwrap_or_default().rotate_right(1);
        }
    }

    /// The plan, with what its changes do to access and why that is refused.
    pub(super) fn finish(mut self, around: &Surroundings<'_>) -> KeyPlan {
        let Some(sides) = Sides::of(&self.plan, self.live, around.place) else {
            return self.plan;
        };
        let access = sides.change();
        // A guardrail does not rest on what IAM policies say today.
        let may_change = access.is_some() || sides.may_change();
        let is_same_today = may_change && !access.is_some();
        let refusals = if may_change {
            sides.refusals(around)
        } else {
            Vec::new()
        };
        self.plan.access = access;
        self.plan.refusals.extend(refusals);
        if is_same_today {
            let message = "with what IAM policies say today, nobody gains or loses access";
            self.note("same-access", message);
        }
        self.plan
    }

    pub(super) fn note(&mut self, code: &'static str, message: impl Into<String>) {
        self.plan.notes.push(Note::new(code, message));
    }

    pub(super) fn refuse(
        &mut self,
        rule: Rule,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.plan.refusals.push(Refusal::new(rule, message, help));
    }
}

/// What a key is planned by, beside its own manifest and live state.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) place: &'a DesiredPlace,
    pub(super) live: &'a ObservedPlace,
    pub(super) limits: &'a Limits,
}

/// A manifest's key, the account it is planned against, and the limits of the run.
pub(super) struct Task<'a> {
    pub(super) place: &'a DesiredPlace,
    pub(super) key: &'a DesiredKey,
    pub(super) live: &'a ObservedPlace,
    pub(super) limits: &'a Limits,
}

/// Plans one key.
pub(super) fn plan(
    place: &DesiredPlace,
    key: &DesiredKey,
    live: &ObservedPlace,
    limits: &Limits,
) -> KeyPlan {
    let found = identity::find(place, key, live, limits);
    let live_key = match &found {
        Found::Key(live, _) | Found::Refused(live, _) => Some(*live),
        Found::Nothing | Found::Missing(_) | Found::Unreadable(_) => None,
    };
    let mut draft = Draft {
        plan: KeyPlan::empty(key.name.clone(), live_key.map(|live| live.arn.clone())),
        live: live_key,
    };
    let task = Task {
        place,
        key,
        live,
        limits,
    };
    match found {
        Found::Nothing => plan_new(&mut draft, &task),
        Found::Missing(refusal) => draft.plan.refusals.push(refusal),
        Found::Unreadable(rows) => draft.plan.unreadable = rows,
        Found::Key(found, owner) => {
            if owner == Owner::Adopted {
                draft.note(
                    "adopted",
                    format!(
                        "takes over {}, which keywright did not manage so far",
                        found.arn
                    ),
                );
            }
            plan_live(&mut draft, &task, found);
        }
        Found::Refused(found, refusal) => {
            if refusal.rule == Rule::Adoption {
                plan_live(&mut draft, &task, found);
            }
            draft.plan.refusals.push(refusal);
        }
    }
    draft.finish(&Surroundings {
        place,
        live,
        limits,
    })
}

impl KeyPlan {
    /// A key that could not be read, and so not be planned.
    #[must_use]
    pub fn unread(name: KeyName, row: Unreadable) -> Self {
        Self {
            unreadable: vec![row],
            ..Self::empty(name, None)
        }
    }

    pub(super) fn empty(name: KeyName, key: Option<KeyArn>) -> Self {
        Self {
            name,
            key,
            changes: Vec::new(),
            access: AccessChange::None,
            notes: Vec::new(),
            refusals: Vec::new(),
            unreadable: Vec::new(),
        }
    }
}

fn plan_new(draft: &mut Draft<'_>, task: &Task<'_>) {
    let Task { key, limits, .. } = task;
    if key.deletion.is_some() {
        draft.note(
            "deleted",
            "there is no such key any more; its manifest can go",
        );
        return;
    }
    draft.change(Action::CreateKey(Box::new(NewKey {
        key_type: key.key_type,
        origin: key.origin,
        description: key.description.clone(),
        policy: Arc::clone(&key.policy),
        tags: key.tags.clone(),
        bypass_lockout_check: limits.allow.lockout,
    })));
    // The main alias first: it is the index by which the next run finds the key.
    draft.change(Action::CreateAlias(key.name.alias().clone()));
    let moves = aliases::plan(draft, task);
    plan_new_use(draft, key, limits);
    for action in moves {
        draft.change(action);
    }
}

/// Plans what needs the new key to be usable, and whether it stays so.
fn plan_new_use(draft: &mut Draft<'_>, key: &DesiredKey, limits: &Limits) {
    if key.origin == Origin::External {
        draft.note(
            "pending-import",
            "the key waits for its key material; grants come after the import",
        );
        return;
    }
    if let Some(Rotation::Every(to)) = key.rotation {
        draft.change(Action::EnableKeyRotation { from: None, to });
    }
    plan_rotations_on_demand(draft, key, 0);
    let terms = grants::Terms {
        declared: &key.grants,
        scope: None,
        unmanaged: UnmanagedGrants::Keep,
        usable: true,
        now: limits.now,
    };
    grants::plan(draft, &terms, &[]);
    if !key.enabled {
        draft.change(Action::DisableKey);
    }
}

fn plan_live(draft: &mut Draft<'_>, task: &Task<'_>, found: &ObservedKey) {
    let Task { key, limits, .. } = task;
    check_immutable(draft, key, found);
    if let Some(deletion) = &key.deletion {
        plan_deletion(draft, key, found, deletion, limits);
        return;
    }
    let going = is_going(found.state);
    if going {
        draft.change(Action::CancelKeyDeletion {
            was_due: found.deletion_date,
        });
    }
    if key.enabled && (going || found.state == KeyState::Disabled) {
        draft.change(Action::EnableKey);
    }
    let policy = plan_policy(draft, key, found, limits);
    let narrows = policy.is_some() && removes_statements(key, found);
    let mut policy = policy;
    if let Some(action) = policy.take_if(|_| !narrows) {
        draft.change(action);
    }
    if found.description != key.description {
        draft.change(Action::UpdateKeyDescription {
            from: found.description.clone(),
            to: key.description.clone(),
        });
    }
    plan_tags(draft, key, found);
    let mut moves = aliases::plan(draft, task);
    moves.extend(aliases::plan_others(draft, task, found));
    plan_use(draft, key, found, limits);
    if let Some(action) = policy {
        draft.change_before_revocations(action);
    }
    for action in moves {
        draft.change(action);
    }
    if !key.enabled && found.state == KeyState::Enabled {
        draft.change(Action::DisableKey);
        if !limits.allow.disabling {
            draft.refuse(
                Rule::Disabling,
                "the key would be disabled, and all use of it would fail",
                "remove `enabled: false`, or allow it with --allow-disable",
            );
        }
    }
}

fn check_immutable(draft: &mut Draft<'_>, key: &DesiredKey, found: &ObservedKey) {
    let mut differs = |field: &str, live: String, desired: String| {
        draft.refuse(
            Rule::Immutable,
            format!(
                "the key has {field} {live}, the manifest says {desired}; KMS fixes it at creation"
            ),
            format!(
                "correct `{field}`, or give the new key another name and move its aliases over"
            ),
        );
    };
    match found.key_type {
        None => differs(
            "spec",
            "that this version does not know".to_owned(),
            key.key_type.spec.to_string(),
        ),
        Some(live) => {
            if live.spec != key.key_type.spec {
                differs("spec", live.spec.to_string(), key.key_type.spec.to_string());
            }
            if live.usage != key.key_type.usage {
                differs(
                    "usage",
                    live.usage.to_string(),
                    key.key_type.usage.to_string(),
                );
            }
        }
    }
    if found.origin != key.origin {
        differs("origin", found.origin.to_string(), key.origin.to_string());
    }
    if found.multi_region {
        draft.refuse(
            Rule::Immutable,
            "the key is a multi-Region key, and the manifest describes one of a single Region",
            "remove the manifest, or give the new key another name and move its aliases over",
        );
    }
}

/// The new policy, where there should be one.
fn plan_policy(
    draft: &mut Draft<'_>,
    key: &DesiredKey,
    found: &ObservedKey,
    limits: &Limits,
) -> Option<Action> {
    let cosmetic = match &found.policy {
        LivePolicy::Document(live) if policy::identical(live, &key.policy) => return None,
        LivePolicy::Document(live) => gives_the_same(live, &key.policy, &found.arn),
        LivePolicy::Opaque { reason, .. } => {
            draft.note(
                "opaque-policy",
                format!("the live policy is not understood: {reason}"),
            );
            false
        }
    };
    if cosmetic && !limits.rewrite {
        draft.note(
            "cosmetic",
            "the policy means the same in other words; --rewrite makes it the same text",
        );
        return None;
    }
    Some(Action::PutKeyPolicy {
        from: Box::new(found.policy.clone()),
        to: Arc::clone(&key.policy),
        bypass_lockout_check: limits.allow.lockout,
        cosmetic,
    })
}

/// True when two policies of a key give everyone the same access, whatever their words.
fn gives_the_same(live: &Document, desired: &Document, key: &KeyArn) -> bool {
    let verdict = || compare(live, desired, &Scene::of(key)).scales.full;
    policy::same(live, desired) || verdict() == Verdict::Equivalent
}

/// True when a statement of the live policy is not in the new one, so that someone may lose access.
fn removes_statements(key: &DesiredKey, found: &ObservedKey) -> bool {
    match &found.policy {
        LivePolicy::Document(live) => live
            .statements
            .iter()
            .any(|one| !key.policy.statements.contains(one)),
        LivePolicy::Opaque { .. } => true,
    }
}

fn plan_tags(draft: &mut Draft<'_>, key: &DesiredKey, found: &ObservedKey) {
    let to = tags_to_set(&key.tags, &found.tags);
    if !to.is_empty() {
        let from = found.tags.iter().filter(|(tag, _)| to.contains_key(*tag));
        let from = from
            .map(|(tag, value)| (tag.clone(), value.clone()))
            .collect();
        draft.change(Action::TagResource { from, to });
    }
    let from = tags_to_remove(&key.tags, &found.tags);
    if !from.is_empty() {
        draft.change(Action::UntagResource { from });
    }
}

/// Plans what needs a usable key: rotation and grants.
fn plan_use(draft: &mut Draft<'_>, key: &DesiredKey, found: &ObservedKey, limits: &Limits) {
    let usable = match found.state {
        KeyState::Enabled | KeyState::Updating => true,
        KeyState::Disabled | KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => {
            key.enabled
        }
        KeyState::PendingImport | KeyState::Unavailable | KeyState::Creating => false,
    };
    let so_far = found.rotations_on_demand.unwrap_or(0);
    if usable {
        plan_rotation(draft, key, found);
        plan_rotations_on_demand(draft, key, so_far);
    } else if rotation_differs(key, found) || key.rotations_on_demand > Some(so_far) {
        let message = format!(
            "the key is {}: its rotation waits until it is usable",
            found.state
        );
        draft.note(Note::WAITING, message);
    }
    let terms = grants::Terms {
        declared: &key.grants,
        scope: None,
        unmanaged: key.unmanaged_grants,
        usable,
        now: limits.now,
    };
    grants::plan(draft, &terms, &found.grants);
}

fn plan_rotation(draft: &mut Draft<'_>, key: &DesiredKey, found: &ObservedKey) {
    let Some(desired) = key.rotation.filter(|_| rotation_differs(key, found)) else {
        return;
    };
    // KMS shows no rotation while a deletion waits, and the former one after it is cancelled.
    let live = found.rotation.unwrap_or(RotationStatus {
        enabled: false,
        period: None,
    });
    match desired {
        Rotation::Every(to) => draft.change(Action::EnableKeyRotation {
            from: found.rotation,
            to,
        }),
        Rotation::Off if live.enabled => draft.change(Action::DisableKeyRotation { from: live }),
        Rotation::Off => {}
    }
    if let (true, None, Rotation::Every(to)) = (live.enabled, live.period, desired)
        && to != RotationPeriod::DEFAULT
    {
        draft.note("period-not-kept", format!("the server does not say a rotation period; it may not keep the {to} that it is given"));
    }
}

/// True when automatic rotation is not as the manifest asks, or cannot be seen.
fn rotation_differs(key: &DesiredKey, found: &ObservedKey) -> bool {
    let agrees = |desired| {
        found
            .rotation
            .is_some_and(|live| rotation_agrees(desired, live))
    };
    key.rotation.is_some_and(|desired| !agrees(desired))
}

fn plan_rotations_on_demand(draft: &mut Draft<'_>, key: &DesiredKey, so_far: u32) {
    let wanted = key
        .rotations_on_demand
        .unwrap_or(0)
        .min(MOST_ROTATIONS_ON_DEMAND);
    for number in so_far + 1..=wanted {
        draft.change(Action::RotateKeyOnDemand { number });
    }
}

fn plan_deletion(
    draft: &mut Draft<'_>,
    key: &DesiredKey,
    found: &ObservedKey,
    deletion: &Deletion,
    limits: &Limits,
) {
    if is_going(found.state) {
        let due = found
            .deletion_date
            .map_or_else(String::new, |date| format!(", due {date}"));
        draft.note(
            "pending-deletion",
            format!("the key is pending deletion{due}"),
        );
        return;
    }
    draft.change(Action::ScheduleKeyDeletion {
        window_days: deletion.window_days,
        reason: deletion.reason.clone(),
    });
    if !limits.allow.deletion {
        draft.refuse(
            Rule::Deletion,
            "the key would be deleted, and all data under it would be lost",
            "remove `state: pending_deletion`, or allow it with --allow-deletion",
        );
    }
    for alias in found.aliases.difference(&key.aliases) {
        draft.refuse(
            Rule::Deletion,
            format!("{alias}, which no manifest declares, leads to the key"),
            "delete the alias first",
        );
    }
    for grant in found
        .grants
        .iter()
        .filter(|grant| grant.ours.as_ref().is_none_or(|ours| ours.scope.is_some()))
    {
        let grantee = grants::principal(&grant.grantee, found);
        draft.refuse(
            Rule::Deletion,
            format!("grant {} of {grantee} is not ours", grant.id),
            "revoke the grant first",
        );
    }
    if found.last_used.is_none() {
        draft.note("no-known-use", "KMS does not tell of any use of the key");
    }
    if let Some(used) = found.last_used.filter(|used| is_recent(*used, limits.now)) {
        draft.refuse(
            Rule::Deletion,
            format!("the key was used on {used}, less than {SOAK_DAYS} days ago"),
            "find out who uses it; disable it (`enabled: false`) and wait",
        );
    }
}

fn is_recent(used: Timestamp, now: Timestamp) -> bool {
    now.duration_since(used) < SignedDuration::from_hours(24 * SOAK_DAYS)
}
