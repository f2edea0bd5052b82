//! Who can do what with keys: a matrix for people, boxes of requests for programs.

use std::io::{self, Write};

use anstyle::Style;
use serde_json::{Value, json};

use super::comparison::context_json;
use super::shifts::tagged;
use super::style::{CHANGED, HEADING, PROBLEM, QUIET, paint};
use crate::access::{Cell, Column, Holding, Holdings, Mark, Part, Row, Sample};
use crate::model::{KeyState, Place};
use crate::policy::Level;
use crate::state::ObservedKey;

/// Changes when a field changes its meaning; new fields leave it.
const VERSION: u32 = 1;
/// How wide a matrix may be where nobody says.
const WIDTH: usize = 120;
/// The space between columns.
const GAP: usize = 2;

/// Access to several keys.
#[derive(Debug, Default)]
pub struct AccessReport {
    /// The keys that were read.
    pub keys: Vec<KeyAccess>,
    /// Keys that could not be read: where, which, why.
    pub unreadable: Vec<(Place, String, String)>,
}

/// Access to one key.
#[derive(Debug)]
pub struct KeyAccess {
    /// The key.
    pub key: ObservedKey,
    /// The columns of its matrix.
    pub columns: Vec<Column>,
    /// Who can do what, or why nobody can tell.
    pub access: Result<Holdings, String>,
}

/// Writes a matrix for each key, for people.
pub fn access_text(
    report: &AccessReport,
    width: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let AccessReport { keys, unreadable } = report;
    for KeyAccess {
        key,
        columns,
        access,
    } in keys
    {
        write_heading(key, out)?;
        match access {
            Ok(holdings) => write_matrix(holdings, columns, width.unwrap_or(WIDTH), out)?,
            Err(why) => {
                let text = format!("  undetermined: {why}");
                writeln!(out, "{}", paint(PROBLEM, &text))?;
            }
        }
        writeln!(out)?;
    }
    for (place, name, reason) in unreadable {
        let what = paint(PROBLEM, "unreadable");
        writeln!(out, "{what} {name} in {place}: {reason}")?;
    }
    if keys.iter().any(|key| key.access.is_ok()) {
        let legend = "yes: allowed; IAM: where IAM policies of the principal's account allow it; if, part and numbers: what \
                      the notes say; -: not allowed";
        writeln!(out, "{}", paint(QUIET, legend))?;
    }
    Ok(())
}

fn write_heading(key: &ObservedKey, out: &mut dyn Write) -> io::Result<()> {
    let aliases: Vec<&str> = key.aliases.iter().map(|alias| alias.as_str()).collect();
    let aliases = if aliases.is_empty() {
        "no alias".to_owned()
    } else {
        aliases.join(", ")
    };
    let state = if key.state == KeyState::Enabled {
        String::new()
    } else {
        tagged(std::iter::once(key.state.as_str()))
    };
    let arn = paint(QUIET, &key.arn.to_string());
    writeln!(out, "{}  {arn}{state}", paint(HEADING, &aliases))
}

/// A text with the style that it gets once its width is known.
struct Styled {
    text: String,
    style: Style,
}

fn write_matrix(
    holdings: &Holdings,
    columns: &[Column],
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut notes = Notes::default();
    let rows: Vec<Vec<Styled>> = holdings
        .rows
        .iter()
        .map(|row| row.cells.iter().map(|cell| notes.cell(cell)).collect())
        .collect();
    let heads: Vec<Vec<String>> = columns.iter().map(head).collect();
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(at, head)| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            let texts = head.iter().map(String::as_str);
            longest(texts.chain(cells.map(|cell| cell.text.as_str())))
        })
        .collect();
    let label = longest(holdings.rows.iter().map(|row| row.who.as_str()));
    for block in blocks(&widths, width.saturating_sub(2 + label)) {
        write_head(&heads, &widths, block.clone(), label, out)?;
        for (row, cells) in holdings.rows.iter().zip(&rows) {
            write!(out, "  {:label$}", row.who)?;
            let last = block.end.saturating_sub(1);
            for at in block.clone() {
                let (Some(cell), Some(width)) = (cells.get(at), widths.get(at)) else {
                    continue;
                };
                let pad = if at == last && row_marks(row).is_empty() {
                    0
                } else {
                    width - cell.text.chars().count()
                };
                let text = paint(cell.style, &cell.text);
                write!(out, "{:GAP$}{text}{:pad$}", "", "")?;
            }
            writeln!(out, "{}", row_marks(row))?;
        }
    }
    let digits = notes.0.len().to_string().len();
    for (at, note) in notes.0.iter().enumerate() {
        writeln!(out, "  {:>digits$}  {note}", at + 1)?;
    }
    Ok(())
}

