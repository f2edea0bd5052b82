//! What IAM says: declared in manifests, or read from a live account, it decides what key policies leave to it.

use serde_json::{Value, json};

use crate::support::manifests::TWO_KEYS;
use crate::support::sandbox::Sandbox;

/// An account as the AWS command line prints it.
fn account() -> Value {
    let statement = |effect: &str, action: &str, resource: &str| json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource}]});
    let managed = |name: &str, versions: Value| {
        json!({
            "PolicyName": name,
            "Arn": format!("arn:aws:iam::111122223333:policy/{name}"),
            "DefaultVersionId": "v2",
            "PolicyVersionList": versions,
        })
    };
    let attached = |name: &str| json!([{"PolicyName": name, "PolicyArn": format!("arn:aws:iam::111122223333:policy/{name}")}]);
    json!({
        "UserDetailList": [{
            "Path": "/staff/",
            "UserName": "ann",
            "Arn": "arn:aws:iam::111122223333:user/staff/ann",
            "GroupList": ["readers"],
            "AttachedManagedPolicies": [],
            "Tags": [{"Key": "team", "Value": "cards"}],
        }],
        "GroupDetailList": [{
            "GroupName": "readers",
            "Arn": "arn:aws:iam::111122223333:group/readers",
            "GroupPolicyList": [{
                "PolicyName": "read",
                // As the API itself answers.
                "PolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22kms%3ADecrypt%22%2C%22Resource%22%3A%22*%22%7D%7D",
            }],
            "AttachedManagedPolicies": [],
        }],
        "RoleDetailList": [
            {
                "RoleName": "writer",
                "Arn": "arn:aws:iam::111122223333:role/writer",
                "AssumeRolePolicyDocument": {},
                "RolePolicyList": [{"PolicyName": "objects", "PolicyDocument": statement("Allow", "s3:*", "*")}],
                "AttachedManagedPolicies": attached("write"),
            },
            {
                "RoleName": "bounded",
                "Arn": "arn:aws:iam::111122223333:role/bounded",
                "RolePolicyList": [{"PolicyName": "all", "PolicyDocument": statement("Allow", "*", "*")}],
                "AttachedManagedPolicies": [],
                "PermissionsBoundary": {
                    "PermissionsBoundaryType": "Policy",
                    "PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/write",
                },
            },
        ],
        "Policies": [managed("write", json!([
            {"VersionId": "v1", "IsDefaultVersion": false, "Document": statement("Allow", "kms:*", "*")},
            {"VersionId": "v2", "IsDefaultVersion": true, "Document": statement("Allow", "kms:Encrypt", "*")},
        ]))],
        "IsTruncated": false,
    })
}

/// The two keys of the tests with more documents, beside an account.
fn sandbox(documents: &str, account: &Value) -> Sandbox {
    let sandbox = Sandbox::with(&format!("{TWO_KEYS}{documents}"));
    sandbox.write("account.json", account.to_string());
    sandbox
}

fn expectation(principal: &str, claims: &str) -> String {
    format!("---\nkind: Expectation\nkeys: payments\nprincipals: [{principal}]\n{claims}\n")
}

#[test]
fn everyone_of_a_live_account_is_known() {
    let documents = [
        expectation(
            "user/staff/ann",
            "can: [decrypt]\ncannot: [encrypt, administer]",
        ),
        expectation(
            "role/writer",
            "can: [encrypt]\ncannot: [decrypt, administer]",
        ),
        expectation(
            "role/bounded",
            "can: [encrypt]\ncannot: [decrypt, administer]",
        ),
        expectation("role/not-there", "cannot: [use, administer, delete, grant]"),
    ]
    .concat();
    let sandbox = sandbox(&documents, &account());
    let run = sandbox.run("check --identities account.json").expect(0);
    assert_eq!(
        run.all(),
        "exit 0\n--- stdout\n2 keys in 1 place: no faults; 4 expectations hold\n--- stderr\n"
    );
    let without = sandbox.run("check").expect(2).stderr;
    assert!(
        without.contains("or give the account's with --identities"),
        "{without}"
    );
}

#[test]
fn a_finding_names_the_policy_of_the_live_account() {
    let documents = [
        expectation("user/staff/ann", "cannot: [decrypt]"),
        expectation("role/writer", "cannot: [encrypt]"),
    ]
    .concat();
    let run = sandbox(&documents, &account()).run("check --identities account.json");
    let notes: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.contains("allowed by"))
        .collect();
    insta::assert_snapshot!(notes.join("\n"), @r#"
    = note: allowed by Statement[0] `Enable IAM User Permissions` of the key policy, Statement[0] of IAM policy `read` of user/staff/ann
    = note: allowed by Statement[0] `Enable IAM User Permissions` of the key policy, Statement[0] of IAM policy `arn:aws:iam::111122223333:policy/write` of role/writer
    "#);
}

