//! `keywright explain`: one request from files, and many from JSON Lines.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::sandbox::{Run, Sandbox};

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";
const ROOT: &str = "arn:aws:iam::111122223333:root";
const ROLE: &str = "arn:aws:iam::111122223333:role/app";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/i-1";

/// A key policy that leaves everything to IAM, and lets the role encrypt.
fn key_policy() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Enable IAM policies", "Effect": "Allow", "Principal": {"AWS": ROOT},
         "Action": "kms:*", "Resource": "*"},
        {"Sid": "Writers", "Effect": "Allow", "Principal": {"AWS": ROLE},
         "Action": "kms:Encrypt", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"},
    ]})
}

/// A policy of the caller's own with one statement.
fn own(effect: &str, action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement":
        {"Sid": "Mine", "Effect": effect, "Action": action, "Resource": "arn:aws:kms:*:*:key/*"}})
}

fn grant() -> Value {
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
        "explain --policy key.json --principal {principal} --action {action} --resource {KEY} {rest}"
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
    insta::assert_snapshot!(run.all(), @"
    exit 2
    --- stdout
    Implicitly denied: arn:aws:iam::111122223333:role/app calls kms:Decrypt
      on arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab
      why         the key policy leaves it to IAM, and no identity policy allows it
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
    let request = format!("--principal {ROLE} --action kms:Encrypt --resource {KEY}");
    sandbox
        .run(&format!("explain --policy key.json {request}"))
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
        let words = format!(
            "explain --policy key.json --principal {ROLE} --action kms:TagResource --resource {KEY} {rest}"
        );
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
    check(ROLE, "kms:De*", "", 1, "`kms:De*` is not an action");
    check(ROLE, "Decrypt", "", 1, "`Decrypt` is not an action");
    check("*", "kms:Decrypt", "", 1, "`*` is no caller");
    check("role/app", "kms:Decrypt", "", 1, "`role/app` is not an ARN");
    check(
        ROLE,
        "kms:Decrypt",
        "--context tenant",
        1,
        "write it as `KEY=VALUE`",
    );
    check(ROLE, "kms:Decrypt", "--batch", 1, "cannot be used with");
    let run = sandbox().run("explain --policy key.json").expect(1);
    assert!(run.stderr.contains("--principal <ARN>"), "{}", run.stderr);
}

/// Runs a batch over the standard input.
fn batch(input: &[u8]) -> Run {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    command.args(["explain", "--batch"]).stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    Run::of(&output)
}

/// A request for the batch with some members put in or replaced.
fn request(id: &str, mut changes: Value) -> Value {
    let mut request = json!({"id": id, "keyPolicy": key_policy(), "principal": ROLE,
        "action": "kms:Decrypt", "resource": KEY});
    request
        .as_object_mut()
        .unwrap()
        .append(changes.as_object_mut().unwrap());
    request
}

/// The answers to a batch, one for each line.
fn answers(requests: &[Value], code: i32) -> Vec<Value> {
    let lines: Vec<String> = requests.iter().map(|one| format!("{one}\n")).collect();
    let run = batch(lines.concat().as_bytes()).expect(code);
    run.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_batch_answers_each_line_in_order() {
    let session = json!({"principal": SESSION, "identityPolicies": [own("Allow", "kms:*")],
        "sessionPolicies": [own("Allow", "kms:Sign")], "boundary": null});
    let granted = json!({"action": "kms:GenerateDataKey", "grants": [grant()],
        "context": {"kms:EncryptionContext:tenant": ["eu"], "kms:ViaService": "s3"}});
    let answers = answers(
        &[
            request(
                "delegated",
                json!({"identityPolicies": [own("Allow", "kms:Decrypt")]}),
            ),
            request("direct", json!({"action": "kms:Encrypt"})),
            request("denied", json!({"action": "kms:ScheduleKeyDeletion"})),
            request("nobody", json!({"principal": null})),
            request("root", json!({"principal": "111122223333"})),
            request("session", session),
            request("grant", granted),
            request("text", json!({"keyPolicy": key_policy().to_string()})),
        ],
        0,
    );
    let told: Vec<String> = answers.iter().map(Value::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    {"id":"delegated","decision":"Allowed","level":"delegated","by":[{"policy":"keyPolicy","statement":0,"sid":"Enable IAM policies"},{"policy":"identityPolicies[0]","statement":0,"sid":"Mine"}]}
    {"id":"direct","decision":"Allowed","level":"direct","by":[{"policy":"keyPolicy","statement":1,"sid":"Writers"}]}
    {"id":"denied","decision":"ExplicitlyDenied","level":"deny","by":[{"policy":"keyPolicy","statement":2,"sid":null}],"reason":"the key policy denies it, which nothing overrides"}
    {"id":"nobody","decision":"ImplicitlyDenied","level":"none","by":[],"reason":"KMS answers no anonymous callers"}
    {"id":"root","decision":"Allowed","level":"direct","by":[{"policy":"keyPolicy","statement":0,"sid":"Enable IAM policies"}]}
    {"id":"session","decision":"ImplicitlyDenied","level":"delegated","by":[],"reason":"no session policy allows it"}
    {"id":"grant","decision":"Allowed","level":"delegated","by":[{"grant":"0c23"}]}
    {"id":"text","decision":"ImplicitlyDenied","level":"delegated","by":[],"reason":"the key policy leaves it to IAM, and no identity policy allows it"}
    "#);
}

/// A line's id with its error, or `answered`.
fn told(answer: &Value) -> String {
    let text = |name: &str| answer[name].as_str().unwrap_or("answered").to_owned();
    format!("{}: {}", text("id"), text("error"))
}

#[test]
fn a_wrong_line_tells_where_and_stops_nothing() {
    let policy = |statement: Value| json!({"keyPolicy": {"Statement": [statement]}});
    let federated =
        json!({"Effect": "Allow", "Principal": {"Federated": "x"}, "Action": "*", "Resource": "*"});
    let operator = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"StringEqual": {"a": "b"}}});
    let mut constrained = grant();
    constrained["Constraints"]["Hours"] = json!("9-17");
    let answers = answers(
        &[
            request("principal", policy(federated)),
            request("operator", policy(operator)),
            request(
                "element",
                policy(json!({"Effect": "Allow", "Principals": "*"})),
            ),
            request("string", json!({"keyPolicy": "{"})),
            request(
                "identity",
                json!({"identityPolicies": [own("Allow", "kms:Sign"), {"Statement": {"Effect": "Allow", "Action": "*"}}]}),
            ),
            request("boundary", json!({"boundary": key_policy()})),
            request("grant", json!({"grants": [grant(), constrained]})),
            request("context", json!({"context": {"a": {"b": "c"}}})),
            request(
                "case",
                json!({"context": {"aws:SourceVpc": "x", "AWS:sourcevpc": "y"}}),
            ),
            request(
                "caller",
                json!({"principal": "arn:aws:iam::111122223333:group/staff"}),
            ),
            request(
                "key",
                json!({"resource": "arn:aws:kms:eu-central-1:111122223333:alias/x"}),
            ),
            request("action", json!({"action": null})),
            request("member", json!({"scp": {}})),
            request("right", json!({"action": "kms:Encrypt"})),
        ],
        1,
    );
    let told: Vec<String> = answers.iter().map(told).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    principal: keyPolicy.Statement[0].Principal.Federated: cannot stand in a key policy; use `AWS` or `Service`
    operator: keyPolicy.Statement[0].Condition.StringEqual: `StringEqual` is not a condition operator
    element: keyPolicy.Statement[0].Principals: is not an element of a statement
    string: keyPolicy: not JSON: EOF while parsing an object at line 1 column 1
    identity: identityPolicies[1].Statement: has no Resource; every statement that is not a key policy's needs one
    boundary: boundary.Statement[0].Principal: cannot stand in a policy that the caller carries; only key policies name principals
    grant: grants[1].Constraints.Hours: is not a constraint that keywright knows
    context: context.a: must be text or a list of texts
    case: context.AWS:sourcevpc: stands twice; case does not distinguish condition keys
    caller: principal: `arn:aws:iam::111122223333:group/staff` does not name a principal: IAM groups cannot be principals
    key: resource: `arn:aws:kms:eu-central-1:111122223333:alias/x` is not the ARN of a KMS key
    action: action: is missing
    member: scp: is not a member of a request; write id, keyPolicy, identityPolicies, boundary, sessionPolicies, grants, principal, action, resource, context
    right: answered
    ");
}

