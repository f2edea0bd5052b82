//! `CreateGrant`, `ListGrants`, `ListRetirableGrants`, `RevokeGrant`, `RetireGrant`.

use aws_sdk_kms::operation::create_grant::builders::CreateGrantFluentBuilder;
use aws_sdk_kms::types::{GrantConstraints, GrantOperation, KeySpec, KeyUsageType};

use serde_json::{Value, json};

use super::bench::{ACCOUNT, Bench, UNKNOWN, arn, client, refused};
use crate::support::desk::{As, Desk, keys};

const GRANTEE: &str = "arn:aws:iam::111122223333:role/grantee";
const RETIRER: &str = "arn:aws:iam::111122223333:role/retirer";
const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:topic";

fn grant(bench: &Bench, id: &str) -> CreateGrantFluentBuilder {
    let made = bench.kms.create_grant().key_id(id);
    made.grantee_principal(GRANTEE)
        .operations(GrantOperation::Decrypt)
}

async fn count(bench: &Bench, id: &str) -> usize {
    let listed = bench.kms.list_grants().key_id(id).send().await;
    listed.unwrap().grants().len()
}

#[tokio::test]
async fn a_grant_is_listed_with_its_terms() {
    let bench = Bench::new();
    let id = bench.key().await;
    let constraints = GrantConstraints::builder()
        .encryption_context_subset("tenant", "eu")
        .source_arn(TOPIC)
        .build();
    let made = grant(&bench, &id)
        .operations(GrantOperation::Encrypt)
        .retiring_principal(RETIRER)
        .name("export")
        .constraints(constraints.clone());
    let made = made.send().await.unwrap();
    assert_eq!(made.grant_id().unwrap().len(), 64);
    let listed = bench.kms.list_grants().key_id(&id).send().await.unwrap();
    let [listed] = listed.grants() else {
        panic!("{listed:?}")
    };
    assert_eq!(listed.grant_id(), made.grant_id());
    assert_eq!(listed.key_id(), Some(&*arn(&id)));
    assert_eq!(listed.name(), Some("export"));
    assert_eq!(listed.grantee_principal(), Some(GRANTEE));
    assert_eq!(listed.retiring_principal(), Some(RETIRER));
    assert_eq!(
        listed.issuing_account(),
        Some("arn:aws:iam::111122223333:root")
    );
    assert_eq!(
        listed.operations(),
        [GrantOperation::Decrypt, GrantOperation::Encrypt]
    );
    assert_eq!(listed.constraints(), Some(&constraints));
}

#[tokio::test]
async fn a_name_makes_repeated_grants_one() {
    let bench = Bench::new();
    let id = bench.key().await;
    let first = grant(&bench, &id).name("n").send().await.unwrap();
    let again = grant(&bench, &id).name("n").send().await.unwrap();
    assert_eq!(again.grant_id(), first.grant_id());
    assert_ne!(again.grant_token(), first.grant_token());
    let wider = grant(&bench, &id)
        .name("n")
        .operations(GrantOperation::Encrypt);
    let wider = wider.send().await.unwrap();
    assert_ne!(wider.grant_id(), first.grant_id());
    let other = bench.key().await;
    grant(&bench, &other).name("n").send().await.unwrap();
    assert_eq!(
        (count(&bench, &id).await, count(&bench, &other).await),
        (2, 1)
    );
}

#[tokio::test]
async fn without_a_name_each_grant_is_new() {
    let bench = Bench::new();
    let id = bench.key().await;
    grant(&bench, &id).send().await.unwrap();
    grant(&bench, &id).send().await.unwrap();
    assert_eq!(count(&bench, &id).await, 2);
}

#[tokio::test]
async fn grantees_are_well_formed_principals() {
    let bench = Bench::new();
    let id = bench.key().await;
    let wrong = [
        "arn:aws:iam::111122223333:group/admins",
        "dynamodb.eu-central-1.amazonaws.com",
        "role/grantee",
        "111122223333",
    ];
    for principal in wrong {
        let made = grant(&bench, &id).grantee_principal(principal).send().await;
        let message = format!("ARN does not refer to a valid principal: {principal}");
        refused(made, "InvalidArnException", &message);
        let made = grant(&bench, &id)
            .retiring_principal(principal)
            .send()
            .await;
        refused(made, "InvalidArnException", &message);
    }
}

