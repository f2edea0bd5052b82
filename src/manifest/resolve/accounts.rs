//! Accounts: which there are, and which of them a key or grant is for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::manifest::Fallback;
use crate::manifest::fault::{Fault, Faults, Span};
use crate::manifest::fields::{Field, NonEmpty};
use crate::manifest::typed::{
    AccountFields, AccountName, GuardrailFields, KeyFields, PolicySource,
};
use crate::model::{AccountId, Place, Region, ScopeName};
use crate::state::{DesiredPlace, Guardrails, Target};

/// The part of AWS's request quotas that is used where no manifest says otherwise, in percent.
const REQUESTS_SHARE: u8 = 50;

/// An account with what its document says.
pub(super) struct Account<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) id: AccountId,
    pub(super) regions: Vec<Region>,
    pub(super) scope: ScopeName,
    pub(super) defaults: Option<&'a KeyFields>,
    target: Target,
    guardrails: Guardrails,
    /// The policy beyond which no access goes; it is read for each place.
    pub(super) ceiling: Option<&'a PolicySource>,
}

impl<'a> Account<'a> {
    fn declared(fields: &'a AccountFields, faults: &mut Faults) -> Option<Self> {
        let name = fields.name.value()?;
        let id = *fields.id.value()?;
        let regions = regions(fields, faults)?;
        let text =
            |field: &Field<crate::manifest::typed::Text>| field.value().map(|text| text.0.clone());
        let target = Target {
            name: Some(name.0.clone()),
            kind: fields.target.value().copied(),
            endpoint: fields.endpoint.value().map(|url| url.0.clone()),
            assume_role: assume_role(fields, id, &regions, faults),
            external_id: text(&fields.external_id),
            profile: text(&fields.profile),
            requests_share: fields
                .requests_share
                .value()
                .map_or(REQUESTS_SHARE, |percent| percent.0),
        };
        Some(Self {
            name: Some(&name.0),
            id,
            regions,
            scope: fields.scope.value().cloned().unwrap_or_default(),
            defaults: fields.defaults.value().map(|defaults| &defaults.0),
            target,
            guardrails: fields
                .guardrails
                .value()
                .map(guardrails)
                .unwrap_or_default(),
            ceiling: fields
                .guardrails
                .value()
                .and_then(|guardrails| guardrails.ceiling.value()),
        })
    }

    fn fallback(place: &Place) -> Self {
        Self {
            name: None,
            id: place.account,
            regions: vec![place.region.clone()],
            scope: ScopeName::default(),
            defaults: None,
            target: Target {
                requests_share: REQUESTS_SHARE,
                ..Target::default()
            },
            guardrails: Guardrails::default(),
            ceiling: None,
        }
    }

    /// A place of the account in which nothing is asked for yet.
    pub(super) fn empty_place(&self, place: Place) -> DesiredPlace {
        DesiredPlace {
            place,
            target: self.target.clone(),
            scope: self.scope.clone(),
            guardrails: self.guardrails.clone(),
            keys: BTreeMap::new(),
            grants: BTreeMap::new(),
            identities: Arc::default(),
        }
    }

    fn place(&self, region: &Region) -> Place {
        Place {
            account: self.id,
            region: region.clone(),
        }
    }

    fn is_named(&self, name: &str) -> bool {
        self.name == Some(name) || self.id.as_str() == name
    }
}

/// The guardrails, apart from the ceiling.
fn guardrails(fields: &GuardrailFields) -> Guardrails {
    let default = Guardrails::default();
    let all = |list: &Field<Vec<AccountId>>| list.value().into_iter().flatten().copied().collect();
    Guardrails {
        mass_change_percent: fields
            .mass_change
            .value()
            .map_or(default.mass_change_percent, |percent| percent.0),
        minimum_administrators: fields
            .minimum_administrators
            .value()
            .map_or(default.minimum_administrators, |count| count.0),
        caller_may_leave: fields
            .caller_may_leave
            .value()
            .copied()
            .unwrap_or(default.caller_may_leave),
        allowed_accounts: all(&fields.allowed_accounts),
        allowed_organizations: fields
            .allowed_organizations
            .value()
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        public: fields.public.value().copied().unwrap_or(default.public),
        ceiling: None,
    }
}

