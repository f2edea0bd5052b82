//! The condition keys of a call: from its members, from its key, and from the moment.
//!
//! Members are read by name, whatever the operation, so that an operation needs no word here to be authorised.

use std::sync::Arc;

use crate::engine::store::Connection;
use serde_json::{Map, Value};

use crate::engine::operation::Context;
use crate::engine::store::grants::Terms;
use crate::engine::store::keys::{self, Key};
use crate::engine::store::{Hangings, aliases, tags};
use crate::engine::wire::Failure;
use crate::model::{Operation, Principal};
use crate::policy;

type Members = Map<String, Value>;

/// Members whose values are condition keys of the same meaning, with what KMS takes where they are left out.
const MEMBERS: &[(&str, &str, &[Operation], Option<&str>)] = &[
    (
        "BypassPolicyLockoutSafetyCheck",
        "kms:BypassPolicyLockoutSafetyCheck",
        &[Operation::CreateKey, Operation::PutKeyPolicy],
        None,
    ),
    (
        "CustomerMasterKeySpec",
        "kms:KeySpec",
        &[Operation::CreateKey],
        None,
    ),
    (
        "EncryptionAlgorithm",
        "kms:EncryptionAlgorithm",
        &[Operation::Decrypt, Operation::Encrypt],
        Some("SYMMETRIC_DEFAULT"),
    ),
    (
        "ExpirationModel",
        "kms:ExpirationModel",
        &[Operation::ImportKeyMaterial],
        None,
    ),
    (
        "GranteePrincipal",
        "kms:GranteePrincipal",
        &[Operation::CreateGrant],
        None,
    ),
    (
        "GranteeServicePrincipal",
        "kms:GranteeServicePrincipal",
        &[Operation::CreateGrant],
        None,
    ),
    (
        "KeyAgreementAlgorithm",
        "kms:KeyAgreementAlgorithm",
        &[Operation::DeriveSharedSecret],
        None,
    ),
    (
        "KeyPairSpec",
        "kms:DataKeyPairSpec",
        &[
            Operation::GenerateDataKeyPair,
            Operation::GenerateDataKeyPairWithoutPlaintext,
        ],
        None,
    ),
    (
        "KeySpec",
        "kms:KeySpec",
        &[Operation::CreateKey],
        Some("SYMMETRIC_DEFAULT"),
    ),
    (
        "KeyUsage",
        "kms:KeyUsage",
        &[Operation::CreateKey],
        Some("ENCRYPT_DECRYPT"),
    ),
    (
        "MacAlgorithm",
        "kms:MacAlgorithm",
        &[Operation::GenerateMac, Operation::VerifyMac],
        None,
    ),
    (
        "MessageType",
        "kms:MessageType",
        &[Operation::Sign, Operation::Verify],
        Some("RAW"),
    ),
    (
        "MultiRegion",
        "kms:MultiRegion",
        &[Operation::CreateKey],
        Some("false"),
    ),
    (
        "Origin",
        "kms:KeyOrigin",
        &[Operation::CreateKey],
        Some("AWS_KMS"),
    ),
    (
        "PendingWindowInDays",
        "kms:ScheduleKeyDeletionPendingWindowInDays",
        &[Operation::ScheduleKeyDeletion],
        Some("30"),
    ),
    (
        "PolicyName",
        "kms:PolicyName",
        &[Operation::GetKeyPolicy, Operation::PutKeyPolicy],
        Some("default"),
    ),
    (
        "PrimaryRegion",
        "kms:PrimaryRegion",
        &[Operation::UpdatePrimaryRegion],
        None,
    ),
    (
        "ReplicaRegion",
        "kms:ReplicaRegion",
        &[Operation::ReplicateKey],
        None,
    ),
    (
        "RetiringPrincipal",
        "kms:RetiringPrincipal",
        &[Operation::CreateGrant],
        None,
    ),
    (
        "RetiringServicePrincipal",
        "kms:RetiringServicePrincipal",
        &[Operation::CreateGrant],
        None,
    ),
    (
        "RotationPeriodInDays",
        "kms:RotationPeriodInDays",
        &[Operation::EnableKeyRotation],
        Some("365"),
    ),
    (
        "SigningAlgorithm",
        "kms:SigningAlgorithm",
        &[Operation::Sign, Operation::Verify],
        None,
    ),
    (
        "SourceEncryptionAlgorithm",
        "kms:EncryptionAlgorithm",
        &[Operation::ReEncryptFrom],
        Some("SYMMETRIC_DEFAULT"),
    ),
    (
        "DestinationEncryptionAlgorithm",
        "kms:EncryptionAlgorithm",
        &[Operation::ReEncryptTo],
        Some("SYMMETRIC_DEFAULT"),
    ),
    (
        "ValidTo",
        "kms:ValidTo",
        &[Operation::ImportKeyMaterial],
        None,
    ),
    (
        "WrappingAlgorithm",
        "kms:WrappingAlgorithm",
        &[Operation::GetParametersForImport],
        None,
    ),
    (
        "WrappingKeySpec",
        "kms:WrappingKeySpec",
        &[Operation::GetParametersForImport],
        None,
    ),
];

