//! `GetKeyPolicy`, `PutKeyPolicy`, `ListKeyPolicies`.

use super::bench::{ACCOUNT, Bench, arn, refused};

fn allow(principal: &str, action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"{action}","Resource":"*"}}]}}"#
    )
}

fn root() -> String {
    format!(r#"{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}}"#)
}

/// Creates a key with a policy and expects an error.
async fn refuse(policy: &str, code: &str, message: &str) {
    let bench = Bench::new();
    let made = bench.kms.create_key().policy(policy).send().await;
    refused(made, code, message);
    let id = bench.key().await;
    let put = bench.kms.put_key_policy().key_id(id).policy(policy);
    refused(put.send().await, code, message);
}

const LOCKED_OUT: &str =
    "The new key policy will not allow you to update the key policy in the future.";

#[tokio::test]
async fn the_default_policy_lets_the_account_decide() {
    let bench = Bench::new();
    let id = bench.key().await;
    let got = bench.kms.get_key_policy().key_id(id).send().await.unwrap();
    let expected = format!(
        r#"{{"Version":"2012-10-17","Id":"key-default-1","Statement":[{{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"kms:*","Resource":"*"}}]}}"#
    );
    assert_eq!(got.policy(), Some(&*expected));
    assert_eq!(got.policy_name(), Some("default"));
}

#[tokio::test]
async fn a_put_policy_is_got_back() {
    let bench = Bench::new();
    let id = bench.key().await;
    let policy = allow(&root(), "kms:*KeyPol*");
    let put = bench.kms.put_key_policy().key_id(&id).policy(&policy);
    put.send().await.unwrap();
    let got = bench.kms.get_key_policy().key_id(&id).send().await.unwrap();
    assert_eq!(got.policy(), Some(&*policy));
    let listed = bench
        .kms
        .list_key_policies()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.policy_names(), ["default"]);
    assert!(!listed.truncated);
}

#[tokio::test]
async fn a_caller_cannot_lock_itself_out() {
    let other = r#"{"AWS":"arn:aws:iam::111122223333:role/other"}"#;
    let code = "MalformedPolicyDocumentException";
    refuse(&allow(other, "kms:*"), code, LOCKED_OUT).await;
    refuse(&allow(&root(), "kms:Get*"), code, LOCKED_OUT).await;
    let denied = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}},{{"Effect":"Deny","Principal":{},"Action":"kms:PutKeyPolicy","Resource":"*"}}]}}"#,
        root()
    );
    refuse(&denied, code, LOCKED_OUT).await;
}

#[tokio::test]
async fn the_lock_out_check_looks_at_conditions() {
    let when = |account: &str| {
        format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{{"StringEquals":{{"kms:CallerAccount":"{account}","kms:PolicyName":"default"}}}}}}]}}"#
        )
    };
    let bench = Bench::new();
    let made = bench.kms.create_key().policy(when(ACCOUNT)).send().await;
    made.unwrap();
    let code = "MalformedPolicyDocumentException";
    refuse(&when("444455556666"), code, LOCKED_OUT).await;
}

#[tokio::test]
async fn the_lock_out_check_can_be_bypassed() {
    let bench = Bench::new();
    let policy = allow(r#"{"AWS":"arn:aws:iam::111122223333:role/other"}"#, "kms:*");
    let made = bench
        .kms
        .create_key()
        .policy(&policy)
        .bypass_policy_lockout_safety_check(true);
    let id = made.send().await.unwrap().key_metadata.unwrap().key_id;
    let put = bench
        .kms
        .put_key_policy()
        .key_id(&id)
        .policy(&policy)
        .bypass_policy_lockout_safety_check(true);
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: kms:PutKeyPolicy on resource: {} because no \
         resource-based policy allows the kms:PutKeyPolicy action",
        arn(&id)
    );
    refused(put.send().await, "AccessDeniedException", &message);
}

#[tokio::test]
async fn principals_must_be_well_formed() {
    let code = "MalformedPolicyDocumentException";
    let message = "Policy contains a statement with one or more invalid principals.";
    let wrong = [
        r#"{"AWS":"arn:aws:iam::111122223333:group/admins"}"#,
        r#"{"AWS":"arn:aws:iam::1:root"}"#,
        r#"{"AWS":"AROAEXAMPLEEXAMPLE12"}"#,
        r#"{"Federated":"cognito-identity.amazonaws.com"}"#,
    ];
    for principal in wrong {
        refuse(&allow(principal, "kms:*"), code, message).await;
    }
}

#[tokio::test]
async fn for_all_values_needs_a_key_with_many_values() {
    let policy = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Principal":{},"Action":"kms:*","Resource":"*","Condition":{{"ForAllValues:StringEquals":{{"kms:EncryptionContext:a":"b"}}}}}}]}}"#,
        root()
    );
    let message = "OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key \
                   matches requests without the specified encryption context or with an unspecified encryption \
                   context. To fix, remove ForAllValues.";
    refuse(&policy, "MalformedPolicyDocumentException", message).await;
}

#[tokio::test]
async fn policies_have_a_size_and_an_alphabet() {
    let padded = allow(&root(), "kms:*") + &" ".repeat(32_768);
    let message = format!("The policy has {} bytes; the most is 32768.", padded.len());
    refuse(&padded, "LimitExceededException", &message).await;
    let message = "1 validation error detected: Value '{\"Id\":\"…\"}' at 'policy' failed to satisfy constraint: Member \
                   must satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+";
    refuse("{\"Id\":\"…\"}", "ValidationException", message).await;
}

#[tokio::test]
async fn policies_are_json() {
    let bench = Bench::new();
    for policy in [
        "{",
        "[]",
        "{}",
        r#"{"Statement":[]}"#,
        r#"{"Statement":[{"Effect":"Allow"}]}"#,
    ] {
        let made = bench.kms.create_key().policy(policy).send().await;
        let error = made.unwrap_err();
        let error = error.as_service_error().unwrap();
        assert!(error.is_malformed_policy_document_exception(), "{policy}");
    }
}

#[tokio::test]
async fn only_the_default_policy_can_be_written() {
    let bench = Bench::new();
    let id = bench.key().await;
    let put = || {
        bench
            .kms
            .put_key_policy()
            .key_id(&id)
            .policy(allow(&root(), "kms:*"))
    };
    let message = "The AWS_RAM policy can only be managed by the RAM service";
    refused(
        put().policy_name("AWS_RAM").send().await,
        "ValidationException",
        message,
    );
    let unknown = "No such policy exists";
    refused(
        put().policy_name("mine").send().await,
        "NotFoundException",
        unknown,
    );
    let got = bench
        .kms
        .get_key_policy()
        .key_id(&id)
        .policy_name("AWS_RAM");
    refused(got.send().await, "NotFoundException", unknown);
}
