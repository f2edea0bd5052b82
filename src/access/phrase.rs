//! Words for a box of requests: who, which operations, under which conditions.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use super::Scene;
use super::caller::{Caller, follows_from_caller};
use super::condition_words::{Core, core};
use super::cube::Cube;
use super::levels::{is_named, is_of};
use super::space::{ACTIONS, CALLERS, KEYS, Space, holds_for};
use super::survey::Rules;
use crate::model::{AccountId, Principal};
use crate::policy::{ADMINISTRATION, ActionPattern, DELETION};

/// The most exceptions that "everyone but" lists.
const MAX_EXCEPTIONS: usize = 3;

/// A set of points with the words for it.
struct Group {
    set: FixedBitSet,
    words: String,
}

/// Words for boxes of one space.
pub(super) struct Phrases<'s> {
    space: &'s Space<'s>,
    scene: &'s Scene<'s>,
    /// Sets of callers, the larger ones first.
    everyones: Vec<Group>,
    named: Vec<Group>,
    /// Sets of operations that go by one name.
    operations: Vec<Group>,
}

impl<'s> Phrases<'s> {
    pub(super) fn new(space: &'s Space<'s>, rules: &Rules<'_>, scene: &'s Scene<'s>) -> Self {
        let principals: BTreeSet<&Principal> = rules.principals().collect();
        let mut phrases = Self {
            space,
            scene,
            everyones: Vec::new(),
            named: Vec::new(),
            operations: Vec::new(),
        };
        phrases.gather_everyones(&principals);
        phrases.gather_named(&principals);
        phrases.gather_operations();
        phrases
    }

    fn home(&self) -> AccountId {
        self.scene.key.place.account
    }

    fn gather_everyones(&mut self, principals: &BTreeSet<&Principal>) {
        let key = self.scene.key;
        let own = Principal::Account(key.partition, key.place.account);
        let accounts = principals
            .iter()
            .copied()
            .filter(|one| matches!(one, Principal::Account(..)) && **one != own);
        let mut groups = Vec::new();
        for account in std::iter::once(&own).chain(accounts) {
            let set = self.space.set_of_callers(&|caller| is_of(account, caller));
            let words = format!("everyone in {}", place(account, self.home()));
            groups.push(Group { set, words });
        }
        let home = Some((key.partition, key.place.account));
        let foreign = |caller: &Caller| caller.home.is_some() && caller.home != home;
        let service = |caller: &Caller| matches!(caller.principal, Principal::Service(_));
        groups.push(Group {
            set: self.space.set_of_callers(&foreign),
            words: "everyone in other accounts".to_owned(),
        });
        groups.push(Group {
            set: self.space.set_of_callers(&service),
            words: "every AWS service".to_owned(),
        });
        let mut by_condition = Vec::new();
        for (clause, condition) in &self.space.conditions {
            if !follows_from_caller(&clause.key) {
                continue;
            }
            let set = self
                .space
                .set_of_callers(&|caller| holds_for(clause, caller));
            let Core { words, holds } = core(condition, self.scene.key);
            let but = if holds { "" } else { "except " };
            let who = |base: &str| format!("{base} {but}{words}");
            for group in &groups {
                let mut both = set.clone();
                both.intersect_with(&group.set);
                let words = who(&group.words);
                by_condition.push(Group { set: both, words });
            }
            let words = who("anyone");
            by_condition.push(Group { set, words });
        }
        by_condition.sort_by_key(|group| std::cmp::Reverse(group.set.count_ones(..)));
        groups.extend(by_condition);
        self.everyones = groups;
    }

    fn gather_named(&mut self, principals: &BTreeSet<&Principal>) {
        let home = self.home();
        let single = principals
            .iter()
            .filter(|one| !matches!(one, Principal::Anyone | Principal::Account(..)));
        let groups = single.map(|principal| Group {
            set: self
                .space
                .set_of_callers(&|caller| is_named(principal, caller)),
            words: principal.short(home),
        });
        self.named = groups.collect();
    }

