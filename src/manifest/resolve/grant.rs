//! One grant in one place.

use std::collections::BTreeMap;

use super::Site;
use crate::manifest::fault::{Fault, Faults};
use crate::manifest::fields::{Field, Pairs};
use crate::manifest::typed::{GrantFields, Text};
use crate::model::{Arn, Constraints, GrantOperations, GrantTerms, KeyType, Operation, Principal};
use crate::state::DesiredGrant;

/// Resolves a grant; the key's type is unknown where no manifest declares the key.
pub(super) fn resolve<'a>(
    site: Site<'a>,
    fields: &'a GrantFields,
    key: Option<KeyType>,
    faults: &mut Faults,
) -> Option<DesiredGrant> {
    let name = fields.name.given()?;
    let before = faults.len();
    let operations = operations(fields, key, faults)?;
    let constraints = constraints(site, fields, faults);
    let grantee = principal(site, &fields.grantee, "a grantee", faults);
    let retiring = principal(site, &fields.retiring, "the retiring principal", faults);
    let terms = GrantTerms {
        grantee: grantee?,
        retiring,
        operations,
        constraints,
    };
    if faults.len() == before && !fields.operations.is_wrong() {
        // A rule that no field breaks on its own.
        if let Err(malformed) = check(&terms, key) {
            faults.push(Fault::malformed("invalid-grant", malformed, name.span));
        }
    }
    Some(DesiredGrant {
        name: name.value.clone(),
        location: site.sources.locate(name.span),
        terms,
        expires: fields.expires.value().map(|expiry| expiry.0),
    })
}

/// Checks the terms; for a key of unknown type, against every type that has all of the operations.
fn check(terms: &GrantTerms, key: Option<KeyType>) -> Result<(), crate::model::Malformed> {
    let possible = KeyType::all().find(|key| terms.check(*key).is_ok());
    terms.check(key.or(possible).unwrap_or(KeyType::SYMMETRIC))
}

fn operations(
    fields: &GrantFields,
    key: Option<KeyType>,
    faults: &mut Faults,
) -> Option<GrantOperations> {
    let mut operations = GrantOperations::new();
    for operation in &fields.operations.value()?.0 {
        if !operations.insert(operation.value) {
            let message = format!("`{}` is named twice", operation.value);
            faults.push(Fault::warning("named-twice", message, operation.span));
        }
        if let Some(key) = key
            && !operation.value.is_grantable_on(key)
        {
            let message = format!(
                "`{}` does not work with {} keys for {}",
                operation.value, key.spec, key.usage
            );
            let possible: Vec<&str> = Operation::ALL
                .iter()
                .filter(|operation| operation.is_grantable_on(key))
                .map(|operation| operation.name())
                .collect();
            let fault = Fault::error("operation-not-for-key", message, operation.span);
            faults.push(fault.help(format!(
                "a grant on this key can give {}",
                possible.join(", ")
            )));
        }
    }
    Some(operations)
}

fn constraints(site: Site<'_>, fields: &GrantFields, faults: &mut Faults) -> Constraints {
    if let (Some(subset), Some(equals)) = (fields.context.given(), fields.context_equals.given()) {
        let message = "a grant cannot have both `context` and `context_equals`";
        faults.push(
            Fault::error("both-constraints", message, equals.key)
                .also(subset.key, "the other one")
                .help("`context` means contains, `context_equals` means is exactly; keep one"),
        );
    }
    let source_arn = fields.source_arn.given().and_then(|given| {
        match site.fill(&given.value.0).parse::<Arn>() {
            Ok(arn) => Some(arn),
            Err(malformed) => {
                faults.push(Fault::malformed("malformed", malformed, given.span));
                None
            }
        }
    });
    Constraints {
        context_subset: pairs(&fields.context),
        context_equals: pairs(&fields.context_equals),
        source_arn,
    }
}

/// Context pairs as plain text.
pub(super) fn pairs(field: &Field<Pairs<Text, Text>>) -> BTreeMap<String, String> {
    let pairs = field.value().into_iter().flat_map(|pairs| &pairs.0);
    pairs
        .map(|(key, value)| (key.value.0.clone(), value.value.0.clone()))
        .collect()
}

fn principal(
    site: Site<'_>,
    field: &Field<crate::model::PrincipalName>,
    what: &str,
    faults: &mut Faults,
) -> Option<Principal> {
    let given = field.given()?;
    site.principal(&given.value, given.span, what, faults)
}