#[tokio::test]
async fn a_grant_has_one_grantee_and_at_most_one_retirer() {
    let bench = Bench::new();
    let id = bench.key().await;
    let service = "sns.amazonaws.com";
    let code = "ValidationException";
    let made = bench
        .kms
        .create_grant()
        .key_id(&id)
        .operations(GrantOperation::Decrypt);
    let message = "You must specify either GranteePrincipal or GranteeServicePrincipal.";
    refused(made.send().await, code, message);
    let made = grant(&bench, &id).grantee_service_principal(service);
    let message = "You cannot specify both GranteePrincipal and GranteeServicePrincipal.";
    refused(made.send().await, code, message);
    let made = grant(&bench, &id)
        .retiring_principal(RETIRER)
        .retiring_service_principal(service);
    let message = "You cannot specify both RetiringPrincipal and RetiringServicePrincipal.";
    refused(made.send().await, code, message);
}

#[tokio::test]
async fn services_get_grants_for_a_resource_only() {
    let bench = Bench::new();
    let id = bench.key().await;
    let made = || {
        let made = bench.kms.create_grant().key_id(&id);
        made.operations(GrantOperation::Decrypt)
            .grantee_service_principal("sns.amazonaws.com")
    };
    let message = "A grant with a GranteeServicePrincipal must have a SourceArn constraint and a retiring principal.";
    refused(made().send().await, "ValidationException", message);
    let made = made()
        .retiring_service_principal("sns.amazonaws.com")
        .constraints(GrantConstraints::builder().source_arn(TOPIC).build());
    made.send().await.unwrap();
    let listed = bench.kms.list_grants().key_id(&id).send().await.unwrap();
    let listed = &listed.grants()[0];
    assert_eq!(listed.grantee_principal(), None);
    assert_eq!(
        listed.grantee_service_principal(),
        Some("sns.amazonaws.com")
    );
}

#[tokio::test]
async fn a_grant_has_one_context_constraint() {
    let bench = Bench::new();
    let id = bench.key().await;
    let with = |constraints: GrantConstraints| grant(&bench, &id).constraints(constraints).send();
    let both = GrantConstraints::builder()
        .encryption_context_subset("a", "1")
        .encryption_context_equals("a", "1")
        .build();
    let message = "More than one constraint supplied";
    refused(with(both).await, "ValidationException", message);
    let nine = (0..9).fold(GrantConstraints::builder(), |constraints, number| {
        constraints.encryption_context_equals(number.to_string(), "v")
    });
    let message = "A grant constraint can have at most 8 encryption context pairs.";
    refused(with(nine.build()).await, "ValidationException", message);
    let long = GrantConstraints::builder().encryption_context_equals("a", "x".repeat(385));
    let message =
        "An encryption context value in a grant constraint can have at most 384 characters.";
    refused(with(long.build()).await, "ValidationException", message);
    let malformed = GrantConstraints::builder().source_arn("arn:aws:sns:eu-central-1:x:topic");
    let message = "1 validation error detected: Value 'arn:aws:sns:eu-central-1:x:topic' at 'constraints.sourceArn' \
                   failed to satisfy constraint: Member must satisfy regular expression pattern: \
                   ^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$";
    refused(
        with(malformed.build()).await,
        "ValidationException",
        message,
    );
}

