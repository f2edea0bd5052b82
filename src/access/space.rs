//! The space of requests that a pair of policies tells apart, and each statement as a box in it.

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use super::caller::{Caller, Mentions, callers, follows_from_caller};
use super::clause::{Clause, Unread, signs};
use super::cube::Cube;
use super::dimension::{CLOCK, Dimension, date};
use super::minterm::minterms;
use super::pattern::{Class, Pattern, Sign};
use super::{Scene, Undetermined, Universe};
use crate::model::{KeyArn, Operation, Principal};
use crate::policy::{
    ActionPattern, Actions, Context, Document, Effect, Exemption, Level, Principals, Resources,
    Statement, Version,
};

/// What two policies tell apart of all requests.
#[derive(Debug)]
pub(super) struct Space<'a> {
    key: &'a KeyArn,
    callers: Vec<Caller>,
    /// Actions as written, with the patterns that cover them.
    actions: Vec<(String, FixedBitSet)>,
    patterns: Vec<&'a ActionPattern>,
    dimensions: Vec<Dimension>,
    /// Conditions with variables, each of which may hold or not.
    open: Vec<&'a crate::policy::Condition>,
}

/// A policy as boxes.
#[derive(Debug, Default)]
pub(super) struct Boxes {
    /// What it allows with the help of IAM policies, or directly.
    pub(super) delegated: Vec<Cube>,
    /// What it allows directly.
    pub(super) direct: Vec<Cube>,
    /// What it denies.
    pub(super) denied: Vec<Cube>,
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

type Read<'a> = (
    &'a Statement,
    Version,
    Vec<Result<Clause, &'a crate::policy::Condition>>,
);

