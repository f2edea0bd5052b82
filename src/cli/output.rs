//! Where reports go: formats, files and the standard output.

use std::io::Write as _;
use std::str::FromStr;

use anstream::{AutoStream, StripStream};
use anyhow::Context as _;
use camino::Utf8PathBuf;

use super::exit::{Exit, unless_gone};
use super::session::Faulty;
use crate::diagnostic::{Diagnostic, Severity};
use crate::report::{self, Checked, Format, Report, diagnostics};

/// A format, and the file that it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutputSpec {
    pub(super) format: Format,
    /// `None` for the standard output.
    pub(super) file: Option<Utf8PathBuf>,
}

/// The report for people, on the standard output.
const STANDARD: OutputSpec = OutputSpec {
    format: Format::Text,
    file: None,
};

impl FromStr for OutputSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err("a file name must follow `=`".to_owned()),
            Some((format, file)) => (format, Some(Utf8PathBuf::from(file))),
            None => (text, None),
        };
        let format = match format {
            "text" => Format::Text,
            "json" => Format::Json,
            _ => {
                return Err(format!(
                    "`{format}` is not a format; write `text` or `json`"
                ));
            }
        };
        Ok(Self { format, file })
    }
}

/// Makes sure that every file can be written, before anything is done that it should tell of.
pub(super) fn prepare(outputs: &[OutputSpec]) -> anyhow::Result<()> {
    for path in outputs.iter().filter_map(|output| output.file.as_ref()) {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        file.with_context(|| format!("cannot write {path}"))?;
    }
    Ok(())
}

/// Writes the report in every format that was asked for.
pub(super) fn write(outputs: &[OutputSpec], report: Report<'_>) -> anyhow::Result<()> {
    each(outputs, |format, out| report::render(report, format, out))
}

/// Writes the report everywhere but as text on the standard output.
pub(super) fn write_beside_text(outputs: &[OutputSpec], report: Report<'_>) -> anyhow::Result<()> {
    let mut outputs = complete(outputs);
    outputs.retain(|output| *output != STANDARD);
    each_only(&outputs, |format, out| report::render(report, format, out))
}

/// Writes what `check` found; faults and findings themselves are told on stderr where the text goes to a terminal.
pub(super) fn write_check(outputs: &[OutputSpec], checked: &Checked<'_>) -> anyhow::Result<()> {
    each(outputs, |format, out| match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &report::check_json(checked))?;
            writeln!(out)
        }
        Format::Text => report::check_summary(checked, out),
    })
}

/// The end of a run; where it failed, programs are told why as people are on stderr.
pub(super) fn ended(
    verb: &str,
    outputs: &[OutputSpec],
    result: anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let Err(error) = result else {
        return result;
    };
    match error.downcast::<Faulty>() {
        Ok(Faulty(faults)) => {
            write_faults(verb, outputs, &faults)?;
            Ok(Exit::Error)
        }
        Err(error) => {
            // Where this fails too, the first error is still the one to tell.
            let _ignored = write_faults(verb, outputs, &[unplaced(format!("{error:#}"))]);
            Err(error)
        }
    }
}

/// What ended a run, where no file is to blame.
fn unplaced(message: String) -> Diagnostic {
    Diagnostic {
        code: "failed",
        severity: Severity::Error,
        message,
        locations: Vec::new(),
        notes: Vec::new(),
        help: None,
    }
}

/// Tells programs of faults that ended a run; people read them on stderr.
pub(super) fn write_faults(
    verb: &str,
    outputs: &[OutputSpec],
    faults: &[Diagnostic],
) -> anyhow::Result<()> {
    let mut outputs = complete(outputs);
    outputs.retain(|output| *output != STANDARD);
    each_only(&outputs, |format, out| match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &report::faults_json(verb, faults))?;
            writeln!(out)
        }
        Format::Text => {
            let text = diagnostics::text(faults, diagnostics::Colour::Never);
            out.write_all(text.as_bytes())
        }
    })
}

/// Writes in every format that was asked for, to its file or the standard output.
pub(super) fn each(
    outputs: &[OutputSpec],
    write: impl Fn(Format, &mut dyn std::io::Write) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    each_only(&complete(outputs), write)
}

/// What was asked for, and the text on the standard output where nothing else goes there: a file takes nobody's place.
fn complete(outputs: &[OutputSpec]) -> Vec<OutputSpec> {
    let mut outputs = outputs.to_vec();
    if outputs.iter().all(|output| output.file.is_some()) {
        outputs.push(STANDARD);
    }
    outputs
}

fn each_only(
    outputs: &[OutputSpec],
    write: impl Fn(Format, &mut dyn std::io::Write) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    for OutputSpec { format, file } in outputs {
        match file {
            None => {
                let mut out = AutoStream::auto(std::io::stdout().lock());
                unless_gone(write(*format, &mut out).and_then(|()| out.flush()))?;
            }
            Some(path) => {
                let mut bytes = StripStream::new(Vec::new());
                write(*format, &mut bytes)?;
                std::fs::write(path, bytes.into_inner())
                    .with_context(|| format!("cannot write {path}"))?;
            }
        }
    }
    Ok(())
}

/// True when the report for people goes to the standard output.
pub(super) fn shows_text(outputs: &[OutputSpec]) -> bool {
    complete(outputs).contains(&STANDARD)
}
