//! The README shows what really happens: its console block runs, line by line.

use std::fs;

use crate::support::sandbox::Sandbox;

fn readme() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

/// The text of the first block of a kind.
fn block(text: &str, kind: &str) -> String {
    let (_, rest) = text.split_once(&format!("```{kind}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// True when the lines are those expected, where `...` stands for any number of lines.
fn matches(expected: &[&str], lines: &[&str]) -> bool {
    match expected {
        [] => lines.is_empty(),
        ["...", rest @ ..] => (0..=lines.len()).any(|skip| matches(rest, &lines[skip..])),
        [first, rest @ ..] => lines.first() == Some(first) && matches(rest, &lines[1..]),
    }
}

#[test]
fn the_console_block_is_a_real_run() {
    let readme = readme();
    let manifest = block(&readme, "yaml");
    let sandbox = Sandbox::with(&manifest);
    let console = block(&readme, "console");
    for step in console.split("$ ").skip(1) {
        let (command, expected) = step.split_once('\n').unwrap();
        let Some(words) = command.strip_prefix("keywright ") else {
            assert_eq!(
                command,
                "sed -i s/payments-api/payments-web/ manifests/keys.yaml"
            );
            sandbox.write(
                "manifests/keys.yaml",
                manifest.replace("payments-api", "payments-web"),
            );
            continue;
        };
        let run = sandbox.run(words);
        let expected: Vec<&str> = expected.lines().collect();
        let lines: Vec<&str> = run.stdout.lines().collect();
        assert!(matches(&expected, &lines), "{command}\n{}", run.all());
    }
}

#[test]
fn every_field_is_in_the_reference() {
    let reference =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/manifests.md")).unwrap();
    let schema = keywright::manifest::schema();
    for kind in ["Account", "Team", "Key", "Grant", "Identity", "Expectation"] {
        for field in schema["$defs"][kind]["properties"]
            .as_object()
            .unwrap()
            .keys()
        {
            assert!(
                reference.contains(&format!("`{field}`")),
                "{kind}.{field} is not in docs/manifests.md"
            );
        }
    }
}
