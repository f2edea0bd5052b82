//! What we depend on: licences, sources, versions, reasons and use, from `Cargo.toml`, `Cargo.lock` and `cargo metadata`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Licences that an Apache-2.0 program may be built with.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "LLVM-exception",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The only place that code comes from.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Crates that others still need in several versions, such as the `RustCrypto` generation under the AWS SDK. A new one is
/// a choice, not an accident.
const SEVERAL_VERSIONS: &[&str] = &[
    "base64",
    "block-buffer",
    "cpufeatures",
    "crypto-common",
    "digest",
    "getrandom",
    "similar",
    "syn",
    "untrusted",
    "windows-sys",
];

/// The sections of `Cargo.toml` that name dependencies.
const SECTIONS: [&str; 2] = ["[dependencies]", "[dev-dependencies]"];

/// The lines of a manifest's section.
fn section<'a>(manifest: &'a str, header: &str) -> Vec<&'a str> {
    let lines = manifest.lines().skip_while(|line| *line != header);
    lines
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .collect()
}

/// Names and requirements of a section's dependencies.
fn direct(manifest: &str, header: &str) -> Vec<(String, String)> {
    let lines = section(manifest, header).into_iter();
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, requirement)| (name.to_owned(), requirement.to_owned()))
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The packages of this machine's build.
fn packages() -> Vec<Value> {
    let host = Command::new(env!("CARGO")).args(["-vV"]).output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let metadata = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--offline",
            "--filter-platform",
            host,
        ])
        .output()
        .unwrap();
    assert!(
        metadata.status.success(),
        "{}",
        String::from_utf8_lossy(&metadata.stderr)
    );
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// The text of every source file under some folders.
fn sources(folders: &[&str]) -> String {
    let mut text = String::new();
    let mut pending: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}

#[test]
fn every_licence_is_one_that_we_may_build_with() {
    for package in packages() {
        let licence = package["license"].as_str();
        let licence = licence.unwrap_or_else(|| panic!("{} names no licence", package["name"]));
        let words = licence.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.');
        let unknown: Vec<&str> = words
            .filter(|word| !matches!(*word, "" | "OR" | "AND" | "WITH") && !LICENCES.contains(word))
            .collect();
        assert!(unknown.is_empty(), "{}: {licence}", package["name"]);
    }
}

#[test]
fn all_code_comes_from_crates_io() {
    let lock = read("Cargo.lock");
    let sources = lock
        .lines()
        .filter_map(|line| line.strip_prefix("source = "));
    for source in sources {
        assert_eq!(source.trim_matches('"'), CRATES_IO);
    }
}

#[test]
fn a_crate_has_one_version_unless_others_need_several() {
    let lock = read("Cargo.lock");
    let mut versions: BTreeMap<&str, u32> = BTreeMap::new();
    for name in lock.lines().filter_map(|line| line.strip_prefix("name = ")) {
        *versions.entry(name.trim_matches('"')).or_default() += 1;
    }
    let several: Vec<&str> = versions
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(several, SEVERAL_VERSIONS);
}

#[test]
fn every_direct_dependency_has_a_reason_and_a_version() {
    let manifest = read("Cargo.toml");
    for header in SECTIONS {
        for pair in section(&manifest, header).windows(2) {
            let [above, line] = pair else { continue };
            if !line.starts_with('#') && !line.is_empty() {
                assert!(above.starts_with("# "), "no reason above `{line}`");
            }
        }
    }
    for (name, requirement) in SECTIONS.iter().flat_map(|header| direct(&manifest, header)) {
        assert!(!requirement.contains('*'), "{name} takes any version");
    }
}

#[test]
fn every_direct_dependency_is_used() {
    let manifest = read("Cargo.toml");
    let users = [sources(&["src"]), sources(&["tests", "benches"])];
    for (header, text) in SECTIONS.iter().zip(users) {
        for (name, _) in direct(&manifest, header) {
            let path = format!("{}::", name.replace('-', "_"));
            assert!(text.contains(&path), "{name} of {header} is not used");
        }
    }
}
