//! One change, one call: an exhaustive match, with nothing left to decide.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_kms::types::{
    GrantConstraints, GrantOperation, KeySpec, KeyUsageType, OriginType, Tag,
};

use super::Failure;
use crate::kms::{Api, CallError, Client, ErrorKind};
use crate::model::{AliasName, Constraints, KeyId, Principal, TagKey, TagValue, Tags};
use crate::observe;
use crate::plan::{Action, GrantToCreate, KeyPlan, NewKey};
use crate::policy;
use crate::state::Part;

/// How often a new grant is looked for before the old one goes.
const LOOKS_FOR_GRANT: u32 = 8;
/// The shortest waiting time before deletion that KMS allows, in days.
const SHORTEST_WINDOW_DAYS: i32 = 7;

/// One call, and whether it failed.
macro_rules! send {
    ($client:ident, $api:ident, $request:expr) => {{
        let request = $request;
        $client
            .call(Api::$api, || request.clone().send())
            .await
            .map(drop)
    }};
}

/// Carries out one action on the key; `CreateKey` says which key that is.
#[expect(
    clippy::too_many_lines,
    reason = "a flat match: one arm for each action"
)]
pub(super) async fn execute(
    client: &Client,
    plan: &KeyPlan,
    key: &mut Option<KeyId>,
    action: &Action,
) -> Result<(), Failure> {
    let sdk = client.sdk();
    let id = key.as_ref().map(KeyId::to_string).unwrap_or_default();
    let answer = match action {
        Action::CreateKey(new) => {
            *key = Some(create_key(client, new).await?);
            Ok(())
        }
        Action::CreateAlias(alias) => return create_alias(client, plan, &id, alias).await,
        Action::CreateGrant(grant) => return create_grant(client, &id, grant).await,
        Action::PutKeyPolicy {
            to,
            bypass_lockout_check,
            ..
        } => {
            let request = sdk
                .put_key_policy()
                .key_id(id)
                .policy_name("default")
                .policy(policy::write_compact(to));
            let bypass = bypass_lockout_check.then_some(true);
            send!(
                client,
                PutKeyPolicy,
                request.set_bypass_policy_lockout_safety_check(bypass)
            )
        }
        Action::UpdateKeyDescription { to, .. } => {
            send!(
                client,
                UpdateKeyDescription,
                sdk.update_key_description().key_id(id).description(to)
            )
        }
        Action::TagResource { to, .. } => {
            send!(
                client,
                TagResource,
                sdk.tag_resource().key_id(id).set_tags(Some(wire_tags(to)))
            )
        }
        Action::UntagResource { from } => {
            let keys = from.keys().map(ToString::to_string).collect();
            send!(
                client,
                UntagResource,
                sdk.untag_resource().key_id(id).set_tag_keys(Some(keys))
            )
        }
        Action::UpdateAlias { alias, .. } => {
            send!(
                client,
                UpdateAlias,
                sdk.update_alias()
                    .alias_name(alias.as_str())
                    .target_key_id(id)
            )
        }
        Action::DeleteAlias(alias) => gone_is_fine(send!(
            client,
            DeleteAlias,
            sdk.delete_alias().alias_name(alias.as_str())
        )),
        Action::RevokeGrant { grant, .. } => gone_is_fine(send!(
            client,
            RevokeGrant,
            sdk.revoke_grant().key_id(id).grant_id(&grant.id)
        )),
        Action::EnableKeyRotation { to, .. } => {
            let request = sdk
                .enable_key_rotation()
                .key_id(id)
                .rotation_period_in_days(to.days());
            send!(client, EnableKeyRotation, request)
        }
        Action::DisableKeyRotation { .. } => send!(
            client,
            DisableKeyRotation,
            sdk.disable_key_rotation().key_id(id)
        ),
        Action::RotateKeyOnDemand { .. } => send!(
            client,
            RotateKeyOnDemand,
            sdk.rotate_key_on_demand().key_id(id)
        ),
        Action::EnableKey => send!(client, EnableKey, sdk.enable_key().key_id(id)),
        Action::DisableKey => send!(client, DisableKey, sdk.disable_key().key_id(id)),
        Action::CancelKeyDeletion { .. } => send!(
            client,
            CancelKeyDeletion,
            sdk.cancel_key_deletion().key_id(id)
        ),
        Action::ScheduleKeyDeletion { window_days, .. } => {
            schedule_deletion(client, &id, *window_days).await
        }
    };
    answer.map_err(Failure::Call)
}

/// Taking away what is gone already is success.
fn gone_is_fine(answer: Result<(), CallError>) -> Result<(), CallError> {
    match answer {
        Err(error)
            if error.kind == ErrorKind::NotFound || error.code == "InvalidGrantIdException" =>
        {
            Ok(())
        }
        answer => answer,
    }
}

async fn schedule_deletion(client: &Client, id: &str, window_days: i32) -> Result<(), CallError> {
    let request = client
        .sdk()
        .schedule_key_deletion()
        .key_id(id)
        .pending_window_in_days(window_days);
    send!(client, ScheduleKeyDeletion, request)
}

