//! `KeyMetadata`: a key as `CreateKey` and `DescribeKey` show it.

use crate::engine::store::Connection;
use jiff::Timestamp;
use serde::Serialize;

use crate::engine::store::key_stores::{self, Backing};
use crate::engine::store::keys::{self, Key, MultiRegion, Transition};
use crate::engine::store::material;
use crate::engine::wire::{Failure, Seconds};
use crate::model::{Algorithms, KeyManager, KeySpec, KeyState, KeyType, Origin};

use super::import_material::ExpirationModel;

/// A key's metadata.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyMetadata {
    #[serde(rename = "AWSAccountId")]
    account: String,
    key_id: String,
    arn: String,
    creation_date: Seconds,
    enabled: bool,
    description: String,
    key_usage: &'static str,
    key_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_date: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Seconds>,
    origin: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_key_store_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_hsm_cluster_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_model: Option<&'static str>,
    key_manager: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_master_key_spec: Option<&'static str>,
    key_spec: &'static str,
    #[serde(flatten)]
    algorithms: AlgorithmLists,
    multi_region: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_region_configuration: Option<MultiRegionConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_deletion_window_in_days: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xks_key_configuration: Option<XksKeyConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_key_material_id: Option<String>,
}

/// The one list of algorithms that a key's usage gives it.
#[derive(Debug, Default, Serialize)]
pub(super) struct AlgorithmLists {
    #[serde(
        rename = "EncryptionAlgorithms",
        skip_serializing_if = "Option::is_none"
    )]
    encryption: Option<&'static [&'static str]>,
    #[serde(rename = "SigningAlgorithms", skip_serializing_if = "Option::is_none")]
    signing: Option<&'static [&'static str]>,
    #[serde(rename = "MacAlgorithms", skip_serializing_if = "Option::is_none")]
    mac: Option<&'static [&'static str]>,
    #[serde(
        rename = "KeyAgreementAlgorithms",
        skip_serializing_if = "Option::is_none"
    )]
    key_agreement: Option<&'static [&'static str]>,
    #[serde(
        rename = "EncapsulationAlgorithms",
        skip_serializing_if = "Option::is_none"
    )]
    encapsulation: Option<&'static [&'static str]>,
}

impl AlgorithmLists {
    /// The list of a type.
    pub(super) fn of(kind: KeyType) -> Self {
        let mut lists = Self::default();
        match kind.algorithms() {
            Algorithms::Encryption(names) => lists.encryption = Some(names),
            Algorithms::Signing(names) => lists.signing = Some(names),
            Algorithms::Mac(names) => lists.mac = Some(names),
            Algorithms::KeyAgreement(names) => lists.key_agreement = Some(names),
            Algorithms::Encapsulation(names) => lists.encapsulation = Some(names),
        }
        lists
    }
}

/// The deprecated `CustomerMasterKeySpec`, where it still has a name for a spec.
pub(super) fn master_key_spec(spec: KeySpec) -> Option<&'static str> {
    is_master_key_spec(spec).then_some(spec.as_str())
}

/// True for specs that the deprecated `CustomerMasterKeySpec` still names.
pub(super) fn is_master_key_spec(spec: KeySpec) -> bool {
    !matches!(
        spec,
        KeySpec::EccNistEdwards25519
            | KeySpec::MlDsa44
            | KeySpec::MlDsa65
            | KeySpec::MlDsa87
            | KeySpec::MlKem512
            | KeySpec::MlKem768
            | KeySpec::MlKem1024
    )
}

/// The keys of a multi-Region key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MultiRegionConfiguration {
    multi_region_key_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_key: Option<MultiRegionKey>,
    replica_keys: Vec<MultiRegionKey>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MultiRegionKey {
    arn: String,
    region: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct XksKeyConfiguration {
    id: String,
}

impl KeyMetadata {
    /// The metadata of a key, and of what else is stored about it.
    pub(super) fn of(connection: &Connection, key: &Key) -> Result<Self, Failure> {
        let spec = key.kind.spec;
        let expiry = expiry(connection, key)?;
        Ok(Self {
            account: key.arn.place.account.to_string(),
            key_id: key.arn.id.to_string(),
            arn: key.arn.to_string(),
            creation_date: key.created.into(),
            enabled: key.state() == KeyState::Enabled,
            description: key.description.clone(),
            key_usage: key.kind.usage.as_str(),
            key_state: key.state().as_str(),
            deletion_date: key.deletion.map(Seconds::from),
            valid_to: expiry.and_then(|(_, end)| end).map(Seconds::from),
            origin: key.origin.as_str(),
            custom_key_store_id: key.store.clone(),
            cloud_hsm_cluster_id: cluster(connection, key)?,
            expiration_model: expiry.map(|(model, _)| model.as_str()),
            key_manager: KeyManager::Customer.as_str(),
            customer_master_key_spec: master_key_spec(spec),
            key_spec: spec.as_str(),
            algorithms: AlgorithmLists::of(key.kind),
            multi_region: key.multi_region.is_some(),
            multi_region_configuration: multi_region(connection, key)?,
            pending_deletion_window_in_days: key.deletion_window,
            xks_key_configuration: key.external_id.clone().map(|id| XksKeyConfiguration { id }),
            current_key_material_id: key
                .material
                .clone()
                .filter(|_| key.shows_material() && key.transition != Some(Transition::Creating)),
        })
    }
}

/// Whether and when imported material expires that is all there: the first piece to do so decides.
fn expiry(
    connection: &Connection,
    key: &Key,
) -> Result<Option<(ExpirationModel, Option<Timestamp>)>, Failure> {
    if key.origin != Origin::External || !key.complete {
        return Ok(None);
    }
    let pieces = material::pieces(connection, key.row)?;
    let needed = pieces.into_iter().filter(|piece| !piece.pending);
    let first = needed.filter_map(|piece| piece.valid_to).min();
    Ok(Some((ExpirationModel::of(first), first)))
}

fn cluster(connection: &Connection, key: &Key) -> Result<Option<String>, Failure> {
    let Some(id) = &key.store else {
        return Ok(None);
    };
    let store = key_stores::find(connection, &key.arn.place, id)?;
    Ok(store.and_then(|store| match store.backing {
        Backing::CloudHsm { cluster, .. } => Some(cluster),
        Backing::External(_) => None,
    }))
}

fn multi_region(
    connection: &Connection,
    key: &Key,
) -> Result<Option<MultiRegionConfiguration>, Failure> {
    let Some(part) = key.multi_region else {
        return Ok(None);
    };
    let entry = |key: Key| MultiRegionKey {
        arn: key.arn.to_string(),
        region: key.arn.place.region.to_string(),
    };
    let (primaries, replicas): (Vec<Key>, Vec<Key>) = keys::related(connection, key)?
        .into_iter()
        .partition(|key| key.multi_region == Some(MultiRegion::Primary));
    Ok(Some(MultiRegionConfiguration {
        multi_region_key_type: part.as_str(),
        primary_key: primaries.into_iter().next().map(entry),
        replica_keys: replicas.into_iter().map(entry).collect(),
    }))
}
