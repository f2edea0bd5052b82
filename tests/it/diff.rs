//! `keywright diff`: two policies compared at the command line.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::sandbox::{Run, Sandbox};

fn statement(principal: &str, action: &str, condition: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*", "Condition": condition})
}

fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

const ROLE: &str = "arn:aws:iam::111122223333:role/app";

fn batch(sandbox: &Sandbox, words: &str, lines: &str) -> Run {
    let mut child = sandbox
        .command()
        .args(words.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    Run::of(&child.wait_with_output().unwrap())
}

/// The verdict of one pair in a batch.
#[track_caller]
fn check(words: &str, a: &[Value], b: &[Value], verdict: &str) -> Value {
    let line = json!({"id": "pair", "a": policy(a), "b": policy(b), "account": "111122223333"});
    let run = batch(&Sandbox::new(), words, &line.to_string()).expect(0);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["id"], "pair");
    assert_eq!(answer["verdict"], verdict, "{answer:#}");
    answer
}

#[test]
fn a_pair_is_shown_with_a_request_for_each_difference() {
    let sandbox = Sandbox::new();
    let via = json!({"StringLike": {"kms:ViaService": "s3.*"}});
    let a = policy(&[statement(ROLE, "kms:Decrypt", &json!({}))]);
    let b = policy(&[
        statement(ROLE, "kms:Decrypt", &via),
        statement("444455556666", "kms:Encrypt", &json!({})),
    ]);
    // As `aws kms get-key-policy` prints it.
    let printed = json!({"Policy": a.to_string(), "PolicyName": "default"});
    sandbox.write("a.json", printed.to_string());
    sandbox.write("b.json", b.to_string());
    let run = sandbox.run("diff a.json b.json").expect(2);
    insta::assert_snapshot!(run.stdout, @"
    + everyone in account 444455556666 can be given Encrypt by IAM policies  [cross-account, key-material]
    - role/app loses Decrypt, except when kms:ViaService is like s3.*
    incomparable: the second policy gives more access to some, and less to others
    ");
    let same = sandbox.run("diff b.json b.json").expect(0);
    assert_eq!(
        same.stdout,
        "equivalent: both policies answer every request alike\n"
    );
    let report = sandbox.run("diff a.json b.json -o json").expect(2);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["scales"]["may"], "incomparable");
    assert_eq!(report["witnesses"][0]["principal"], ROLE);
    let told = &report["shifts"]["told"];
    assert_eq!(told[0]["turn"], "gains-through-iam");
    assert_eq!(told[1]["witness"]["principal"], ROLE);
    let report = sandbox.run("diff b.json b.json -o json").expect(0);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["shifts"], Value::Null);
}

#[test]
fn public_access_is_marked_whichever_account_is_written_down_beside_it() {
    let sandbox = Sandbox::new();
    for account in ["444455556666", "777788889999", "222233334444"] {
        let partner = format!("arn:aws:iam::{account}:role/partner");
        let closed = [statement(&partner, "kms:Encrypt", &json!({}))];
        let open = [&closed[..], &[statement("*", "kms:Decrypt", &json!({}))]].concat();
        sandbox.write("closed.json", policy(&closed).to_string());
        sandbox.write("open.json", policy(&open).to_string());
        let run = sandbox.run("diff closed.json open.json").expect(2);
        assert!(run.stdout.contains("[public, "), "{}", run.all());
    }
}

const BEFORE: &str = "\
kind: Key
name: payments
administrators: [role/key-admin]
users: [role/payments-api]
grants:
  - {name: nightly, grantee: role/nightly, operations: [Decrypt]}
  - {name: past, grantee: role/past, operations: [Decrypt], expires: 2026-01-01T00:00:00Z}
---
kind: Key
name: old
administrators: [role/key-admin]
---
kind: Key
name: archive
administrators: [role/key-admin]
---
kind: Key
name: words
policy:
  Version: '2012-10-17'
  Statement:
    - {Effect: Allow, Principal: {AWS: '111122223333'}, Action: 'kms:*', Resource: '*'}
---
kind: Key
name: same
administrators: [role/key-admin]
";

const AFTER: &str = "\
kind: Key
name: payments
administrators: [role/key-admin]
users:
  - principals: [role/payments-api]
    operations: [decrypt]
    via: [s3]
grants:
  - {name: nightly, grantee: role/nightly, operations: [Encrypt]}
---
kind: Key
name: vault
formerly: [archive]
administrators: [role/key-admin]
---
kind: Key
name: new
iam_policies: false
administrators: [222233334444:role/partner, role/key-admin]
---
kind: Key
name: words
policy:
  Version: '2012-10-17'
  Statement:
    - {Sid: All, Effect: Allow, Principal: {AWS: 'arn:aws:iam::111122223333:root'}, Action: '*', Resource: '*'}
