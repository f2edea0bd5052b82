//! The space of requests that rules tell apart: one example of each kind of caller, operation and context.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use fixedbitset::FixedBitSet;

use super::caller::{Caller, Mentions, callers, follows_from_caller};
use super::clause::Clause;
use super::cube::Cube;
use super::dimension::{CLOCK, Dimension, date};
use super::levels::{is_named, is_of};
use super::minterm::minterms_beside;
use super::pattern::{Class, Matcher, Pattern, Sign};
use super::rule::{Ask, PAIR, Rule, is_of_grants};
use super::{Scene, Undetermined, Universe};
use crate::model::{AccountId, KeyArn, Operation, Principal};
use crate::policy::{ActionPattern, Actions, Condition, Context, fold_names};

/// Where callers are among a box's dimensions.
pub(super) const CALLERS: usize = 0;
/// Where operations are.
pub(super) const ACTIONS: usize = 1;
/// Where context keys begin; behind them come the conditions with variables.
pub(super) const KEYS: usize = 2;

/// What rules tell apart of all requests.
#[derive(Debug)]
pub(super) struct Space<'r> {
    pub(super) callers: Vec<Caller>,
    /// Operations as written, with the patterns that cover them.
    pub(super) actions: Vec<(String, FixedBitSet)>,
    pub(super) patterns: Vec<&'r ActionPattern>,
    pub(super) dimensions: Vec<Dimension>,
    /// Each condition on one key, as it is read and as it is written.
    pub(super) conditions: Vec<(&'r Clause, &'r Condition)>,
    /// Accounts that are written down somewhere.
    pub(super) accounts: BTreeSet<AccountId>,
    /// Conditions with variables, each of which may hold or not.
    pub(super) variables: Vec<&'r Condition>,
}

/// One request out of the space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) caller: Principal,
    pub(super) action: String,
    pub(super) context: Context,
    /// Keys that are there, as the context has them.
    pub(super) shown: BTreeMap<String, Vec<String>>,
}

