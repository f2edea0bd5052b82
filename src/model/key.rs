//! Keys: names, ids, types, states and rotation periods.

use std::fmt;
use std::str::FromStr;

use super::operation::Demand;
use super::{AliasName, Malformed, Operation};

/// A key's name in manifests: what follows `alias/` in its main alias.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(AliasName);

impl KeyName {
    /// The name without prefix.
    pub fn as_str(&self) -> &str {
        self.0.bare()
    }

    /// The alias that the name stands for.
    pub fn alias(&self) -> &AliasName {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Ok(Self(text.parse()?))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A key's id: a UUID, or `mrk-` and 32 hexadecimal digits for multi-Region keys.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Box<str>);

impl KeyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of no key, where one is needed in the place of an id to come.
    pub(super) fn unknown() -> Self {
        Self("00000000-0000-0000-0000-000000000000".into())
    }
}

impl FromStr for KeyId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let hex = |part: &str| part.bytes().all(|b| b.is_ascii_hexdigit());
        let uuid = || {
            let lengths: Vec<usize> = text.split('-').map(str::len).collect();
            lengths == [8, 4, 4, 4, 12] && text.split('-').all(hex)
        };
        let multi_region = || {
            text.strip_prefix("mrk-")
                .is_some_and(|rest| rest.len() == 32 && hex(rest))
        };
        if uuid() || multi_region() {
            Ok(Self(text.into()))
        } else {
            Err(Malformed::new(format!("`{text}` is not a key id"))
                .with_help("a key id is a UUID with dashes, or `mrk-` and 32 hexadecimal digits"))
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Declares an enum whose values are AWS's own spellings.
macro_rules! spelled {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every value, in AWS's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// AWS's spelling.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    let all: Vec<&str> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    Malformed::new(format!(concat!("`{}` is not a ", $what), text))
                        .with_help(format!("one of {}", all.join(", ")))
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

spelled! {
    /// What kind of key material a key has.
    KeySpec, "key spec" {
        /// A 256-bit AES key; in China an SM4 key.
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        /// RSA with a 2048-bit modulus.
        Rsa2048 = "RSA_2048",
        /// RSA with a 3072-bit modulus.
        Rsa3072 = "RSA_3072",
        /// RSA with a 4096-bit modulus.
        Rsa4096 = "RSA_4096",
        /// NIST P-256.
        EccNistP256 = "ECC_NIST_P256",
        /// NIST P-384.
        EccNistP384 = "ECC_NIST_P384",
        /// NIST P-521.
        EccNistP521 = "ECC_NIST_P521",
        /// secp256k1, of cryptocurrencies.
        EccSecgP256k1 = "ECC_SECG_P256K1",
        /// Ed25519.
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        /// HMAC with SHA-224.
        Hmac224 = "HMAC_224",
        /// HMAC with SHA-256.
        Hmac256 = "HMAC_256",
        /// HMAC with SHA-384.
        Hmac384 = "HMAC_384",
        /// HMAC with SHA-512.
        Hmac512 = "HMAC_512",
        /// SM2, in China Regions only.
        Sm2 = "SM2",
        /// ML-DSA-44.
        MlDsa44 = "ML_DSA_44",
        /// ML-DSA-65.
        MlDsa65 = "ML_DSA_65",
        /// ML-DSA-87.
        MlDsa87 = "ML_DSA_87",
        /// ML-KEM-512, outside China.
        MlKem512 = "ML_KEM_512",
        /// ML-KEM-768, outside China.
        MlKem768 = "ML_KEM_768",
        /// ML-KEM-1024, outside China.
        MlKem1024 = "ML_KEM_1024",
    }
}

spelled! {
    /// What a key is for; fixed at creation.
    KeyUsage, "key usage" {
        /// Encrypt, decrypt, re-encrypt and data keys.
        EncryptDecrypt = "ENCRYPT_DECRYPT",
        /// Digital signatures.
        SignVerify = "SIGN_VERIFY",
        /// Message authentication codes.
        GenerateVerifyMac = "GENERATE_VERIFY_MAC",
        /// Shared secrets by ECDH.
        KeyAgreement = "KEY_AGREEMENT",
        /// Shared secrets by ML-KEM.
        EncapsulateDecapsulate = "ENCAPSULATE_DECAPSULATE",
    }
}

spelled! {
    /// Where key material comes from; fixed at creation.
    Origin, "key origin" {
        /// KMS makes it.
        AwsKms = "AWS_KMS",
        /// The owner imports it.
        External = "EXTERNAL",
        /// A `CloudHSM` key store makes it.
        AwsCloudHsm = "AWS_CLOUDHSM",
        /// It stays in an external key store.
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

spelled! {
    /// What a key can do right now.
    KeyState, "key state" {
        /// A replica that is being made.
        Creating = "Creating",
        /// Ready.
        Enabled = "Enabled",
        /// Switched off.
        Disabled = "Disabled",
        /// Waiting for its deletion date.
        PendingDeletion = "PendingDeletion",
        /// Without its imported material.
        PendingImport = "PendingImport",
        /// A primary that waits for its replicas to go.
        PendingReplicaDeletion = "PendingReplicaDeletion",
        /// Its key store is disconnected.
        Unavailable = "Unavailable",
        /// Its primary Region is moving.
        Updating = "Updating",
    }
}

spelled! {
    /// Who manages a key.
    KeyManager, "key manager" {
        /// AWS, for one of its services.
        Aws = "AWS",
        /// The account.
        Customer = "CUSTOMER",
    }
}

impl KeySpec {
    /// The usages that AWS accepts for this spec, the default first.
    pub fn usages(self) -> &'static [KeyUsage] {
        match self {
            Self::SymmetricDefault => &[KeyUsage::EncryptDecrypt],
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => {
                &[KeyUsage::EncryptDecrypt, KeyUsage::SignVerify]
            }
            Self::EccNistP256 | Self::EccNistP384 | Self::EccNistP521 => {
                &[KeyUsage::SignVerify, KeyUsage::KeyAgreement]
            }
            Self::EccSecgP256k1
            | Self::EccNistEdwards25519
            | Self::MlDsa44
            | Self::MlDsa65
            | Self::MlDsa87 => &[KeyUsage::SignVerify],
            Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512 => {
                &[KeyUsage::GenerateVerifyMac]
            }
            Self::Sm2 => &[
                KeyUsage::EncryptDecrypt,
                KeyUsage::SignVerify,
                KeyUsage::KeyAgreement,
            ],
            Self::MlKem512 | Self::MlKem768 | Self::MlKem1024 => {
                &[KeyUsage::EncapsulateDecapsulate]
            }
        }
    }
}

/// Spec and usage together: what decides which operations a key supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyType {
    /// The spec.
    pub spec: KeySpec,
    /// The usage, one of [`KeySpec::usages`].
    pub usage: KeyUsage,
}

/// The one list of algorithms that key metadata shows for a usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithms {
    /// `EncryptionAlgorithms`.
    Encryption(&'static [&'static str]),
    /// `SigningAlgorithms`.
    Signing(&'static [&'static str]),
    /// `MacAlgorithms`.
    Mac(&'static [&'static str]),
    /// `KeyAgreementAlgorithms`.
    KeyAgreement(&'static [&'static str]),
    /// `EncapsulationAlgorithms`.
    Encapsulation(&'static [&'static str]),
}

