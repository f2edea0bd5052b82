//! The command line: arguments → context → one command. The only place that knows a terminal, the environment and the process.

mod args;
mod command;
mod context;
mod exit;
mod fault;
mod identities;
mod keys;
mod lines;
mod output;
mod progress;
mod session;
mod target;

use std::process::ExitCode;

use clap::Parser as _;

pub use exit::Exit;

/// Runs the program and says how it ended.
pub fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(usage) => return exit::report_usage(&usage),
    };
    let context = match context::Context::from_process(&args) {
        Ok(context) => context,
        Err(error) => return exit::report(&Err(error)),
    };
    exit::report(&command::run(&args, &context))
}