impl<'r> Space<'r> {
    /// The space of these rules; `more` principals are told apart as well.
    pub(super) fn of(
        rules: &[&'r Rule<'_>],
        more: impl Iterator<Item = &'r Principal>,
        scene: &Scene<'_>,
    ) -> Result<Self, Undetermined> {
        let conditions: Vec<(&Clause, &Condition)> =
            rules.iter().flat_map(|rule| rule.clauses()).collect();
        let mut keys: BTreeMap<&str, Vec<&Clause>> = BTreeMap::new();
        let mut of_caller = Vec::new();
        for (clause, _) in &conditions {
            if follows_from_caller(&clause.key) {
                of_caller.push(*clause);
            } else {
                let known = keys.entry(&clause.key).or_default();
                if !known.contains(clause) {
                    known.push(clause);
                }
            }
        }
        let variables = rules.iter().flat_map(|rule| rule.variables());
        let variables: BTreeMap<Condition, &Condition> =
            variables.map(|one| (folded(one), one)).collect();
        let principals: BTreeSet<&Principal> = rules
            .iter()
            .flat_map(|rule| rule.principals())
            .chain(more)
            .collect();
        let accounts = accounts(&principals, &conditions);
        let mentions = Mentions {
            partition: scene.key.partition,
            home: scene.key.place.account,
            accounts: &accounts,
            principals,
            clauses: of_caller,
        };
        let callers = callers(&mentions)?;
        let (patterns, actions) = actions(rules, scene)?;
        let dimensions = keys
            .iter()
            .map(|(key, clauses)| Dimension::of(key, clauses))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            callers,
            actions,
            patterns,
            dimensions,
            conditions,
            accounts,
            variables: variables.into_values().collect(),
        })
    }

    /// Everything.
    pub(super) fn all(&self) -> Cube {
        let full = |count: usize| {
            let mut set = FixedBitSet::with_capacity(count);
            set.insert_range(..);
            set
        };
        let keys = self
            .dimensions
            .iter()
            .map(|dimension| dimension.points.len());
        let variables = self.variables.iter().map(|_| 2);
        let sizes = [self.callers.len(), self.actions.len()]
            .into_iter()
            .chain(keys)
            .chain(variables);
        Cube(sizes.map(full).collect())
    }

    /// The box of all requests that a rule is about, whoever calls.
    pub(super) fn reach(&self, rule: &Rule<'_>) -> Cube {
        let mut cube = self.all();
        cube.limit(ACTIONS, &self.set_of_actions(&rule.actions));
        for ask in &rule.asks {
            match ask {
                Ask::Key(clause, _) if follows_from_caller(&clause.key) => {
                    cube.limit(
                        CALLERS,
                        &self.set_of_callers(&|caller| holds_for(clause, caller)),
                    );
                }
                Ask::Key(clause, _) => {
                    let mut dimensions = self.dimensions.iter().enumerate();
                    let found = dimensions.find_map(|(at, one)| Some((at, one.set(clause)?)));
                    if let Some((at, set)) = found {
                        cube.limit(KEYS + at, set);
                    }
                }
                Ask::Variable(condition) => {
                    let condition = folded(condition);
                    let mut variables = self.variables.iter();
                    let at = variables.position(|one| folded(one) == condition);
                    let at = at.unwrap_or_default();
                    let mut set = FixedBitSet::with_capacity(2);
                    set.insert(1);
                    cube.limit(KEYS + self.dimensions.len() + at, &set);
                }
                Ask::NoOtherPairs(names) => self.forbid_other_pairs(&mut cube, names),
            }
        }
        cube
    }

    /// The box of all requests that a rule names: principals are themselves, accounts everyone of them.
    pub(super) fn named(&self, rule: &Rule<'_>) -> Cube {
        let mut cube = self.reach(rule);
        let principals: Vec<&Principal> = rule.principals().collect();
        let is_in = |caller: &Caller| {
            let mut all = principals.iter();
            all.any(|one| is_named(one, caller) || is_of(one, caller))
        };
        cube.limit(CALLERS, &self.set_of_callers(&is_in));
        cube
    }

    /// Requests that AWS's tables say there are not: operations that do not work from other accounts, condition keys
    /// with operations that do not have them, and keys about an account's principals with AWS services.
    pub(super) fn impossible(&self, key: &KeyArn) -> Vec<Cube> {
        let cubes = std::iter::once(self.out_of_reach(key)).chain(self.pointless());
        let cubes = cubes.chain(self.of_no_service());
        cubes.filter(|cube| !cube.is_empty()).collect()
    }

    /// AWS services with condition keys that only principals of accounts have.
    pub(super) fn of_no_service(&self) -> impl Iterator<Item = Cube> {
        let is_service = |caller: &Caller| matches!(caller.principal, Principal::Service(_));
        let services = self.set_of_callers(&is_service);
        let keys = self.dimensions.iter().enumerate().filter(|(_, dimension)| {
            let key = dimension.key.as_str();
            matches!(key, "aws:principalorgid" | "aws:principalorgpaths")
                || key.starts_with("aws:principaltag/")
        });
        keys.map(move |(at, dimension)| {
            let mut cube = self.all();
            cube.limit(CALLERS, &services);
            cube.leave(KEYS + at, &dimension.absent());
            cube
        })
    }

    /// Calls from other accounts of operations that do not work across accounts.
    pub(super) fn out_of_reach(&self, key: &KeyArn) -> Cube {
        let home = Some((key.partition, key.place.account));
        let is_foreign = |caller: &Caller| caller.home.is_some() && caller.home != home;
        let mut foreign = self.all();
        foreign.limit(CALLERS, &self.set_of_callers(&is_foreign));
        let stays_home = |operation: Operation| !operation.is_cross_account();
        foreign.limit(ACTIONS, &self.set_of_operations(&stays_home));
        foreign
    }

    /// Condition keys with operations that do not have them.
    pub(super) fn pointless(&self) -> impl Iterator<Item = Cube> {
        let keys = self.dimensions.iter().enumerate().map(|(at, dimension)| {
            let mut cube = self.all();
            cube.leave(KEYS + at, &dimension.absent());
            let lacks = |operation: Operation| !operation.can_carry(&dimension.key);
            cube.limit(ACTIONS, &self.set_of_operations(&lacks));
            cube
        });
        keys.filter(|cube| !cube.is_empty())
    }

    /// Today's operations of a kind; nothing is said about those to come.
    pub(super) fn set_of_operations(&self, is_in: &dyn Fn(Operation) -> bool) -> FixedBitSet {
        let mut set = FixedBitSet::with_capacity(self.actions.len());
        let points = self.actions.iter().enumerate();
        let known = points.filter_map(|(at, (name, _))| Some((at, name.parse().ok()?)));
        set.extend(
            known
                .filter(|(_, operation)| is_in(*operation))
                .map(|(at, _)| at),
        );
        set
    }

    /// Leaves only requests without any other pair of the encryption context.
    fn forbid_other_pairs(&self, cube: &mut Cube, names: &BTreeSet<String>) {
        for (at, dimension) in self.dimensions.iter().enumerate() {
            let is_other = |name: &str| !names.contains(name);
            if dimension.key.strip_prefix(PAIR).is_some_and(is_other) {
                cube.limit(KEYS + at, &dimension.absent());
            }
        }
    }

    pub(super) fn set_of_callers(&self, is_in: &dyn Fn(&Caller) -> bool) -> FixedBitSet {
        let mut set = FixedBitSet::with_capacity(self.callers.len());
        let found = self.callers.iter().enumerate();
        set.extend(found.filter(|(_, caller)| is_in(caller)).map(|(at, _)| at));
        set
    }

    pub(super) fn set_of_actions(&self, actions: &Actions) -> FixedBitSet {
        let (patterns, is_not) = match actions {
            Actions::Any(patterns) => (patterns, false),
            Actions::Not(patterns) => (patterns, true),
        };
        let mut set = FixedBitSet::with_capacity(self.actions.len());
        if patterns.is_empty() {
            return set;
        }
        let wanted: BTreeSet<&ActionPattern> = patterns.iter().collect();
        let covered = |fits: &FixedBitSet| {
            fits.ones().any(|at| {
                self.patterns
                    .get(at)
                    .is_some_and(|one| wanted.contains(one))
            })
        };
        let found = self.actions.iter().enumerate();
        set.extend(
            found
                .filter(|(_, (_, fits))| covered(fits) != is_not)
                .map(|(at, _)| at),
        );
        set
    }

    /// A request of a box, the plainest one; `None` for an empty box.
    pub(super) fn point(&self, cube: &Cube) -> Option<Point> {
        let first = |at: usize| cube.0.get(at).and_then(FixedBitSet::minimum);
        let caller = self.callers.get(first(CALLERS)?)?;
        let (action, _) = self.actions.get(first(ACTIONS)?)?;
        let mut context = Context::new();
        let mut shown = BTreeMap::new();
        for (at, dimension) in self.dimensions.iter().enumerate() {
            let values = dimension.points.get(first(KEYS + at)?)?;
            context.set(&dimension.key, values.iter().cloned());
            if dimension.key == CLOCK
                && let Some(date) = values.first().and_then(|seconds| date(seconds))
            {
                context.set("aws:CurrentTime", [date.clone()]);
                shown.insert("aws:CurrentTime".to_owned(), vec![date]);
            } else if !values.is_empty() {
                shown.insert(dimension.name.clone(), values.clone());
            }
        }
        if let Some(role) = caller.role_below_a_path() {
            let key = "aws:PrincipalArn";
            context.set(key, [role.to_owned()]);
            shown.insert(key.to_owned(), vec![role.to_owned()]);
        }
        Some(Point {
            caller: caller.principal.clone(),
            action: action.clone(),
            context,
            shown,
        })
    }
}

