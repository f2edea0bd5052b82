//! A key's grants.

use std::collections::BTreeMap;

use aws_sdk_kms::types::{GrantConstraints, GrantListEntry};

use crate::kms::{Api, CallError, Client};
use crate::model::{Constraints, GrantOperations, KeyId, LiveGrantName, Operation, Principal};
use crate::state::{LiveGrant, LivePrincipal};

use super::next_marker;

/// Lists all grants of a key, in order of id.
pub(super) async fn list(client: &Client, id: &KeyId) -> Result<Vec<LiveGrant>, CallError> {
    let mut grants = Vec::new();
    let mut marker = None;
    loop {
        let request = client
            .sdk()
            .list_grants()
            .key_id(id.as_str())
            .limit(100)
            .set_marker(marker);
        let page = client
            .call(Api::ListGrants, || request.clone().send())
            .await?;
        grants.extend(page.grants().iter().map(|entry| grant(client, entry)));
        marker = next_marker(page.next_marker());
        if marker.is_none() {
            grants.sort_by(|a: &LiveGrant, b| a.id.cmp(&b.id));
            return Ok(grants);
        }
    }
}

fn grant(client: &Client, entry: &GrantListEntry) -> LiveGrant {
    let name = entry.name().unwrap_or_default();
    let principal = |text: &str| match Principal::parse(text, client.place().partition()) {
        Ok(principal) => LivePrincipal::Known(principal),
        Err(_) => text.parse().map_or_else(
            |_| LivePrincipal::Unknown(text.to_owned()),
            |service| LivePrincipal::Known(Principal::Service(service)),
        ),
    };
    let mut operations = GrantOperations::new();
    let mut unknown_operations = std::collections::BTreeSet::new();
    for operation in entry.operations() {
        match operation.as_str().parse::<Operation>() {
            Ok(operation) => operations.insert(operation),
            Err(_) => unknown_operations.insert(operation.as_str().to_owned()),
        };
    }
    let grantee = entry
        .grantee_principal()
        .or(entry.grantee_service_principal())
        .unwrap_or_default();
    let retiring = entry
        .retiring_principal()
        .or(entry.retiring_service_principal())
        .filter(|text| !text.is_empty());
    LiveGrant {
        id: entry.grant_id().unwrap_or_default().to_owned(),
        name: name.to_owned(),
        ours: name.parse::<LiveGrantName>().ok(),
        grantee: principal(grantee),
        retiring: retiring.map(principal),
        operations,
        unknown_operations,
        constraints: entry.constraints().map(constraints).unwrap_or_default(),
    }
}

fn constraints(live: &GrantConstraints) -> Constraints {
    let pairs =
        |map: Option<&std::collections::HashMap<String, String>>| -> BTreeMap<String, String> {
            map.into_iter()
                .flatten()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        };
    Constraints {
        context_subset: pairs(live.encryption_context_subset()),
        context_equals: pairs(live.encryption_context_equals()),
        source_arn: live.source_arn().and_then(|arn| arn.parse().ok()),
    }
}
