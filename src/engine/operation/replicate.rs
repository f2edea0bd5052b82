//! `ReplicateKey` and `UpdatePrimaryRegion`.

use crate::engine::store::Connection;
use serde::{Deserialize, Serialize};

use crate::engine::authorize;
use crate::engine::chaos::Quota;
use crate::engine::store::keys::{self, Key, MultiRegion, Transition};
use crate::engine::store::material;
use crate::engine::store::{policies, rotations, tags};
use crate::engine::wire::{Check, Code, Failure, Structure, WireTag};
use crate::model::{KeyArn, Operation, Origin, Place, Region};

use super::metadata::KeyMetadata;
use super::{Context, find_key, policy_text, settle, tag_rules};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
    replica_region: Option<String>,
    policy: Option<String>,
    bypass_policy_lockout_safety_check: Option<bool>,
    description: Option<String>,
    tags: Option<Vec<Structure<WireTag>>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Output {
    #[serde(rename = "ReplicaKeyMetadata")]
    metadata: KeyMetadata,
    #[serde(rename = "ReplicaPolicy")]
    policy: String,
    #[serde(rename = "ReplicaTags", skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Structure<WireTag>>>,
}

pub(super) fn replicate(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let region = check_region(&mut check, "replicaRegion", input.replica_region.as_deref());
    policy_text::check_member(&mut check, input.policy.as_deref());
    check.length("description", input.description.as_deref(), 0..=8192);
    let wire_tags = input.tags.as_deref().unwrap_or_default();
    tag_rules::check_members(&mut check, wire_tags);
    check.finish()?;
    let pairs = tag_rules::pairs(wire_tags)?;
    let region = same_partition(context, region)?;
    let end = settle::end_of_transition(context)?;
    context.write(|connection| {
        let primary = find_key::find(context, connection, key_id, Operation::ReplicateKey)?;
        check_primary(&primary)?;
        let replica = replica(context, &primary, &region, input.description.as_deref());
        authorize::on_replica(context, &replica)?;
        // A replica counts as two new keys, of which one is a dry run.
        context.count(&region, Quota::Operation(Operation::CreateKey), 2)?;
        if keys::find(connection, &replica.arn)?.is_some() {
            return Err(Failure::new(
                Code::AlreadyExists,
                format!("{} already exists", replica.arn),
            ));
        }
        let policy = match &input.policy {
            Some(policy) => policy.clone(),
            None => policy_text::default_policy(&replica.arn.place),
        };
        let bypass = input.bypass_policy_lockout_safety_check.unwrap_or(false);
        policy_text::check_policy(context, &replica, &policy, bypass)?;
        policy_text::check_principals(context, connection, &policy)?;
        let row = keys::insert(connection, &replica, Some(end))?;
        copy_material(context, connection, &primary, row)?;
        policies::put(connection, row, &policy)?;
        for (name, value) in &pairs {
            tags::put(connection, row, name, value)?;
        }
        Ok(Output {
            metadata: KeyMetadata::of(connection, &replica)?,
            policy,
            tags: (!wire_tags.is_empty()).then(|| wire_tags.to_vec()),
        })
    })
}

/// The replica of a primary in another Region: what is shared is the same, and the rest is as in a new key.
fn replica(
    context: &Context<'_>,
    primary: &Key,
    region: &Region,
    description: Option<&str>,
) -> Key {
    let place = Place {
        account: primary.arn.place.account,
        region: region.clone(),
    };
    Key {
        row: 0,
        arn: KeyArn::new(place, primary.arn.id.clone()),
        description: description.unwrap_or_default().to_owned(),
        enabled: true,
        created: context.now,
        rotation: None,
        used: None,
        multi_region: Some(MultiRegion::Replica),
        transition: Some(Transition::Creating),
        complete: primary.origin != Origin::External,
        ..primary.clone()
    }
}

/// Material that KMS made goes to the replica; imported material has to be imported again.
fn copy_material(
    context: &Context<'_>,
    connection: &Connection,
    primary: &Key,
    row: i64,
) -> Result<(), Failure> {
    for piece in material::pieces(connection, primary.row)? {
        let stored = material::find(connection, primary.row, &piece.id)?;
        match stored.filter(|_| primary.origin != Origin::External) {
            Some(mut stored) => {
                stored.key = row;
                material::insert(connection, &stored)?;
            }
            None => {
                material::associate(connection, row, &piece.id, piece.pending, context.now)?;
            }
        }
    }
    Ok(rotations::copy(connection, primary.row, row)?)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateInput {
    key_id: Option<String>,
    primary_region: Option<String>,
}

pub(super) fn update_primary(context: &Context<'_>, input: &UpdateInput) -> Result<(), Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let region = check_region(&mut check, "primaryRegion", input.primary_region.as_deref());
    check.finish()?;
    let region = same_partition(context, region)?;
    let end = settle::end_of_transition(context)?;
    let operation = Operation::UpdatePrimaryRegion;
    context.write(|connection| {
        let old = find_key::find(context, connection, key_id, operation)?;
        check_primary(&old)?;
        if old.arn.place.region == region {
            return Err(Failure::new(
                Code::UnsupportedOperation,
                format!("{} is the primary key already.", old.arn),
            ));
        }
        context.count(&region, Quota::Operation(operation), 1)?;
        let new = find_key::relative(context, connection, &old, &region, operation)?;
        keys::set_multi_region(connection, old.row, MultiRegion::Replica, end)?;
        keys::set_multi_region(connection, new.row, MultiRegion::Primary, end)?;
        keys::set_rotation(connection, new.row, old.rotation)?;
        Ok(keys::set_rotation(connection, old.row, None)?)
    })
}

/// What KMS says about a key that is no primary.
pub(super) fn not_primary(key: &Key) -> Failure {
    Failure::new(
        Code::UnsupportedOperation,
        format!("{} is not a multi-region primary key.", key.arn),
    )
}

fn check_primary(key: &Key) -> Result<(), Failure> {
    match key.multi_region {
        Some(MultiRegion::Primary) => Ok(()),
        Some(MultiRegion::Replica) | None => Err(not_primary(key)),
    }
}

fn check_region<'a>(check: &mut Check, member: &str, value: Option<&'a str>) -> &'a str {
    check.length(member, value, 1..=32);
    let is_region = |text: &str| text.parse::<Region>().is_ok();
    check.shape(member, value, r"^([a-z]+-){2,3}\d+$", is_region);
    check.required(member, value)
}

/// How the names of AWS's Regions begin: with a part of the world, of which new ones are rare.
const PARTS_OF_THE_WORLD: [&str; 11] = [
    "af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us",
];

/// A multi-Region key stays in its partition, and where there are Regions.
fn same_partition(context: &Context<'_>, region: &str) -> Result<Region, Failure> {
    let parsed = region.parse::<Region>().ok();
    parsed
        .filter(|parsed| parsed.partition() == context.caller.region.partition())
        .filter(|_| {
            let (part, _) = region.split_once('-').unwrap_or_default();
            PARTS_OF_THE_WORLD.contains(&part)
        })
        .ok_or_else(|| {
            Failure::validation(format!(
                "Region {region} is not one that the key can be replicated to"
            ))
        })
}