/// What is told about an account that is not as it should be.
#[track_caller]
fn told(change: impl FnOnce(&mut Value)) -> String {
    let mut account = account();
    change(&mut account);
    let sandbox = sandbox("", &account);
    for verb in ["plan", "apply --yes", "drift"] {
        sandbox
            .run(&format!("{verb} --identities account.json"))
            .expect(1);
    }
    let stderr = sandbox
        .run("check --identities account.json")
        .expect(1)
        .stderr;
    let first = stderr.lines().next().unwrap();
    first
        .strip_prefix(
            "error[malformed-identities]: `account.json` does not tell all of an account: ",
        )
        .unwrap()
        .to_owned()
}

#[test]
fn an_account_that_is_not_whole_is_refused() {
    insta::assert_snapshot!(told(|all| all["IsTruncated"] = true.into()), @"IsTruncated: there are more pages than this one; fetch them all");
    insta::assert_snapshot!(told(|all| all["NextToken"] = "abc".into()), @"NextToken: there are more pages than this one; fetch them all");
    insta::assert_snapshot!(told(|all| all["Policies"] = json!([])), @"RoleDetailList[0].AttachedManagedPolicies[0]: `arn:aws:iam::111122223333:policy/write` is attached, but not among `Policies`");
    insta::assert_snapshot!(
        told(|all| all["RoleDetailList"][0]["AttachedManagedPolicies"] = json!([
            {"PolicyName": "PowerUserAccess", "PolicyArn": "arn:aws:iam::aws:policy/PowerUserAccess"}
        ])),
        @"RoleDetailList[0].AttachedManagedPolicies[0]: `arn:aws:iam::aws:policy/PowerUserAccess` is attached, but not among `Policies`"
    );
    insta::assert_snapshot!(told(|all| all["GroupDetailList"] = json!([])), @"UserDetailList[0].GroupList[0]: there is no group `readers`");
    insta::assert_snapshot!(told(|all| { all.as_object_mut().unwrap().remove("UserDetailList"); }), @"UserDetailList: is missing");
    insta::assert_snapshot!(told(|all| {
        all["UserDetailList"] = json!([]);
        all["RoleDetailList"] = json!([]);
    }), @"RoleDetailList: there is neither a user nor a role, so the account is not told");
}

#[test]
fn a_malformed_account_is_told_with_the_place_in_its_json() {
    insta::assert_snapshot!(told(|all| *all = json!([])), @"must be an object");
    insta::assert_snapshot!(
        told(|all| all["RoleDetailList"][1]["RolePolicyList"][0]["PolicyDocument"]["Statement"][0]["Effect"] = "Permit".into()),
        @"RoleDetailList[1].RolePolicyList[0].PolicyDocument.Statement[0].Effect: `Permit` is not an effect; write `Allow` or `Deny`"
    );
    insta::assert_snapshot!(
        told(|all| all["Policies"][0]["PolicyVersionList"][1]["Document"] = "%7B%22Version%22".into()),
        @"Policies[0].PolicyVersionList[1].Document: not JSON: EOF while parsing an object at line 1 column 10"
    );
    insta::assert_snapshot!(told(|all| all["RoleDetailList"][0]["Arn"] = "writer".into()), @"RoleDetailList[0].Arn: `writer` is not an ARN: it does not start with `arn:`");
    insta::assert_snapshot!(
        told(|all| all["RoleDetailList"][0]["Arn"] = "arn:aws:iam::444455556666:role/writer".into()),
        @"RoleDetailList[0].Arn: is of account 444455556666, unlike those before it"
    );
    insta::assert_snapshot!(told(|all| all["RoleDetailList"] = json!({})), @"RoleDetailList: must be a list");
}

