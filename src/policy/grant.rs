//! Live grants as a side of the evaluation: read as `ListGrants` tells them, and asked about one request.

use std::collections::BTreeMap;

use serde_json::Value;

use super::context::Facts;
use super::evaluate::{Request, names, stands_for_account_of};
use super::json::{ReadError, error, object, read_json, text, texts};
use super::reading::{ACCOUNT_GRANT_DELEGATES, SOURCE_ARN_BINDS_EVERYONE};
use crate::model::{Arn, Constraints, KeyArn, Operation, Partition, Principal};

/// A grant on a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The id, or where it stands in its list.
    pub id: String,
    /// The key's id or ARN, where the entry says so.
    pub key: Option<String>,
    /// Who is given access.
    pub grantee: Principal,
    /// The operations, without `kms:`; also such as this program does not know.
    pub operations: Vec<String>,
    /// On which requests.
    pub constraints: Constraints,
}

/// What a grant has to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// It is for other callers, operations or keys.
    Beside,
    /// It would allow the request, but for its constraints.
    Unmet,
    /// It allows the request if IAM does.
    Delegated,
    /// It allows the request.
    Direct,
}

impl Grant {
    pub(super) fn reach(&self, request: &Request<'_>, facts: Facts<'_>) -> Reach {
        if !self.is_on(request.key) || !self.covers_operation(request.action) {
            return Reach::Beside;
        }
        let reach = if names(&self.grantee, request.caller) {
            Reach::Direct
        } else if ACCOUNT_GRANT_DELEGATES && stands_for_account_of(&self.grantee, request.caller) {
            Reach::Delegated
        } else {
            return Reach::Beside;
        };
        if self.are_constraints_met(request, facts) {
            reach
        } else {
            Reach::Unmet
        }
    }

    /// True when the grant is on the key, as far as it says.
    pub fn is_on(&self, key: &KeyArn) -> bool {
        self.key
            .as_deref()
            .is_none_or(|named| named == key.id.as_str() || named == key.to_string())
    }

    /// The first of its operations that this program does not know, or that no grant can give.
    pub(super) fn unknown_operation(&self) -> Option<&str> {
        let is_known = |name: &str| {
            let mut all = Operation::ALL.iter();
            all.any(|one| one.is_grantable() && one.name() == name)
        };
        let mut names = self.operations.iter().map(String::as_str);
        names.find(|name| !is_known(name))
    }

    /// True when the grant has the operation; `ReEncrypt` on one key is both of its halves.
    fn covers_operation(&self, action: &str) -> bool {
        let Some((service, name)) = action.split_once(':') else {
            return false;
        };
        let has = |name: &str| {
            let mut operations = self.operations.iter();
            operations.any(|one| one.eq_ignore_ascii_case(name))
        };
        let is_whole = name.eq_ignore_ascii_case("ReEncrypt");
        let covers = has(name) || (is_whole && has("ReEncryptFrom") && has("ReEncryptTo"));
        service.eq_ignore_ascii_case("kms") && covers
    }

    fn are_constraints_met(&self, request: &Request<'_>, facts: Facts<'_>) -> bool {
        let Constraints {
            context_subset,
            context_equals,
            source_arn,
        } = &self.constraints;
        let is = |action: &str| request.action.eq_ignore_ascii_case(action);
        if is("kms:RetireGrant") {
            return true;
        }
        let is_for_source = source_arn
            .as_ref()
            .is_none_or(|wanted| is_for(wanted, request.caller, facts));
        if is("kms:DescribeKey") {
            return is_for_source;
        }
        is_for_source
            && contains(facts, context_subset)
            && (context_equals.is_empty() || equals(facts, context_equals))
    }
}

/// True when a call is for the resource that a grant is bound to.
fn is_for(wanted: &Arn, caller: &Principal, facts: Facts<'_>) -> bool {
    match facts.values("aws:SourceArn") {
        [] if !SOURCE_ARN_BINDS_EVERYONE => !matches!(caller, Principal::Service(_)),
        found => found == [wanted.as_str()],
    }
}

/// True when the encryption context has all these pairs; the case of names does not count in constraints.
fn contains(facts: Facts<'_>, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(name, value)| {
        let name = name.to_ascii_lowercase();
        let mut pairs = facts.given.encryption_context();
        pairs.any(|(found, values)| found == name && values == std::slice::from_ref(value))
    })
}

