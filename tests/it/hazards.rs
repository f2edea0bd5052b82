//! Accidents that a reconciler must survive: lost aliases, double manifests, readers that leave, files that cannot be written.

use std::cell::RefCell;
use std::process::Stdio;

use crate::support::manifests::TWO_KEYS;
use crate::support::sandbox::{Run, Sandbox};

#[test]
fn a_key_that_lost_its_main_alias_is_found_by_its_tags_though_another_alias_is_left() {
    let sandbox =
        Sandbox::with(&TWO_KEYS.replace("name: payments\n", "name: payments\naliases: [cards]\n"));
    sandbox.run("apply --yes").expect(0);
    sandbox.live(|client| async move {
        client
            .delete_alias()
            .alias_name("alias/payments")
            .send()
            .await
            .unwrap();
    });
    sandbox.write("manifests/keys.yaml", TWO_KEYS);
    let run = sandbox.run("apply --yes").expect(0);
    assert!(
        run.stdout.contains("alias        + alias/payments"),
        "{}",
        run.all()
    );
    assert!(!run.stdout.contains("new key"), "{}", run.all());
    sandbox.run("drift").expect(0);
}

#[test]
fn two_manifests_of_one_live_key_are_both_refused() {
    let sandbox = Sandbox::with("kind: Key\nname: b\nadministrators: [role/b]\n");
    sandbox.run("apply --yes").expect(0);
    let id = RefCell::new(String::new());
    sandbox.live(async |client| {
        id.replace(client.disown("alias/b").await);
    });
    let id = id.into_inner();
    let both = format!(
        "kind: Key\nname: a\nid: {id}\nadministrators: [role/a]\n---\nkind: Key\nname: b\nadministrators: [role/b]\n"
    );
    sandbox.write("manifests/keys.yaml", both);
    let run = sandbox.run("apply --yes --adopt").expect(3);
    assert!(
        run.stdout
            .contains("refused (ownership): the same live key is also that of `b`"),
        "{}",
        run.all()
    );
    assert!(
        run.stdout
            .contains("refused (ownership): the same live key is also that of `a`"),
        "{}",
        run.all()
    );
    assert!(!run.stdout.contains("Applied"), "{}", run.all());
}

#[test]
fn a_killed_first_run_of_many_keys_is_no_mass_change() {
    let key = |index| format!("---\nkind: Key\nname: k{index}\nadministrators: [role/a]\n");
    let sandbox = Sandbox::with(&(0..24).map(key).collect::<String>());
    let mut command = sandbox.command();
    let killed = command
        .args(["apply", "--yes"])
        .env("KEYWRIGHT_ENGINE_FAULT", "abort-after:18")
        .output()
        .unwrap();
    assert_eq!(killed.status.code(), None);
    sandbox.run("apply --yes").expect(0);
    let run = sandbox.run("drift --all").expect(0);
    assert_eq!(run.stdout, "Plan: no changes; 24 unchanged.\n");
}

