//! The command line itself: help, usage, schema, completions.

use crate::support::sandbox::{Run, Sandbox};

#[test]
fn help_names_every_verb() {
    let run = Sandbox::new().run("--help").expect(0);
    insta::assert_snapshot!(run.stdout, @"
    Keep AWS KMS the way the manifests say

    Manifests describe keys, their administrators, their users and their grants. keywright compares them
    with the live state, in the bundled local engine (the default) or in AWS KMS, shows what differs,
    and makes the two agree.

    Usage: keywright [OPTIONS] <COMMAND>

    Commands:
      check        Check manifests offline
      plan         Show what apply would do
      apply        Make the live state agree with the manifests
      drift        Tell whether the live state still agrees with the manifests
      access       Show who can do what with live keys
      explain      Tell whether a request is allowed, and what decides it
      diff         Compare what two policies, or two sets of manifests, allow
      serve        Serve the local engine to any KMS client
      engine       Look after the local engine's state
      schema       Print the JSON Schema of manifests
      completions  Print a completion script for a shell

    Options:
          --color <WHEN>
              When to use colour

              Possible values:
              - auto:   On a terminal that wants it
              - always: Always
              - never:  Never
              
              [default: auto]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version
    ");
}

#[test]
fn the_schema_is_printed_as_json() {
    let run = Sandbox::new().run("schema").expect(0);
    let schema: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
}

#[test]
fn completions_are_there_for_each_shell() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = sandbox.run(&format!("completions {shell}")).expect(0);
        assert!(run.stdout.contains("keywright"));
    }
}

#[test]
fn an_endpoint_that_is_neither_here_nor_encrypted_is_refused() {
    let sandbox = Sandbox::with("kind: Key\nname: a\nadministrators: [role/x]\n");
    for host in [
        "kms.example.com",
        "localhost@example.com",
        "localhost:80@example.com",
        "127.example.com",
        "127.0.0.1.example.com",
        "localhost.example.com",
    ] {
        let words =
            format!("plan --endpoint http://{host} --account 111122223333 --region us-east-1");
        let run = sandbox.run(&words).expect(1);
        let refused = format!(
            "error: endpoint `http://{host}` is not on this machine and not encrypted; use https\n"
        );
        assert_eq!(run.stderr, refused);
    }
}

#[test]
fn what_was_typed_wrong_is_named_with_the_next_step() {
    let sandbox = Sandbox::with("kind: Key\nname: a\nadministrators: [role/x]\n");
    let said = |words: &[&str], variables: &[(&str, &str)]| {
        let mut command = sandbox.command();
        let command = command.args(words).envs(variables.iter().copied());
        Run::of(&command.output().unwrap()).expect(1).stderr
    };
    for port in ["0", "99999", "http"] {
        let url = format!("http://localhost:{port}");
        assert_eq!(
            said(&["plan", "--endpoint", &url], &[]),
            format!(
                "error: endpoint `{url}` has no usable port: `{port}` is not a number from 1 to 65535\n"
            )
        );
    }
    assert_eq!(
        said(&["plan"], &[("AWS_REGION", "bogus")]),
        "error: AWS_REGION: `bogus` is not an AWS Region\n"
    );
    assert_eq!(
        said(&["plan"], &[("KEYWRIGHT_NOW", "noon")]),
        "error: KEYWRIGHT_NOW is `noon`, which is not a time such as `2026-01-01T00:00:00Z`\n"
    );
    assert!(said(&["plan", "--state", ""], &[]).contains("write `.` for the working folder"));
}

#[test]
fn a_way_that_leads_to_no_account_is_told_in_one_line_with_the_next_step() {
    let sandbox = Sandbox::with("kind: Key\nname: a\nadministrators: [role/x]\n");
    let said = |words: &str| {
        let mut command = sandbox.command();
        let command = command
            .args(words.split_whitespace())
            .env("AWS_EC2_METADATA_DISABLED", "true");
        Run::of(&command.output().unwrap()).expect(1).stderr
    };
    let next = "no credentials found in chain; log in as for AWS's own command line, or name another profile with --profile";
    assert_eq!(
        said("plan --target aws --region us-east-1 --account 111122223333"),
        format!("error: cannot reach account 111122223333: {next}\n")
    );
    assert_eq!(
        said("plan --target aws --region us-east-1"),
        format!("error: cannot find out the account: {next}\n")
    );
    assert_eq!(
        said("plan --target aws --region us-east-1 --account 111122223333 --profile nope"),
        format!("error: cannot reach account 111122223333 with profile `nope`: {next}\n")
    );
    let refused = said("plan --endpoint http://127.0.0.1:1");
    assert!(
        refused.starts_with("error: cannot find out the account: ")
            && !refused.contains("--account"),
        "{refused}"
    );
}