/// The Regions of an account, each once and all of one partition.
fn regions(fields: &AccountFields, faults: &mut Faults) -> Option<Vec<Region>> {
    let mut regions: Vec<Region> = Vec::new();
    for region in &fields.regions.value()?.0 {
        if regions.contains(&region.value) {
            let message = format!("`{}` is named twice", region.value);
            faults.push(Fault::warning("named-twice", message, region.span));
            continue;
        }
        if let Some(first) = regions.first()
            && first.partition() != region.value.partition()
        {
            let message = format!(
                "`{first}` and `{}` are in different partitions",
                region.value
            );
            let fault = Fault::error("two-partitions", message, region.span);
            faults.push(fault.help("an account belongs to one partition"));
        }
        regions.push(region.value.clone());
    }
    Some(regions)
}

/// The ARN of the role to assume, from an ARN or `role/NAME`.
fn assume_role(
    fields: &AccountFields,
    id: AccountId,
    regions: &[Region],
    faults: &mut Faults,
) -> Option<String> {
    use crate::model::{Principal, PrincipalName};
    let given = fields.assume_role.given()?;
    let place = Place {
        account: id,
        region: regions.first()?.clone(),
    };
    let resolved = given.value.0.parse::<PrincipalName>().ok();
    if let Some(Ok(Principal::Role(arn))) = resolved.and_then(|name| name.resolve(&place)) {
        return Some(arn.to_string());
    }
    let message = format!("`{}` is not a role", given.value.0);
    let fault = Fault::error("malformed", message, given.span);
    faults.push(fault.help("write `role/NAME` or the role's ARN"));
    None
}

/// All accounts of a run.
pub(super) struct Accounts<'a> {
    all: Vec<Account<'a>>,
    /// Whether they come from documents.
    declared: bool,
    /// Whether some document could not be read, so that its name may be missing.
    incomplete: bool,
    fallback: Place,
}

impl<'a> Accounts<'a> {
    pub(super) fn new(
        documents: &[&'a AccountFields],
        fallback: &Fallback,
        faults: &mut Faults,
    ) -> Self {
        check_unique(documents, faults);
        let mut all: Vec<Account<'a>> = Vec::new();
        for fields in documents {
            if let Some(account) = Account::declared(fields, faults)
                && !all.iter().any(|known| known.id == account.id)
            {
                all.push(account);
            }
        }
        let declared = !documents.is_empty();
        let incomplete = all.len() < documents.len();
        if !declared {
            all.push(Account::fallback(&fallback.place));
        }
        Self {
            all,
            declared,
            incomplete,
            fallback: fallback.place.clone(),
        }
    }

    /// The account of a place.
    pub(super) fn of(&self, place: &Place) -> Option<&Account<'a>> {
        self.all.iter().find(|account| account.id == place.account)
    }

    /// Every place that an `Account` document names.
    pub(super) fn declared_places(&self) -> Vec<(&Account<'a>, Place)> {
        if !self.declared {
            return Vec::new();
        }
        self.all.iter().flat_map(places).collect()
    }

    /// Every place that a key can be in.
    pub(super) fn all_places(&self) -> Vec<(&Account<'a>, Place)> {
        self.all.iter().flat_map(places).collect()
    }

    /// The place that is used where no document names one.
    pub(super) fn fallback_place(&self) -> Option<(&Account<'a>, Place)> {
        let place = &self.fallback;
        self.of(place).map(|account| (account, place.clone()))
    }

