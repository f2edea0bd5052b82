//! What is on disk, and who else may use it.

use std::fs;

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeySpec, KeyUsageType};
use camino::Utf8PathBuf;
use keywright::engine::{Engine, OpenError, Settings, Store};
use tempfile::TempDir;

use super::bench::{ACCOUNT, Bench};

struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.folder.path().join(".keywright").join(name)).unwrap()
    }

    fn bench(&self, seed: u64) -> Bench {
        Bench::with(Store::File(self.path("engine.db")), seed)
    }

    fn open(&self) -> Result<Engine, OpenError> {
        let store = Store::File(self.path("engine.db"));
        Engine::open(Settings::new(store, ACCOUNT.parse().unwrap()))
    }
}

#[tokio::test]
async fn keys_outlive_the_engine() {
    let home = Home::new();
    let first = home.bench(1);
    let id = first.key().await;
    let sealed = first.kms.encrypt().key_id(&id).plaintext(Blob::new("text"));
    let sealed = sealed.send().await.unwrap().ciphertext_blob.unwrap();
    let alias = first
        .kms
        .create_alias()
        .alias_name("alias/a")
        .target_key_id(&id);
    alias.send().await.unwrap();
    drop(first);

    let second = home.bench(2);
    let found = second
        .kms
        .describe_key()
        .key_id("alias/a")
        .send()
        .await
        .unwrap();
    assert_eq!(found.key_metadata.unwrap().key_id, id);
    let opened = second
        .kms
        .decrypt()
        .ciphertext_blob(sealed)
        .send()
        .await
        .unwrap();
    assert_eq!(opened.plaintext, Some(Blob::new("text")));
}

#[tokio::test]
async fn two_engines_share_a_file() {
    let home = Home::new();
    let (one, two) = (home.bench(1), home.bench(2));
    let id = one.key().await;
    let tag = aws_sdk_kms::types::Tag::builder()
        .tag_key("a")
        .tag_value("b");
    let tagged = two
        .kms
        .tag_resource()
        .key_id(&id)
        .tags(tag.build().unwrap());
    tagged.send().await.unwrap();
    let listed = one
        .kms
        .list_resource_tags()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.tags().len(), 1);
}

#[test]
fn many_threads_of_two_engines_write_at_once() {
    let home = Home::new();
    let benches = [home.bench(1), home.bench(2)];
    std::thread::scope(|scope| {
        for bench in &benches {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        assert_eq!(bench.raw("CreateKey", "{}").0, 200);
                        assert_eq!(bench.raw("ListKeys", "{}").0, 200);
                    }
                });
            }
        }
    });
    let (_, body) = benches[0].raw("ListKeys", "{}");
    let listed: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(listed["Keys"].as_array().unwrap().len(), 40);
}

#[test]
fn many_engines_make_one_store() {
    let home = Home::new();
    std::thread::scope(|scope| {
        let opened: Vec<_> = (1..=8)
            .map(|seed| {
                scope.spawn({
                    let home = &home;
                    move || home.bench(seed)
                })
            })
            .collect();
        for bench in opened {
            assert_eq!(bench.join().unwrap().raw("CreateKey", "{}").0, 200);
        }
    });
}

