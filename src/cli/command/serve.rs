//! `keywright serve`: the local engine on a port, for any KMS client.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use tokio::net::TcpListener;
use tokio::signal;

use crate::cli::args::{CredentialsArg, IamArgs, ManifestArgs, PrincipalsArg, ServeArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::{session, target};
use crate::engine::{
    AuditLog, BLOCKING_THREADS, Credentials, Engine, Principals, Rules, ServerSettings, Settings,
    Store, Tls, serve,
};
use crate::manifest::Fallback;
use crate::model::Place;
use crate::policy::Identities;

pub(super) fn run(args: &ServeArgs, context: &Context) -> anyhow::Result<Exit> {
    let tls = tls(args)?;
    check_address(args.listen, tls.is_some(), args.expose_plaintext_to_network)?;
    let Some(identities) = identities(args)? else {
        return Ok(Exit::Error);
    };
    let engine = open(args, context)?;
    if identities.iter().next().is_some() {
        engine.put_identities(&identities, &home(args)?)?;
    }
    let audit = args.audit_log.as_deref().map(audit_file).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(listen(args.listen, engine, tls, audit))?;
    Ok(Exit::Done)
}

async fn listen(
    address: SocketAddr,
    engine: Engine,
    tls: Option<Tls>,
    audit: Option<Box<dyn Write + Send>>,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let address = listener.local_addr()?;
    let end = end()?;
    writeln!(
        anstream::stderr(),
        "serving KMS, IAM and STS on {scheme}://{address}"
    )?;
    let settings = ServerSettings {
        tls,
        audit: audit.map(AuditLog::to),
        ..ServerSettings::default()
    };
    serve(Arc::new(engine), listener, settings, end).await?;
    Ok(())
}

fn open(args: &ServeArgs, context: &Context) -> anyhow::Result<Engine> {
    let ServeArgs {
        credentials,
        principals,
        account,
        state,
        ..
    } = args;
    let state = &state.state;
    let mut settings = Settings::new(Store::File(state.join("engine.db")), *account);
    settings.rules = Rules {
        credentials: match credentials {
            CredentialsArg::Open => Credentials::Open,
            CredentialsArg::Strict => Credentials::Strict,
        },
        principals: match principals {
            PrincipalsArg::Accept => Principals::Any,
            PrincipalsArg::Strict => Principals::Existing,
        },
    };
    settings.chaos.clone_from(&args.chaos);
    settings.master_key = context.master_key()?;
    settings.interceptor = target::fault(context)?;
    Engine::open(settings).with_context(|| {
        format!("cannot use the local engine in `{state}`; name another folder with --state")
    })
}

/// The place of principals whose manifest names no account.
fn home(args: &ServeArgs) -> anyhow::Result<Place> {
    Ok(Place {
        account: args.account,
        ..target::local_place()?
    })
}

/// What is declared of users and roles; `None` when there are faults, which are told.
fn identities(args: &ServeArgs) -> anyhow::Result<Option<Arc<Identities>>> {
    if args.identities.is_empty() {
        return Ok(Some(Arc::default()));
    }
    let is_live = |path: &Utf8PathBuf| path.extension() == Some("json");
    let (identities, paths) = args.identities.iter().cloned().partition(is_live);
    let iam = IamArgs { identities };
    let (manifests, found) = session::read_all(&ManifestArgs { paths, iam });
    let (desired, more) = manifests.desired(&Fallback { place: home(args)? });
    if session::tell(&[found, more].concat())? {
        return Ok(None);
    }
    let first = desired.places.into_iter().next();
    Ok(Some(
        first.map(|place| place.identities).unwrap_or_default(),
    ))
}

/// What is not encrypted stays on this machine, unless somebody insists.
fn check_address(address: SocketAddr, is_encrypted: bool, insists: bool) -> anyhow::Result<()> {
    ensure!(
        address.ip().is_loopback() || is_encrypted || insists,
        "`{address}` can be reached from other machines, and without TLS they can read secrets; give --tls-cert and \
         --tls-key, or listen on 127.0.0.1"
    );
    Ok(())
}

fn tls(args: &ServeArgs) -> anyhow::Result<Option<Tls>> {
    let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) else {
        return Ok(None);
    };
    let tls = Tls::from_pem(&read(certificate)?, &read(key)?);
    let tls = tls.with_context(|| format!("cannot use `{certificate}` and `{key}`"))?;
    Ok(Some(tls))
}

fn read(path: &Utf8PathBuf) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read `{path}`"))
}

fn audit_file(path: &Utf8Path) -> anyhow::Result<Box<dyn Write + Send>> {
    if path == "-" {
        return Ok(Box::new(io::stderr()));
    }
    let file = private(OpenOptions::new().create(true).append(true)).open(path);
    let file: File = file.with_context(|| format!("cannot write `{path}`"))?;
    Ok(Box::new(io::BufWriter::new(file)))
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Comes when the process is asked to end.
#[cfg(unix)]
fn end() -> io::Result<impl Future<Output = ()>> {
    use signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _signal = terminate.recv() => {}
            _signal = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn end() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a way to be asked, it ends with the process.
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
