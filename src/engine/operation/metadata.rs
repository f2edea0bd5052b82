//! `KeyMetadata`: a key as `CreateKey` and `DescribeKey` show it.

use serde::Serialize;

use crate::engine::store::keys::Key;
use crate::engine::wire::Seconds;
use crate::model::{Algorithms, KeyManager, KeySpec, KeyState, KeyType};

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
    origin: &'static str,
    key_manager: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_master_key_spec: Option<&'static str>,
    key_spec: &'static str,
    #[serde(flatten)]
    algorithms: AlgorithmLists,
    multi_region: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_key_material_id: Option<String>,
}

/// The one list of algorithms that a key's usage gives it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AlgorithmLists {
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_algorithms: Option<&'static [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_algorithms: Option<&'static [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac_algorithms: Option<&'static [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_agreement_algorithms: Option<&'static [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encapsulation_algorithms: Option<&'static [&'static str]>,
}

impl AlgorithmLists {
    /// The list of a type.
    pub(super) fn of(kind: KeyType) -> Self {
        let mut lists = Self::default();
        match kind.algorithms() {
            Algorithms::Encryption(names) => lists.encryption_algorithms = Some(names),
            Algorithms::Signing(names) => lists.signing_algorithms = Some(names),
            Algorithms::Mac(names) => lists.mac_algorithms = Some(names),
            Algorithms::KeyAgreement(names) => lists.key_agreement_algorithms = Some(names),
            Algorithms::Encapsulation(names) => lists.encapsulation_algorithms = Some(names),
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

impl From<&Key> for KeyMetadata {
    fn from(key: &Key) -> Self {
        let spec = key.kind.spec;
        let material = key.material.clone().filter(|_| key.kind.is_symmetric());
        Self {
            account: key.arn.place.account.to_string(),
            key_id: key.arn.id.to_string(),
            arn: key.arn.to_string(),
            creation_date: key.created.into(),
            enabled: key.state() == KeyState::Enabled,
            description: key.description.clone(),
            key_usage: key.kind.usage.as_str(),
            key_state: key.state().as_str(),
            deletion_date: key.deletion.map(Seconds::from),
            origin: key.origin.as_str(),
            key_manager: KeyManager::Customer.as_str(),
            customer_master_key_spec: master_key_spec(spec),
            key_spec: spec.as_str(),
            algorithms: AlgorithmLists::of(key.kind),
            multi_region: false,
            current_key_material_id: material,
        }
    }
}
