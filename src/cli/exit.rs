//! How a run ends: exit codes, and errors in words.

use std::io::Write as _;
use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: nothing to do, or done.
    Done,
    /// 1: an error, such as faults in manifests.
    Error,
    /// 2: changes, drift or findings; a request that is not allowed.
    Changes,
    /// 3: refused by a guardrail, a stale plan or an adoption.
    Refused,
    /// 4: partly applied, or applied and not confirmed.
    Partial,
    /// 5: some keys could not be read.
    Unreadable,
}

impl Exit {
    /// The code of the process.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::Changes => 2,
            Self::Refused => 3,
            Self::Partial => 4,
            Self::Unreadable => 5,
        }
    }
}

/// Turns the end of a run into the process's exit code and, for errors, a message on stderr.
pub(super) fn report(result: &anyhow::Result<Exit>) -> ExitCode {
    let exit = match result {
        Ok(exit) => *exit,
        Err(error) if is_broken_pipe(error) => Exit::Done,
        Err(error) => {
            let mut stderr = anstream::stderr();
            let style = anstyle::AnsiColor::Red.on_default().bold();
            // Nobody is left to tell when stderr is gone.
            let _ignored = writeln!(stderr, "{style}error{style:#}: {error:#}");
            Exit::Error
        }
    };
    ExitCode::from(exit.code())
}

/// Tells what is wrong with the arguments, or what was asked about them; 2 would mean drift to a scheduled job.
pub(super) fn report_usage(usage: &clap::Error) -> ExitCode {
    let exit = match unless_gone(usage.print()) {
        Ok(()) if !usage.use_stderr() => Exit::Done,
        Ok(()) | Err(_) => Exit::Error,
    };
    ExitCode::from(exit.code())
}

/// What became of writing for a reader who may have seen enough; the work and its exit code stay as they are.
pub(super) fn unless_gone(written: std::io::Result<()>) -> std::io::Result<()> {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A reader that has seen enough is not an error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = |cause: &(dyn std::error::Error + 'static)| {
        let io = cause.downcast_ref::<std::io::Error>();
        let json = cause.downcast_ref::<serde_json::Error>();
        io.map(std::io::Error::kind)
            .or_else(|| json?.io_error_kind())
    };
    error
        .chain()
        .any(|cause| kind(cause) == Some(std::io::ErrorKind::BrokenPipe))
}
