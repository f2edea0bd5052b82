//! All users, groups, roles and policies of an account, as `aws iam get-account-authorization-details` prints them.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::document::{ActionPattern, Actions, IdentityPolicy, IdentityStatement};
use super::identity::{Identities, Identity};
use super::json::{ReadError, error, object, read_identity, read_identity_value, read_json, text};
use crate::model::{Partition, Principal};

/// Reads what IAM says about everyone of an account; the account is then known as a whole.
pub fn read_account_details(json: &str) -> Result<Identities, ReadError> {
    let value = read_json(json)?;
    let answer = object(&value, "")?;
    let is_truncated = answer.get("IsTruncated").and_then(Value::as_bool) == Some(true);
    for (name, tells_of_more) in [
        ("IsTruncated", is_truncated),
        ("NextToken", answer.contains_key("NextToken")),
    ] {
        if tells_of_more {
            let problem = "there are more pages than this one; fetch them all";
            return Err(error(name, problem));
        }
    }
    let account = Account {
        managed: managed_policies(answer)?,
        groups: named(answer, "GroupDetailList", "GroupName")?,
    };
    let mut identities = Identities::default();
    for (list, inline) in [
        ("UserDetailList", "UserPolicyList"),
        ("RoleDetailList", "RolePolicyList"),
    ] {
        for (entry, path) in entries(answer, list, "")? {
            let identity = account.identity(entry, &path, inline)?;
            let Some((partition, id)) = identity.principal.home() else {
                return Err(error(format!("{path}.Arn"), "is of no account"));
            };
            if !identities.complete().all(|known| known == (partition, id)) {
                let problem = format!("is of account {id}, unlike those before it");
                return Err(error(format!("{path}.Arn"), problem));
            }
            identities.complete_account(partition, id);
            if !identities.add(identity) {
                return Err(error(format!("{path}.Arn"), "stands twice"));
            }
        }
    }
    if identities.complete().next().is_none() {
        let problem = "there is neither a user nor a role, so the account is not told";
        return Err(error("RoleDetailList", problem));
    }
    Ok(identities)
}

/// A JSON object with its path.
type Entry<'a> = (&'a Map<String, Value>, String);

/// What users and roles refer to.
struct Account<'a> {
    /// The default version of each managed policy, by ARN.
    managed: BTreeMap<&'a str, (&'a Value, String)>,
    groups: BTreeMap<&'a str, Entry<'a>>,
}

impl Account<'_> {
    /// A user or role with everything that is attached to it.
    fn identity(
        &self,
        entry: &Map<String, Value>,
        path: &str,
        inline: &str,
    ) -> Result<Identity, ReadError> {
        let at = format!("{path}.Arn");
        let arn = text_of(entry, "Arn", path)?;
        let principal = Principal::parse(arn, Partition::Aws)
            .map_err(|malformed| error(&at, malformed.problem))?;
        if !matches!(principal, Principal::User(_) | Principal::Role(_)) {
            return Err(error(&at, "is neither a user nor a role"));
        }
        let mut identity = Identity::of(principal);
        self.attach(&mut identity, entry, path, inline)?;
        for (index, group) in list(entry, "GroupList", path)?.iter().enumerate() {
            let at = format!("{path}.GroupList[{index}]");
            let name = text(group, &at)?;
            let Some((group, path)) = self.groups.get(name) else {
                return Err(error(&at, format!("there is no group `{name}`")));
            };
            self.attach(&mut identity, group, path, "GroupPolicyList")?;
        }
        if let Some(boundary) = entry
            .get("PermissionsBoundary")
            .filter(|one| !one.is_null())
        {
            let path = format!("{path}.PermissionsBoundary");
            let arn = text_of(object(boundary, &path)?, "PermissionsBoundaryArn", &path)?;
            identity.set_boundary(arn, self.managed(arn, &path)?);
        }
        for (tag, path) in entries(entry, "Tags", path)? {
            let value = text_of(tag, "Value", &path)?.to_owned();
            identity
                .tags
                .insert(text_of(tag, "Key", &path)?.to_owned(), value);
        }
        Ok(identity)
    }

    /// Adds the inline and managed policies of a user, group or role, as far as they can be about keys.
    fn attach(
        &self,
        identity: &mut Identity,
        entry: &Map<String, Value>,
        path: &str,
        inline: &str,
    ) -> Result<(), ReadError> {
        let mut add = |name: &str, policy: IdentityPolicy| {
            if policy.statements.iter().any(is_about_keys) {
                identity.add_policy(name, policy);
            }
        };
        for (policy, path) in entries(entry, inline, path)? {
            let document = member(policy, "PolicyDocument", &path)?;
            let name = text_of(policy, "PolicyName", &path)?;
            add(
                name,
                read_document(document, &format!("{path}.PolicyDocument"))?,
            );
        }
        for (attached, path) in entries(entry, "AttachedManagedPolicies", path)? {
            let arn = text_of(attached, "PolicyArn", &path)?;
            add(arn, self.managed(arn, &path)?);
        }
        Ok(())
    }

    /// The managed policy that `path` refers to.
    fn managed(&self, arn: &str, path: &str) -> Result<IdentityPolicy, ReadError> {
        let Some((document, at)) = self.managed.get(arn) else {
            let problem = format!("`{arn}` is attached, but not among `Policies`");
            return Err(error(path, problem));
        };
        read_document(document, at)
    }
}