#[tokio::test]
async fn a_grant_gives_what_the_key_can_do() {
    let bench = Bench::new();
    let id = bench.key().await;
    let give = |id: &str, operation| {
        let made = bench.kms.create_grant().key_id(id);
        made.grantee_principal(GRANTEE).operations(operation).send()
    };
    let message = format!(
        "Operation Sign is not supported by {}, whose key usage is ENCRYPT_DECRYPT and key spec SYMMETRIC_DEFAULT",
        arn(&id)
    );
    refused(
        give(&id, GrantOperation::Sign).await,
        "ValidationException",
        &message,
    );
    let message = "Grants must not contain only the CreateGrant operation";
    refused(
        give(&id, GrantOperation::CreateGrant).await,
        "ValidationException",
        message,
    );
    let hmac = bench
        .kms
        .create_key()
        .key_spec(KeySpec::Hmac256)
        .key_usage(KeyUsageType::GenerateVerifyMac);
    let hmac = hmac.send().await.unwrap().key_metadata.unwrap().key_id;
    give(&hmac, GrantOperation::GenerateMac).await.unwrap();
    let constrained = bench
        .kms
        .create_grant()
        .key_id(&hmac)
        .grantee_principal(GRANTEE)
        .operations(GrantOperation::VerifyMac)
        .constraints(
            GrantConstraints::builder()
                .encryption_context_subset("a", "1")
                .build(),
        );
    let message =
        "Encryption context constraints are supported for symmetric encryption keys only.";
    refused(constrained.send().await, "ValidationException", message);
}

