//! Manifest files on disk: what is found, what is refused, and that the shipped examples hold.

#![expect(
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

use std::collections::BTreeSet;
use std::fs::{self, File};

use camino::{Utf8Path, Utf8PathBuf};
use keywright::diagnostic::Diagnostic;
use keywright::expectation;
use keywright::manifest::{self, Fallback, Sources};
use keywright::model::Place;
use keywright::report::diagnostics::{self, Colour, json};
use keywright::state::Desired;
use proptest::prelude::*;

pub(crate) fn fallback() -> Fallback {
    Fallback {
        place: Place {
            account: "111122223333".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
        },
    }
}

/// Diagnostics without colour.
pub(crate) fn text(diagnostics: &[Diagnostic]) -> String {
    diagnostics::text(diagnostics, Colour::Never)
}

/// A temporary folder, with its path left out of reports.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.0.path()).unwrap()
    }

    fn write(&self, name: &str, contents: &str) -> &Self {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
        self
    }

    fn load(&self) -> (Desired, String) {
        let (sources, mut diagnostics) = Sources::read(&[self.path().to_owned()]);
        let (desired, more) = manifest::load(&sources, &fallback());
        diagnostics.extend(more);
        (desired, self.shown(&diagnostics))
    }

    fn shown(&self, diagnostics: &[Diagnostic]) -> String {
        text(diagnostics).replace(self.path().as_str(), "DIR")
    }
}

fn shipped(name: &str) -> (Sources, Desired) {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("manifests")
        .join(name);
    let (sources, diagnostics) = Sources::read(&[folder]);
    assert_eq!(text(&diagnostics), "");
    let (desired, diagnostics) = manifest::load(&sources, &fallback());
    assert_eq!(text(&diagnostics), "");
    (sources, desired)
}

#[test]
fn the_quickstart_loads() {
    let (_, desired) = shipped("quickstart");
    assert_eq!(desired.places.len(), 1);
    assert_eq!(desired.key_count(), 2);
}

#[test]
fn the_bootstrap_loads_in_both_regions() {
    let (_, desired) = shipped("bootstrap");
    assert_eq!(desired.places.len(), 2);
    assert_eq!(desired.key_count(), 12);
}

#[test]
fn the_expectations_of_the_examples_hold() {
    for name in ["quickstart", "bootstrap"] {
        let (_, desired) = shipped(name);
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        let outcome = expectation::check(&desired, now);
        let found: Vec<Diagnostic> = outcome
            .failures
            .iter()
            .map(|failure| failure.diagnostic.clone())
            .collect();
        assert_eq!(text(&found), "", "{name}");
        assert!(outcome.expectations > 2, "{name}");
    }
}

#[test]
fn reads_yaml_files_of_all_folders_in_order() {
    let folder = Folder::new();
    folder
        .write("b.yaml", "kind: Key\nname: b\n")
        .write("a/z.yml", "kind: Key\nname: z\n")
        .write("a/notes.txt", "not a manifest")
        .write(".git/config.yaml", "not a manifest");
    let (sources, diagnostics) = Sources::read(&[folder.path().to_owned()]);
    assert_eq!(diagnostics, []);
    let names: Vec<&str> = sources
        .files()
        .iter()
        .map(|source| source.path().strip_prefix(folder.path()).unwrap().as_str())
        .collect();
    assert_eq!(names, ["a/z.yml", "b.yaml"]);
}

#[test]
fn reads_a_file_once_when_it_is_named_twice() {
    let folder = Folder::new();
    folder.write("a.yaml", "kind: Key\nname: a\n");
    let paths = [folder.path().to_owned(), folder.path().join("a.yaml")];
    let (sources, _) = Sources::read(&paths);
    assert_eq!(sources.files().len(), 1);
}

#[test]
fn refuses_a_huge_file_by_its_size() {
    let folder = Folder::new();
    let file = File::create(folder.path().join("huge.yaml")).unwrap();
    file.set_len(100 * 1024 * 1024).unwrap();
    folder.write("small.yaml", "kind: Key\nname: small\n");
    let (desired, report) = folder.load();
    assert_eq!(desired.key_count(), 1);
    insta::assert_snapshot!(report, @r#"
    error[file-too-large]: `DIR/huge.yaml` has 100 MiB
    --> DIR/huge.yaml
     = help: a manifest file has at most 4 MiB; split it, or point at another folder

    1 error
    "#);
}

#[test]
#[cfg(unix)]
fn links_bring_no_file_and_no_folder_a_second_time() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new();
    folder.write("a.yaml", "kind: Key\nname: a\nadministrators: [role/x]\n");
    folder.write(
        "more/b.yaml",
        "kind: Key\nname: b\nadministrators: [role/x]\n",
    );
    // Two loops: followed blindly, they are four billion folders.
    for loop_name in ["x", "y"] {
        symlink(".", folder.path().join(loop_name)).unwrap();
    }
    symlink("more", folder.path().join("again")).unwrap();
    symlink("a.yaml", folder.path().join("c.yaml")).unwrap();
    let (desired, report) = folder.load();
    assert_eq!(report, "");
    assert_eq!(desired.key_count(), 2);
    let paths = ["a.yaml", "more/../a.yaml", "c.yaml"].map(|name| folder.path().join(name));
    let (sources, diagnostics) = Sources::read(&paths);
    assert_eq!(diagnostics, []);
    assert_eq!(sources.files().len(), 1);
}

