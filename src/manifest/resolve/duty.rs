//! A key's duties, with the place of every part, so that what makes no sense is told where it is written.

use std::collections::{BTreeMap, BTreeSet};

use super::Site;
use super::grant::pairs;
use super::key::Settings;
use super::teams::warn_of_twins;
use crate::manifest::fault::{Fault, Faults, Span};
use crate::manifest::fields::{Field, Mapping as _};
use crate::manifest::typed::{Text, UserEntry, UserFields};
use crate::manifest::yaml::At;
use crate::model::PrincipalName;
use crate::policy::{self, Allowance, Duties, KeyContext, Problem, User};

/// Resolves the duties.
pub(super) fn duties<'a>(
    site: Site<'a>,
    settings: Settings<'a>,
    context: &KeyContext,
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
        let given = iam_policies.given();
        let span = given.map_or(settings.own.span(), |given| given.key);
        let message = "nobody could administer this key";
        let fault = Fault::error("no-administrator", message, span);
        faults.push(fault.help("name `administrators`, or leave `iam_policies` on"));
    }
    let (users, places): (Vec<User>, Vec<UserPlaces>) =
        users(site, settings, faults).into_iter().unzip();
    let duties = Duties {
        iam_policies: flag(iam_policies),
        administrators: principals,
        administrators_may_delete: flag(settings.pick(|key| &key.administrators_may_delete)),
        users,
    };
    let problems = policy::check(&duties, context);
    faults.extend(
        problems
            .into_iter()
            .map(|problem| fault_of(problem, &places)),
    );
    duties
}

/// Where a user is written, part by part.
struct UserPlaces {
    whole: Span,
    context: Option<Span>,
    allowances: BTreeMap<Allowance, Span>,
}

/// A problem of the duties, at the part of the user that it is about.
fn fault_of(problem: Problem, places: &[UserPlaces]) -> Fault {
    let Problem {
        user,
        allowance,
        message,
        help,
    } = problem;
    let span = places.get(user).map(|places| match allowance {
        Some(allowance) => places.allowances.get(&allowance).copied(),
        None => places.context,
    });
    let whole = places.get(user).map(|places| places.whole);
    let span = span.flatten().or(whole).unwrap_or(Span::whole_file(0));
    Fault::error("operation-not-for-key", message, span).help(help)
}

/// The users: the plain ones together, the others each on their own.
fn users<'a>(
    site: Site<'a>,
    settings: Settings<'a>,
    faults: &mut Faults,
) -> Vec<(User, UserPlaces)> {
    let mut plain: Vec<&'a At<PrincipalName>> = Vec::new();
    let mut users = Vec::new();
    let entries = settings.pick(|key| &key.users).value();
    for entry in entries.into_iter().flat_map(|entries| &entries.0) {
        match &entry.value {
            UserEntry::Plain(name) => plain.push(name),
            UserEntry::Detailed(fields) => users.extend(user(site, fields, faults)),
        }
    }
    warn_of_twins(plain.iter().copied(), faults);
    let Some(first) = plain.first() else {
        return users;
    };
    let places = UserPlaces {
        whole: first.span,
        context: None,
        allowances: BTreeMap::new(),
    };
    let user = User {
        holders: site.holders(plain, faults),
        allowances: BTreeSet::new(),
        via: BTreeSet::new(),
        context: BTreeMap::new(),
    };
    if !user.holders.is_empty() {
        users.insert(0, (user, places));
    }
    users
}

fn user<'a>(
    site: Site<'a>,
    fields: &'a UserFields,
    faults: &mut Faults,
) -> Option<(User, UserPlaces)> {
    let names = &fields.principals.value()?.0;
    warn_of_twins(names, faults);
    let operations = fields.operations.value();
    let allowances: BTreeMap<Allowance, Span> = operations
        .into_iter()
        .flat_map(|list| &list.0)
        .map(|allowance| (allowance.value, allowance.span))
        .collect();
    let user = User {
        holders: site.holders(names, faults),
        allowances: allowances.keys().copied().collect(),
        via: services(
            fields.via.value().into_iter().flat_map(|list| &list.0),
            faults,
        ),
        context: pairs(&fields.context),
    };
    let places = UserPlaces {
        whole: fields.span(),
        context: fields.context.given().map(|given| given.key),
        allowances,
    };
    // Without a holder there is nothing to compile, and why is reported already.
    (!user.holders.is_empty()).then_some((user, places))
}

/// The services through which requests come, as the first label of `kms:ViaService`.
pub(super) fn services<'a>(
    names: impl IntoIterator<Item = &'a At<Text>>,
    faults: &mut Faults,
) -> BTreeSet<String> {
    let mut services = BTreeSet::new();
    for service in names {
        let Text(text) = &service.value;
        let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() || !text.bytes().all(valid) {
            let message = format!("`{text}` is not the short name of an AWS service");
            let label = text.split('.').next().unwrap_or_default();
            let short = label.to_ascii_lowercase();
            let fault = Fault::error("malformed", message, service.span);
            faults.push(fault.help(format!(
                "write it like `{short}`; the Region is the key's own"
            )));
        }
        services.insert(text.clone());
    }
    services
}
