//! `keywright plan`: shows what would change, exactly, and writes nothing.

use keywright::manifest::{Fallback, Sources, load};
use keywright::observe::Others;
use keywright::plan::{Rule, plan};

use crate::convergence::block_on;
use crate::support::account::{Account, limits};
use crate::support::manifests::TWO_KEYS;
use crate::support::policies::place;
use crate::support::sandbox::Sandbox;

#[test]
fn an_edited_user_is_the_whole_plan() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    sandbox.write(
        "manifests/keys.yaml",
        TWO_KEYS.replace("role/release-job", "role/release-bot"),
    );
    let run = sandbox.run("plan").expect(2);
    insta::assert_snapshot!(run.stdout, @r#"
    111122223333/us-east-1

    ~ releases  [id]
        + role/release-bot gains Sign, DescribeKey, GetPublicKey, Verify; so far only through IAM policies  [key-material]
        - role/release-job loses all direct access: Sign, DescribeKey, GetPublicKey, Verify; from now on only through IAM policies
        policy       ~ replaced
          @@ -40,7 +40,7 @@
                 "Sid": "Allow use of the key",
                 "Effect": "Allow",
                 "Principal": {
          -        "AWS": "arn:aws:iam::111122223333:role/release-job"
          +        "AWS": "arn:aws:iam::111122223333:role/release-bot"
                 },
                 "Action": [
                   "kms:DescribeKey",

    Plan: 0 to create, 1 to change, 0 to delete; 1 unchanged.
    "#);
}

#[test]
fn a_plan_writes_nothing() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("plan").expect(2);
    let again = sandbox.run("plan").expect(2);
    assert!(
        again
            .stdout
            .contains("Plan: 2 to create, 0 to change, 0 to delete; 0 unchanged."),
        "{}",
        again.all()
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one whole report as a snapshot")]
fn the_same_plan_is_there_for_programs() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    sandbox.write(
        "manifests/keys.yaml",
        TWO_KEYS.replace("description: Card data at rest", "description: Cards"),
    );
    let report = sandbox.report("plan");
    insta::assert_json_snapshot!(report, @r#"
    {
      "version": 1,
      "verb": "plan",
      "summary": {
        "create": 0,
        "change": 1,
        "delete": 0,
        "unchanged": 1,
        "refused": 0,
        "unreadable": 0,
        "orphans": 0,
        "unmanaged": 0
      },
      "places": [
        {
          "account": "111122223333",
          "region": "us-east-1",
          "keys": [
            {
              "name": "payments",
              "arn": "arn:aws:kms:us-east-1:111122223333:key/[id]",
              "access": null,
              "changes": [
                {
                  "action": "UpdateKeyDescription",
                  "from": "Card data at rest",
                  "to": "Cards"
                }
              ],
              "notes": [],
              "refusals": [],
              "unreadable": []
            },
            {
              "name": "releases",
              "arn": "arn:aws:kms:us-east-1:111122223333:key/[id]",
              "access": null,
              "changes": [],
              "notes": [],
              "refusals": [],
              "unreadable": []
            }
          ],
          "orphans": [],
          "going": [],
          "unmanaged": [],
          "unreadable": [],
          "refusals": []
        }
      ],
      "calls": {
        "DescribeKey": 2,
        "GetKeyPolicy": 2,
        "GetKeyRotationStatus": 1,
        "ListAliases": 1,
        "ListGrants": 2,
        "ListResourceTags": 2
      }
    }
    "#);
}

#[test]
fn several_outputs_go_to_several_places() {
    let sandbox = Sandbox::with(TWO_KEYS);
    let run = sandbox
        .run("plan --color always --output text --output json=plan.json --output text=plan.txt")
        .expect(2);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(sandbox.path().join("plan.json")).unwrap()).unwrap();
    assert_eq!(json["summary"]["create"], 2);
    let text = std::fs::read_to_string(sandbox.path().join("plan.txt")).unwrap();
    assert!(
        !text.contains('\u{1b}') && run.stdout.contains('\u{1b}'),
        "files have no colour"
    );
}

#[test]
fn an_existing_key_is_shown_in_full_and_adopted_only_on_request() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    sandbox.live(|client| async move {
        client.disown("alias/payments").await;
    });
    let refused = sandbox.run("plan").expect(3);
    insta::assert_snapshot!(refused.stdout, @r#"
    111122223333/us-east-1

    ! payments  [id]
        tags         + keywright:key=payments, + keywright:scope=default
        refused (adoption): arn:aws:kms:us-east-1:111122223333:key/[id] exists already and is not managed by keywright
          help: take it over as shown with --adopt, or with `id: [id]` in the manifest

    Plan: nothing that may be done; 1 unchanged, 1 refused.
    "#);
    sandbox.run("apply --yes --adopt").expect(0);
    assert_eq!(
        sandbox.run("plan").expect(0).stdout,
        "Plan: no changes; 2 unchanged.\n"
    );
}

#[test]
fn another_scopes_key_is_refused_even_with_adopt() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    sandbox.write_other("kind: Key\nname: payments\nadministrators: [role/x]\n");
    let run = sandbox.run("apply other --yes --adopt").expect(3);
    assert!(
        run.stdout
            .contains("belongs to scope `default`, not to `other`"),
        "{}",
        run.all()
    );
}

