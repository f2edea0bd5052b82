//! A key's policy: its duties compiled, or the raw policy that takes their place.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::Site;
use super::grant::pairs;
use super::key::Settings;
use super::teams::warn_of_twins;
use crate::manifest::fault::{Fault, Faults, Span};
use crate::manifest::fields::{Field, Mapping as _};
use crate::manifest::typed::{KeyFields, PolicySource, RelativePath, Text, UserEntry, UserFields};
use crate::manifest::yaml::At;
use crate::model::{KeyType, Origin, PrincipalName};
use crate::policy::{Allowance, Document, Duties, User, Version};

/// Resolves the policy.
pub(super) fn resolve<'a>(
    site: Site<'a>,
    settings: Settings<'a>,
    key_type: KeyType,
    origin: Origin,
    faults: &mut Faults,
) -> Document {
    let _ = origin;
    if let Some(whole) = settings.pick(|key| &key.policy).given() {
        refuse_duties(settings.own, whole.key, faults);
        return whole_policy(site, &whole.value, faults).unwrap_or_else(empty);
    }
    let duties = duties(site, settings, key_type, faults);
    let statements = settings.pick(|key| &key.statements).value();
    let fill = |text: &str| site.fill(text);
    let statements: Vec<Json> = statements
        .into_iter()
        .flatten()
        .map(|raw| raw.value.to_json(&fill))
        .collect();
    compiled(&duties, &statements)
}

fn compiled(_duties: &Duties, _statements: &[Json]) -> Document {
    empty()
}

fn compiled_whole(_json: &Json) -> Document {
    empty()
}

fn empty() -> Document {
    Document {
        version: Version::V2012,
        id: None,
        statements: Vec::new(),
    }
}

fn whole_policy(site: Site<'_>, source: &PolicySource, faults: &mut Faults) -> Option<Document> {
    let fill = |text: &str| site.fill(text);
    let json = match source {
        PolicySource::Inline(raw) => raw.to_json(&fill),
        PolicySource::File(path) => read_policy(site, path, faults)?,
    };
    Some(compiled_whole(&json))
}

/// Reads a policy from the file beside the manifest.
fn read_policy(site: Site<'_>, path: &At<RelativePath>, faults: &mut Faults) -> Option<Json> {
    let (file, text) = match site.sources.read_beside(path.span, &path.value.0) {
        Ok(found) => found,
        Err(why) => {
            faults.push(Fault::error("unreadable-file", why, path.span));
            return None;
        }
    };
    match serde_json::from_str(&site.fill(&text)) {
        Ok(json) => Some(json),
        Err(error) => {
            let message = format!("`{file}` is not JSON: {error}");
            faults.push(Fault::error("malformed-policy", message, path.span));
            None
        }
    }
}

/// A whole policy leaves no room for duties.
fn refuse_duties(own: &KeyFields, policy: Span, faults: &mut Faults) {
    let duties = [
        (
            "iam_policies",
            own.iam_policies.given().map(|given| given.key),
        ),
        (
            "administrators",
            own.administrators.given().map(|given| given.key),
        ),
        (
            "administrators_may_delete",
            own.administrators_may_delete.given().map(|given| given.key),
        ),
        ("users", own.users.given().map(|given| given.key)),
        ("statements", own.statements.given().map(|given| given.key)),
    ];
    for (name, span) in duties {
        if let Some(span) = span {
            let message = format!("`{name}` has no effect beside a whole `policy`");
            let fault = Fault::error("policy-and-duties", message, span);
            faults.push(
                fault
                    .also(policy, "the whole policy")
                    .help("keep one of them; to add statements to the duties, use `statements`"),
            );
        }
    }
}

