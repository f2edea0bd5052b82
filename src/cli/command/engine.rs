//! `keywright engine`: access keys for principals of the local engine, and care for its state.

use std::fs;
use std::io::{self, Write as _};

use anyhow::{Context as _, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cli::args::{BackupArgs, EngineArgs, EngineTask, KeysArgs, ResetArgs, StateArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::target;
use crate::engine::{self, Engine, Holdings, IssuedKeys, Settings, Store};
use crate::model::Place;

/// The files of a state, of which some are there only while it is in use. The database goes last: while it is there, what
/// was left of a state can still be deleted.
const FILES: [&str; 4] = ["engine.key", "engine.db-wal", "engine.db-shm", "engine.db"];

pub(super) fn run(args: &EngineArgs, context: &Context) -> anyhow::Result<Exit> {
    match &args.task {
        EngineTask::Keys(args) => keys(args, context),
        EngineTask::Show(args) => show(args, context),
        EngineTask::Backup(args) => back_up(args, context),
        EngineTask::Restore(args) => restore(args, context),
        EngineTask::Reset(args) => reset(args, context),
    }?;
    Ok(Exit::Done)
}

fn keys(args: &KeysArgs, context: &Context) -> anyhow::Result<()> {
    let KeysArgs {
        principal,
        account,
        region,
        state,
    } = args;
    let place = Place {
        account: *account,
        region: region.clone(),
    };
    let Some(resolved) = principal.resolve(&place) else {
        bail!("`{principal}` stands for many; name one user, role or account");
    };
    let resolved = resolved.with_context(|| format!("`{principal}` is no principal"))?;
    let issued = open(&state.state, context)?.issue_keys(&resolved, region)?;
    let IssuedKeys {
        access_key,
        secret,
        token,
        expires,
    } = issued;
    let mut out = anstream::stdout().lock();
    writeln!(out, "export AWS_ACCESS_KEY_ID={access_key}")?;
    writeln!(out, "export AWS_SECRET_ACCESS_KEY={secret}")?;
    match token {
        Some(token) => writeln!(out, "export AWS_SESSION_TOKEN={token}")?,
        None => writeln!(out, "unset AWS_SESSION_TOKEN")?,
    }
    writeln!(out, "export AWS_REGION={region}")?;
    if let Some(expires) = expires {
        writeln!(anstream::stderr(), "good until {expires}")?;
    }
    Ok(())
}

fn show(args: &StateArgs, context: &Context) -> anyhow::Result<()> {
    check_there(&args.state)?;
    let all = open(&args.state, context)?.holdings()?;
    let mut out = anstream::stdout().lock();
    if all.is_empty() {
        writeln!(out, "nothing")?;
    }
    for (account, held) in &all {
        let Holdings {
            keys,
            aliases,
            grants,
            entities,
            policies,
            access_keys,
        } = held;
        writeln!(out, "{account}")?;
        for (region, count) in keys {
            writeln!(out, "  {:24}{count}", format!("keys in {region}"))?;
        }
        let rest = [("aliases", aliases), ("grants", grants)];
        let iam = [("policies", policies), ("access keys", access_keys)];
        let entities = entities.iter().map(|(kind, count)| (kind.as_str(), count));
        for (what, count) in rest.into_iter().chain(entities).chain(iam) {
            if *count > 0 {
                writeln!(out, "  {what:24}{count}")?;
            }
        }
    }
    Ok(())
}

fn back_up(args: &BackupArgs, context: &Context) -> anyhow::Result<()> {
    let BackupArgs { folder, state } = args;
    check_there(&state.state)?;
    let copied = open(&state.state, context)?.back_up(folder);
    copied.with_context(|| format!("cannot copy the state into `{folder}`"))?;
    let state = &state.state;
    let whose = if folder.join("engine.key").exists() {
        "it holds every key in the clear for whoever has both files"
    } else {
        "its master key is kept elsewhere"
    };
    tell(&format!("copied `{state}` to `{folder}`; {whose}"))
}

fn restore(args: &BackupArgs, context: &Context) -> anyhow::Result<()> {
    let BackupArgs { folder, state } = args;
    let state = &state.state;
    check_there(folder)?;
    ensure!(
        !state.join("engine.db").exists(),
        "`{state}` has a state already; `keywright engine reset --state {state}` deletes it"
    );
    // Opened and copied as a database, so that nothing half or foreign is ever put in place.
    let copied = open(folder, context)?.back_up(state);
    copied.with_context(|| format!("cannot copy `{folder}` into `{state}`"))?;
    tell(&format!("restored `{state}` from `{folder}`"))
}

fn reset(args: &ResetArgs, context: &Context) -> anyhow::Result<()> {
    let state = &args.state.state;
    check_there(state)?;
    if !args.yes {
        ensure!(
            context.can_ask,
            "nobody can be asked here; add --yes to delete every key in `{state}`"
        );
        write!(anstream::stderr(), "Delete every key in `{state}`? [y/N] ")?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        ensure!(
            answer.trim().eq_ignore_ascii_case("y"),
            "nothing was deleted"
        );
    }
    // What a server answers after its files are gone would be lost.
    ensure!(
        !engine::is_in_use(&state.join("engine.db")),
        "`{state}` is in use; end the servers and runs that use it first"
    );
    for file in FILES {
        match fs::remove_file(state.join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot delete `{state}/{file}`"));
            }
            Ok(()) | Err(_) => {}
        }
    }
    tell(&format!("deleted the state in `{state}`"))
}

fn open(state: &Utf8Path, context: &Context) -> anyhow::Result<Engine> {
    let file: Utf8PathBuf = state.join("engine.db");
    let mut settings = Settings::new(Store::File(file), target::local_place()?.account);
    settings.master_key = context.master_key()?;
    Engine::open(settings).with_context(|| format!("cannot use the local engine in `{state}`"))
}

fn check_there(state: &Utf8Path) -> anyhow::Result<()> {
    ensure!(
        state.join("engine.db").exists(),
        "there is no state of the local engine in `{state}`; name another folder with --state"
    );
    Ok(())
}

fn tell(what: &str) -> anyhow::Result<()> {
    writeln!(anstream::stderr(), "{what}")?;
    Ok(())
}
