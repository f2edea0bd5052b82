//! Expectations: which keys, which principals and which requests they are about.

use std::collections::{BTreeMap, BTreeSet};

use super::duty::services;
use super::grant::pairs;
use super::teams::warn_of_twins;
use super::{Run, Site};
use crate::manifest::fault::{Fault, Faults};
use crate::manifest::fields::Mapping as _;
use crate::manifest::typed::{ExpectationFields, KeyFields, KeyPattern, RequestContext};
use crate::manifest::yaml::At;
use crate::model::{KeyName, Place};
use crate::policy::{self, Allowance};
use crate::state::{Callers, Claim, Expectation, Subjects, Verb};

/// The names of all keys.
pub(super) struct KeyNames<'a> {
    names: BTreeSet<&'a str>,
    /// Whether some document could not be read, so that its name may be missing.
    incomplete: bool,
}

impl<'a> KeyNames<'a> {
    pub(super) fn of(keys: &[&'a KeyFields]) -> Self {
        let names = keys.iter().filter_map(|key| key.name.value());
        let names: BTreeSet<&str> = names.map(KeyName::as_str).collect();
        Self {
            incomplete: keys.iter().any(|key| key.name.value().is_none()),
            names,
        }
    }

    fn check(&self, pattern: &At<KeyPattern>, faults: &mut Faults) {
        let KeyPattern(text) = &pattern.value;
        let is_known = self.names.iter().any(|name| policy::fits_glob(text, name));
        if is_known || self.incomplete {
            return;
        }
        let message = if is_wild(text) {
            format!("no key's name fits `{text}`")
        } else {
            format!("there is no key `{text}`")
        };
        let fault = Fault::error("unknown-key", message, pattern.span);
        let help = "name a `Key` manifest, or `*` for all";
        faults.push(fault.help(help).nearest(text, self.names.iter().copied()));
    }
}

fn is_wild(pattern: &str) -> bool {
    pattern.contains(['*', '?'])
}

impl<'a> Run<'a> {
    /// Resolves an expectation in every place that has one of its keys.
    pub(super) fn expectation(
        &self,
        fields: &'a ExpectationFields,
        names: &KeyNames<'_>,
        faults: &mut Faults,
    ) -> Option<Expectation> {
        let patterns = &fields.keys.value()?.0;
        for pattern in patterns {
            names.check(pattern, faults);
        }
        let callers = &fields.principals.value()?.0;
        warn_of_twins(callers, faults);
        let claims = self.claims(fields, faults);
        let mut subjects = BTreeMap::new();
        for place in self.places.keys() {
            let keys = self.keys(place, patterns);
            let Some(account) = self.accounts.of(place).filter(|_| !keys.is_empty()) else {
                continue;
            };
            let site = Site {
                sources: self.sources,
                teams: self.teams,
                account,
                place,
            };
            let callers = callers.iter().map(|name| Callers {
                name: name.value.clone(),
                holders: site.holders([name], faults),
            });
            let callers = callers.collect();
            let when = fields.when.value();
            subjects.insert(
                place.clone(),
                Subjects {
                    keys,
                    callers,
                    when: when.map_or_else(BTreeMap::new, |when| context(site, when, faults)),
                },
            );
        }
        self.check_claims(fields, &subjects, faults);
        Some(Expectation {
            location: self.sources.locate(fields.span()),
            claims,
            subjects,
            why: fields.why.value().map(|why| why.0.clone()),
        })
    }

    fn claims(&self, fields: &ExpectationFields, faults: &mut Faults) -> Vec<Claim> {
        if fields.can.is_absent() && fields.cannot.is_absent() {
            let message = "an expectation needs `can` or `cannot`";
            faults.push(Fault::error("missing-field", message, fields.span()));
        }
        let claims = allowances(fields).map(|(verb, allowance)| Claim {
            verb,
            allowance: allowance.value,
            location: self.sources.locate(allowance.span),
        });
        claims.collect()
    }

    fn keys(&self, place: &Place, patterns: &[At<KeyPattern>]) -> BTreeSet<KeyName> {
        let keys = self
            .places
            .get(place)
            .into_iter()
            .flat_map(|place| place.keys.keys());
        let is_meant = |name: &&KeyName| {
            let mut patterns = patterns.iter();
            patterns.any(|pattern| policy::fits_glob(&pattern.value.0, name.as_str()))
        };
        keys.filter(is_meant).cloned().collect()
    }

    /// A claim has to make sense for each key that is named, and for one of those that a pattern takes in.
    fn check_claims(
        &self,
        fields: &ExpectationFields,
        subjects: &BTreeMap<Place, Subjects>,
        faults: &mut Faults,
    ) {
        let patterns = fields.keys.value().into_iter().flat_map(|keys| &keys.0);
        let is_named = |name: &KeyName| patterns.clone().any(|one| one.value.0 == name.as_str());
        let keys = subjects.iter().flat_map(|(place, subjects)| {
            let place = self.places.get(place);
            let find = move |name| place?.keys.get(name);
            subjects.keys.iter().filter_map(find)
        });
        for (_, allowance) in allowances(fields) {
            let mut keys = keys.clone();
            let suits = |key: &&crate::state::DesiredKey| allowance.value.suits(key.key_type);
            let wrong = keys.clone().find(|key| is_named(&key.name) && !suits(key));
            let message = if let Some(key) = wrong {
                format!(
                    "`{}` is no use of key `{}`, {} for {}",
                    allowance.value, key.name, key.key_type.spec, key.key_type.usage
                )
            } else if subjects.is_empty() || keys.any(|key| suits(&key)) {
                continue;
            } else {
                format!("`{}` is no use of any of these keys", allowance.value)
            };
            let fault = Fault::error("operation-not-for-key", message, allowance.span);
            faults.push(fault.help("remove it, or name other keys"));
        }
    }
}

/// Everything that is claimed, with its verb.
fn allowances(fields: &ExpectationFields) -> impl Iterator<Item = (Verb, &At<Allowance>)> {
    let all = [(Verb::Can, &fields.can), (Verb::Cannot, &fields.cannot)];
    all.into_iter().flat_map(|(verb, field)| {
        let list = field.value().into_iter().flat_map(|list| &list.0);
        list.map(move |allowance| (verb, allowance))
    })
}

/// Which requests are meant: context keys with their values.
fn context(
    site: Site<'_>,
    when: &RequestContext,
    faults: &mut Faults,
) -> BTreeMap<String, Vec<String>> {
    let mut context = BTreeMap::new();
    let via = when.via.value().into_iter().flat_map(|via| &via.0);
    let via: Vec<String> = services(via, faults)
        .iter()
        .map(|name| format!("{name}.{}.amazonaws.com", site.place.region))
        .collect();
    if !via.is_empty() {
        context.insert("kms:ViaService".to_owned(), via);
    }
    for (name, value) in pairs(&when.context) {
        let key = format!("kms:EncryptionContext:{name}");
        context.insert(key, vec![site.fill(&value)]);
    }
    for (key, values) in &when.keys {
        let name = key.value.as_str();
        if let Some(short) = context
            .keys()
            .find(|known| known.eq_ignore_ascii_case(name))
        {
            let message = format!("`{short}` is given twice, here and by its short form");
            faults.push(Fault::error("duplicate-key", message, key.span).help("keep one of them"));
            continue;
        }
        let values = values.iter().map(|value| site.fill(value)).collect();
        context.insert(name.to_owned(), values);
    }
    context
}
