//! `keywright engine`: access keys, a look, copies, and the end.

use crate::support::sandbox::Sandbox;

const MANIFEST: &str = "kind: Key\nname: payments\nadministrators: [role/key-admin]\n";

/// A sandbox with one key.
fn with_a_key() -> Sandbox {
    let sandbox = Sandbox::with(MANIFEST);
    sandbox.run("apply --yes").expect(0);
    sandbox
}

#[test]
fn access_keys_come_as_environment_variables() {
    let sandbox = Sandbox::new();
    let run = sandbox.run("engine keys user/ann").expect(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(
        lines[0].starts_with("export AWS_ACCESS_KEY_ID=AKIA"),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("export AWS_SECRET_ACCESS_KEY="));
    assert_eq!(
        lines[2..],
        ["unset AWS_SESSION_TOKEN", "export AWS_REGION=us-east-1"]
    );
    let run = sandbox.run("engine keys role/team/app").expect(0);
    assert!(run.stdout.starts_with("export AWS_ACCESS_KEY_ID=ASIA"));
    assert!(run.stdout.contains("export AWS_SESSION_TOKEN="));
    assert!(run.stderr.starts_with("good until "));
    let run = sandbox.run("engine keys anyone").expect(1);
    assert!(
        run.stderr.contains("can have no access keys"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_look_counts_what_is_there() {
    let sandbox = with_a_key();
    sandbox.run("engine keys user/ann").expect(0);
    let run = sandbox.run("engine show").expect(0);
    insta::assert_snapshot!(run.stdout, @r"
    111122223333
      keys in us-east-1       1
      aliases                 1
      user                    1
      access keys             1
    ");
}

#[test]
fn a_copy_stands_in_for_the_state() {
    let sandbox = with_a_key();
    sandbox.run("engine backup copy").expect(0);
    let run = sandbox.run("engine backup copy").expect(1);
    assert!(run.stderr.contains("cannot copy the state into `copy`"));
    let run = sandbox.run("engine restore copy").expect(1);
    assert!(run.stderr.contains("has a state already"), "{}", run.stderr);
    let run = sandbox.run("engine reset").expect(1);
    assert!(run.stderr.contains("--yes"), "{}", run.stderr);
    sandbox.run("engine reset --yes").expect(0);
    sandbox.run("plan").expect(2);
    sandbox.run("engine reset --yes").expect(0);
    sandbox.run("engine restore copy").expect(0);
    sandbox.run("plan").expect(0);
}

#[test]
fn where_nothing_is_there_is_nothing_to_look_after() {
    for task in ["show", "backup copy", "restore copy", "reset --yes"] {
        let run = Sandbox::new().run(&format!("engine {task}")).expect(1);
        assert!(
            run.stderr.contains("there is no state of the local engine"),
            "{}",
            run.stderr
        );
    }
}
