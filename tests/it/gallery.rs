//! The sentences of reviews: pairs of a key before and after, and what is told of the difference.
//!
//! Every `gallery/NN-NAME.yaml` has the fields of a key under `before` and `after`, those of both under `key`, and what
//! IAM is known to say under `identities`. `NN-NAME.txt` is what `diff` prints, word for word. To take over new texts
//! after reading them, run the tests with `UPDATE_EXPECT=1`.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use keywright::access::{Rights, Scene, Verdict, compare, shifts};
use keywright::manifest::{self, Sources};
use keywright::model::{KeyArn, KeyName};
use keywright::policy::Grant;
use keywright::report::comparison_text;
use keywright::state::{Desired, DesiredGrant, DesiredKey};

use crate::manifests::{fallback, text};

/// The sections of a pair, each with its lines moved to the margin.
fn sections(pair: &str) -> BTreeMap<&str, String> {
    let mut sections: BTreeMap<&str, String> = BTreeMap::new();
    let mut current = "";
    for line in pair.lines().filter(|line| !line.starts_with('#')) {
        if let Some(inner) = line.strip_prefix("  ") {
            let section = sections.get_mut(current).unwrap();
            section.push_str(inner);
            section.push('\n');
            continue;
        }
        current = line.strip_suffix(':').unwrap_or_else(|| panic!("{line}"));
        let known = ["key", "before", "after", "identities"];
        assert!(known.contains(&current), "{line}");
        sections.insert(current, String::new());
    }
    sections
}

/// What a side's manifest asks for.
fn desired(name: &str, key: &str, identities: &str) -> Desired {
    let manifest = format!("kind: Key\nname: key\n{key}---\n{identities}");
    let (sources, mut diagnostics) =
        Sources::from_texts(vec![(name.into(), manifest.into_bytes())]);
    let (desired, more) = manifest::load(&sources, &fallback());
    diagnostics.extend(more);
    assert!(
        !text(&diagnostics).contains("error["),
        "{}",
        text(&diagnostics)
    );
    desired
}

fn key_of(desired: &Desired) -> &DesiredKey {
    let name: KeyName = "key".parse().unwrap();
    &desired.places[0].keys[&name]
}

fn grants(key: &DesiredKey) -> Vec<Grant> {
    let grant = |grant: &DesiredGrant| Grant {
        id: grant.name.to_string(),
        key: None,
        grantee: grant.terms.grantee.clone(),
        operations: grant
            .terms
            .operations
            .iter()
            .map(|one| one.name().to_owned())
            .collect(),
        constraints: grant.terms.constraints.clone(),
    };
    key.grants.values().map(grant).collect()
}

/// What is told of a pair.
fn told(name: &str, pair: &str) -> String {
    let sections = sections(pair);
    let section = |name| sections.get(name).map_or("", String::as_str);
    let side = |side| {
        let key = format!("{}{}", section("key"), section(side));
        desired(name, &key, section("identities"))
    };
    let (before, after) = (side("before"), side("after"));
    let (a, b) = (key_of(&before), key_of(&after));
    let (grants_a, grants_b) = (grants(a), grants(b));
    let place = &after.places[0];
    let key = KeyArn::of_new_key(place.place.clone());
    let scene = Scene {
        identities: Some(&place.identities),
        ..Scene::of(&key)
    };
    let a = Rights {
        policy: &a.policy,
        grants: &grants_a,
    };
    let b = Rights {
        policy: &b.policy,
        grants: &grants_b,
    };
    let comparison = compare(a, b, &scene);
    let is_known = comparison.scales.full != Verdict::Undetermined;
    let shifts = is_known.then(|| shifts(a, b, &scene).ok()).flatten();
    let mut out = Vec::new();
    comparison_text(&comparison, shifts.as_ref(), place.place.account, &mut out).unwrap();
    anstream::adapter::strip_bytes(&out)
        .into_vec()
        .try_into()
        .unwrap()
}

fn pairs() -> Vec<Utf8PathBuf> {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/gallery");
    let entries = folder.read_dir_utf8().unwrap();
    let mut paths: Vec<Utf8PathBuf> = entries
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension() == Some("yaml"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_pair_is_told_in_its_words() {
    let pairs = pairs();
    assert!(pairs.len() >= 30, "{pairs:?}");
    let mut wrong = Vec::new();
    for path in pairs {
        let name = path.file_name().unwrap();
        let found = told(name, &fs::read_to_string(&path).unwrap());
        let expected_path = path.with_extension("txt");
        if std::env::vars().any(|(name, _)| name == "UPDATE_EXPECT") {
            fs::write(&expected_path, &found).unwrap();
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        if found != expected {
            wrong.push(format!(
                "--- {name}, expected\n{expected}\n--- found\n{found}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
