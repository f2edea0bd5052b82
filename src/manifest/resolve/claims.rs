//! Names and aliases: each belongs to one key of a place.

use std::collections::BTreeMap;

use crate::manifest::fault::{Fault, Faults, Span};
use crate::manifest::fields::Mapping as _;
use crate::manifest::typed::KeyFields;
use crate::manifest::yaml::At;
use crate::model::{AliasName, KeyName, Place};

/// Who claims which name and alias.
#[derive(Default)]
pub(super) struct Claims<'a> {
    keys: BTreeMap<(Place, &'a KeyName), &'a KeyFields>,
    aliases: BTreeMap<(Place, AliasName), (&'a KeyName, Span)>,
    former: BTreeMap<(Place, &'a KeyName), (&'a KeyName, Span)>,
}

impl<'a> Claims<'a> {
    /// Adds a key's claims; false when another key of the place has its name.
    pub(super) fn add(
        &mut self,
        place: &Place,
        fields: &'a KeyFields,
        faults: &mut Faults,
    ) -> bool {
        let Some(name) = fields.name.given() else {
            return false;
        };
        if let Some(first) = self.keys.get(&(place.clone(), &name.value)) {
            let message = format!("two keys are named `{}`", name.value);
            let fault = Fault::error("duplicate-name", message, name.span);
            let first = first.name.given().map_or(first.span(), |name| name.span);
            faults.push(fault.also(first, "the first is here"));
            return false;
        }
        self.keys.insert((place.clone(), &name.value), fields);
        let main = At {
            value: name.value.alias().clone(),
            span: name.span,
        };
        self.claim(place, &name.value, &main, faults);
        for alias in fields.aliases.value().into_iter().flatten() {
            self.claim(place, &name.value, alias, faults);
        }
        for former in fields.formerly.value().into_iter().flatten() {
            self.add_former(place, &name.value, former, faults);
        }
        true
    }

    /// Where a key is asked for.
    pub(super) fn places_of(&self, name: &KeyName) -> impl Iterator<Item = &Place> {
        self.keys
            .keys()
            .filter(move |(_, key)| *key == name)
            .map(|(place, _)| place)
    }

    /// A former name must not be what another key is called now.
    pub(super) fn check_former_names(&self, faults: &mut Faults) {
        for ((place, former), (owner, span)) in &self.former {
            let Some(current) = self.aliases.get(&(place.clone(), former.alias().clone())) else {
                continue;
            };
            let (current, at) = current;
            if current == owner && former == owner {
                let message = format!("`{former}` is what the key is called now");
                faults.push(
                    Fault::error("former-name", message, *span).help("remove it from `formerly`"),
                );
            } else if current != owner {
                let message = format!(
                    "`{former}` is a former name of `{owner}`, but key `{current}` has it now"
                );
                let fault = Fault::error("former-name", message, *span);
                faults.push(
                    fault
                        .also(*at, "it is claimed here")
                        .help("one of the two has to give the name up"),
                );
            }
        }
    }

    fn claim(
        &mut self,
        place: &Place,
        owner: &'a KeyName,
        alias: &At<AliasName>,
        faults: &mut Faults,
    ) {
        let At { value: alias, span } = alias;
        let span = *span;
        let known = self
            .aliases
            .insert((place.clone(), alias.clone()), (owner, span));
        match known {
            Some((other, first)) if other == owner => {
                let message = format!("`{alias}` is named twice");
                let fault = Fault::warning("named-twice", message, span);
                faults.push(fault.also(first, "first named here"));
            }
            Some((other, first)) => {
                let message = format!("two keys claim `{alias}`");
                let fault = Fault::error("duplicate-alias", message, span);
                faults.push(fault.also(first, format!("`{other}` claims it here")));
            }
            None => {}
        }
    }

    fn add_former(
        &mut self,
        place: &Place,
        owner: &'a KeyName,
        former: &'a At<KeyName>,
        faults: &mut Faults,
    ) {
        let At {
            value: former,
            span,
        } = former;
        let span = *span;
        let known = self.former.insert((place.clone(), former), (owner, span));
        if let Some((other, first)) = known.filter(|(other, _)| *other != owner) {
            let message = format!("two keys were formerly `{former}`");
            let fault = Fault::error("former-name", message, span);
            faults.push(fault.also(first, format!("`{other}` says so here")));
        }
    }
}
