//! Malformed policies: `diff`, `explain` and manifests say what is wrong, and where in the JSON.

use std::io::Write as _;
use std::process::Stdio;

use keywright::manifest::{self, Sources};
use serde_json::{Value, json};

use crate::manifests::{fallback, text};
use crate::support::sandbox::{Run, Sandbox};

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// Faults of a statement: what is put into a good one (`null` takes the element out), where it is told, and how.
const STATEMENTS: &[(&str, &str, &str)] = &[
    (
        r#"{"Effect": "allow"}"#,
        ".Effect",
        "`allow` is not an effect; write `Allow` or `Deny`",
    ),
    (r#"{"Effect": true}"#, ".Effect", "must be text"),
    (r#"{"Effect": null}"#, "", "has no Effect"),
    (r#"{"Principal": null}"#, "", "has no Principal"),
    (r#"{"Principal": {}}"#, ".Principal", "names nobody"),
    (
        r#"{"Principal": {"AWS": []}}"#,
        ".Principal",
        "names nobody",
    ),
    (r#"{"Principal": ["*"]}"#, ".Principal", "must be an object"),
    (
        r#"{"Principal": "111122223333"}"#,
        ".Principal",
        "must stand under `AWS` or `Service`",
    ),
    (
        r#"{"Principal": {"AWS": "arn:aws:iam::12:role/app"}}"#,
        ".Principal.AWS",
        "12",
    ),
    (
        r#"{"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}}"#,
        ".Principal.AWS",
        "*",
    ),
    (
        r#"{"Principal": {"AWS": {"role": "app"}}}"#,
        ".Principal.AWS",
        "must be text or a list of texts",
    ),
    (
        r#"{"Principal": {"Service": "logs"}}"#,
        ".Principal.Service",
        "logs",
    ),
    (
        r#"{"Principal": {"Federated": "cognito-identity.amazonaws.com"}}"#,
        ".Principal.Federated",
        "cannot stand in a key policy",
    ),
    (
        r#"{"Principal": {"CanonicalUser": "79a5"}}"#,
        ".Principal.CanonicalUser",
        "cannot stand in a key policy",
    ),
    (
        r#"{"NotPrincipal": {"AWS": "*"}}"#,
        "",
        "has both Principal and NotPrincipal",
    ),
    (
        r#"{"Action": {"kms": "*"}}"#,
        ".Action",
        "must be text or a list of texts",
    ),
    (
        r#"{"NotAction": "kms:Decrypt"}"#,
        "",
        "has both Action and NotAction",
    ),
    (
        r#"{"NotResource": "*"}"#,
        "",
        "has both Resource and NotResource",
    ),
    (
        r#"{"Resource": [["*"]]}"#,
        ".Resource",
        "must be text or a list of texts",
    ),
    (r#"{"Sid": ["a"]}"#, ".Sid", "must be text"),
    (
        r#"{"Actions": "kms:Decrypt"}"#,
        ".Actions",
        "is not an element of a statement",
    ),
    (
        r#"{"Conditions": {}}"#,
        ".Conditions",
        "is not an element of a statement",
    ),
    (r#"{"Condition": []}"#, ".Condition", "must be an object"),
    (
        r#"{"Condition": {"StringEquals": "eu"}}"#,
        ".Condition.StringEquals",
        "must be an object",
    ),
    (
        r#"{"Condition": {"StringEqual": {"kms:ViaService": "s3"}}}"#,
        ".Condition.StringEqual",
        "`StringEqual` is not a condition operator",
    ),
    (
        r#"{"Condition": {"stringEquals": {"kms:ViaService": "s3"}}}"#,
        ".Condition.stringEquals",
        "is not a condition operator",
    ),
    (
        r#"{"Condition": {"ForSomeValues:StringLike": {"aws:TagKeys": "a"}}}"#,
        ".Condition.ForSomeValues:StringLike",
        "is not a condition operator",
    ),
    (
        r#"{"Condition": {"NullIfExists": {"aws:TagKeys": true}}}"#,
        ".Condition.NullIfExists",
        "`Null` cannot have `IfExists`",
    ),
    (
        r#"{"Condition": {"StringEquals": {"kms:ViaService": {"a": 1}}}}"#,
        ".Condition.StringEquals.kms:ViaService",
        "must be text or a list of texts",
    ),
    (
        r#"{"Condition": {"StringEquals": {"kms:ViaService": [null]}}}"#,
        ".Condition.StringEquals.kms:ViaService",
        "must be text or a list of texts",
    ),
    (
        r#"{"Condition": {"Bool": {"aws:x": "a", "AWS:X": "b"}}}"#,
        ".Condition.Bool.",
        "stands twice under one operator",
    ),
    (r#"{"Action": 5}"#, ".Action", "`5` is not an action"),
    (
        r#"{"Action": "Decrypt"}"#,
        ".Action",
        "`Decrypt` is not an action; write it like `kms:Decrypt`",
    ),
    (
        r#"{"Action": ["kms:*", "k*:Decrypt"]}"#,
        ".Action",
        "`k*:Decrypt` is of no service",
    ),
    (
        r#"{"Resource": "foo"}"#,
        ".Resource",
        "`foo` is neither an ARN nor `*`",
    ),
    (
        r#"{"Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "abc"}}}"#,
        ".Condition.NumericLessThan.aws:MultiFactorAuthAge",
        "`abc` is not a number; write it in digits",
    ),
    (
        r#"{"Condition": {"NumericEqualsIfExists": {"kms:RotationPeriodInDays": [90, ""]}}}"#,
        ".Condition.NumericEqualsIfExists.kms:RotationPeriodInDays",
        "`` is not a number",
    ),
    (
        r#"{"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/99"}}}"#,
        ".Condition.IpAddress.aws:SourceIp",
        "`10.0.0.0/99` is not an address",
    ),
    (
        r#"{"Condition": {"DateLessThan": {"aws:CurrentTime": "yesterday"}}}"#,
        ".Condition.DateLessThan.aws:CurrentTime",
        "`yesterday` is not a date",
    ),
    (
        r#"{"Condition": {"Bool": {"aws:SecureTransport": "maybe"}}}"#,
        ".Condition.Bool.aws:SecureTransport",
        "`maybe` is not a truth value",
    ),
    (
        r#"{"Condition": {"Null": {"aws:TokenIssueTime": "maybe"}}}"#,
        ".Condition.Null.aws:TokenIssueTime",
        "`maybe` is not a truth value",
    ),
    (
        r#"{"Condition": {"BinaryEquals": {"aws:x": "***"}}}"#,
        ".Condition.BinaryEquals.aws:x",
        "`***` is not base64",
    ),
    (
        r#"{"Condition": {"ArnLike": {"aws:SourceArn": "bucket"}}}"#,
        ".Condition.ArnLike.aws:SourceArn",
        "`bucket` is not an ARN; write all six parts",
    ),
    (
        r#"{"Condition": {"StringEquals": {"kms:ViaService": []}}}"#,
        ".Condition.StringEquals.kms:ViaService",
        "has no values",
    ),
    (
        r#"{"Condition": {"ForAllValues:StringEquals": {"kms:EncryptionContext:tenant": "eu"}}}"#,
        ".Condition.ForAllValues:StringEquals.kms:EncryptionContext:tenant",
        "KMS refuses `ForAllValues`",
    ),
    (
        r#"{"Condition": {"ForAllValues:StringLike": {"aws:RequestTag/team": "a*"}}}"#,
        ".Condition.ForAllValues:StringLike.aws:RequestTag/team",
        "KMS refuses `ForAllValues`",
    ),
];

/// Faults of a policy as a whole.
const POLICIES: &[(&str, &str, &str)] = &[
    (
        r#"{"Version": "2012-10-18", "Statement": []}"#,
        "Version",
        "`2012-10-18` is not a version",
    ),
    (
        r#"{"Version": 2012, "Statement": []}"#,
        "Version",
        "must be text",
    ),
    (
        r#"{"Statement": []}"#,
        "Statement",
        "a policy needs at least one statement",
    ),
    (r#"{"Statement": {}}"#, "Statement", "has no Principal"),
    (
        r#"{"Statement": ["kms:*"]}"#,
        "Statement[0]",
        "must be an object",
    ),
    (
        r#"{"Statements": []}"#,
        "Statements",
        "is not an element of a policy",
    ),
];

/// A good policy but for its second statement.
fn policy_with(fault: &str) -> Value {
    let good = json!({"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"});
    let mut bad = good.clone();
    let fault: Value = serde_json::from_str(fault).unwrap();
    for (name, value) in fault.as_object().unwrap() {
        if value.is_null() {
            bad.as_object_mut().unwrap().remove(name);
        } else {
            bad[name] = value.clone();
        }
    }
    json!({"Version": "2012-10-17", "Statement": [good, bad]})
}

/// Every malformed policy with its path and problem.
fn table() -> Vec<(Value, String, &'static str)> {
    let statements = STATEMENTS.iter().map(|(fault, path, problem)| {
        (policy_with(fault), format!("Statement[1]{path}"), *problem)
    });
    let policies = POLICIES.iter().map(|(policy, path, problem)| {
        let policy = serde_json::from_str(policy).unwrap();
        (policy, (*path).to_owned(), *problem)
    });
    statements.chain(policies).collect()
}

/// The errors of a batch, one a line.
fn errors(words: &str, lines: &[Value]) -> Vec<String> {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command()
        .args(words.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let text = lines.join("\n");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let run = Run::of(&child.wait_with_output().unwrap()).expect(1);
    let answers = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    answers
        .map(|answer: Value| {
            answer["error"]
                .as_str()
                .unwrap_or_else(|| panic!("{answer}"))
                .to_owned()
        })
        .collect()
}

#[test]
fn a_malformed_policy_is_told_with_its_path_wherever_it_is_read() {
    let table = table();
    assert!(table.len() >= 25);
    let good = policy_with("{}");
    let pairs: Vec<Value> = table
        .iter()
        .map(|(policy, ..)| json!({"id": 1, "a": good, "b": policy, "keyArn": KEY}))
        .collect();
    let requests: Vec<Value> = table
        .iter()
        .map(|(policy, ..)| json!({"id": 1, "keyPolicy": policy, "principal": "111122223333", "action": "kms:Decrypt", "resource": KEY}))
        .collect();
    let told = [
        ("b: ", errors("diff --batch", &pairs)),
        ("keyPolicy", errors("explain --batch", &requests)),
    ];
    for (start, errors) in told {
        assert_eq!(errors.len(), table.len());
        for (line, (error, (policy, path, problem))) in errors.iter().zip(&table).enumerate() {
            let start = format!("line {}: {start}", line + 1);
            let is_whole =
                error.starts_with(&start) && error.contains(path) && error.contains(problem);
            assert!(is_whole, "{policy}: {error}; not {path}: {problem}");
        }
    }
}

#[test]
fn a_malformed_policy_in_a_manifest_is_told_at_its_line() {
    for (policy, path, problem) in table() {
        let yaml = format!("kind: Key\nname: key\npolicy:\n  {policy}\n");
        let (sources, mut diagnostics) =
            Sources::from_texts(vec![("key.yaml".into(), yaml.into_bytes())]);
        let (_, more) = manifest::load(&sources, &fallback());
        diagnostics.extend(more);
        let told = text(&diagnostics);
        assert!(
            told.contains("error[") && told.contains("key.yaml:4:"),
            "{policy}: {told}"
        );
        let is_whole = told.contains(&format!("{path}: ")) || told.contains(problem);
        assert!(is_whole, "{policy}: {told}; not {path}: {problem}");
    }
}

#[test]
fn what_is_not_json_is_told_with_its_line_and_column() {
    let check = |text: &str, told: &str| {
        let sandbox = Sandbox::new();
        sandbox.write("a.json", text);
        sandbox.write("b.json", policy_with("{}").to_string());
        let run = sandbox.run("diff b.json a.json").expect(1);
        assert!(
            run.stderr.contains("a.json") && run.stderr.contains(told),
            "{}",
            run.all()
        );
    };
    check("{", "line 1 column 1");
    check("{\"Statement\": [}", "line 1 column 16");
    check(
        "{\"Version\": \"2012-10-17\", \"Version\": \"2008-10-17\"}",
        "twice",
    );
    check("", "line 1 column 0");
    check("[]", "must be an object");
    check("7", "must be an object");
}

/// Files with one malformed policy, and one whose meaning is doubtful.
fn sandbox_with_policies() -> Sandbox {
    let sandbox = Sandbox::new();
    let condition = |operator: &str, key: &str, value: &str| {
        policy_with(&json!({"Condition": {operator: {key: value}}}).to_string()).to_string()
    };
    sandbox.write(
        "bad.json",
        condition("NumericLessThan", "aws:MultiFactorAuthAge", "abc"),
    );
    sandbox.write("odd.json", condition("StringLike", "aws:TagKeys", "a*"));
    sandbox.write(
        "own.json",
        r#"{"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "yes"}}}}"#,
    );
    sandbox
}

#[test]
fn files_with_malformed_values_are_told_with_path_and_help() {
    let sandbox = sandbox_with_policies();
    let told = |words: &str| sandbox.run(words).expect(1).stderr;
    insta::assert_snapshot!(told("diff odd.json bad.json"), @r"
    warning[doubtful-policy]: Statement[1].Condition.StringLike.aws:TagKeys: `aws:TagKeys` has several values, and AWS does not say what `StringLike` means for it
    --> odd.json
     = help: write `ForAnyValue:StringLike` or `ForAllValues:StringLike`

    1 warning
    error[malformed-policy]: Statement[1].Condition.NumericLessThan.aws:MultiFactorAuthAge: `abc` is not a number
    --> bad.json
     = help: write it in digits, such as `3600`

    1 error
    ");
    insta::assert_snapshot!(told("explain account Decrypt --policy bad.json"), @r"
    error[malformed-policy]: Statement[1].Condition.NumericLessThan.aws:MultiFactorAuthAge: `abc` is not a number
    --> bad.json
     = help: write it in digits, such as `3600`

    1 error
    ");
    insta::assert_snapshot!(told("explain role/app Decrypt --policy odd.json --identity-policy own.json"), @r"
    warning[doubtful-policy]: Statement[1].Condition.StringLike.aws:TagKeys: `aws:TagKeys` has several values, and AWS does not say what `StringLike` means for it
    --> odd.json
     = help: write `ForAnyValue:StringLike` or `ForAllValues:StringLike`

    1 warning
    error[malformed-policy]: Statement[0].Condition.Bool.aws:SecureTransport: `yes` is not a truth value
    --> own.json
     = help: write `true` or `false`

    1 error
    ");
    let report = sandbox.run("diff odd.json bad.json -o json").expect(1);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["verb"], "diff");
    assert_eq!(report["faults"][0]["code"], "malformed-policy");
}

#[test]
fn what_a_policy_hardly_means_is_a_warning_at_its_line() {
    let manifest = |condition: &str, action: &str| {
        format!(
            "kind: Key\nname: key\nstatements:\n  - {{Effect: Allow, Principal: '*', Action: '{action}', Resource: '*', Condition: {condition}}}\n"
        )
    };
    let check = |condition: &str, action: &str| {
        let sandbox = Sandbox::new();
        sandbox.write("manifests/key.yaml", manifest(condition, action));
        sandbox.run("check").expect(0).stderr
    };
    insta::assert_snapshot!(check("{StringEquals: {'aws:TagKeys': a}}", "kms:TagResource"), @r"
    warning[doubtful-policy]: statement.Condition.StringEquals.aws:TagKeys: `aws:TagKeys` has several values, and AWS does not say what `StringEquals` means for it
     --> manifests/key.yaml:4:121
      |
    4 |   - {Effect: Allow, Principal: '*', Action: 'kms:TagResource', Resource: '*', Condition: {StringEquals: {'aws:TagKeys': a}}}
      |                                                                                                                         ^
      |
      = help: write `ForAnyValue:StringEquals` or `ForAllValues:StringEquals`

    1 warning
    ");
    insta::assert_snapshot!(check("{'ForAllValues:StringEquals': {'kms:ViaService': a}}", "kms:Decrypt"), @r"
    warning[doubtful-policy]: statement.Condition.ForAllValues:StringEquals.kms:ViaService: `kms:ViaService` has one value, and `ForAllValues` allows requests without the key too
     --> manifests/key.yaml:4:135
      |
    4 | ...*', Condition: {'ForAllValues:StringEquals': {'kms:ViaService': a}}}
      |                                                                    ^
      |
      = help: write `StringEquals`

    1 warning
    ");
    insta::assert_snapshot!(check("{ArnLike: {'aws:SourceArn': '*'}}", "kms:Decrypt"), @r"
    warning[doubtful-policy]: statement.Condition.ArnLike.aws:SourceArn: `*` has not the six parts of an ARN, so it matches none
     --> manifests/key.yaml:4:114
      |
    4 |   - {Effect: Allow, Principal: '*', Action: 'kms:Decrypt', Resource: '*', Condition: {ArnLike: {'aws:SourceArn': '*'}}}
      |                                                                                                                  ^^^
      |
      = help: write all six parts, such as `arn:aws:iam::111122223333:role/app` or `arn:*:*:*:*:*`

    1 warning
    ");
    insta::assert_snapshot!(check("{}", "s3:GetObject"), @r"
    warning[doubtful-policy]: statement.Action: `s3:GetObject` is of another service and has no effect in a key policy
     --> manifests/key.yaml:4:45
      |
    4 |   - {Effect: Allow, Principal: '*', Action: 's3:GetObject', Resource: '*', Condition: {}}
      |                                             ^^^^^^^^^^^^^^
      |
      = help: remove it; a key policy is about operations of KMS

    1 warning
    ");
    insta::assert_snapshot!(check("{}", "kms:ReEncrypt"), @r"
    warning[doubtful-policy]: statement.Action: `kms:ReEncrypt` is no operation of KMS
     --> manifests/key.yaml:4:45
      |
    4 |   - {Effect: Allow, Principal: '*', Action: 'kms:ReEncrypt', Resource: '*', Condition: {}}
      |                                             ^^^^^^^^^^^^^^^
      |
      = help: write `kms:ReEncryptFrom`, `kms:ReEncryptTo`, or `kms:ReEncrypt*` for both

    1 warning
    ");
}