impl Algorithms {
    /// The algorithms' names, whatever they are for.
    pub fn names(self) -> &'static [&'static str] {
        let (Self::Encryption(names)
        | Self::Signing(names)
        | Self::Mac(names)
        | Self::KeyAgreement(names)
        | Self::Encapsulation(names)) = self;
        names
    }
}

impl KeyType {
    /// A symmetric encryption key, which AWS makes when nothing else is asked for.
    pub const SYMMETRIC: Self = Self {
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
    };

    /// A spec with a usage, when AWS accepts the pair.
    pub fn new(spec: KeySpec, usage: KeyUsage) -> Result<Self, Malformed> {
        if spec.usages().contains(&usage) {
            return Ok(Self { spec, usage });
        }
        let usages: Vec<&str> = spec.usages().iter().map(|usage| usage.as_str()).collect();
        Err(
            Malformed::new(format!("{spec} keys cannot have the usage {usage}"))
                .with_help(format!("{spec} keys are for {}", usages.join(" or "))),
        )
    }

    /// Every pair that AWS accepts.
    pub fn all() -> impl Iterator<Item = Self> {
        KeySpec::ALL.iter().flat_map(|spec| {
            spec.usages().iter().map(|usage| Self {
                spec: *spec,
                usage: *usage,
            })
        })
    }

