//! What the process knows: environment, terminal and time, read once.

use std::io::IsTerminal as _;
use std::process::{Command, Stdio};

use anstream::ColorChoice;
use anyhow::{Context as _, ensure};
use jiff::Timestamp;

use super::args::{Args, Colour};
use crate::engine::MasterSecret;

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
    /// Who has the local engine's master key, where it is not beside the state.
    pub(super) master_key: Option<KeyHolder>,
    /// For tests of recovery: how the engine fails the run.
    pub(super) engine_fault: Option<String>,
}

/// Who has the local engine's master key.
#[derive(Clone, Debug)]
pub(super) enum KeyHolder {
    /// The environment.
    Environment(MasterSecret),
    /// A command, which prints it.
    Command(String),
}

impl KeyHolder {
    fn from_environment() -> anyhow::Result<Option<Self>> {
        if let Some(text) = variable("KEYWRIGHT_MASTER_KEY") {
            let secret = text.parse().context("cannot use KEYWRIGHT_MASTER_KEY")?;
            return Ok(Some(Self::Environment(secret)));
        }
        Ok(variable("KEYWRIGHT_MASTER_KEY_COMMAND").map(Self::Command))
    }

    fn tell(&self) -> anyhow::Result<MasterSecret> {
        let command = match self {
            Self::Environment(secret) => return Ok(secret.clone()),
            Self::Command(command) => command,
        };
        let (shell, flag) = if cfg!(windows) {
            ("cmd", "/C")
        } else {
            ("sh", "-c")
        };
        let mut shell = Command::new(shell);
        let run = shell
            .args([flag, command])
            .stderr(Stdio::inherit())
            .output();
        let run = run.with_context(|| format!("cannot run `{command}`"))?;
        ensure!(run.status.success(), "`{command}` failed: {}", run.status);
        let told = String::from_utf8_lossy(&run.stdout).parse();
        told.with_context(|| format!("cannot use what `{command}` prints"))
    }
}

impl Context {
    /// The local engine's master key, where it is not beside the state.
    pub(super) fn master_key(&self) -> anyhow::Result<Option<MasterSecret>> {
        self.master_key.as_ref().map(KeyHolder::tell).transpose()
    }

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
            master_key: KeyHolder::from_environment()?,
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