#[test]
fn a_principal_is_known_from_one_side_alone() {
    let documents = "---\nkind: Identity\nprincipal: role/writer\n---\nkind: Identity\nprincipal: role/to-come\n";
    let run = sandbox(documents, &account())
        .run("check --identities account.json")
        .expect(1);
    insta::assert_snapshot!(run.stderr, @r#"
    error[duplicate-name]: `role/writer` is in a file given with --identities, too
      --> manifests/keys.yaml:27:12
       |
    27 | principal: role/writer
       |            ^^^^^^^^^^^
       |
       = help: remove this document: what the live account says is what holds

    1 error
    "#);
}

#[test]
fn a_file_that_is_not_there_or_given_twice_is_told() {
    let sandbox = sandbox("", &account());
    let stderr = sandbox
        .run("plan --identities nowhere.json")
        .expect(1)
        .stderr;
    assert!(
        stderr.contains("error[unreadable-file]: cannot read `nowhere.json`"),
        "{stderr}"
    );
    let stderr = sandbox
        .run("check --identities account.json --identities account.json")
        .expect(1)
        .stderr;
    assert!(
        stderr.contains("`account.json` is of account 111122223333, as a file before it"),
        "{stderr}"
    );
}

/// The sentences about access of a plan.
fn sentences(sandbox: &Sandbox, words: &str) -> String {
    let run = sandbox.run(words);
    assert!(matches!(run.code, Some(2 | 3)), "{}", run.all());
    let is_access = |line: &&str| line.starts_with("    + ") || line.starts_with("    - ");
    let lines: Vec<&str> = run.stdout.lines().filter(is_access).collect();
    lines.join("\n")
}

#[test]
fn a_plan_tells_of_access_as_it_is_with_what_iam_says() {
    const BEFORE: &str = "kind: Key\nname: payments\nadministrators: [role/admin]\n";
    let sandbox = Sandbox::with(BEFORE);
    sandbox.run("apply --yes").expect(0);
    sandbox.write(
        "manifests/keys.yaml",
        format!("{BEFORE}users:\n  - principals: [role/app]\n    operations: [decrypt]\n"),
    );
    insta::assert_snapshot!(sentences(&sandbox, "plan"), @"    + role/app gains Decrypt; so far only through IAM policies  [key-material]");
    sandbox.write(
        "manifests/iam.yaml",
        "kind: Identity\nprincipal: role/app\n",
    );
    insta::assert_snapshot!(sentences(&sandbox, "plan"), @"    + role/app gains Decrypt  [key-material]");
    sandbox.write(
        "manifests/iam.yaml",
        "kind: Identity\nprincipal: role/app\npolicies: [{file: app.json}]\n",
    );
    sandbox.write(
        "manifests/app.json",
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "arn:aws:kms:*:${account}:key/*"}}"#,
    );
    assert_eq!(sentences(&sandbox, "plan"), "");
    let plan = sandbox.run("plan").expect(2).stdout;
    assert!(
        plan.contains("with what IAM policies say today, nobody gains or loses access"),
        "{plan}"
    );
}

#[test]
fn a_whole_account_tells_who_loses_what_with_the_accounts_statement() {
    const BEFORE: &str = "kind: Key\nname: payments\nadministrators: [role/admin]\n";
    let sandbox = Sandbox::with(BEFORE);
    sandbox.run("apply --yes").expect(0);
    sandbox.write(
        "manifests/keys.yaml",
        format!("{BEFORE}iam_policies: false\n"),
    );
    sandbox.write("account.json", account().to_string());
    insta::assert_snapshot!(sentences(&sandbox, "plan --identities account.json"), @r#"
    - user/staff/ann loses everything: Decrypt
    - role/bounded and role/writer lose everything: Encrypt
    - the root user loses everything
    - federated users of this account can no longer be given any operation by IAM policies
    "#);
    insta::assert_snapshot!(sentences(&sandbox, "drift --identities account.json"), @r#"
    - user/staff/ann loses everything: Decrypt
    - role/bounded and role/writer lose everything: Encrypt
    - the root user loses everything
    - federated users of this account can no longer be given any operation by IAM policies
    "#);
}

#[test]
fn what_a_live_account_hardly_means_is_told_once_and_used_all_the_same() {
    let mut all = account();
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "no"}}},
        {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "yes"}}},
    ]});
    all["Policies"][0]["PolicyVersionList"][1]["Document"] = document;
    let sandbox = sandbox("", &all);
    let run = sandbox.run("check --identities account.json").expect(0);
    insta::assert_snapshot!(run.stderr, @r"
    warning[doubtful-policy]: policy `arn:aws:iam::111122223333:policy/write`: Statement[1].Condition.Bool.aws:SecureTransport: `yes` is not a truth value
    --> account.json
     = help: write `true` or `false`

    1 warning
    ");
}

#[test]
fn the_root_user_of_another_whole_account_has_what_the_key_policy_leaves_to_it() {
    let shared = "---\nkind: Key\nname: shared\nusers: [account/444455556666]\n";
    let claims = |name: &str, claims: &str| {
        expectation(name, claims).replace("keys: payments", "keys: shared")
    };
    let documents = [
        claims(
            "\"444455556666:role/writer\"",
            "can: [encrypt]\ncannot: [GenerateDataKey]",
        ),
        claims("account/444455556666", "cannot: [delete]"),
        claims("account/444455556666", "cannot: [GenerateDataKey]"),
    ]
    .concat();
    let text = account().to_string();
    let text = text.replace("111122223333", "444455556666");
    let sandbox = sandbox(
        &format!("{shared}{documents}"),
        &serde_json::from_str(&text).unwrap(),
    );
    let run = sandbox.run("check --identities account.json").expect(2);
    let told: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("finding") || line.contains("note:"))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    finding[expectation-failed]: someone in `account/444455556666` can `GenerateDataKey` with key `shared`
       = note: the request: the root user of 444455556666 calls kms:GenerateDataKey
       = note: allowed by Statement[1] `Allow use of the key` of the key policy
    ");
}
