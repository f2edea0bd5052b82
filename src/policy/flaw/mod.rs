//! What is wrong with a policy that can be read: what AWS refuses, and what does not do what it seems to.
//!
//! The reader takes all of it, because live policies have it and must be shown. It is people's files that are held to more.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sorted_vec::SortedSet;

use crate::model::{ContextValue, Operation, context_value, is_key_of_kms};
use crate::policy::account_details::is_about_keys;
use crate::policy::document::{
    ActionPattern, Actions, Condition, Document, Effect, IdentityPolicy, IdentityStatement,
    Operator, OperatorName, Quantifier, Resources, Statement,
};
use crate::policy::identity::Identities;
use crate::policy::json::ReadError;
use crate::policy::pattern::fits_glob;
use crate::policy::quantity::{Quantity, is_block};

/// Something wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where, and what.
    pub fault: ReadError,
    /// The next step.
    pub help: String,
    /// How much it matters.
    pub weight: Weight,
}

/// How much a flaw matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// AWS refuses it, or it can mean nothing.
    Malformed,
    /// It has a meaning, which is hardly the one that was meant.
    Doubtful,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

/// Fails with the first flaw that makes a policy malformed, where there is one line to say it in.
pub fn refuse_malformed(flaws: Vec<Flaw>) -> Result<(), ReadError> {
    let mut flaws = flaws.into_iter();
    match flaws.find(|flaw| flaw.weight == Weight::Malformed) {
        None => Ok(()),
        Some(Flaw { fault, help, .. }) => Err(ReadError {
            problem: format!("{}; {help}", fault.problem),
            ..fault
        }),
    }
}

/// Whose policy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Key,
    Caller,
}

impl Document {
    /// What is wrong with a key policy, statement by statement.
    pub fn flaws(&self) -> Vec<Flaw> {
        let all = self.statements.iter().enumerate();
        all.flat_map(|(index, one)| one.flaws(&format!("Statement[{index}]")))
            .collect()
    }
}

impl Statement {
    /// What is wrong with a statement of a key policy, which stands at a path.
    pub fn flaws(&self, path: &str) -> Vec<Flaw> {
        let Self {
            sid: _,
            effect,
            principals: _,
            actions,
            resources,
            conditions,
        } = self;
        flaws(Of::Key, path, (*effect, actions, resources, conditions))
    }
}

impl IdentityPolicy {
    /// What is wrong with a policy that a caller carries, statement by statement.
    pub fn flaws(&self) -> Vec<Flaw> {
        self.flaws_where(|_| true)
    }

    /// The same for some of its statements.
    fn flaws_where(&self, is_meant: impl Fn(&IdentityStatement) -> bool) -> Vec<Flaw> {
        let all = self.statements.iter().enumerate();
        let meant = all.filter(|(_, one)| is_meant(one));
        let of_statement = |(index, one): (usize, &IdentityStatement)| {
            let IdentityStatement {
                sid: _,
                effect,
                actions,
                resources,
                conditions,
            } = one;
            let path = format!("Statement[{index}]");
            flaws(Of::Caller, &path, (*effect, actions, resources, conditions))
        };
        meant.flat_map(of_statement).collect()
    }
}

impl Identities {
    /// What is wrong with statements about keys, each once, in a line that names policy and path.
    ///
    /// AWS took all of them, so that they are there, whatever they are worth.
    pub fn flaws(&self) -> BTreeMap<String, Flaw> {
        let mut found = BTreeMap::new();
        for one in self.iter() {
            let boundary = one.boundary.iter().zip(&one.names.boundary);
            let all = one.policies.iter().zip(&one.names.policies).chain(boundary);
            for (policy, name) in all {
                // A managed policy is the same for everyone.
                let whose = if name.starts_with("arn:") {
                    format!("policy `{name}`")
                } else {
                    format!("policy `{name}` of {}", one.principal)
                };
                let flaws = policy.flaws_where(is_about_keys);
                found.extend(
                    flaws
                        .into_iter()
                        .map(|flaw| (format!("{whose}: {flaw}"), flaw)),
                );
            }
        }
        found
    }
}

