//! JSON Lines: one question a line, one answer a line, in order, with nothing held back.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read, Write as _};

use anyhow::Context as _;
use camino::Utf8Path;
use serde_json::{Map, Value};

use super::exit::Exit;
use crate::policy::read_json;

/// The longest line that is read: a key can have 50,000 grants.
const LONGEST: u64 = 64 << 20;

/// Answers each line of a file, or of the standard input where it is `-`. A line without an answer says why, and the
/// others are still answered.
pub(super) fn answer(
    file: &Utf8Path,
    answer: impl FnMut(&Value) -> Result<Map<String, Value>, String>,
) -> anyhow::Result<Exit> {
    let input: Box<dyn Read> = if file == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(File::open(file).with_context(|| format!("cannot read {file}"))?)
    };
    answer_all(file, BufReader::new(input), answer)
}

fn answer_all(
    file: &Utf8Path,
    mut input: BufReader<impl Read>,
    mut answer: impl FnMut(&Value) -> Result<Map<String, Value>, String>,
) -> anyhow::Result<Exit> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut exit = Exit::Done;
    let mut line = Vec::new();
    for number in 1_u64.. {
        let place = || format!("cannot read line {number} of {file}");
        let Some(end) = next(&mut input, &mut line).with_context(place)? else {
            break;
        };
        if end == End::Whole && line.trim_ascii().is_empty() {
            continue;
        }
        let (id, question) = question(&line, end);
        let answered = question.and_then(|question| answer(&question));
        let mut object = Map::from_iter([("id".to_owned(), id)]);
        match answered {
            Ok(more) => object.extend(more),
            Err(problem) => {
                exit = Exit::Error;
                // A line of JSON has no lines of its own to count.
                let problem = problem.replace(" at line 1 column ", " at column ");
                object.insert(
                    "error".to_owned(),
                    format!("line {number}: {problem}").into(),
                );
            }
        }
        serde_json::to_writer(&mut out, &object)?;
        writeln!(out)?;
        // Whoever asks one question and waits gets the answer.
        if input.buffer().is_empty() {
            out.flush()?;
        }
    }
    out.flush()?;
    Ok(exit)
}

/// A line's question with its `id`, which is there even where the rest cannot be used.
fn question(line: &[u8], end: End) -> (Value, Result<Value, String>) {
    let text = match (end, std::str::from_utf8(line.trim_ascii())) {
        (End::TooLong, _) => {
            let problem = format!("longer than {} MiB", LONGEST >> 20);
            return (Value::Null, Err(problem));
        }
        (End::Whole, Err(_)) => return (Value::Null, Err("not UTF-8".to_owned())),
        (End::Whole, Ok(text)) => text,
    };
    let id = |value: &Value| value.get("id").cloned().unwrap_or_default();
    match read_json(text) {
        Ok(question) => (id(&question), Ok(question)),
        Err(problem) => {
            let careless = serde_json::from_str(text).unwrap_or_default();
            (id(&careless), Err(problem.to_string()))
        }
    }
}

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    TooLong,
}

/// Reads the next line, without more of it than may be kept; `None` at the end.
fn next(input: &mut BufReader<impl Read>, line: &mut Vec<u8>) -> std::io::Result<Option<End>> {
    line.clear();
    let read = input.by_ref().take(LONGEST).read_until(b'\n', line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.ends_with(b"\n") || (line.len() as u64) < LONGEST {
        return Ok(Some(End::Whole));
    }
    input.skip_until(b'\n')?;
    Ok(Some(End::TooLong))
}
