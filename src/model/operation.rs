//! KMS operations as IAM sees them: the actions that policies and grants allow.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::{KeyType, KeyUsage, Malformed};

/// Where an operation's permission takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// On a key, so a key policy may allow it.
    Key,
    /// On the account, so only IAM may allow it.
    Account,
}

/// Whether principals of other accounts can call it on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Own,
    Cross,
}

/// Whether a grant can allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grantable {
    No,
    Yes,
}

/// What a key must be to answer an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// Any key answers it.
    Nothing,
    /// The key has this usage.
    Usage(KeyUsage),
    /// The key is a symmetric encryption key.
    Symmetric,
    /// The key has a public half.
    PublicHalf,
}

macro_rules! operations {
    ($($name:ident $level:ident $reach:ident $grantable:ident $demand:expr,)+) => {
        /// A KMS operation, named as in `kms:NAME`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each is AWS's own name; the API reference documents it")]
        pub enum Operation { $($name,)+ }

        impl Operation {
            /// Every operation, by name.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// AWS's name, without `kms:`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// AWS's name as policies write it, `kms:NAME`.
            pub fn action(self) -> &'static str {
                match self { $(Self::$name => concat!("kms:", stringify!($name)),)+ }
            }

            fn traits(self) -> (Level, Reach, Grantable, Demand) {
                match self { $(Self::$name => (Level::$level, Reach::$reach, Grantable::$grantable, $demand),)+ }
            }
        }
    };
}

// AWS Service Authorization Reference of 2026-09 and the KMS model of 2026-11.
operations! {
    CancelKeyDeletion Key Own No Demand::Nothing,
    ConnectCustomKeyStore Account Own No Demand::Nothing,
    CreateAlias Key Own No Demand::Nothing,
    CreateCustomKeyStore Account Own No Demand::Nothing,
    CreateGrant Key Cross Yes Demand::Nothing,
    CreateKey Account Own No Demand::Nothing,
    Decapsulate Key Cross Yes Demand::Usage(KeyUsage::EncapsulateDecapsulate),
    Decrypt Key Cross Yes Demand::Usage(KeyUsage::EncryptDecrypt),
    DeleteAlias Key Own No Demand::Nothing,
    DeleteCustomKeyStore Account Own No Demand::Nothing,
    DeleteImportedKeyMaterial Key Own No Demand::Nothing,
    DeriveSharedSecret Key Cross Yes Demand::Usage(KeyUsage::KeyAgreement),
    DescribeCustomKeyStores Account Own No Demand::Nothing,
    DescribeKey Key Cross Yes Demand::Nothing,
    DisableKey Key Own No Demand::Nothing,
    DisableKeyRotation Key Own No Demand::Nothing,
    DisconnectCustomKeyStore Account Own No Demand::Nothing,
    EnableKey Key Own No Demand::Nothing,
    EnableKeyRotation Key Own No Demand::Nothing,
    Encapsulate Key Cross Yes Demand::Usage(KeyUsage::EncapsulateDecapsulate),
    Encrypt Key Cross Yes Demand::Usage(KeyUsage::EncryptDecrypt),
    GenerateDataKey Key Cross Yes Demand::Symmetric,
    GenerateDataKeyPair Key Cross Yes Demand::Symmetric,
    GenerateDataKeyPairWithoutPlaintext Key Cross Yes Demand::Symmetric,
    GenerateDataKeyWithoutPlaintext Key Cross Yes Demand::Symmetric,
    GenerateMac Key Cross Yes Demand::Usage(KeyUsage::GenerateVerifyMac),
    GenerateRandom Account Own No Demand::Nothing,
    GetKeyLastUsage Key Own No Demand::Nothing,
    GetKeyPolicy Key Own No Demand::Nothing,
    GetKeyRotationStatus Key Cross No Demand::Nothing,
    GetParametersForImport Key Own No Demand::Nothing,
    GetPublicKey Key Cross Yes Demand::PublicHalf,
    ImportKeyMaterial Key Own No Demand::Nothing,
    ListAliases Account Own No Demand::Nothing,
    ListGrants Key Cross No Demand::Nothing,
    ListKeyPolicies Key Own No Demand::Nothing,
    ListKeyRotations Key Own No Demand::Nothing,
    ListKeys Account Own No Demand::Nothing,
    ListResourceTags Key Own No Demand::Nothing,
    ListRetirableGrants Account Own No Demand::Nothing,
    PutKeyPolicy Key Own No Demand::Nothing,
    ReEncryptFrom Key Cross Yes Demand::Usage(KeyUsage::EncryptDecrypt),
    ReEncryptTo Key Cross Yes Demand::Usage(KeyUsage::EncryptDecrypt),
    ReplicateKey Key Own No Demand::Nothing,
    RetireGrant Account Cross Yes Demand::Nothing,
    RevokeGrant Key Cross No Demand::Nothing,
    RotateKeyOnDemand Key Own No Demand::Nothing,
    ScheduleKeyDeletion Key Own No Demand::Nothing,
    Sign Key Cross Yes Demand::Usage(KeyUsage::SignVerify),
    SynchronizeMultiRegionKey Key Own No Demand::Nothing,
    TagResource Key Own No Demand::Nothing,
    UntagResource Key Own No Demand::Nothing,
    UpdateAlias Key Own No Demand::Nothing,
    UpdateCustomKeyStore Account Own No Demand::Nothing,
    UpdateKeyDescription Key Own No Demand::Nothing,
    UpdatePrimaryRegion Key Own No Demand::Nothing,
    Verify Key Cross Yes Demand::Usage(KeyUsage::SignVerify),
    VerifyMac Key Cross Yes Demand::Usage(KeyUsage::GenerateVerifyMac),
}

impl Operation {
    /// True when a key policy can allow it.
    pub fn is_key_level(self) -> bool {
        self.traits().0 == Level::Key
    }

    /// True when principals of other accounts can be allowed it.
    pub fn is_cross_account(self) -> bool {
        self.traits().1 == Reach::Cross
    }

    /// True when a grant can allow it.
    pub fn is_grantable(self) -> bool {
        self.traits().2 == Grantable::Yes
    }

    /// What a key must be to answer it.
    pub(super) fn demand(self) -> Demand {
        self.traits().3
    }

    /// True when the operation uses key material.
    pub fn is_cryptographic(self) -> bool {
        !matches!(self.demand(), Demand::Nothing | Demand::PublicHalf)
    }

    /// True when a grant on a key of this type can allow it.
    pub fn is_grantable_on(self, key: KeyType) -> bool {
        self.is_grantable() && key.supports(self)
    }
}

impl FromStr for Operation {
    type Err = Malformed;

    /// Reads a name in AWS's spelling, with or without `kms:`.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let name = text.strip_prefix("kms:").unwrap_or(text);
        Self::ALL
            .iter()
            .copied()
            .find(|operation| operation.name() == name)
            .ok_or_else(|| Malformed::new(format!("`{text}` is not a KMS operation")))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The operations of a grant.
pub type GrantOperations = BTreeSet<Operation>;
