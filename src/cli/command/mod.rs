//! The verbs, one file each.

mod access;
mod apply;
mod check;
mod diff;
mod drift;
mod engine;
mod explain;
mod plan;
mod serve;

use std::io::Write as _;

use clap::CommandFactory as _;

use super::args::{Args, Verb};
use super::context::Context;
use super::exit::Exit;
use crate::manifest;

/// Runs the verb that was typed.
pub(super) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    match &args.verb {
        Verb::Check(args) => check::run(args, context),
        Verb::Plan(args) => block_on(plan::run(args, context))?,
        Verb::Apply(args) => block_on(apply::run(args, context))?,
        Verb::Drift(args) => block_on(drift::run(args, context))?,
        Verb::Access(args) => block_on(access::run(args, context))?,
        Verb::Explain(args) => block_on(explain::run(args, context))?,
        Verb::Diff(args) => diff::run(args, context),
        Verb::Serve(args) => serve::run(args, context),
        Verb::Engine(args) => engine::run(args, context),
        Verb::Schema => {
            let mut out = std::io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, &manifest::schema())?;
            writeln!(out)?;
            Ok(Exit::Done)
        }
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "keywright", &mut script);
            std::io::stdout().lock().write_all(&script)?;
            Ok(Exit::Done)
        }
    }
}

/// One thread is enough for anything that AWS's quotas allow.
fn block_on<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work))
}
