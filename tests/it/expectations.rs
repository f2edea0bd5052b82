//! Expectations: what holds is proven for all requests, and what does not comes with a request that shows it.

use serde_json::Value;

use crate::support::manifests::TWO_KEYS;
use crate::support::sandbox::{Run, Sandbox};

/// Checks the two keys of the tests with more documents below them.
fn check(documents: &str) -> Run {
    Sandbox::with(&format!("{TWO_KEYS}---\n{documents}")).run("check")
}

#[track_caller]
fn holds(documents: &str) {
    let run = check(documents).expect(0);
    assert_eq!(run.stderr, "");
}

/// The codes of what does not hold.
#[track_caller]
fn findings(documents: &str) -> Vec<String> {
    let run = check(documents).expect(2);
    let codes = run
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("finding["));
    codes
        .map(|rest| rest.split(']').next().unwrap().to_owned())
        .collect()
}

fn expectation(principal: &str, rest: &str) -> String {
    format!("kind: Expectation\nkeys: [payments]\nprincipals: [{principal}]\n{rest}\n")
}

#[test]
fn what_the_key_policy_gives_holds() {
    holds(&expectation("role/payments-api", "can: [use]"));
    holds(&expectation(
        "role/payments-api",
        "can: [delegate]\nwhen: {kms:GrantIsForAWSResource: true}",
    ));
    holds(&expectation("role/key-admin", "can: [administer, delete]"));
    holds(&expectation(
        "role/reporting",
        "can: [decrypt]\nwhen: {via: s3, context: {tenant: eu}}",
    ));
    holds(&expectation(
        "service/s3.amazonaws.com",
        "cannot: [use, administer, delete, grant]",
    ));
    holds(&expectation(
        "account/444455556666",
        "cannot: [use, administer, delete, grant]",
    ));
}

#[test]
fn a_session_of_a_role_below_a_path_is_found() {
    let manifest = TWO_KEYS.replace("role/payments-api", "role/team/payments-api");
    let of_team = "statements: [{Effect: Deny, Principal: \"*\", Action: 'kms:*', Resource: \"*\", Condition: {ArnNotLike: {'aws:PrincipalArn': 'arn:aws:iam::${account}:role/team/*'}}}]\n";
    let manifest = manifest.replacen("name: payments\n", &format!("name: payments\n{of_team}"), 1);
    let claims = |claims: &str| {
        let session = expectation("session/payments-api/ann", claims);
        let role = expectation("role/team/payments-api", "can: [decrypt]");
        Sandbox::with(&format!("{manifest}---\n{session}---\n{role}")).run("check")
    };
    claims("can: [decrypt]").expect(0);
    let stderr = claims("cannot: [decrypt]").expect(2).stderr;
    assert!(stderr.contains("finding[expectation-failed]"), "{stderr}");
}

#[test]
fn a_grant_gives_until_it_expires() {
    let of_export = expectation(
        "role/nightly-export",
        "can: [Decrypt]\nwhen: {context: {purpose: export}}",
    );
    holds(&of_export);
    let manifest = TWO_KEYS.replace(
        "    context: {purpose: export}\n",
        "    context: {purpose: export}\n    expires: 2026-05-31T00:00:00Z\n",
    );
    let run = Sandbox::with(&format!("{manifest}---\n{of_export}")).run("check");
    let stderr = run.expect(2).stderr;
    assert!(
        stderr.contains("finding[expectation-not-proven]"),
        "{stderr}"
    );
}

