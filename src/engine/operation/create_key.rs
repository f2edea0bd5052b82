//! `CreateKey`.

use crate::engine::store::Connection;
use serde::{Deserialize, Serialize};

use crate::engine::store::key_stores::ConnectionState;
use crate::engine::store::keys::{self, Key, MultiRegion};
use crate::engine::store::{policies, tags};
use crate::engine::wire::{Check, Code, Failure, Structure, WireTag};
use crate::engine::{crypto, entropy};
use crate::model::{KeyArn, KeyId, KeySpec, KeyType, KeyUsage, Origin, Partition};

use super::metadata::{KeyMetadata, is_master_key_spec};
use super::{Context, key_store_backend, key_store_members, policy_text, settle, tag_rules};

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
    tags: Option<Vec<Structure<WireTag>>>,
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
    let Asked {
        kind,
        origin,
        multi_region,
    } = check(context, input, tags)?;
    let tags = tag_rules::pairs(tags)?;
    let place = context.caller.place();
    let policy = match &input.policy {
        Some(policy) => policy.clone(),
        None => policy_text::default_policy(&place),
    };
    let id = new_id(context, multi_region)?;
    let mut key = Key {
        row: 0,
        arn: KeyArn::new(place, id),
        description: input.description.clone().unwrap_or_default(),
        kind,
        origin,
        enabled: origin != Origin::External,
        created: context.now,
        deletion: None,
        rotation: None,
        material: None,
        used: None,
        multi_region,
        deletion_window: None,
        transition: None,
        store: input.custom_key_store_id.clone(),
        external_id: input.xks_key_id.clone(),
        available: true,
        complete: origin != Origin::External,
    };
    let bypass = input.bypass_policy_lockout_safety_check.unwrap_or(false);
    policy_text::check_policy(context, &key, &policy, bypass)?;
    // Made before the store is locked, since a large RSA key takes its time.
    let fresh = match origin {
        Origin::External => None,
        Origin::AwsKms | Origin::AwsCloudHsm | Origin::ExternalKeyStore => {
            Some(crypto::generate(kind.spec, context.entropy)?)
        }
    };
    context.write(|connection| {
        policy_text::check_principals(context, connection, &policy)?;
        check_key_store(context, connection, &key)?;
        key.row = keys::insert(connection, &key, None)?;
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
            key_metadata: KeyMetadata::of(connection, &key)?,
        })
    })
}

/// A new key's id; that of a multi-Region key shows what it is.
fn new_id(context: &Context<'_>, multi_region: Option<MultiRegion>) -> Result<KeyId, Failure> {
    let text = match multi_region {
        Some(_) => format!("mrk-{}", entropy::uuid(context.entropy)?.replace('-', "")),
        None => entropy::uuid(context.entropy)?,
    };
    text.parse().map_err(|error| Failure::internal(&error))
}

/// What kind of key is meant.
struct Asked {
    kind: KeyType,
    origin: Origin,
    multi_region: Option<MultiRegion>,
}

/// Checks all members but the policy's content and the tags', and finds out what kind of key is meant.
fn check(
    context: &Context<'_>,
    input: &Input,
    tags: &[Structure<WireTag>],
) -> Result<Asked, Failure> {
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
    check_store_members(&mut check, input);
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
    let asked = Asked {
        kind,
        origin,
        multi_region: (input.multi_region == Some(true)).then_some(MultiRegion::Primary),
    };
    check_together(&asked, input)?;
    Ok(asked)
}

fn check_store_members(check: &mut Check, input: &Input) {
    check.length(
        "customKeyStoreId",
        input.custom_key_store_id.as_deref(),
        1..=64,
    );
    let xks_key = input.xks_key_id.as_deref();
    check.length("xksKeyId", xks_key, 1..=128);
    check.pattern("xksKeyId", xks_key, "^[a-zA-Z0-9-_.]+$", |character| {
        character.is_ascii_alphanumeric() || "-_.".contains(character)
    });
}

/// Checks what members for key stores mean together.
fn check_together(asked: &Asked, input: &Input) -> Result<(), Failure> {
    let wrong = |why: String| Err(Failure::validation(why));
    let in_store = matches!(asked.origin, Origin::AwsCloudHsm | Origin::ExternalKeyStore);
    let origin = asked.origin;
    if in_store && (!asked.kind.is_symmetric() || asked.multi_region.is_some()) {
        return Err(Failure::new(
            Code::UnsupportedOperation,
            "Custom key stores hold symmetric encryption keys of a single Region only.",
        ));
    }
    let is_external = origin == Origin::ExternalKeyStore;
    let members = [
        (
            "CustomKeyStoreId",
            in_store,
            input.custom_key_store_id.is_some(),
        ),
        ("XksKeyId", is_external, input.xks_key_id.is_some()),
    ];
    for (member, is_required, is_given) in members {
        match (is_required, is_given) {
            (true, false) => {
                return wrong(format!("{member} is required when Origin is {origin}"));
            }
            (false, true) => {
                return wrong(format!("{member} is not valid when Origin is {origin}"));
            }
            (true, true) | (false, false) => {}
        }
    }
    Ok(())
}

/// Checks that a key's key store can take it.
fn check_key_store(
    context: &Context<'_>,
    connection: &Connection,
    key: &Key,
) -> Result<(), Failure> {
    let Some(id) = &key.store else {
        return Ok(());
    };
    let store = key_store_members::find(context, connection, id)?;
    if store.kind().as_str() != key.origin.as_str() {
        return Err(Failure::validation(format!(
            "Origin {} is not compatible with custom key store {id} of type {}",
            key.origin,
            store.kind()
        )));
    }
    key_store_members::check_state(&store, ConnectionState::Connected)?;
    let Some(xks_key) = &key.external_id else {
        return Ok(());
    };
    if keys::is_xks_key_used(connection, id, xks_key)? {
        return Err(Failure::silent(Code::XksKeyAlreadyInUse));
    }
    key_store_backend::check_external_key(xks_key)
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
