//! What people are told about broken manifests: pairs of a manifest and the text it brings.
//!
//! Every `broken/NAME.yaml` stands next to `broken/NAME.txt`, which is its report word for word. To take over new
//! texts after reading them, run the tests with `UPDATE_EXPECT=1`.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use keywright::manifest::{self, Sources};

use crate::manifests::{fallback, text};
use crate::support::sandbox::Sandbox;

fn report(files: Vec<(Utf8PathBuf, Vec<u8>)>) -> String {
    let (sources, mut diagnostics) = Sources::from_texts(files);
    let (_, more) = manifest::load(&sources, &fallback());
    diagnostics.extend(more);
    text(&diagnostics)
}

/// The broken manifests, in order.
fn broken() -> Vec<Utf8PathBuf> {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/broken");
    let entries = folder.read_dir_utf8().unwrap();
    let mut names: Vec<Utf8PathBuf> = entries
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension() == Some("yaml"))
        .collect();
    names.sort();
    names
}

#[test]
fn no_broken_manifest_gets_as_far_as_the_engine() {
    let paths = broken();
    assert!(paths.len() >= 30, "{paths:?}");
    for path in paths {
        let report = fs::read_to_string(path.with_extension("txt")).unwrap();
        // Some only bring a warning.
        if !report.contains("error[") {
            continue;
        }
        let sandbox = Sandbox::new();
        sandbox.write("manifests/broken.yaml", fs::read(&path).unwrap());
        let run = sandbox.run("apply --yes").expect(1);
        assert_eq!(run.stdout, "", "{path}: {}", run.all());
        let (_, code) = report.split_once("error[").unwrap();
        let code = code.split(']').next().unwrap();
        assert!(
            run.stderr.contains(&format!("error[{code}]")),
            "{path}: {}",
            run.all()
        );
        assert!(
            !sandbox.path().join(".keywright").exists(),
            "{path}: not even the engine was opened"
        );
    }
}

#[test]
fn every_broken_manifest_brings_its_report() {
    let mut wrong = Vec::new();
    for path in broken() {
        let name = path.file_name().unwrap();
        let found = report(vec![(name.into(), fs::read(&path).unwrap())]);
        let expected_path = path.with_extension("txt");
        if std::env::vars().any(|(name, _)| name == "UPDATE_EXPECT") {
            fs::write(&expected_path, &found).unwrap();
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        if found != expected || found.is_empty() {
            wrong.push(format!(
                "--- {name}, expected\n{expected}\n--- found\n{found}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
