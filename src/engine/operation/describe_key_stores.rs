//! `DescribeCustomKeyStores`.

use serde::{Deserialize, Serialize};

use crate::engine::store::key_stores::{self, Backing, KeyStore, Proxy};
use crate::engine::wire::{Check, Failure, Seconds};

use super::page::Pages;
use super::{Context, key_store_members};

const PAGES: Pages = Pages {
    kind: "key stores",
    default: 100,
    most: 1000,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    custom_key_store_id: Option<String>,
    custom_key_store_name: Option<String>,
    limit: Option<i64>,
    marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    custom_key_stores: Vec<Entry>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    custom_key_store_id: String,
    custom_key_store_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_hsm_cluster_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust_anchor_certificate: Option<String>,
    connection_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_error_code: Option<String>,
    creation_date: Seconds,
    custom_key_store_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    xks_proxy_configuration: Option<Configuration>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    connectivity: &'static str,
    access_key_id: String,
    uri_endpoint: String,
    uri_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    vpc_endpoint_service_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vpc_endpoint_service_owner: Option<String>,
}

pub(super) fn describe(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let (id, name) = (
        input.custom_key_store_id.as_deref(),
        input.custom_key_store_name.as_deref(),
    );
    check.length("customKeyStoreId", id, 1..=64);
    key_store_members::check_name(&mut check, "customKeyStoreName", name);
    PAGES.check(&mut check, input.limit, input.marker.as_deref());
    check.finish()?;
    let page = PAGES.page(input.limit, input.marker.as_deref())?;
    let place = context.caller.place();
    let mut found = context.read(|connection| match (id, name) {
        (Some(_), Some(_)) => Err(Failure::validation(
            "You can specify either CustomKeyStoreId or CustomKeyStoreName, but not both.",
        )),
        (Some(id), None) => Ok(vec![key_store_members::find(context, connection, id)?]),
        (None, Some(name)) => {
            let store = key_stores::named(connection, &place, name)?;
            Ok(vec![
                store.ok_or_else(|| key_store_members::not_found(name))?,
            ])
        }
        (None, None) => Ok(key_stores::after(
            connection,
            &place,
            &page.after,
            page.reach(),
        )?),
    })?;
    let more = page.cut(&mut found, |store| store.id.clone());
    Ok(Output {
        custom_key_stores: found.into_iter().map(entry).collect(),
        truncated: more.truncated,
        next_marker: more.next_marker,
    })
}

fn entry(store: KeyStore) -> Entry {
    let kind = store.kind();
    let (cluster, certificate, proxy) = match store.backing {
        Backing::CloudHsm {
            cluster,
            certificate,
        } => (Some(cluster), Some(certificate), None),
        Backing::External(proxy) => (None, None, Some(configuration(proxy))),
    };
    Entry {
        custom_key_store_id: store.id,
        custom_key_store_name: store.name,
        cloud_hsm_cluster_id: cluster,
        trust_anchor_certificate: certificate,
        connection_state: store.state.as_str(),
        connection_error_code: store.error,
        creation_date: store.created.into(),
        custom_key_store_type: kind.as_str(),
        xks_proxy_configuration: proxy,
    }
}

fn configuration(proxy: Proxy) -> Configuration {
    Configuration {
        connectivity: proxy.connectivity.as_str(),
        access_key_id: proxy.access_key,
        uri_endpoint: proxy.endpoint,
        uri_path: proxy.path,
        vpc_endpoint_service_name: proxy.service,
        vpc_endpoint_service_owner: proxy.service_owner,
    }
}
