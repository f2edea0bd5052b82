//! Capabilities: what each named set of operations is, per type of key.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::compile::KeyContext;
use super::document::ActionPattern;
use super::duty::{Allowance, Capability};
use crate::model::{KeyType, KeyUsage, Malformed, Operation, Origin};

/// The console's actions for administrators; `kms-facts` names the guide's page.
pub const ADMINISTRATION: &[&str] = &[
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:RotateKeyOnDemand",
];
/// The console's actions for deletion.
pub const DELETION: &[&str] = &["kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"];
/// The console's actions for grants.
pub(super) const GRANTING: &[&str] = &["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"];
/// Everything that only reads.
const READING: &[&str] = &["kms:Describe*", "kms:Get*", "kms:List*"];

/// The console's actions for administrators of a key.
pub(super) fn administration(key: &KeyContext, may_delete: bool) -> Vec<&'static str> {
    let mut actions = ADMINISTRATION.to_vec();
    if may_delete {
        actions.extend(DELETION);
    }
    if key.origin == Origin::External {
        actions.push("kms:ImportKeyMaterial");
    }
    if key.multi_region {
        actions.extend(["kms:ReplicateKey", "kms:UpdatePrimaryRegion"]);
    }
    actions
}

/// The console's actions for users of a type of key.
pub(super) fn use_of(key: KeyType) -> &'static [&'static str] {
    match key.usage {
        KeyUsage::EncryptDecrypt if key.is_symmetric() => &[
            "kms:Encrypt",
            "kms:Decrypt",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:DescribeKey",
        ],
        KeyUsage::EncryptDecrypt => &[
            "kms:Encrypt",
            "kms:Decrypt",
            "kms:ReEncrypt*",
            "kms:DescribeKey",
            "kms:GetPublicKey",
        ],
        KeyUsage::SignVerify => &[
            "kms:DescribeKey",
            "kms:GetPublicKey",
            "kms:Sign",
            "kms:Verify",
        ],
        KeyUsage::GenerateVerifyMac => &["kms:DescribeKey", "kms:GenerateMac", "kms:VerifyMac"],
        KeyUsage::KeyAgreement => &[
            "kms:DescribeKey",
            "kms:GetPublicKey",
            "kms:DeriveSharedSecret",
        ],
        KeyUsage::EncapsulateDecapsulate => &[
            "kms:DescribeKey",
            "kms:GetPublicKey",
            "kms:Encapsulate",
            "kms:Decapsulate",
        ],
    }
}

/// Texts as patterns.
pub(super) fn patterns<'a>(
    actions: impl IntoIterator<Item = impl AsRef<str> + 'a>,
) -> BTreeSet<ActionPattern> {
    actions
        .into_iter()
        .map(|action| ActionPattern::new(action.as_ref()))
        .collect()
}

/// The actions of an allowance.
pub(super) fn actions(allowance: Allowance, key: &KeyContext) -> BTreeSet<ActionPattern> {
    match allowance {
        Allowance::Operation(operation) => BTreeSet::from([operation.into()]),
        Allowance::Capability(capability) => patterns(capability.actions(key)),
    }
}

/// True when requests for the action carry an encryption context, so that a condition on it can hold.
///
/// `CreateGrant` carries the one of the grant's constraints: without the condition, a user bound to a context
/// could give out access that is not.
pub(super) fn carries_context(action: &ActionPattern) -> bool {
    let carrying = [
        "kms:CreateGrant",
        "kms:Encrypt",
        "kms:Decrypt",
        "kms:ReEncrypt*",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
        "kms:GenerateDataKey*",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyPair",
        "kms:GenerateDataKeyPairWithoutPlaintext",
        "kms:GenerateDataKeyWithoutPlaintext",
    ];
    carrying.contains(&action.as_str())
}

/// True when the action carries no encryption context and gives nobody access, so that a user bound to a context
/// may have it regardless.
pub(super) fn stands_without_context(action: &ActionPattern) -> bool {
    let reads = ["kms:Describe", "kms:Get", "kms:List"];
    action.as_str() == "kms:RevokeGrant"
        || reads.iter().any(|verb| action.as_str().starts_with(verb))
}

