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
    insta::assert_snapshot!(run.stdout, @r"
    incomparable: the second policy gives more access to some, and less to others
      - role/app kms:Decrypt: not allowed, was allowed
      + 444455556666:role/Example kms:Encrypt: allowed where IAM policies allow it, was not allowed
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
            .starts_with("a: Statement[0]"),
        "{broken}"
    );
}

#[test]
fn files_that_are_no_policies_are_named() {
    let sandbox = Sandbox::new();
    sandbox.write("a.json", "{");
    let run = sandbox.run("diff a.json a.json").expect(1);
    assert!(run.stderr.contains("a.json is not JSON"), "{}", run.all());
    let run = sandbox.run("diff nowhere.json a.json").expect(1);
    assert!(
        run.stderr.contains("cannot read nowhere.json"),
        "{}",
        run.all()
    );
    sandbox.run("diff a.json").expect(1);
}