#[test]
#[cfg(unix)]
fn a_policy_file_that_never_ends_is_refused() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new();
    symlink("/dev/zero", folder.path().join("zero.json")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path().join("fifo.json"))
        .status();
    assert!(made.unwrap().success());
    folder.write("a.yaml", "kind: Key\nname: a\npolicy: {file: zero.json}\n");
    folder.write("b.yaml", "kind: Key\nname: b\npolicy: {file: fifo.json}\n");
    let (_, report) = folder.load();
    insta::assert_snapshot!(report, @r"
    error[unreadable-file]: cannot read `DIR/zero.json`: it is not a file
     --> DIR/a.yaml:3:16
      |
    3 | policy: {file: zero.json}
      |                ^^^^^^^^^

    error[unreadable-file]: cannot read `DIR/fifo.json`: it is not a file
     --> DIR/b.yaml:3:16
      |
    3 | policy: {file: fifo.json}
      |                ^^^^^^^^^

    2 errors
    ");
}

#[test]
#[cfg(unix)]
fn a_file_name_that_is_not_utf_8_is_told_of_by_its_own_name() {
    use std::os::unix::ffi::OsStrExt as _;

    let folder = Folder::new();
    folder.write("a.yaml", "kind: Key\nname: a\nadministrators: [role/x]\n");
    for name in [&b"caf\xe9.yaml"[..], b"caf\xe9.txt"] {
        let path = folder.0.path().join(std::ffi::OsStr::from_bytes(name));
        fs::write(path, "kind: Key\n").unwrap();
    }
    let (_, report) = folder.load();
    insta::assert_snapshot!(report, @r"
    error[unreadable-file]: cannot read `DIR/caf�.yaml`: its name is not UTF-8; rename it
    --> DIR/caf�.yaml

    1 error
    ");
}

#[test]
fn no_more_files_are_told_of_than_a_person_may_want_to_read() {
    let paths: Vec<Utf8PathBuf> = (0..600).map(|n| format!("nowhere/{n}").into()).collect();
    let (_, diagnostics) = Sources::read(&paths);
    assert_eq!(diagnostics.len(), 501);
    assert_eq!(
        diagnostics.last().unwrap().message,
        "100 more faults are not shown"
    );
}

#[test]
fn tells_of_paths_that_hold_nothing() {
    let folder = Folder::new();
    folder.write("notes.txt", "not a manifest");
    let (_, report) = folder.load();
    insta::assert_snapshot!(report, @r#"
    error[no-manifests]: no manifests under `DIR`
    --> DIR
     = help: manifests are files that end in `.yaml` or `.yml`

    1 error
    "#);
    let (_, diagnostics) = Sources::read(&[folder.path().join("nowhere")]);
    insta::assert_snapshot!(folder.shown(&diagnostics), @r#"
    error[unreadable-file]: cannot read `DIR/nowhere`: it does not exist
    --> DIR/nowhere
     = help: name the files or the folder in which your manifests are; `docs/manifests.md` tells how to write one

    1 error
    "#);
}

#[test]
fn reports_the_faults_of_all_files_together() {
    let folder = Folder::new();
    folder
        .write("a.yaml", "kind: Key\nname: payments\ncolour: blue\n")
        .write("b.yaml", "kind: Key\nname: payments\nusers: [\n")
        .write("c.yaml", "kind: Key\nname: payments\n");
    let (_, report) = folder.load();
    insta::assert_snapshot!(report, @r#"
    error[unknown-field]: `colour` is not a field of a key
     --> DIR/a.yaml:3:1
      |
    3 | colour: blue
      | ^^^^^^
      |
      = help: its fields are name, aliases, formerly, id, accounts, regions, description, spec, usage, origin, enabled, rotation, rotations_on_demand, tags, iam_policies, administrators, administrators_may_delete, users, statements, policy, grants, unmanaged_grants, deletion, state

    error[yaml-syntax]: not valid YAML: unclosed bracket '['
     --> DIR/b.yaml:3:8
      |
    3 | users: [
      |        ^

    error[duplicate-name]: two keys are named `payments`
     --> DIR/c.yaml:2:7
      |
    2 | name: payments
      |       ^^^^^^^^
      |
     ::: DIR/a.yaml:2:7
      |
    2 | name: payments
      |       -------- the first is here

    3 errors
    "#);
}

#[test]
fn shows_the_line_of_a_fault_whatever_ends_lines() {
    for end in ["\n", "\r", "\r\n"] {
        let lines = ["kind: Key", "name: a", "colour: blue", "enabled: false", ""];
        let (sources, _) = Sources::from_texts([("a.yaml".into(), lines.join(end).into_bytes())]);
        let (_, diagnostics) = manifest::load(&sources, &fallback());
        let location = &diagnostics[0].locations[0];
        assert_eq!(
            (location.line, &*location.source),
            (3, "colour: blue"),
            "{end:?}"
        );
    }
}

#[test]
fn writes_diagnostics_as_json() {
    let (sources, _) = Sources::from_texts([("a.yaml".into(), b"kind: key\nname: b\n".to_vec())]);
    let (_, diagnostics) = manifest::load(&sources, &fallback());
    insta::assert_snapshot!(json(&diagnostics), @r#"[{"code":"unknown-kind","severity":"error","message":"`key` is not a kind of manifest","locations":[{"file":"a.yaml","line":1,"column":7,"length":3}],"help":"did you mean `Key`?"}]"#);
}

#[test]
fn colours_only_when_asked() {
    let (sources, _) = Sources::from_texts([("a.yaml".into(), b"kind: key\n".to_vec())]);
    let (_, diagnostics) = manifest::load(&sources, &fallback());
    assert!(!text(&diagnostics).contains('\u{1b}'));
    assert!(diagnostics::text(&diagnostics, Colour::Always).contains('\u{1b}'));
}

#[test]
fn survives_hundreds_of_thousands_of_fields() {
    let fields: Vec<String> = (0..150_000).map(|n| format!("f{n}: x")).collect();
    let text = format!("kind: Key\nname: payments\n{}\n", fields.join("\n"));
    let (sources, _) = Sources::from_texts([("a.yaml".into(), text.into_bytes())]);
    let (_, diagnostics) = manifest::load(&sources, &fallback());
    assert_eq!(diagnostics.len(), 501);
}

/// Every field of every kind, from the schema itself.
fn schema_fields(kind: &str) -> BTreeSet<String> {
    let schema = manifest::schema();
    let fields = schema["$defs"][kind]["properties"].as_object().unwrap();
    fields.keys().cloned().collect()
}

#[test]
fn every_field_of_the_schema_is_one_that_the_reader_knows() {
    for kind in ["Account", "Team", "Key", "Grant", "Identity", "Expectation"] {
        for field in schema_fields(kind) {
            let manifest = format!("kind: {kind}\n{field}:\n");
            let (sources, _) = Sources::from_texts([("a.yaml".into(), manifest.into_bytes())]);
            let (_, diagnostics) = manifest::load(&sources, &fallback());
            let unknown = diagnostics
                .iter()
                .find(|found| found.code == "unknown-field");
            assert_eq!(unknown, None, "{kind}.{field}");
        }
    }
}

#[test]
fn the_schema_names_every_field_that_the_reader_offers() {
    for kind in ["Account", "Team", "Key", "Grant", "Identity", "Expectation"] {
        let manifest = format!("kind: {kind}\nqqqqqqqq: 1\n");
        let (sources, _) = Sources::from_texts([("a.yaml".into(), manifest.into_bytes())]);
        let (_, diagnostics) = manifest::load(&sources, &fallback());
        let help = diagnostics
            .iter()
            .find(|found| found.code == "unknown-field")
            .and_then(|found| found.help.clone())
            .unwrap();
        let offered = help.strip_prefix("its fields are ").unwrap().split(", ");
        let mut offered: BTreeSet<String> = offered.map(str::to_owned).collect();
        offered.insert("kind".to_owned());
        assert_eq!(offered, schema_fields(kind), "{kind}");
    }
}

fn load_bytes(bytes: Vec<u8>) {
    let (sources, mut diagnostics) = Sources::from_texts([(Utf8PathBuf::from("a.yaml"), bytes)]);
    let (_, more) = manifest::load(&sources, &fallback());
    diagnostics.extend(more);
    let shown = text(&diagnostics);
    assert_eq!(shown.is_empty(), diagnostics.is_empty());
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        load_bytes(bytes);
    }

    #[test]
    fn random_yaml_never_panics(text in "[a-z&*!<>|\\-:,\\[\\]{}\"' #%@\n\t0-9é]{0,200}") {
        load_bytes(text.into_bytes());
    }

    #[test]
    fn mutated_manifests_never_panic(file in 0..6_usize, at in 0..900_usize, cut in 0..40_usize, insert in "\\PC{0,12}") {
        let (sources, _) = shipped(if file < 2 { "quickstart" } else { "bootstrap" });
        let text = sources.files()[file].text();
        let characters: Vec<char> = text.chars().collect();
        let at = at.min(characters.len());
        let after = (at + cut).min(characters.len());
        let mutated: String = characters[..at].iter().copied().chain(insert.chars()).chain(characters[after..].iter().copied()).collect();
        load_bytes(mutated.into_bytes());
    }
}
