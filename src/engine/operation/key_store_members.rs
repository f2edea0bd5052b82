//! Members that key store operations share, with the service model's rules.

use std::fmt;

use crate::engine::store::Connection;
use serde::Deserialize;

use crate::engine::store::key_stores::{self, Backing, ConnectionState, KeyStore};
use crate::engine::wire::{Check, Code, Failure};

use super::Context;

/// How an external key store's proxy knows KMS.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Credential {
    pub access_key_id: Option<String>,
    pub raw_secret_access_key: Option<String>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// The settings of a backing; creation and update name them alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings<'a> {
    pub cluster: Option<&'a str>,
    pub password: Option<&'a str>,
    pub endpoint: Option<&'a str>,
    pub path: Option<&'a str>,
    pub service: Option<&'a str>,
    pub owner: Option<&'a str>,
    pub credential: Option<&'a Credential>,
}

impl Settings<'_> {
    /// Notes what the service model finds wrong.
    pub(super) fn check(&self, check: &mut Check) {
        check.length("cloudHsmClusterId", self.cluster, 19..=24);
        check.shape(
            "cloudHsmClusterId",
            self.cluster,
            "cluster-[2-7a-zA-Z]{11,16}",
            is_cluster,
        );
        check.secret_length("keyStorePassword", self.password, 7..=32);
        check.length("xksProxyUriEndpoint", self.endpoint, 10..=128);
        check.shape(
            "xksProxyUriEndpoint",
            self.endpoint,
            "^https://[a-zA-Z0-9.-]+$",
            is_endpoint,
        );
        check.length("xksProxyUriPath", self.path, 10..=128);
        check.shape(
            "xksProxyUriPath",
            self.path,
            r"^(/[a-zA-Z0-9\/_-]+/kms/xks/v\d{1,2})$|^(/kms/xks/v\d{1,2})$",
            is_path,
        );
        check.length("xksProxyVpcEndpointServiceName", self.service, 20..=64);
        check.shape(
            "xksProxyVpcEndpointServiceName",
            self.service,
            r"^(com|eu)\.amazonaws\.vpce\.([a-z]+-){2,3}\d+\.vpce-svc-[0-9a-z]+$",
            is_service,
        );
        check.length("xksProxyVpcEndpointServiceOwner", self.owner, 12..=12);
        check.pattern(
            "xksProxyVpcEndpointServiceOwner",
            self.owner,
            "[0-9]{12}",
            |character| character.is_ascii_digit(),
        );
        if let Some(credential) = self.credential {
            check_credential(check, credential);
        }
    }
}

fn check_credential(check: &mut Check, credential: &Credential) {
    const ID: &str = "xksProxyAuthenticationCredential.accessKeyId";
    const SECRET: &str = "xksProxyAuthenticationCredential.rawSecretAccessKey";
    let id = credential.access_key_id.as_deref();
    check.length(ID, id, 20..=30);
    check.pattern(
        ID,
        id,
        "^[A-Z2-7]+$",
        |character| matches!(character, 'A'..='Z' | '2'..='7'),
    );
    check.required(ID, id);
    let secret = credential.raw_secret_access_key.as_deref();
    check.secret_length(SECRET, secret, 43..=64);
    check.required(SECRET, secret);
}

/// A name: any text of a length.
pub(super) fn check_name(check: &mut Check, member: &str, value: Option<&str>) {
    check.length(member, value, 1..=256);
}

/// A key store's id.
pub(super) fn check_id<'a>(check: &mut Check, value: Option<&'a str>) -> &'a str {
    check.text("customKeyStoreId", value, 1..=64)
}

/// The caller's key store with an id.
pub(super) fn find(
    context: &Context<'_>,
    connection: &Connection,
    id: &str,
) -> Result<KeyStore, Failure> {
    key_stores::find(connection, &context.caller.place(), id)?.ok_or_else(|| not_found(id))
}

/// What KMS says about a key store that is not there.
pub(super) fn not_found(what: &str) -> Failure {
    Failure::new(
        Code::CustomKeyStoreNotFound,
        format!("Custom key store {what} is not found."),
    )
}

/// What KMS says about a key store whose state is in the way.
pub(super) fn wrong_state(store: &KeyStore) -> Failure {
    Failure::new(
        Code::CustomKeyStoreInvalidState,
        format!("Custom key store {} is {}.", store.id, store.state),
    )
}

/// Fails unless the key store is in a state.
pub(super) fn check_state(store: &KeyStore, state: ConnectionState) -> Result<(), Failure> {
    if store.state == state {
        Ok(())
    } else {
        Err(wrong_state(store))
    }
}

/// Fails when another key store of the Region has the same name or the same backing.
pub(super) fn check_unique(connection: &Connection, store: &KeyStore) -> Result<(), Failure> {
    if let Some(other) = key_stores::named(connection, &store.place, &store.name)?
        && other.id != store.id
    {
        return Err(Failure::silent(Code::CustomKeyStoreNameInUse));
    }
    let region = store.place.region.as_str();
    for other in key_stores::of_region(connection, region)? {
        if other.id == store.id {
            continue;
        }
        if let Some(code) = conflict(&store.backing, &other.backing) {
            return Err(Failure::silent(code));
        }
    }
    Ok(())
}

fn conflict(one: &Backing, other: &Backing) -> Option<Code> {
    match (one, other) {
        (Backing::CloudHsm { cluster, .. }, Backing::CloudHsm { cluster: taken, .. }) => {
            (cluster == taken).then_some(Code::CloudHsmClusterInUse)
        }
        (Backing::External(one), Backing::External(other)) => {
            let same_endpoint = one.endpoint == other.endpoint;
            if same_endpoint && one.path == other.path {
                Some(Code::XksProxyUriInUse)
            } else if one.service.is_some() && one.service == other.service {
                Some(Code::XksProxyVpcEndpointServiceInUse)
            } else if same_endpoint && one.service != other.service {
                Some(Code::XksProxyUriEndpointInUse)
            } else {
                None
            }
        }
        (Backing::CloudHsm { .. }, Backing::External(_))
        | (Backing::External(_), Backing::CloudHsm { .. }) => None,
    }
}

fn is_cluster(text: &str) -> bool {
    text.strip_prefix("cluster-").is_some_and(|rest| {
        (11..=16).contains(&rest.len())
            && rest
                .chars()
                .all(|c| matches!(c, '2'..='7' | 'a'..='z' | 'A'..='Z'))
    })
}

fn is_endpoint(text: &str) -> bool {
    text.strip_prefix("https://").is_some_and(|host| {
        !host.is_empty()
            && host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
    })
}

fn is_path(text: &str) -> bool {
    let Some((prefix, version)) = text.rsplit_once("/kms/xks/v") else {
        return false;
    };
    let is_prefix = prefix.strip_prefix('/').is_none_or(|rest| {
        !rest.is_empty()
            && rest
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-'))
    });
    (prefix.is_empty() || prefix.starts_with('/'))
        && is_prefix
        && (1..=2).contains(&version.len())
        && version.chars().all(|c| c.is_ascii_digit())
}

fn is_service(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let ["com" | "eu", "amazonaws", "vpce", region, service] = parts.as_slice() else {
        return false;
    };
    let id = service.strip_prefix("vpce-svc-");
    region.parse::<crate::model::Region>().is_ok()
        && id.is_some_and(|id| {
            !id.is_empty() && id.chars().all(|c| matches!(c, '0'..='9' | 'a'..='z'))
        })
}