type Terms<'a> = (Effect, &'a Actions, &'a Resources, &'a SortedSet<Condition>);

fn flaws(of: Of, path: &str, (effect, actions, resources, conditions): Terms<'_>) -> Vec<Flaw> {
    let (at, patterns) = match actions {
        Actions::Any(patterns) => (format!("{path}.Action"), patterns),
        Actions::Not(patterns) => (format!("{path}.NotAction"), patterns),
    };
    let of_action = patterns.iter().filter_map(|one| {
        let is_named = matches!(actions, Actions::Any(_)) && of == Of::Key;
        malformed_action(one).or_else(|| vain_action(one).filter(|_| is_named))
    });
    let mut found: Vec<Flaw> = of_action.map(|found| found.at(&at)).collect();
    let (at, texts) = match resources {
        Resources::Any(texts) => (format!("{path}.Resource"), texts),
        Resources::Not(texts) => (format!("{path}.NotResource"), texts),
    };
    let of_resource = texts.iter().filter_map(|text| malformed_resource(text));
    found.extend(of_resource.map(|found| found.at(&at)));
    for (what, is_named) in [
        ("Action", !patterns.is_empty()),
        ("Resource", !texts.is_empty()),
    ] {
        if !is_named {
            let problem = format!("names no {what}, so it has no effect");
            found.push(Found::doubtful(problem, "name one, or remove the statement").at(path));
        }
    }
    for condition in conditions {
        let at = format!("{path}.Condition.{}.{}", condition.operator, condition.key);
        let of_condition = malformed_values(condition)
            .into_iter()
            .chain(unknown_key(&condition.key))
            .chain(doubtful_set(of, effect, condition));
        found.extend(of_condition.map(|found| found.at(&at)));
    }
    found
}

/// A flaw whose place is not known yet.
struct Found {
    weight: Weight,
    problem: String,
    help: String,
}

impl Found {
    fn new(weight: Weight, problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            weight,
            problem: problem.into(),
            help: help.into(),
        }
    }

    fn malformed(problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Weight::Malformed, problem, help)
    }

    fn doubtful(problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Weight::Doubtful, problem, help)
    }

    fn at(self, path: &str) -> Flaw {
        let Self {
            weight,
            problem,
            help,
        } = self;
        Flaw {
            fault: ReadError {
                path: path.to_owned(),
                problem,
            },
            help,
            weight,
        }
    }
}

fn malformed_action(pattern: &ActionPattern) -> Option<Found> {
    let text = pattern.as_str();
    let is_word = |part: &str, wild: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        !part.is_empty() && part.chars().all(|c| is_part(c) || wild.contains(c))
    };
    if text == "*" {
        return None;
    }
    let (service, name) = text.split_once(':').unwrap_or_default();
    let problem = if service.is_empty() || !is_word(name, "*?") {
        format!("`{text}` is not an action")
    } else if service != "*" && !is_word(service, "") {
        format!("`{text}` is of no service: wildcards go behind the colon")
    } else {
        return None;
    };
    let help = "write it like `kms:Decrypt` or `kms:Generate*`, or `*` for everything";
    Some(Found::malformed(problem, help))
}

/// Actions of which a key policy cannot speak.
fn vain_action(pattern: &ActionPattern) -> Option<Found> {
    let text = pattern.as_str();
    let (service, _) = text.split_once(':')?;
    if !matches!(service, "kms" | "*") {
        let problem = format!("`{text}` is of another service and has no effect in a key policy");
        return Some(Found::doubtful(
            problem,
            "remove it; a key policy is about operations of KMS",
        ));
    }
    let meant = Operation::ALL.iter();
    let meant = meant.filter(|one| pattern.matches(one.action()));
    let mut meant = meant.peekable();
    if meant.peek().is_none() {
        let problem = format!("`{text}` is no operation of KMS");
        let halves = "write `kms:ReEncryptFrom`, `kms:ReEncryptTo`, or `kms:ReEncrypt*` for both";
        let help = if text.eq_ignore_ascii_case("kms:ReEncrypt") {
            halves
        } else {
            "correct or remove it; operations are written as AWS does, such as `kms:Decrypt`"
        };
        return Some(Found::doubtful(problem, help));
    }
    if meant.any(|operation| operation.is_key_level()) {
        return None;
    }
    let problem = format!("`{text}` has no effect in a key policy");
    Some(Found::doubtful(
        problem,
        "remove it; only IAM policies can allow it",
    ))
}

