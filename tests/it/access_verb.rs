//! `keywright access`: who can do what with live keys, as a matrix and as boxes of requests.

use serde_json::{Value, json};

use crate::support::sandbox::{Run, Sandbox};

/// Applies a manifest and shows the access to its keys.
fn access(manifest: &str) -> String {
    let sandbox = Sandbox::with(manifest);
    sandbox.run("apply --yes").expect(0);
    sandbox.run("access").expect(0).all()
}

/// A sandbox with one live key, whose policy has these statements.
fn with_policy(statements: &Value) -> Sandbox {
    let sandbox = Sandbox::with("kind: Key\nname: shared\nadministrators: [role/key-admin]\n");
    sandbox.run("apply --yes").expect(0);
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    sandbox.live(async |client| {
        let key = client.key("alias/shared").await;
        let request = client.put_key_policy().key_id(key).policy(policy);
        request.send().await.unwrap();
    });
    sandbox
}

#[test]
fn a_key_as_the_console_makes_it() {
    let shown = access(
        "kind: Key\nname: payments\nadministrators: [role/key-admin]\nusers: [role/payments-api]\n",
    );
    insta::assert_snapshot!(shown, @"
    exit 0
    --- stdout
    alias/payments  arn:aws:kms:us-east-1:111122223333:key/[id]
                                                                                           generate-
                                                                                           data-      re-
                              administer  delete  read  grant  describe  encrypt  decrypt  keys       encrypt
      the root user           yes         yes     yes   yes    yes       yes      yes      yes        yes
      others in this account  IAM         IAM     IAM   IAM    IAM       IAM      IAM      IAM        IAM
      role/key-admin          yes         yes     yes   yes    yes       IAM      IAM      IAM        IAM
      role/payments-api       IAM         IAM     IAM   IAM 1  yes       yes      yes      yes        yes
      1  only when kms:GrantIsForAWSResource is true

    yes: allowed; IAM: where IAM policies of the principal's account allow it; if, part and numbers: what the notes say; -: not allowed
    --- stderr
    ");
}

#[test]
fn conditions_and_grants_stand_in_notes() {
    let shown = access(
        "\
kind: Key
name: payments
administrators: [role/key-admin]
users:
  - principals: [role/reporting]
    operations: [decrypt]
    via: [s3]
    context: {tenant: eu}
  - principals: [role/writer]
    operations: [encrypt, GenerateDataKey]
grants:
  - name: nightly-export
    grantee: role/nightly-export
    operations: [Decrypt, DescribeKey]
    context: {purpose: export}
",
    );
    insta::assert_snapshot!(shown, @"
    exit 0
    --- stdout
    alias/payments  arn:aws:kms:us-east-1:111122223333:key/[id]
                                                                                           generate-
                                                                                           data-      re-
                              administer  delete  read  grant  describe  encrypt  decrypt  keys       encrypt
      the root user           yes         yes     yes   yes    yes       yes      yes      yes        yes
      others in this account  IAM         IAM     IAM   IAM    IAM       IAM      IAM      IAM        IAM
      role/key-admin          yes         yes     yes   yes    yes       IAM      IAM      IAM        IAM
      role/nightly-export     IAM         IAM     IAM   IAM    yes       IAM      IAM 1    IAM        IAM
      role/reporting          IAM         IAM     IAM   IAM    IAM       IAM      IAM 2    IAM        IAM
      role/writer             IAM         IAM     IAM   IAM    IAM       yes      IAM      IAM 3      IAM
      1  only with context purpose=export
      2  only with context tenant=eu, only via s3
      3  GenerateDataKey

    yes: allowed; IAM: where IAM policies of the principal's account allow it; if, part and numbers: what the notes say; -: not allowed
    --- stderr
    ");
}

#[test]
fn only_the_columns_of_the_keys_type_are_there() {
    let shown = access(
        "\
kind: Key
name: releases
spec: ECC_NIST_P256
usage: SIGN_VERIFY
administrators: [role/key-admin]
users: [role/release-job]
---
kind: Key
name: tokens
spec: HMAC_256
administrators: [role/key-admin]
users: [{principals: [role/issuer], operations: [mac]}]
",
    );
    insta::assert_snapshot!(shown, @"
    exit 0
    --- stdout
    alias/releases  arn:aws:kms:us-east-1:111122223333:key/[id]
                                                                                       public-
                              administer  delete  read  grant  describe  sign  verify  key
      the root user           yes         yes     yes   yes    yes       yes   yes     yes
      others in this account  IAM         IAM     IAM   IAM    IAM       IAM   IAM     IAM
      role/key-admin          yes         yes     yes   yes    yes       IAM   IAM     yes
      role/release-job        IAM         IAM     IAM   IAM    yes       yes   yes     yes

    alias/tokens  arn:aws:kms:us-east-1:111122223333:key/[id]
                                                                              verify-
                              administer  delete  read  grant  describe  mac  mac
      the root user           yes         yes     yes   yes    yes       yes  yes
      others in this account  IAM         IAM     IAM   IAM    IAM       IAM  IAM
      role/issuer             IAM         IAM     IAM   IAM    IAM       yes  IAM
      role/key-admin          yes         yes     yes   yes    yes       IAM  IAM

    yes: allowed; IAM: where IAM policies of the principal's account allow it; if, part and numbers: what the notes say; -: not allowed
    --- stderr
    ");
}

#[test]
fn public_access_is_marked() {
    let sandbox = with_policy(&json!([
        {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": "*", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": "*"},
        {"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:role/banned"}, "Action": "kms:*", "Resource": "*"},
    ]));
    let shown = sandbox.run("access").expect(0).all();
    insta::assert_snapshot!(shown, @"
    exit 0
    --- stdout
    alias/shared  arn:aws:kms:us-east-1:111122223333:key/[id]
                                                                                               generate-
                                                                                               data-      re-
                                  administer  delete  read  grant  describe  encrypt  decrypt  keys       encrypt
      the root user               yes         yes     yes   yes    yes       yes      yes      yes        yes
      others in this account      IAM         IAM     IAM   IAM    IAM       yes      yes      IAM        IAM
      role/banned                 -           -       -     -      -         -        -        -          -
      every AWS service           -           -       -     -      -         yes      yes      -          -
      everyone in other accounts  -           -       -     -      -         IAM      IAM      -          -        [public, cross-account]

    yes: allowed; IAM: where IAM policies of the principal's account allow it; if, part and numbers: what the notes say; -: not allowed
    --- stderr
    ");
}

#[test]
fn other_accounts_have_what_works_across_accounts() {
    let sandbox = with_policy(&json!([
        {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": ["222233334444", "arn:aws:iam::333344445555:role/partner"]}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
         "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc1234567"}}},
        {"Effect": "Allow", "Principal": {"Service": "logs.amazonaws.com"}, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*",
         "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}},
    ]));
    let shown = sandbox.run("access").expect(0).all();
    insta::assert_snapshot!(shown, @r"
    exit 0
    --- stdout
    alias/shared  arn:aws:kms:us-east-1:111122223333:key/[id]
                                                                                                     generate-
                                                                                                     data-      re-
                                        administer  delete  read  grant  describe  encrypt  decrypt  keys       encrypt
      the root user                     yes         yes     yes   yes    yes       yes      yes      yes        yes
      everyone in this account          IAM         IAM     IAM   IAM    IAM       IAM      IAM 1    IAM        IAM
      everyone in account 222233334444  -           -       IAM   IAM    IAM       IAM      IAM      IAM        IAM      [cross-account]
      333344445555:role/partner         -           -       IAM   IAM    IAM       IAM      IAM      IAM        IAM      [cross-account]
      service/logs.amazonaws.com        -           -       -     -      -         -        if 2     if 2       -
      everyone in other accounts        -           -       -     -      -         -        if 3     -          -        [cross-account]
      1  only when aws:PrincipalOrgID is o-abc1234567
      2  only when aws:SourceAccount is 111122223333
      3  only when aws:PrincipalOrgID is o-abc1234567, where IAM policies allow it

    yes: allowed; IAM: where IAM policies of the principal's account allow it; if, part and numbers: what the notes say; -: not allowed
    --- stderr
    ");
}

#[test]
fn what_is_left_of_a_deleted_principal_is_marked() {
    let sandbox = Sandbox::with(
        "kind: Key\nname: payments\nadministrators: [role/key-admin]\nusers: [role/gone]\n",
    );
    sandbox.run("apply --yes").expect(0);
    // What IAM does to the policy when the role is deleted.
    let engine = rusqlite::Connection::open(sandbox.path().join(".keywright/engine.db")).unwrap();
    let decay = "UPDATE policies SET text = replace(text, 'arn:aws:iam::111122223333:role/gone', 'AROAEXAMPLEROLEID')";
    assert_eq!(engine.execute(decay, []).unwrap(), 1);
    drop(engine);
    let shown = sandbox.run("access").expect(0).stdout;
    insta::assert_snapshot!(shown, @"
    alias/payments  arn:aws:kms:us-east-1:111122223333:key/[id]
                                                                                              generate-
                                                                                              data-      re-
                                 administer  delete  read  grant  describe  encrypt  decrypt  keys       encrypt
      the root user              yes         yes     yes   yes    yes       yes      yes      yes        yes
      others in this account     IAM         IAM     IAM   IAM    IAM       IAM      IAM      IAM        IAM
      role/key-admin             yes         yes     yes   yes    yes       IAM      IAM      IAM        IAM
      deleted/AROAEXAMPLEROLEID  -           -       -     if 1   yes       yes      yes      yes        yes      [deleted]
      1  only when kms:GrantIsForAWSResource is true

    yes: allowed; IAM: where IAM policies of the principal's account allow it; if, part and numbers: what the notes say; -: not allowed
    ");
}

const PLAIN: &str = "kind: Key\nname: payments\nadministrators: [role/key-admin]\n";

#[test]
fn a_live_key_goes_by_name_alias_id_or_arn() {
    let sandbox = Sandbox::with(PLAIN);
    sandbox.run("apply --yes").expect(0);
    let expected = sandbox.run("access").expect(0).stdout;
    let id = std::cell::RefCell::new(String::new());
    sandbox.live(async |client| {
        id.replace(client.key("alias/payments").await);
    });
    let id = id.into_inner();
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{id}");
    let alias = "arn:aws:kms:us-east-1:111122223333:alias/payments";
    for keys in [
        "payments",
        "alias/payments",
        &id,
        &arn,
        alias,
        &format!("payments {id}"),
    ] {
        assert_eq!(
            sandbox.run(&format!("access {keys}")).expect(0).stdout,
            expected
        );
    }
    std::fs::remove_dir_all(sandbox.path().join("manifests")).unwrap();
    assert_eq!(sandbox.run("access payments").expect(0).stdout, expected);
}

#[test]
fn keys_that_are_not_there_or_cannot_be_read_are_told() {
    let sandbox = Sandbox::with(PLAIN);
    let run = sandbox.run("access").expect(1);
    assert_eq!(run.stdout, "");
    let told = "there is no key `payments` in 111122223333/us-east-1\n";
    assert_eq!(run.stderr, told);
    let run = sandbox.run("access payments -o json").expect(1);
    assert_eq!(run.stderr, format!("error: {told}"));
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["faults"][0]["message"], told.trim());
    sandbox.run("apply --yes").expect(0);
    let run = sandbox.run("access payments nowhere").expect(1);
    assert_eq!(run.stderr, told.replace("payments", "nowhere"));
    assert!(run.stdout.starts_with("alias/payments"), "{}", run.all());
    let mut command = sandbox.command();
    command.arg("access");
    command.env("KEYWRIGHT_ENGINE_FAULT", "deny-from:2");
    let run = Run::of(&command.output().unwrap()).expect(5);
    insta::assert_snapshot!(run.stdout, @"unreadable payments in 111122223333/us-east-1: DescribeKey: AccessDeniedException: injected");
    sandbox.write(
        "manifests/keys.yaml",
        "kind: Team\nname: a\nmembers: [role/a]\n",
    );
    let run = sandbox.run("access").expect(1);
    assert_eq!(run.stderr, "the manifests declare no keys\n");
}

#[test]
fn a_key_of_several_regions_is_shown_in_each_and_explained_by_arn() {
    let account = "kind: Account\nname: dev\nid: 111122223333\nregions: [us-east-1, eu-west-1]\n";
    let sandbox = Sandbox::with(&format!("{account}---\n{PLAIN}"));
    sandbox.run("apply --yes").expect(0);
    let run = sandbox.run("access payments").expect(0);
    let headings: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.contains("arn:"))
        .collect();
    insta::assert_snapshot!(headings.join("\n"), @"
    alias/payments  arn:aws:kms:eu-west-1:111122223333:key/[id]
    alias/payments  arn:aws:kms:us-east-1:111122223333:key/[id]
    ");
    let run = sandbox
        .run("access arn:aws:kms:eu-west-1:111122223333:alias/payments")
        .expect(0);
    assert_eq!(run.stdout.matches("arn:").count(), 1, "{}", run.all());
}

#[test]
fn programs_get_every_box_with_a_request_of_it() {
    let sandbox = Sandbox::with(&format!(
        "{PLAIN}users: [{{principals: [role/app], operations: [decrypt], via: [s3]}}]\n"
    ));
    sandbox.run("apply --yes").expect(0);
    let report = sandbox.report("access payments");
    let boxes = report["keys"][0]["access"].as_array().unwrap();
    let told: Vec<String> = boxes.iter().map(Value::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    {"level":"direct","principals":["role/app"],"operations":["Decrypt"],"conditions":["only via s3"],"marks":["key-material"],"witness":{"principal":"arn:aws:iam::111122223333:role/app","action":"kms:Decrypt","context":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}
    {"level":"direct","principals":["the root user"],"operations":["all operations"],"conditions":[],"marks":["administrator","key-material"],"witness":{"principal":"arn:aws:iam::111122223333:root","action":"kms:Decrypt","context":{}}}
    {"level":"direct","principals":["role/key-admin"],"operations":["administration","deletion"],"conditions":[],"marks":["administrator"],"witness":{"principal":"arn:aws:iam::111122223333:role/key-admin","action":"kms:PutKeyPolicy","context":{}}}
    {"level":"delegated","principals":["everyone in this account"],"operations":["all operations"],"conditions":[],"marks":[],"witness":{"principal":"arn:aws:iam::111122223333:role/app","action":"kms:Decrypt","context":{}}}
    "#);
}

#[test]
fn what_nobody_can_tell_is_undetermined() {
    let sandbox = with_policy(&json!([
        {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/app"}, "Action": "kms:Decrypt", "Resource": "*",
         "Condition": {"BinaryEquals": {"aws:x": "AAAA"}}},
    ]));
    let run = sandbox.run("access").expect(0);
    insta::assert_snapshot!(run.stdout, @"
    alias/shared  arn:aws:kms:us-east-1:111122223333:key/[id]
      undetermined: BinaryEquals is not compared
    ");
    let report = sandbox.report("access");
    let why = "BinaryEquals is not compared";
    assert_eq!(report["keys"][0]["undetermined"], why);
}

#[test]
fn the_manual_shows_a_real_run() {
    let manual =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/access.md")).unwrap();
    let block = |kind: &str| {
        let (_, rest) = manual.split_once(&format!("```{kind}\n")).unwrap();
        rest.split_once("```").unwrap().0
    };
    let sandbox = Sandbox::with(block("yaml"));
    sandbox.run("apply --yes").expect(0);
    let (command, expected) = block("console").split_once('\n').unwrap();
    let words = command.strip_prefix("$ keywright ").unwrap();
    assert_eq!(sandbox.run(words).expect(0).stdout, expected);
}
