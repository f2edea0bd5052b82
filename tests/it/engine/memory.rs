//! What the engine remembers, and that it is never what was.

use std::sync::Arc;

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{GrantOperation, Tag};
use camino::Utf8PathBuf;
use keywright::engine::Store;
use serde_json::json;
use tempfile::TempDir;

use super::bench::{ACCOUNT, Bench};
use crate::support::desk::{As, Desk, element, keys};

/// Two engines on one file, as two processes have them, and a key.
struct Pair {
    _folder: TempDir,
    reader: Bench,
    writer: Bench,
    key: String,
}

impl Pair {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let file = Utf8PathBuf::from_path_buf(folder.path().join("engine.db")).unwrap();
        let reader = Bench::with(Store::File(file.clone()), 1);
        let writer = Bench::with(Store::File(file), 2);
        let key = writer.key().await;
        Self {
            _folder: folder,
            reader,
            writer,
            key,
        }
    }

    fn desk(&self) -> Desk {
        Desk {
            now: jiff::Timestamp::from_millisecond(1_780_000_000_000).unwrap(),
            engine: Arc::clone(&self.writer.engine),
        }
    }
}

async fn description(kms: &Client, key: &str) -> String {
    let found = kms.describe_key().key_id(key).send().await.unwrap();
    found.key_metadata.unwrap().description.unwrap_or_default()
}

#[tokio::test]
async fn the_next_read_sees_what_another_process_has_written() {
    let pair = Pair::new().await;
    let (reader, writer, key) = (&pair.reader.kms, &pair.writer.kms, &pair.key);
    for text in ["one", "two", "three"] {
        let update = writer.update_key_description().key_id(key);
        update.description(text).send().await.unwrap();
        assert_eq!(description(reader, key).await, text);
        assert_eq!(description(reader, key).await, text);
    }
    let alias = "alias/a";
    assert!(reader.describe_key().key_id(alias).send().await.is_err());
    let create = writer.create_alias().alias_name(alias).target_key_id(key);
    create.send().await.unwrap();
    assert_eq!(description(reader, alias).await, "three");
    let other = pair.writer.key().await;
    let update = writer.update_alias().alias_name(alias);
    update.target_key_id(&other).send().await.unwrap();
    assert_eq!(description(reader, alias).await, "");
    let encrypt = || reader.encrypt().key_id(key).plaintext(Blob::new("x"));
    encrypt().send().await.unwrap();
    writer.disable_key().key_id(key).send().await.unwrap();
    assert!(encrypt().send().await.is_err());
    writer.enable_key().key_id(key).send().await.unwrap();
    encrypt().send().await.unwrap();
}

/// What a user may do with the key at the reading engine.
fn may_encrypt(pair: &Pair, user: &As) -> bool {
    let desk = Desk {
        engine: Arc::clone(&pair.reader.engine),
        ..pair.desk()
    };
    let members = json!({"KeyId": pair.key, "Plaintext": "eA=="});
    desk.kms(user, "Encrypt", &members).0 == 200
}

#[tokio::test]
async fn the_next_decision_knows_every_policy_tag_and_grant() {
    let pair = Pair::new().await;
    let (desk, root) = (pair.desk(), As::Root(ACCOUNT));
    let made = desk.done(&root, "CreateUser", &[("UserName", "ann")]);
    let arn = element(&made, "Arn");
    let ann = As::Key(keys(&desk.done(
        &root,
        "CreateAccessKey",
        &[("UserName", "ann")],
    )));
    assert!(!may_encrypt(&pair, &ann));
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:Encrypt","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/open":"yes"}}}}"#;
    let members = [
        ("UserName", "ann"),
        ("PolicyName", "own"),
        ("PolicyDocument", policy),
    ];
    desk.done(&root, "PutUserPolicy", &members);
    assert!(!may_encrypt(&pair, &ann));
    let tag = Tag::builder().tag_key("open").tag_value("yes");
    let tagging = pair.writer.kms.tag_resource().key_id(&pair.key);
    tagging.tags(tag.build().unwrap()).send().await.unwrap();
    assert!(may_encrypt(&pair, &ann));
    desk.done(&root, "DeleteUserPolicy", &members[..2]);
    assert!(!may_encrypt(&pair, &ann));
    let grant = pair.writer.kms.create_grant().key_id(&pair.key);
    let grant = grant
        .grantee_principal(arn)
        .operations(GrantOperation::Encrypt);
    let grant = grant.send().await.unwrap().grant_id.unwrap();
    assert!(may_encrypt(&pair, &ann));
    let revoke = pair.writer.kms.revoke_grant().key_id(&pair.key);
    revoke.grant_id(grant).send().await.unwrap();
    assert!(!may_encrypt(&pair, &ann));
}
