//! Words for a box of requests: who calls, and which operations.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use super::Scene;
use super::caller::{Caller, follows_from_caller};
use super::condition_words::{Core, core};
use super::cube::Cube;
use super::levels::{is_named, is_of};
use super::space::{ACTIONS, CALLERS, Space, holds_for};
use super::survey::Rules;
use crate::model::{AccountId, Principal};
use crate::policy::{ADMINISTRATION, ActionPattern, DELETION};

/// The most exceptions that "everyone but" lists.
const MAX_EXCEPTIONS: usize = 3;

/// Principals that no longer exist, and of which no policy speaks.
pub(super) const GONE: &str = "deleted principals";

/// Operations that there are not yet.
const TO_COME: &str = "operations to come";

/// A set of points with the words for it.
struct Group {
    set: FixedBitSet,
    words: String,
}

/// Words for boxes of one space.
pub(super) struct Phrases<'s> {
    pub(super) space: &'s Space<'s>,
    pub(super) scene: &'s Scene<'s>,
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
        let outside = |caller: &Caller| !is_of(&own, caller);
        let mut groups = vec![Group {
            set: self.space.set_of_callers(&outside),
            words: "anyone outside this account".to_owned(),
        }];
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
            // Those outside the account are told by their kinds here.
            for group in groups.iter().skip(1) {
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
        // Nobody can call as a principal that is gone: not worth a word beside others.
        left.difference_with(&self.gone());
        if left.is_clear() {
            return vec![GONE.to_owned()];
        }
        let mut phrases = cover(&self.everyones, set, &mut left);
        phrases.extend(self.everyone_but(set, &mut left));
        phrases.extend(cover(&self.named, set, &mut left));
        phrases.extend(self.role_but(set, &mut left));
        self.add_kinds(&left, &mut phrases);
        match self.anyone_but(set) {
            Some(but) if but.len() < phrases.join(", ").len() => vec![but],
            Some(_) | None => phrases,
        }
    }

    /// Principals that are gone and that no policy names.
    fn gone(&self) -> FixedBitSet {
        let is_gone = |caller: &Caller| matches!(caller.principal, Principal::Deleted(_));
        self.space
            .set_of_callers(&|caller| is_gone(caller) && !caller.is_named)
    }

    /// Adds the words for single points among callers.
    fn add_kinds(&self, set: &FixedBitSet, phrases: &mut Vec<String>) {
        for at in set.ones() {
            if let Some(caller) = self.space.callers.get(at) {
                let words = self.kind_of(caller);
                if !phrases.contains(&words) {
                    phrases.push(words);
                }
            }
        }
    }

    /// Everyone but a few.
    fn anyone_but(&self, set: &FixedBitSet) -> Option<String> {
        let mut missing = set.clone();
        missing.toggle_range(..);
        let wanted = missing.clone();
        let mut names = cover(&self.everyones, &wanted, &mut missing);
        names.extend(cover(&self.named, &wanted, &mut missing));
        self.add_kinds(&missing, &mut names);
        let is_plain = names.len() <= MAX_EXCEPTIONS && names.iter().all(|name| !is_limited(name));
        (is_plain && self.has_unnamed(set)).then(|| format!("anyone except {}", listed(&names)))
    }

    /// Roles of which all but a few named sessions are in the set.
    fn role_but(&self, set: &FixedBitSet, left: &mut FixedBitSet) -> Vec<String> {
        let mut phrases = Vec::new();
        for role in &self.named {
            let mut missing = role.set.clone();
            missing.difference_with(set);
            let callers = role.set.ones().filter_map(|at| self.space.callers.get(at));
            let mut own = callers.filter(|one| matches!(one.principal, Principal::Role(_)));
            let has_role = own.any(|caller| {
                let at = self.space.callers.iter().position(|one| one == caller);
                at.is_some_and(|at| set.contains(at))
            });
            if !has_role || role.set.is_disjoint(left) {
                continue;
            }
            let mut names = Vec::new();
            self.add_kinds(&missing, &mut names);
            if names.len() <= MAX_EXCEPTIONS {
                left.difference_with(&role.set);
                phrases.push(format!("{} except {}", role.words, listed(&names)));
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
            self.add_kinds(&missing, &mut names);
            if names.len() > MAX_EXCEPTIONS || is_limited(&group.words) {
                continue;
            }
            left.difference_with(&inside);
            phrases.push(format!("{} except {}", group.words, listed(&names)));
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
            Principal::Session(_) => self.sessions(caller, of),
            Principal::Federated(_) => format!("federated users of {of}"),
            Principal::Service(_) => "other AWS services".to_owned(),
            Principal::Deleted(_) => GONE.to_owned(),
        }
    }

    /// Words for sessions that no policy names.
    fn sessions(&self, caller: &Caller, of: &str) -> String {
        let at = self.space.callers.iter().position(|one| one == caller);
        let has_caller = |group: &&Group| at.is_some_and(|at| group.set.contains(at));
        let Some(role) = self.named.iter().find(has_caller) else {
            return format!("sessions of other roles of {of}");
        };
        let all = role.set.ones().filter_map(|at| self.space.callers.get(at));
        let mut sessions = all.filter(|one| matches!(one.principal, Principal::Session(_)));
        if sessions.all(|one| one == caller) {
            format!("sessions of {}", role.words)
        } else {
            format!("other sessions of {}", role.words)
        }
    }

    /// Which operations.
    pub(super) fn operations(&self, cube: &Cube) -> Vec<String> {
        let Some(set) = cube.0.get(ACTIONS) else {
            return Vec::new();
        };
        let plain = self.operations_of(set);
        let mut missing = set.clone();
        missing.toggle_range(..);
        let exceptions = self.operations_of(&missing);
        let is_plain = exceptions.iter().all(|words| !words.contains(TO_COME));
        if exceptions.is_empty() || !is_plain {
            return plain;
        }
        let but = format!("all operations except {}", listed(&exceptions));
        // Which ones there are is plainer than which ones there are not.
        if plain.join(", ").len() > but.len() {
            vec![but]
        } else {
            plain
        }
    }

    fn operations_of(&self, set: &FixedBitSet) -> Vec<String> {
        let mut left = set.clone();
        let mut phrases = cover(&self.operations, set, &mut left);
        let has_all_to_come = self
            .space
            .actions
            .iter()
            .enumerate()
            .all(|(at, (name, _))| is_known(name) || set.contains(at));
        let mut singles: Vec<String> = Vec::new();
        let mut to_come: Vec<Option<&ActionPattern>> = Vec::new();
        for (name, fits) in left.ones().filter_map(|at| self.space.actions.get(at)) {
            if is_known(name) {
                singles.push(bare(name));
            } else {
                to_come.push(self.narrowest(fits));
            }
        }
        to_come.dedup();
        singles.extend(match to_come.as_slice() {
            [] => None,
            _ if has_all_to_come => Some(TO_COME.to_owned()),
            [Some(pattern)] => Some(format!("{TO_COME} like {}", bare(pattern.as_str()))),
            _ => Some(format!("some {TO_COME}")),
        });
        // What has a name of its own comes before patterns.
        singles.append(&mut phrases);
        singles
    }

    /// The pattern that says most of operations that fit some.
    fn narrowest(&self, fits: &FixedBitSet) -> Option<&ActionPattern> {
        let patterns = fits.ones().filter_map(|at| self.space.patterns.get(at));
        let breadth = |pattern: &&&ActionPattern| {
            let actions = self.space.actions.iter();
            actions.filter(|(name, _)| pattern.matches(name)).count()
        };
        let narrowest = patterns.copied().min_by_key(|pattern| breadth(&pattern));
        narrowest.filter(|pattern| breadth(&pattern) < self.space.actions.len())
    }
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

/// True for words that say of whom they are not true.
fn is_limited(words: &str) -> bool {
    words.contains(" except ")
}

/// Words as a list that ends with "and".
pub(super) fn listed(words: &[String]) -> String {
    match words.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// True for an operation of today.
fn is_known(name: &str) -> bool {
    name.chars().any(|c| c.is_ascii_uppercase())
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
