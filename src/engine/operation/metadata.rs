//! `KeyMetadata`: a key as `CreateKey` and `DescribeKey` show it.

use serde::Serialize;

use crate::engine::store::keys::Key;
use crate::engine::wire::Seconds;
use crate::model::{Algorithms, KeyManager, KeySpec, KeyState};

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
    multi_region: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_key_material_id: Option<String>,
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
        let mut metadata = Self {
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
            customer_master_key_spec: is_master_key_spec(spec).then_some(spec.as_str()),
            key_spec: spec.as_str(),
            encryption_algorithms: None,
            signing_algorithms: None,
            mac_algorithms: None,
            key_agreement_algorithms: None,
            encapsulation_algorithms: None,
            multi_region: false,
            current_key_material_id: material,
        };
        match key.kind.algorithms() {
            Algorithms::Encryption(names) => metadata.encryption_algorithms = Some(names),
            Algorithms::Signing(names) => metadata.signing_algorithms = Some(names),
            Algorithms::Mac(names) => metadata.mac_algorithms = Some(names),
            Algorithms::KeyAgreement(names) => metadata.key_agreement_algorithms = Some(names),
            Algorithms::Encapsulation(names) => metadata.encapsulation_algorithms = Some(names),
        }
        metadata
    }
}