#[tokio::test]
async fn unknown_operations_and_names_are_refused() {
    let bench = Bench::new();
    let id = bench.key().await;
    let (status, body) = bench.raw(
        "CreateGrant",
        &format!(r#"{{"KeyId":"{id}","GranteePrincipal":"{GRANTEE}","Operations":["ReEncrypt"],"Name":"a b"}}"#),
    );
    assert_eq!(status, 400);
    let start = "2 validation errors detected: Value '[ReEncrypt]' at 'operations' failed to satisfy constraint: \
                 Member must satisfy constraint: [Member must satisfy enum value set: [CreateGrant, Decapsulate, ";
    assert!(body.contains(start), "{body}");
    let end = "Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: \
               ^[a-zA-Z0-9:/_-]+$";
    assert!(body.contains(end), "{body}");
}

#[tokio::test]
async fn dry_runs_change_nothing() {
    let bench = Bench::new();
    let id = bench.key().await;
    let (code, message) = (
        "DryRunOperationException",
        "The request would have succeeded, but the DryRun option is set.",
    );
    refused(grant(&bench, &id).dry_run(true).send().await, code, message);
    let made = grant(&bench, &id).send().await.unwrap();
    let revoke = bench
        .kms
        .revoke_grant()
        .key_id(&id)
        .grant_id(made.grant_id().unwrap());
    refused(revoke.dry_run(true).send().await, code, message);
    let retire = bench
        .kms
        .retire_grant()
        .grant_token(made.grant_token().unwrap());
    refused(retire.dry_run(true).send().await, code, message);
    assert_eq!(count(&bench, &id).await, 1);
}

#[tokio::test]
async fn grants_end_by_revoking_and_retiring() {
    let bench = Bench::new();
    let id = bench.key().await;
    let made = grant(&bench, &id).send().await.unwrap();
    let grant_id = made.grant_id.unwrap();
    let revoke = || {
        bench
            .kms
            .revoke_grant()
            .key_id(&id)
            .grant_id(&grant_id)
            .send()
    };
    revoke().await.unwrap();
    let message = format!("Grant ID {grant_id} does not exist");
    refused(revoke().await, "NotFoundException", &message);

    let made = grant(&bench, &id).send().await.unwrap();
    let retire = bench
        .kms
        .retire_grant()
        .grant_token(made.grant_token().unwrap());
    retire.send().await.unwrap();
    let made = grant(&bench, &id).send().await.unwrap();
    let retire = bench.kms.retire_grant().key_id(arn(&id));
    retire
        .grant_id(made.grant_id().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(count(&bench, &id).await, 0);
}

#[tokio::test]
async fn grants_that_are_misnamed_do_not_end() {
    let bench = Bench::new();
    let id = bench.key().await;
    let revoke = bench.kms.revoke_grant().key_id(&id).grant_id("nonsense");
    let message = "Grant ID nonsense is not valid";
    refused(revoke.send().await, "InvalidGrantIdException", message);
    let retire = bench.kms.retire_grant().grant_token("nonsense");
    refused(retire.send().await, "InvalidGrantTokenException", "");
    let message = "You must specify either a grant token or a key ARN and a grant ID.";
    refused(
        bench.kms.retire_grant().send().await,
        "ValidationException",
        message,
    );

    let other = bench.key().await;
    let made = grant(&bench, &other).send().await.unwrap();
    let grant_id = made.grant_id().unwrap();
    let revoke = bench.kms.revoke_grant().key_id(&id).grant_id(grant_id);
    let message = format!("Grant ID {grant_id} does not exist");
    refused(revoke.send().await, "NotFoundException", &message);
    let revoke = bench.kms.revoke_grant().key_id(UNKNOWN).grant_id(grant_id);
    let message = format!("Key '{}' does not exist", arn(UNKNOWN));
    refused(revoke.send().await, "NotFoundException", &message);
}

#[tokio::test]
async fn grants_are_filtered_and_paged() {
    let bench = Bench::new();
    let id = bench.key().await;
    let mut last = String::new();
    for number in 0..5 {
        let grantee = if number % 2 == 0 { GRANTEE } else { RETIRER };
        let made = grant(&bench, &id).grantee_principal(grantee).send().await;
        last = made.unwrap().grant_id.unwrap();
    }
    let list = || bench.kms.list_grants().key_id(&id);
    let by_grantee = list().grantee_principal(GRANTEE).send().await.unwrap();
    assert_eq!(by_grantee.grants().len(), 3);
    let by_id = list().grant_id(&last).send().await.unwrap();
    assert_eq!(by_id.grants()[0].grant_id(), Some(&*last));
    let first = list().limit(4).send().await.unwrap();
    assert!(first.truncated);
    let rest = list().set_marker(first.next_marker).send().await.unwrap();
    assert_eq!((rest.grants().len(), rest.truncated), (1, false));
    assert_eq!(rest.grants()[0].grant_id(), Some(&*last));
    let listed = list()
        .grantee_service_principal("sns.amazonaws.com")
        .send()
        .await;
    let message = "GranteeServicePrincipal can be specified by AWS services only";
    refused(listed, "AccessDeniedException", message);
}

#[tokio::test]
async fn retirers_find_their_grants_on_any_accounts_keys() {
    let bench = Bench::new();
    let id = bench.key().await;
    let other = client(&bench.engine, "444455556666", "eu-central-1");
    let foreign = other.create_key().send().await.unwrap();
    let foreign = foreign.key_metadata.unwrap().arn.unwrap();
    grant(&bench, &id)
        .retiring_principal(RETIRER)
        .send()
        .await
        .unwrap();
    let of_others = other.create_grant().key_id(&foreign);
    of_others
        .grantee_principal(GRANTEE)
        .operations(GrantOperation::Decrypt)
        .retiring_principal(RETIRER)
        .send()
        .await
        .unwrap();
    grant(&bench, &id).send().await.unwrap();
    let listed = bench
        .kms
        .list_retirable_grants()
        .retiring_principal(RETIRER);
    let listed = listed.send().await.unwrap();
    let keys: Vec<_> = listed
        .grants()
        .iter()
        .map(|grant| grant.key_id().unwrap())
        .collect();
    assert_eq!(keys, [arn(&id), foreign]);
    let listed = other.list_retirable_grants().retiring_principal(RETIRER);
    let message = format!(
        "User: arn:aws:iam::444455556666:root is not authorized to perform: kms:ListRetirableGrants on resource: \
         {RETIRER}"
    );
    refused(listed.send().await, "AccessDeniedException", &message);
}

/// Makes a grant as the owner, and gives its answer.
fn granted(desk: &Desk, key: &str, terms: &Value) -> Value {
    let mut members = json!({"KeyId": key});
    members
        .as_object_mut()
        .unwrap()
        .extend(terms.as_object().unwrap().clone());
    let (status, body) = desk.kms(&As::Root(ACCOUNT), "CreateGrant", &members);
    assert_eq!(status, 200, "{body}");
    body
}

/// A key whose policy leaves all to its account, with users who carry nothing.
fn stage() -> (Desk, String, As, As) {
    let desk = Desk {
        now: jiff::Timestamp::from_millisecond(1_780_000_000_000).unwrap(),
        engine: Bench::new().engine,
    };
    let (_, made) = desk.kms(&As::Root(ACCOUNT), "CreateKey", &json!({}));
    let key = made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned();
    let user = |account: &'static str, name: &str| {
        let root = As::Root(account);
        desk.done(&root, "CreateUser", &[("UserName", name)]);
        As::Key(keys(&desk.done(
            &root,
            "CreateAccessKey",
            &[("UserName", name)],
        )))
    };
    let (ann, eve) = (user(ACCOUNT, "ann"), user("444455556666", "eve"));
    (desk, key, ann, eve)
}

const ANN: &str = "arn:aws:iam::111122223333:user/ann";
const EVE: &str = "arn:aws:iam::444455556666:user/eve";

#[track_caller]
fn check(desk: &Desk, who: &As, operation: &str, members: &Value, expected: &str) {
    let (status, body) = desk.kms(who, operation, members);
    let found = if status == 200 {
        "ok"
    } else {
        body["__type"].as_str().unwrap()
    };
    assert_eq!(found, expected, "{body}");
}

const DENIED: &str = "AccessDeniedException";

#[test]
fn a_grant_gives_its_operations_to_its_grantee_in_any_account() {
    let (desk, key, ann, eve) = stage();
    let encrypt = json!({"KeyId": key, "Plaintext": "aGVsbG8="});
    let describe = json!({"KeyId": key});
    for (who, arn) in [(&ann, ANN), (&eve, EVE)] {
        check(&desk, who, "Encrypt", &encrypt, DENIED);
        let made = granted(
            &desk,
            &key,
            &json!({"GranteePrincipal": arn, "Operations": ["Encrypt"]}),
        );
        check(&desk, who, "Encrypt", &encrypt, "ok");
        check(&desk, who, "DescribeKey", &describe, DENIED);
        let revoked = json!({"KeyId": key, "GrantId": made["GrantId"]});
        check(&desk, &As::Root(ACCOUNT), "RevokeGrant", &revoked, "ok");
        check(&desk, who, "Encrypt", &encrypt, DENIED);
    }
}

#[test]
fn constraints_bind_a_grant_to_encryption_contexts() {
    let (desk, key, ann, _) = stage();
    let with = |context: Value| json!({"KeyId": key, "Plaintext": "aGVsbG8=", "EncryptionContext": context});
    let describe = json!({"KeyId": key});
    let operations = ["Encrypt", "DescribeKey"];
    let subset = json!({"GranteePrincipal": ANN, "Operations": operations, "Constraints": {"EncryptionContextSubset": {"a": "b"}}});
    let made = granted(&desk, &key, &subset);
    check(&desk, &ann, "Encrypt", &with(json!({"a": "b"})), "ok");
    check(
        &desk,
        &ann,
        "Encrypt",
        &with(json!({"a": "b", "c": "d"})),
        "ok",
    );
    check(&desk, &ann, "Encrypt", &with(json!({"a": "c"})), DENIED);
    check(&desk, &ann, "Encrypt", &with(json!({})), DENIED);
    check(&desk, &ann, "DescribeKey", &describe, "ok");
    let revoked = json!({"KeyId": key, "GrantId": made["GrantId"]});
    check(&desk, &As::Root(ACCOUNT), "RevokeGrant", &revoked, "ok");
    let equals = json!({"GranteePrincipal": ANN, "Operations": operations, "Constraints": {"EncryptionContextEquals": {"a": "b"}}});
    granted(&desk, &key, &equals);
    check(&desk, &ann, "Encrypt", &with(json!({"a": "b"})), "ok");
    check(
        &desk,
        &ann,
        "Encrypt",
        &with(json!({"a": "b", "c": "d"})),
        DENIED,
    );
}

#[test]
fn a_denial_in_a_policy_overrides_a_grant() {
    let (desk, key, ann, _) = stage();
    granted(
        &desk,
        &key,
        &json!({"GranteePrincipal": ANN, "Operations": ["Encrypt"]}),
    );
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}]}"#;
    let members = [
        ("UserName", "ann"),
        ("PolicyName", "p"),
        ("PolicyDocument", deny),
    ];
    desk.done(&As::Root(ACCOUNT), "PutUserPolicy", &members);
    check(
        &desk,
        &ann,
        "Encrypt",
        &json!({"KeyId": key, "Plaintext": "aGVsbG8="}),
        DENIED,
    );
}

