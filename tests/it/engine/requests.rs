//! Requests that are wrong before any operation looks at them.

use bytes::Bytes;
use keywright::model::Operation;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::bench::{Bench, authorization};

#[track_caller]
fn check(operation: &str, body: &str, expected: &str) {
    let (status, body) = Bench::new().raw(operation, body);
    assert_eq!((status, &*body), (400, expected));
}

#[test]
fn unknown_operations_are_refused() {
    let expected = r#"{"__type":"UnknownOperationException"}"#;
    check("Nonsense", "{}", expected);
    check("describeKey", "{}", expected);
}

#[test]
fn bodies_are_json_objects() {
    check("DescribeKey", "{", r#"{"__type":"SerializationException"}"#);
    check(
        "DescribeKey",
        "\u{0}",
        r#"{"__type":"SerializationException"}"#,
    );
    check(
        "DescribeKey",
        "[1]",
        r#"{"__type":"SerializationException","message":"Start of list found where not expected."}"#,
    );
    check(
        "EnableKey",
        r#" ["alias/key"]"#,
        r#"{"__type":"SerializationException","message":"Start of list found where not expected."}"#,
    );
}

#[test]
fn members_have_types() {
    let map = r#"{"__type":"SerializationException","message":"Start of structure or map found where not expected."}"#;
    check("DescribeKey", r#"{"KeyId":{}}"#, map);
    let list = r#"{"__type":"SerializationException","message":"Start of list found where not expected."}"#;
    check("DescribeKey", r#"{"KeyId":[]}"#, list);
    let number = r#"{"__type":"SerializationException","message":"NUMBER_VALUE can not be converted to the expected type."}"#;
    check("DescribeKey", r#"{"KeyId":1}"#, number);
    let text = r#"{"__type":"SerializationException","message":"STRING_VALUE can not be converted to the expected type."}"#;
    check("ListKeys", r#"{"Limit":"1"}"#, text);
    check("ListKeys", r#"{"ResourceOwners":"SELF"}"#, text);
    check(
        "GenerateRandom",
        r#"{"NumberOfBytes":1,"Recipient":"x"}"#,
        text,
    );
}

#[test]
fn structures_are_objects_wherever_they_are() {
    let list = r#"{"__type":"SerializationException","message":"Start of list found where not expected."}"#;
    check("CreateKey", r#"{"Tags":[["a","b"]]}"#, list);
    check("TagResource", r#"{"KeyId":"x","Tags":[["a","b"]]}"#, list);
    check("ReplicateKey", r#"{"KeyId":"x","Tags":[[]]}"#, list);
    check(
        "CreateGrant",
        r#"{"KeyId":"x","Constraints":[{"a":"b"}]}"#,
        list,
    );
    let secret = r#"{"XksProxyAuthenticationCredential":["a","b"]}"#;
    check("CreateCustomKeyStore", secret, list);
    check("UpdateCustomKeyStore", secret, list);
    for operation in [
        "Decrypt",
        "DeriveSharedSecret",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateRandom",
    ] {
        check(operation, r#"{"Recipient":["a","b"]}"#, list);
    }
}

#[test]
fn values_that_are_out_of_all_bounds_are_refused() {
    let silent = r#"{"__type":"SerializationException"}"#;
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    // Also where no operation looks: policies may ask for members of any name.
    for member in ["KeyId", "Unknown"] {
        for value in [
            &*deep(200),
            &deep(100_000),
            "1e999",
            r#""\ud800""#,
            "{\"a\":1,}",
        ] {
            check("DescribeKey", &format!("{{\"{member}\":{value}}}"), silent);
        }
    }
    let number = r#"{"__type":"SerializationException","message":"NUMBER_VALUE can not be converted to the expected type."}"#;
    check("ListKeys", r#"{"Limit":1.5}"#, number);
    check("ListKeys", r#"{"Limit":1e40}"#, number);
    check("Encrypt", r#"{"EncryptionContext":{"a":1}}"#, number);
    check("CreateKey", r#"{"Tags":[{"TagKey":1}]}"#, number);
    check(
        "ListKeys",
        r#"{"Limit":18446744073709551615}"#,
        r#"{"__type":"SerializationException","message":"The request has a value that can not be read."}"#,
    );
    let null = r#"{"__type":"SerializationException","message":"Null found where not expected."}"#;
    check("CreateKey", r#"{"Tags":[null]}"#, null);
    check("UntagResource", r#"{"TagKeys":[null]}"#, null);
    check("Encrypt", r#"{"EncryptionContext":{"a":null}}"#, null);
}

#[test]
fn of_members_that_come_twice_the_last_counts() {
    check(
        "DescribeKey",
        r#"{"KeyId":1,"KeyId":"x"}"#,
        r#"{"__type":"NotFoundException","message":"Invalid keyId 'x'"}"#,
    );
}

#[test]
fn required_members_must_be_there() {
    let missing = |member: &str| {
        format!(
            r#"{{"__type":"ValidationException","message":"1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"}}"#
        )
    };
    let key_only = [
        "DescribeKey",
        "EnableKey",
        "DisableKey",
        "GetKeyPolicy",
        "ListGrants",
        "ListKeyPolicies",
        "ListResourceTags",
        "EnableKeyRotation",
        "DisableKeyRotation",
        "GetKeyRotationStatus",
        "RotateKeyOnDemand",
        "ListKeyRotations",
        "ScheduleKeyDeletion",
        "CancelKeyDeletion",
        "GetKeyLastUsage",
        "GenerateDataKey",
    ];
    for operation in key_only {
        check(operation, "{}", &missing("keyId"));
        check(operation, "", &missing("keyId"));
        check(operation, r#"{"KeyId":null}"#, &missing("keyId"));
    }
    check("DeleteAlias", "{}", &missing("aliasName"));
    check("Decrypt", "{}", &missing("ciphertextBlob"));
    let id = r#"{"KeyId":"x"}"#;
    check("TagResource", id, &missing("tags"));
    check("UntagResource", id, &missing("tagKeys"));
    check("PutKeyPolicy", id, &missing("policy"));
    check("CreateGrant", id, &missing("operations"));
    check("RevokeGrant", id, &missing("grantId"));
    check("Encrypt", id, &missing("plaintext"));
    check("UpdateKeyDescription", id, &missing("description"));
    check(
        "CreateAlias",
        r#"{"AliasName":"alias/a"}"#,
        &missing("targetKeyId"),
    );
    check(
        "TagResource",
        r#"{"KeyId":"x","Tags":[{"TagValue":"v"}]}"#,
        &missing("tags.1.member.tagKey"),
    );
}

#[test]
fn violations_are_reported_together() {
    let expected = concat!(
        r#"{"__type":"ValidationException","message":"2 validation errors detected: Value null at 'keyId' failed to "#,
        r#"satisfy constraint: Member must not be null; Value null at 'grantId' failed to satisfy constraint: Member "#,
        r#"must not be null"}"#
    );
    check("RevokeGrant", "{}", expected);
    let expected = r#"{"__type":"ValidationException","message":"1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1"}"#;
    check("DescribeKey", r#"{"KeyId":""}"#, expected);
}

#[test]
fn bytes_are_base64() {
    let expected = r#"{"__type":"SerializationException","message":"The request has a value that can not be read."}"#;
    check("Encrypt", r#"{"KeyId":"x","Plaintext":"%"}"#, expected);
}

#[test]
fn unknown_members_are_ignored() {
    let (status, _) = Bench::new().raw("CreateKey", r#"{"SomethingNew":[1,{"a":null}]}"#);
    assert_eq!(status, 200);
}

#[test]
fn unsigned_requests_are_refused() {
    let bench = Bench::new();
    let answer = |authorization: Option<&str>| {
        let mut request = http::Request::post("/").header("x-amz-target", "TrentService.ListKeys");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let answer = bench.engine.handle(request.body(Bytes::new()).unwrap());
        String::from_utf8(answer.into_body().to_vec()).unwrap()
    };
    assert!(answer(None).contains("MissingAuthenticationTokenException"));
    for wrong in [
        "",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/b/c",
        "x Credential=a/b/NOWHERE/kms/aws4_request",
    ] {
        assert!(
            answer(Some(wrong)).contains("IncompleteSignatureException"),
            "{wrong}"
        );
    }
    assert!(answer(Some(&authorization("kms"))).contains("Keys"));
}

#[test]
fn only_posts_are_requests() {
    let request = http::Request::get("/")
        .header("authorization", authorization("kms"))
        .header("x-amz-target", "TrentService.ListKeys");
    let answer = Bench::new()
        .engine
        .handle(request.body(Bytes::new()).unwrap());
    assert_eq!(answer.status(), 400);
}

#[test]
fn answers_carry_a_request_id_and_a_type() {
    let request = http::Request::post("/")
        .header("authorization", authorization("kms"))
        .header("x-amz-target", "TrentService.ListKeys");
    let answer = Bench::new()
        .engine
        .handle(request.body(Bytes::new()).unwrap());
    let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap();
    assert_eq!(header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(header("x-amzn-requestid").len(), 36);
}

/// Every operation; the halves of `ReEncrypt` are permissions only.
fn names() -> Vec<&'static str> {
    let all = Operation::ALL.iter().map(|one| one.name());
    let whole = all.filter(|name| !name.starts_with("ReEncrypt"));
    whole.chain(["ReEncrypt"]).collect()
}

const MEMBERS: &[&str] = &[
    "KeyId",
    "AliasName",
    "TargetKeyId",
    "Limit",
    "Marker",
    "Policy",
    "PolicyName",
    "Tags",
    "TagKeys",
    "Operations",
    "GranteePrincipal",
    "RetiringPrincipal",
    "Constraints",
    "Name",
    "GrantId",
    "GrantToken",
    "GrantTokens",
    "Plaintext",
    "CiphertextBlob",
    "EncryptionContext",
    "EncryptionAlgorithm",
    "NumberOfBytes",
    "Description",
    "PendingWindowInDays",
    "RotationPeriodInDays",
    "DryRun",
    "Origin",
    "Recipient",
    "XksProxyAuthenticationCredential",
    "SourceKeyId",
    "DestinationKeyId",
    "PublicKey",
    "Message",
    "Signature",
    "Mac",
    "MacAlgorithm",
    "SigningAlgorithm",
    "KeyAgreementAlgorithm",
    "EncapsulationAlgorithm",
    "ReplicaRegion",
    "PrimaryRegion",
    "ImportToken",
    "EncryptedKeyMaterial",
    "ValidTo",
    "WrappingAlgorithm",
    "WrappingKeySpec",
    "CustomKeyStoreId",
    "CustomKeyStoreName",
];

fn value(id: &str) -> impl Strategy<Value = Value> + use<> {
    let texts = vec![
        json!(id),
        json!("alias/a"),
        json!("arn:aws:kms:eu-central-1:111122223333:key/x"),
        json!("arn:aws:iam::111122223333:role/r"),
        json!("Decrypt"),
        json!("{}"),
        json!("AQ=="),
        json!(["Decrypt"]),
        json!([{"TagKey": "a", "TagValue": "b"}]),
        json!({"EncryptionContextSubset": {"a": "b"}}),
        json!([["a", "b"]]),
        json!([null]),
        json!({"KeyEncryptionAlgorithm": ["b"]}),
        Value::Null,
    ];
    prop_oneof![
        prop::sample::select(texts),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        prop::collection::vec("\\PC{0,9}".prop_map(Value::from), 0..4).prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_makes_the_engine_fail(
        requests in prop::collection::vec(
            (prop::sample::select(names()), prop::collection::vec((prop::sample::select(MEMBERS), value("00000000-0000-4000-8000-000000000000")), 0..8)),
            1..20,
        )
    ) {
        let bench = Bench::new();
        let (_, made) = bench.raw("CreateKey", "{}");
        let made: Value = serde_json::from_str(&made).unwrap();
        let id = made["KeyMetadata"]["KeyId"].as_str().unwrap();
        for (operation, members) in requests {
            let members = Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
            let body = members.to_string().replace("00000000-0000-4000-8000-000000000000", id);
            let (status, answer) = bench.raw(operation, &body);
            prop_assert!(status == 200 || status == 400, "{} {}: {} {}", operation, body, status, answer);
        }
    }
}
