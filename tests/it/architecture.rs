//! The layout as a test: who may use whom, what every file says of itself, and where output belongs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every Rust file below a folder, with its path from the root of the project.
fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(ROOT).join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(ROOT).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

/// The module that a file of `src` belongs to; `None` for `main.rs` and `lib.rs`.
fn module(path: &Path) -> Option<String> {
    let first = path.iter().nth(1)?.to_str()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (name != "main" && name != "lib").then(|| name.to_owned())
}

/// The table of `ARCHITECTURE.md`: each module with those that it may use.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let names = |cell: &str| {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect::<BTreeSet<String>>()
    };
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').collect();
        (names(cells[1]).pop_first().unwrap(), names(cells[3]))
    };
    rows.map(row).collect()
}

/// The modules that a text names after `crate::`, alone or in braces.
fn used(text: &str) -> BTreeSet<String> {
    let ident = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut used = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            used.insert(ident(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && c.is_alphabetic() => {
                    used.insert(ident(&group[index..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    used
}

#[test]
fn modules_use_only_what_the_table_allows() {
    let table = table();
    let mut wrong = Vec::new();
    for (path, text) in files("src") {
        let Some(module) = module(&path) else {
            continue;
        };
        let allowed = table
            .get(&module)
            .unwrap_or_else(|| panic!("{module} has no row in ARCHITECTURE.md"));
        if module == "cli" {
            continue;
        }
        let others = used(&text)
            .into_iter()
            .filter(|other| table.contains_key(other) && *other != module);
        wrong.extend(
            others
                .filter(|other| !allowed.contains(other))
                .map(|other| format!("{} uses {other}", path.display())),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_has_a_row_for_each_module_and_no_other() {
    let modules: BTreeSet<String> = files("src")
        .iter()
        .filter_map(|(path, _)| module(path))
        .collect();
    assert_eq!(table().into_keys().collect::<BTreeSet<_>>(), modules);
}

#[test]
fn every_file_says_what_it_is() {
    for folder in ["src", "tests", "benches"] {
        for (path, text) in files(folder) {
            assert!(
                text.starts_with("//! "),
                "{} does not open with `//! `",
                path.display()
            );
        }
    }
}

#[test]
fn files_are_short() {
    for (path, text) in files("src") {
        let lines = text
            .lines()
            .take_while(|line| !line.starts_with("#[cfg(test)]"))
            .count();
        let is_test = path.ends_with("tests.rs");
        let is_table =
            ["src/model/operation.rs", "src/model/key.rs"].contains(&path.to_str().unwrap());
        assert!(
            lines <= 600 || is_table || is_test,
            "{} has {lines} lines",
            path.display()
        );
    }
    assert!(
        fs::read_to_string(Path::new(ROOT).join("src/main.rs"))
            .unwrap()
            .lines()
            .count()
            <= 40
    );
    assert!(
        fs::read_to_string(Path::new(ROOT).join("src/lib.rs"))
            .unwrap()
            .lines()
            .count()
            <= 80
    );
    assert!(
        fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md"))
            .unwrap()
            .lines()
            .count()
            <= 150
    );
}

#[test]
fn only_the_command_line_prints_and_ends_the_process() {
    for (path, text) in files("src") {
        if module(&path).is_none_or(|module| module == "cli") {
            continue;
        }
        for word in [
            "println!",
            "eprintln!",
            "print!(",
            "std::process",
            "anyhow::",
            "io::stdout",
            "io::stderr",
        ] {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}

#[test]
fn the_planner_has_no_clock_no_randomness_and_waits_for_nothing() {
    for (path, text) in files("src/plan") {
        for word in [
            "async ",
            ".await",
            "Timestamp::now",
            "rand::",
            "aws_sdk",
            "tokio",
        ] {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}

#[test]
fn every_test_file_is_part_of_the_test_binary() {
    let main = fs::read_to_string(Path::new(ROOT).join("tests/it/main.rs")).unwrap();
    for entry in fs::read_dir(Path::new(ROOT).join("tests/it")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_module =
            path.extension().is_some_and(|ending| ending == "rs") || path.join("mod.rs").exists();
        assert!(
            name == "main" || !is_module || main.contains(&format!("mod {name};")),
            "{name} is not in main.rs"
        );
    }
}
