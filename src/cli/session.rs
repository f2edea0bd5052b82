//! One run's manifests and accounts, from files to plan: what `plan`, `apply` and `drift` share.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};

use super::args::{AllowArgs, ManifestArgs, TargetArgs};
use super::context::Context;
use super::exit::Exit;
use super::identities;
use super::progress::Progress;
use super::target::{self, Targets};
use crate::diagnostic::{Diagnostic, Location};
use crate::engine::Engine;
use crate::kms::Client;
use crate::manifest::{self, Fallback, Manifests, Sources};
use crate::model::{KeyName, Place};
use crate::observe::{self, Event, Others, Scope};
use crate::plan::{self, Allow, KeyPlan, Limits, PlacePlan, Plan};
use crate::policy::{Flaw, Weight};
use crate::report::diagnostics;
use crate::state::{Desired, DesiredPlace, Observed};

/// Some keys of some places.
pub(super) type Names = BTreeMap<Place, BTreeSet<KeyName>>;

/// Manifests that hold, and a client for each account and Region that they name.
#[derive(Debug)]
pub(super) struct Session<'a> {
    context: &'a Context,
    desired: Desired,
    clients: BTreeMap<Place, Client>,
    remote: bool,
    /// The local engine, where a place is in it.
    engine: Option<Arc<Engine>>,
}

impl<'a> Session<'a> {
    /// Reads the manifests and reaches the accounts; the inner error is the faults of the manifests, which are told.
    pub(super) async fn open(
        manifests: &ManifestArgs,
        target: &TargetArgs,
        context: &'a Context,
    ) -> anyhow::Result<Result<Self, Vec<Diagnostic>>> {
        let (manifests, mut found) = match read(manifests)? {
            Ok(read) => read,
            Err(faults) => return Ok(Err(faults)),
        };
        let targets = Targets::new(target, context);
        let place = if manifests.has_account() {
            target::local_place()?
        } else {
            targets.fallback().await?
        };
        let (desired, more) = manifests.desired(&Fallback { place });
        found.extend(more);
        if tell(&found)? {
            return Ok(Err(found));
        }
        let clients = desired.places.iter().map(async |place| {
            let client = targets.client(place).await?;
            anyhow::Ok((place.place.clone(), client))
        });
        let clients = try_join_all(clients).await?.into_iter().collect();
        let remote = desired
            .places
            .iter()
            .any(|place| targets.is_remote(&place.target));
        Ok(Ok(Self {
            context,
            desired,
            clients,
            remote,
            engine: targets.engine(),
        }))
    }

    /// True when the target needs time to show what was written.
    pub(super) fn is_remote(&self) -> bool {
        self.remote
    }

    /// Makes the principals of `Identity` manifests known to the local engine, so that callers can act as them.
    pub(super) fn put_identities(&self) -> anyhow::Result<()> {
        let (Some(engine), Some(first)) = (&self.engine, self.desired.places.first()) else {
            return Ok(());
        };
        if first.identities.iter().next().is_some() {
            engine.put_identities(&first.identities, &first.place)?;
        }
        Ok(())
    }

    /// The client of a place.
    pub(super) fn client(&self, place: &Place) -> Option<&Client> {
        self.clients.get(place)
    }

    /// Observes and plans everything.
    pub(super) async fn plan(&self, limits: &Limits, others: Others) -> Plan {
        self.plan_desired(&self.desired, limits, others).await
    }

    /// Observes and plans some keys again.
    pub(super) async fn plan_some(&self, names: &Names, limits: &Limits) -> Plan {
        let narrow = |place: &DesiredPlace| {
            let names = names.get(&place.place)?;
            let mut place = place.clone();
            place.keys.retain(|name, _| names.contains(name));
            place.grants.retain(|name, _| names.contains(name));
            Some(place)
        };
        let places = self.desired.places.iter().filter_map(narrow).collect();
        let desired = Desired {
            places,
            expectations: Vec::new(),
        };
        self.plan_desired(&desired, limits, Others::WhenMissing)
            .await
    }

    /// Observes and plans some keys again; returns those that are not as they should be, or cannot be read.
    pub(super) async fn unsettled(
        &self,
        names: &Names,
        limits: &Limits,
    ) -> BTreeMap<Place, Vec<KeyPlan>> {
        let plan = self.plan_some(names, limits).await;
        let open = |key: &KeyPlan| {
            !key.changes.is_empty() || !key.refusals.is_empty() || !key.unreadable.is_empty()
        };
        let places = plan.places.into_iter().map(|place| {
            let unread = place.unreadable.iter().find(|row| row.key.is_none());
            let keys: Vec<KeyPlan> = match unread {
                // Nothing could be read back at all.
                Some(row) => {
                    let names = names.get(&place.place).into_iter().flatten();
                    names
                        .map(|name| KeyPlan::unread(name.clone(), row.clone()))
                        .collect()
                }
                None => place.keys.into_iter().filter(open).collect(),
            };
            (place.place, keys)
        });
        places.filter(|(_, keys)| !keys.is_empty()).collect()
    }

