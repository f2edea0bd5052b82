//! Conditions against one request, a line each.

use super::*;
use crate::policy::Context;

const ROLE: &str = "arn:aws:iam::111122223333:role/team/app";

/// The request that all rows are about.
fn request() -> Context {
    let mut context = Context::new()
        .with("kms:ViaService", "s3.eu-central-1.amazonaws.com")
        .with("kms:EncryptionContext:AppName", "Pay*roll")
        .with("kms:ScheduleKeyDeletionPendingWindowInDays", "30")
        .with("kms:ValidTo", "1704067200")
        .with("aws:CurrentTime", "2024-06-01T12:00:00Z")
        .with("aws:MultiFactorAuthPresent", "true")
        .with("aws:SourceIp", "203.0.113.9")
        .with("aws:VpcSourceIp", "2001:db8::1")
        .with("aws:PrincipalArn", ROLE)
        .with("aws:username", "ann")
        .with("aws:PrincipalTag/owner", "ann")
        .with("example:blob", "aGVsbG8=");
    context.set("kms:GrantOperations", ["Decrypt".into(), "Encrypt".into()]);
    context.set("aws:TagKeys", []);
    context
}

/// Reads `OPERATOR KEY VALUE|VALUE`.
#[track_caller]
fn check(row: &str, expected: bool) {
    check_in(Version::V2012, row, expected);
}

#[track_caller]
fn check_in(version: Version, row: &str, expected: bool) {
    let mut words = row.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default();
    let condition = Condition {
        operator: word().parse().unwrap(),
        key: word().to_owned(),
        values: word().split('|').map(str::to_owned).collect(),
    };
    let facts = Facts {
        given: &request(),
        of_caller: &Context::new(),
    };
    assert_eq!(holds(&condition, version, facts), expected, "{row}");
}

#[test]
fn strings() {
    check(
        "StringEquals kms:ViaService s3.eu-central-1.amazonaws.com",
        true,
    );
    check(
        "StringEquals KMS:viaservice s3.eu-central-1.amazonaws.com",
        true,
    );
    check(
        "StringEquals kms:ViaService S3.eu-central-1.amazonaws.com",
        false,
    );
    check(
        "StringEquals kms:ViaService ec2.amazonaws.com|s3.eu-central-1.amazonaws.com",
        true,
    );
    check("StringEquals kms:ViaService s3.*", false);
    check("StringLike kms:ViaService s3.*", true);
    check("StringLike kms:ViaService s3.*.amazonaws.com", true);
    check("StringLike kms:ViaService S3.*", false);
    check(
        "StringEqualsIgnoreCase kms:ViaService S3.EU-CENTRAL-1.amazonaws.com",
        true,
    );
    check("StringEqualsIgnoreCase kms:ViaService S3.*", false);
    check("StringEquals kms:EncryptionContext:appname Pay*roll", true);
    check("StringEquals kms:EncryptionContext:appname pay*roll", false);
    check("StringEquals kms:EncryptionContext:other Pay*roll", false);
}

#[test]
fn negated_operators_want_none_of_their_values() {
    check("StringNotEquals aws:username ann", false);
    check("StringNotEquals aws:username bob", true);
    check("StringNotEquals aws:username bob|ann", false);
    check("StringNotEquals aws:username bob|eve", true);
    check("StringNotEqualsIgnoreCase aws:username BOB|ANN", false);
    check("StringNotLike aws:username b*|a*", false);
    check("StringNotLike aws:username b*|c*", true);
    check(
        "NumericNotEquals kms:ScheduleKeyDeletionPendingWindowInDays 7|30",
        false,
    );
    check(
        "NumericNotEquals kms:ScheduleKeyDeletionPendingWindowInDays 7|8",
        true,
    );
    check("DateNotEquals kms:ValidTo 2024-01-01|2025-01-01", false);
    check("NotIpAddress aws:SourceIp 10.0.0.0/8|203.0.113.0/24", false);
    check("NotIpAddress aws:SourceIp 10.0.0.0/8|192.168.0.0/16", true);
    check(
        "ArnNotEquals aws:PrincipalArn arn:aws:iam::*:role/x|arn:aws:iam::*:role/team/*",
        false,
    );
    check(
        "ArnNotLike aws:PrincipalArn arn:aws:iam::*:role/x|arn:aws:iam::*:role/y",
        true,
    );
}

