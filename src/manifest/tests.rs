//! What well-formed manifests mean.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fallback, Sources, load};
use crate::diagnostic::Diagnostic;
use crate::model::{KeySpec, KeyType, KeyUsage, Origin, Place, Principal};
use crate::policy::{self, Principals};
use crate::state::{Desired, DesiredKey, DesiredPlace, Rotation, TargetKind, UnmanagedGrants};

fn fallback() -> Fallback {
    Fallback {
        place: Place {
            account: "111122223333".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
        },
    }
}

fn loaded(text: &str) -> (Desired, Vec<Diagnostic>) {
    let (sources, mut diagnostics) = Sources::from_texts([("a.yaml".into(), text.into())]);
    let (desired, more) = load(&sources, &fallback());
    diagnostics.extend(more);
    (desired, diagnostics)
}

#[track_caller]
fn meant(text: &str) -> Desired {
    let (desired, diagnostics) = loaded(text);
    assert_eq!(diagnostics, []);
    desired
}

#[track_caller]
fn only_place(desired: Desired) -> DesiredPlace {
    let [place] = <[DesiredPlace; 1]>::try_from(desired.places).unwrap();
    place
}

#[track_caller]
fn key(text: &str) -> DesiredKey {
    let place = only_place(meant(text));
    place.keys.into_values().next().unwrap()
}

fn texts<T: ToString>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