/// Operations that make data keys; their ciphertexts are always of the symmetric algorithm.
const DATA_KEYS: &[Operation] = &[
    Operation::GenerateDataKey,
    Operation::GenerateDataKeyPair,
    Operation::GenerateDataKeyPairWithoutPlaintext,
    Operation::GenerateDataKeyWithoutPlaintext,
];

/// What is known of any call.
pub(super) fn of_call(context: &Context<'_>, operation: &str) -> policy::Context {
    let caller = context.caller;
    let mut facts = context.carried.facts.clone();
    facts.extend(&caller.facts);
    let second = context.now.as_second();
    facts.set("aws:CurrentTime", [context.now.to_string()]);
    facts.set("aws:EpochTime", [second.to_string()]);
    facts.set("aws:RequestedRegion", [caller.region.to_string()]);
    if facts.get("aws:ViaAWSService").is_none() {
        facts.set("aws:ViaAWSService", ["false".to_owned()]);
    }
    let takes_grants = ["CreateGrant", "ListGrants", "RevokeGrant"].contains(&operation);
    if takes_grants && facts.get("kms:GrantIsForAWSResource").is_none() {
        let is_service = matches!(caller.principal, Principal::Service(_));
        facts.set("kms:GrantIsForAWSResource", [is_service.to_string()]);
    }
    facts
}

/// Adds what the members of a KMS request say.
pub(super) fn add_members(facts: &mut policy::Context, members: &Members, operation: Operation) {
    for (member, key, operations, default) in MEMBERS {
        if !operations.contains(&operation) {
            continue;
        }
        let given = members.get(*member).and_then(plain);
        match (given, default) {
            (Some(value), _) => facts.set(key, [value]),
            (None, Some(value)) if facts.get(key).is_none() => {
                facts.set(key, [(*value).to_owned()]);
            }
            (None, Some(_) | None) => {}
        }
    }
    if operation == Operation::CreateKey {
        for (key, older) in [
            ("kms:KeySpec", "kms:CustomerMasterKeySpec"),
            ("kms:KeyUsage", "kms:CustomerMasterKeyUsage"),
        ] {
            let values = facts.get(key).unwrap_or_default().to_vec();
            facts.set(older, values);
        }
    }
    if DATA_KEYS.contains(&operation) {
        facts.set("kms:EncryptionAlgorithm", ["SYMMETRIC_DEFAULT".to_owned()]);
    }
    if operation == Operation::CreateKey
        && facts.get("kms:MultiRegion") == Some(&["true".to_owned()])
    {
        facts.set("kms:MultiRegionKeyType", ["PRIMARY".to_owned()]);
    }
    add_encryption_context(facts, members, operation);
    add_grant(facts, members, operation);
    add_tags(facts, members);
    let named = members.get(&half(operation, "KeyId"));
    if let Some(alias) = named.and_then(Value::as_str).and_then(alias_name) {
        facts.set("kms:RequestAlias", [alias.to_owned()]);
    }
}

/// A member's name, which in `ReEncrypt` says to which half it belongs.
fn half(operation: Operation, member: &str) -> String {
    let side = if operation == Operation::ReEncryptFrom {
        "Source"
    } else if operation == Operation::ReEncryptTo {
        "Destination"
    } else {
        ""
    };
    format!("{side}{member}")
}

/// The name of the alias that a key reference is.
fn alias_name(text: &str) -> Option<&str> {
    let name = if text.starts_with("arn:") {
        text.splitn(6, ':').nth(5)?
    } else {
        text
    };
    name.starts_with("alias/").then_some(name)
}

fn add_encryption_context(facts: &mut policy::Context, members: &Members, operation: Operation) {
    let constraints = members.get("Constraints").and_then(Value::as_object);
    let of_constraints = |name: &str| constraints?.get(name).filter(|pairs| !pairs.is_null());
    let pairs = if operation == Operation::CreateGrant {
        of_constraints("EncryptionContextEquals")
            .or_else(|| of_constraints("EncryptionContextSubset"))
    } else {
        members.get(&half(operation, "EncryptionContext"))
    };
    let Some(pairs) = pairs
        .and_then(Value::as_object)
        .filter(|pairs| !pairs.is_empty())
    else {
        return;
    };
    for (name, value) in pairs {
        if let Some(value) = value.as_str() {
            facts.set(&format!("kms:EncryptionContext:{name}"), [value.to_owned()]);
        }
    }
    facts.set("kms:EncryptionContextKeys", pairs.keys().cloned());
}