impl Capability {
    /// Every capability with its name in manifests.
    pub const NAMES: &'static [(Self, &'static str)] = &[
        (Self::Encrypt, "encrypt"),
        (Self::Decrypt, "decrypt"),
        (Self::GenerateDataKeys, "generate-data-keys"),
        (Self::ReEncrypt, "re-encrypt"),
        (Self::Sign, "sign"),
        (Self::Verify, "verify"),
        (Self::Mac, "mac"),
        (Self::VerifyMac, "verify-mac"),
        (Self::Agree, "agree"),
        (Self::Encapsulate, "encapsulate"),
        (Self::Decapsulate, "decapsulate"),
        (Self::PublicKey, "public-key"),
        (Self::Describe, "describe"),
        (Self::Use, "use"),
        (Self::Delegate, "delegate"),
        (Self::Read, "read"),
        (Self::Administer, "administer"),
        (Self::Delete, "delete"),
        (Self::Grant, "grant"),
    ];

    /// The operations on a key that the capability stands for; none where such keys have none of them.
    pub fn operations(self, key: &KeyContext) -> BTreeSet<Operation> {
        let patterns = patterns(self.actions(key));
        let has = |operation: &Operation| {
            let mut patterns = patterns.iter();
            patterns.any(|pattern| pattern.matches(operation.action()))
        };
        let mut operations: BTreeSet<Operation> = Operation::ALL.iter().copied().collect();
        operations.retain(|one| one.is_key_level() && key.key_type.supports(*one) && has(one));
        operations
    }

    /// The capability's actions on a key.
    pub(super) fn actions(self, key: &KeyContext) -> Vec<&'static str> {
        match self {
            Self::Encrypt => vec!["kms:Encrypt"],
            Self::Decrypt => vec!["kms:Decrypt"],
            Self::GenerateDataKeys => vec!["kms:GenerateDataKey*"],
            Self::ReEncrypt => vec!["kms:ReEncrypt*"],
            Self::Sign => vec!["kms:Sign"],
            Self::Verify => vec!["kms:Verify"],
            Self::Mac => vec!["kms:GenerateMac"],
            Self::VerifyMac => vec!["kms:VerifyMac"],
            Self::Agree => vec!["kms:DeriveSharedSecret"],
            Self::Encapsulate => vec!["kms:Encapsulate"],
            Self::Decapsulate => vec!["kms:Decapsulate"],
            Self::PublicKey => vec!["kms:GetPublicKey"],
            Self::Describe => vec!["kms:DescribeKey"],
            Self::Use => use_of(key.key_type).to_vec(),
            Self::Delegate | Self::Grant => GRANTING.to_vec(),
            Self::Read => READING.to_vec(),
            Self::Administer => administration(key, false),
            Self::Delete => DELETION.to_vec(),
        }
    }

    /// True when keys of the type have such operations.
    pub(super) fn suits(self, key: KeyType) -> bool {
        match self {
            Self::Encrypt | Self::Decrypt | Self::ReEncrypt => {
                key.usage == KeyUsage::EncryptDecrypt
            }
            Self::GenerateDataKeys => key.is_symmetric(),
            Self::Sign | Self::Verify => key.usage == KeyUsage::SignVerify,
            Self::Mac | Self::VerifyMac => key.usage == KeyUsage::GenerateVerifyMac,
            Self::Agree => key.usage == KeyUsage::KeyAgreement,
            Self::Encapsulate | Self::Decapsulate => key.usage == KeyUsage::EncapsulateDecapsulate,
            Self::PublicKey => key.is_asymmetric(),
            Self::Describe
            | Self::Use
            | Self::Delegate
            | Self::Read
            | Self::Administer
            | Self::Delete
            | Self::Grant => true,
        }
    }
}

impl FromStr for Capability {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let known = Self::NAMES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(capability, _)| *capability);
        known.ok_or_else(|| Malformed::new(format!("`{text}` is not a capability")))
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(
            Self::NAMES
                .iter()
                .find(|(known, _)| known == self)
                .map_or("", |(_, name)| name),
        )
    }
}

impl Allowance {
    /// What it allows on a key.
    pub fn actions(self, key: &KeyContext) -> BTreeSet<ActionPattern> {
        actions(self, key)
    }

    /// True when keys of the type have such operations.
    pub fn suits(self, key: KeyType) -> bool {
        match self {
            Self::Capability(capability) => capability.suits(key),
            Self::Operation(operation) => operation.is_key_level() && key.supports(operation),
        }
    }
}

impl FromStr for Allowance {
    type Err = Malformed;

    /// Reads a capability's name or an operation's.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let capability = text.parse().map(Self::Capability);
        capability.or_else(|_| text.parse::<Operation>().map(Self::Operation))
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability(capability) => capability.fmt(f),
            Self::Operation(operation) => operation.fmt(f),
        }
    }
}
