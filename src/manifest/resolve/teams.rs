//! Teams, and the principals that names stand for.

use std::collections::{BTreeMap, BTreeSet};

use super::Site;
use crate::manifest::fault::{Fault, Faults, Span};
use crate::manifest::typed::TeamFields;
use crate::manifest::yaml::At;
use crate::model::{Place, Principal, PrincipalName, TeamName};
use crate::policy::Holder;

/// All teams of a run.
pub(super) struct Teams<'a> {
    by_name: BTreeMap<&'a TeamName, &'a TeamFields>,
    /// Whether some document could not be read, so that its name may be missing.
    incomplete: bool,
}

impl<'a> Teams<'a> {
    pub(super) fn new(documents: &[&'a TeamFields], faults: &mut Faults) -> Self {
        let mut teams = Self {
            by_name: BTreeMap::new(),
            incomplete: false,
        };
        for fields in documents {
            let Some(name) = fields.name.given() else {
                teams.incomplete = true;
                continue;
            };
            let known = teams.by_name.get(&name.value);
            if let Some(first) = known.and_then(|first| first.name.given()) {
                let message = format!("two teams are named `{}`", name.value);
                let fault = Fault::error("duplicate-name", message, name.span);
                faults.push(fault.also(first.span, "the first is here"));
                continue;
            }
            teams.by_name.insert(&name.value, fields);
        }
        for (name, fields) in &teams.by_name {
            teams.check_members(name, fields, faults);
        }
        teams
    }

    fn check_members(&self, name: &TeamName, fields: &TeamFields, faults: &mut Faults) {
        let Some(members) = fields.members.value() else {
            return;
        };
        warn_of_twins(&members.0, faults);
        for member in &members.0 {
            let PrincipalName::Team(inner) = &member.value else {
                continue;
            };
            if !self.by_name.contains_key(inner) {
                faults.extend(self.unknown(inner, member.span));
            } else if self.reaches(inner, name) && self.is_first_of_cycle(name) {
                let message = format!("team `{name}` contains itself");
                let fault = Fault::error("team-cycle", message, member.span);
                faults.push(fault.help(format!("`team/{inner}` leads back to `team/{name}`")));
            }
        }
    }

    /// Whether no team with an earlier name is in a cycle with this one, so that each cycle is told once.
    fn is_first_of_cycle(&self, name: &TeamName) -> bool {
        let mut earlier = self.by_name.keys().filter(|other| **other < name);
        !earlier.any(|other| self.reaches(other, name) && self.reaches(name, other))
    }

    /// Whether a team is, or contains, another.
    fn reaches(&self, from: &TeamName, to: &TeamName) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(team) = open.pop() {
            if team == to {
                return true;
            }
            if seen.insert(team) {
                open.extend(self.members(team).filter_map(|member| match &member.value {
                    PrincipalName::Team(inner) => Some(inner),
                    PrincipalName::Organization(_) | PrincipalName::Single(_) => None,
                }));
            }
        }
        false
    }

    fn members(&self, team: &TeamName) -> impl Iterator<Item = &'a At<PrincipalName>> {
        let fields = self.by_name.get(team);
        let members = fields.and_then(|fields| fields.members.value());
        members.into_iter().flat_map(|members| &members.0)
    }

    fn unknown(&self, name: &TeamName, span: Span) -> Option<Fault> {
        if self.incomplete {
            return None;
        }
        let fault = Fault::error("unknown-team", format!("there is no team `{name}`"), span);
        let names: Vec<String> = self
            .by_name
            .keys()
            .map(|name| format!("team/{name}"))
            .collect();
        let help = "describe it with a `kind: Team` document";
        let names = names.iter().map(String::as_str);
        Some(fault.help(help).nearest(&format!("team/{name}"), names))
    }

    /// Replaces teams by their members, through all levels.
    fn expand(&self, name: &'a At<PrincipalName>, faults: &mut Faults) -> Vec<&'a PrincipalName> {
        let mut names = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![&name.value];
        while let Some(next) = open.pop() {
            match next {
                PrincipalName::Team(team) if !self.by_name.contains_key(team) => {
                    faults.extend(self.unknown(team, name.span));
                }
                PrincipalName::Team(team) => {
                    if seen.insert(team) {
                        open.extend(self.members(team).map(|member| &member.value));
                    }
                }
                PrincipalName::Organization(_) | PrincipalName::Single(_) => names.push(next),
            }
        }
        names
    }
}

impl<'a> Site<'a> {
    /// The holders that names stand for here.
    pub(super) fn holders(
        &self,
        names: impl IntoIterator<Item = &'a At<PrincipalName>>,
        faults: &mut Faults,
    ) -> BTreeSet<Holder> {
        let mut holders = BTreeSet::new();
        for name in names {
            for single in self.teams.expand(name, faults) {
                match single {
                    PrincipalName::Organization(id) => {
                        holders.insert(Holder::Organization(id.clone()));
                    }
                    PrincipalName::Single(_) | PrincipalName::Team(_) => {
                        let principal = resolved(single, self.place, name.span, faults);
                        holders.extend(principal.map(Holder::Principal));
                    }
                }
            }
        }
        holders
    }

    /// The principals that names stand for, where an organization cannot stand.
    pub(super) fn principals(
        &self,
        names: impl IntoIterator<Item = &'a At<PrincipalName>>,
        what: &str,
        faults: &mut Faults,
    ) -> BTreeSet<Principal> {
        let mut principals = BTreeSet::new();
        for name in names {
            for single in self.teams.expand(name, faults) {
                if let PrincipalName::Organization(id) = single {
                    let message = format!("`organization/{id}` cannot be {what}");
                    let fault = Fault::error("organization", message, name.span);
                    faults.push(
                        fault.help("an organization can only be among `users`; name roles here"),
                    );
                    continue;
                }
                principals.extend(resolved(single, self.place, name.span, faults));
            }
        }
        principals
    }

    /// The one principal that a name stands for.
    pub(super) fn principal(
        &self,
        name: &PrincipalName,
        span: Span,
        what: &str,
        faults: &mut Faults,
    ) -> Option<Principal> {
        if matches!(name, PrincipalName::Single(_)) {
            return resolved(name, self.place, span, faults);
        }
        let message =
            format!("`{name}` cannot be {what}, because it stands for several principals");
        let fault = Fault::error("several-principals", message, span);
        faults.push(fault.help("write one for each role"));
        None
    }
}

fn resolved(
    name: &PrincipalName,
    place: &Place,
    span: Span,
    faults: &mut Faults,
) -> Option<Principal> {
    match name.resolve(place)? {
        Ok(principal) => Some(principal),
        Err(malformed) => {
            faults.push(Fault::malformed("not-a-principal", malformed, span));
            None
        }
    }
}

/// Warns where one list names a principal twice.
pub(super) fn warn_of_twins<'a>(
    names: impl IntoIterator<Item = &'a At<PrincipalName>>,
    faults: &mut Faults,
) {
    let mut seen: BTreeMap<&PrincipalName, Span> = BTreeMap::new();
    for name in names {
        if let Some(first) = seen.insert(&name.value, name.span) {
            let message = format!("`{}` is named twice", name.value);
            let fault = Fault::warning("named-twice", message, name.span);
            faults.push(fault.also(first, "first named here"));
        }
    }
}