/// The ranges of columns that fit beside the labels, at least one column each.
fn blocks(widths: &[usize], room: usize) -> Vec<std::ops::Range<usize>> {
    let mut blocks = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (at, width) in widths.iter().enumerate() {
        if at > start && used + GAP + width > room {
            blocks.push(start..at);
            (start, used) = (at, 0);
        }
        used += GAP + width;
    }
    blocks.push(start..widths.len());
    blocks
}

fn write_head(
    heads: &[Vec<String>],
    widths: &[usize],
    block: std::ops::Range<usize>,
    label: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let shown = heads.get(block.clone()).unwrap_or_default();
    let lines = shown.iter().map(Vec::len).max().unwrap_or_default();
    for line in 0..lines {
        let mut text = format!("  {:label$}", "");
        for (head, width) in shown
            .iter()
            .zip(widths.get(block.clone()).unwrap_or_default())
        {
            // Short names stand on the last line, next to their cells.
            let at = (line + head.len()).checked_sub(lines);
            let word = at.and_then(|at| head.get(at)).map_or("", String::as_str);
            text = format!("{text}{:GAP$}{word:width$}", "");
        }
        writeln!(out, "{}", paint(QUIET, text.trim_end()))?;
    }
    Ok(())
}

/// A column's name in short lines.
fn head(column: &Column) -> Vec<String> {
    let name = column.capability.to_string();
    name.split_inclusive('-').map(str::to_owned).collect()
}

fn longest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts
        .map(|text| text.chars().count())
        .max()
        .unwrap_or_default()
}

fn row_marks(row: &Row) -> String {
    let deleted = row.is_deleted.then_some("deleted");
    tagged(
        deleted
            .into_iter()
            .chain(row.marks.iter().map(|mark| mark.word())),
    )
}

/// What stands under a matrix, each text once.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn cell(&mut self, cell: &Cell) -> Styled {
        let Cell { whole, more } = cell;
        let has_condition = more.iter().all(|part| !part.conditions.is_empty());
        let (word, style) = match whole {
            Level::Direct => ("yes", Style::new()),
            Level::Delegated => ("IAM", QUIET),
            Level::Deny | Level::None if more.is_empty() => ("-", QUIET),
            Level::Deny | Level::None if has_condition => ("if", CHANGED),
            Level::Deny | Level::None => ("part", CHANGED),
        };
        let numbers: Vec<String> = more.iter().map(|part| self.number(part)).collect();
        let text = format!("{word} {}", numbers.join(","));
        Styled {
            text: text.trim_end().to_owned(),
            style,
        }
    }

    fn number(&mut self, part: &Part) -> String {
        let note = note(part);
        let known = self.0.iter().position(|known| *known == note);
        let at = known.unwrap_or_else(|| {
            self.0.push(note);
            self.0.len() - 1
        });
        (at + 1).to_string()
    }
}

/// Who, what and under which conditions, as far as the row and the column do not say it.
fn note(part: &Part) -> String {
    let Part {
        level,
        principals,
        operations,
        conditions,
    } = part;
    let phrases: Vec<&str> = principals
        .iter()
        .chain(operations)
        .chain(conditions)
        .map(String::as_str)
        .collect();
    let through = match level {
        Level::Delegated => ", where IAM policies allow it",
        Level::Deny | Level::None | Level::Direct => "",
    };
    format!("{}{through}", phrases.join(", "))
}