fn duties<'a>(
    site: Site<'a>,
    settings: Settings<'a>,
    key_type: KeyType,
    faults: &mut Faults,
) -> Duties {
    let flag = |field: &Field<bool>| field.value().copied().unwrap_or(true);
    let iam_policies = settings.pick(|key| &key.iam_policies);
    let administrators = settings.pick(|key| &key.administrators);
    let statements = settings.pick(|key| &key.statements);
    let names = || administrators.value().into_iter().flatten();
    warn_of_twins(names(), faults);
    let principals = site.principals(names(), "an administrator", faults);
    let unmanageable = !flag(iam_policies)
        && names().next().is_none()
        && !administrators.is_wrong()
        && statements.value().is_none_or(Vec::is_empty);
    if unmanageable {
        let span = iam_policies
            .given()
            .map_or(settings.own.span(), |given| given.key);
        let message = "nobody could administer this key";
        let fault = Fault::error("no-administrator", message, span);
        faults.push(fault.help("name `administrators`, or leave `iam_policies` on"));
    }
    Duties {
        iam_policies: flag(iam_policies),
        administrators: principals,
        administrators_may_delete: flag(settings.pick(|key| &key.administrators_may_delete)),
        users: users(site, settings, key_type, faults),
    }
}

/// The users: the plain ones together, the others each on their own.
fn users<'a>(
    site: Site<'a>,
    settings: Settings<'a>,
    key_type: KeyType,
    faults: &mut Faults,
) -> Vec<User> {
    let mut plain: Vec<&'a At<PrincipalName>> = Vec::new();
    let mut users = Vec::new();
    let entries = settings.pick(|key| &key.users).value();
    for entry in entries.into_iter().flat_map(|entries| &entries.0) {
        match &entry.value {
            UserEntry::Plain(name) => plain.push(name),
            UserEntry::Detailed(fields) => users.extend(user(site, fields, key_type, faults)),
        }
    }
    warn_of_twins(plain.iter().copied(), faults);
    let holders = site.holders(plain, faults);
    if !holders.is_empty() {
        let plain = User {
            holders,
            allowances: BTreeSet::new(),
            via: BTreeSet::new(),
            context: BTreeMap::new(),
        };
        users.insert(0, plain);
    }
    users
}

fn user<'a>(
    site: Site<'a>,
    fields: &'a UserFields,
    key_type: KeyType,
    faults: &mut Faults,
) -> Option<User> {
    let names = &fields.principals.value()?.0;
    warn_of_twins(names, faults);
    Some(User {
        holders: site.holders(names, faults),
        allowances: allowances(fields, key_type, faults),
        via: via(fields, faults),
        context: context(fields, key_type, faults),
    })
}

fn allowances(fields: &UserFields, key_type: KeyType, faults: &mut Faults) -> BTreeSet<Allowance> {
    let mut allowances = BTreeSet::new();
    for allowance in fields
        .operations
        .value()
        .into_iter()
        .flat_map(|list| &list.0)
    {
        if let Allowance::Operation(operation) = allowance.value
            && !(operation.is_key_level() && key_type.supports(operation))
        {
            let message = format!(
                "`{operation}` does not work with {} keys for {}",
                key_type.spec, key_type.usage
            );
            faults.push(Fault::error(
                "operation-not-for-key",
                message,
                allowance.span,
            ));
        }
        allowances.insert(allowance.value);
    }
    allowances
}

/// The services through which a user may come, as the first label of `kms:ViaService`.
fn via(fields: &UserFields, faults: &mut Faults) -> BTreeSet<String> {
    let mut services = BTreeSet::new();
    for service in fields.via.value().into_iter().flat_map(|list| &list.0) {
        let Text(text) = &service.value;
        let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() || !text.bytes().all(valid) {
            let message = format!("`{text}` is not the short name of an AWS service");
            let short = text
                .split('.')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            let fault = Fault::error("malformed", message, service.span);
            faults.push(fault.help(format!(
                "write it like `{short}`; the Region is the key's own"
            )));
        }
        services.insert(text.clone());
    }
    services
}

fn context(
    fields: &UserFields,
    key_type: KeyType,
    faults: &mut Faults,
) -> BTreeMap<String, String> {
    if let Some(given) = fields.context.given()
        && !key_type.is_symmetric()
    {
        let message = format!("{} keys have no encryption context", key_type.spec);
        let fault = Fault::error("operation-not-for-key", message, given.key);
        faults.push(fault.help("only symmetric encryption keys have one"));
    }
    pairs(&fields.context)
}