    /// How often each KMS operation was called so far.
    pub(super) fn calls(&self) -> BTreeMap<&'static str, u64> {
        let mut calls = BTreeMap::new();
        for (api, count) in self.clients.values().flat_map(Client::calls) {
            *calls.entry(api).or_default() += count;
        }
        calls
    }

    async fn plan_desired(&self, desired: &Desired, limits: &Limits, others: Others) -> Plan {
        let progress = Progress::start(self.context, "reading");
        let busy = |place: &&DesiredPlace| {
            others == Others::Always || !place.keys.is_empty() || !place.grants.is_empty()
        };
        let readings = desired.places.iter().filter(busy).filter_map(|place| {
            let client = self.clients.get(&place.place)?;
            let progress = &progress;
            Some(async move {
                let scope = Scope::of(place, others);
                let mut events = |event| match event {
                    Event::Found(keys) => progress.add(keys),
                    Event::Read => progress.step(),
                };
                observe::observe(client, &scope, &mut events).await
            })
        });
        let observed = Observed {
            places: progress.over(join_all(readings)).await,
        };
        drop(progress);
        plan::plan(desired, &observed, limits)
    }
}

/// Reads manifests, and what IAM says in live accounts, with the faults of both kinds of files.
pub(super) fn read_all(args: &ManifestArgs) -> (Manifests, Vec<Diagnostic>) {
    let (sources, mut found) = if args.paths.is_empty() {
        (Sources::default(), Vec::new())
    } else {
        Sources::read(&args.paths)
    };
    let (identities, more) = identities::read(&args.iam.identities);
    found.extend(more);
    (manifest::read(&sources).beside(identities), found)
}

/// Manifests with warnings, or the faults that keep them from being used.
type Reading = Result<(Manifests, Vec<Diagnostic>), Vec<Diagnostic>>;

/// Reads manifests and tells their faults.
pub(super) fn read(args: &ManifestArgs) -> anyhow::Result<Reading> {
    let (manifests, found) = read_all(args);
    if found.iter().any(Diagnostic::is_error) {
        // The files that can be read are still checked, so that all faults are told at once.
        let place = target::local_place()?;
        let (_, more) = manifests.desired(&Fallback { place });
        let faults = [found, more].concat();
        tell(&faults)?;
        return Ok(Err(faults));
    }
    Ok(Ok((manifests, found)))
}

/// Faults of files that end a run; they are told.
#[derive(Debug, thiserror::Error)]
#[error("the files have faults")]
pub(super) struct Faulty(pub(super) Vec<Diagnostic>);

/// Tells what was found in files, and fails when one of them cannot be used.
pub(super) fn settle(found: Vec<Diagnostic>) -> anyhow::Result<()> {
    if tell(&found)? {
        return Err(Faulty(found).into());
    }
    Ok(())
}

/// Tells what is wrong with a policy in a file, and fails when it cannot be used.
pub(super) fn settle_flaws(file: &str, flaws: Vec<Flaw>) -> anyhow::Result<()> {
    let told = flaws.into_iter().map(|flaw| {
        let at = Location::whole_file(file);
        let found = match flaw.weight {
            Weight::Malformed => Diagnostic::error("malformed-policy", flaw.to_string(), at),
            Weight::Doubtful => Diagnostic::warning("doubtful-policy", flaw.to_string(), at),
        };
        found.with_help(flaw.help)
    });
    settle(told.collect())
}

/// Writes diagnostics to stderr; true when one of them is an error.
pub(super) fn tell(found: &[Diagnostic]) -> anyhow::Result<bool> {
    let mut stderr = anstream::stderr();
    write!(
        stderr,
        "{}",
        diagnostics::text(found, diagnostics::Colour::Always)
    )?;
    Ok(found.iter().any(Diagnostic::is_error))
}

/// What the flags allow.
pub(super) fn limits(args: &AllowArgs, context: &Context) -> Limits {
    let AllowArgs {
        adopt,
        allow_disable,
        allow_deletion,
        allow_mass_change,
        allow_lockout,
        allow_undetermined,
        rewrite,
    } = *args;
    let allow = Allow {
        adoption: adopt,
        disabling: allow_disable,
        deletion: allow_deletion,
        mass_change: allow_mass_change,
        lockout: allow_lockout,
        undetermined: allow_undetermined,
    };
    Limits {
        now: context.now,
        allow,
        rewrite,
    }
}

/// The exit code of a plan that nobody carries out.
pub(super) fn exit_of(plan: &Plan) -> Exit {
    let summary = plan.summary();
    if is_blind(plan) {
        Exit::Error
    } else if summary.refused > 0 {
        Exit::Refused
    } else if summary.unreadable > 0 {
        Exit::Unreadable
    } else if summary.is_clean() {
        Exit::Done
    } else {
        Exit::Changes
    }
}

/// True when nothing at all could be read, as with a wrong endpoint.
pub(super) fn is_blind(plan: &Plan) -> bool {
    let blind = |place: &PlacePlan| place.unreadable.iter().any(|row| row.key.is_none());
    !plan.places.is_empty() && plan.places.iter().all(blind)
}
