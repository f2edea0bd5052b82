//! Signatures: which algorithm takes which messages, and how each is made and checked.

use aws_lc_rs::digest::{self, Digest, SHA256, SHA384, SHA512};
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaParameters, RsaSignatureEncoding,
};

use crate::engine::wire::words;
use crate::model::KeySpec;

use super::generate::Kind;
use super::{CryptoError, edwards, elliptic, ml_dsa, rsa, sm2};

words! {
    /// A signing algorithm.
    SigningAlgorithm {
        RsaPssSha256 = "RSASSA_PSS_SHA_256",
        RsaPssSha384 = "RSASSA_PSS_SHA_384",
        RsaPssSha512 = "RSASSA_PSS_SHA_512",
        RsaPkcs1Sha256 = "RSASSA_PKCS1_V1_5_SHA_256",
        RsaPkcs1Sha384 = "RSASSA_PKCS1_V1_5_SHA_384",
        RsaPkcs1Sha512 = "RSASSA_PKCS1_V1_5_SHA_512",
        EcdsaSha256 = "ECDSA_SHA_256",
        EcdsaSha384 = "ECDSA_SHA_384",
        EcdsaSha512 = "ECDSA_SHA_512",
        Sm2Dsa = "SM2DSA",
        MlDsaShake256 = "ML_DSA_SHAKE_256",
        Ed25519Sha512 = "ED25519_SHA_512",
        Ed25519PhSha512 = "ED25519_PH_SHA_512",
    }
}

words! {
    /// How much of signing is already done to a message.
    MessageType {
        Raw = "RAW",
        Digest = "DIGEST",
        ExternalMu = "EXTERNAL_MU",
    }
}

/// A message to sign.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    pub kind: MessageType,
    pub bytes: &'a [u8],
}

/// What a message looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Any,
    /// So many bytes.
    Long(usize),
}

/// How an algorithm is carried out.
enum Scheme {
    Rsa(
        &'static digest::Algorithm,
        &'static RsaSignatureEncoding,
        &'static RsaParameters,
    ),
    Ecdsa(&'static digest::Algorithm),
    Sm2,
    MlDsa,
    Ed25519,
    Ed25519Ph,
}

impl SigningAlgorithm {
    /// What messages of a kind look like; `None` for kinds that the algorithm does not take.
    pub(crate) fn form(self, kind: MessageType) -> Option<Form> {
        match (self.scheme(), kind) {
            (Scheme::Ed25519Ph, MessageType::Raw)
            | (Scheme::Ed25519 | Scheme::MlDsa, MessageType::Digest) => None,
            (_, MessageType::Raw) => Some(Form::Any),
            (Scheme::Ed25519Ph, MessageType::Digest) | (Scheme::MlDsa, MessageType::ExternalMu) => {
                Some(Form::Long(64))
            }
            (_, MessageType::ExternalMu) => None,
            (Scheme::Rsa(hash, ..) | Scheme::Ecdsa(hash), MessageType::Digest) => {
                Some(Form::Long(hash.output_len()))
            }
            (Scheme::Sm2, MessageType::Digest) => Some(Form::Long(32)),
        }
    }

