//! Members that grant operations share, with the service model's rules.

use crate::engine::wire::{Check, Code, Failure};

/// What a dry run says when the request would have succeeded.
pub(super) fn dry_run() -> Failure {
    Failure::new(
        Code::DryRun,
        "The request would have succeeded, but the DryRun option is set.",
    )
}

/// The ARN of a grantee or of a retiring principal.
pub(super) fn check_principal(check: &mut Check, member: &str, value: Option<&str>) {
    check.length(member, value, 1..=256);
    check.pattern(member, value, r"^[\w+=,.@:/-]+$", |character| {
        character.is_ascii_alphanumeric() || "_+=,.@:/-".contains(character)
    });
}

/// The name of an AWS service.
pub(super) fn check_service(check: &mut Check, member: &str, value: Option<&str>) {
    check.length(member, value, 1..=128);
    let shaped = |name: &str| {
        let label = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        name.split('.').count() >= 3 && name.split('.').all(label)
    };
    check.shape(
        member,
        value,
        r"^([A-Za-z0-9\-]+)\.([A-Za-z0-9\-]+)(\.[A-Za-z0-9\-]+)+$",
        shaped,
    );
}

/// A grant's name.
pub(super) fn check_name(check: &mut Check, value: Option<&str>) {
    check.length("name", value, 1..=256);
    check.pattern("name", value, "^[a-zA-Z0-9:/_-]+$", |character| {
        character.is_ascii_alphanumeric() || ":/_-".contains(character)
    });
}

/// A grant's id.
pub(super) fn check_id(check: &mut Check, value: Option<&str>) {
    check.length("grantId", value, 1..=128);
}

/// The tokens of grants that are not yet known everywhere.
pub(super) fn check_tokens(check: &mut Check, tokens: Option<&[String]>) {
    let tokens = tokens.unwrap_or_default();
    check.list_length("grantTokens", tokens, 0..=10);
    for (index, token) in tokens.iter().enumerate() {
        let member = format!("grantTokens.{}.member", index + 1);
        check.length(&member, Some(token), 1..=8192);
    }
}

/// The resource for which an AWS service may use a grant.
pub(super) fn check_source_arn(check: &mut Check, value: Option<&str>) {
    const MEMBER: &str = "constraints.sourceArn";
    check.length(MEMBER, value, 20..=512);
    check.shape(
        MEMBER,
        value,
        "^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$",
        is_source_arn,
    );
}

fn is_source_arn(text: &str) -> bool {
    let lower = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts.as_slice() else {
        return false;
    };
    *arn == "arn"
        && partition.starts_with("aws")
        && lower(partition)
        && !service.is_empty()
        && lower(service)
        && lower(region)
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && !resource.is_empty()
}