---
kind: Key
name: same
administrators: [role/key-admin]
";

#[test]
fn manifests_are_compared_key_by_key_with_their_grants() {
    let sandbox = Sandbox::new();
    sandbox.write("before/keys.yaml", BEFORE);
    sandbox.write("after.yaml", AFTER);
    let run = sandbox.run("diff before after.yaml").expect(2);
    insta::assert_snapshot!(run.all(), @r"
    exit 2
    --- stdout
    111122223333/us-east-1

    + new  only in after.yaml
        + role/key-admin gains administration, deletion  [administrator]
        + 222233334444:role/partner can be given administration, deletion by IAM policies  [cross-account, administrator]

    - old  only in before
        - the root user loses everything
        - role/key-admin loses everything: administration, deletion
        - everyone in this account can no longer be given any operation by IAM policies

    ~ payments
        + role/nightly gains Encrypt; so far only through IAM policies  [key-material]
        - role/nightly loses Decrypt; from now on only through IAM policies
        - role/payments-api loses CreateGrant, ListGrants, RevokeGrant, only when kms:GrantIsForAWSResource is true; from now on only through IAM policies
        - role/payments-api loses Decrypt, except via s3; from now on only through IAM policies
        - role/payments-api loses Encrypt, DescribeKey, GenerateDataKey*, ReEncrypt*; from now on only through IAM policies

    = vault  was archive; the same access

    = words  the same access in other words

    Diff: 1 added, 1 removed, 1 changed; 3 with the same access, 1 of them in other words.
    --- stderr
    ");
    let report = sandbox.report("diff before after.yaml");
    let keys = report["keys"].as_array().unwrap();
    let changes: Vec<String> = keys
        .iter()
        .map(|key| format!("{} {} {}", key["name"], key["change"], key["verdict"]))
        .collect();
    insta::assert_snapshot!(changes.join("\n"), @r#"
    "new" "added" "wider"
    "old" "removed" "narrower"
    "payments" "changed" "incomparable"
    "same" "same" "equivalent"
    "vault" "renamed" "equivalent"
    "words" "reworded" "equivalent"
    "#);
    let told = &keys[1]["shifts"]["told"][0];
    assert!(told["witness"]["principal"].is_string(), "{told:#}");
}

#[test]
fn equal_access_in_other_words_is_no_difference() {
    let sandbox = Sandbox::new();
    sandbox.write("before/keys.yaml", BEFORE);
    let reworded = BEFORE.replace(
        "AWS: '111122223333'",
        "AWS: 'arn:aws:iam::111122223333:root'",
    );
    sandbox.write(
        "after/keys.yaml",
        reworded.replace("name: nightly,", "name: nightly-export,"),
    );
    let run = sandbox.run("diff before after").expect(0);
    insta::assert_snapshot!(run.all(), @"
    exit 0
    --- stdout
    111122223333/us-east-1

    = payments  the same access in other words

    Diff: 0 added, 0 removed, 0 changed; 5 with the same access, 1 of them in other words.
    --- stderr
    ");
    let run = sandbox.run("diff before before").expect(0);
    assert_eq!(
        run.stdout,
        "Diff: 0 added, 0 removed, 0 changed; 5 with the same access.\n"
    );
}

#[test]
fn only_two_of_a_kind_are_compared() {
    let sandbox = Sandbox::with(BEFORE);
    sandbox.write("a.json", policy(&[]).to_string());
    sandbox.write("broken.yaml", "kind: Kee\n");
    let check = |words: &str, told: &str| {
        let run = sandbox.run(words).expect(1);
        assert!(run.stderr.contains(told), "{}", run.all());
    };
    let mixed = "a.json is a policy, and manifests holds manifests";
    check("diff a.json manifests", mixed);
    check("diff manifests a.json", mixed);
    check("diff manifests nowhere", "cannot read nowhere");
    check(
        "diff manifests broken.yaml",
        "the kinds are Account, Team, Key",
    );
    let key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    check(
        &format!("diff manifests manifests --key {key}"),
        "--key is for policies",
    );
}

#[test]
fn verdicts_hold_on_each_scale() {
    let root = "arn:aws:iam::111122223333:root";
    let all = |who| statement(who, "kms:*", &json!({}));
    let deny = json!({"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:user/x"}, "Action": "kms:*", "Resource": "*"});
    let batch = "diff --batch";
    // From the account to a role of it: narrower for most, but the role needs no IAM policy any more.
    let answer = check(batch, &[all(root)], &[all(ROLE)], "incomparable");
    assert_eq!(answer["scales"]["may"], "narrower");
    // A denial of what nobody allows takes grants away.
    let answer = check(batch, &[all(ROLE)], &[all(ROLE), deny], "narrower");
    assert_eq!(answer["scales"]["nogrant"], "equivalent");
    assert_eq!(answer["scales"]["may"], "equivalent");
    check(batch, &[all(root)], &[all("111122223333")], "equivalent");
}

#[test]
fn operations_to_come_are_part_of_the_universe_unless_asked_otherwise() {
    let all = [statement(ROLE, "kms:*", &json!({}))];
    let names: Vec<&str> = keywright::model::Operation::ALL
        .iter()
        .map(|operation| operation.action())
        .collect();
    let today =
        [json!({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": names, "Resource": "*"})];
    let answer = check("diff --batch", &all, &today, "narrower");
    assert_eq!(
        answer["witnesses"][0]["action"], "kms:anoperationtocome",
        "{answer:#}"
    );
    check("diff --batch --actions today", &all, &today, "equivalent");
}

#[test]
fn a_key_of_several_values_without_a_set_operator_may_hold_or_not() {
    let tags = |operator: &str, tag: &str| {
        [statement(
            ROLE,
            "kms:TagResource",
            &json!({operator: {"aws:TagKeys": tag}}),
        )]
    };
    let free = [statement(ROLE, "kms:TagResource", &json!({}))];
    check(
        "diff --batch",
        &free,
        &tags("StringEquals", "a"),
        "narrower",
    );
    let answer = check(
        "diff --batch",
        &tags("StringEquals", "a"),
        &tags("StringEquals", "b"),
        "undetermined",
    );
    assert_eq!(
        answer["reason"],
        "the difference depends on `StringEquals` on `aws:TagKeys`, which AWS does not define without a set operator"
    );
    check(
        "diff --batch",
        &tags("ForAnyValue:StringEquals", "a"),
        &tags("ForAnyValue:StringEquals", "b"),
        "incomparable",
    );
    check(
        "diff --batch",
        &tags("ForAnyValue:StringEquals", "a"),
        &tags("StringEquals", "a"),
        "undetermined",
    );
}

#[test]
fn the_standard_input_is_one_policy_at_most() {
    let run = Sandbox::new().run("diff - -").expect(1);
    insta::assert_snapshot!(run.stderr, @"error: `-` is the standard input, which can be read once: name a file for the other policy");
}

#[test]
fn principals_that_are_gone_have_no_line_beside_others() {
    let sandbox = Sandbox::new();
    let home = statement("111122223333", "kms:Decrypt", &json!({}));
    let people = json!({"Bool": {"aws:PrincipalIsAWSService": "false"}});
    let public = statement("*", "kms:Decrypt", &people);
    sandbox.write("a.json", policy(std::slice::from_ref(&home)).to_string());
    sandbox.write("b.json", policy(&[home, public]).to_string());
    insta::assert_snapshot!(sandbox.run("diff a.json b.json").expect(2).stdout, @r"
    + everyone in other accounts can be given Decrypt by IAM policies  [public, cross-account, key-material]
    + everyone in this account except the root user gains Decrypt; so far only through IAM policies  [key-material]
    wider: the second policy gives more access, and less to nobody
    ");
}

#[test]
fn everyone_below_a_path_is_shown_by_somebody_with_a_name() {
    let nobody = [statement(
        "arn:aws:iam::111122223333:role/none",
        "kms:Decrypt",
        &json!({}),
    )];
    for kind in ["role", "user"] {
        let below = |end: &str| {
            let arn = format!("arn:aws:iam::111122223333:{kind}/team/{end}");
            let of_arn = json!({"ArnLike": {"aws:PrincipalArn": arn}});
            let all = statement("*", "kms:Decrypt", &of_arn);
            [nobody[0].clone(), all]
        };
        let answer = check("diff --batch", &nobody, &below("*"), "wider");
        let principal = answer["witnesses"][0]["principal"].as_str().unwrap();
        assert!(!principal.ends_with('/'), "{answer}");
        check("diff --batch", &nobody, &below(""), "equivalent");
        check("diff --batch", &nobody, &below("x"), "wider");
    }
}

#[test]
fn a_session_carries_the_path_of_its_role() {
    const ROLE: &str = "arn:aws:iam::111122223333:role/team/app";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/ann";
    let of_arn = |operator: &str, arn: &str| json!({operator: {"aws:PrincipalArn": arn}});
    let all = |end: &str| format!("arn:aws:iam::111122223333:role/{end}");
    let role = [statement(ROLE, "kms:Decrypt", &json!({}))];
    let by_condition = [statement("*", "kms:Decrypt", &of_arn("ArnEquals", ROLE))];
    check("diff --batch", &role, &by_condition, "equivalent");
    let others = of_arn("ArnNotLike", &all("team/*"));
    let nobody = [statement(ROLE, "kms:Decrypt", &others)];
    let other_role = all("none");
    let dead = [statement(&other_role, "kms:CreateKey", &json!({}))];
    check("diff --batch", &nobody, &dead, "equivalent");

    // Where no policy names its role, a session can be of a role below any path.
    let of_session = |arn: &str| {
        let of_role = of_arn("ArnLike", &all(arn));
        [dead[0].clone(), statement(SESSION, "kms:Decrypt", &of_role)]
    };
    let answer = check("diff --batch", &dead, &of_session("team/*"), "wider");
    let witness = &answer["witnesses"][0];
    assert_eq!(witness["principal"], SESSION);
    assert_eq!(witness["context"], json!({"aws:PrincipalArn": ROLE}));
    check("diff --batch", &dead, &of_session("app"), "wider");
    check("diff --batch", &dead, &of_session("other"), "equivalent");
    check(
        "diff --batch",
        &dead,
        &of_session("team/other"),
        "equivalent",
    );
    let with_role = |of_session: [Value; 2]| [role[0].clone(), of_session[1].clone()];
    check(
        "diff --batch",
        &role,
        &with_role(of_session("other/*")),
        "equivalent",
    );
}

#[test]
fn what_is_not_compared_is_undetermined_and_says_why() {
    let variable = json!({"StringEquals": {"aws:PrincipalTag/team": "${aws:username}"}});
    let other = json!({"StringEquals": {"aws:PrincipalTag/unit": "${aws:username}"}});
    let a = [statement(ROLE, "kms:Decrypt", &json!({}))];
    let b = [statement(ROLE, "kms:Decrypt", &variable)];
    let c = [statement(ROLE, "kms:Decrypt", &other)];
    check("diff --batch", &a, &b, "narrower");
    let answer = check("diff --batch", &b, &c, "undetermined");
    assert_eq!(
        answer["reason"],
        "the difference depends on a policy variable"
    );
    check("diff --batch", &b, &b, "equivalent");
    let spelling = json!({"StringEquals": {"aws:principaltag/team": "${AWS:UserName}"}});
    let same = [statement(ROLE, "kms:Decrypt", &spelling)];
    check("diff --batch", &b, &same, "equivalent");
    let binary = json!({"BinaryEquals": {"aws:x": "AAAA"}});
    let answer = check(
        "diff --batch",
        &a,
        &[statement(ROLE, "kms:Decrypt", &binary)],
        "undetermined",
    );
    assert_eq!(answer["reason"], "BinaryEquals is not compared");
}

#[test]
fn a_bad_line_is_answered_with_its_fault_and_the_others_stand() {
    let good = json!({"id": 2, "a": policy(&[statement(ROLE, "kms:Decrypt", &json!({}))]).to_string(), "b": policy(&[statement(ROLE, "kms:*", &json!({}))])});
    let lines = format!(
        "nonsense\n{good}\n\n{}\n",
        json!({"id": "c", "a": {"Statement": [{"Effect": "Maybe"}]}})
    );
    let run = batch(&Sandbox::new(), "diff --batch", &lines).expect(1);
    let answers: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [nonsense, good, broken] = answers.as_slice() else {
        panic!("{}", run.all())
    };
    assert!(
        nonsense["error"]
            .as_str()
            .unwrap()
            .starts_with("line 1: not JSON")
    );
    assert_eq!(good["verdict"], "wider");
    assert_eq!(broken["id"], "c");
    assert!(
        broken["error"]
            .as_str()
            .unwrap()
            .contains(": a: Statement[0]"),
        "{broken}"
    );
}

#[test]
fn files_that_are_no_policies_are_named() {
    let sandbox = Sandbox::new();
    sandbox.write("a.json", "{");
    let run = sandbox.run("diff a.json a.json").expect(1);
    assert!(
        run.stderr.contains("a.json is not a key policy: not JSON"),
        "{}",
        run.all()
    );
    let run = sandbox.run("diff nowhere.json a.json").expect(1);
    assert!(
        run.stderr.contains("cannot read nowhere.json"),
        "{}",
        run.all()
    );
    sandbox.run("diff a.json").expect(1);
}