    /// The places that a key or grant is for.
    pub(super) fn places(
        &self,
        names: &Field<NonEmpty<AccountName>>,
        regions: &Field<NonEmpty<Region>>,
        at: Span,
        faults: &mut Faults,
    ) -> Vec<(&Account<'a>, Place)> {
        let accounts = self.chosen(names, at, faults);
        let mut places = Vec::new();
        for account in accounts {
            match regions {
                Field::Absent => places.extend(self::places(account)),
                Field::Wrong => {}
                Field::Given(given) => {
                    for region in &given.value.0 {
                        if self.declared && !account.regions.contains(&region.value) {
                            faults.push(unknown_region(account, &region.value, region.span));
                        } else {
                            places.push((account, account.place(&region.value)));
                        }
                    }
                }
            }
        }
        places.dedup_by(|a, b| a.1 == b.1);
        places
    }

    fn chosen(
        &self,
        names: &Field<NonEmpty<AccountName>>,
        at: Span,
        faults: &mut Faults,
    ) -> Vec<&Account<'a>> {
        let names = match (names, self.all.as_slice()) {
            (Field::Given(given), _) => &given.value.0,
            (Field::Absent, [only]) if !self.incomplete => return vec![only],
            (Field::Absent, [_, _, ..]) => {
                let message = "with several accounts, `accounts` must say which are meant";
                let help = format!(
                    "write `accounts: [{}]`, or some of them",
                    self.names().join(", ")
                );
                faults.push(Fault::error("missing-field", message, at).help(help));
                return Vec::new();
            }
            (Field::Absent | Field::Wrong, _) => return Vec::new(),
        };
        let mut chosen: Vec<&Account<'a>> = Vec::new();
        for name in names {
            let text = &name.value.0;
            match self.all.iter().find(|account| account.is_named(text)) {
                Some(account) if chosen.iter().any(|known| known.id == account.id) => {
                    let message = format!("account `{text}` is named twice");
                    faults.push(Fault::warning("named-twice", message, name.span));
                }
                Some(account) => chosen.push(account),
                None if self.incomplete => {}
                None => faults.push(self.unknown(text, name.span)),
            }
        }
        chosen
    }

    fn unknown(&self, name: &str, span: Span) -> Fault {
        let fault = Fault::error(
            "unknown-account",
            format!("there is no account `{name}`"),
            span,
        );
        let names = self.names();
        let help = if self.declared {
            format!("the manifests describe {}", names.join(", "))
        } else {
            "describe it with a `kind: Account` document".to_owned()
        };
        fault.help(help).nearest(name, names)
    }

    fn names(&self) -> Vec<&str> {
        self.all
            .iter()
            .map(|account| account.name.unwrap_or(account.id.as_str()))
            .collect()
    }
}

fn places<'b, 'a>(account: &'b Account<'a>) -> Vec<(&'b Account<'a>, Place)> {
    let regions = account.regions.iter();
    regions
        .map(|region| (account, account.place(region)))
        .collect()
}

fn unknown_region(account: &Account<'_>, region: &Region, span: Span) -> Fault {
    let name = account.name.unwrap_or(account.id.as_str());
    let known: Vec<&str> = account.regions.iter().map(Region::as_str).collect();
    let message = format!("account `{name}` does not use the Region `{region}`");
    Fault::error("unknown-region", message, span)
        .help(format!("its regions are {}", known.join(", ")))
}

/// Two documents must not describe one account or share a name.
fn check_unique(documents: &[&AccountFields], faults: &mut Faults) {
    for (index, fields) in documents.iter().enumerate() {
        let earlier = documents.get(..index).unwrap_or_default();
        if let Some(name) = fields.name.given()
            && let Some(first) = earlier
                .iter()
                .filter_map(|fields| fields.name.given())
                .find(|first| first.value.0 == name.value.0)
        {
            let message = format!("two accounts are named `{}`", name.value.0);
            faults.push(
                Fault::error("duplicate-name", message, name.span)
                    .also(first.span, "the first is here"),
            );
        }
        if let Some(id) = fields.id.given()
            && let Some(first) = earlier
                .iter()
                .filter_map(|fields| fields.id.given())
                .find(|first| first.value == id.value)
        {
            let message = format!("two accounts have the id {}", id.value);
            faults.push(
                Fault::error("duplicate-name", message, id.span)
                    .also(first.span, "the first is here"),
            );
        }
    }
}
