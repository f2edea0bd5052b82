//! `keywright check`, and what every verb does with manifests that have faults.

use crate::support::manifests::TWO_KEYS;
use crate::support::sandbox::Sandbox;

#[test]
fn manifests_without_faults_are_counted() {
    let sandbox = Sandbox::with(TWO_KEYS);
    assert_eq!(
        sandbox.run("check").expect(0).stdout,
        "2 keys in 1 place: no faults\n"
    );
}

#[test]
fn all_faults_are_told_on_stderr_with_their_places() {
    let sandbox = Sandbox::with(
        "kind: Key\nname: a\nadministraters: [role/x]\nrotation: 30d\nusers: [rol/y]\n",
    );
    let run = sandbox.run("check").expect(1);
    insta::assert_snapshot!(run.all(), @r#"
    exit 1
    --- stdout
    --- stderr
    error[unknown-field]: `administraters` is not a field of a key
     --> manifests/keys.yaml:3:1
      |
    3 | administraters: [role/x]
      | ^^^^^^^^^^^^^^
      |
      = help: did you mean `administrators`?

    error[out-of-range]: a rotation period of 30 days is out of range
     --> manifests/keys.yaml:4:11
      |
    4 | rotation: 30d
      |           ^^^
      |
      = help: KMS rotates every 90 to 2560 days

    error[not-a-principal]: `rol/y` is not a principal
     --> manifests/keys.yaml:5:9
      |
    5 | users: [rol/y]
      |         ^^^^^
      |
      = help: did you mean `role/y`?

    3 errors
    "#);
}

#[test]
fn faults_are_there_for_programs() {
    let sandbox = Sandbox::with("kind: Key\nname: a\nadministrators: [role/x]\nrotation: 30d\n");
    let run = sandbox.run("check --output json").expect(1);
    let value: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    insta::assert_json_snapshot!(value, @r#"
    {
      "version": 1,
      "verb": "check",
      "keys": 1,
      "places": 1,
      "faults": [
        {
          "code": "out-of-range",
          "severity": "error",
          "message": "a rotation period of 30 days is out of range",
          "locations": [
            {
              "file": "manifests/keys.yaml",
              "line": 4,
              "column": 11,
              "length": 3
            }
          ],
          "help": "KMS rotates every 90 to 2560 days"
        }
      ],
      "expectations": null
    }
    "#);
}

#[test]
fn a_fault_keeps_every_verb_from_touching_anything() {
    let sandbox = Sandbox::with(&format!(
        "{TWO_KEYS}---\nkind: Key\nname: broken\nrotation: 30d\nadministrators: [role/x]\n"
    ));
    for verb in ["plan", "apply --yes", "drift"] {
        sandbox.run(verb).expect(1);
    }
    assert!(
        !sandbox.path().join(".keywright").exists(),
        "not even the engine was opened"
    );
}

#[test]
fn a_verb_that_ends_with_faults_tells_programs_of_them() {
    let sandbox = Sandbox::with("kind: Key\nname: a\nadministrators: [role/x]\nrotation: 30d\n");
    for verb in ["plan", "apply --yes", "drift"] {
        let run = sandbox.run(&format!("{verb} --output json")).expect(1);
        assert!(run.stderr.contains("error[out-of-range]"), "{}", run.all());
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report["version"], 1);
        assert_eq!(report["verb"], verb.split(' ').next().unwrap());
        assert_eq!(report["faults"][0]["code"], "out-of-range");
    }
    let nowhere = sandbox.run("plan nowhere --output json").expect(1);
    let report: serde_json::Value = serde_json::from_str(&nowhere.stdout).unwrap();
    assert_eq!(report["faults"][0]["code"], "unreadable-file");
}

#[test]
fn paths_that_lead_nowhere_are_named() {
    let sandbox = Sandbox::new();
    let run = sandbox.run("check nowhere").expect(1);
    insta::assert_snapshot!(run.all(), @r#"
    exit 1
    --- stdout
    --- stderr
    error[unreadable-file]: cannot read `nowhere`: it does not exist
    --> nowhere
     = help: name the files or the folder in which your manifests are; `docs/manifests.md` tells how to write one

    1 error
    "#);
}
