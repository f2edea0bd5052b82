//! `keywright check`: manifests, offline.

use crate::cli::args::CheckArgs;
use crate::cli::exit::Exit;
use crate::cli::session;

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    session::check(&args.manifests, &args.outputs.outputs)
}