fn tags(key: &DesiredKey) -> BTreeMap<&str, &str> {
    let pairs = key.tags.iter();
    pairs
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

#[test]
fn a_key_with_its_name_alone_has_the_defaults_of_kms() {
    let key = key("kind: Key\nname: payments\n");
    assert_eq!(key.name.as_str(), "payments");
    assert_eq!(texts(key.aliases.iter()), ["alias/payments"]);
    assert_eq!(key.key_type, KeyType::SYMMETRIC);
    assert_eq!(key.origin, Origin::AwsKms);
    assert_eq!(key.description, "");
    assert!(key.enabled);
    assert!(matches!(key.rotation, Some(Rotation::Every(period)) if period.days() == 365));
    assert_eq!(key.rotations_on_demand, None);
    assert_eq!(
        tags(&key),
        BTreeMap::from([
            ("keywright:key", "payments"),
            ("keywright:scope", "default")
        ])
    );
    assert_eq!(key.unmanaged_grants, UnmanagedGrants::Keep);
    assert_eq!(key.deletion, None);
    assert_eq!(key.location.to_string(), "a.yaml:2:7");
}

#[test]
fn every_plain_field_of_a_key_is_obeyed() {
    let key = key("
kind: Key
name: payments
aliases: [cards, alias/team/cards]
formerly: [old-payments]
id: 1234abcd-12ab-34cd-56ef-1234567890ab
accounts: [111122223333]
regions: [eu-central-1]
description: \"Card data: at rest\"
enabled: false
rotation: 180d
rotations_on_demand: 3
tags: {team: payments, cost-centre: 0042, shared: true}
unmanaged_grants: revoke
deletion: {schedule: 7d, reason: no longer used}
state: pending_deletion
");
    assert_eq!(
        texts(key.aliases.iter()),
        ["alias/cards", "alias/payments", "alias/team/cards"]
    );
    assert_eq!(texts(&key.formerly), ["old-payments"]);
    assert_eq!(
        key.id.as_ref().unwrap().as_str(),
        "1234abcd-12ab-34cd-56ef-1234567890ab"
    );
    assert_eq!(key.description, "Card data: at rest");
    assert!(!key.enabled);
    assert!(matches!(key.rotation, Some(Rotation::Every(period)) if period.days() == 180));
    assert_eq!(key.rotations_on_demand, Some(3));
    let tags = tags(&key);
    assert_eq!(tags["cost-centre"], "0042");
    assert_eq!(tags["shared"], "true");
    assert_eq!(key.unmanaged_grants, UnmanagedGrants::Revoke);
    let deletion = key.deletion.unwrap();
    assert_eq!(
        (deletion.window_days, deletion.reason.as_str()),
        (7, "no longer used")
    );
}

#[test]
fn a_key_may_be_asymmetric_or_imported() {
    let signer = key("kind: Key\nname: a\nspec: RSA_4096\nusage: SIGN_VERIFY\nrotation: false\n");
    assert_eq!(signer.key_type.spec, KeySpec::Rsa4096);
    assert_eq!(signer.key_type.usage, KeyUsage::SignVerify);
    assert_eq!(signer.rotation, None);
    let mac = key("kind: Key\nname: a\nspec: HMAC_256\n");
    assert_eq!(mac.key_type.usage, KeyUsage::GenerateVerifyMac);
    let imported = key("kind: Key\nname: a\norigin: EXTERNAL\nrotations_on_demand: 1\n");
    assert_eq!(imported.origin, Origin::External);
    assert_eq!(imported.rotation, None);
}

#[test]
fn rotation_is_on_off_or_a_period() {
    let days = |rotation: &str| {
        let key = key(&format!("kind: Key\nname: a\nrotation: {rotation}\n"));
        match key.rotation {
            Some(Rotation::Every(period)) => period.days(),
            Some(Rotation::Off) => 0,
            None => -1,
        }
    };
    assert_eq!(days("true"), 365);
    assert_eq!(days("false"), 0);
    assert_eq!(days("90"), 90);
    assert_eq!(days("2560d"), 2560);
}

#[test]
fn every_field_of_a_grant_is_obeyed() {
    let key = key("
kind: Key
name: payments
grants:
  - name: export
    grantee: session/export/nightly
    operations: [Decrypt, DescribeKey]
    context: {purpose: export}
    source_arn: arn:aws:sqs:${region}:${account}:queue
    retiring: user/auditor
    expires: 2026-12-31T01:00:00+01:00
");
    let grant = key.grants.values().next().unwrap();
    assert_eq!(grant.name.as_str(), "export");
    assert_eq!(
        grant.terms.grantee.to_string(),
        "arn:aws:sts::111122223333:assumed-role/export/nightly"
    );
    assert_eq!(
        grant.terms.retiring.as_ref().unwrap().to_string(),
        "arn:aws:iam::111122223333:user/auditor"
    );
    assert_eq!(texts(&grant.terms.operations), ["Decrypt", "DescribeKey"]);
    assert_eq!(
        grant.terms.constraints.context_subset,
        BTreeMap::from([("purpose".to_owned(), "export".to_owned())])
    );
    assert_eq!(
        grant
            .terms
            .constraints
            .source_arn
            .as_ref()
            .unwrap()
            .as_str(),
        "arn:aws:sqs:eu-central-1:111122223333:queue"
    );
    assert_eq!(grant.expires.unwrap().to_string(), "2026-12-31T00:00:00Z");
    assert_eq!(grant.location.to_string(), "a.yaml:5:11");
}

#[test]
fn an_exact_context_is_another_constraint() {
    let key = key("
kind: Key
name: a
grants: [{name: g, grantee: role/r, operations: [Decrypt], context_equals: {a: 1}}]
");
    let constraints = &key.grants.values().next().unwrap().terms.constraints;
    assert!(constraints.context_subset.is_empty());
    assert_eq!(constraints.context_equals["a"], "1");
}

#[test]
fn a_grant_document_joins_its_key_or_stands_alone() {
    let place = only_place(meant(
        "
kind: Grant
name: theirs
key: payments
grantee: role/app
operations: [Decrypt]
---
kind: Key
name: payments
grants: [{name: ours, grantee: role/app, operations: [Encrypt]}]
---
kind: Grant
name: foreign
key: alias/shared
grantee: 222233334444:role/app
operations: [Sign]
",
    ));
    let payments = &place.keys[&"payments".parse().unwrap()];
    assert_eq!(
        texts(payments.grants.values().map(|grant| &grant.name)),
        ["ours", "theirs"]
    );
    let shared = &place.grants[&"shared".parse().unwrap()];
    assert_eq!(
        texts(shared.grants.values().map(|grant| &grant.name)),
        ["foreign"]
    );
    assert_eq!(shared.location.to_string(), "a.yaml:14:6");
}

const ACCOUNT: &str = "
kind: Account
name: production
id: 012345678901
regions: [eu-central-1, eu-west-1]
target: local
endpoint: https://kms.example.org
assume_role: role/path/keywright
external_id: 0815
profile: prod
scope: platform
requests_share: 25%
guardrails: {mass_change: 10}
defaults:
  rotation: 730d
  description: default
  enabled: false
  tags: {team: platform, stage: production}
";

#[test]
fn every_field_of_an_account_is_obeyed() {
    let desired = meant(ACCOUNT);
    assert_eq!(
        texts(desired.places.iter().map(|place| &place.place)),
        ["012345678901/eu-central-1", "012345678901/eu-west-1"]
    );
    let place = &desired.places[0];
    assert_eq!(place.scope.as_str(), "platform");
    assert_eq!(place.guardrails.mass_change_percent, 10);
    let target = &place.target;
    assert_eq!(target.name.as_deref(), Some("production"));
    assert_eq!(target.kind, Some(TargetKind::Local));
    assert_eq!(target.endpoint.as_deref(), Some("https://kms.example.org"));
    assert_eq!(
        target.assume_role.as_deref(),
        Some("arn:aws:iam::012345678901:role/path/keywright")
    );
    assert_eq!(target.external_id.as_deref(), Some("0815"));
    assert_eq!(target.profile.as_deref(), Some("prod"));
    assert_eq!(target.requests_share, 25);
}

#[test]
fn account_ids_are_text_quoted_or_not() {
    for id in ["012345678901", "\"012345678901\"", "'012345678901'"] {
        let desired = meant(&format!(
            "kind: Account\nname: a\nid: {id}\nregions: [eu-west-1]\n---\nkind: Key\nname: k\naccounts: [{id}]\n"
        ));
        assert_eq!(texts(desired.accounts()), ["012345678901"]);
        assert_eq!(desired.key_count(), 1);
    }
}

#[test]
fn defaults_lie_below_the_fields_of_a_key() {
    let desired = meant(&format!(
        "{ACCOUNT}---\nkind: Key\nname: payments\nregions: [eu-west-1]\ndescription: own\ntags: {{team: cards}}\n"
    ));
    assert!(desired.places[0].keys.is_empty());
    let key = desired.places[1].keys.values().next().unwrap();
    assert!(matches!(key.rotation, Some(Rotation::Every(period)) if period.days() == 730));
    assert_eq!(key.description, "own");
    assert!(!key.enabled);
    assert_eq!(
        tags(key),
        BTreeMap::from([
            ("keywright:key", "payments"),
            ("keywright:scope", "platform"),
            ("stage", "production"),
            ("team", "cards"),
        ])
    );
}

#[test]
fn a_default_rotation_leaves_keys_alone_that_cannot_rotate() {
    let desired = meant(&format!(
        "{ACCOUNT}---\nkind: Key\nname: mac\nspec: HMAC_256\n"
    ));
    let key = desired.places[0].keys.values().next().unwrap();
    assert_eq!(key.rotation, None);
}

#[test]
fn a_key_goes_to_the_accounts_that_it_names() {
    let desired = meant(
        "
kind: Account
name: a
id: 111111111111
regions: [eu-central-1]
---
kind: Account
name: b
id: 222222222222
regions: [eu-central-1, us-east-1]
---
kind: Key
name: both
accounts: [a, 222222222222]
---
kind: Key
name: one
accounts: [b]
regions: [us-east-1]
",
    );
    let keys = |place: &DesiredPlace| texts(place.keys.keys());
    let all: BTreeMap<String, Vec<String>> = desired
        .places
        .iter()
        .map(|place| (place.place.to_string(), keys(place)))
        .collect();
    assert_eq!(all["111111111111/eu-central-1"], ["both"]);
    assert_eq!(all["222222222222/eu-central-1"], ["both"]);
    assert_eq!(all["222222222222/us-east-1"], ["both", "one"]);
}

#[test]
fn without_an_account_document_the_fallback_holds_and_regions_are_free() {
    let place = only_place(meant("kind: Key\nname: a\nregions: [us-east-1]\n"));
    assert_eq!(place.place.to_string(), "111122223333/us-east-1");
    assert_eq!(place.target.name, None);
    assert_eq!(place.target.requests_share, 50);
    let place = only_place(meant("kind: Team\nname: t\nmembers: [role/a]\n"));
    assert_eq!(place.place, fallback().place);
}

#[test]
fn former_names_may_move_on() {
    let place = only_place(meant(
        "kind: Key\nname: new\nformerly: [old]\n---\nkind: Key\nname: other\nformerly: [older]\n",
    ));
    assert_eq!(place.keys.len(), 2);
}

#[test]
fn anchors_and_merges_work() {
    let place = only_place(meant(
        "
kind: Key
name: a
tags: &tags {team: x, stage: y}
---
kind: Key
name: b
tags:
  <<: {team: x, stage: y}
  stage: z
",
    ));
    let key = &place.keys[&"b".parse().unwrap()];
    assert_eq!(tags(key)["team"], "x");
    assert_eq!(tags(key)["stage"], "z");
}

#[test]
fn a_grantee_can_be_of_any_named_kind() {
    let grantee = |name: &str| {
        let key = key(&format!(
            "kind: Key\nname: a\ngrants: [{{name: g, grantee: \"{name}\", operations: [Decrypt]}}]\n"
        ));
        key.grants.into_values().next().unwrap().terms.grantee
    };
    assert!(matches!(grantee("account"), Principal::Account(..)));
    assert!(matches!(
        grantee("account/${account}"),
        Principal::Account(..)
    ));
    assert!(matches!(grantee("federated/bob"), Principal::Federated(_)));
    assert!(matches!(
        grantee("arn:aws:iam::${account}:role/x"),
        Principal::Role(_)
    ));
    let kinds: BTreeSet<String> = [grantee("role/x"), grantee("111122223333:role/x")]
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(kinds.len(), 1);
}

const DUTIES: &str = "
kind: Team
name: administrators
members: [role/key-admin, team/break-glass]
---
kind: Team
name: break-glass
members: [role/break-glass]
---
kind: Key
name: payments
administrators: [team/administrators]
administrators_may_delete: false
users:
  - role/payments-api
  - principals: [organization/o-abc1234567, 222233334444:role/reporting]
    operations: [decrypt]
    via: [s3]
    context: {tenant: eu}
statements:
  - Sid: Logs
    Effect: Allow
    Principal: {Service: \"logs.${region}.amazonaws.com\"}
    Action: kms:Decrypt
    Resource: \"*\"
    Condition: {StringEquals: {aws:SourceAccount: \"${account}\"}, Bool: {aws:SecureTransport: true}}
";

#[test]
fn duties_become_the_policy_of_the_place() {
    let place = only_place(meant(DUTIES));
    let key = place.keys.values().next().unwrap();
    let statements = key.policy.statements.iter().map(|statement| {
        let Principals::Any(principals) = &statement.principals else {
            panic!("duties name principals");
        };
        let sid = statement.sid.as_deref().unwrap_or_default();
        if statement.conditions.is_empty() {
            return format!("{sid}\n  for {}", texts(principals).join(", "));
        }
        let conditions = statement.conditions.iter();
        let conditions =
            conditions.map(|test| format!("{}={}", test.key, texts(&test.values).join(",")));
        format!(
            "{sid}\n  for {}\n  when {}",
            texts(principals).join(", "),
            conditions.collect::<Vec<_>>().join(" and ")
        )
    });
    insta::assert_snapshot!(statements.collect::<Vec<_>>().join("\n"), @r#"
    Enable IAM User Permissions
      for arn:aws:iam::111122223333:root
    Allow access for Key Administrators
      for arn:aws:iam::111122223333:role/break-glass, arn:aws:iam::111122223333:role/key-admin
    Allow use of the key
      for arn:aws:iam::111122223333:role/payments-api
    Allow attachment of persistent resources
      for arn:aws:iam::111122223333:role/payments-api
      when kms:GrantIsForAWSResource=true
    keywright: decrypt via s3 when tenant=eu
      for arn:aws:iam::222233334444:role/reporting
      when kms:EncryptionContext:tenant=eu and kms:ViaService=s3.eu-central-1.amazonaws.com
    keywright: decrypt by organization via s3 when tenant=eu
      for *
      when aws:PrincipalOrgID=o-abc1234567 and kms:EncryptionContext:tenant=eu and kms:ViaService=s3.eu-central-1.amazonaws.com
    Logs
      for logs.eu-central-1.amazonaws.com
      when aws:SourceAccount=111122223333 and aws:SecureTransport=true
    "#);
}

#[test]
fn a_whole_policy_stands_in_the_manifest_or_beside_it() {
    let inline = key("
kind: Key
name: a
policy:
  Version: \"2012-10-17\"
  Statement: {Effect: Allow, Principal: {AWS: 111122223333}, Action: kms:*, Resource: \"*\"}
");
    let text = policy::write_compact(&inline.policy);
    assert!(text.contains("arn:aws:iam::111122223333:root"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("policy.json"),
        text.replace("111122223333", "${account}"),
    )
    .unwrap();
    let manifest = folder.path().join("a.yaml");
    std::fs::write(
        &manifest,
        "kind: Key\nname: a\npolicy: {file: policy.json}\n",
    )
    .unwrap();
    let (sources, diagnostics) = Sources::read(&[manifest.try_into().unwrap()]);
    assert_eq!(diagnostics, []);
    let (desired, diagnostics) = load(&sources, &fallback());
    assert_eq!(diagnostics, []);
    let beside = only_place(desired).keys.into_values().next().unwrap();
    assert_eq!(beside.policy, inline.policy);
}

#[test]
fn without_iam_policies_only_the_duties_hold() {
    let key = key("kind: Key\nname: a\niam_policies: false\nadministrators: [role/admin]\n");
    assert_eq!(key.policy.statements.len(), 1);
}
