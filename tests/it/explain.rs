//! `keywright explain`: one request, from files and on live keys.

use serde_json::{Value, json};

use crate::support::sandbox::{Run, Sandbox};

pub(crate) const KEY: &str =
    "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";
const ROOT: &str = "arn:aws:iam::111122223333:root";
pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/app";
pub(crate) const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/i-1";

/// A key policy that leaves everything to IAM, and lets the role encrypt.
pub(crate) fn key_policy() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Enable IAM policies", "Effect": "Allow", "Principal": {"AWS": ROOT},
         "Action": "kms:*", "Resource": "*"},
        {"Sid": "Writers", "Effect": "Allow", "Principal": {"AWS": ROLE},
         "Action": "kms:Encrypt", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"},
    ]})
}

/// A policy of the caller's own with one statement.
pub(crate) fn own(effect: &str, action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement":
        {"Sid": "Mine", "Effect": effect, "Action": action, "Resource": "arn:aws:kms:*:*:key/*"}})
}

pub(crate) fn grant() -> Value {
    json!({"KeyId": KEY, "GrantId": "0c23", "Name": "nightly", "GranteePrincipal": ROLE,
        "IssuingAccount": ROOT, "Operations": ["GenerateDataKey", "DescribeKey"],
        "Constraints": {"EncryptionContextSubset": {"tenant": "eu"}}})
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, value) in [
        ("key.json", key_policy()),
        ("decrypt.json", own("Allow", "kms:Decrypt")),
        ("never.json", own("Deny", "kms:De*")),
        ("sign.json", own("Allow", "kms:Sign")),
        (
            "grants.json",
            json!({"Grants": [grant()], "Truncated": false}),
        ),
    ] {
        sandbox.write(name, value.to_string());
    }
    sandbox
}

fn explain(principal: &str, action: &str, rest: &str) -> Run {
    sandbox().run(&format!(
        "explain {principal} {action} {KEY} --policy key.json {rest}"
    ))
}

#[test]
fn an_allowed_request_names_the_policies_that_allow_it() {
    let run = explain(ROLE, "kms:Decrypt", "--identity-policy decrypt.json").expect(0);
    insta::assert_snapshot!(run.all(), @"
    exit 0
    --- stdout
    Allowed: arn:aws:iam::111122223333:role/app calls kms:Decrypt
      on arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab
      key policy  leaves it to IAM policies
      by          the key policy, Statement[0] `Enable IAM policies`
      by          identity policy 1, Statement[0] `Mine`
    --- stderr
    ");
}

#[test]
fn a_denied_request_has_a_reason() {
    let run = explain(ROLE, "kms:Decrypt", "").expect(2);
    insta::assert_snapshot!(run.all(), @r"
    exit 2
    --- stdout
    Implicitly denied: arn:aws:iam::111122223333:role/app calls kms:Decrypt
      on arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab
      why         the key policy leaves it to IAM, and no identity policy allows it
      help        not all of IAM is known; give the account's with --identities, or the caller's policies with --identity-policy
      key policy  leaves it to IAM policies
    --- stderr
    ");
}

#[test]
fn an_explicit_denial_names_its_statement() {
    let policies = "--identity-policy decrypt.json --identity-policy never.json";
    let run = explain(ROLE, "kms:Decrypt", policies).expect(2);
    insta::assert_snapshot!(run.all(), @"
    exit 2
    --- stdout
    Explicitly denied: arn:aws:iam::111122223333:role/app calls kms:Decrypt
      on arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab
      why         identity policy 2 denies it, which nothing overrides
      key policy  leaves it to IAM policies
      by          identity policy 2, Statement[0] `Mine`
    --- stderr
    ");
}

#[test]
fn programs_get_the_same_answer() {
    let rest = "--grants grants.json --context kms:EncryptionContext:tenant=eu --output json";
    let run = explain(SESSION, "kms:GenerateDataKey", rest).expect(0);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    insta::assert_json_snapshot!(answer, @r#"
    {
      "version": 1,
      "verb": "explain",
      "request": {
        "principal": "arn:aws:sts::111122223333:assumed-role/app/i-1",
        "action": "kms:GenerateDataKey",
        "resource": "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
      },
      "decision": "Allowed",
      "level": "delegated",
      "by": [
        {
          "grant": "0c23"
        }
      ]
    }
    "#);
}

#[test]
fn files_may_be_as_the_command_line_of_aws_prints_them() {
    let sandbox = sandbox();
    let printed = json!({"Policy": key_policy().to_string(), "PolicyName": "default"});
    sandbox.write("key.json", printed.to_string());
    sandbox
        .run(&format!("explain {ROLE} Encrypt {KEY} --policy key.json"))
        .expect(0);
}

#[track_caller]
fn check(principal: &str, action: &str, rest: &str, code: i32, told: &str) {
    let run = explain(principal, action, rest).expect(code);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains(told), "{said}");
}

#[test]
fn each_side_has_its_option() {
    let decrypt = "--identity-policy decrypt.json";
    let boundary = format!("{decrypt} --boundary sign.json");
    check(
        ROLE,
        "kms:Decrypt",
        &boundary,
        2,
        "the permissions boundary does not allow it",
    );
    let session = format!("{decrypt} --session-policy sign.json");
    check(
        SESSION,
        "kms:Decrypt",
        &session,
        2,
        "no session policy allows it",
    );
    let session = format!("{session} --session-policy decrypt.json");
    check(
        SESSION,
        "kms:Decrypt",
        &session,
        0,
        "session policy 2, Statement[0]",
    );
    let grants = "--grants grants.json";
    check(ROLE, "kms:DescribeKey", grants, 0, "grant 0c23");
    check("111122223333", "kms:Decrypt", "", 0, "allows it");
    check(
        "logs.amazonaws.com",
        "kms:Decrypt",
        "",
        2,
        "neither the key policy nor a grant",
    );
    check(
        "anonymous",
        "kms:Decrypt",
        "",
        2,
        "KMS answers no anonymous callers",
    );
    check(
        ROOT,
        "kms:ScheduleKeyDeletion",
        "",
        2,
        "the key policy denies it",
    );
}

#[test]
fn several_values_of_a_key_and_the_time_are_known() {
    let sandbox = sandbox();
    let policy = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}, "DateLessThan": {"aws:CurrentTime": "2026-06-02T00:00:00Z"}}}});
    sandbox.write("key.json", policy.to_string());
    let ask = |rest: &str| {
        let words = format!("explain {ROLE} TagResource {KEY} --policy key.json {rest}");
        sandbox.run(&words).code
    };
    assert_eq!(
        ask("--context aws:TagKeys=a --context aws:tagkeys=b"),
        Some(0)
    );
    assert_eq!(
        ask("--context aws:TagKeys=a --context aws:TagKeys=c"),
        Some(2)
    );
    assert_eq!(
        ask("--context aws:CurrentTime=2026-07-01T00:00:00Z"),
        Some(2)
    );
}

