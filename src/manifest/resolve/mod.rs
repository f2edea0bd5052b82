//! From what was typed to what was meant: teams, defaults, accounts and Regions resolved.

mod accounts;
mod claims;
mod duty;
mod expectation;
mod grant;
mod identity;
mod key;
mod policy;
mod teams;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::accounts::{Account, Accounts};
use self::claims::Claims;
use self::expectation::KeyNames;
use self::identity::Carriers;
use self::teams::Teams;
use super::fault::{Fault, Faults};
use super::fields::Mapping as _;
use super::source::Sources;
use super::typed::{Document, GrantFields, KeyFields};
use super::{Fallback, Manifests};
use crate::model::{GrantName, KeyName, Place};
use crate::policy::Identities;
use crate::state::{Desired, DesiredGrant, DesiredPlace, Expectation, GrantsOnKey};

/// Resolves all documents.
pub(super) fn desired(manifests: &Manifests, fallback: &Fallback, faults: &mut Faults) -> Desired {
    let Manifests {
        sources,
        documents,
        identities: known,
        faults: _,
    } = manifests;
    let mut teams = Vec::new();
    let mut accounts = Vec::new();
    let mut keys = Vec::new();
    let mut grants = Vec::new();
    let mut identities = Vec::new();
    let mut expectations = Vec::new();
    for document in documents {
        match document {
            Document::Team(team) => teams.push(team),
            Document::Account(account) => accounts.push(&**account),
            Document::Key(key) => keys.push(&**key),
            Document::Grant(grant) => grants.push(grant),
            Document::Identity(identity) => identities.push(&**identity),
            Document::Expectation(expectation) => expectations.push(&**expectation),
        }
    }
    let teams = Teams::new(&teams, faults);
    let accounts = Accounts::new(&accounts, fallback, faults);
    let mut run = Run {
        sources,
        teams: &teams,
        accounts: &accounts,
        places: BTreeMap::new(),
        claims: Claims::default(),
    };
    let names = KeyNames::of(&keys);
    for key in keys {
        run.add_key(key, faults);
    }
    run.claims.check_former_names(faults);
    for grant in grants {
        run.add_grant(grant, faults);
    }
    let mut carriers = Carriers::new(known);
    for identity in identities {
        run.add_identity(identity, &mut carriers, faults);
    }
    run.fill_places(&Arc::new(carriers.known));
    let expectations = expectations
        .iter()
        .filter_map(|fields| run.expectation(fields, &names, faults));
    let expectations = expectations.collect();
    run.finish(expectations, faults)
}

/// What surrounds a key or a grant while it is resolved for one place.
#[derive(Clone, Copy)]
struct Site<'a> {
    sources: &'a Sources,
    teams: &'a Teams<'a>,
    account: &'a Account<'a>,
    place: &'a Place,
}

impl Site<'_> {
    /// Fills in `${account}` and `${region}`.
    fn fill(&self, text: &str) -> String {
        text.replace("${account}", self.place.account.as_str())
            .replace("${region}", self.place.region.as_str())
    }
}

struct Run<'a> {
    sources: &'a Sources,
    teams: &'a Teams<'a>,
    accounts: &'a Accounts<'a>,
    places: BTreeMap<Place, DesiredPlace>,
    claims: Claims<'a>,
}

impl<'a> Run<'a> {
    fn add_key(&mut self, fields: &'a KeyFields, faults: &mut Faults) {
        let at = fields.name.given().map_or(fields.span(), |name| name.span);
        let places = self
            .accounts
            .places(&fields.accounts, &fields.regions, at, faults);
        for (account, place) in places {
            let site = Site {
                sources: self.sources,
                teams: self.teams,
                account,
                place: &place,
            };
            let first = self.claims.add(&place, fields, faults);
            if let Some(key) = key::resolve(site, fields, faults).filter(|_| first) {
                let name = key.name.clone();
                self.place(account, &place).keys.insert(name, key);
            }
        }
    }