/// True when the encryption context has these pairs and, as far as the request tells, no other.
fn equals(facts: Facts<'_>, wanted: &BTreeMap<String, String>) -> bool {
    let is_wanted = |name: &str| wanted.keys().any(|one| one.eq_ignore_ascii_case(name));
    let mut listed = facts.values("kms:EncryptionContextKeys").iter();
    let mut pairs = facts.given.encryption_context();
    contains(facts, wanted)
        && listed.all(|name| is_wanted(name))
        && pairs.all(|(name, _)| is_wanted(name))
}

/// Reads grants from a JSON text, as [`read_grants`] does from a value.
pub fn read_grants_text(text: &str, partition: Partition) -> Result<Vec<Grant>, ReadError> {
    read_grants(&read_json(text)?, partition)
}

/// Reads grants as `ListGrants` lists them: the list alone, or the whole answer with its `Grants`.
pub fn read_grants(value: &Value, partition: Partition) -> Result<Vec<Grant>, ReadError> {
    let answer = value.as_object();
    let (entries, path) = match answer.map(|answer| answer.get("Grants")) {
        None => (value, ""),
        Some(Some(grants)) => (grants, "Grants"),
        Some(None) => return Err(error("", "must be a list of grants, or have `Grants`")),
    };
    let entries = entries
        .as_array()
        .ok_or_else(|| error(path, "must be a list of grants"))?;
    let one =
        |(index, entry): (usize, &Value)| read_grant(entry, &format!("{path}[{index}]"), partition);
    entries.iter().enumerate().map(one).collect()
}

fn read_grant(value: &Value, path: &str, partition: Partition) -> Result<Grant, ReadError> {
    let entry = object(value, path)?;
    let member = |name: &str| {
        let value = entry.get(name).filter(|value| !value.is_null());
        value.map(|value| (value, format!("{path}.{name}")))
    };
    let text_of = |name: &str| {
        let value = member(name).map(|(value, at)| text(value, &at).map(str::to_owned));
        value.transpose()
    };
    let grantee = match (
        member("GranteePrincipal"),
        member("GranteeServicePrincipal"),
    ) {
        (Some((value, at)), None) | (None, Some((value, at))) => {
            read_principal(text(value, &at)?, &at, partition)?
        }
        (Some(_), Some(_)) => return Err(error(path, "has two grantees")),
        (None, None) => return Err(error(path, "has no GranteePrincipal")),
    };
    let Some((operations, at)) = member("Operations") else {
        return Err(error(path, "has no Operations"));
    };
    let operations = texts(operations, &at)?;
    let constraints = member("Constraints").map(|(value, at)| read_constraints(value, &at));
    Ok(Grant {
        id: text_of("GrantId")?.unwrap_or_else(|| path.to_owned()),
        key: text_of("KeyId")?,
        grantee,
        operations,
        constraints: constraints.transpose()?.unwrap_or_default(),
    })
}

fn read_principal(text: &str, path: &str, partition: Partition) -> Result<Principal, ReadError> {
    if let Ok(service) = text.parse() {
        return Ok(Principal::Service(service));
    }
    match Principal::parse(text, partition) {
        Ok(Principal::Anyone) => Err(error(path, "`*` cannot be given a grant")),
        Ok(principal) => Ok(principal),
        Err(malformed) => Err(error(path, malformed.problem)),
    }
}

fn read_constraints(value: &Value, path: &str) -> Result<Constraints, ReadError> {
    let mut constraints = Constraints::default();
    for (name, value) in object(value, path)? {
        let at = format!("{path}.{name}");
        match name.as_str() {
            _ if value.is_null() => {}
            "EncryptionContextSubset" => constraints.context_subset = read_pairs(value, &at)?,
            "EncryptionContextEquals" => constraints.context_equals = read_pairs(value, &at)?,
            "SourceArn" => {
                let arn = text(value, &at)?.parse();
                let arn: Arn = arn
                    .map_err(|malformed: crate::model::Malformed| error(&at, malformed.problem))?;
                constraints.source_arn = Some(arn);
            }
            _ => return Err(error(&at, "is not a constraint that keywright knows")),
        }
    }
    Ok(constraints)
}

fn read_pairs(value: &Value, path: &str) -> Result<BTreeMap<String, String>, ReadError> {
    let pair = |(name, value): (&String, &Value)| {
        let value = text(value, format!("{path}.{name}"))?;
        Ok((name.clone(), value.to_owned()))
    };
    object(value, path)?.iter().map(pair).collect()
}