#[test]
fn lines_that_are_no_requests_at_all_are_told_by_number() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let input = format!("{{\"id\": 1\n\n[]\n{{\"id\": 2, \"a\": 1, \"a\": 2}}\n{deep}\nnull");
    let mut input = input.into_bytes();
    input.extend(b"\n\xff\xfe\n");
    let run = batch(&input).expect(1);
    insta::assert_snapshot!(run.stdout, @r#"
    {"id":null,"error":"line 1: not JSON: EOF while parsing an object at line 1 column 8"}
    {"id":null,"error":"must be an object"}
    {"id":2,"error":"line 4: `a` stands twice in one object at line 1 column 21"}
    {"id":null,"error":"line 5: not JSON: recursion limit exceeded at line 1 column 128"}
    {"id":null,"error":"must be an object"}
    {"id":null,"error":"line 7: not UTF-8"}
    "#);
}

#[test]
fn a_batch_comes_from_a_file_too() {
    let sandbox = Sandbox::new();
    let lines = format!("{}\n{}", request("a", json!({})), request("b", json!({})));
    sandbox.write("requests.jsonl", lines);
    let run = sandbox.run("explain --batch requests.jsonl").expect(0);
    assert_eq!(run.stdout.lines().count(), 2);
    sandbox.run("explain --batch nowhere.jsonl").expect(1);
    assert_eq!(batch(b"").expect(0).stdout, "");
}

#[test]
fn an_answer_comes_before_the_next_request() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    command.args(["explain", "--batch"]).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    for id in ["first", "second"] {
        writeln!(stdin, "{}", request(id, json!({}))).unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
        assert!(line.contains(id), "{line}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_request_in_the_manual_has_the_answer_in_the_manual() {
    let manual =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/explain.md")).unwrap();
    let mut blocks = manual.split("```json\n").skip(1);
    let mut block = || blocks.next().unwrap().split_once("```").unwrap().0;
    let run = batch(block().as_bytes()).expect(0);
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(value(&run.stdout), value(block().lines().next().unwrap()));
}
