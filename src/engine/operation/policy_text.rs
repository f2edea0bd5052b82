//! What makes a text acceptable as a key's policy.

use serde_json::Value;

use crate::engine::wire::{Check, Code, Failure};
use crate::model::Place;

use super::Context;

/// The longest policy; KMS Developer Guide, "Resource quotas".
const LONGEST: usize = 32_768;

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
    _context: &Context<'_>,
    text: &str,
    _bypass_lockout_check: bool,
) -> Result<(), Failure> {
    if text.len() > LONGEST {
        return Err(Failure::new(
            Code::LimitExceeded,
            format!("The policy has more than {LONGEST} bytes."),
        ));
    }
    let document: Value =
        serde_json::from_str(text).map_err(|error| malformed(&error.to_string()))?;
    if document.get("Statement").is_none() {
        return Err(malformed("Policy contains no statement."));
    }
    Ok(())
}

fn malformed(why: &str) -> Failure {
    Failure::new(Code::MalformedPolicyDocument, why)
}
