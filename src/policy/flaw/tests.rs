//! What is wrong with policies, a line each.

use super::*;
use crate::model::Partition;
use crate::policy::{read, read_identity};

fn policy(principal: &str, effect: &str, elements: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "{effect}"{principal}, {elements}}}]}}"#
    )
}

/// What is wrong with a statement of a key policy, short: how much it matters, where, what.
#[track_caller]
fn check(elements: &str, expected: &str) {
    let text = policy(r#", "Principal": "*""#, "Allow", elements);
    told(&read(&text, Partition::Aws).unwrap().flaws(), expected);
}

/// The same for a policy that a caller carries.
#[track_caller]
fn check_own(elements: &str, expected: &str) {
    let text = policy("", "Allow", elements);
    told(&read_identity(&text).unwrap().flaws(), expected);
}

#[track_caller]
fn told(flaws: &[Flaw], expected: &str) {
    let line = |flaw: &Flaw| format!("{:?} {flaw}", flaw.weight).replace("Statement[0].", "");
    let all: Vec<String> = flaws.iter().map(line).collect();
    assert_eq!(all.join("; "), expected);
}

#[track_caller]
fn check_condition(operator: &str, key: &str, values: &str, expected: &str) {
    let condition = format!(r#"{{"{operator}": {{"{key}": {values}}}}}"#);
    let elements = format!(r#""Action": "kms:*", "Resource": "*", "Condition": {condition}"#);
    let expected = match expected.split_once(' ') {
        None => String::new(),
        Some((weight, problem)) => {
            format!("{weight} Condition.{operator}.{key}: {problem}")
        }
    };
    check(&elements, &expected);
}

#[test]
fn values_are_of_the_kind_that_the_operator_compares() {
    let age = "aws:MultiFactorAuthAge";
    check_condition("NumericLessThan", age, "3600", "");
    check_condition("NumericLessThan", age, r#""-1.5""#, "");
    check_condition(
        "NumericLessThan",
        age,
        r#""abc""#,
        "Malformed `abc` is not a number",
    );
    check_condition(
        "NumericEquals",
        age,
        r#"[1, "1e3"]"#,
        "Malformed `1e3` is not a number",
    );
    let time = "aws:CurrentTime";
    check_condition("DateLessThan", time, r#""2026-01-01""#, "");
    check_condition("DateLessThan", time, "1767225600", "");
    check_condition(
        "DateLessThan",
        time,
        r#""yesterday""#,
        "Malformed `yesterday` is not a date",
    );
}

#[test]
fn addresses_truths_and_bytes_are_written_as_such() {
    let ip = "aws:SourceIp";
    check_condition(
        "IpAddress",
        ip,
        r#"["10.0.0.0/8", "2001:db8::/32", "::1"]"#,
        "",
    );
    for bad in [
        "10.0.0.0/99",
        "10.0.0",
        "10.0.0.0/",
        "::1/129",
        "203.0.113.*",
    ] {
        let expected = format!("Malformed `{bad}` is not an address or a block of addresses");
        check_condition("NotIpAddress", ip, &format!("\"{bad}\""), &expected);
    }
    let secure = "aws:SecureTransport";
    check_condition("Bool", secure, r#"[true, "FALSE"]"#, "");
    check_condition(
        "BoolIfExists",
        secure,
        r#""maybe""#,
        "Malformed `maybe` is not a truth value",
    );
    check_condition(
        "Null",
        secure,
        r#""maybe""#,
        "Malformed `maybe` is not a truth value",
    );
    check_condition("BinaryEquals", "aws:x", r#""QUJD""#, "");
    check_condition(
        "BinaryEquals",
        "aws:x",
        r#""***""#,
        "Malformed `***` is not base64",
    );
    check_condition(
        "StringEquals",
        "kms:ViaService",
        "[]",
        "Malformed has no values",
    );
    check_condition("StringEquals", "kms:ViaService", r#""""#, "");
}

#[test]
fn patterns_of_arns_have_six_parts() {
    let source = "aws:SourceArn";
    for good in [
        "arn:aws:s3:::bucket",
        "arn:*:*:*:*:*",
        "*:aws:s3:::b",
        "${aws:x}",
    ] {
        check_condition("ArnLike", source, &format!("\"{good}\""), "");
    }
    for short in ["*", "arn:*", "arn:aws:iam::*"] {
        let expected =
            format!("Doubtful `{short}` has not the six parts of an ARN, so it matches none");
        check_condition("ArnLike", source, &format!("\"{short}\""), &expected);
    }
    for bad in ["bucket", "arn:aws:s3", "a:b:c:d:e:f", "111122223333"] {
        let expected = format!("Malformed `{bad}` is not an ARN");
        check_condition("ArnNotEquals", source, &format!("\"{bad}\""), &expected);
    }
}

#[test]
fn set_operators_are_for_keys_of_several_values() {
    let tags = r#"["a"]"#;
    check_condition("ForAnyValue:StringEquals", "aws:TagKeys", tags, "");
    check_condition("Null", "aws:TagKeys", "true", "");
    let open = |key: &str| {
        format!(
            "Doubtful `{key}` has several values, and AWS does not say what `StringLike` means for it"
        )
    };
    for key in [
        "aws:TagKeys",
        "kms:EncryptionContextKeys",
        "KMS:ResourceAliases",
        "aws:PrincipalOrgPaths",
    ] {
        check_condition("StringLike", key, tags, &open(key));
    }
    check_condition(
        "ForAllValues:StringEquals",
        "kms:ViaService",
        tags,
        "Doubtful `kms:ViaService` has one value, and `ForAllValues` allows requests without the key too",
    );
    check_condition(
        "ForAnyValue:StringEquals",
        "kms:ViaService",
        tags,
        "Doubtful `kms:ViaService` has one value, for which `ForAnyValue` is not meant",
    );
    for key in ["kms:EncryptionContext:tenant", "aws:RequestTag/team"] {
        let refused = format!(
            "Malformed KMS refuses `ForAllValues` for `{key}`: it holds without the key too"
        );
        check_condition("ForAllValues:StringEquals", key, tags, &refused);
    }
    check_condition("ForAllValues:StringEquals", "example:Thing", tags, "");
}

#[test]
fn actions_are_operations_of_a_service() {
    let check = |action: &str, expected: &str| {
        check(&format!(r#""Action": {action}, "Resource": "*""#), expected);
    };
    for good in [
        "\"*\"",
        "\"kms:*\"",
        "\"*:Decrypt\"",
        "\"KMS:generate*\"",
        "\"kms:Create*\"",
    ] {
        check(good, "");
    }
    check("5", "Malformed Action: `5` is not an action");
    check(
        r#""Decrypt""#,
        "Malformed Action: `Decrypt` is not an action",
    );
    check(r#""kms:""#, "Malformed Action: `kms:` is not an action");
    check(
        r#""kms:De crypt""#,
        "Malformed Action: `kms:De crypt` is not an action",
    );
    check(
        r#""k*:Decrypt""#,
        "Malformed Action: `k*:Decrypt` is of no service: wildcards go behind the colon",
    );
    check(
        r#""s3:GetObject""#,
        "Doubtful Action: `s3:GetObject` is of another service and has no effect in a key policy",
    );
    check(
        r#""kms:ReEncrypt""#,
        "Doubtful Action: `kms:ReEncrypt` is no operation of KMS",
    );
    check(
        r#""kms:Fly*""#,
        "Doubtful Action: `kms:Fly*` is no operation of KMS",
    );
    check(
        r#""kms:CreateKey""#,
        "Doubtful Action: `kms:CreateKey` has no effect in a key policy",
    );
}

#[test]
fn a_statement_about_nothing_has_no_effect() {
    check(
        r#""Action": "kms:*""#,
        "Doubtful Statement[0]: names no Resource, so it has no effect",
    );
    check(
        r#""Action": [], "Resource": "*""#,
        "Doubtful Statement[0]: names no Action, so it has no effect",
    );
}

#[test]
fn resources_are_arns() {
    let check = |resource: &str, expected: &str| {
        check(
            &format!(r#""Action": "kms:*", "Resource": "{resource}""#),
            expected,
        );
    };
    for good in ["*", "arn:aws:kms:*:*:key/*", "arn:*", "*:key/a", "${aws:x}"] {
        check(good, "");
    }
    for bad in ["foo", "", "foo*", "key/1234"] {
        check(
            bad,
            &format!("Malformed Resource: `{bad}` is neither an ARN nor `*`"),
        );
    }
}

#[test]
fn a_policy_of_a_caller_is_about_every_service() {
    check_own(
        r#""Action": ["s3:GetObject", "kms:CreateKey"], "Resource": "*""#,
        "",
    );
    check_own(
        r#""NotAction": "s3", "NotResource": "foo""#,
        "Malformed NotAction: `s3` is not an action; Malformed NotResource: `foo` is neither an ARN nor `*`",
    );
    check_own(
        r#""Action": "*", "Resource": "*", "Condition": {"ForAllValues:StringLike": {"aws:RequestTag/a": "b"}}"#,
        "Doubtful Condition.ForAllValues:StringLike.aws:RequestTag/a: `aws:RequestTag/a` has one value, and `ForAllValues` allows requests without the key too",
    );
}

#[test]
fn variables_stand_only_where_they_are_filled_in() {
    let name = "${aws:username}";
    let list = format!(r#""{name}""#);
    for operator in ["StringEquals", "StringLike", "ArnLike", "Bool"] {
        check_condition(operator, "aws:PrincipalTag/a", &list, "");
    }
    for (operator, what) in [
        ("NumericEquals", "a number"),
        ("DateLessThan", "a date"),
        ("IpAddress", "an address or a block of addresses"),
        ("Null", "a truth value"),
    ] {
        let expected = format!("Malformed `{name}` is not {what}");
        check_condition(operator, "aws:PrincipalTag/a", &list, &expected);
    }
}

#[test]
fn keys_that_no_request_has_are_doubtful() {
    for known in [
        "kms:viaservice",
        "kms:EncryptionContext:a",
        "s3:prefix",
        "aws:x",
    ] {
        check_condition("StringEquals", known, r#""x""#, "");
    }
    check_condition(
        "StringEquals",
        "kms:ViaServcie",
        r#""x""#,
        "Doubtful KMS has no condition key `kms:ViaServcie`, so no request has it",
    );
    check_condition(
        "StringEquals",
        "foo",
        r#""x""#,
        "Doubtful `foo` names no service, so no request has it",
    );
}
