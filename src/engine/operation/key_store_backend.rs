//! The simulated backends of key stores: a cluster, a proxy, a service or an external key has the fault that its name
//! says, and none if it says none.

use crate::engine::store::key_stores::{Backing, KeyStore, Proxy};
use crate::engine::wire::{Code, Failure};

/// A word in a name, and the fault that it stands for.
type Faults = &'static [(&'static str, Code)];

const CLUSTER: Faults = &[
    ("missing", Code::CloudHsmClusterNotFound),
    ("inactive", Code::CloudHsmClusterNotActive),
    ("invalid", Code::CloudHsmClusterInvalidConfiguration),
];

const PROXY: Faults = &[
    ("unreachable", Code::XksProxyUriUnreachable),
    ("denied", Code::XksProxyIncorrectAuthenticationCredential),
    ("garbled", Code::XksProxyInvalidResponse),
    ("invalid", Code::XksProxyInvalidConfiguration),
];

const SERVICE: Faults = &[
    ("missing", Code::XksProxyVpcEndpointServiceNotFound),
    (
        "invalid",
        Code::XksProxyVpcEndpointServiceInvalidConfiguration,
    ),
];

const EXTERNAL_KEY: Faults = &[
    ("missing", Code::XksKeyNotFound),
    ("invalid", Code::XksKeyInvalidConfiguration),
];

/// Checks that what is behind a key store is there and in order.
pub(super) fn check(backing: &Backing) -> Result<(), Failure> {
    match backing {
        Backing::CloudHsm {
            cluster,
            certificate,
        } => {
            find_fault(cluster, CLUSTER)?;
            if certificate.contains("-----BEGIN CERTIFICATE-----") {
                Ok(())
            } else {
                Err(Failure::silent(Code::IncorrectTrustAnchor))
            }
        }
        Backing::External(proxy) => {
            let Proxy {
                endpoint,
                path,
                service,
                ..
            } = proxy;
            if let Some(service) = service {
                find_fault(service, SERVICE)?;
            }
            find_fault(endpoint, PROXY)?;
            find_fault(path, PROXY)
        }
    }
}

/// Clusters are related when one is a backup of the other; here, all but those that say otherwise.
pub(super) fn check_related(cluster: &str) -> Result<(), Failure> {
    find_fault(cluster, &[("unrelated", Code::CloudHsmClusterNotRelated)])
}

/// Checks that an external key is there and in order.
pub(super) fn check_external_key(id: &str) -> Result<(), Failure> {
    find_fault(id, EXTERNAL_KEY)
}

/// Connects a key store, or tells why not.
pub(super) fn connect(store: &KeyStore, secret: &str) -> Result<(), &'static str> {
    let is_wrong = secret.contains("wrong");
    match &store.backing {
        Backing::CloudHsm { .. } if is_wrong => Err("INVALID_CREDENTIALS"),
        Backing::External(_) if is_wrong => Err("XKS_PROXY_ACCESS_DENIED"),
        Backing::External(proxy) if proxy.path.contains("slow") => Err("XKS_PROXY_TIMED_OUT"),
        Backing::CloudHsm { .. } | Backing::External(_) => Ok(()),
    }
}

fn find_fault(name: &str, faults: Faults) -> Result<(), Failure> {
    match faults.iter().find(|(word, _)| name.contains(word)) {
        Some((_, code)) => Err(Failure::silent(*code)),
        None => Ok(()),
    }
}