#[test]
fn faults_in_files_and_arguments_are_told_with_their_place() {
    let files = "--identity-policy key.json";
    check(
        ROLE,
        "kms:Decrypt",
        files,
        1,
        "key.json is not usable: Statement[0].Principal: cannot stand",
    );
    check(
        ROLE,
        "kms:Decrypt",
        "--boundary nowhere.json",
        1,
        "cannot read nowhere.json",
    );
    check(
        ROLE,
        "kms:Decrypt",
        "--grants key.json",
        1,
        "must be a list of grants",
    );
    check(
        ROLE,
        "kms:De*",
        "",
        1,
        "`kms:De*` is not a KMS operation; operations are written as AWS does, such as `Decrypt`",
    );
    check(ROLE, "Decript", "", 1, "did you mean `Decrypt`?");
    check(
        ROLE,
        "ListKeys",
        "",
        1,
        "`ListKeys` is not an operation on a key",
    );
    check("*", "kms:Decrypt", "", 1, "`*` is no caller");
    check("app", "kms:Decrypt", "", 1, "`app` is not an ARN");
    check("rôle/app", "kms:Decrypt", "", 1, "write `role/NAME`");
    check(
        "team/apps",
        "kms:Decrypt",
        "",
        1,
        "`team/apps` stands for several principals",
    );
    check(
        ROLE,
        "kms:Decrypt",
        "--context tenant",
        1,
        "write it as `KEY=VALUE`",
    );
    check(ROLE, "kms:Decrypt", "--batch", 1, "cannot be used with");
}

#[test]
fn arguments_that_do_not_go_together_are_refused() {
    let usage = |words: &str, told: &str| {
        let run = sandbox().run(words).expect(1);
        assert!(run.stderr.contains(told), "{}", run.stderr);
    };
    usage("explain --policy key.json", "<PRINCIPAL>");
    usage("explain role/app Decrypt", "<KEY>");
    usage(
        "explain role/app Decrypt payments --policy key.json",
        "with --policy, KEY is an ARN; `payments` is looked up at a target",
    );
    usage(
        "explain role/app Decrypt payments --grants grants.json",
        "--policy <FILE>",
    );
    usage(
        "explain role/app Decrypt --policy key.json --target local",
        "cannot be used with",
    );
}

