//! `CreateKey`.

use serde::{Deserialize, Serialize};

use crate::engine::store::keys::{self, Key};
use crate::engine::store::{policies, tags};
use crate::engine::wire::{Check, Code, Failure, WireTag};
use crate::engine::{crypto, entropy};
use crate::model::{KeyArn, KeySpec, KeyType, KeyUsage, Origin, Partition};

use super::metadata::{KeyMetadata, is_master_key_spec};
use super::{Context, policy_text, settle, tag_rules};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    policy: Option<String>,
    description: Option<String>,
    key_usage: Option<String>,
    customer_master_key_spec: Option<String>,
    key_spec: Option<String>,
    origin: Option<String>,
    custom_key_store_id: Option<String>,
    bypass_policy_lockout_safety_check: Option<bool>,
    tags: Option<Vec<WireTag>>,
    multi_region: Option<bool>,
    xks_key_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    key_metadata: KeyMetadata,
}

pub(super) fn create_key(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let tags = input.tags.as_deref().unwrap_or_default();
    let (kind, origin) = check(context, input, tags)?;
    let tags = tag_rules::pairs(tags)?;
    let place = context.caller.place();
    let policy = match &input.policy {
        Some(policy) => policy.clone(),
        None => policy_text::default_policy(&place),
    };
    let id = entropy::uuid(context.entropy)?
        .parse()
        .map_err(|error| Failure::internal(&error))?;
    let mut key = Key {
        row: 0,
        arn: KeyArn::new(place, id),
        description: input.description.clone().unwrap_or_default(),
        kind,
        origin,
        enabled: origin == Origin::AwsKms,
        created: context.now,
        deletion: None,
        rotation: None,
        material: None,
        used: None,
    };
    let bypass = input.bypass_policy_lockout_safety_check.unwrap_or(false);
    policy_text::check_policy(context, &key, &policy, bypass)?;
    // Made before the store is locked, since a large RSA key takes its time.
    let fresh = match origin {
        Origin::AwsKms => Some(
            crypto::generate(kind.spec, context.entropy)
                .map_err(|error| Failure::internal(&error))?,
        ),
        Origin::External | Origin::AwsCloudHsm | Origin::ExternalKeyStore => None,
    };
    context.write(|connection| {
        key.row = keys::insert(connection, &key)?;
        if let Some(fresh) = &fresh {
            let id = settle::add_material(context, connection, key.row, fresh)?;
            keys::set_material(connection, key.row, &id)?;
            key.material = Some(id);
        }
        policies::put(connection, key.row, &policy)?;
        for (name, value) in tags {
            tags::put(connection, key.row, name, value)?;
        }
        Ok(Output {
            key_metadata: KeyMetadata::from(&key),
        })
    })
}

/// Checks all members but the policy's content and the tags', and finds out what kind of key is meant.
fn check(
    context: &Context<'_>,
    input: &Input,
    tags: &[WireTag],
) -> Result<(KeyType, Origin), Failure> {
    let mut check = Check::default();
    policy_text::check_member(&mut check, input.policy.as_deref());
    check.length("description", input.description.as_deref(), 0..=8192);
    let usage = check.choice("keyUsage", input.key_usage.as_deref(), KeyUsage::ALL);
    let spec = check.choice("keySpec", input.key_spec.as_deref(), KeySpec::ALL);
    let mut master_specs = KeySpec::ALL.to_vec();
    master_specs.retain(|spec| is_master_key_spec(*spec));
    let master_spec = check.choice(
        "customerMasterKeySpec",
        input.customer_master_key_spec.as_deref(),
        &master_specs,
    );
    let origin = check.choice("origin", input.origin.as_deref(), Origin::ALL);
    tag_rules::check_members(&mut check, tags);
    check.finish()?;
    if spec.is_some() && master_spec.is_some() {
        return Err(Failure::validation(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is \
             deprecated.",
        ));
    }
    let spec = spec.or(master_spec).unwrap_or(KeySpec::SymmetricDefault);
    let kind = kind(spec, usage)?;
    let origin = origin.unwrap_or(Origin::AwsKms);
    check_region(context, spec)?;
    let in_key_store = matches!(origin, Origin::AwsCloudHsm | Origin::ExternalKeyStore)
        || input.custom_key_store_id.is_some()
        || input.xks_key_id.is_some();
    if in_key_store || input.multi_region == Some(true) {
        return Err(Failure::silent(Code::UnsupportedOperation));
    }
    Ok((kind, origin))
}

/// Some specs are for China alone, some for everywhere else.
pub(super) fn check_region(context: &Context<'_>, spec: KeySpec) -> Result<(), Failure> {
    let in_china = context.caller.region.partition() == Partition::AwsCn;
    let is_ml_kem = spec.usages().contains(&KeyUsage::EncapsulateDecapsulate);
    if (spec == KeySpec::Sm2 && !in_china) || (is_ml_kem && in_china) {
        return Err(Failure::new(
            Code::UnsupportedOperation,
            format!("KeySpec {spec} is not supported in this Region."),
        ));
    }
    Ok(())
}

fn kind(spec: KeySpec, usage: Option<KeyUsage>) -> Result<KeyType, Failure> {
    let usage = match usage {
        Some(usage) => usage,
        None if spec == KeySpec::SymmetricDefault => KeyUsage::EncryptDecrypt,
        None => {
            return Err(Failure::validation(
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
            ));
        }
    };
    KeyType::new(spec, usage).map_err(|_| {
        Failure::validation(format!(
            "KeyUsage {usage} is not compatible with KeySpec {spec}"
        ))
    })
}
