//! The normal form of duties: one way to say each policy, so that lifting is the inverse of compiling.

use std::collections::{BTreeMap, BTreeSet};

use super::capability;
use super::compile::{KeyContext, delegates_by_default};
use super::document::ActionPattern;
use super::duty::{Allowance, Capability, Duties, Holder, User};
use crate::model::Operation;

/// What makes two users one: whether they are organizations, and all but the holders.
type Way = (
    bool,
    BTreeSet<Allowance>,
    BTreeSet<String>,
    BTreeMap<String, String>,
);

impl Duties {
    /// The same access, said in one way: users with the same terms are one, organizations stand apart, and
    /// operations are named by the shortest set of capabilities.
    #[must_use]
    pub fn normalised(&self, key: &KeyContext) -> Self {
        let Self {
            iam_policies,
            administrators,
            administrators_may_delete,
            users,
        } = self;
        let mut ways: BTreeMap<Way, BTreeSet<Holder>> = BTreeMap::new();
        for user in users {
            for holder in &user.holders {
                let is_organization = matches!(holder, Holder::Organization(_));
                let can_meet = user.can_meet_context(key);
                let context = if can_meet {
                    user.context.clone()
                } else {
                    BTreeMap::new()
                };
                let is_conditioned = is_organization || !user.via.is_empty() || !context.is_empty();
                let allowances = shortest(&user.allowances, is_conditioned, key);
                let way = (is_organization, allowances, user.via.clone(), context);
                ways.entry(way).or_default().insert(holder.clone());
            }
        }
        let user = |((_, allowances, via, context), holders)| User {
            holders,
            allowances,
            via,
            context,
        };
        let mut users: Vec<User> = ways.into_iter().map(user).collect();
        // The console's own statements come before ours.
        users.sort_by_key(|user| !user.is_plain());
        Self {
            iam_policies: *iam_policies,
            administrators: administrators.clone(),
            administrators_may_delete: *administrators_may_delete || administrators.is_empty(),
            users,
        }
    }
}

impl User {
    /// True when some request that the user may make carries an encryption context.
    pub(super) fn can_meet_context(&self, key: &KeyContext) -> bool {
        let mut allowed = self
            .allowances
            .iter()
            .flat_map(|one| capability::actions(*one, key));
        let by_default = || capability::patterns(capability::use_of(key.key_type));
        key.key_type.is_symmetric()
            && (allowed.any(|action| capability::carries_context(&action))
                || self.allowances.is_empty()
                    && by_default().iter().any(capability::carries_context))
    }
}

/// The fewest capabilities and operations that allow the same; none where that is the default.
fn shortest(
    allowances: &BTreeSet<Allowance>,
    is_conditioned: bool,
    key: &KeyContext,
) -> BTreeSet<Allowance> {
    if allowances.is_empty() {
        return BTreeSet::new();
    }
    let delegate = Allowance::Capability(Capability::Delegate);
    let others = allowances.iter().filter(|one| **one != delegate);
    let patterns: BTreeSet<ActionPattern> = others
        .flat_map(|one| capability::actions(*one, key))
        .collect();
    let delegates = allowances.contains(&delegate);
    let mut found = name(&patterns, key).unwrap_or_else(|| allowances.clone());
    let all_use = BTreeSet::from([Allowance::Capability(Capability::Use)]);
    let default_delegates = !is_conditioned && delegates_by_default(key.key_type);
    if found == all_use && delegates == default_delegates {
        return BTreeSet::new();
    }
    if delegates {
        found.insert(delegate);
    }
    found
}

/// Names a set of actions by capabilities and operations; `None` where it has others.
pub(super) fn name(
    patterns: &BTreeSet<ActionPattern>,
    key: &KeyContext,
) -> Option<BTreeSet<Allowance>> {
    // Larger ones first, so that what they cover is not named again.
    let whole = [
        Capability::Administer,
        Capability::Use,
        Capability::Read,
        Capability::Delete,
        Capability::Grant,
    ];
    let single = Capability::NAMES.iter().map(|(capability, _)| *capability);
    let single = single.filter(|one| !whole.contains(one) && *one != Capability::Delegate);
    let mut open = patterns.clone();
    let mut found = BTreeSet::new();
    for capability in whole.into_iter().chain(single) {
        let actions = capability::patterns(capability.actions(key));
        if actions.is_subset(patterns) && !actions.is_disjoint(&open) {
            open.retain(|action| !actions.contains(action));
            found.insert(Allowance::Capability(capability));
        }
    }
    for action in open {
        found.insert(Allowance::Operation(
            action.as_str().parse::<Operation>().ok()?,
        ));
    }
    Some(found)
}