/// Writes all that is given, for programs.
pub fn access_json(report: &AccessReport, out: &mut dyn Write) -> io::Result<()> {
    let AccessReport { keys, unreadable } = report;
    let unreadable: Vec<Value> = unreadable
        .iter()
        .map(|(place, name, reason)| {
            json!({
                "key": name,
                "account": place.account.as_str(),
                "region": place.region.as_str(),
                "reason": reason,
            })
        })
        .collect();
    let value = json!({
        "version": VERSION,
        "verb": "access",
        "keys": keys.iter().map(key_json).collect::<Vec<_>>(),
        "unreadable": unreadable,
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

fn key_json(held: &KeyAccess) -> Value {
    let KeyAccess {
        key,
        columns: _,
        access,
    } = held;
    let aliases: Vec<&str> = key.aliases.iter().map(|alias| alias.as_str()).collect();
    let mut value = json!({
        "arn": key.arn.to_string(),
        "aliases": aliases,
        "state": key.state.as_str(),
    });
    let told = match access {
        Ok(holdings) => json!({
            "access": holdings.told.iter().map(holding).collect::<Vec<_>>(),
            "hasMore": holdings.has_more,
        }),
        Err(why) => json!({"undetermined": why}),
    };
    if let (Some(object), Value::Object(told)) = (value.as_object_mut(), told) {
        object.extend(told);
    }
    value
}

fn holding(holding: &Holding) -> Value {
    let Holding {
        level,
        principals,
        operations,
        conditions,
        marks,
        witness,
    } = holding;
    let marks: Vec<&str> = marks.iter().copied().map(Mark::word).collect();
    json!({
        "level": level.word(),
        "principals": principals,
        "operations": operations,
        "conditions": conditions,
        "marks": marks,
        "witness": witness.as_ref().map(sample),
    })
}

fn sample(sample: &Sample) -> Value {
    let Sample {
        principal,
        action,
        context,
    } = sample;
    json!({"principal": principal.to_string(), "action": action, "context": context_json(context)})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(widths: &[usize], room: usize, expected: &[[usize; 2]]) {
        let blocks = blocks(widths, room).into_iter();
        let found: Vec<[usize; 2]> = blocks.map(|block| [block.start, block.end]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn columns_that_do_not_fit_go_below() {
        check(&[4, 4, 4], 18, &[[0, 3]]);
        check(&[4, 4, 4], 17, &[[0, 2], [2, 3]]);
        check(&[4, 4, 4], 6, &[[0, 1], [1, 2], [2, 3]]);
        // A column wider than the terminal is shown all the same.
        check(&[40, 4], 6, &[[0, 1], [1, 2]]);
    }

    #[test]
    fn a_narrow_matrix_repeats_its_rows() {
        let column = |capability| Column {
            capability,
            operations: std::collections::BTreeSet::new(),
        };
        let cell = |whole, more| Cell { whole, more };
        let part = Part {
            level: Level::Direct,
            principals: Vec::new(),
            operations: vec!["GenerateDataKey".to_owned()],
            conditions: vec!["only via s3".to_owned()],
        };
        let row = Row {
            who: "role/app".to_owned(),
            is_deleted: false,
            marks: [Mark::Public].into(),
            cells: vec![
                cell(Level::Direct, Vec::new()),
                cell(Level::None, vec![part]),
            ],
        };
        let holdings = Holdings {
            rows: vec![row],
            ..Holdings::default()
        };
        let columns = [
            column(crate::policy::Capability::Decrypt),
            column(crate::policy::Capability::GenerateDataKeys),
        ];
        let mut text = anstream::StripStream::new(Vec::new());
        write_matrix(&holdings, &columns, 20, &mut text).unwrap();
        let text = String::from_utf8(text.into_inner()).unwrap();
        insta::assert_snapshot!(text, @"
                  decrypt
        role/app  yes      [public]
                  generate-
                  data-
                  keys
        role/app  if 1       [public]
        1  GenerateDataKey, only via s3
        ");
    }
}
