//! `keywright drift`: a read-only plan for scheduled jobs.

use crate::cli::args::DriftArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::session::{self, Session};
use crate::observe::Others;
use crate::plan::{Allow, Limits, Note};
use crate::report::Report;

pub(super) async fn run(args: &DriftArgs, context: &Context) -> anyhow::Result<Exit> {
    output::prepare(&args.outputs.outputs)?;
    let session = match Session::open(&args.manifests, &args.target, context).await? {
        Ok(session) => session,
        Err(faults) => {
            output::write_faults("drift", &args.outputs.outputs, &faults)?;
            return Ok(Exit::Error);
        }
    };
    // What a person would have to allow is drift all the same, and not a refusal.
    let allow = Allow {
        adoption: false,
        disabling: true,
        deletion: true,
        mass_change: true,
        lockout: true,
        undetermined: true,
    };
    let limits = Limits {
        now: context.now,
        allow,
        rewrite: false,
    };
    let mut plan = session.plan(&limits, Others::Always).await;
    if !args.all {
        for place in &mut plan.places {
            place.unmanaged.clear();
        }
    }
    let calls = session.calls();
    output::write(
        &args.outputs.outputs,
        Report {
            verb: "drift",
            plan: &plan,
            applied: None,
            calls: &calls,
        },
    )?;
    let exit = session::exit_of(&plan);
    let strays = [Note::UNMANAGED_GRANT, Note::UNMANAGED_ALIAS];
    // What waits differs all the same, though no run can change it now.
    let drifted = plan.has_note(&[Note::WAITING]) || args.all && plan.has_note(&strays);
    Ok(if exit == Exit::Done && drifted {
        Exit::Changes
    } else {
        exit
    })
}