fn managed_policies(
    answer: &Map<String, Value>,
) -> Result<BTreeMap<&str, (&Value, String)>, ReadError> {
    let mut managed = BTreeMap::new();
    for (policy, path) in entries(answer, "Policies", "")? {
        let arn = text_of(policy, "Arn", &path)?;
        let default = policy.get("DefaultVersionId").and_then(Value::as_str);
        let versions = entries(policy, "PolicyVersionList", &path)?;
        let is_default = |(version, _): &&Entry<'_>| {
            let flag = version.get("IsDefaultVersion").and_then(Value::as_bool);
            let id = version.get("VersionId").and_then(Value::as_str);
            flag == Some(true) || (flag.is_none() && id.is_some() && id == default)
        };
        let Some((version, at)) = versions.iter().find(is_default) else {
            return Err(error(&path, format!("`{arn}` has no default version")));
        };
        let document = member(version, "Document", at)?;
        managed.insert(arn, (document, format!("{at}.Document")));
    }
    Ok(managed)
}

/// The entries of a list by name.
fn named<'a>(
    answer: &'a Map<String, Value>,
    name: &str,
    key: &str,
) -> Result<BTreeMap<&'a str, Entry<'a>>, ReadError> {
    let entries = entries(answer, name, "")?.into_iter();
    let by_name = |(entry, path): Entry<'a>| Ok((text_of(entry, key, &path)?, (entry, path)));
    entries.map(by_name).collect()
}

/// Reads a policy as an object, as JSON text, or as the URL-encoded text of IAM's raw answers.
fn read_document(value: &Value, path: &str) -> Result<IdentityPolicy, ReadError> {
    let policy = match value.as_str() {
        Some(json) if json.trim_start().starts_with('{') => read_identity(json),
        Some(encoded) => match percent_decode_str(encoded).decode_utf8() {
            Ok(json) => read_identity(&json),
            Err(_) => Err(error("", "is not URL-encoded UTF-8")),
        },
        None => read_identity_value(value),
    };
    policy.map_err(|error| error.within(path))
}

/// True when a statement can say something about requests to KMS.
pub(super) fn is_about_keys(statement: &IdentityStatement) -> bool {
    let can_name = |pattern: &ActionPattern| {
        let service = pattern.as_str().split(':').next().unwrap_or_default();
        matches!(service, "kms" | "*")
    };
    match &statement.actions {
        Actions::Any(patterns) => patterns.iter().any(can_name),
        Actions::Not(_) => true,
    }
}

/// A list of objects; at the top it has to be there.
fn entries<'a>(
    parent: &'a Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<Vec<Entry<'a>>, ReadError> {
    if path.is_empty() && !parent.contains_key(name) {
        return Err(error(name, "is missing"));
    }
    let items = list(parent, name, path)?;
    let path = inside(path, name);
    let one = |(index, value): (usize, &'a Value)| {
        let path = format!("{path}[{index}]");
        Ok((object(value, &path)?, path))
    };
    items.iter().enumerate().map(one).collect()
}

/// A list that may be missing.
fn list<'a>(
    parent: &'a Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<&'a [Value], ReadError> {
    match parent.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(error(inside(path, name), "must be a list")),
    }
}

fn member<'a>(
    parent: &'a Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<&'a Value, ReadError> {
    let found = parent.get(name);
    found.ok_or_else(|| error(inside(path, name), "is missing"))
}

fn text_of<'a>(
    parent: &'a Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<&'a str, ReadError> {
    text(member(parent, name, path)?, inside(path, name))
}

fn inside(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
