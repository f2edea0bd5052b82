//! `kind: Key`, and the defaults of an account, which are a key's fields too.

use serde_json::{Value as Json, json};

use super::grant::NestedGrant;
use super::raw::Raw;
use super::words::{AccountName, Days, RelativePath, Rotations, Text, one_of, text};
use crate::manifest::fault::Faults;
use crate::manifest::fields::{
    NonEmpty, Pairs, Readable, mapping, mapping_schema, read_mapping, wrong_type,
};
use crate::manifest::yaml::{At, Node, Value};
use crate::model::{
    AliasName, KeyId, KeyName, KeySpec, KeyUsage, Origin, PrincipalName, Region, TagKey, TagValue,
};
use crate::policy::Allowance;
use crate::state::UnmanagedGrants;

mapping! {
    /// A KMS key, its aliases, its policy and its grants.
    KeyFields ("a key") {
        /// The name; the key's main alias is `alias/NAME`.
        name: KeyName [required],
        /// More aliases.
        aliases: Vec<At<AliasName>> [],
        /// Older names, for a rename.
        formerly: Vec<At<KeyName>> [],
        /// The id of an existing key to adopt.
        id: KeyId [],
        /// Names or ids of accounts; needed where the manifests describe several.
        accounts: NonEmpty<AccountName> [],
        /// Regions; all of the account's by default.
        regions: NonEmpty<Region> [],
        /// What the key is for, in words.
        description: Text [= "\"\""],
        /// The kind of key material; fixed at creation.
        spec: KeySpec [= "\"SYMMETRIC_DEFAULT\""],
        /// What the key is for; fixed at creation. Needed where the spec has several usages.
        usage: KeyUsage [],
        /// Where the key material comes from; fixed at creation.
        origin: Origin [= "\"AWS_KMS\""],
        /// Whether the key can be used.
        enabled: bool [= "true"],
        /// Automatic rotation: `true` for 365 days, `false`, or a period of 90 to 2560 days such as `180d`.
        rotation: RotationSetting [],
        /// How often the key should have been rotated on demand; only ever raised.
        rotations_on_demand: Rotations [],
        /// Tags; those of the account's defaults are added.
        tags: Pairs<TagKey, TagValue> [],
        /// Whether IAM policies of the account can allow access.
        iam_policies: bool [= "true"],
        /// Who administers the key.
        administrators: Vec<At<PrincipalName>> [],
        /// Whether administrators may schedule its deletion.
        administrators_may_delete: bool [= "true"],
        /// Who uses the key, and how.
        users: NonEmpty<UserEntry> [],
        /// More policy statements, as YAML; `${account}` and `${region}` stand for the key's own.
        statements: Vec<At<Raw>> [],
        /// A whole policy instead of the duties, as YAML or as `file: PATH` from this manifest's folder.
        policy: PolicySource [],
        /// Grants on the key.
        grants: Vec<At<NestedGrant>> [],
        /// What happens to grants that no manifest declares.
        unmanaged_grants: UnmanagedGrants [= "\"keep\""],
        /// Whether the key may be deleted: `protected`, or after how many days and why.
        deletion: DeletionSetting [= "\"protected\""],
        /// Whether the key should exist.
        state: KeyStateSetting [= "\"present\""],
    }
    later { multi_region, key_store, xks_key }
}

/// The fields of a key that an account can give to all of its keys.
#[derive(Debug)]
pub(crate) struct KeyDefaults(pub(crate) KeyFields);

impl KeyDefaults {
    /// What only one key can have, and where keys are, which the account says already.
    const WITHOUT: [&'static str; 7] = [
        "kind", "name", "aliases", "formerly", "id", "accounts", "regions",
    ];
}

impl Readable for KeyDefaults {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        read_mapping(node, &Self::WITHOUT, faults).map(Self)
    }

    fn schema() -> Json {
        mapping_schema::<KeyFields>(&Self::WITHOUT)
    }
}

/// `rotation`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RotationSetting {
    On,
    Off,
    Every(Days),
}