/// A resource that can be no ARN; a wildcard or a variable may stand for its beginning.
fn malformed_resource(text: &str) -> Option<Found> {
    let literal = text.split(['*', '?', '$']).next().unwrap_or_default();
    let is_open = literal.len() < text.len();
    if literal.starts_with("arn:") || (is_open && "arn:".starts_with(literal)) {
        return None;
    }
    let help = "write `*`, which in a key policy is the key, or an ARN";
    Some(Found::malformed(
        format!("`{text}` is neither an ARN nor `*`"),
        help,
    ))
}

/// Values that the operator cannot compare with anything.
fn malformed_values(condition: &Condition) -> Vec<Found> {
    let Condition {
        operator,
        key: _,
        values,
    } = condition;
    if values.is_empty() {
        let problem = "has no values";
        return vec![Found::malformed(
            problem,
            "name a value, or remove the condition",
        )];
    }
    let is_filled_in = |value: &String| takes_variables(operator.name) && value.contains("${");
    let plain = values.iter().filter(|value| !is_filled_in(value));
    plain
        .filter_map(|value| malformed_value(operator.name, value))
        .collect()
}

/// True for operators in whose values AWS fills in variables.
fn takes_variables(name: OperatorName) -> bool {
    use OperatorName as Name;
    match name {
        Name::StringEquals
        | Name::StringNotEquals
        | Name::StringEqualsIgnoreCase
        | Name::StringNotEqualsIgnoreCase
        | Name::StringLike
        | Name::StringNotLike
        | Name::ArnEquals
        | Name::ArnLike
        | Name::ArnNotEquals
        | Name::ArnNotLike
        | Name::Bool => true,
        Name::NumericEquals
        | Name::NumericNotEquals
        | Name::NumericLessThan
        | Name::NumericLessThanEquals
        | Name::NumericGreaterThan
        | Name::NumericGreaterThanEquals
        | Name::DateEquals
        | Name::DateNotEquals
        | Name::DateLessThan
        | Name::DateLessThanEquals
        | Name::DateGreaterThan
        | Name::DateGreaterThanEquals
        | Name::BinaryEquals
        | Name::IpAddress
        | Name::NotIpAddress
        | Name::Null => false,
    }
}

/// A key that no request has; AWS takes it all the same.
fn unknown_key(key: &str) -> Option<Found> {
    if !key.contains(':') {
        let problem = format!("`{key}` names no service, so no request has it");
        let help = "condition keys begin with `kms:`, `aws:` or another service";
        return Some(Found::doubtful(problem, help));
    }
    let is_of_kms = key.to_ascii_lowercase().starts_with("kms:");
    (is_of_kms && !is_key_of_kms(key)).then(|| {
        let problem = format!("KMS has no condition key `{key}`, so no request has it");
        Found::doubtful(problem, "correct the name, such as `kms:ViaService`")
    })
}

