//! `UpdateCustomKeyStore`.

use serde::Deserialize;

use crate::engine::store::key_stores::{
    self, Backing, ConnectionState, Connectivity, KeyStore, Proxy,
};
use crate::engine::wire::{Check, Failure, Structure};

use super::key_store_members::{self, Credential, Settings};
use super::{Context, key_store_backend};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    custom_key_store_id: Option<String>,
    new_custom_key_store_name: Option<String>,
    key_store_password: Option<String>,
    cloud_hsm_cluster_id: Option<String>,
    xks_proxy_uri_endpoint: Option<String>,
    xks_proxy_uri_path: Option<String>,
    xks_proxy_vpc_endpoint_service_name: Option<String>,
    xks_proxy_vpc_endpoint_service_owner: Option<String>,
    xks_proxy_authentication_credential: Option<Structure<Credential>>,
    xks_proxy_connectivity: Option<String>,
}

pub(super) fn update(context: &Context<'_>, input: &Input) -> Result<(), Failure> {
    let mut check = Check::default();
    let id = key_store_members::check_id(&mut check, input.custom_key_store_id.as_deref());
    let name = input.new_custom_key_store_name.as_deref();
    key_store_members::check_name(&mut check, "newCustomKeyStoreName", name);
    let settings = settings(input);
    settings.check(&mut check);
    let connectivity = input.xks_proxy_connectivity.as_deref();
    let connectivity = check.choice("xksProxyConnectivity", connectivity, Connectivity::ALL);
    check.finish()?;
    context.write(|connection| {
        let before = key_store_members::find(context, connection, id)?;
        check_kind(&before, &settings, connectivity)?;
        check_state(&before, &settings, connectivity)?;
        let mut after = before.clone();
        if let Some(name) = name {
            name.clone_into(&mut after.name);
        }
        after.backing = backing(&before.backing, &settings, connectivity)?;
        if let Some(secret) = secret(&settings) {
            let master = &context.database.master;
            after.secret = master.seal(secret.as_bytes(), &after.id, context.entropy)?;
        }
        key_store_members::check_unique(connection, &after)?;
        if after.backing != before.backing {
            key_store_backend::check(&after.backing)?;
        }
        Ok(key_stores::update(connection, &after)?)
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

fn secret<'a>(settings: &Settings<'a>) -> Option<&'a str> {
    let credential = settings.credential;
    let raw = credential.and_then(|both| both.raw_secret_access_key.as_deref());
    settings.password.or(raw)
}

/// Checks that the settings are those of the key store's kind.
fn check_kind(
    store: &KeyStore,
    settings: &Settings<'_>,
    connectivity: Option<Connectivity>,
) -> Result<(), Failure> {
    let of_cluster = settings.cluster.is_some() || settings.password.is_some();
    let of_proxy = needs_disconnection(settings, connectivity)
        || settings.path.is_some()
        || settings.credential.is_some();
    let foreign = match store.backing {
        Backing::CloudHsm { .. } => of_proxy,
        Backing::External(_) => of_cluster,
    };
    if foreign {
        return Err(Failure::validation(format!(
            "A parameter is not valid for custom key stores of type {}",
            store.kind()
        )));
    }
    Ok(())
}

/// Checks that the key store is disconnected where the settings demand it; API reference, `UpdateCustomKeyStore`.
fn check_state(
    store: &KeyStore,
    settings: &Settings<'_>,
    connectivity: Option<Connectivity>,
) -> Result<(), Failure> {
    let strict = needs_disconnection(settings, connectivity)
        || settings.cluster.is_some()
        || settings.password.is_some();
    match store.state {
        ConnectionState::Disconnected => Ok(()),
        ConnectionState::Connected if !strict => Ok(()),
        ConnectionState::Connected
        | ConnectionState::Connecting
        | ConnectionState::Failed
        | ConnectionState::Disconnecting => Err(key_store_members::wrong_state(store)),
    }
}

/// True for a proxy's settings that cannot change while it is in use.
fn needs_disconnection(settings: &Settings<'_>, connectivity: Option<Connectivity>) -> bool {
    connectivity.is_some()
        || settings.endpoint.is_some()
        || settings.service.is_some()
        || settings.owner.is_some()
}

fn backing(
    before: &Backing,
    settings: &Settings<'_>,
    connectivity: Option<Connectivity>,
) -> Result<Backing, Failure> {
    let changed = |new: Option<&str>, old: &String| new.map_or_else(|| old.clone(), str::to_owned);
    match before {
        Backing::CloudHsm {
            cluster,
            certificate,
        } => {
            if let Some(cluster) = settings.cluster {
                key_store_backend::check_related(cluster)?;
            }
            Ok(Backing::CloudHsm {
                cluster: changed(settings.cluster, cluster),
                certificate: certificate.clone(),
            })
        }
        Backing::External(old) => {
            let connectivity = connectivity.unwrap_or(old.connectivity);
            let by_service = connectivity == Connectivity::VpcEndpointService;
            let service = settings.service.map(str::to_owned).or(old.service.clone());
            let owner = settings.owner.map(str::to_owned);
            let owner = owner.or(old.service_owner.clone());
            if by_service != service.is_some() && by_service {
                return Err(Failure::validation(
                    "XksProxyVpcEndpointServiceName is required when XksProxyConnectivity is VPC_ENDPOINT_SERVICE",
                ));
            }
            let access_key = settings
                .credential
                .and_then(|both| both.access_key_id.as_deref());
            Ok(Backing::External(Proxy {
                connectivity,
                endpoint: changed(settings.endpoint, &old.endpoint),
                path: changed(settings.path, &old.path),
                service: service.filter(|_| by_service),
                service_owner: owner.filter(|_| by_service),
                access_key: changed(access_key, &old.access_key),
            }))
        }
    }
}
