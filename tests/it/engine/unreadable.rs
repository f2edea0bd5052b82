//! Policies in the state that no reader understands: whatever they say, the engine answers.

use camino::Utf8PathBuf;
use keywright::engine::Store;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::bench::{ACCOUNT, Bench};
use crate::support::desk::{As, Desk, element, keys};

const ROOT: As = As::Root(ACCOUNT);
/// Another version's idea of a policy.
const LATER: &str = r#"{"Version":"2038-01-19","Statement":"as usual"}"#;

struct Stage {
    folder: TempDir,
    desk: Desk,
}

impl Stage {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("engine.db")).unwrap();
        let desk = Desk {
            now: jiff::Timestamp::from_millisecond(1_780_000_000_000).unwrap(),
            engine: Bench::with(Store::File(path), 1).engine,
        };
        Self { folder, desk }
    }

    /// Writes into the state as another process does.
    fn write(&self, sql: &str) {
        let connection = Connection::open(self.folder.path().join("engine.db")).unwrap();
        assert!(connection.execute(sql, [LATER]).unwrap() > 0);
    }

    fn user(&self) -> As {
        let ann = ("UserName", "ann");
        self.desk.done(&ROOT, "CreateUser", &[ann]);
        let policy = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let members = [ann, ("PolicyName", "own"), ("PolicyDocument", policy)];
        self.desk.done(&ROOT, "PutUserPolicy", &members);
        As::Key(keys(&self.desk.done(&ROOT, "CreateAccessKey", &[ann])))
    }

    #[track_caller]
    fn denies(&self, who: &As, operation: &str, members: &Value) {
        let (status, body) = self.desk.kms(who, operation, members);
        assert_eq!(
            (status, body["__type"].as_str()),
            (400, Some("AccessDeniedException")),
            "{operation}: {body}"
        );
    }
}

#[test]
fn a_key_policy_lets_its_account_put_another() {
    let stage = Stage::new();
    let (_, made) = stage.desk.kms(&ROOT, "CreateKey", &json!({}));
    let id = made["KeyMetadata"]["KeyId"].clone();
    let key = json!({"KeyId": id});
    stage.write("UPDATE policies SET text = ?1");
    stage.denies(&ROOT, "DescribeKey", &key);
    stage.denies(&ROOT, "Encrypt", &json!({"KeyId": id, "Plaintext": "AA=="}));
    let (_, shown) = stage.desk.kms(&ROOT, "GetKeyPolicy", &key);
    assert_eq!(shown["Policy"], LATER);
    let put = |policy: &str| {
        let members =
            json!({"KeyId": id, "Policy": policy, "BypassPolicyLockoutSafetyCheck": true});
        stage.desk.kms(&ROOT, "PutKeyPolicy", &members)
    };
    assert_eq!(put(LATER).1["__type"], "MalformedPolicyDocumentException");
    let (_, body) = stage
        .desk
        .kms(&ROOT, "CreateKey", &json!({"Policy": LATER}));
    assert_eq!(body["__type"], "MalformedPolicyDocumentException");
    let good = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}}"#;
    assert_eq!(put(good).0, 200);
    assert_eq!(stage.desk.kms(&ROOT, "DescribeKey", &key).0, 200);
}

#[test]
fn an_identity_policy_denies_everything() {
    let stage = Stage::new();
    let who = stage.user();
    assert_eq!(stage.desk.kms(&who, "ListKeys", &json!({})).0, 200);
    stage.write("UPDATE iam_inline_policies SET text = ?1");
    stage.denies(&who, "ListKeys", &json!({}));
}

#[test]
fn a_trust_policy_trusts_nobody() {
    let stage = Stage::new();
    let who = stage.user();
    let told = stage.desk.done(&who, "GetCallerIdentity", &[]);
    let trust = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": element(&told, "Arn")}, "Action": "sts:AssumeRole"}});
    let trust = trust.to_string();
    let role = [("RoleName", "app"), ("AssumeRolePolicyDocument", &*trust)];
    stage.desk.done(&ROOT, "CreateRole", &role);
    let members = [
        ("RoleArn", "arn:aws:iam::111122223333:role/app"),
        ("RoleSessionName", "s1"),
    ];
    assert_eq!(stage.desk.query(&who, "AssumeRole", &members).0, 200);
    stage.write("UPDATE iam_entities SET trust = ?1 WHERE trust IS NOT NULL");
    let (status, body) = stage.desk.query(&who, "AssumeRole", &members);
    assert_eq!(status, 403);
    assert!(body.contains("<Code>AccessDenied</Code>"), "{body}");
}