/// A condition with variables whose spelling makes no difference.
fn folded(condition: &Condition) -> Condition {
    let values = condition.values.iter().map(|value| fold_names(value));
    Condition {
        operator: condition.operator,
        key: condition.key.to_ascii_lowercase(),
        values: values.collect::<Vec<_>>().into(),
    }
}

/// The accounts of principals, and those in the values of conditions on who calls.
fn accounts(
    principals: &BTreeSet<&Principal>,
    conditions: &[(&Clause, &Condition)],
) -> BTreeSet<AccountId> {
    let of_caller = conditions
        .iter()
        .filter(|(clause, _)| follows_from_caller(&clause.key));
    let values = of_caller.flat_map(|(_, condition)| condition.values.iter());
    let written = values.filter_map(|value| {
        let account = value.split(':').nth(4).unwrap_or(value);
        account.parse().ok()
    });
    let named = principals
        .iter()
        .filter_map(|principal| principal.account());
    named.chain(written).collect()
}

/// Action patterns, and actions with the patterns that cover them.
type ActionSpace<'r> = (Vec<&'r ActionPattern>, Vec<(String, FixedBitSet)>);

/// The action patterns of rules, and the actions that they tell apart.
fn actions<'r>(rules: &[&'r Rule<'_>], scene: &Scene<'_>) -> Result<ActionSpace<'r>, Undetermined> {
    let patterns: BTreeSet<&ActionPattern> =
        rules.iter().flat_map(|rule| rule.patterns()).collect();
    let patterns: Vec<&ActionPattern> = patterns.into_iter().collect();
    let words: Vec<Pattern> = patterns.iter().map(|pattern| names_of(pattern)).collect();
    let matchers: Vec<Matcher<'_>> = words.iter().map(Matcher::new).collect();
    let is_named = |operation: &Operation| {
        patterns
            .iter()
            .any(|pattern| pattern.as_str() == operation.action())
    };
    let mut found = Vec::new();
    for (operation, name) in Operation::ALL.iter().zip(&*NAMES) {
        if operation.is_key_level() || (is_of_grants(*operation) && is_named(operation)) {
            let mut fits = FixedBitSet::with_capacity(words.len());
            let all = matchers.iter().enumerate();
            let fitting = all.filter(|(_, matcher)| matcher.matches(name));
            fits.extend(fitting.map(|(at, _)| at));
            found.push((operation.action().to_owned(), fits));
        }
    }
    if scene.universe == Universe::Open {
        let language = Pattern::default()
            .times(1, Class::Letter)
            .many(Class::Letter);
        let future = ["anoperationtocome".to_owned()];
        let to_come = minterms_beside(&NAMES, &words, &[language], &future)?;
        let to_come = to_come.into_iter();
        found.extend(to_come.map(|minterm| (format!("kms:{}", minterm.word), minterm.fits)));
    }
    found.sort_by_cached_key(|(name, _)| rank(name));
    Ok((patterns, found))
}