    fn gather_operations(&mut self) {
        let set_of = |covers: &dyn Fn(&str) -> bool| {
            let mut set = FixedBitSet::with_capacity(self.space.actions.len());
            let actions = self.space.actions.iter().enumerate();
            set.extend(
                actions
                    .filter(|(_, (name, _))| covers(name))
                    .map(|(at, _)| at),
            );
            set
        };
        let of_list = |list: &[&str]| {
            let patterns: Vec<ActionPattern> =
                list.iter().map(|text| ActionPattern::new(text)).collect();
            set_of(&|name| patterns.iter().any(|pattern| pattern.matches(name)))
        };
        let mut groups = vec![
            Group {
                set: set_of(&|_| true),
                words: "all operations".to_owned(),
            },
            Group {
                set: of_list(ADMINISTRATION),
                words: "administration".to_owned(),
            },
            Group {
                set: of_list(DELETION),
                words: "deletion".to_owned(),
            },
        ];
        let mut patterns: Vec<Group> = self
            .space
            .patterns
            .iter()
            .filter(|pattern| pattern.as_str().contains(['*', '?']))
            .map(|pattern| Group {
                set: set_of(&|name| pattern.matches(name)),
                words: bare(pattern.as_str()),
            })
            .collect();
        patterns.sort_by_key(|group| std::cmp::Reverse(group.set.count_ones(..)));
        groups.extend(patterns);
        self.operations = groups;
    }

    /// Who calls.
    pub(super) fn callers(&self, cube: &Cube) -> Vec<String> {
        let Some(set) = cube.0.get(CALLERS) else {
            return Vec::new();
        };
        if set.is_full() {
            return vec!["anyone".to_owned()];
        }
        let mut left = set.clone();
        let mut phrases = cover(&self.everyones, set, &mut left);
        phrases.extend(self.everyone_but(set, &mut left));
        phrases.extend(cover(&self.named, set, &mut left));
        for at in left.ones() {
            if let Some(caller) = self.space.callers.get(at) {
                let words = self.kind_of(caller);
                if !phrases.contains(&words) {
                    phrases.push(words);
                }
            }
        }
        phrases
    }

    /// Groups of which all but a few named principals are in the set.
    fn everyone_but(&self, set: &FixedBitSet, left: &mut FixedBitSet) -> Vec<String> {
        let mut phrases = Vec::new();
        for group in &self.everyones {
            let mut missing = group.set.clone();
            missing.difference_with(set);
            let mut inside = group.set.clone();
            inside.intersect_with(set);
            if missing.is_clear() || inside.is_disjoint(left) || !self.has_unnamed(&inside) {
                continue;
            }
            let wanted = missing.clone();
            let mut names = cover(&self.named, &wanted, &mut missing);
            for at in missing.ones() {
                let caller = self.space.callers.get(at);
                names.extend(caller.map(|caller| self.kind_of(caller)));
            }
            names.dedup();
            if names.len() > MAX_EXCEPTIONS {
                continue;
            }
            left.difference_with(&inside);
            phrases.push(format!("{} except {}", group.words, names.join(" and ")));
        }
        phrases
    }

    fn has_unnamed(&self, set: &FixedBitSet) -> bool {
        let callers = set.ones().filter_map(|at| self.space.callers.get(at));
        callers
            .filter(|caller| !caller.is_named)
            .any(|caller| matches!(caller.principal, Principal::Role(_) | Principal::Service(_)))
    }

    /// Words for one point among callers: a principal, or what is left of a kind.
    fn kind_of(&self, caller: &Caller) -> String {
        let home = self.home();
        let principal = &caller.principal;
        if caller.is_named {
            return principal.short(home);
        }
        let is_home = principal.account() == Some(home);
        let of = if is_home {
            "this account"
        } else {
            "other accounts"
        };
        match principal {
            Principal::Anyone => "anyone".to_owned(),
            Principal::Account(..) if is_home => "the root user".to_owned(),
            Principal::Account(..) => "root users of other accounts".to_owned(),
            Principal::User(_) => format!("other users of {of}"),
            Principal::Role(_) => format!("other roles of {of}"),
            Principal::Session(_) => {
                let roles = self.named.iter().find(|group| {
                    let at = self.space.callers.iter().position(|one| one == caller);
                    at.is_some_and(|at| group.set.contains(at))
                });
                match roles {
                    Some(role) => format!("other sessions of {}", role.words),
                    None => format!("sessions of other roles of {of}"),
                }
            }
            Principal::Federated(_) => format!("federated users of {of}"),
            Principal::Service(_) => "other AWS services".to_owned(),
            Principal::Deleted(_) => "deleted principals".to_owned(),
        }
    }

