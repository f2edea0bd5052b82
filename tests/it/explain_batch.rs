//! `keywright explain --batch`: many requests, one a line.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::explain::{KEY, ROLE, SESSION, grant, key_policy, own};
use crate::support::sandbox::{Run, Sandbox};

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
    insta::assert_snapshot!(told.join("\n"), @r"
    principal: line 1: keyPolicy.Statement[0].Principal.Federated: cannot stand in a key policy; use `AWS` or `Service`
    operator: line 2: keyPolicy.Statement[0].Condition.StringEqual: `StringEqual` is not a condition operator
    element: line 3: keyPolicy.Statement[0].Principals: is not an element of a statement
    string: line 4: keyPolicy: not JSON: EOF while parsing an object at column 1
    identity: line 5: identityPolicies[1].Statement: has no Resource; every statement that is not a key policy's needs one
    boundary: line 6: boundary.Statement[0].Principal: cannot stand in a policy that the caller carries; only key policies name principals
    grant: line 7: grants[1].Constraints.Hours: is not a constraint that keywright knows
    context: line 8: context.a: must be text or a list of texts; write numbers and truth values as text
    case: line 9: context.AWS:sourcevpc: stands twice; case does not distinguish condition keys
    caller: line 10: principal: `arn:aws:iam::111122223333:group/staff` does not name a principal: IAM groups cannot be principals
    key: line 11: resource: `arn:aws:kms:eu-central-1:111122223333:alias/x` is not the ARN of a KMS key
    action: line 12: action: is missing
    member: line 13: scp: is not a member of a request; write id, keyPolicy, identityPolicies, boundary, sessionPolicies, grants, principal, action, resource, context
    right: answered
    ");
}

#[test]
fn a_word_that_a_line_cannot_have_is_named() {
    let answers = answers(
        &[
            request("half", json!({"action": "kms:ReEncrypt"})),
            request(
                "number",
                json!({"context": {"aws:MultiFactorAuthAge": 300}}),
            ),
            request("truth", json!({"context": {"aws:SecureTransport": [true]}})),
            request(
                "operation",
                json!({"grants": [{"GranteePrincipal": ROLE, "Operations": ["Decrypt", "Fly"]}]}),
            ),
            request(
                "not grantable",
                json!({"grants": [{"GranteePrincipal": ROLE, "Operations": ["PutKeyPolicy"]}]}),
            ),
        ],
        1,
    );
    let told: Vec<String> = answers.iter().map(told).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    half: line 1: action: `kms:ReEncrypt` is no action: KMS asks for `kms:ReEncryptFrom` on the one key and `kms:ReEncryptTo` on the other
    number: line 2: context.aws:MultiFactorAuthAge: must be text or a list of texts; write numbers and truth values as text
    truth: line 3: context.aws:SecureTransport: must be text or a list of texts; write numbers and truth values as text
    operation: line 4: grants[0].Operations: `Fly` is not an operation that a grant can give
    not grantable: line 5: grants[0].Operations: `PutKeyPolicy` is not an operation that a grant can give
    ");
}

#[test]
fn a_batch_gives_no_operations_that_key_policies_cannot_give_and_has_one_clock() {
    let all =
        json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}});
    let before = |key: &str, value: &str| {
        json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": {"DateLessThan": {key: value}}}})
    };
    let date = before("aws:CurrentTime", "2026-01-01");
    let seconds = before("aws:EpochTime", "1767225600");
    let answers = answers(
        &[
            request(
                "create",
                json!({"keyPolicy": all, "action": "kms:CreateKey"}),
            ),
            request(
                "by IAM",
                json!({"action": "kms:CreateKey", "identityPolicies": [own("Allow", "kms:*")]}),
            ),
            request(
                "retire",
                json!({"keyPolicy": all, "action": "kms:RetireGrant"}),
            ),
            request(
                "date",
                json!({"keyPolicy": date, "context": {"aws:EpochTime": "1767225599"}}),
            ),
            request(
                "late",
                json!({"keyPolicy": date, "context": {"aws:EpochTime": "1767225600"}}),
            ),
            request(
                "seconds",
                json!({"keyPolicy": seconds, "context": {"aws:CurrentTime": "2025-12-31"}}),
            ),
            request("no clock", json!({"keyPolicy": seconds})),
        ],
        0,
    );
    let told: Vec<String> = answers
        .iter()
        .map(|one| format!("{}: {}, {}", one["id"], one["decision"], one["reason"]))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    "create": "ImplicitlyDenied", "no key policy can allow kms:CreateKey, and neither IAM policies nor a grant do"
    "by IAM": "Allowed", null
    "retire": "ImplicitlyDenied", "no key policy can allow kms:RetireGrant, and neither IAM policies nor a grant do"
    "date": "Allowed", null
    "late": "ImplicitlyDenied", "neither the key policy nor a grant allows it"
    "seconds": "Allowed", null
    "no clock": "ImplicitlyDenied", "neither the key policy nor a grant allows it"
    "#);
}

#[test]
fn lines_that_are_no_requests_at_all_are_told_by_number() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let input = format!("{{\"id\": 1\n\n[]\n{{\"id\": 2, \"a\": 1, \"a\": 2}}\n{deep}\nnull");
    let mut input = input.into_bytes();
    input.extend(b"\n\xff\xfe\n");
    let run = batch(&input).expect(1);
    insta::assert_snapshot!(run.stdout, @r#"
    {"id":null,"error":"line 1: not JSON: EOF while parsing an object at column 8"}
    {"id":null,"error":"line 3: must be an object"}
    {"id":2,"error":"line 4: `a` stands twice in one object at column 21"}
    {"id":null,"error":"line 5: not JSON: recursion limit exceeded at column 128"}
    {"id":null,"error":"line 6: must be an object"}
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

#[test]
fn a_session_has_the_path_of_the_role_that_the_policy_names() {
    let role = "arn:aws:iam::111122223333:role/sso/Dev";
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:Decrypt", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/sso/*"}}},
    ]});
    let session =
        json!({"keyPolicy": policy, "principal": "arn:aws:sts::111122223333:assumed-role/Dev/ann"});
    let mut other = session.clone();
    other["context"] = json!({"aws:PrincipalArn": "arn:aws:iam::111122223333:role/Dev"});
    let decisions = answers(&[request("path", session), request("none", other)], 0);
    assert_eq!(decisions[0]["decision"], "Allowed");
    assert_eq!(decisions[1]["decision"], "ExplicitlyDenied");
}

#[test]
fn the_names_of_the_encryption_context_follow_from_its_pairs() {
    let policy = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:Decrypt", "Resource": "*",
            "Condition": {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "tenant"}}}});
    let pair = json!({"keyPolicy": policy, "context": {"kms:EncryptionContext:tenant": "eu"}});
    let mut named = pair.clone();
    named["context"]["kms:EncryptionContextKeys"] = json!(["other"]);
    let decisions = answers(&[request("pair", pair), request("named", named)], 0);
    assert_eq!(decisions[0]["decision"], "Allowed");
    assert_eq!(decisions[1]["decision"], "ImplicitlyDenied");
}
