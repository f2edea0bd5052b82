//! `keywright plan`: what apply would do.

use crate::cli::args::PlanArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::session::{self, Session};
use crate::observe::Others;
use crate::report::Report;

pub(super) async fn run(args: &PlanArgs, context: &Context) -> anyhow::Result<Exit> {
    output::prepare(&args.outputs.outputs)?;
    let session = match Session::open(&args.manifests, &args.target, context).await? {
        Ok(session) => session,
        Err(faults) => {
            output::write_faults("plan", &args.outputs.outputs, &faults)?;
            return Ok(Exit::Error);
        }
    };
    let plan = session
        .plan(&session::limits(&args.allow, context), Others::WhenMissing)
        .await;
    let calls = session.calls();
    output::write(
        &args.outputs.outputs,
        Report {
            verb: "plan",
            plan: &plan,
            applied: None,
            calls: &calls,
        },
    )?;
    Ok(session::exit_of(&plan))
}