#[test]
fn what_fails_is_shown_by_a_request_and_what_decides_it() {
    let run = check(
        "kind: Expectation\nkeys: \"pay*\"\nprincipals: [role/payments-api, role/reporting]\ncannot: [decrypt]\nwhy: cards are for nobody\n",
    );
    insta::assert_snapshot!(run.all(), @r#"
    exit 2
    --- stdout
    2 keys in 1 place: no faults; the expectation does not hold
    --- stderr
    finding[expectation-failed]: `role/payments-api` can `decrypt` with key `payments`
      --> manifests/keys.yaml:29:10
       |
    29 | cannot: [decrypt]
       |          ^^^^^^^
       |
      ::: manifests/keys.yaml:2:7
       |
     2 | name: payments
       |       -------- key `payments` in 111122223333/us-east-1
       |
       = note: the request: role/payments-api calls kms:Decrypt
       = note: allowed by Statement[2] `Allow use of the key` of the key policy
       = note: expected because: cards are for nobody
       = help: take the access away, or narrow the expectation with `when`

    finding[expectation-failed]: `role/reporting` can `decrypt` with key `payments`
      --> manifests/keys.yaml:29:10
       |
    29 | cannot: [decrypt]
       |          ^^^^^^^
       |
      ::: manifests/keys.yaml:2:7
       |
     2 | name: payments
       |       -------- key `payments` in 111122223333/us-east-1
       |
       = note: the request: role/reporting calls kms:Decrypt, when kms:EncryptionContext:tenant is eu and kms:ViaService is s3.us-east-1.amazonaws.com
       = note: allowed by Statement[4] `keywright: decrypt via s3 when tenant=eu` of the key policy
       = note: expected because: cards are for nobody
       = help: take the access away, or narrow the expectation with `when`

    2 findings
    "#);
}

#[test]
fn a_claim_that_holds_for_some_requests_alone_fails() {
    let manifest = "\
kind: Key
name: vault
administrators: [role/admin]
users: [role/app]
statements:
  - Sid: No plain HTTP
    Effect: Deny
    Principal: \"*\"
    Action: \"kms:*\"
    Resource: \"*\"
    Condition: {Bool: {aws:SecureTransport: false}}
---
kind: Expectation
keys: vault
principals: [role/app]
can: [decrypt]
---
kind: Expectation
keys: vault
principals: [role/app]
can: [decrypt]
when: {aws:SecureTransport: true}
";
    let run = Sandbox::with(manifest).run("check");
    insta::assert_snapshot!(run.all(), @r#"
    exit 2
    --- stdout
    1 key in 1 place: no faults; 1 of 2 expectations holds
    --- stderr
    finding[expectation-failed]: `role/app` cannot always `decrypt` with key `vault`
      --> manifests/keys.yaml:16:7
       |
    16 | can: [decrypt]
       |       ^^^^^^^
       |
      ::: manifests/keys.yaml:2:7
       |
     2 | name: vault
       |       ----- key `vault` in 111122223333/us-east-1
       |
       = note: the request: role/app calls kms:Decrypt, when aws:SecureTransport is false
       = note: denied by Statement[4] `No plain HTTP` of the key policy
       = help: allow it in the key's manifest, or narrow the expectation with `when`

    1 finding
    "#);
}

#[test]
fn what_iam_decides_is_not_proven() {
    let run = check(&expectation("role/stranger", "cannot: [decrypt]"));
    insta::assert_snapshot!(run.all(), @r#"
    exit 2
    --- stdout
    2 keys in 1 place: no faults; the expectation does not hold
    --- stderr
    finding[expectation-not-proven]: not proven: IAM policies that are not declared decide whether `role/stranger` can `decrypt` with key `payments`
      --> manifests/keys.yaml:29:10
       |
    29 | cannot: [decrypt]
       |          ^^^^^^^
       |
      ::: manifests/keys.yaml:2:7
       |
     2 | name: payments
       |       -------- key `payments` in 111122223333/us-east-1
       |
       = note: the request: role/stranger calls kms:Decrypt
       = note: left to IAM by Statement[0] `Enable IAM User Permissions` of the key policy; no IAM policy of this principal is known
       = help: declare an `Identity` with the principal's policies, or give the account's with --identities

    1 finding
    "#);
    assert_eq!(
        findings(&expectation(
            "role/stranger",
            "can: [decrypt]\ncannot: [encrypt]"
        )),
        ["expectation-not-proven", "expectation-not-proven"]
    );
}

/// An identity of `role/app` with one policy.
fn identity(statement: &str) -> String {
    format!(
        "kind: Identity\nprincipal: role/app\npolicies:\n  - Version: 2012-10-17\n    Statement: {statement}\n---\n"
    )
}

#[test]
fn a_declared_identity_decides_what_was_left_to_iam() {
    let none = "kind: Identity\nprincipal: role/app\n---\n";
    holds(&format!(
        "{none}{}",
        expectation("role/app", "cannot: [use, administer, delete, grant]")
    ));
    let reads = identity(
        r#"{Effect: Allow, Action: "kms:Decrypt", Resource: "arn:aws:kms:*:${account}:key/*"}"#,
    );
    holds(&format!(
        "{reads}{}",
        expectation("role/app", "can: [decrypt]\ncannot: [encrypt]")
    ));
    let run = check(&format!(
        "{reads}{}",
        expectation("role/app", "cannot: [decrypt]")
    ))
    .expect(2);
    assert!(
        run.stderr
            .contains("Statement[0] of IAM policy `policies[0]` of role/app"),
        "{}",
        run.all()
    );
}

#[test]
fn a_boundary_limits_what_policies_give() {
    let all = identity(r#"{Effect: Allow, Action: "kms:*", Resource: "*"}"#).replace(
        "policies:",
        "boundary:\n  Version: 2012-10-17\n  Statement: {Effect: Allow, Action: \"kms:Encrypt\", Resource: \"*\"}\npolicies:",
    );
    holds(&format!(
        "{all}{}",
        expectation("role/app", "can: [encrypt]\ncannot: [decrypt]")
    ));
}

#[test]
fn requests_carry_the_tags_of_their_identity() {
    let tagged = |tag: &str| {
        let identity = identity(
            r#"{Effect: Allow, Action: "kms:*", Resource: "*", Condition: {StringEquals: {"aws:PrincipalTag/team": cards}}}"#,
        );
        identity.replace("policies:", &format!("tags: {{team: {tag}}}\npolicies:"))
    };
    let can = expectation("role/app", "can: [decrypt]");
    holds(&format!("{}{can}", tagged("cards")));
    assert_eq!(
        findings(&format!("{}{can}", tagged("other"))),
        ["expectation-failed"]
    );
    let cannot = expectation("role/app", "cannot: [decrypt]");
    assert_eq!(
        findings(&format!("{}{cannot}", tagged("other"))),
        ["expectation-failed"],
        "a session may bring another tag"
    );
}

#[test]
fn a_policy_that_names_a_key_by_id_proves_nothing_of_a_key_without_one() {
    const ID: &str = "0d990263-018e-4e65-a703-eff731de951e";
    let by_id = identity(&format!(
        r#"{{Effect: Allow, Action: "kms:Decrypt", Resource: "arn:aws:kms:us-east-1:111122223333:key/{ID}"}}"#
    ));
    for claim in ["can: [decrypt]", "cannot: [decrypt]"] {
        let claim = expectation("role/app", claim);
        assert_eq!(
            findings(&format!("{by_id}{claim}")),
            ["expectation-not-proven"]
        );
    }
    let sandbox = Sandbox::with(&format!(
        "{}---\n{by_id}{}",
        TWO_KEYS.replace("name: payments", &format!("name: payments\nid: {ID}")),
        expectation("role/app", "can: [decrypt]\ncannot: [encrypt]"),
    ));
    sandbox.run("check").expect(0);
}

#[test]
fn what_no_one_can_tell_does_not_hold() {
    let by_variable = identity(
        r#"{Effect: Allow, Action: "kms:Decrypt", Resource: "arn:aws:kms:*:*:key/${aws:PrincipalTag/key}"}"#,
    );
    let run = check(&format!(
        "{by_variable}{}",
        expectation("role/app", "cannot: [decrypt]")
    ));
    insta::assert_snapshot!(run.all(), @r#"
    exit 2
    --- stdout
    2 keys in 1 place: no faults; the expectation does not hold
    --- stderr
    finding[expectation-undetermined]: not proven: no sure answer whether `role/app` can `decrypt` with key `payments`
      --> manifests/keys.yaml:35:10
       |
    35 | cannot: [decrypt]
       |          ^^^^^^^
       |
      ::: manifests/keys.yaml:2:7
       |
     2 | name: payments
       |       -------- key `payments` in 111122223333/us-east-1
       |
       = note: a variable in `Resource` is not compared
       = help: write the policy in simpler terms, or name fewer requests with `when`

    1 finding
    "#);
}

#[test]
fn an_expectation_about_no_request_does_not_hold() {
    let impossible =
        "cannot: [decrypt]\nwhen: {aws:PrincipalArn: \"arn:aws:iam::111122223333:role/other\"}";
    assert_eq!(
        findings(&expectation("role/app", impossible)),
        ["expectation-empty"]
    );
    assert_eq!(
        findings(&expectation(
            "role/app",
            "cannot: [decrypt]\nwhen: {aws:SourceIp: nowhere}"
        )),
        ["expectation-empty"]
    );
}

#[test]
fn operations_that_stay_in_their_account_are_no_use_of_another() {
    let foreign = "kind: Key\nname: shared\nusers: [\"444455556666:role/app\"]\n---\nkind: Identity\nprincipal: 444455556666:role/app\npolicies:\n  - Statement: {Effect: Allow, Action: \"kms:*\", Resource: \"*\"}\n---\n";
    let of_shared = |claim: &str| {
        let claim = expectation("444455556666:role/app", claim);
        format!("{foreign}{}", claim.replace("[payments]", "shared"))
    };
    holds(&of_shared("can: [decrypt]\ncannot: [delete]"));
    let run = check(&of_shared("can: [read]")).expect(2);
    assert!(
        run.stderr.contains("does not work from another account"),
        "{}",
        run.all()
    );
}

#[test]
fn a_null_stands_for_requests_without_the_key() {
    holds(&format!(
        "kind: Identity\nprincipal: role/reporting\n---\n{}",
        expectation(
            "role/reporting",
            "cannot: [decrypt]\nwhen: {kms:ViaService: null}"
        )
    ));
}

#[test]
fn teams_and_organizations_are_everyone_in_them() {
    let teams = "kind: Team\nname: all\nmembers: [role/payments-api, role/key-admin]\n---\n";
    assert_eq!(
        findings(&format!(
            "{teams}{}",
            expectation("team/all", "cannot: [encrypt]")
        )),
        ["expectation-failed"]
    );
    let organization = "kind: Key\nname: shared\nusers:\n  - principals: [organization/o-abc1234567]\n    operations: [decrypt]\n---\n";
    let of_shared = |claim: &str| {
        let claim = expectation("organization/o-abc1234567", claim);
        format!("{organization}{}", claim.replace("[payments]", "shared"))
    };
    assert_eq!(
        findings(&of_shared("cannot: [decrypt]")),
        ["expectation-failed"]
    );
}

#[test]
fn findings_are_there_for_programs() {
    let claim = "cannot: [decrypt]\nwhy: cards are for nobody";
    let documents = expectation("role/reporting", claim);
    let sandbox = Sandbox::with(&format!("{TWO_KEYS}---\n{documents}"));
    let run = sandbox.run("check --output json").expect(2);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let expectations = &report["expectations"];
    assert_eq!(expectations["count"], 1);
    assert_eq!(expectations["held"], 0);
    insta::assert_json_snapshot!(expectations["findings"][0], @r#"
    {
      "code": "expectation-failed",
      "severity": "finding",
      "message": "`role/reporting` can `decrypt` with key `payments`",
      "locations": [
        {
          "file": "manifests/keys.yaml",
          "line": 29,
          "column": 10,
          "length": 7
        },
        {
          "file": "manifests/keys.yaml",
          "line": 2,
          "column": 7,
          "length": 8,
          "label": "key `payments` in 111122223333/us-east-1"
        }
      ],
      "notes": [
        "the request: role/reporting calls kms:Decrypt, when kms:EncryptionContext:tenant is eu and kms:ViaService is s3.us-east-1.amazonaws.com",
        "allowed by Statement[4] `keywright: decrypt via s3 when tenant=eu` of the key policy",
        "expected because: cards are for nobody"
      ],
      "help": "take the access away, or narrow the expectation with `when`",
      "account": "111122223333",
      "region": "us-east-1",
      "key": "payments",
      "principal": "role/reporting",
      "claim": "cannot",
      "operation": "decrypt",
      "request": {
        "principal": "arn:aws:iam::111122223333:role/reporting",
        "action": "kms:Decrypt",
        "context": {
          "kms:EncryptionContext:tenant": "eu",
          "kms:ViaService": "s3.us-east-1.amazonaws.com"
        },
        "level": "direct",
        "decidedBy": [
          "Statement[4] `keywright: decrypt via s3 when tenant=eu` of the key policy"
        ],
        "reason": null
      },
      "why": "cards are for nobody"
    }
    "#);
}

#[test]
fn a_flood_of_findings_is_cut_for_people_and_not_for_programs() {
    let key = |n| format!("kind: Key\nname: k{n}\nusers: [role/app]\n---\n");
    let keys: Vec<String> = (0..130).map(key).collect();
    let sandbox = Sandbox::with(&format!(
        "{}kind: Expectation\nkeys: \"*\"\nprincipals: [role/app]\ncannot: [decrypt]\n",
        keys.concat()
    ));
    let run = sandbox.run("check").expect(2);
    assert!(
        run.stderr.contains("30 more findings are not shown"),
        "{}",
        run.stderr
    );
    let report: Value = serde_json::from_str(&sandbox.run("check -o json").stdout).unwrap();
    assert_eq!(
        report["expectations"]["findings"].as_array().unwrap().len(),
        130
    );
}

#[test]
fn a_whole_account_is_everyone_or_someone_in_it() {
    let check = |principal: &str, claim: &str| {
        let run = check(&expectation(principal, claim)).expect(2);
        let is_told = |line: &&str| line.starts_with("finding") || line.contains("the request");
        run.stderr
            .lines()
            .filter(is_told)
            .collect::<Vec<_>>()
            .join("\n")
    };
    insta::assert_snapshot!(check("account", "can: [Decrypt]"), @r"
    finding[expectation-not-proven]: not proven: IAM policies that are not declared decide whether everyone in `account` can `Decrypt` with key `payments`
       = note: the request: role/key-admin calls kms:Decrypt
    ");
    insta::assert_snapshot!(check("account", "cannot: [Decrypt]"), @r"
    finding[expectation-failed]: someone in `account` can `Decrypt` with key `payments`
       = note: the request: the root user calls kms:Decrypt
    ");
    insta::assert_snapshot!(check("account/444455556666", "can: [Decrypt]"), @r"
    finding[expectation-failed]: not everyone in `account/444455556666` can always `Decrypt` with key `payments`
       = note: the request: 444455556666:role/Example calls kms:Decrypt
    ");
}

#[test]
fn what_hangs_on_a_reading_of_not_principal_says_so() {
    let key = "kind: Key\nname: odd\nadministrators: [role/app]\nstatements:\n  - {Effect: Deny, NotPrincipal: {AWS: 'arn:aws:iam::111122223333:role/app'}, Action: 'kms:PutKeyPolicy', Resource: '*'}\n---\n";
    let claim = "kind: Expectation\nkeys: odd\nprincipals: [role/app]\ncan: [PutKeyPolicy]\n";
    let run = check(&format!("{key}{claim}")).expect(2);
    let notes = run.stderr.lines().filter(|line| line.contains("note:"));
    insta::assert_snapshot!(notes.collect::<Vec<_>>().join("\n"), @r"
    = note: the request: role/app calls kms:PutKeyPolicy
    = note: denied by Statement[2] of the key policy
    = note: AWS's pages disagree on whom `NotPrincipal` spares; read the other way, it is allowed
    ");
}
