//! What IAM says about principals: documents beside what is known from live accounts.

use std::collections::BTreeMap;

use super::accounts::Account;
use super::policy::{push_flaws, read_policy};
use super::{Run, Site};
use crate::manifest::fault::{Fault, Faults, Span};
use crate::manifest::fields::Field;
use crate::manifest::typed::{IdentityFields, PolicySource};
use crate::model::{Place, Principal, PrincipalName};
use crate::policy::{self, Identities, Identity, IdentityPolicy};

/// The principals of whom something is known.
pub(super) struct Carriers {
    pub(super) known: Identities,
    /// Where documents name theirs.
    named: BTreeMap<Principal, Span>,
}

impl Carriers {
    /// Those of live accounts.
    pub(super) fn new(known: &Identities) -> Self {
        Self {
            known: known.clone(),
            named: BTreeMap::new(),
        }
    }

    /// Adds one that a document names; of nobody two things are said.
    fn add(&mut self, identity: Identity, name: &PrincipalName, span: Span, faults: &mut Faults) {
        let principal = identity.principal.clone();
        let fault = match self.named.get(&principal) {
            Some(first) => {
                let message = format!("two identities are of `{name}`");
                Fault::error("duplicate-name", message, span).also(*first, "the first is here")
            }
            None if self.known.add(identity) => {
                self.named.insert(principal, span);
                return;
            }
            None => {
                let message = format!("`{name}` is in a file given with --identities, too");
                let fault = Fault::error("duplicate-name", message, span);
                fault.help("remove this document: what the live account says is what holds")
            }
        };
        faults.push(fault);
    }
}

impl<'a> Run<'a> {
    /// Adds what a document says about its principal, in each account that has one.
    pub(super) fn add_identity(
        &self,
        fields: &'a IdentityFields,
        carriers: &mut Carriers,
        faults: &mut Faults,
    ) {
        let Some(name) = fields.principal.given() else {
            return;
        };
        for (account, place) in self.homes(fields, &name.value, name.span, faults) {
            let site = Site {
                sources: self.sources,
                teams: self.teams,
                account,
                place: &place,
            };
            let principal = site.principal(&name.value, name.span, "an identity", faults);
            let Some(principal) = principal else {
                continue;
            };
            if !matches!(principal, Principal::Role(_) | Principal::User(_)) {
                let message = format!("`{}` carries no IAM policies", name.value);
                let fault = Fault::error("not-an-identity", message, name.span);
                faults.push(fault.help("name a role or a user"));
                continue;
            }
            let identity = resolve(site, fields, principal, faults);
            carriers.add(identity, &name.value, name.span, faults);
        }
    }

    /// One place for each account that is meant; a principal that names its account needs only the partition.
    fn homes(
        &self,
        fields: &IdentityFields,
        name: &PrincipalName,
        span: Span,
        faults: &mut Faults,
    ) -> Vec<(&'a Account<'a>, Place)> {
        let all = self.accounts.all_places();
        let mut resolved = all.iter().map(|(_, place)| name.resolve(place));
        let first = resolved.next();
        if all.len() > 1 && resolved.all(|other| Some(other) == first) {
            if let Some(given) = fields.accounts.given() {
                let message = "`accounts` has no effect here: the principal names its account";
                faults.push(Fault::error("unknown-field", message, given.key).help("remove it"));
            }
            return all.into_iter().take(1).collect();
        }
        let mut places = self
            .accounts
            .places(&fields.accounts, &Field::Absent, span, faults);
        places.dedup_by_key(|(account, _)| account.id);
        places
    }
}

fn resolve(
    site: Site<'_>,
    fields: &IdentityFields,
    principal: Principal,
    faults: &mut Faults,
) -> Identity {
    let mut identity = Identity::of(principal);
    let policies = fields.policies.value().into_iter().flatten();
    for (index, source) in policies.enumerate() {
        if let Some(policy) = read(site, &source.value, fields, faults) {
            identity.add_policy(name_of(&source.value, format!("policies[{index}]")), policy);
        }
    }
    if let Some(source) = fields.boundary.value()
        && let Some(policy) = read(site, source, fields, faults)
    {
        identity.set_boundary(name_of(source, "boundary".to_owned()), policy);
    }
    let tags = fields.tags.value().into_iter().flat_map(|pairs| &pairs.0);
    identity.tags = tags
        .map(|(key, value)| (key.value.to_string(), value.value.to_string()))
        .collect();
    identity
}

/// What a policy is called: its file, or where it stands.
fn name_of(source: &PolicySource, stands: String) -> String {
    match source {
        PolicySource::Inline(_) => stands,
        PolicySource::File(path) => path.value.0.to_string(),
    }
}

fn read(
    site: Site<'_>,
    source: &PolicySource,
    fields: &IdentityFields,
    faults: &mut Faults,
) -> Option<IdentityPolicy> {
    let fill = |text: &str| text.replace("${account}", site.place.account.as_str());
    let (read, span) = match source {
        PolicySource::Inline(raw) => {
            let json = raw.to_json(&fill);
            let span = raw.0.span;
            if json.to_string().contains("${region}") {
                faults.push(no_region(span));
                return None;
            }
            let read = policy::read_identity_value(&json);
            let at = read.as_ref().err().map(|error| raw.span_of(&error.path));
            (read, at.unwrap_or(span))
        }
        PolicySource::File(path) => {
            let (_, text) = read_policy(site, path, faults)?;
            let text = fill(&text);
            if text.contains("${region}") {
                faults.push(no_region(path.span));
                return None;
            }
            (policy::read_identity(&text), path.span)
        }
    };
    let name = fields
        .principal
        .given()
        .map(|given| given.value.to_string());
    match read {
        Ok(policy) => {
            let span_of = |path: &str| match source {
                PolicySource::Inline(raw) => raw.span_of(path),
                PolicySource::File(_) => span,
            };
            push_flaws(policy.flaws(), span_of, faults);
            Some(policy)
        }
        Err(error) => {
            let message = match source {
                PolicySource::Inline(_) => error.to_string(),
                PolicySource::File(path) => format!(
                    "`{}` is not an IAM policy of {}: {error}",
                    path.value.0,
                    name.unwrap_or_default()
                ),
            };
            faults.push(Fault::error("malformed-policy", message, span));
            None
        }
    }
}

fn no_region(span: Span) -> Fault {
    let message = "`${region}` has no meaning here: IAM policies hold in all Regions";
    Fault::error("malformed-policy", message, span).help("name the Region, or write `*`")
}
