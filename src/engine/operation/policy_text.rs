//! What makes a text acceptable as a key's policy.

use crate::engine::store::Connection;

use crate::engine::authorize;
use crate::engine::store::keys::Key;
use crate::engine::wire::{Check, Code, Failure};
use crate::model::{Place, Principal};
use crate::policy::{self, Condition, Principals, Quantifier, Statement};

use super::Context;

/// The longest policy; KMS Developer Guide, "Resource quotas".
const LONGEST: usize = 32_768;
/// What KMS says about principals that it does not find.
const INVALID_PRINCIPALS: &str = "Policy contains a statement with one or more invalid principals.";

/// The policy of a key that was created without one.
pub(super) fn default_policy(place: &Place) -> String {
    format!(
        concat!(
            r#"{{"Version":"2012-10-17","Id":"key-default-1","Statement":[{{"Sid":"Enable IAM User Permissions","#,
            r#""Effect":"Allow","Principal":{{"AWS":"arn:{}:iam::{}:root"}},"Action":"kms:*","Resource":"*"}}]}}"#
        ),
        place.partition(),
        place.account
    )
}

/// Notes what the service model finds wrong with a policy member.
pub(super) fn check_member(check: &mut Check, policy: Option<&str>) {
    check.length("policy", policy, 1..=131_072);
    check.pattern(
        "policy",
        policy,
        r"[\u0009\u000A\u000D\u0020-\u00FF]+",
        |character| matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}'),
    );
}

/// Fails when a policy is too long, not a policy, or locks its caller out.
pub(super) fn check_policy(
    context: &Context<'_>,
    key: &Key,
    text: &str,
    bypass_lockout_check: bool,
) -> Result<(), Failure> {
    if text.len() > LONGEST {
        return Err(Failure::new(
            Code::LimitExceeded,
            format!(
                "The policy has {} bytes; the most is {LONGEST}.",
                text.len()
            ),
        ));
    }
    let partition = context.caller.region.partition();
    let document = policy::read(text, partition).map_err(|error| {
        if error.path.contains("Principal") {
            malformed(INVALID_PRINCIPALS)
        } else {
            malformed(error.to_string())
        }
    })?;
    for statement in &document.statements {
        check_statement(statement)?;
    }
    if bypass_lockout_check || authorize::keeps_access(context, key, &document) {
        return Ok(());
    }
    Err(malformed(
        "The new key policy will not allow you to update the key policy in the future.",
    ))
}

/// Fails when a policy names users or roles that are not there, for an engine that minds.
pub(super) fn check_principals(
    context: &Context<'_>,
    connection: &Connection,
    text: &str,
) -> Result<(), Failure> {
    let partition = context.caller.region.partition();
    let document = context.parsed.document(text.to_owned(), partition);
    let document = document.map_err(|error| malformed(error.to_string()))?;
    let named = document.statements.iter().flat_map(|statement| {
        let (Principals::Any(set) | Principals::Not(set)) = &statement.principals;
        set.iter()
    });
    for principal in named {
        if !authorize::may_be_named(context, connection, principal)? {
            return Err(malformed(INVALID_PRINCIPALS));
        }
    }
    Ok(())
}

fn check_statement(statement: &Statement) -> Result<(), Failure> {
    let (Principals::Any(principals) | Principals::Not(principals)) = &statement.principals;
    let is_deleted = |principal: &Principal| matches!(principal, Principal::Deleted(_));
    if principals.iter().any(is_deleted) {
        return Err(malformed(INVALID_PRINCIPALS));
    }
    let for_all =
        |condition: &&Condition| condition.operator.quantifier == Some(Quantifier::ForAllValues);
    for condition in statement.conditions.iter().filter(for_all) {
        let key = condition.key.to_ascii_lowercase();
        let what = if key.starts_with("kms:encryptioncontext:") {
            "encryption context"
        } else if key.starts_with("aws:requesttag/") {
            "tag"
        } else {
            continue;
        };
        return Err(malformed(format!(
            "OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key \
             matches requests without the specified {what} or with an unspecified {what}. To fix, remove ForAllValues."
        )));
    }
    Ok(())
}

fn malformed(why: impl Into<String>) -> Failure {
    Failure::new(Code::MalformedPolicyDocument, why)
}