/// The names of all operations, in their order, in lower case.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let names = Operation::ALL.iter();
    names
        .map(|operation| operation.name().to_ascii_lowercase())
        .collect()
});

/// The names of KMS operations that a pattern covers, in lower case.
fn names_of(pattern: &ActionPattern) -> Pattern {
    let text = pattern.as_str().to_ascii_lowercase();
    let names = match text.split_once(':') {
        None if text == "*" => "*",
        Some(("kms" | "*", names)) => names,
        // No word has a space.
        Some(_) | None => " ",
    };
    Pattern::glob(&Sign::read(names), Class::Any)
}

/// What people know best comes first.
fn rank(action: &str) -> (usize, bool, String) {
    let best = [
        "kms:Decrypt",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:Sign",
        "kms:PutKeyPolicy",
        "kms:CreateGrant",
        "kms:ScheduleKeyDeletion",
        "kms:DescribeKey",
    ];
    let place = best.iter().position(|known| *known == action);
    let is_known = action.chars().any(|c| c.is_ascii_uppercase());
    (place.unwrap_or(best.len()), !is_known, action.to_owned())
}

/// Whether a condition on what follows from the caller holds.
pub(super) fn holds_for(clause: &Clause, caller: &Caller) -> bool {
    match caller.value(&clause.key) {
        Some(value) => clause.passes(clause.names(&value)),
        None => clause.holds_without(),
    }
}
