//! Where reports go: formats, files and the standard output.

use std::io::Write as _;
use std::str::FromStr;

use anstream::{AutoStream, StripStream};
use anyhow::Context as _;
use camino::Utf8PathBuf;

use crate::report::{self, Format, Report};

/// A format, and the file that it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutputSpec {
    pub(super) format: Format,
    /// `None` for the standard output.
    pub(super) file: Option<Utf8PathBuf>,
}

/// The report for people, on the standard output.
pub(super) const STANDARD: OutputSpec = OutputSpec { format: Format::Text, file: None };

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
            _ => return Err(format!("`{format}` is not a format; write `text` or `json`")),
        };
        Ok(Self { format, file })
    }
}

/// Writes the report in every format that was asked for.
pub(super) fn write(outputs: &[OutputSpec], report: Report<'_>) -> anyhow::Result<()> {
    for OutputSpec { format, file } in outputs {
        match file {
            None => {
                let mut out = AutoStream::auto(std::io::stdout().lock());
                report::render(report, *format, &mut out)?;
                out.flush()?;
            }
            Some(path) => {
                let mut bytes = StripStream::new(Vec::new());
                report::render(report, *format, &mut bytes)?;
                std::fs::write(path, bytes.into_inner()).with_context(|| format!("cannot write {path}"))?;
            }
        }
    }
    Ok(())
}

/// True when the report for people goes to the standard output.
pub(super) fn shows_text(outputs: &[OutputSpec]) -> bool {
    outputs.contains(&STANDARD)
}