impl<'a> Space<'a> {
    /// The space of these policies.
    pub(super) fn of(documents: &[&'a Document], scene: &Scene<'a>) -> Result<Self, Undetermined> {
        let mut read = Vec::new();
        for document in documents {
            for statement in &document.statements {
                read.push(clauses_of(statement, document.version)?);
            }
        }
        let clauses: Vec<&Clause> = read
            .iter()
            .flat_map(|(_, _, all)| all.iter().flatten())
            .collect();
        let mut keys: BTreeMap<&str, Vec<&Clause>> = BTreeMap::new();
        let mut of_caller = Vec::new();
        for clause in clauses {
            if follows_from_caller(&clause.key) {
                of_caller.push(clause);
            } else {
                let known = keys.entry(&clause.key).or_default();
                if !known.contains(&clause) {
                    known.push(clause);
                }
            }
        }
        let open: BTreeSet<&crate::policy::Condition> = read
            .iter()
            .flat_map(|(_, _, all)| all.iter().filter_map(|one| one.as_ref().err().copied()))
            .collect();
        let mentions = Mentions {
            partition: scene.key.partition,
            home: scene.key.place.account,
            principals: read
                .iter()
                .flat_map(|(statement, ..)| match &statement.principals {
                    Principals::Any(set) | Principals::Not(set) => set.iter(),
                })
                .collect(),
            clauses: of_caller,
        };
        let (patterns, actions) = actions(read.iter().map(|(statement, ..)| *statement), scene)?;
        let dimensions = keys
            .iter()
            .map(|(key, clauses)| Dimension::of(key, clauses))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            key: scene.key,
            callers: callers(&mentions)?,
            actions,
            patterns,
            dimensions,
            open: open.into_iter().collect(),
        })
    }

    /// A policy's statements as boxes, under a reading of `NotPrincipal`.
    pub(super) fn boxes(
        &self,
        document: &'a Document,
        exemption: Exemption,
    ) -> Result<Boxes, Undetermined> {
        let mut boxes = Boxes::default();
        for statement in &document.statements {
            let (_, version, clauses) = clauses_of(statement, document.version)?;
            if !covers_key(&statement.resources, version, self.key)? {
                continue;
            }
            let rest = self.conditions(&clauses);
            let actions = self.set_of_actions(&statement.actions);
            let cube = |who: &dyn Fn(&Caller) -> bool| {
                let mut cube = rest.clone();
                if let [own_callers, own_actions, ..] = cube.0.as_mut_slice() {
                    own_callers.intersect_with(&self.set_of_callers(who));
                    own_actions.intersect_with(&actions);
                }
                Some(cube).filter(|cube| !cube.is_empty())
            };
            let level = |caller: &Caller| allowed(&statement.principals, caller, self.key);
            match statement.effect {
                Effect::Allow => {
                    let delegated = cube(&|caller| level(caller) >= Level::Delegated);
                    if delegated.is_some() {
                        boxes
                            .direct
                            .extend(cube(&|caller| level(caller) == Level::Direct));
                    }
                    boxes.delegated.extend(delegated);
                }
                Effect::Deny => boxes.denied.extend(cube(&|caller| {
                    denies(&statement.principals, caller, exemption)
                })),
            }
        }
        Ok(boxes)
    }

    /// Everything.
    fn all(&self) -> Cube {
        let full = |count: usize| {
            let mut set = FixedBitSet::with_capacity(count);
            set.insert_range(..);
            set
        };
        let keys = self
            .dimensions
            .iter()
            .map(|dimension| dimension.points.len());
        let open = self.open.iter().map(|_| 2);
        let sizes = [self.callers.len(), self.actions.len()]
            .into_iter()
            .chain(keys)
            .chain(open);
        Cube(sizes.map(full).collect())
    }

    /// The box of all requests that meet the conditions.
    fn conditions(&self, clauses: &[Result<Clause, &crate::policy::Condition>]) -> Cube {
        let mut cube = self.all();
        for clause in clauses {
            let (at, set) = match clause {
                Ok(clause) if follows_from_caller(&clause.key) => {
                    (0, self.set_of_callers(&|caller| holds_for(clause, caller)))
                }
                Ok(clause) => {
                    let mut dimensions = self.dimensions.iter().enumerate();
                    let found = dimensions.find_map(|(at, one)| Some((at + 2, one.set(clause)?)));
                    let Some((at, set)) = found else { continue };
                    (at, set.clone())
                }
                Err(condition) => {
                    let at = self.open.iter().position(|open| open == condition);
                    let mut set = FixedBitSet::with_capacity(2);
                    set.insert(1);
                    (2 + self.dimensions.len() + at.unwrap_or_default(), set)
                }
            };
            if let Some(own) = cube.0.get_mut(at) {
                own.intersect_with(&set);
            }
        }
        cube
    }

    fn set_of_callers(&self, is_in: &dyn Fn(&Caller) -> bool) -> FixedBitSet {
        let mut set = FixedBitSet::with_capacity(self.callers.len());
        let found = self.callers.iter().enumerate();
        set.extend(found.filter(|(_, caller)| is_in(caller)).map(|(at, _)| at));
        set
    }

    fn set_of_actions(&self, actions: &Actions) -> FixedBitSet {
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

    /// A request of a box, the plainest one; `None` for a box with a condition that nobody can make hold.
    pub(super) fn point(&self, cube: &Cube) -> Option<Point> {
        let first = |at: usize| cube.0.get(at).and_then(FixedBitSet::minimum);
        let caller = self.callers.get(first(0)?)?;
        let (action, _) = self.actions.get(first(1)?)?;
        let mut context = Context::new();
        let mut shown = BTreeMap::new();
        for (at, dimension) in self.dimensions.iter().enumerate() {
            let values = dimension.points.get(first(at + 2)?)?;
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
        Some(Point {
            caller: caller.principal.clone(),
            action: action.clone(),
            context,
            shown,
        })
    }
}

fn clauses_of(statement: &Statement, version: Version) -> Result<Read<'_>, Undetermined> {
    let mut clauses = Vec::new();
    for condition in &statement.conditions {
        clauses.push(match Clause::of(condition, version) {
            Ok(mut clause) => {
                if clause.key == "aws:currenttime" {
                    CLOCK.clone_into(&mut clause.key);
                }
                Ok(clause)
            }
            Err(Unread::Variable) => Err(condition),
            Err(Unread::Unsupported(why)) => return Err(Undetermined::Unsupported(why)),
        });
    }
    Ok((statement, version, clauses))
}

/// Action patterns, and actions with the patterns that cover them.
type ActionSpace<'a> = (Vec<&'a ActionPattern>, Vec<(String, FixedBitSet)>);

/// The action patterns of statements, and the actions that they tell apart.
fn actions<'a>(
    statements: impl Iterator<Item = &'a Statement>,
    scene: &Scene<'_>,
) -> Result<ActionSpace<'a>, Undetermined> {
    let patterns: BTreeSet<&ActionPattern> = statements
        .flat_map(|statement| match &statement.actions {
            Actions::Any(set) | Actions::Not(set) => set.iter(),
        })
        .collect();
    let patterns: Vec<&ActionPattern> = patterns.into_iter().collect();
    let mut words: Vec<Pattern> = patterns.iter().map(|pattern| names_of(pattern)).collect();
    let known = Operation::ALL
        .iter()
        .map(|operation| operation.name().to_ascii_lowercase());
    words.extend(known.map(|name| Pattern::literal(&name)));
    let language = Pattern::default()
        .times(1, Class::Letter)
        .many(Class::Letter);
    let future = ["anoperationtocome".to_owned()];
    let mut found = Vec::new();
    for minterm in minterms(&words, &[language], &future)? {
        let is_own = |operation: &&Operation| operation.name().eq_ignore_ascii_case(&minterm.word);
        let operation = Operation::ALL.iter().find(is_own);
        let name = match operation {
            Some(operation) if operation.is_key_level() => operation.action().to_owned(),
            None if scene.universe == Universe::Open => format!("kms:{}", minterm.word),
            Some(_) | None => continue,
        };
        found.push((name, minterm.fits));
    }
    found.sort_by_cached_key(|(name, _)| rank(name));
    Ok((patterns, found))
}

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

