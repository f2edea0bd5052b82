//! What people are told about broken manifests: pairs of a manifest and the text it brings.
//!
//! Every `broken/NAME.yaml` stands next to `broken/NAME.txt`, which is its report word for word. To take over new
//! texts after reading them, run the tests with `UPDATE_EXPECT=1`.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use keywright::manifest::{self, Sources};

use crate::manifests::{fallback, text};

fn report(files: Vec<(Utf8PathBuf, Vec<u8>)>) -> String {
    let (sources, mut diagnostics) = Sources::from_texts(files);
    let (_, more) = manifest::load(&sources, &fallback());
    diagnostics.extend(more);
    text(&diagnostics)
}

#[test]
fn every_broken_manifest_brings_its_report() {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/broken");
    let mut names: Vec<Utf8PathBuf> = folder
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension() == Some("yaml"))
        .collect();
    names.sort();
    let mut wrong = Vec::new();
    for path in names {
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