fn add_grant(facts: &mut policy::Context, members: &Members, operation: Operation) {
    if operation != Operation::CreateGrant {
        return;
    }
    if let Some(operations) = members.get("Operations").and_then(Value::as_array) {
        let names = operations
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned);
        facts.set("kms:GrantOperations", names);
    }
    let Some(constraints) = members.get("Constraints").and_then(Value::as_object) else {
        return;
    };
    for kind in ["EncryptionContextEquals", "EncryptionContextSubset"] {
        if constraints.get(kind).is_some_and(|pairs| !pairs.is_null()) {
            facts.set("kms:GrantConstraintType", [kind.to_owned()]);
        }
    }
    if let Some(arn) = constraints.get("SourceArn").and_then(Value::as_str) {
        facts.set("kms:GrantConstraintSourceArn", [arn.to_owned()]);
    }
}

pub(super) fn add_tags(facts: &mut policy::Context, members: &Members) {
    if let Some(tags) = members.get("Tags").and_then(Value::as_array) {
        let text = |tag: &Value, name: &str| tag.get(name)?.as_str().map(str::to_owned);
        let keys: Vec<String> = tags.iter().filter_map(|tag| text(tag, "TagKey")).collect();
        for tag in tags {
            if let (Some(key), Some(value)) = (text(tag, "TagKey"), text(tag, "TagValue")) {
                facts.set(&format!("aws:RequestTag/{key}"), [value]);
            }
        }
        facts.set("aws:TagKeys", keys);
    }
    if let Some(keys) = members.get("TagKeys").and_then(Value::as_array) {
        let keys = keys.iter().filter_map(Value::as_str).map(str::to_owned);
        facts.set("aws:TagKeys", keys);
    }
}

/// Adds what the constraints of a grant say.
pub(super) fn add_constraints(facts: &mut policy::Context, terms: &Terms) {
    for (kind, pairs) in [
        ("EncryptionContextEquals", &terms.context_equals),
        ("EncryptionContextSubset", &terms.context_subset),
    ] {
        let Some(pairs) = pairs else { continue };
        for (name, value) in pairs {
            facts.set(&format!("kms:EncryptionContext:{name}"), [value.clone()]);
        }
        facts.set("kms:EncryptionContextKeys", pairs.keys().cloned());
        facts.set("kms:GrantConstraintType", [kind.to_owned()]);
    }
}

/// Adds what is known of a key without looking for more.
pub(super) fn add_traits(facts: &mut policy::Context, key: &Key) {
    facts.set("kms:KeySpec", [key.kind.spec.to_string()]);
    facts.set("kms:CustomerMasterKeySpec", [key.kind.spec.to_string()]);
    facts.set("kms:KeyUsage", [key.kind.usage.to_string()]);
    facts.set("kms:CustomerMasterKeyUsage", [key.kind.usage.to_string()]);
    facts.set("kms:KeyOrigin", [key.origin.to_string()]);
    let is_multi_region = key.multi_region.is_some();
    facts.set("kms:MultiRegion", [is_multi_region.to_string()]);
    let kind = key.multi_region.map(|kind| kind.as_str().to_owned());
    facts.set("kms:MultiRegionKeyType", kind);
    facts.set("aws:ResourceAccount", [key.arn.place.account.to_string()]);
}

/// True for condition keys that [`add_hangings`] adds.
pub(super) fn is_of_hangings(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.starts_with("aws:resourcetag/")
        || matches!(
            key.as_str(),
            "kms:resourcealiases" | "kms:trailingdayswithoutkeyusage"
        )
}

/// Adds what hangs on a key: its aliases, its tags, and how long it has not been used.
pub(super) fn add_hangings(
    facts: &mut policy::Context,
    context: &Context<'_>,
    connection: &Connection,
    key: &Key,
) -> Result<(), Failure> {
    let memory = &connection.memory.hangings;
    let hangings = memory.recall(connection, key.row, |row| {
        let named = aliases::of_key_after(connection, *row, "", u32::MAX)?;
        let last = keys::last_use(connection, *row)?;
        Ok::<_, Failure>(Arc::new(Hangings {
            aliases: named.into_iter().map(|alias| alias.name).collect(),
            tags: tags::after(connection, *row, "", u32::MAX)?,
            used: last.map(|last| last.time),
        }))
    })?;
    facts.set("kms:ResourceAliases", hangings.aliases.iter().cloned());
    for (name, value) in &hangings.tags {
        facts.set(&format!("aws:ResourceTag/{name}"), [value.clone()]);
    }
    let since = hangings.used.unwrap_or(key.created);
    let days = context.now.duration_since(since).as_hours() / 24;
    facts.set("kms:TrailingDaysWithoutKeyUsage", [days.to_string()]);
    Ok(())
}

/// A value that is a text, a number or a truth.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