async fn create_key(client: &Client, new: &NewKey) -> Result<KeyId, Failure> {
    let NewKey {
        key_type,
        origin,
        description,
        policy,
        tags,
        bypass_lockout_check,
    } = new;
    let request = client
        .sdk()
        .create_key()
        .key_spec(KeySpec::from(key_type.spec.as_str()))
        .key_usage(KeyUsageType::from(key_type.usage.as_str()))
        .origin(OriginType::from(origin.as_str()))
        .description(description)
        .policy(policy::write_compact(policy))
        .set_tags(Some(wire_tags(tags)))
        .set_bypass_policy_lockout_safety_check(bypass_lockout_check.then_some(true));
    let answer = client
        .call(Api::CreateKey, || request.clone().send())
        .await?;
    let id = answer
        .key_metadata()
        .map(|metadata| metadata.key_id().parse());
    match id {
        Some(Ok(id)) => Ok(id),
        _ => Err(
            CallError::unexpected(Api::CreateKey, "the server did not say which key it made")
                .into(),
        ),
    }
}

fn wire_tags(tags: &Tags) -> Vec<Tag> {
    let tag = |(key, value): (&TagKey, &TagValue)| {
        Tag::builder()
            .tag_key(key.as_str())
            .tag_value(value.as_str())
            .build()
            .ok()
    };
    tags.iter().filter_map(tag).collect()
}

/// Creates an alias; the loser of two first runs takes its own key back.
async fn create_alias(
    client: &Client,
    plan: &KeyPlan,
    id: &str,
    alias: &AliasName,
) -> Result<(), Failure> {
    let request = client
        .sdk()
        .create_alias()
        .alias_name(alias.as_str())
        .target_key_id(id);
    let Err(error) = send!(client, CreateAlias, request) else {
        return Ok(());
    };
    if error.code != "AlreadyExistsException" {
        return Err(error.into());
    }
    let Some(winner) = observe::alias_target(client, alias, None).await? else {
        return Err(error.into());
    };
    if winner.as_str() == id {
        return Ok(());
    }
    let made_here = plan.key.is_none() && alias == plan.name.alias();
    if !made_here || !same_owner(client, plan, &winner).await? {
        return Err(error.into());
    }
    schedule_deletion(client, id, SHORTEST_WINDOW_DAYS).await?;
    Err(Failure::Superseded { winner })
}

/// True when the other key carries the very ownership tags that ours was made with.
async fn same_owner(client: &Client, plan: &KeyPlan, other: &KeyId) -> Result<bool, CallError> {
    let made = plan.changes.iter().find_map(|change| {
        let Action::CreateKey(new) = &change.action else {
            return None;
        };
        Some(&new.tags)
    });
    let live = observe::read_part(client, other, Part::Tags).await?;
    let mut ownership = made
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.is_ownership());
    Ok(ownership.all(|(key, value)| live.tags.get(key) == Some(value)))
}

async fn create_grant(client: &Client, id: &str, grant: &GrantToCreate) -> Result<(), Failure> {
    let GrantToCreate {
        name,
        terms,
        replaces,
    } = grant;
    let operations = terms
        .operations
        .iter()
        .map(|operation| GrantOperation::from(operation.name()))
        .collect();
    let mut request = client
        .sdk()
        .create_grant()
        .key_id(id)
        .name(name.to_string())
        .set_operations(Some(operations));
    request = if let Principal::Service(service) = &terms.grantee {
        request.grantee_service_principal(service.as_str())
    } else {
        request.grantee_principal(terms.grantee.to_string())
    };
    request = if let Some(Principal::Service(service)) = &terms.retiring {
        request.retiring_service_principal(service.as_str())
    } else {
        request.set_retiring_principal(terms.retiring.as_ref().map(ToString::to_string))
    };
    request = request.set_constraints(wire_constraints(&terms.constraints));
    let answer = client
        .call(Api::CreateGrant, || request.clone().send())
        .await?;
    let grant_id = answer.grant_id().unwrap_or_default();
    if *replaces {
        wait_for_grant(client, id, grant_id).await
    } else {
        Ok(())
    }
}

fn wire_constraints(constraints: &Constraints) -> Option<GrantConstraints> {
    if *constraints == Constraints::default() {
        return None;
    }
    let map = |pairs: &BTreeMap<String, String>| {
        (!pairs.is_empty()).then(|| {
            pairs
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        })
    };
    let wire = GrantConstraints::builder()
        .set_encryption_context_subset(map(&constraints.context_subset))
        .set_encryption_context_equals(map(&constraints.context_equals))
        .set_source_arn(constraints.source_arn.as_ref().map(ToString::to_string));
    Some(wire.build())
}

/// Waits until KMS lists a new grant, so that its grantee is never without access.
async fn wait_for_grant(client: &Client, id: &str, grant_id: &str) -> Result<(), Failure> {
    let Ok(key) = id.parse::<KeyId>() else {
        return Ok(());
    };
    for look in 0..LOOKS_FOR_GRANT {
        let live = observe::read_part(client, &key, Part::Grants).await?;
        if live.grants.iter().any(|grant| grant.id == grant_id) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(250 << look)).await;
    }
    Err(Failure::GrantNotVisible(grant_id.to_owned()))
}
