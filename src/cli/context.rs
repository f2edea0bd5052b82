//! What the process knows: environment, terminal and time, read once.

use std::io::IsTerminal as _;

use anstream::ColorChoice;
use anyhow::Context as _;
use jiff::Timestamp;

use super::args::{Args, Colour};

/// The surroundings of a run.
#[derive(Debug)]
pub(super) struct Context {
    /// Now.
    pub(super) now: Timestamp,
    /// Whether a person can answer on the standard input.
    pub(super) can_ask: bool,
    /// Whether a person watches the standard error.
    pub(super) is_watched: bool,
    /// How many columns the terminal of the standard output has.
    pub(super) width: Option<usize>,
    /// Whether credentials are in the environment.
    pub(super) has_credentials: bool,
    /// The Region of the environment, for the local engine.
    pub(super) region: Option<String>,
    /// For tests of recovery: how the engine fails the run.
    pub(super) engine_fault: Option<String>,
}

impl Context {
    /// Reads the surroundings and settles the colour for the whole run.
    pub(super) fn from_process(args: &Args) -> anyhow::Result<Self> {
        match args.color {
            Colour::Auto => {}
            Colour::Always => ColorChoice::Always.write_global(),
            Colour::Never => ColorChoice::Never.write_global(),
        }
        let now = match variable("KEYWRIGHT_NOW") {
            // What the parser stumbled over says less than an example.
            Some(text) => text.parse().ok().with_context(|| {
                format!(
                    "KEYWRIGHT_NOW is `{text}`, which is not a time such as `2026-01-01T00:00:00Z`"
                )
            })?,
            None => Timestamp::now(),
        };
        Ok(Self {
            now,
            can_ask: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            is_watched: std::io::stderr().is_terminal(),
            width: terminal_size::terminal_size_of(std::io::stdout())
                .map(|(terminal_size::Width(columns), _)| usize::from(columns)),
            has_credentials: variable("AWS_ACCESS_KEY_ID").is_some()
                || variable("AWS_PROFILE").is_some(),
            region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
            // A released program has no way to fail on purpose.
            engine_fault: variable("KEYWRIGHT_ENGINE_FAULT").filter(|_| cfg!(debug_assertions)),
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where the environment is read"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