    /// Which operations.
    pub(super) fn operations(&self, cube: &Cube) -> Vec<String> {
        let Some(set) = cube.0.get(ACTIONS) else {
            return Vec::new();
        };
        let mut left = set.clone();
        let mut phrases = cover(&self.operations, set, &mut left);
        let names = left.ones().filter_map(|at| self.space.actions.get(at));
        let mut singles: Vec<String> = Vec::new();
        for (name, _) in names {
            let is_known = name.chars().any(|c| c.is_ascii_uppercase());
            let words = if is_known {
                bare(name)
            } else {
                "operations to come".to_owned()
            };
            if !singles.contains(&words) {
                singles.push(words);
            }
        }
        // What has a name of its own comes before patterns.
        singles.append(&mut phrases);
        singles
    }

    /// Under which conditions.
    pub(super) fn conditions(&self, cube: &Cube) -> Vec<String> {
        let mut phrases = Vec::new();
        for (at, _) in self.space.dimensions.iter().enumerate() {
            if let Some(set) = cube.0.get(KEYS + at).filter(|set| !set.is_full()) {
                phrases.push(self.condition(at, set));
            }
        }
        let from = KEYS + self.space.dimensions.len();
        for (at, condition) in self.space.variables.iter().enumerate() {
            let Some(set) = cube.0.get(from + at).filter(|set| !set.is_full()) else {
                continue;
            };
            let Core { words, holds } = core(condition, self.scene.key);
            phrases.push(only(&words, holds == set.contains(1)));
        }
        phrases
    }

    /// The shortest words for a set of values of one key.
    fn condition(&self, at: usize, set: &FixedBitSet) -> String {
        let Some(dimension) = self.space.dimensions.get(at) else {
            return String::new();
        };
        let mut known: Vec<(FixedBitSet, Core)> = Vec::new();
        known.push((dimension.absent(), Core::absent(&dimension.name)));
        for (clause, condition) in &self.space.conditions {
            if clause.key != dimension.key {
                continue;
            }
            if let Some(set) = dimension.set(clause) {
                known.push((set.clone(), core(condition, self.scene.key)));
            }
        }
        let mut signed: Vec<(FixedBitSet, String)> = Vec::new();
        for (set, Core { words, holds }) in known {
            let mut other = set.clone();
            other.toggle_range(..);
            signed.push((set, only(&words, holds)));
            signed.push((other, only(&words, !holds)));
        }
        describe(set, &signed).unwrap_or_else(|| {
            let values = set.ones().filter_map(|at| dimension.points.get(at));
            let examples: Vec<String> = values
                .take(3)
                .map(|values| {
                    if values.is_empty() {
                        "absent".to_owned()
                    } else {
                        values.join(" and ")
                    }
                })
                .collect();
            format!(
                "only when {} is such as {}",
                dimension.name,
                examples.join(" or ")
            )
        })
    }
}

/// Finds words for a set: those of one known set, of two of which it is the common part, or of several together.
fn describe(set: &FixedBitSet, known: &[(FixedBitSet, String)]) -> Option<String> {
    if let Some((_, words)) = known.iter().find(|(own, _)| own == set) {
        return Some(words.clone());
    }
    for (index, (one, words)) in known.iter().enumerate() {
        for (other, more) in known.iter().skip(index + 1) {
            let mut both = one.clone();
            both.intersect_with(other);
            if both == *set {
                return Some(format!("{words}, {more}"));
            }
        }
    }
    let mut left = set.clone();
    let mut parts: Vec<&str> = Vec::new();
    for (own, words) in known {
        if !own.is_clear() && own.is_subset(set) && !own.is_disjoint(&left) {
            left.difference_with(own);
            parts.push(words.strip_prefix("only ").unwrap_or(words));
        }
    }
    left.is_clear()
        .then(|| format!("only {}", parts.join(" or ")))
}

/// The words of groups inside a set, until nothing of it is left that they cover.
fn cover(groups: &[Group], set: &FixedBitSet, left: &mut FixedBitSet) -> Vec<String> {
    let mut phrases = Vec::new();
    for group in groups {
        if !group.set.is_clear() && group.set.is_subset(set) && !group.set.is_disjoint(left) {
            left.difference_with(&group.set);
            phrases.push(group.words.clone());
        }
    }
    phrases
}

fn only(words: &str, holds: bool) -> String {
    if holds {
        format!("only {words}")
    } else {
        format!("except {words}")
    }
}

/// An operation or pattern without its service.
fn bare(action: &str) -> String {
    action
        .split_once(':')
        .map_or(action, |(_, name)| name)
        .to_owned()
}

fn place(account: &Principal, home: AccountId) -> String {
    match account.account() {
        Some(account) if account == home => "this account".to_owned(),
        Some(account) => format!("account {account}"),
        None => account.to_string(),
    }
}
