//! `keywright check`: manifests, offline.

use crate::cli::args::CheckArgs;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::session;
use crate::cli::target;
use crate::diagnostic::Diagnostic;
use crate::manifest::{self, Fallback, Sources};

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    let (sources, mut found) = Sources::read(&args.manifests.paths);
    let (desired, more) = manifest::load(
        &sources,
        &Fallback {
            place: target::local_place()?,
        },
    );
    found.extend(more);
    let is_wrong = found.iter().any(Diagnostic::is_error);
    if output::shows_text(&args.outputs.outputs) {
        session::tell(&found)?;
    }
    output::write_check(&args.outputs.outputs, &found, &desired)?;
    Ok(if is_wrong { Exit::Error } else { Exit::Done })
}
