//! JSON Lines: one question a line, one answer a line, in order, with nothing held back.

use std::io::{BufRead, BufReader, Write as _};

use anyhow::Context as _;
use camino::Utf8Path;
use serde_json::{Map, Value};

use super::exit::Exit;

/// Answers each line of a file, or of the standard input where it is `-`. A line without an answer says why, and the
/// others are still answered.
pub(super) fn answer(
    file: &Utf8Path,
    mut answer: impl FnMut(&Value) -> Result<Map<String, Value>, String>,
) -> anyhow::Result<Exit> {
    let input: Box<dyn BufRead> = if file == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        let opened = std::fs::File::open(file).with_context(|| format!("cannot read {file}"))?;
        Box::new(BufReader::new(opened))
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut exit = Exit::Done;
    for (index, line) in input.lines().enumerate() {
        let line = line.with_context(|| format!("cannot read line {} of {file}", index + 1))?;
        if line.trim().is_empty() {
            continue;
        }
        let question: Result<Value, _> = serde_json::from_str(&line);
        let mut answered = Map::new();
        match question {
            Ok(question) => {
                let id = question.get("id").cloned().unwrap_or(Value::Null);
                answered.insert("id".to_owned(), id);
                match answer(&question) {
                    Ok(more) => answered.extend(more),
                    Err(problem) => {
                        exit = Exit::Error;
                        answered.insert("error".to_owned(), problem.into());
                    }
                }
            }
            Err(error) => {
                exit = Exit::Error;
                answered.insert("id".to_owned(), Value::Null);
                let problem = format!("line {} is not JSON: {error}", index + 1);
                answered.insert("error".to_owned(), problem.into());
            }
        }
        serde_json::to_writer(&mut out, &answered)?;
        writeln!(out)?;
    }
    out.flush()?;
    Ok(exit)
}