#[test]
fn callers_operations_and_contexts_have_short_forms() {
    let sandbox = sandbox();
    let conditions = json!({"StringEquals": {
        "kms:ViaService": "s3.us-east-1.amazonaws.com", "kms:EncryptionContext:tenant": "eu"}});
    let statement = |principal: Value| {
        json!({"Effect": "Allow", "Principal": principal, "Action": "kms:Decrypt", "Resource": "*",
            "Condition": conditions})
    };
    let policy = json!({"Statement": [
        statement(json!({"AWS": [ROLE, ROOT]})),
        statement(json!({"Service": "logs.amazonaws.com"})),
    ]});
    sandbox.write("key.json", policy.to_string());
    let ask = |principal: &str, rest: &str| {
        let context = "--context via=s3 --context context.tenant=eu";
        let words = format!("explain {principal} Decrypt --policy key.json {context} {rest}");
        sandbox.run(&words).code
    };
    for caller in [
        ROLE,
        "role/app",
        "session/app/i-1",
        "account",
        "111122223333",
        "111122223333:role/app",
        "service/logs.amazonaws.com",
        "logs.amazonaws.com",
    ] {
        assert_eq!(ask(caller, ""), Some(0), "{caller}");
    }
    assert_eq!(ask("role/other", ""), Some(2));
    // Without a KEY it is one of the account and Region that were named.
    assert_eq!(ask("role/app", "--account 444455556666"), Some(2));
    assert_eq!(ask("role/app", "--region eu-west-1"), Some(2));
}

const LIVE: &str = "\
kind: Key
name: payments
tags: {team: pay}
administrators: [role/key-admin]
statements:
  - Sid: By team
    Effect: Allow
    Principal: {AWS: '${account}'}
    Action: kms:Decrypt
    Resource: '*'
    Condition:
      StringEquals:
        aws:ResourceTag/team: ${aws:PrincipalTag/team}
        kms:KeySpec: SYMMETRIC_DEFAULT
        kms:KeyUsage: ENCRYPT_DECRYPT
        kms:KeyOrigin: AWS_KMS
      Bool: {kms:MultiRegion: 'false'}
  - Sid: No other team
    Effect: Deny
    Principal: {AWS: 'arn:aws:iam::111122223333:role/loner'}
    Action: kms:*
    Resource: '*'
    Condition:
      StringNotEquals: {aws:ResourceTag/team: loners}
grants:
  - {name: nightly, grantee: role/nightly, operations: [Encrypt]}
";

#[test]
fn a_live_key_goes_by_name_alias_id_or_arn() {
    let sandbox = Sandbox::with(
        "kind: Key\nname: payments\nadministrators: [role/a]\ngrants:\n  - {name: nightly, grantee: role/nightly, operations: [Encrypt]}\n",
    );
    sandbox.run("apply --yes").expect(0);
    let id = std::cell::RefCell::new(String::new());
    sandbox.live(async |client| {
        id.replace(client.key("alias/payments").await);
    });
    let id = id.into_inner();
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{id}");
    let alias = "arn:aws:kms:us-east-1:111122223333:alias/payments";
    for key in ["payments", "alias/payments", &id, &arn, alias] {
        let run = sandbox
            .run(&format!("explain role/nightly Encrypt {key}"))
            .expect(0);
        assert!(
            run.stdout.contains("by          grant [id]"),
            "{}",
            run.all()
        );
    }
    // Without manifests too.
    std::fs::remove_dir_all(sandbox.path().join("manifests")).unwrap();
    for key in ["payments", "alias/payments", &id, &arn, alias] {
        sandbox
            .run(&format!("explain role/a PutKeyPolicy {key}"))
            .expect(0);
    }
    let check = |key: &str, told: &str| {
        let run = sandbox
            .run(&format!("explain role/a PutKeyPolicy {key}"))
            .expect(1);
        assert!(run.stderr.contains(told), "{}", run.all());
    };
    check(
        "nowhere",
        "there is no key `nowhere` in 111122223333/us-east-1",
    );
    check(
        &arn.replace("us-east-1", "eu-west-1"),
        "there is no key `arn:aws:kms:eu-west-1:111122223333:key/[id]` in 111122223333/eu-west-1",
    );
    check("alias/aws/s3", "alias name `alias/aws/s3` is reserved");
}