#[test]
fn missing_keys_fail_what_is_positive() {
    check("StringEquals aws:userid x", false);
    check("StringLike aws:userid *", false);
    check("NumericLessThan kms:RotationPeriodInDays 1000", false);
    check("DateLessThan aws:TokenIssueTime 2099-01-01", false);
    check("Bool aws:SecureTransport false", false);
    check("BinaryEquals example:other aGVsbG8=", false);
    check("IpAddress aws:OtherIp 0.0.0.0/0", false);
    check("ArnLike aws:SourceArn arn:*:*:*:*:*", false);
}

#[test]
fn missing_keys_pass_what_is_negated_or_optional() {
    check("StringNotEquals aws:userid x", true);
    check("StringNotLike aws:userid *", true);
    check("NumericNotEquals kms:RotationPeriodInDays 90", true);
    check("NotIpAddress aws:OtherIp 0.0.0.0/0", true);
    check("ArnNotLike aws:SourceArn arn:*:*:*:*:*", true);
    check("StringEqualsIfExists aws:userid x", true);
    check("StringNotEqualsIfExists aws:userid x", true);
    check("BoolIfExists aws:SecureTransport false", true);
    check("ArnLikeIfExists aws:SourceArn arn:aws:s3:::x", true);
    check("StringEqualsIfExists aws:username bob", false);
    check("StringNotEqualsIfExists aws:username ann", false);
}

#[test]
fn numbers() {
    check(
        "NumericEquals kms:ScheduleKeyDeletionPendingWindowInDays 30.0",
        true,
    );
    check(
        "NumericLessThan kms:ScheduleKeyDeletionPendingWindowInDays 30",
        false,
    );
    check(
        "NumericLessThan kms:ScheduleKeyDeletionPendingWindowInDays 7|31",
        true,
    );
    check(
        "NumericLessThanEquals kms:ScheduleKeyDeletionPendingWindowInDays 30",
        true,
    );
    check(
        "NumericGreaterThan kms:ScheduleKeyDeletionPendingWindowInDays 7",
        true,
    );
    check(
        "NumericGreaterThanEquals kms:ScheduleKeyDeletionPendingWindowInDays 31",
        false,
    );
    check(
        "NumericEquals kms:ScheduleKeyDeletionPendingWindowInDays 3*",
        false,
    );
    check("NumericEquals aws:username 30", false);
    check("NumericNotEquals aws:username 30", true);
    check("NumericGreaterThan aws:CurrentTime 1704067200", true);
}

#[test]
fn dates() {
    check("DateEquals kms:ValidTo 2024-01-01T00:00:00Z", true);
    check("DateEquals kms:ValidTo 1704067200", true);
    check("DateLessThan aws:CurrentTime 2024-06-01T12:00:01Z", true);
    check(
        "DateLessThanEquals aws:CurrentTime 2024-06-01T12:00:00Z",
        true,
    );
    check("DateGreaterThan aws:CurrentTime 1704067200", true);
    check(
        "DateGreaterThan aws:CurrentTime 2024-06-01T14:00:00+02:00",
        false,
    );
    check(
        "DateGreaterThanEquals aws:CurrentTime 2024-06-01T14:00:00+02:00",
        true,
    );
    check("DateGreaterThan aws:CurrentTime soon", false);
}

#[test]
fn truths_bytes_and_addresses() {
    check("Bool aws:MultiFactorAuthPresent true", true);
    check("Bool aws:MultiFactorAuthPresent True", true);
    check("Bool aws:MultiFactorAuthPresent false", false);
    check("Bool aws:MultiFactorAuthPresent true|false", true);
    check("Bool aws:username ann", false);
    check("BinaryEquals example:blob aGVsbG8=", true);
    check("BinaryEquals example:blob aGVsbG9v", false);
    check("BinaryEquals aws:username ***", false);
    check("IpAddress aws:SourceIp 10.0.0.0/8|203.0.113.0/24", true);
    check("IpAddress aws:SourceIp ::/0", false);
    check("IpAddress aws:VpcSourceIp 2001:db8::/64", true);
    check("IpAddress aws:VpcSourceIp 0.0.0.0/0", false);
}

