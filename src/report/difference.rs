//! Two sets of manifests side by side: what each key's access gains and loses.

use std::io::{self, Write};

use anstyle::Style;
use serde_json::{Map, Value, json};

use super::comparison::comparison_json;
use super::shifts::{shifts_json, write_shifts};
use super::style::{ADDED, CHANGED, HEADING, PROBLEM, QUIET, REMOVED, paint};
use crate::access::{Comparison, Shifts, Verdict};
use crate::model::{KeyName, Place};

/// Changes when a field changes its meaning; new fields leave it.
const VERSION: u32 = 1;

/// One key in two sets of manifests.
#[derive(Debug)]
pub struct KeyDifference {
    /// The account and Region.
    pub place: Place,
    /// The name, on the second side where it has the key.
    pub name: KeyName,
    /// Which side has it.
    pub presence: Presence,
    /// How the second side stands to the first.
    pub comparison: Comparison,
    /// Who gains and who loses what; `None` where nobody does, or nobody can tell.
    pub shifts: Option<Shifts>,
    /// True when the two sides are word for word the same.
    pub is_same_text: bool,
}

/// Which side has a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Only the first.
    First,
    /// Only the second.
    Second,
    /// Both.
    Both,
    /// Both; the first under this name.
    Renamed(KeyName),
}

impl KeyDifference {
    /// True when access differs, or may.
    pub fn is_different(&self) -> bool {
        self.comparison.scales.full != Verdict::Equivalent
    }

    /// What became of the key, as a word.
    fn word(&self) -> &'static str {
        match &self.presence {
            Presence::First => "removed",
            Presence::Second => "added",
            Presence::Both | Presence::Renamed(_) if self.is_different() => "changed",
            Presence::Renamed(_) => "renamed",
            Presence::Both if self.is_same_text => "same",
            Presence::Both => "reworded",
        }
    }

    fn sign(&self) -> (Style, &'static str) {
        match &self.presence {
            Presence::First => (REMOVED, "-"),
            Presence::Second => (ADDED, "+"),
            Presence::Both | Presence::Renamed(_) if self.is_different() => (CHANGED, "~"),
            Presence::Both | Presence::Renamed(_) => (QUIET, "="),
        }
    }
}

/// Writes what each key's access gains and loses, for people; `sides` are what was typed.
pub fn differences_text(
    keys: &[KeyDifference],
    sides: [&str; 2],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut last = None;
    for key in keys.iter().filter(|key| key.word() != "same") {
        if last.replace(&key.place) != Some(&key.place) {
            writeln!(out, "{}\n", paint(HEADING, &key.place.to_string()))?;
        }
        write_key(key, sides, out)?;
    }
    let count = |word| keys.iter().filter(|key| key.word() == word).count();
    let mut line = format!(
        "Diff: {} added, {} removed, {} changed; {} with the same access",
        count("added"),
        count("removed"),
        count("changed"),
        count("same") + count("renamed") + count("reworded"),
    );
    if count("reworded") > 0 {
        line = format!("{line}, {} of them in other words", count("reworded"));
    }
    writeln!(out, "{line}.")
}

fn write_key(key: &KeyDifference, sides: [&str; 2], out: &mut dyn Write) -> io::Result<()> {
    let [first, second] = sides;
    let (style, sign) = key.sign();
    let what = match &key.presence {
        Presence::First => format!("  only in {first}"),
        Presence::Second => format!("  only in {second}"),
        Presence::Both if key.is_different() => String::new(),
        Presence::Both => "  the same access in other words".to_owned(),
        Presence::Renamed(name) if key.is_different() => format!("  was {name}"),
        Presence::Renamed(name) => format!("  was {name}; the same access"),
    };
    let name = paint(HEADING, key.name.as_str());
    writeln!(out, "{} {name}{}", paint(style, sign), paint(QUIET, &what))?;
    if let Some(shifts) = &key.shifts {
        write_shifts(shifts, "    ", "", out)?;
    }
    if let Some(why) = &key.comparison.reason {
        let text = format!("access undetermined, take it as wider: {why}");
        writeln!(out, "    {}", paint(PROBLEM, &text))?;
    }
    writeln!(out)
}

/// The same for programs.
pub fn differences_json(keys: &[KeyDifference]) -> Value {
    json!({
        "version": VERSION,
        "verb": "diff",
        "keys": keys.iter().map(key_json).collect::<Vec<_>>(),
    })
}

fn key_json(key: &KeyDifference) -> Value {
    let KeyDifference {
        place,
        name,
        presence,
        comparison,
        shifts,
        is_same_text: _,
    } = key;
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("account", place.account.as_str().into());
    put("region", place.region.as_str().into());
    put("name", name.as_str().into());
    if let Presence::Renamed(name) = presence {
        put("was", name.as_str().into());
    }
    put("change", key.word().into());
    object.extend(comparison_json(comparison));
    let shifts = shifts.as_ref().map(shifts_json);
    object.insert("shifts".to_owned(), shifts.unwrap_or_default());
    Value::Object(object)
}
