//! Which operations a key answers in which state: KMS Developer Guide, "Key states of AWS KMS keys".

use serde_json::{Value, json};

use super::bench::{Bench, arn};

const OK: &str = "";
const DISABLED: &str = "DisabledException: ARN is disabled.";
const PENDING: &str =
    "KMSInvalidStateException: ARN is pending deletion (or pending replica deletion).";
const CRYPTO_PENDING: &str = "KMSInvalidStateException: ARN is pending deletion.";
const NOT_PENDING: &str =
    "KMSInvalidStateException: ARN is not pending deletion (or pending replica deletion).";
const IMPORT: &str = "KMSInvalidStateException: ARN is pending import.";
const EXTERNAL: &str =
    "UnsupportedOperationException: ARN origin is EXTERNAL which is not valid for this operation.";
const AWS_KMS: &str =
    "UnsupportedOperationException: ARN origin is AWS_KMS which is not valid for this operation.";
const NOT_PRIMARY: &str = "UnsupportedOperationException: ARN is not a multi-region primary key.";

/// What an operation says in the states Enabled, Disabled, `PendingDeletion` and `PendingImport`.
const TABLE: &[(&str, [&str; 4])] = &[
    (
        "CancelKeyDeletion",
        [NOT_PENDING, NOT_PENDING, OK, NOT_PENDING],
    ),
    ("CreateAlias", [OK, OK, PENDING, OK]),
    ("CreateGrant", [OK, DISABLED, PENDING, IMPORT]),
    ("DescribeKey", [OK, OK, OK, OK]),
    ("GetKeyPolicy", [OK, OK, OK, OK]),
    ("ListAliases", [OK, OK, OK, OK]),
    ("ListGrants", [OK, OK, OK, OK]),
    ("ListKeyPolicies", [OK, OK, OK, OK]),
    ("ListResourceTags", [OK, OK, OK, OK]),
    ("PutKeyPolicy", [OK, OK, OK, OK]),
    ("GetKeyLastUsage", [OK, OK, OK, OK]),
    ("DisableKey", [OK, OK, PENDING, IMPORT]),
    ("EnableKey", [OK, OK, PENDING, IMPORT]),
    ("EnableKeyRotation", [OK, DISABLED, PENDING, EXTERNAL]),
    ("DisableKeyRotation", [OK, DISABLED, PENDING, EXTERNAL]),
    ("GetKeyRotationStatus", [OK, OK, OK, EXTERNAL]),
    ("RotateKeyOnDemand", [OK, DISABLED, PENDING, IMPORT]),
    ("Encrypt", [OK, DISABLED, CRYPTO_PENDING, IMPORT]),
    ("GenerateDataKey", [OK, DISABLED, CRYPTO_PENDING, IMPORT]),
    (
        "GenerateDataKeyPair",
        [OK, DISABLED, CRYPTO_PENDING, IMPORT],
    ),
    ("GetParametersForImport", [AWS_KMS, AWS_KMS, AWS_KMS, OK]),
    ("DeleteImportedKeyMaterial", [AWS_KMS, AWS_KMS, AWS_KMS, OK]),
    ("ReplicateKey", [NOT_PRIMARY, DISABLED, PENDING, IMPORT]),
    (
        "UpdatePrimaryRegion",
        [NOT_PRIMARY, DISABLED, PENDING, IMPORT],
    ),
    ("ScheduleKeyDeletion", [OK, OK, PENDING, OK]),
    ("TagResource", [OK, OK, PENDING, OK]),
    ("UntagResource", [OK, OK, PENDING, OK]),
    ("UpdateKeyDescription", [OK, OK, PENDING, OK]),
    ("UpdateAlias", [OK, OK, PENDING, OK]),
];

fn call(bench: &Bench, operation: &str, members: &Value) -> (u16, Value) {
    let (status, body) = bench.raw(operation, &members.to_string());
    let body = if body.is_empty() { "{}".into() } else { body };
    (status, serde_json::from_str(&body).unwrap())
}