    fn scheme(self) -> Scheme {
        match self {
            Self::RsaPssSha256 => Scheme::Rsa(&SHA256, &RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256),
            Self::RsaPssSha384 => Scheme::Rsa(&SHA384, &RSA_PSS_SHA384, &RSA_PSS_2048_8192_SHA384),
            Self::RsaPssSha512 => Scheme::Rsa(&SHA512, &RSA_PSS_SHA512, &RSA_PSS_2048_8192_SHA512),
            Self::RsaPkcs1Sha256 => {
                Scheme::Rsa(&SHA256, &RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256)
            }
            Self::RsaPkcs1Sha384 => {
                Scheme::Rsa(&SHA384, &RSA_PKCS1_SHA384, &RSA_PKCS1_2048_8192_SHA384)
            }
            Self::RsaPkcs1Sha512 => {
                Scheme::Rsa(&SHA512, &RSA_PKCS1_SHA512, &RSA_PKCS1_2048_8192_SHA512)
            }
            Self::EcdsaSha256 => Scheme::Ecdsa(&SHA256),
            Self::EcdsaSha384 => Scheme::Ecdsa(&SHA384),
            Self::EcdsaSha512 => Scheme::Ecdsa(&SHA512),
            Self::Sm2Dsa => Scheme::Sm2,
            Self::MlDsaShake256 => Scheme::MlDsa,
            Self::Ed25519Sha512 => Scheme::Ed25519,
            Self::Ed25519PhSha512 => Scheme::Ed25519Ph,
        }
    }
}

impl Message<'_> {
    fn digest(self, hash: &'static digest::Algorithm) -> Result<Digest, CryptoError> {
        match self.kind {
            MessageType::Raw => Ok(digest::digest(hash, self.bytes)),
            MessageType::Digest | MessageType::ExternalMu => {
                Ok(Digest::import_less_safe(self.bytes, hash)?)
            }
        }
    }
}

/// Signs a message with the secret of a key whose spec has the algorithm.
pub(crate) fn sign(
    spec: KeySpec,
    algorithm: SigningAlgorithm,
    secret: &[u8],
    message: Message<'_>,
) -> Result<Vec<u8>, CryptoError> {
    let Message { kind, bytes } = message;
    match (algorithm.scheme(), Kind::of(spec)) {
        (Scheme::Rsa(hash, encoding, _), Kind::Rsa(_)) => {
            rsa::sign(encoding, secret, &message.digest(hash)?)
        }
        (Scheme::Ecdsa(hash), Kind::Elliptic(curve)) => {
            elliptic::sign(curve, secret, &message.digest(hash)?)
        }
        (Scheme::Sm2, Kind::Sm2) if kind == MessageType::Raw => sm2::sign(secret, bytes),
        (Scheme::Sm2, Kind::Sm2) => sm2::sign_digest(secret, bytes),
        (Scheme::MlDsa, Kind::MlDsa(set)) if kind == MessageType::Raw => {
            ml_dsa::sign(set, secret, bytes)
        }
        (Scheme::MlDsa, Kind::MlDsa(set)) => ml_dsa::sign_mu(set, secret, bytes),
        (Scheme::Ed25519, Kind::Edwards) => edwards::sign(secret, bytes),
        (Scheme::Ed25519Ph, Kind::Edwards) => edwards::sign_prehashed(secret, bytes),
        _ => Err(CryptoError::Library),
    }
}

/// True when a signature is that of a message, under the public half of a key whose spec has the algorithm.
pub(crate) fn verify(
    spec: KeySpec,
    algorithm: SigningAlgorithm,
    public: &[u8],
    message: Message<'_>,
    signature: &[u8],
) -> Result<bool, CryptoError> {
    let Message { kind, bytes } = message;
    Ok(match (algorithm.scheme(), Kind::of(spec)) {
        (Scheme::Rsa(hash, _, parameters), Kind::Rsa(_)) => {
            rsa::verify(parameters, public, &message.digest(hash)?, signature)
        }
        (Scheme::Ecdsa(hash), Kind::Elliptic(curve)) => {
            elliptic::verify(curve, public, &message.digest(hash)?, signature)
        }
        (Scheme::Sm2, Kind::Sm2) if kind == MessageType::Raw => {
            sm2::verify(public, bytes, signature)
        }
        (Scheme::Sm2, Kind::Sm2) => sm2::verify_digest(public, bytes, signature),
        (Scheme::MlDsa, Kind::MlDsa(set)) if kind == MessageType::Raw => {
            ml_dsa::verify(set, public, bytes, signature)
        }
        (Scheme::MlDsa, Kind::MlDsa(set)) => ml_dsa::verify_mu(set, public, bytes, signature),
        (Scheme::Ed25519, Kind::Edwards) => edwards::verify(public, bytes, signature),
        (Scheme::Ed25519Ph, Kind::Edwards) => edwards::verify_prehashed(public, bytes, signature),
        _ => return Err(CryptoError::Library),
    })
}