impl Readable for RotationSetting {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        match &node.value {
            Value::Scalar { text, .. } if text == "true" => Some(Self::On),
            Value::Scalar { text, .. } if text == "false" => Some(Self::Off),
            Value::Scalar { .. } if !node.is_null() => Days::read(node, faults).map(Self::Every),
            Value::Scalar { .. } | Value::List(_) | Value::Mapping(_) => {
                faults.push(wrong_type(
                    node,
                    "`true`, `false` or a period such as `180d`",
                ));
                None
            }
        }
    }

    fn schema() -> Json {
        json!({"anyOf": [{"type": "boolean"}, Days::schema()]})
    }
}

mapping! {
    /// Principals that use the key in one way.
    UserFields ("a user") {
        /// Who.
        principals: NonEmpty<PrincipalName> [required],
        /// Capabilities or KMS operations; all use of the key's type by default.
        operations: NonEmpty<Allowance> [],
        /// Only through one of these AWS services in the key's Region, such as `s3`.
        via: NonEmpty<Text> [],
        /// Only with an encryption context that contains these pairs.
        context: Pairs<Text, Text> [],
    }
    later {}
}

/// One entry of `users`: a principal, or principals with conditions.
#[derive(Debug)]
pub(crate) enum UserEntry {
    Plain(At<PrincipalName>),
    Detailed(Box<UserFields>),
}

impl Readable for UserEntry {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        match &node.value {
            Value::Scalar { .. } => At::read(node, faults).map(Self::Plain),
            Value::Mapping(_) => {
                read_mapping(node, &["kind"], faults).map(|fields| Self::Detailed(Box::new(fields)))
            }
            Value::List(_) => {
                faults.push(wrong_type(
                    node,
                    "a principal or a mapping with `principals`",
                ));
                None
            }
        }
    }

    fn schema() -> Json {
        json!({"anyOf": [PrincipalName::schema(), mapping_schema::<UserFields>(&[])]})
    }
}

/// A whole policy.
#[derive(Debug)]
pub(crate) enum PolicySource {
    /// Written into the manifest.
    Inline(Raw),
    /// In a JSON file beside it.
    File(At<RelativePath>),
}

impl Readable for PolicySource {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        if let Value::Mapping(entries) = &node.value
            && let [entry] = entries.as_slice()
            && entry.key.value == "file"
        {
            return At::read(&entry.value, faults).map(Self::File);
        }
        Raw::read(node, faults).map(Self::Inline)
    }

    fn schema() -> Json {
        json!({"type": "object"})
    }
}

impl Readable for UnmanagedGrants {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let all = [("keep", Self::Keep), ("revoke", Self::Revoke)];
        one_of(node, "a way to treat unmanaged grants", &all, faults)
    }

    fn schema() -> Json {
        json!({"enum": ["keep", "revoke"]})
    }
}

/// `state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyStateSetting {
    Present,
    PendingDeletion,
}

impl Readable for KeyStateSetting {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        let all = [
            ("present", Self::Present),
            ("pending_deletion", Self::PendingDeletion),
        ];
        one_of(node, "a state", &all, faults)
    }

    fn schema() -> Json {
        json!({"enum": ["present", "pending_deletion"]})
    }
}

mapping! {
    /// A deletion: after how many days, and why.
    ScheduleFields ("a deletion") {
        /// Days until KMS deletes the key, 7 to 30.
        schedule: Days [required],
        /// Why, for those who read the plan.
        reason: Text [required],
    }
    later {}
}

/// `deletion`.
#[derive(Debug)]
pub(crate) enum DeletionSetting {
    Protected,
    Schedule(Box<ScheduleFields>),
}

impl Readable for DeletionSetting {
    fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        match &node.value {
            Value::Mapping(_) => {
                read_mapping(node, &["kind"], faults).map(|fields| Self::Schedule(Box::new(fields)))
            }
            Value::Scalar { .. } | Value::List(_) => {
                let what = "`protected` or a mapping such as `{schedule: 30d, reason: …}`";
                if text(node, what, faults)? == "protected" {
                    return Some(Self::Protected);
                }
                faults.push(wrong_type(node, what));
                None
            }
        }
    }

    fn schema() -> Json {
        json!({"anyOf": [{"const": "protected"}, mapping_schema::<ScheduleFields>(&[])]})
    }
}
