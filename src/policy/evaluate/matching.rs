//! What all statements have in common: actions, resources and conditions against one request.

use sorted_vec::SortedSet;

use super::Call;
use crate::policy::condition::holds;
use crate::policy::context::Facts;
use crate::policy::document::{Actions, Condition, Resources, Version};
use crate::policy::pattern::Glob;
use crate::policy::reading::RESOURCE_WILDCARDS_CROSS_COLONS;
use crate::policy::variable::expand;

/// One request as the statements of one policy see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matching<'a> {
    pub(super) call: Call<'a>,
    pub(super) version: Version,
    pub(super) facts: Facts<'a>,
}

impl Matching<'_> {
    pub(super) fn covers_action(self, actions: &Actions) -> bool {
        actions.cover(self.call.action)
    }

    /// True when a key policy's resources are `*` or name the key.
    pub(super) fn is_this_key(self, resources: &Resources) -> bool {
        self.covers_key(resources, Glob::matches_arn)
    }

    /// True when the resources of a caller's own policy take in the key.
    pub(super) fn includes_key(self, resources: &Resources) -> bool {
        if RESOURCE_WILDCARDS_CROSS_COLONS {
            self.covers_key(resources, Glob::matches)
        } else {
            self.is_this_key(resources)
        }
    }

    fn covers_key(self, resources: &Resources, fits: impl Fn(&Glob, &str) -> bool) -> bool {
        let key = self.call.resource;
        let expanded = |text: &String| expand(text, self.version, self.facts);
        let is_key =
            |text: &String| text == "*" || expanded(text).is_some_and(|glob| fits(&glob, key));
        match resources {
            Resources::Any(set) => set.iter().any(is_key),
            Resources::Not(set) => !set.is_empty() && !set.iter().any(is_key),
        }
    }

    pub(super) fn meets(self, conditions: &SortedSet<Condition>) -> bool {
        conditions
            .iter()
            .all(|condition| holds(condition, self.version, self.facts))
    }
}
