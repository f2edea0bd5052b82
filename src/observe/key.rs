//! One key: metadata, policy, grants, tags and rotation, in at most five calls.

use std::sync::Arc;

use aws_sdk_kms::primitives::DateTime;
use aws_sdk_kms::types::{KeyMetadata, RotationType};
use jiff::Timestamp;

use super::{KnownPolicies, grants, next_marker};
use crate::kms::{Api, CallError, Client, ErrorKind};
use crate::model::{KeyArn, KeyId, KeyManager, KeyState, KeyType, Origin, RotationPeriod, Tags};
use crate::policy;
use crate::state::{LivePolicy, ObservedKey, Part, RotationStatus};

/// Reads beyond the usual five.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// How many on-demand rotations there have been.
    pub rotations: bool,
    /// When the key was last used.
    pub last_use: bool,
}

impl Extras {
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            rotations: self.rotations || other.rotations,
            last_use: self.last_use || other.last_use,
        }
    }
}

/// Reads a key; `None` when there is none.
pub(super) async fn read(
    client: &Client,
    id: &KeyId,
    extras: Extras,
    known: &KnownPolicies,
) -> Result<Option<ObservedKey>, CallError> {
    let mut key = match describe(client, id).await {
        Ok(key) => key,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if key.manager == KeyManager::Aws {
        return Ok(Some(key));
    }
    let (policy, grants, tags, rotation) = futures_util::try_join!(
        policy(client, id, known),
        grants::list(client, id),
        tags(client, id),
        rotation_where_it_applies(client, &key),
    )?;
    key.policy = policy;
    key.grants = grants;
    key.tags = tags;
    key.rotation = rotation;
    if extras.rotations {
        key.rotations_on_demand = Some(rotations_on_demand(client, id).await?);
    }
    if extras.last_use {
        key.last_used = last_use(client, id).await?;
    }
    Ok(Some(key))
}

/// Reads one part of a key and nothing else; the other parts are unread.
pub async fn read_part(client: &Client, id: &KeyId, part: Part) -> Result<ObservedKey, CallError> {
    let mut key = ObservedKey::unread(KeyArn::new(client.place().clone(), id.clone()));
    match part {
        Part::Metadata => key = describe(client, id).await?,
        Part::Policy => key.policy = policy(client, id, &KnownPolicies::default()).await?,
        Part::Grants => key.grants = grants::list(client, id).await?,
        Part::Tags => key.tags = tags(client, id).await?,
        Part::Rotation => key.rotation = rotation(client, id).await?,
        Part::OnDemandRotations => {
            key.rotations_on_demand = Some(rotations_on_demand(client, id).await?);
        }
    }
    Ok(key)
}

/// Metadata alone; the other parts are empty.
async fn describe(client: &Client, id: &KeyId) -> Result<ObservedKey, CallError> {
    let request = client.sdk().describe_key().key_id(id.as_str());
    let answer = client
        .call(Api::DescribeKey, || request.clone().send())
        .await?;
    let metadata = answer
        .key_metadata()
        .ok_or_else(|| CallError::unexpected(Api::DescribeKey, "no key metadata"))?;
    from_metadata(client, id, metadata)
        .map_err(|problem| CallError::unexpected(Api::DescribeKey, &problem))
}

fn from_metadata(
    client: &Client,
    id: &KeyId,
    metadata: &KeyMetadata,
) -> Result<ObservedKey, String> {
    let word = |name: &str, value: Option<&str>| {
        value
            .map(str::to_owned)
            .ok_or(format!("no {name} in key metadata"))
    };
    let arn = match metadata.arn() {
        Some(arn) => arn
            .parse::<KeyArn>()
            .map_err(|malformed| malformed.to_string())?,
        None => KeyArn::new(client.place().clone(), id.clone()),
    };
    if arn.place != *client.place() {
        return Err(format!(
            "the key is in {}, not in {}",
            arn.place,
            client.place()
        ));
    }
    let spec = metadata.key_spec().map(|spec| spec.as_str().parse());
    let usage = metadata.key_usage().map(|usage| usage.as_str().parse());
    let key_type = match (spec, usage) {
        (Some(Ok(spec)), Some(Ok(usage))) => Some(KeyType { spec, usage }),
        _ => None,
    };
    let manager = metadata
        .key_manager()
        .map_or("CUSTOMER", |manager| manager.as_str());
    let origin = metadata
        .origin()
        .map_or("AWS_KMS", |origin| origin.as_str());
    let state = word(
        "KeyState",
        metadata
            .key_state()
            .map(aws_sdk_kms::types::KeyState::as_str),
    )?;
    Ok(ObservedKey {
        key_type,
        origin: origin
            .parse::<Origin>()
            .map_err(|malformed| malformed.to_string())?,
        manager: manager
            .parse::<KeyManager>()
            .map_err(|malformed| malformed.to_string())?,
        state: state
            .parse::<KeyState>()
            .map_err(|malformed| malformed.to_string())?,
        multi_region: metadata.multi_region().unwrap_or(false),
        created: metadata.creation_date().and_then(timestamp),
        deletion_date: metadata.deletion_date().and_then(timestamp),
        description: metadata.description().unwrap_or_default().to_owned(),
        ..ObservedKey::unread(arn)
    })
}

async fn policy(
    client: &Client,
    id: &KeyId,
    known: &KnownPolicies,
) -> Result<LivePolicy, CallError> {
    let request = client
        .sdk()
        .get_key_policy()
        .key_id(id.as_str())
        .policy_name("default");
    let answer = client
        .call(Api::GetKeyPolicy, || request.clone().send())
        .await?;
    let text = answer.policy().unwrap_or_default();
    if let Some(document) = known.find(text) {
        return Ok(LivePolicy::Document(Arc::clone(document)));
    }
    Ok(match policy::read(text, client.place().partition()) {
        Ok(document) => {
            // The same policy may have been written in another form.
            let same = known.find(&policy::write_compact(&document)).cloned();
            LivePolicy::Document(same.unwrap_or_else(|| Arc::new(document)))
        }
        Err(error) => LivePolicy::Opaque {
            text: text.to_owned(),
            reason: error.to_string(),
        },
    })
}

/// The tags of a key; AWS's own, reserved ones left out.
pub(super) async fn tags(client: &Client, id: &KeyId) -> Result<Tags, CallError> {
    let mut tags = Tags::new();
    let mut marker = None;
    loop {
        let request = client
            .sdk()
            .list_resource_tags()
            .key_id(id.as_str())
            .limit(50)
            .set_marker(marker);
        let page = client
            .call(Api::ListResourceTags, || request.clone().send())
            .await?;
        for tag in page.tags() {
            if let (Ok(key), Ok(value)) = (tag.tag_key().parse(), tag.tag_value().parse()) {
                tags.insert(key, value);
            }
        }
        marker = next_marker(page.next_marker());
        if marker.is_none() {
            return Ok(tags);
        }
    }
}

async fn rotation_where_it_applies(
    client: &Client,
    key: &ObservedKey,
) -> Result<Option<RotationStatus>, CallError> {
    let rotates = key
        .key_type
        .is_some_and(|key_type| key_type.rotates(key.origin));
    let ready = matches!(key.state, KeyState::Enabled | KeyState::Disabled);
    if rotates && ready {
        rotation(client, &key.arn.id).await
    } else {
        Ok(None)
    }
}

async fn rotation(client: &Client, id: &KeyId) -> Result<Option<RotationStatus>, CallError> {
    let request = client.sdk().get_key_rotation_status().key_id(id.as_str());
    let answer = client
        .call(Api::GetKeyRotationStatus, || request.clone().send())
        .await?;
    let enabled = answer.key_rotation_enabled();
    let days = answer.rotation_period_in_days().filter(|_| enabled);
    let period = days.and_then(|days| RotationPeriod::from_days(i64::from(days)).ok());
    Ok(Some(RotationStatus { enabled, period }))
}

async fn rotations_on_demand(client: &Client, id: &KeyId) -> Result<u32, CallError> {
    let mut count = 0;
    let mut marker = None;
    loop {
        let request = client
            .sdk()
            .list_key_rotations()
            .key_id(id.as_str())
            .limit(1000)
            .set_marker(marker);
        let page = client
            .call(Api::ListKeyRotations, || request.clone().send())
            .await?;
        let on_demand = page
            .rotations()
            .iter()
            .filter(|entry| entry.rotation_type() == Some(&RotationType::OnDemand));
        count += u32::try_from(on_demand.count()).unwrap_or(u32::MAX);
        marker = next_marker(page.next_marker());
        if marker.is_none() {
            return Ok(count);
        }
    }
}

async fn last_use(client: &Client, id: &KeyId) -> Result<Option<Timestamp>, CallError> {
    let request = client.sdk().get_key_last_usage().key_id(id.as_str());
    let answer = match client
        .call(Api::GetKeyLastUsage, || request.clone().send())
        .await
    {
        Ok(answer) => answer,
        // Not every KMS keeps track of it; the plan says so where it matters.
        Err(error) if error.is_unknown_operation() => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(answer
        .key_last_usage()
        .and_then(|usage| usage.timestamp())
        .and_then(timestamp))
}

fn timestamp(date: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(date.secs()).ok()
}
