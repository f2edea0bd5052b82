//! Guardrails about access: a refusal names rule, principal, operation, statement and the next step, and nothing is written.

use crate::support::sandbox::Sandbox;

const ACCOUNT: &str = "
kind: Account
name: production
id: 111122223333
regions: [us-east-1]
";

fn account(guardrails: &str) -> String {
    format!("{ACCOUNT}guardrails: {guardrails}\n---\n")
}

/// What a first plan of manifests refuses, without the rest of the report.
fn refusals(manifest: &str) -> String {
    let run = Sandbox::with(manifest).run("plan").expect(3);
    let lines = run
        .stdout
        .lines()
        .skip_while(|line| !line.contains("refused"));
    let told: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    told.join("\n")
}

/// Manifests that a plan does not refuse.
#[track_caller]
fn accepts(manifest: &str) {
    Sandbox::with(manifest).run("plan").expect(2);
}

const NOBODY: &str = "
kind: Key
name: a
policy:
  Version: '2012-10-17'
  Statement: {Effect: Allow, Principal: {AWS: 'arn:aws:iam::111122223333:role/app'}, Action: kms:Decrypt, Resource: '*'}
";

#[test]
fn a_key_that_nobody_could_administer_is_refused() {
    insta::assert_snapshot!(refusals(NOBODY), @r"
    refused (lock-out): nobody could call `PutKeyPolicy` any more
      help: name administrators, or leave `iam_policies` on; --allow-lockout does it all the same
    ");
    let sandbox = Sandbox::with(NOBODY);
    sandbox.run("apply --yes").expect(3);
    sandbox.run("plan --allow-lockout").expect(2);
}

const DENIED: &str = r#"
kind: Key
name: a
administrators: [role/admin]
statements:
  - Sid: nobody at all
    Effect: Deny
    Principal: "*"
    Action: kms:PutKeyPolicy
    Resource: "*"
    Condition: {Bool: {aws:MultiFactorAuthPresent: "false"}}
  - Sid: nor anybody else
    Effect: Deny
    Principal: "*"
    Action: kms:Put*
    Resource: "*"
    Condition: {BoolIfExists: {aws:MultiFactorAuthPresent: "true"}}
"#;

#[test]
fn statements_that_deny_everyone_together_are_found() {
    insta::assert_snapshot!(refusals(DENIED), @r"
    refused (lock-out): nobody could call `PutKeyPolicy` any more, and Statement[3] `nor anybody else` takes it away
      help: name administrators, or leave `iam_policies` on; --allow-lockout does it all the same
    ");
    // With one of them, administrators without the key `aws:MultiFactorAuthPresent` get through.
    let one = DENIED.split("  - Sid: nor").next().unwrap();
    accepts(one);
}

#[test]
fn conditions_that_no_change_of_policy_meets_make_no_administrator() {
    let manifest = |condition: &str| {
        format!(
            "
kind: Key
name: a
policy:
  Version: '2012-10-17'
  Statement: {{Effect: Allow, Principal: {{AWS: '111122223333'}}, Action: kms:*, Resource: '*', Condition: {condition}}}
"
        )
    };
    let rule = |condition: &str| refusals(&manifest(condition)).contains("(lock-out)");
    assert!(rule("{StringEquals: {kms:EncryptionContext:tenant: eu}}"));
    assert!(rule(
        "{DateLessThan: {aws:CurrentTime: '2020-01-01T00:00:00Z'}}"
    ));
    assert!(rule("{StringEquals: {kms:PolicyName: other}}"));
    assert!(rule("{Bool: {kms:BypassPolicyLockoutSafetyCheck: true}}"));
    // The root user has no tags, and no service writes a key policy for it.
    assert!(rule("{StringEquals: {aws:PrincipalTag/team: security}}"));
    assert!(rule(
        "{StringEquals: {kms:ViaService: s3.us-east-1.amazonaws.com}}"
    ));
    assert!(rule("{Bool: {aws:ViaAWSService: true}}"));
    accepts(&manifest(
        "{StringNotEquals: {aws:PrincipalTag/team: sales}}",
    ));
    accepts(&manifest("{Bool: {aws:ViaAWSService: false}}"));
    accepts(&manifest("{StringEquals: {kms:PolicyName: default}}"));
    accepts(&manifest(
        "{DateGreaterThan: {aws:CurrentTime: '2020-01-01T00:00:00Z'}}",
    ));
    accepts(&manifest("{StringEquals: {aws:SourceVpce: vpce-1}}"));
}

#[test]
fn several_administrators_can_be_asked_for() {
    let two = |administrators: &str| {
        let key = format!("kind: Key\nname: a\nadministrators: [{administrators}]\n");
        account("{minimum_administrators: 3}") + &key
    };
    insta::assert_snapshot!(refusals(&two("role/a")), @r"
    refused (lock-out): only the root user and role/a could call `PutKeyPolicy`, and 3 principals must be able to
      help: name administrators, or leave `iam_policies` on; --allow-lockout does it all the same
    ");
    accepts(&two("role/a, user/b"));
}

#[test]
fn whoever_makes_a_change_stays_able_to_undo_it() {
    let key = "kind: Key\nname: a\niam_policies: false\nadministrators: [role/admin]\n";
    insta::assert_snapshot!(refusals(key), @r"
    refused (lock-out): the root user, who makes the change, could not call `PutKeyPolicy` afterwards: no statement allows it
      help: make it an administrator, or set `caller_may_leave` among the account's guardrails
    ");
    accepts(&(account("{caller_may_leave: true}") + key));
}

#[test]
fn access_for_anyone_is_refused() {
    let key = |condition: &str| {
        format!(
            "
kind: Key
name: a
statements:
  - Sid: all of them
    Effect: Allow
    Principal: '*'
    Action: kms:Decrypt
    Resource: '*'
    Condition: {condition}
"
        )
    };
    insta::assert_snapshot!(refusals(&key("{}")), @r"
    refused (public): anyone could get in: 444455556666:role/Example can call `kms:Decrypt` by Statement[1] `all of them`
      help: name the principals, or add a condition such as `aws:PrincipalOrgID`; `public: true` among the account's guardrails allows it
    ");
    let public = |condition: &str| refusals(&key(condition)).contains("(public)");
    // Conditions that only look as if they kept somebody out.
    assert!(public("{StringLike: {aws:PrincipalOrgID: '*'}}"));
    assert!(public("{StringNotEquals: {aws:SourceVpce: vpce-1}}"));
    assert!(public("{StringLike: {aws:SourceVpce: vpce-*}}"));
    assert!(public("{StringLike: {aws:SourceAccount: '1*'}}"));
    assert!(public("{StringLike: {aws:SourceArn: 'arn:aws:*'}}"));
    assert!(public("{ArnLike: {aws:SourceArn: 'arn:aws:sns:*:*:*'}}"));
    assert!(public("{StringLike: {aws:PrincipalOrgID: 'o-*'}}"));
    assert!(public(
        "{'ForAnyValue:StringLike': {aws:PrincipalOrgPaths: 'o-*'}}"
    ));
    assert!(public(
        "{'ForAllValues:StringLike': {aws:PrincipalOrgPaths: 'o-a1b2c3d4e5/*'}}"
    ));
    assert!(public(
        "{StringEqualsIfExists: {aws:PrincipalOrgID: o-a1b2c3d4e5}}"
    ));
    accepts(&key("{StringEquals: {aws:SourceVpce: vpce-1}}"));
    accepts(&key(
        "{ArnLike: {aws:SourceArn: 'arn:aws:sns:*:777788889999:*'}}",
    ));
    accepts(&key("{ArnLike: {aws:SourceArn: 'arn:aws:s3:::bucket/*'}}"));
    accepts(&key(
        "{StringEquals: {aws:PrincipalAccount: '111122223333'}}",
    ));
    accepts(&key(
        "{ArnEquals: {aws:PrincipalArn: 'arn:aws:iam::111122223333:role/app'}}",
    ));
    accepts(&(account("{public: true}") + &key("{}")));
}

const PARTNER: &str = "
kind: Key
name: a
users: [444455556666:role/partner]
grants:
  - name: export
    grantee: 777788889999:role/exporter
    operations: [Decrypt]
";

#[test]
fn an_account_that_is_not_listed_is_refused_by_policy_and_by_grant() {
    insta::assert_snapshot!(refusals(PARTNER), @r"
    refused (foreign-access): account 444455556666 is not listed and gains access: 444455556666:role/partner can call `kms:Decrypt` by Statement[1] `Allow use of the key`
      help: list `444455556666` under `allowed_accounts` of the account's guardrails
    refused (foreign-access): account 777788889999 is not listed and gains access: 777788889999:role/exporter can call `kms:Decrypt` by grant keywright/export
      help: list `777788889999` under `allowed_accounts` of the account's guardrails
    ");
    accepts(&(account("{allowed_accounts: [444455556666, '777788889999']}") + PARTNER));
}

#[test]
fn an_organization_that_is_not_listed_is_refused() {
    let key = "kind: Key\nname: a\nusers: [organization/o-a1b2c3d4e5]\n";
    insta::assert_snapshot!(refusals(key), @r"
    refused (foreign-access): organization o-a1b2c3d4e5 is not listed and gains access: 444455556666:role/Example can call `kms:Decrypt` by Statement[1] `keywright: use by organization`
      help: list `o-a1b2c3d4e5` under `allowed_organizations` of the account's guardrails
    ");
    accepts(&(account("{allowed_organizations: [o-a1b2c3d4e5]}") + key));
    let paths = "
kind: Key
name: a
statements:
  - {Effect: Allow, Principal: '*', Action: kms:Decrypt, Resource: '*', Condition: {'ForAnyValue:StringLike': {aws:PrincipalOrgPaths: 'o-a1b2c3d4e5/r-ab12/ou-1/*'}}}
";
    assert!(refusals(paths).contains("organization o-a1b2c3d4e5 is not listed"));
    accepts(&(account("{allowed_organizations: [o-a1b2c3d4e5]}") + paths));
}

#[test]
fn access_beyond_the_ceiling_is_refused() {
    let ceiling = "
  ceiling:
    Version: '2012-10-17'
    Statement:
      - {Effect: Allow, Principal: {AWS: '${account}'}, Action: kms:*, Resource: '*'}
      - {Effect: Allow, Principal: {AWS: 'arn:aws:iam::${account}:role/app'}, Action: [kms:Decrypt, kms:DescribeKey], Resource: '*'}
";
    let key = |operations: &str| {
        format!(
            "{ACCOUNT}guardrails:{ceiling}---\nkind: Key\nname: a\nusers: [{{principals: [role/app], operations: [{operations}]}}]\n"
        )
    };
    insta::assert_snapshot!(refusals(&key("decrypt, encrypt")), @r"
    refused (ceiling): goes beyond the ceiling: role/app can call `kms:Encrypt` by Statement[1] `keywright: encrypt, decrypt`
      help: take it back, or raise the `ceiling` among the account's guardrails
    ");
    accepts(&key("decrypt"));
}

#[test]
fn a_faulty_ceiling_is_told_once() {
    let manifest = "
kind: Account
name: production
id: 111122223333
regions: [us-east-1, eu-central-1]
guardrails:
  ceiling: {Version: '2012-10-17', Statement: [{Effect: Alow, Principal: '*', Action: '*', Resource: '*'}]}
";
    let run = Sandbox::with(manifest).run("check").expect(1);
    insta::assert_snapshot!(run.stderr, @r"
    error[malformed-policy]: Statement[0].Effect: `Alow` is not an effect; write `Allow` or `Deny`
     --> manifests/keys.yaml:7:57
      |
    7 |   ceiling: {Version: '2012-10-17', Statement: [{Effect: Alow, Principal: '*', Action: '*', Resource: '*'}]}
      |                                                         ^^^^

    1 error
    ");
}

#[test]
fn what_was_there_before_is_no_reason_to_refuse() {
    let sandbox =
        Sandbox::with(&(account("{allowed_accounts: ['444455556666', '777788889999']}") + PARTNER));
    sandbox.run("apply --yes").expect(0);
    // No longer listed, but the change only takes away.
    sandbox.write(
        "manifests/keys.yaml",
        account("{}") + &PARTNER.replace("444455556666:role/partner", "role/app"),
    );
    sandbox.run("apply --yes").expect(0);
    sandbox.write("manifests/keys.yaml", account("{}") + PARTNER);
    sandbox.run("apply --yes").expect(3);
}

#[test]
fn a_change_that_nobody_can_tell_is_refused() {
    let key = "
kind: Key
name: a
statements:
  - {Effect: Allow, Principal: {AWS: '111122223333'}, Action: kms:Decrypt, Resource: '*', Condition: {BinaryEquals: {aws:SourceVpce: YQ==}}}
";
    insta::assert_snapshot!(refusals(key), @r"
    refused (undetermined): whom this gives access cannot be told: BinaryEquals is not compared
      help: write the policy so that it can, or allow it with --allow-undetermined
    ");
    Sandbox::with(key)
        .run("plan --allow-undetermined")
        .expect(2);
}
