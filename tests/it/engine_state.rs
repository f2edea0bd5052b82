//! `keywright engine`: access keys, a look, copies, and the end.

use aws_sdk_kms::config::Credentials;
use keywright::engine::Store;
use keywright::model::{Partition, Principal};

use crate::convergence::block_on;
use crate::support::engine;
use crate::support::sandbox::{Run, Sandbox};

const MANIFEST: &str = "kind: Key\nname: payments\nadministrators: [role/key-admin]\n";

/// A sandbox with one key.
fn with_a_key() -> Sandbox {
    let sandbox = Sandbox::with(MANIFEST);
    sandbox.run("apply --yes").expect(0);
    sandbox
}

#[test]
fn access_keys_come_as_environment_variables() {
    let sandbox = Sandbox::new();
    let run = sandbox.run("engine keys user/ann").expect(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(
        lines[0].starts_with("export AWS_ACCESS_KEY_ID=AKIA"),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("export AWS_SECRET_ACCESS_KEY="));
    assert_eq!(
        lines[2..],
        ["unset AWS_SESSION_TOKEN", "export AWS_REGION=us-east-1"]
    );
    let run = sandbox.run("engine keys role/team/app").expect(0);
    assert!(run.stdout.starts_with("export AWS_ACCESS_KEY_ID=ASIA"));
    assert!(run.stdout.contains("export AWS_SESSION_TOKEN="));
    assert!(run.stderr.starts_with("good until "));
    let run = sandbox.run("engine keys anyone").expect(1);
    assert!(
        run.stderr.contains("can have no access keys"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_look_counts_what_is_there() {
    let sandbox = with_a_key();
    sandbox.run("engine keys user/ann").expect(0);
    let run = sandbox.run("engine show").expect(0);
    insta::assert_snapshot!(run.stdout, @r"
    111122223333
      keys in us-east-1       1
      aliases                 1
      user                    1
      access keys             1
    ");
}

#[test]
fn a_copy_stands_in_for_the_state() {
    let sandbox = with_a_key();
    sandbox.run("engine backup copy").expect(0);
    let run = sandbox.run("engine backup copy").expect(1);
    assert!(run.stderr.contains("cannot copy the state into `copy`"));
    let run = sandbox.run("engine restore copy").expect(1);
    assert!(run.stderr.contains("has a state already"), "{}", run.stderr);
    let run = sandbox.run("engine reset").expect(1);
    assert!(run.stderr.contains("--yes"), "{}", run.stderr);
    sandbox.run("engine reset --yes").expect(0);
    sandbox.run("plan").expect(2);
    sandbox.run("engine reset --yes").expect(0);
    sandbox.run("engine restore copy").expect(0);
    sandbox.run("plan").expect(0);
}

#[test]
fn a_state_in_use_is_not_deleted() {
    let sandbox = with_a_key();
    let file = camino::Utf8PathBuf::try_from(sandbox.path().join(".keywright/engine.db")).unwrap();
    let engine = engine::open(Store::File(file.clone()));
    let run = sandbox.run("engine reset --yes").expect(1);
    assert!(run.stderr.contains("is in use"), "{}", run.stderr);
    drop(engine);
    sandbox.run("plan").expect(0);
    sandbox.run("engine reset --yes").expect(0);
    assert!(!file.exists());
}

#[test]
fn a_damaged_state_can_be_deleted() {
    let sandbox = with_a_key();
    let file = sandbox.path().join(".keywright/engine.db");
    std::fs::write(&file, "no database").unwrap();
    sandbox.run("engine reset --yes").expect(0);
    assert!(!file.exists());
}

#[test]
fn a_master_key_can_be_kept_by_the_environment_or_a_command() {
    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let sandbox = Sandbox::with(MANIFEST);
    let run = |words: &str, variable: &str, value: &str| {
        let mut command = sandbox.command();
        command.args(words.split_whitespace()).env(variable, value);
        Run::of(&command.output().unwrap())
    };
    let (given, by_command) = ("KEYWRIGHT_MASTER_KEY", "KEYWRIGHT_MASTER_KEY_COMMAND");
    run("apply --yes", given, KEY).expect(0);
    assert!(!sandbox.path().join(".keywright/engine.key").exists());
    run("plan", by_command, &format!("echo {KEY}")).expect(0);
    let copied = run("engine backup copy", given, KEY).expect(0);
    assert!(copied.stderr.contains("its master key is kept elsewhere"));
    for (variable, value, expected) in [
        ("UNRELATED", "x", "without it the key material is lost"),
        (
            given,
            &*KEY.replace("AAEC", "BBEC"),
            "the master key that was given does not belong to this database",
        ),
        (given, "AAEC", "a master key is 32 bytes in base64"),
        (by_command, "echo no", "cannot use what `echo no` prints"),
        (by_command, "exit 3", "`exit 3` failed"),
    ] {
        let run = run("engine show", variable, value).expect(1);
        assert!(run.stderr.contains(expected), "{}", run.stderr);
        assert!(!run.stderr.contains(&KEY[4..]), "{}", run.stderr);
    }
}

#[test]
fn where_nothing_is_there_is_nothing_to_look_after() {
    for task in ["show", "backup copy", "restore copy", "reset --yes"] {
        let run = Sandbox::new().run(&format!("engine {task}")).expect(1);
        assert!(
            run.stderr.contains("there is no state of the local engine"),
            "{}",
            run.stderr
        );
    }
}

const IDENTITIES: &str = "\
kind: Identity
principal: role/reader
policies:
  - Version: 2012-10-17
    Statement: {Effect: Allow, Action: ['kms:DescribeKey', 'kms:ListKeys'], Resource: '*'}
  - Version: 2012-10-17
    Statement: {Effect: Allow, Action: 'kms:Encrypt', Resource: '*', Condition: {StringEquals: {'aws:PrincipalTag/team': reports}}}
boundary:
  Version: 2012-10-17
  Statement: {Effect: Allow, Action: ['kms:DescribeKey', 'kms:Encrypt'], Resource: '*'}
tags: {team: reports}
";

/// What `role/reader` may do with the key, and whether it may list keys.
fn allowed(sandbox: &Sandbox) -> [bool; 3] {
    let file = camino::Utf8PathBuf::try_from(sandbox.path().join(".keywright/engine.db")).unwrap();
    let engine = engine::open(Store::File(file));
    let role = "arn:aws:iam::111122223333:role/reader";
    let role = Principal::parse(role, Partition::Aws).unwrap();
    let keys = engine
        .issue_keys(&role, &"us-east-1".parse().unwrap())
        .unwrap();
    let credentials = Credentials::new(keys.access_key, keys.secret, keys.token, None, "test");
    let config = engine::engine_config(&engine, "", "us-east-1").credentials_provider(credentials);
    let kms = aws_sdk_kms::Client::from_conf(config.build());
    let key = "alias/payments";
    block_on(async {
        let described = kms.describe_key().key_id(key).send().await;
        let plaintext = aws_sdk_kms::primitives::Blob::new("x");
        let encrypted = kms.encrypt().key_id(key).plaintext(plaintext).send().await;
        let listed = kms.list_keys().send().await;
        [described.is_ok(), encrypted.is_ok(), listed.is_ok()]
    })
}

#[test]
fn identities_of_manifests_become_principals_with_policies_boundary_and_tags() {
    let sandbox = with_a_key();
    assert_eq!(allowed(&sandbox), [false, false, false]);
    sandbox.write("manifests/identities.yaml", IDENTITIES);
    sandbox.run("apply --yes").expect(0);
    assert_eq!(allowed(&sandbox), [true, true, false]);
    // What is no longer declared of it is gone, and what is declared again changes nothing.
    let other = IDENTITIES.replace("tags: {team: reports}", "tags: {team: sales}");
    sandbox.write("manifests/identities.yaml", other);
    for _again in 0..2 {
        sandbox.run("apply --yes").expect(0);
        assert_eq!(allowed(&sandbox), [true, false, false]);
    }
}

#[test]
fn a_served_engine_knows_identities_before_it_listens() {
    let sandbox = with_a_key();
    sandbox.write("people/identities.yaml", IDENTITIES);
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = occupied.local_addr().unwrap();
    let words = format!("serve --listen {address} --identities people");
    let run = sandbox.run(&words).expect(1);
    assert!(run.stderr.contains("cannot listen"), "{}", run.stderr);
    assert_eq!(allowed(&sandbox), [true, true, false]);
    let run = sandbox.run("serve --identities nowhere").expect(1);
    assert!(run.stderr.contains("nowhere"), "{}", run.stderr);
}