fn malformed_value(name: OperatorName, value: &str) -> Option<Found> {
    use OperatorName as Name;
    let (is_good, what, help) = match name {
        Name::StringEquals
        | Name::StringNotEquals
        | Name::StringEqualsIgnoreCase
        | Name::StringNotEqualsIgnoreCase
        | Name::StringLike
        | Name::StringNotLike => return None,
        Name::NumericEquals
        | Name::NumericNotEquals
        | Name::NumericLessThan
        | Name::NumericLessThanEquals
        | Name::NumericGreaterThan
        | Name::NumericGreaterThanEquals => (
            Quantity::number(value).is_some(),
            "a number",
            "write it in digits, such as `3600`",
        ),
        Name::DateEquals
        | Name::DateNotEquals
        | Name::DateLessThan
        | Name::DateLessThanEquals
        | Name::DateGreaterThan
        | Name::DateGreaterThanEquals => (
            Quantity::instant(value).is_some(),
            "a date",
            "write it like `2026-12-31T00:00:00Z`, or as seconds since 1970",
        ),
        Name::Bool | Name::Null => (
            ["true", "false"]
                .iter()
                .any(|one| value.eq_ignore_ascii_case(one)),
            "a truth value",
            "write `true` or `false`",
        ),
        Name::BinaryEquals => (
            STANDARD.decode(value).is_ok(),
            "base64",
            "write the bytes in base64, such as `QUJD`",
        ),
        Name::IpAddress | Name::NotIpAddress => (
            is_block(value),
            "an address or a block of addresses",
            "write it like `203.0.113.0/24` or `2001:db8::/32`",
        ),
        Name::ArnEquals | Name::ArnLike | Name::ArnNotEquals | Name::ArnNotLike => {
            return malformed_arn(value);
        }
    };
    (!is_good).then(|| Found::malformed(format!("`{value}` is not {what}"), help))
}

/// An ARN's pattern has six parts; AWS takes fewer with a wildcard, and says that they match nothing.
fn malformed_arn(value: &str) -> Option<Found> {
    let mut parts = value.splitn(6, ':');
    let is_arn = parts.next().is_some_and(|first| fits_glob(first, "arn"));
    let count = value.splitn(6, ':').count();
    if is_arn && count == 6 {
        return None;
    }
    let help =
        "write all six parts, such as `arn:aws:iam::111122223333:role/app` or `arn:*:*:*:*:*`";
    if is_arn && value.contains('*') {
        let problem = format!("`{value}` has not the six parts of an ARN, so it matches none");
        return Some(Found::doubtful(problem, help));
    }
    Some(Found::malformed(format!("`{value}` is not an ARN"), help))
}

/// Set operators on keys of one value, and keys of several values without one.
fn doubtful_set(of: Of, effect: Effect, condition: &Condition) -> Option<Found> {
    let Condition { operator, key, .. } = condition;
    if condition.is_undefined() {
        let problem = format!(
            "`{key}` has several values, and AWS does not say what `{operator}` means for it"
        );
        let help = format!("write `ForAnyValue:{operator}` or `ForAllValues:{operator}`");
        return Some(Found::doubtful(problem, help));
    }
    let quantifier = operator.quantifier?;
    let lower = key.to_ascii_lowercase();
    let is_of_aws = lower.starts_with("kms:") || lower.starts_with("aws:");
    if !is_of_aws || context_value(key) == ContextValue::Texts {
        return None;
    }
    let plain = Operator {
        quantifier: None,
        ..*operator
    };
    let help = format!("write `{plain}`");
    let is_refused =
        lower.starts_with("kms:encryptioncontext:") || lower.starts_with("aws:requesttag/");
    match quantifier {
        Quantifier::ForAllValues if is_refused && of == Of::Key => Some(Found::malformed(
            format!("KMS refuses `ForAllValues` for `{key}`: it holds without the key too"),
            help,
        )),
        Quantifier::ForAllValues => {
            let outcome = match effect {
                Effect::Allow => "allows",
                Effect::Deny => "denies",
            };
            let problem = format!(
                "`{key}` has one value, and `ForAllValues` {outcome} requests without the key too"
            );
            Some(Found::doubtful(problem, help))
        }
        Quantifier::ForAnyValue => Some(Found::doubtful(
            format!("`{key}` has one value, for which `ForAnyValue` is not meant"),
            help,
        )),
    }
}

impl Condition {
    /// True when AWS leaves open what it asks: a key of several values needs a set operator.
    pub fn is_undefined(&self) -> bool {
        self.operator.quantifier.is_none()
            && self.operator.name != OperatorName::Null
            && context_value(&self.key) == ContextValue::Texts
    }
}

#[cfg(test)]
mod tests;