#[test]
fn arns_compare_by_part() {
    check(
        "ArnEquals aws:PrincipalArn arn:aws:iam::111122223333:role/team/app",
        true,
    );
    check("ArnEquals aws:PrincipalArn arn:aws:iam::*:role/*", true);
    check("ArnLike aws:PrincipalArn arn:aws:iam:*:role/*", false);
    check("StringLike aws:PrincipalArn arn:aws:iam:*:role/*", true);
    check("ArnLike aws:PrincipalArn arn:aws:*role/*", false);
    check("StringLike aws:PrincipalArn arn:aws:*role/*", true);
    check(
        "ArnLike aws:PrincipalArn arn:aws:iam::111122223333:Role/*",
        false,
    );
    check("ArnLike aws:username *", false);
}

#[test]
fn null_asks_for_absence() {
    check("Null aws:userid true", true);
    check("Null aws:userid false", false);
    check("Null aws:username true", false);
    check("Null aws:username false", true);
    check("Null aws:TagKeys true", true);
    check("Null aws:username perhaps", false);
    check("ForAllValues:Null aws:username true", true);
    check("ForAnyValue:Null aws:userid true", false);
}

#[test]
fn set_operators_ask_each_value() {
    check(
        "ForAllValues:StringEquals kms:GrantOperations Decrypt|Encrypt|Sign",
        true,
    );
    check(
        "ForAllValues:StringEquals kms:GrantOperations Decrypt",
        false,
    );
    check(
        "ForAnyValue:StringEquals kms:GrantOperations Decrypt|Sign",
        true,
    );
    check(
        "ForAnyValue:StringEquals kms:GrantOperations Sign|Verify",
        false,
    );
    check(
        "ForAllValues:StringNotEquals kms:GrantOperations Sign|Verify",
        true,
    );
    check(
        "ForAllValues:StringNotEquals kms:GrantOperations Sign|Decrypt",
        false,
    );
    check(
        "ForAnyValue:StringNotEquals kms:GrantOperations Decrypt",
        true,
    );
    check(
        "ForAnyValue:StringNotEquals kms:GrantOperations Decrypt|Encrypt",
        false,
    );
    check("ForAllValues:StringLike kms:GrantOperations *crypt", true);
    check("ForAllValues:StringEquals aws:username ann", true);
}

#[test]
fn set_operators_on_nothing() {
    check("ForAllValues:StringEquals aws:TagKeys x", true);
    check("ForAllValues:StringNotEquals aws:TagKeys x", true);
    check("ForAllValues:StringEquals aws:userid x", true);
    check("ForAnyValue:StringEquals aws:TagKeys x", false);
    check("ForAnyValue:StringNotEquals aws:TagKeys x", false);
    check("ForAnyValue:StringLike aws:userid *", false);
    check("ForAllValues:StringEqualsIfExists aws:userid x", true);
    check("ForAnyValue:StringEqualsIfExists aws:userid x", true);
}

#[test]
fn several_values_without_set_operator() {
    check("StringEquals kms:GrantOperations Decrypt", true);
    check("StringNotEquals kms:GrantOperations Decrypt", false);
}

#[test]
fn variables() {
    check("StringEquals aws:PrincipalTag/owner ${aws:username}", true);
    check("StringEquals aws:PrincipalTag/owner ${aws:userid}", false);
    check("StringNotEquals aws:PrincipalTag/owner ${aws:userid}", true);
    check(
        "StringNotEquals aws:PrincipalTag/owner ${aws:username}",
        false,
    );
    check(
        "StringEquals aws:PrincipalTag/owner ${aws:userid, 'ann'}",
        true,
    );
    check(
        "StringEquals kms:EncryptionContext:AppName Pay${*}roll",
        true,
    );
    check("StringLike kms:EncryptionContext:AppName Pay${*}roll", true);
    check("StringLike aws:username ${*}", false);
    check(
        "ArnLike aws:PrincipalArn arn:aws:iam::*:role/team/${aws:none, 'app'}",
        true,
    );
    check(
        "Bool aws:MultiFactorAuthPresent ${aws:MultiFactorAuthPresent}",
        true,
    );
    check("NumericEquals kms:ValidTo ${kms:ValidTo}", false);
    check_in(
        Version::V2008,
        "StringEquals aws:PrincipalTag/owner ${aws:username}",
        false,
    );
    check_in(
        Version::V2008,
        "StringLike kms:EncryptionContext:AppName ${*}",
        false,
    );
}