#[test]
fn many_threads_share_an_engine_in_memory() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    assert_eq!(bench.raw("CreateKey", "{}").0, 200);
                }
            });
        }
    });
    let (_, body) = bench.raw("ListKeys", "{}");
    let listed: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(listed["Keys"].as_array().unwrap().len(), 100);
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let bench = home.bench(1);
    bench.key().await;
    let mode = |path: Utf8PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.path("")), 0o700);
    for name in ["engine.db", "engine.db-wal", "engine.db-shm", "engine.key"] {
        assert_eq!(mode(home.path(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn key_material_is_not_in_the_files() {
    let home = Home::new();
    let bench = home.bench(1);
    let made = bench
        .kms
        .create_key()
        .key_spec(KeySpec::EccNistP256)
        .key_usage(KeyUsageType::SignVerify);
    made.send().await.unwrap();
    // Every PKCS #8 key of this curve starts like this.
    let start = [0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07];
    // The public half is there and is no secret: the search finds what is there.
    let public = [0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce];
    let mut bytes = fs::read(home.path("engine.db")).unwrap();
    bytes.extend(fs::read(home.path("engine.db-wal")).unwrap());
    assert!(bytes.windows(public.len()).any(|window| window == public));
    assert!(!bytes.windows(start.len()).any(|window| window == start));
}

#[tokio::test]
async fn a_missing_master_key_is_named() {
    let home = Home::new();
    home.bench(1).key().await;
    fs::remove_file(home.path("engine.key")).unwrap();
    let error = home.open().unwrap_err();
    let expected = format!(
        "the master key `{}` is missing, and without it the key material is lost",
        home.path("engine.key")
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_foreign_master_key_is_refused() {
    let (home, other) = (Home::new(), Home::new());
    home.bench(1).key().await;
    other.bench(2).key().await;
    fs::copy(other.path("engine.key"), home.path("engine.key")).unwrap();
    let error = home.open().unwrap_err();
    let expected = format!(
        "the master key `{}` does not belong to this database",
        home.path("engine.key")
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_later_versions_database_is_refused() {
    let home = Home::new();
    home.bench(1).key().await;
    let connection = rusqlite::Connection::open(home.path("engine.db")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(
        home.open(),
        Err(OpenError::Newer {
            found: 99,
            known: 3
        })
    ));
}

/// A database of the first version: what the engine wrote before material could be imported.
const FIRST: &str = include_str!("first_version.sql");

#[tokio::test]
async fn an_old_database_is_brought_up_to_date() {
    let home = Home::new();
    drop(home.bench(1));
    for name in ["engine.db", "engine.db-wal", "engine.db-shm"] {
        drop(fs::remove_file(home.path(name)));
    }
    let connection = rusqlite::Connection::open(home.path("engine.db")).unwrap();
    connection.execute_batch(FIRST).unwrap();
    let master = fs::read_to_string(home.path("engine.key")).unwrap();
    seal_old_key(&connection, master.trim());
    drop(connection);

    let bench = home.bench(2);
    let old = "11111111-1111-4111-8111-111111111111";
    let sealed = bench.kms.encrypt().key_id(old).plaintext(Blob::new("text"));
    let sealed = sealed.send().await.unwrap().ciphertext_blob.unwrap();
    let opened = bench
        .kms
        .decrypt()
        .ciphertext_blob(sealed)
        .send()
        .await
        .unwrap();
    assert_eq!(opened.plaintext, Some(Blob::new("text")));
    let listed = bench
        .kms
        .list_key_rotations()
        .key_id(old)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.rotations().len(), 1);
    let empty = "22222222-2222-4222-8222-222222222222";
    let found = bench.kms.describe_key().key_id(empty).send().await.unwrap();
    let state = found.key_metadata.unwrap().key_state;
    assert_eq!(state, Some(aws_sdk_kms::types::KeyState::PendingImport));
}

/// Gives the old database a master key and its symmetric key two pieces of material.
fn seal_old_key(connection: &rusqlite::Connection, master: &str) {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::Engine as _;
    let master = base64::engine::general_purpose::STANDARD
        .decode(master)
        .unwrap();
    let print = digest(&SHA256, &master);
    connection
        .execute(
            "INSERT INTO meta VALUES ('master_key', ?1)",
            [print.as_ref()],
        )
        .unwrap();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &master).unwrap());
    for id in ["a".repeat(64), "b".repeat(64)] {
        let mut secret = vec![7; 32];
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        key.seal_in_place_append_tag(nonce, Aad::from(&id), &mut secret)
            .unwrap();
        let sealed = [&[0; 12][..], &secret].concat();
        connection
            .execute(
                "INSERT INTO key_material (key, id, sealed, created) VALUES (1, ?1, ?2, 0)",
                rusqlite::params![id, sealed],
            )
            .unwrap();
    }
}

#[test]
fn what_is_no_database_is_refused() {
    let home = Home::new();
    fs::create_dir(home.path("")).unwrap();
    fs::write(
        home.path("engine.db"),
        "not a database at all, but long enough to be looked at",
    )
    .unwrap();
    assert_eq!(damage(&home), "file is not a database");
}

/// Why a state is refused as damaged.
fn damage(home: &Home) -> String {
    match home.open() {
        Err(OpenError::Damaged(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_emptied_database_is_refused_and_left_as_it_is() {
    let home = Home::new();
    home.bench(1).key().await;
    let path = home.path("engine.db");
    fs::write(&path, "").unwrap();
    assert_eq!(damage(&home), "it is empty");
    fs::remove_file(home.path("engine.key")).unwrap();
    assert_eq!(damage(&home), "it is empty");
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[tokio::test]
async fn a_master_key_whose_database_is_gone_is_no_new_state() {
    let home = Home::new();
    home.bench(1).key().await;
    let path = home.path("engine.db");
    fs::remove_file(&path).unwrap();
    assert!(matches!(home.open(), Err(OpenError::Missing { .. })));
    assert!(!path.exists());
}

#[tokio::test]
async fn a_database_with_damaged_pages_is_refused() {
    let home = Home::new();
    home.bench(1).key().await;
    let path = home.path("engine.db");
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    // Each table and each index begins on a page of its own; only pages that nothing is on may be anything.
    for page in 1..pages {
        let mut damaged = whole.clone();
        damaged[page * 4096..][..4096].fill(0xA5);
        fs::write(&path, &damaged).unwrap();
        assert!(!damage(&home).is_empty(), "page {page}");
    }
    fs::write(&path, &whole).unwrap();
    home.open().unwrap();
}

#[tokio::test]
async fn a_large_database_has_its_tables_touched() {
    let home = Home::new();
    home.bench(1).key().await;
    let path = home.path("engine.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let filler = "INSERT INTO meta VALUES ('filler', zeroblob(5000000))";
    connection.execute(filler, []).unwrap();
    let root: u32 = connection
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'grants'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    connection
        .pragma_update(None, "journal_mode", "DELETE")
        .unwrap();
    drop(connection);
    home.open().unwrap();
    let mut damaged = fs::read(&path).unwrap();
    damaged[(root as usize - 1) * 4096..][..4096].fill(0xA5);
    fs::write(&path, &damaged).unwrap();
    assert_eq!(damage(&home), "database disk image is malformed");
}

#[test]
fn a_new_state_is_its_files_and_nothing_besides() {
    let home = Home::new();
    let engine = home.open().unwrap();
    let names = fs::read_dir(home.path("")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names.retain(|name| !["engine.db-shm", "engine.db-wal"].contains(&name.as_str()));
    assert_eq!(names, ["engine.db", "engine.key"]);
    drop(engine);
    home.open().unwrap();
}

#[cfg(unix)]
#[test]
fn a_master_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    drop(home.open().unwrap());
    let allow = |mode| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(home.path("engine.key"), permissions).unwrap();
        home.open()
    };
    for mode in [0o640, 0o604, 0o666] {
        let refused = allow(mode);
        assert!(matches!(refused, Err(OpenError::MasterKeyExposed { .. })));
    }
    allow(0o400).unwrap();
}