#[test]
fn a_grant_made_by_virtue_of_a_grant_gives_no_more() {
    let (desk, key, ann, _) = stage();
    let parent = json!({
        "GranteePrincipal": ANN, "Operations": ["Encrypt", "CreateGrant"],
        "Constraints": {"EncryptionContextSubset": {"a": "b"}},
    });
    granted(&desk, &key, &parent);
    let child = |operations: Value, constraints: Value| json!({"KeyId": key, "GranteePrincipal": EVE, "Operations": operations, "Constraints": constraints});
    let same = json!({"EncryptionContextSubset": {"a": "b"}});
    let stricter = json!({"EncryptionContextSubset": {"a": "b", "c": "d"}});
    let exact = json!({"EncryptionContextEquals": {"a": "b"}});
    for constraints in [&same, &stricter, &exact] {
        check(
            &desk,
            &ann,
            "CreateGrant",
            &child(json!(["Encrypt"]), constraints.clone()),
            "ok",
        );
    }
    check(
        &desk,
        &ann,
        "CreateGrant",
        &child(json!(["Decrypt"]), same),
        DENIED,
    );
    check(
        &desk,
        &ann,
        "CreateGrant",
        &child(json!(["Encrypt"]), json!({})),
        DENIED,
    );
    let other = json!({"EncryptionContextSubset": {"a": "c"}});
    check(
        &desk,
        &ann,
        "CreateGrant",
        &child(json!(["Encrypt"]), other),
        DENIED,
    );
}

