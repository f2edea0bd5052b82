//! The operations of the service model.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::bench::Bench;

/// The names under which the SDK's client calls operations, from its source.
fn names() -> Vec<String> {
    let metadata = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let client = packages
        .iter()
        .find(|package| package["name"] == "aws-sdk-kms");
    let manifest = client.unwrap()["manifest_path"].as_str().unwrap();
    let folder = Path::new(manifest).with_file_name("src").join("operation");
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .filter_map(|path| {
            let text = fs::read_to_string(path).unwrap();
            let (_, rest) = text.split_once("\"TrentService.")?;
            rest.split('"').next().map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

#[test]
fn every_operation_of_the_model_is_known() {
    let names = names();
    assert_eq!(names.len(), 56);
    let bench = Bench::new();
    for name in names {
        let (_, body) = bench.raw(&name, "{}");
        assert!(!body.contains("UnknownOperation"), "{name}");
    }
}
