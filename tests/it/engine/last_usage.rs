//! Which operations are uses of a key.

use serde_json::{Value, json};

use super::bench::Bench;

fn call(bench: &Bench, operation: &str, members: &Value) -> Value {
    let (status, body) = bench.raw(operation, &members.to_string());
    assert_eq!(status, 200, "{operation}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// Does two operations on a new key, the second with a member of what the first one answered.
#[track_caller]
fn check(key: &Value, members: &Value, first: &str, then: Option<(&str, &str)>) {
    let bench = Bench::new();
    let made = call(&bench, "CreateKey", key);
    let id = made["KeyMetadata"]["KeyId"].clone();
    let mut members = members.clone();
    members["KeyId"] = id.clone();
    if key["KeyUsage"] == "KEY_AGREEMENT" {
        let public = call(&bench, "GetPublicKey", &json!({"KeyId": id}));
        members["PublicKey"] = public["PublicKey"].clone();
    }
    let last = || {
        let used = call(&bench, "GetKeyLastUsage", &json!({"KeyId": id}));
        used["KeyLastUsage"]["Operation"].clone()
    };
    assert_eq!(last(), Value::Null);
    let answer = call(&bench, first, &members);
    assert_eq!(last(), first);
    if let Some((second, member)) = then {
        members[member] = answer[member].clone();
        bench.clock.forward_minutes(60);
        call(&bench, second, &members);
        assert_eq!(last(), second);
    }
}

#[test]
fn every_cryptographic_operation_is_a_use() {
    let symmetric = json!({});
    let text = json!({"Plaintext": "AAAA"});
    check(
        &symmetric,
        &text,
        "Encrypt",
        Some(("Decrypt", "CiphertextBlob")),
    );
    let bytes = json!({"NumberOfBytes": 1, "KeyPairSpec": "ECC_NIST_P256"});
    check(&symmetric, &bytes, "GenerateDataKey", None);
    check(&symmetric, &bytes, "GenerateDataKeyWithoutPlaintext", None);
    check(&symmetric, &bytes, "GenerateDataKeyPair", None);
    check(
        &symmetric,
        &bytes,
        "GenerateDataKeyPairWithoutPlaintext",
        None,
    );
    check(
        &json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}),
        &json!({"Message": "AAAA", "SigningAlgorithm": "ECDSA_SHA_256"}),
        "Sign",
        Some(("Verify", "Signature")),
    );
    check(
        &json!({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}),
        &json!({"Message": "AAAA", "MacAlgorithm": "HMAC_SHA_256"}),
        "GenerateMac",
        Some(("VerifyMac", "Mac")),
    );
    check(
        &json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"}),
        &json!({"KeyAgreementAlgorithm": "ECDH"}),
        "DeriveSharedSecret",
        None,
    );
    check(
        &json!({"KeySpec": "ML_KEM_512", "KeyUsage": "ENCAPSULATE_DECAPSULATE"}),
        &json!({"EncapsulationAlgorithm": "ML_KEM"}),
        "Encapsulate",
        Some(("Decapsulate", "SharedSecretCiphertextBlob")),
    );
}