#[test]
fn a_reader_that_leaves_changes_neither_the_work_nor_the_exit_code() {
    let sandbox = Sandbox::with(TWO_KEYS);
    let policy = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}}"#;
    sandbox.write("policy.json", policy);
    sandbox.write(
        "batch.jsonl",
        format!("{{\"id\": 1, \"a\": {policy}, \"b\": {policy}}}\n"),
    );
    for (words, code) in [
        ("plan", 2),
        ("plan --output json", 2),
        ("apply --yes", 0),
        ("plan", 0),
        ("drift --output json", 0),
        ("check", 0),
        ("check --output json", 0),
        ("diff policy.json policy.json", 0),
        ("diff policy.json policy.json --output json", 0),
        ("diff --batch batch.jsonl", 0),
        ("schema", 0),
        ("completions bash", 0),
        ("--help", 0),
    ] {
        let mut child = sandbox
            .command()
            .args(words.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let run = Run::of(&child.wait_with_output().unwrap());
        assert_eq!((run.code, &*run.stderr), (Some(code), ""), "{words:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn help_that_cannot_be_written_is_an_error_as_every_output_is() {
    let sandbox = Sandbox::new();
    for words in ["--help", "schema", "completions bash"] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let status = sandbox
            .command()
            .args(words.split_whitespace())
            .stdout(full.unwrap())
            .stderr(Stdio::null())
            .status();
        assert_eq!(status.unwrap().code(), Some(1), "{words}");
    }
}

#[test]
fn an_alias_of_another_scopes_key_stays_there_even_with_adopt() {
    let sandbox = Sandbox::with("kind: Key\nname: one\naliases: [uno]\nadministrators: [role/x]\n");
    sandbox.run("apply --yes").expect(0);
    sandbox.write_other("kind: Key\nname: thief\naliases: [uno]\nadministrators: [role/x]\n");
    let run = sandbox.run("apply other --yes --adopt").expect(3);
    let said = "refused (ownership): alias/uno leads to key [id], which belongs to scope `default`\n      help: remove the alias from this manifest, or give it up in the manifests of `default` first\n";
    assert!(run.stdout.contains(said), "{}", run.all());
    sandbox.run("drift --all").expect(0);
}

#[test]
fn a_key_that_only_a_moved_alias_leads_to_is_an_orphan() {
    let sandbox = Sandbox::with("kind: Key\nname: one\naliases: [uno]\nadministrators: [role/x]\n");
    sandbox.run("apply --yes").expect(0);
    let two = "kind: Key\nname: two\naliases: [uno]\nadministrators: [role/x]\n";
    sandbox.write("manifests/keys.yaml", two);
    for verb in ["plan", "drift"] {
        let run = sandbox.run(verb).expect(2);
        assert!(
            run.stdout
                .contains("orphan [id] (one), alias/one, alias/uno: "),
            "{}",
            run.all()
        );
    }
}

#[test]
fn a_former_name_that_still_leads_to_a_key_of_its_own_is_told() {
    let both = "kind: Key\nname: a\nadministrators: [role/x]\n---\nkind: Key\nname: b\nadministrators: [role/x]\n";
    let sandbox = Sandbox::with(both);
    sandbox.run("apply --yes").expect(0);
    let renamed = "kind: Key\nname: b\nformerly: [a]\nadministrators: [role/x]\n";
    sandbox.write("manifests/keys.yaml", renamed);
    for verb in ["plan", "drift"] {
        let run = sandbox.run(verb).expect(2);
        insta::allow_duplicates! {
            insta::assert_snapshot!(run.stdout, @r"
            111122223333/us-east-1

            = b  [id]
                note         alias/a leads to another key, [id], which stays as it is; `formerly` is for the names of this one

            orphan [id] (a), alias/a: carries our tags, but no manifest declares it; nothing is done to it

            Plan: no changes; 1 unchanged, 1 orphaned.
            ");
        }
    }
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_anything_is_done() {
    let sandbox = Sandbox::with(TWO_KEYS);
    let run = sandbox
        .run("apply --yes --output json=nowhere/report.json")
        .expect(1);
    assert!(
        run.stderr.contains("cannot write nowhere/report.json"),
        "{}",
        run.all()
    );
    sandbox.run("plan").expect(2);
}

#[test]
fn a_usage_error_is_no_drift() {
    let sandbox = Sandbox::with(TWO_KEYS);
    for words in [
        "drift --foo",
        "plan --region nowhere",
        "plan --output xml",
        "nonsense",
    ] {
        sandbox.run(words).expect(1);
    }
}

#[test]
fn a_disabled_keys_grant_is_still_revoked() {
    let disabled = TWO_KEYS.replace("name: payments\n", "name: payments\nenabled: false\n");
    let sandbox = Sandbox::with(&disabled);
    sandbox.run("apply --yes").expect(0);
    let (before, after) = disabled.split_once("grants:").unwrap();
    let rest = after.split_once("---").unwrap().1;
    sandbox.write("manifests/keys.yaml", format!("{before}---{rest}"));
    let run = sandbox.run("apply --yes").expect(0);
    assert!(
        run.stdout
            .contains("- nightly-export: role/nightly-export may no longer Decrypt"),
        "{}",
        run.all()
    );
}

#[test]
fn access_that_moves_from_the_policy_to_a_grant_is_never_missing() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    let moved = TWO_KEYS.replace("  - role/payments-api\n", "").replace(
        "grants:\n",
        "grants:\n  - {name: api, grantee: role/payments-api, operations: [Decrypt]}\n",
    );
    sandbox.write("manifests/keys.yaml", moved);
    let run = sandbox.run("apply --yes").expect(0);
    let at = |text: &str| {
        run.stdout
            .find(text)
            .unwrap_or_else(|| panic!("{text}\n{}", run.all()))
    };
    assert!(at("grant        + api") < at("policy       ~ replaced"));
}

#[test]
fn grants_of_other_scopes_are_shown_and_keep_the_key_from_deletion() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    sandbox.write_other(
        "kind: Grant\nname: audit\nkey: payments\ngrantee: role/audit\noperations: [DescribeKey]\n",
    );
    sandbox.run("apply other --yes").expect(0);
    let run = sandbox.run("plan").expect(0);
    assert!(
        run.stdout
            .contains("grant `audit` on the key is that of scope `other`"),
        "{}",
        run.all()
    );
    let going =
        "name: payments\nstate: pending_deletion\ndeletion: {schedule: 10d, reason: gone}\n";
    sandbox.write(
        "manifests/keys.yaml",
        TWO_KEYS.replace("name: payments\n", going),
    );
    let run: Run = sandbox.run("apply --yes --allow-deletion").expect(3);
    assert!(
        run.stdout.contains("of role/audit is not ours"),
        "{}",
        run.all()
    );
}

#[test]
fn an_alias_moves_only_between_keys_of_one_type() {
    let sandbox = Sandbox::with(TWO_KEYS);
    let with_alias = |name: &str| {
        TWO_KEYS.replace(
            &format!("name: {name}\n"),
            &format!("name: {name}\naliases: [current]\n"),
        )
    };
    sandbox.write("manifests/keys.yaml", with_alias("payments"));
    sandbox.run("apply --yes").expect(0);
    sandbox.write("manifests/keys.yaml", with_alias("releases"));
    let run = sandbox.run("apply --yes").expect(3);
    assert!(
        run.stdout.contains(
            "refused (alias-taken): alias/current leads to key [id], and KMS moves an alias only between keys of one type and usage"
        ),
        "{}",
        run.all()
    );
    let third =
        "---\nkind: Key\nname: third\nadministrators: [role/key-admin]\naliases: [current]\n";
    sandbox.write("manifests/keys.yaml", format!("{TWO_KEYS}{third}"));
    let run = sandbox.run("apply --yes").expect(0);
    assert!(
        run.stdout
            .contains("alias        ~ alias/current moves here from key [id]"),
        "{}",
        run.all()
    );
    sandbox.run("drift --all").expect(0);
}
