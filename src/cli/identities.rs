//! Files with what IAM says in live accounts.

use camino::{Utf8Path, Utf8PathBuf};

use crate::diagnostic::{Diagnostic, Location};
use crate::policy::{self, Flaw, Identities};

/// Reads the files, one for each account.
pub(super) fn read(paths: &[Utf8PathBuf]) -> (Identities, Vec<Diagnostic>) {
    let mut identities = Identities::default();
    let mut faults = Vec::new();
    for path in paths {
        match read_one(path) {
            Ok(more) => {
                faults.extend(doubts(&more, path));
                faults.extend(merge(&mut identities, more, path));
            }
            Err(fault) => faults.push(fault),
        }
    }
    (identities, faults)
}

fn read_one(path: &Utf8Path) -> Result<Identities, Diagnostic> {
    let at = || Location::whole_file(path.as_str());
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("cannot read `{path}`: {error}");
        Diagnostic::error("unreadable-file", message, at())
    })?;
    policy::read_account_details(&text).map_err(|error| {
        let message = format!("`{path}` does not tell all of an account: {error}");
        let help = "write it with `aws iam get-account-authorization-details`, without `--filter` and `--max-items`";
        Diagnostic::error("malformed-identities", message, at()).with_help(help)
    })
}

/// What policies of a live account say and hardly mean.
fn doubts(identities: &Identities, path: &Utf8Path) -> Vec<Diagnostic> {
    let flaws = identities.flaws().into_iter();
    let doubt = |(message, flaw): (String, Flaw)| {
        let at = Location::whole_file(path.as_str());
        Diagnostic::warning("doubtful-policy", message, at).with_help(flaw.help)
    };
    flaws.map(doubt).collect()
}

/// Adds an account, of which nothing may be known yet.
fn merge(all: &mut Identities, more: Identities, path: &Utf8Path) -> Option<Diagnostic> {
    if let Some((_, account)) = more
        .complete()
        .find(|one| all.complete().any(|known| known == *one))
    {
        let message = format!("`{path}` is of account {account}, as a file before it");
        let fault = Diagnostic::error(
            "duplicate-name",
            message,
            Location::whole_file(path.as_str()),
        );
        return Some(fault.with_help("give one file for each account"));
    }
    all.extend(more);
    None
}