#[test]
fn a_multi_region_key_is_refused_without_advice_that_manifests_cannot_take() {
    let (sources, _) = Sources::from_texts([("keys.yaml".into(), TWO_KEYS.into())]);
    let (desired, _) = load(&sources, &Fallback { place: place() });
    let plan = block_on(async {
        let account = Account::new(&place());
        let _outcome = account.apply(&account.plan(&desired).await).await;
        let mut observed = account.observe(&desired, Others::WhenMissing).await;
        for key in observed.places[0].keys.values_mut() {
            key.multi_region = true;
        }
        plan(&desired, &observed, &limits())
    });
    for (_, key) in plan.keys() {
        let [refusal] = &key.refusals[..] else {
            panic!("{key:#?}")
        };
        assert_eq!(refusal.rule, Rule::Immutable);
        assert!(refusal.message.contains("multi-Region"), "{refusal:?}");
        assert!(!refusal.help.contains("multi_region"), "{refusal:?}");
    }
}

#[test]
fn two_owners_of_grants_leave_each_others_alone() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    sandbox.write_other(
        "kind: Grant\nname: audit\nkey: payments\ngrantee: role/audit\noperations: [DescribeKey]\n",
    );
    sandbox.run("apply other --yes").expect(0);
    for folder in ["other", "manifests"] {
        assert!(
            sandbox
                .run(&format!("plan {folder}"))
                .expect(0)
                .stdout
                .contains("no changes")
        );
    }
    sandbox.write_other(
        "kind: Grant\nname: more\nkey: payments\ngrantee: role/audit\noperations: [DescribeKey]\n",
    );
    let run = sandbox.run("apply other --yes").expect(0);
    assert!(
        run.stdout
            .contains("- audit: role/audit may no longer DescribeKey: no longer declared"),
        "{}",
        run.all()
    );
}

#[test]
fn a_grant_on_a_key_that_is_not_there_says_so() {
    let sandbox = Sandbox::with(
        "kind: Grant\nname: audit\nkey: nowhere\ngrantee: role/audit\noperations: [DescribeKey]\n",
    );
    let run = sandbox.run("plan").expect(3);
    assert!(
        run.stdout
            .contains("refused (missing-key): there is no alias/nowhere in 111122223333/us-east-1"),
        "{}",
        run.all()
    );
}

#[test]
fn many_changes_at_once_need_a_flag() {
    let manifest = |description: &str| -> String {
        let key = |index| {
            format!(
                "---\nkind: Key\nname: k{index}\ndescription: {description}\nadministrators: [role/a]\n"
            )
        };
        (0..12).map(key).collect()
    };
    let sandbox = Sandbox::with(&manifest("one"));
    sandbox.run("apply --yes").expect(0);
    sandbox.write("manifests/keys.yaml", manifest("two"));
    let run = sandbox.run("apply --yes").expect(3);
    assert!(
        run.stdout
            .contains("refused (mass-change): 12 of 12 keys would change, which is over 30 %"),
        "{}",
        run.all()
    );
    sandbox.run("apply --yes --allow-mass-change").expect(0);
}
