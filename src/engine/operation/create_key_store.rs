//! `CreateCustomKeyStore`.

use serde::{Deserialize, Serialize};

use crate::engine::entropy;
use crate::engine::store::key_stores::{
    self, Backing, ConnectionState, Connectivity, KeyStore, KeyStoreKind, Proxy,
};
use crate::engine::wire::{Check, Code, Failure, Structure};

use super::key_store_members::{self, Credential, Settings};
use super::{Context, key_store_backend};

/// The most key stores in an account and Region; KMS Developer Guide, "Resource quotas".
const MOST: u32 = 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    custom_key_store_name: Option<String>,
    cloud_hsm_cluster_id: Option<String>,
    trust_anchor_certificate: Option<String>,
    key_store_password: Option<String>,
    custom_key_store_type: Option<String>,
    xks_proxy_uri_endpoint: Option<String>,
    xks_proxy_uri_path: Option<String>,
    xks_proxy_vpc_endpoint_service_name: Option<String>,
    xks_proxy_vpc_endpoint_service_owner: Option<String>,
    xks_proxy_authentication_credential: Option<Structure<Credential>>,
    xks_proxy_connectivity: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    custom_key_store_id: String,
}

pub(super) fn create(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let name = input.custom_key_store_name.as_deref();
    key_store_members::check_name(&mut check, "customKeyStoreName", name);
    let name = check.required("customKeyStoreName", name);
    let settings = settings(input);
    settings.check(&mut check);
    let certificate = input.trust_anchor_certificate.as_deref();
    check.length("trustAnchorCertificate", certificate, 1..=5000);
    let kind = input.custom_key_store_type.as_deref();
    let kind = check.choice("customKeyStoreType", kind, KeyStoreKind::ALL);
    let connectivity = input.xks_proxy_connectivity.as_deref();
    let connectivity = check.choice("xksProxyConnectivity", connectivity, Connectivity::ALL);
    check.finish()?;
    let (backing, secret) = match kind.unwrap_or(KeyStoreKind::CloudHsm) {
        KeyStoreKind::CloudHsm => cluster(&settings, certificate)?,
        KeyStoreKind::External => proxy(context, &settings, connectivity)?,
    };
    let digits = entropy::hex(&entropy::bytes::<9>(context.entropy)?);
    let id = format!("cks-{}", digits.get(1..).unwrap_or_default());
    let master = &context.database.master;
    let store = KeyStore {
        row: 0,
        place: context.caller.place(),
        name: name.to_owned(),
        created: context.now,
        state: ConnectionState::Disconnected,
        error: None,
        backing,
        secret: master.seal(secret.as_bytes(), &id, context.entropy)?,
        id,
    };
    context.write(|connection| {
        key_store_members::check_unique(connection, &store)?;
        key_store_backend::check(&store.backing)?;
        let others = key_stores::after(connection, &store.place, "", MOST)?;
        if others.len() >= MOST as usize {
            return Err(Failure::new(
                Code::LimitExceeded,
                format!("An account cannot have more than {MOST} custom key stores in a Region"),
            ));
        }
        Ok(key_stores::insert(connection, &store)?)
    })?;
    Ok(Output {
        custom_key_store_id: store.id,
    })
}

fn settings(input: &Input) -> Settings<'_> {
    Settings {
        cluster: input.cloud_hsm_cluster_id.as_deref(),
        password: input.key_store_password.as_deref(),
        endpoint: input.xks_proxy_uri_endpoint.as_deref(),
        path: input.xks_proxy_uri_path.as_deref(),
        service: input.xks_proxy_vpc_endpoint_service_name.as_deref(),
        owner: input.xks_proxy_vpc_endpoint_service_owner.as_deref(),
        credential: input
            .xks_proxy_authentication_credential
            .as_ref()
            .map(|both| &both.0),
    }
}

fn required<'a>(
    member: &str,
    value: Option<&'a str>,
    kind: KeyStoreKind,
) -> Result<&'a str, Failure> {
    value.ok_or_else(|| {
        Failure::validation(format!(
            "{member} is required when CustomKeyStoreType is {kind}"
        ))
    })
}

fn cluster(
    settings: &Settings<'_>,
    certificate: Option<&str>,
) -> Result<(Backing, String), Failure> {
    const KIND: KeyStoreKind = KeyStoreKind::CloudHsm;
    let password = required("KeyStorePassword", settings.password, KIND)?;
    let backing = Backing::CloudHsm {
        cluster: required("CloudHsmClusterId", settings.cluster, KIND)?.to_owned(),
        certificate: required("TrustAnchorCertificate", certificate, KIND)?.to_owned(),
    };
    Ok((backing, password.to_owned()))
}

fn proxy(
    context: &Context<'_>,
    settings: &Settings<'_>,
    connectivity: Option<Connectivity>,
) -> Result<(Backing, String), Failure> {
    const KIND: KeyStoreKind = KeyStoreKind::External;
    let word = required(
        "XksProxyConnectivity",
        connectivity.map(Connectivity::as_str),
        KIND,
    );
    word?;
    let connectivity = connectivity.unwrap_or(Connectivity::PublicEndpoint);
    let credential = settings.credential;
    let access_key = credential.and_then(|both| both.access_key_id.as_deref());
    let secret = credential.and_then(|both| both.raw_secret_access_key.as_deref());
    let access_key = required("XksProxyAuthenticationCredential", access_key, KIND)?;
    let secret = required("XksProxyAuthenticationCredential", secret, KIND)?;
    let by_service = connectivity == Connectivity::VpcEndpointService;
    if by_service != settings.service.is_some() {
        return Err(Failure::validation(
            "XksProxyVpcEndpointServiceName is required when XksProxyConnectivity is VPC_ENDPOINT_SERVICE, and only \
             then",
        ));
    }
    let owner = settings.owner.unwrap_or(context.caller.account.as_str());
    let backing = Backing::External(Proxy {
        connectivity,
        endpoint: required("XksProxyUriEndpoint", settings.endpoint, KIND)?.to_owned(),
        path: required("XksProxyUriPath", settings.path, KIND)?.to_owned(),
        service: settings.service.map(str::to_owned),
        service_owner: by_service.then(|| owner.to_owned()),
        access_key: access_key.to_owned(),
    });
    Ok((backing, secret.to_owned()))
}