#[test]
fn a_grant_is_retired_by_those_whom_it_names_and_by_its_account() {
    let (desk, key, ann, eve) = stage();
    let root = As::Root(ACCOUNT);
    let retire = |who: &As, made: &Value, expected: &str| {
        let by_token = json!({"GrantToken": made["GrantToken"]});
        check(&desk, who, "RetireGrant", &by_token, expected);
    };
    let plain = json!({"GranteePrincipal": ANN, "Operations": ["Encrypt"]});
    let made = granted(&desk, &key, &plain);
    retire(&ann, &made, DENIED);
    retire(&eve, &made, DENIED);
    retire(&root, &made, "ok");
    let by_grantee = json!({"GranteePrincipal": ANN, "Operations": ["Encrypt", "RetireGrant"]});
    retire(&ann, &granted(&desk, &key, &by_grantee), "ok");
    let by_retirer =
        json!({"GranteePrincipal": ANN, "RetiringPrincipal": EVE, "Operations": ["Encrypt"]});
    let made = granted(&desk, &key, &by_retirer);
    retire(&ann, &made, DENIED);
    let by_id = json!({"KeyId": key, "GrantId": made["GrantId"]});
    check(&desk, &eve, "RetireGrant", &by_id, "ok");
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"kms:RetireGrant","Resource":"*"}]}"#;
    let members = [
        ("UserName", "eve"),
        ("PolicyName", "p"),
        ("PolicyDocument", deny),
    ];
    desk.done(&As::Root("444455556666"), "PutUserPolicy", &members);
    retire(&eve, &granted(&desk, &key, &by_retirer), DENIED);
}

#[test]
fn tokens_are_the_engines_own_or_none() {
    let (desk, key, ann, _) = stage();
    let made = granted(
        &desk,
        &key,
        &json!({"GranteePrincipal": ANN, "Operations": ["Encrypt"]}),
    );
    let with =
        |token: &Value| json!({"KeyId": key, "Plaintext": "aGVsbG8=", "GrantTokens": [token]});
    check(&desk, &ann, "Encrypt", &with(&made["GrantToken"]), "ok");
    check(
        &desk,
        &ann,
        "Encrypt",
        &with(&json!("nonsense")),
        "InvalidGrantTokenException",
    );
}