#[test]
fn what_follows_from_a_live_key_is_known() {
    let sandbox = Sandbox::with(LIVE);
    sandbox.run("apply --yes").expect(0);
    let explain = |request: &str| sandbox.run(&format!("explain {request}"));
    let run = explain("account Decrypt payments --context aws:PrincipalTag/team=pay").expect(0);
    assert!(run.stdout.contains("`By team`"), "{}", run.all());
    // What is typed has the last word.
    let run = explain("role/loner Decrypt payments --context aws:ResourceTag/team=loners");
    let told = run.expect(2).stdout;
    assert!(told.starts_with("Implicitly denied"), "{told}");
    let run = explain("role/loner Decrypt payments").expect(2);
    insta::assert_snapshot!(run.stdout, @"
    Explicitly denied: arn:aws:iam::111122223333:role/loner calls kms:Decrypt
      on arn:aws:kms:us-east-1:111122223333:key/[id]
      why         the key policy denies it, which nothing overrides
      key policy  denies it
      by          the key policy, Statement[3] `No other team`
    ");
}

#[test]
fn where_the_readings_of_not_principal_differ_that_is_said() {
    let sandbox = Sandbox::new();
    let listed = "arn:aws:iam::111122223333:role/app";
    let policy = json!({"Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Deny", "NotPrincipal": {"AWS": listed}, "Action": "kms:Decrypt", "Resource": "*"},
    ]});
    sandbox.write("policy.json", policy.to_string());
    sandbox.write("own.json", own("Allow", "kms:*").to_string());
    let explain = |who: &str| {
        format!("explain {who} Decrypt --policy policy.json --identity-policy own.json")
    };
    insta::assert_snapshot!(sandbox.run(&explain("role/app")).expect(2).stdout, @r"
    Explicitly denied: arn:aws:iam::111122223333:role/app calls kms:Decrypt
      on arn:aws:kms:us-east-1:111122223333:key/[id]
      why         the key policy denies it, which nothing overrides
      unclear     AWS's pages disagree on whom `NotPrincipal` spares; read the other way, it is allowed
      key policy  denies it
      by          the key policy, Statement[1]
    ");
    let report: Value = serde_json::from_str(
        &sandbox
            .run(&(explain("role/app") + " -o json"))
            .expect(2)
            .stdout,
    )
    .unwrap();
    assert_eq!(report["otherwise"]["decision"], "Allowed");
    let sure = sandbox.run(&explain("role/other")).expect(2).stdout;
    assert!(!sure.contains("disagree"), "{sure}");
    let nobody = sandbox.run(&explain("anonymous")).expect(2).stdout;
    insta::assert_snapshot!(nobody, @r"
    Explicitly denied: an anonymous caller calls kms:Decrypt
      on arn:aws:kms:us-east-1:111122223333:key/[id]
      why         the key policy denies it, which nothing overrides
      key policy  denies it
      by          the key policy, Statement[1]
    ");
}

#[test]
fn a_key_that_cannot_be_read_or_is_several_is_an_error() {
    let account =
        "kind: Account\nname: dev\nid: 111122223333\nregions: [us-east-1, eu-west-1]\n---\n";
    let sandbox = Sandbox::with(&format!("{account}{LIVE}"));
    sandbox.run("apply --yes").expect(0);
    let run = sandbox.run("explain role/a Decrypt payments").expect(1);
    insta::assert_snapshot!(run.stderr, @"error: `payments` is several keys; name one of arn:aws:kms:eu-west-1:111122223333:key/[id], arn:aws:kms:us-east-1:111122223333:key/[id]");
    let mut command = sandbox.command();
    command.args(["explain", "role/a", "Decrypt", "payments"]);
    command.env("KEYWRIGHT_ENGINE_FAULT", "deny-from:3");
    let run = Run::of(&command.output().unwrap()).expect(1);
    insta::assert_snapshot!(run.stderr, @"error: cannot read key `payments` in 111122223333/us-east-1: ListAliases: AccessDeniedException: injected");
}

#[test]
fn the_manual_shows_a_real_run() {
    let read = |name: &str| {
        std::fs::read_to_string(format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let block = |text: &str, kind: &str| {
        let (_, rest) = text.split_once(&format!("```{kind}\n")).unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    // The key is the one that the manual of `access` shows.
    let sandbox = Sandbox::with(&block(&read("access.md"), "yaml"));
    sandbox.run("apply --yes").expect(0);
    let console = block(&read("explain.md"), "console");
    let (command, expected) = console.split_once('\n').unwrap();
    let words = command.strip_prefix("$ keywright ").unwrap();
    assert_eq!(sandbox.run(words).expect(0).stdout, expected);
}
