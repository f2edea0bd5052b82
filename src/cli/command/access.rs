//! `keywright access`: who can do what with live keys.

use std::collections::BTreeSet;
use std::io::Write as _;

use anyhow::ensure;

use crate::access::{Column, Holdings, Rights, Scene, holdings};
use crate::cli::args::AccessArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::keys::{Found, Keys};
use crate::cli::output;
use crate::model::{KeyType, Place};
use crate::policy::{Grant, Identities, KeyContext};
use crate::report::{AccessReport, Format, KeyAccess, access_json, access_text};
use crate::state::{LivePolicy, ObservedKey};

pub(super) async fn run(args: &AccessArgs, context: &Context) -> anyhow::Result<Exit> {
    output::ended("access", &args.outputs.outputs, show(args, context).await)
}

async fn show(args: &AccessArgs, context: &Context) -> anyhow::Result<Exit> {
    let outputs = &args.outputs.outputs;
    output::prepare(outputs)?;
    let keys = Keys::open(&args.live, &args.keys, context).await?;
    let wishes = if args.keys.is_empty() {
        keys.declared()
    } else {
        args.keys.iter().map(|key| keys.wish(key)).collect()
    };
    let identities = keys.identities();
    let mut report = AccessReport::default();
    let mut seen = BTreeSet::new();
    let mut stderr = anstream::stderr();
    let mut missing = Vec::new();
    for (wish, answers) in wishes.iter().zip(keys.look(&wishes).await?) {
        let places: Vec<String> = answers.iter().map(|(place, _)| place.to_string()).collect();
        let mut is_found = false;
        for (place, found) in answers {
            match found {
                Found::Nothing => continue,
                Found::Key(key) if seen.insert(key.arn.clone()) => {
                    report.keys.push(held(*key, &identities));
                }
                Found::Key(_) => {}
                Found::Unreadable(reason) => {
                    let row = (place, wish.name.clone(), reason);
                    report.unreadable.push(row);
                }
            }
            is_found = true;
        }
        if !is_found {
            let places = places.join(", ");
            missing.push(format!("there is no key `{}` in {places}", wish.name));
        }
    }
    if wishes.is_empty() {
        writeln!(stderr, "the manifests declare no keys")?;
    }
    let is_empty = report.keys.is_empty() && report.unreadable.is_empty();
    ensure!(
        !is_empty || missing.is_empty() || args.keys.is_empty(),
        "{}",
        missing.join("; ")
    );
    for line in &missing {
        writeln!(stderr, "{line}")?;
    }
    output::each(outputs, |format, out| match format {
        Format::Text => access_text(&report, context.width, out),
        Format::Json => access_json(&report, out),
    })?;
    Ok(if !report.unreadable.is_empty() {
        Exit::Unreadable
    } else if is_empty || !(missing.is_empty() || args.keys.is_empty()) {
        Exit::Error
    } else {
        Exit::Done
    })
}

/// A live key with what it gives to whom.
fn held(key: ObservedKey, identities: &Identities) -> KeyAccess {
    let columns = columns(&key);
    let scene = Scene {
        identities: Some(identities),
        ..Scene::of(&key.arn)
    };
    let access = compute(&key, &columns, &scene);
    KeyAccess {
        key,
        columns,
        access,
    }
}

fn columns(key: &ObservedKey) -> Vec<Column> {
    let place: Place = key.arn.place.clone();
    let context = KeyContext {
        key_type: key.key_type.unwrap_or(KeyType::SYMMETRIC),
        origin: key.origin,
        multi_region: key.multi_region,
        place,
    };
    match key.key_type {
        Some(_) => Column::of(&context),
        None => Column::of_any_type(&context),
    }
}

fn compute(key: &ObservedKey, columns: &[Column], scene: &Scene<'_>) -> Result<Holdings, String> {
    let policy = match &key.policy {
        LivePolicy::Document(document) => document,
        LivePolicy::Opaque { reason, .. } => {
            return Err(format!("the policy is not understood: {reason}"));
        }
    };
    let mut grants: Vec<Grant> = Vec::new();
    for grant in &key.grants {
        let not_understood = || format!("the grantee of grant {} is not understood", grant.id);
        grants.push(grant.terms().ok_or_else(not_understood)?);
    }
    let rights = Rights {
        policy,
        grants: &grants,
    };
    holdings(rights, columns, scene).map_err(|why| why.to_string())
}