fn covers_key(resources: &Resources, version: Version, key: &KeyArn) -> Result<bool, Undetermined> {
    let key = key.to_string();
    let (texts, is_not) = match resources {
        Resources::Any(texts) => (texts, false),
        Resources::Not(texts) => (texts, true),
    };
    let mut covered = false;
    for text in texts {
        let Some(signs) = signs(text, version, true) else {
            let why = "a variable in `Resource` is not compared".to_owned();
            return Err(Undetermined::Unsupported(why));
        };
        covered |= signs == [Sign::Many]
            || Pattern::arn(&signs).is_some_and(|pattern| pattern.matches(&key));
    }
    Ok(!texts.is_empty() && covered != is_not)
}

/// Whether a condition on what follows from the caller holds.
fn holds_for(clause: &Clause, caller: &Caller) -> bool {
    match caller.value(&clause.key) {
        Some(value) => clause.passes(clause.names(&value)),
        None => clause.holds_without(),
    }
}

/// How much a statement's principals allow a caller.
fn allowed(principals: &Principals, caller: &Caller, key: &KeyArn) -> Level {
    let level = match principals {
        Principals::Any(set) if set.iter().any(|one| is_named(one, caller)) => Level::Direct,
        Principals::Any(set) if set.iter().any(|one| is_of(one, caller)) => Level::Delegated,
        Principals::Any(_) => Level::None,
        Principals::Not(set) if set.iter().any(|one| is_named(one, caller)) => Level::None,
        Principals::Not(_) => Level::Direct,
    };
    let of_key = (key.partition, key.place.account);
    let is_at_home = caller.home.is_none_or(|home| home == of_key);
    level.min(if is_at_home {
        Level::Direct
    } else {
        Level::Delegated
    })
}

fn denies(principals: &Principals, caller: &Caller, exemption: Exemption) -> bool {
    let set = match principals {
        Principals::Any(set) => {
            return set
                .iter()
                .any(|one| is_named(one, caller) || is_of(one, caller));
        }
        Principals::Not(set) => set,
    };
    let has_anyone = set.contains(&Principal::Anyone);
    let has_name = set.iter().any(|one| is_named(one, caller));
    let has_self = set.contains(&caller.principal);
    let has_account = set.iter().any(|one| is_of(one, caller));
    let is_spared = match (&caller.principal, exemption) {
        (_, Exemption::AnyLink) => has_name,
        _ if has_anyone => has_name,
        (Principal::Session(_), Exemption::WholeChain) => {
            let is_role = |one: &&Principal| matches!(one, Principal::Role(_));
            let has_role = set.iter().filter(is_role).any(|one| is_named(one, caller));
            has_self && has_role && has_account
        }
        (Principal::User(_) | Principal::Role(_) | Principal::Federated(_), _) => {
            has_self && has_account
        }
        (
            Principal::Anyone
            | Principal::Account(..)
            | Principal::Service(_)
            | Principal::Deleted(_),
            Exemption::WholeChain,
        ) => has_self,
    };
    !is_spared
}

/// True when a principal of a policy is the caller itself, or its role.
fn is_named(principal: &Principal, caller: &Caller) -> bool {
    match (principal, &caller.principal) {
        (Principal::Anyone, _) => true,
        (Principal::Role(role), Principal::Session(session)) => {
            let of_session = session.resource().split('/').nth(1).unwrap_or_default();
            let last = role.resource().rsplit('/').next().unwrap_or_default();
            // No two roles of an account differ in path or case alone.
            of_session.eq_ignore_ascii_case(last)
                && (role.account(), role.partition()) == (session.account(), session.partition())
        }
        (one, other) => one == other,
    }
}

/// True when a principal of a policy is the caller's account.
fn is_of(principal: &Principal, caller: &Caller) -> bool {
    match principal {
        Principal::Account(partition, account) => caller.home == Some((*partition, *account)),
        Principal::Anyone
        | Principal::User(_)
        | Principal::Role(_)
        | Principal::Session(_)
        | Principal::Federated(_)
        | Principal::Service(_)
        | Principal::Deleted(_) => false,
    }
}