    fn add_grant(&mut self, fields: &GrantFields, faults: &mut Faults) {
        let Some(key) = fields.key.given() else {
            return;
        };
        for (account, place) in self.places_of_grant(fields, &key.value, faults) {
            let site = Site {
                sources: self.sources,
                teams: self.teams,
                account,
                place: &place,
            };
            let sources = self.sources;
            let desired = self.place(account, &place);
            let known = desired.keys.get(&key.value).map(|key| key.key_type);
            let Some(grant) = grant::resolve(site, fields, known, faults) else {
                continue;
            };
            let grants = if let Some(key) = desired.keys.get_mut(&key.value) {
                &mut key.grants
            } else {
                let on_key = desired.grants.entry(key.value.clone());
                let empty = || GrantsOnKey {
                    name: key.value.clone(),
                    location: sources.locate(key.span),
                    grants: BTreeMap::new(),
                };
                &mut on_key.or_insert_with(empty).grants
            };
            insert_grant(grants, grant, fields, faults);
        }
    }

    /// Where a grant belongs: where it says so, else where its key is, else everywhere.
    fn places_of_grant(
        &self,
        fields: &GrantFields,
        key: &KeyName,
        faults: &mut Faults,
    ) -> Vec<(&'a Account<'a>, Place)> {
        let of_key: Vec<_> = self
            .claims
            .places_of(key)
            .filter_map(|place| Some((self.accounts.of(place)?, place.clone())))
            .collect();
        let unplaced = fields.accounts.is_absent() && fields.regions.is_absent();
        if unplaced && !of_key.is_empty() {
            return of_key;
        }
        let at = fields.name.given().map_or(fields.span(), |name| name.span);
        self.accounts
            .places(&fields.accounts, &fields.regions, at, faults)
    }

    fn place(&mut self, account: &Account<'_>, place: &Place) -> &mut DesiredPlace {
        self.places
            .entry(place.clone())
            .or_insert_with(|| account.empty_place(place.clone()))
    }

    /// Adds the places in which nothing is asked for, and what IAM says in all.
    fn fill_places(&mut self, identities: &Arc<Identities>) {
        let accounts = self.accounts;
        for (account, place) in accounts.declared_places() {
            self.place(account, &place);
        }
        if self.places.is_empty()
            && let Some((account, place)) = accounts.fallback_place()
        {
            self.place(account, &place);
        }
        for place in self.places.values_mut() {
            place.identities = Arc::clone(identities);
        }
    }

    fn finish(mut self, expectations: Vec<Expectation>, faults: &mut Faults) -> Desired {
        self.read_ceilings(faults);
        Desired {
            places: self.places.into_values().collect(),
            expectations,
        }
    }

    /// Reads the policies that guardrails name, once more for each place that they are for.
    fn read_ceilings(&mut self, faults: &mut Faults) {
        for (place, desired) in &mut self.places {
            let account = self.accounts.of(place);
            let Some((account, ceiling)) = account.and_then(|one| Some((one, one.ceiling?))) else {
                continue;
            };
            let site = Site {
                sources: self.sources,
                teams: self.teams,
                account,
                place,
            };
            let ceiling = policy::whole_policy(site, ceiling, faults);
            desired.guardrails.ceiling = ceiling.map(Arc::new);
        }
    }
}

/// Adds a grant to its key, unless the name is taken.
fn insert_grant(
    grants: &mut BTreeMap<GrantName, DesiredGrant>,
    grant: DesiredGrant,
    fields: &GrantFields,
    faults: &mut Faults,
) {
    if let Some(known) = grants.get(&grant.name) {
        let message = format!("the key has two grants named `{}`", grant.name);
        let span = fields.name.given().map_or(fields.span(), |name| name.span);
        let first = known.location.clone().labelled("the first is here");
        faults.push(Fault::error("duplicate-name", message, span).also_at(first));
        return;
    }
    grants.insert(grant.name.clone(), grant);
}