fn create(bench: &Bench, members: &Value) -> String {
    let (_, made) = call(bench, "CreateKey", members);
    made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

/// Everything that any of the operations needs.
fn members(operation: &str, id: &str) -> Value {
    let root = "arn:aws:iam::111122223333:root";
    let policy = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "*", "Resource": "*"}});
    let mut members = json!({
        "KeyId": id,
        "AliasName": "alias/new",
        "TargetKeyId": id,
        "GranteePrincipal": root,
        "Operations": ["DescribeKey"],
        "Policy": policy.to_string(),
        "Plaintext": "AAAA",
        "NumberOfBytes": 1,
        "Tags": [{"TagKey": "a", "TagValue": "b"}],
        "TagKeys": ["a"],
        "Description": "new",
        "KeyPairSpec": "ECC_NIST_P256",
        "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
        "WrappingKeySpec": "RSA_2048",
        "ReplicaRegion": "us-east-1",
        "PrimaryRegion": "us-east-1",
    });
    if operation == "UpdateAlias" {
        members["AliasName"] = "alias/old".into();
    }
    members
}

/// Brings a key into the state of a column.
fn key_in(bench: &Bench, column: usize) -> String {
    let origin = if column == 3 { "EXTERNAL" } else { "AWS_KMS" };
    let id = create(bench, &json!({"Origin": origin}));
    match column {
        1 => assert_eq!(call(bench, "DisableKey", &json!({"KeyId": id})).0, 200),
        2 => assert_eq!(
            call(bench, "ScheduleKeyDeletion", &json!({"KeyId": id})).0,
            200
        ),
        _ => {}
    }
    id
}

#[test]
fn operations_answer_as_the_key_state_says() {
    for (operation, expected) in TABLE {
        for (column, expected) in expected.iter().enumerate() {
            let bench = Bench::new();
            let old = create(&bench, &json!({}));
            let alias = json!({"AliasName": "alias/old", "TargetKeyId": old});
            assert_eq!(call(&bench, "CreateAlias", &alias).0, 200);
            let id = key_in(&bench, column);
            let (status, body) = call(&bench, operation, &members(operation, &id));
            let said = if status == 200 {
                String::new()
            } else {
                let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
                format!("{}: {}", text("__type"), text("message"))
            };
            let expected = expected.replace("ARN", &arn(&id));
            assert_eq!(said, expected, "{operation} in state {column}");
        }
    }
}

#[test]
fn keys_keep_their_switch_through_the_states() {
    let bench = Bench::new();
    let state = |id: &str| {
        let (_, found) = call(&bench, "DescribeKey", &json!({"KeyId": id}));
        found["KeyMetadata"]["KeyState"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let id = create(&bench, &json!({}));
    for (operation, expected) in [
        ("DisableKey", "Disabled"),
        ("DisableKey", "Disabled"),
        ("EnableKey", "Enabled"),
        ("EnableKey", "Enabled"),
        ("ScheduleKeyDeletion", "PendingDeletion"),
        ("CancelKeyDeletion", "Disabled"),
        ("EnableKey", "Enabled"),
    ] {
        assert_eq!(call(&bench, operation, &json!({"KeyId": id})).0, 200);
        assert_eq!(state(&id), expected);
    }
    let id = create(&bench, &json!({"Origin": "EXTERNAL"}));
    call(&bench, "ScheduleKeyDeletion", &json!({"KeyId": id}));
    assert_eq!(state(&id), "PendingDeletion");
    call(&bench, "CancelKeyDeletion", &json!({"KeyId": id}));
    assert_eq!(state(&id), "PendingImport");
}

#[test]
fn an_alias_leaves_a_key_that_waits_for_its_deletion() {
    let bench = Bench::new();
    let (old, new) = (create(&bench, &json!({})), create(&bench, &json!({})));
    call(
        &bench,
        "CreateAlias",
        &json!({"AliasName": "alias/a", "TargetKeyId": old}),
    );
    call(&bench, "ScheduleKeyDeletion", &json!({"KeyId": old}));
    let moved = call(
        &bench,
        "UpdateAlias",
        &json!({"AliasName": "alias/a", "TargetKeyId": new}),
    );
    assert_eq!(moved.0, 200);
}