    /// True for a symmetric encryption key.
    pub fn is_symmetric(self) -> bool {
        self.spec == KeySpec::SymmetricDefault
    }

    /// True when the key has a public half.
    pub fn is_asymmetric(self) -> bool {
        !self.is_symmetric() && self.usage != KeyUsage::GenerateVerifyMac
    }

    /// True when an alias can move between keys of the two types: each is symmetric, asymmetric or HMAC, and has one
    /// usage (API reference, `UpdateAlias`).
    pub fn shares_aliases_with(self, other: Self) -> bool {
        self.usage == other.usage && self.is_symmetric() == other.is_symmetric()
    }

    /// True when KMS can rotate such a key by itself.
    pub fn rotates(self, origin: Origin) -> bool {
        self.is_symmetric() && origin == Origin::AwsKms
    }

    /// True when the operation is one of those that keys of this type answer.
    pub fn supports(self, operation: Operation) -> bool {
        match operation.demand() {
            Demand::Nothing => true,
            Demand::Usage(usage) => self.usage == usage,
            Demand::Symmetric => self.is_symmetric(),
            Demand::PublicHalf => self.is_asymmetric(),
        }
    }

    /// The algorithms that AWS lists for the type.
    pub fn algorithms(self) -> Algorithms {
        let names = self.spec.algorithms();
        match self.usage {
            KeyUsage::EncryptDecrypt => Algorithms::Encryption(names.encryption),
            KeyUsage::SignVerify => Algorithms::Signing(names.signing),
            KeyUsage::GenerateVerifyMac => Algorithms::Mac(names.mac),
            KeyUsage::KeyAgreement => Algorithms::KeyAgreement(&["ECDH"]),
            KeyUsage::EncapsulateDecapsulate => Algorithms::Encapsulation(&["ML_KEM"]),
        }
    }
}

/// A spec's algorithms, by usage.
struct SpecAlgorithms {
    encryption: &'static [&'static str],
    signing: &'static [&'static str],
    mac: &'static [&'static str],
}

const RSA_SIGNING: &[&str] = &[
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
];

impl KeySpec {
    fn algorithms(self) -> SpecAlgorithms {
        let (encryption, signing, mac): (&'static [_], &'static [_], &'static [_]) = match self {
            Self::SymmetricDefault => (&["SYMMETRIC_DEFAULT"], &[], &[]),
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => (
                &["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"],
                RSA_SIGNING,
                &[],
            ),
            Self::EccNistP256 | Self::EccSecgP256k1 => (&[], &["ECDSA_SHA_256"], &[]),
            Self::EccNistP384 => (&[], &["ECDSA_SHA_384"], &[]),
            Self::EccNistP521 => (&[], &["ECDSA_SHA_512"], &[]),
            Self::EccNistEdwards25519 => (&[], &["ED25519_SHA_512", "ED25519_PH_SHA_512"], &[]),
            Self::Hmac224 => (&[], &[], &["HMAC_SHA_224"]),
            Self::Hmac256 => (&[], &[], &["HMAC_SHA_256"]),
            Self::Hmac384 => (&[], &[], &["HMAC_SHA_384"]),
            Self::Hmac512 => (&[], &[], &["HMAC_SHA_512"]),
            Self::Sm2 => (&["SM2PKE"], &["SM2DSA"], &[]),
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => (&[], &["ML_DSA_SHAKE_256"], &[]),
            Self::MlKem512 | Self::MlKem768 | Self::MlKem1024 => (&[], &[], &[]),
        };
        SpecAlgorithms {
            encryption,
            signing,
            mac,
        }
    }
}

/// Days between automatic rotations: 90 to 2560.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RotationPeriod(u16);

impl RotationPeriod {
    /// What AWS uses when no period is given: 365 days.
    pub const DEFAULT: Self = Self(365);

    /// A period in days.
    pub fn from_days(days: i64) -> Result<Self, Malformed> {
        u16::try_from(days)
            .ok()
            .filter(|days| (90..=2560).contains(days))
            .map(Self)
            .ok_or_else(|| {
                Malformed::new(format!("a rotation period of {days} days is out of range"))
                    .with_help("KMS rotates every 90 to 2560 days")
            })
    }

    /// The period in days.
    pub fn days(self) -> i32 {
        i32::from(self.0)
    }
}

impl fmt::Display for RotationPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} days", self.0)
    }
}
