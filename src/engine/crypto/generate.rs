//! New key material for every key spec.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::kem;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING,
    ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING,
    ML_DSA_87_SIGNING, PqdsaKeyPair, PqdsaSigningAlgorithm,
};

use crate::engine::entropy::Entropy;
use crate::model::KeySpec;

use super::{CryptoError, der, rsa, sm2};

/// A key's secret, and its public half where it has one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Material {
    /// Raw bytes of symmetric, HMAC, SM2 and ML-KEM keys; PKCS #8 of all others.
    pub secret: Vec<u8>,
    /// The public half as a `SubjectPublicKeyInfo`.
    pub public: Option<Vec<u8>>,
}

/// Makes the material of a new key.
pub(crate) fn generate(spec: KeySpec, entropy: &dyn Entropy) -> Result<Material, CryptoError> {
    match spec {
        KeySpec::SymmetricDefault | KeySpec::Hmac256 => random(32, entropy),
        KeySpec::Hmac224 => random(28, entropy),
        KeySpec::Hmac384 => random(48, entropy),
        KeySpec::Hmac512 => random(64, entropy),
        KeySpec::Rsa2048 => rsa::generate(KeySize::Rsa2048),
        KeySpec::Rsa3072 => rsa::generate(KeySize::Rsa3072),
        KeySpec::Rsa4096 => rsa::generate(KeySize::Rsa4096),
        KeySpec::EccNistP256 => elliptic(&ECDSA_P256_SHA256_ASN1_SIGNING),
        KeySpec::EccNistP384 => elliptic(&ECDSA_P384_SHA384_ASN1_SIGNING),
        KeySpec::EccNistP521 => elliptic(&ECDSA_P521_SHA512_ASN1_SIGNING),
        KeySpec::EccSecgP256k1 => elliptic(&ECDSA_P256K1_SHA256_ASN1_SIGNING),
        KeySpec::EccNistEdwards25519 => edwards(),
        KeySpec::Sm2 => sm2::generate(entropy),
        KeySpec::MlDsa44 => ml_dsa(&ML_DSA_44_SIGNING),
        KeySpec::MlDsa65 => ml_dsa(&ML_DSA_65_SIGNING),
        KeySpec::MlDsa87 => ml_dsa(&ML_DSA_87_SIGNING),
        KeySpec::MlKem512 => ml_kem(&kem::ML_KEM_512, der::ML_KEM_512),
        KeySpec::MlKem768 => ml_kem(&kem::ML_KEM_768, der::ML_KEM_768),
        KeySpec::MlKem1024 => ml_kem(&kem::ML_KEM_1024, der::ML_KEM_1024),
    }
}

fn random(length: usize, entropy: &dyn Entropy) -> Result<Material, CryptoError> {
    let mut secret = vec![0; length];
    entropy.fill(&mut secret)?;
    Ok(Material {
        secret,
        public: None,
    })
}

fn elliptic(algorithm: &'static EcdsaSigningAlgorithm) -> Result<Material, CryptoError> {
    let pair = EcdsaKeyPair::generate(algorithm)?;
    Ok(Material {
        secret: pair.to_pkcs8v1()?.as_ref().to_vec(),
        public: Some(pair.public_key().as_der()?.as_ref().to_vec()),
    })
}

fn edwards() -> Result<Material, CryptoError> {
    let pair = Ed25519KeyPair::generate()?;
    Ok(Material {
        secret: pair.to_pkcs8v1()?.as_ref().to_vec(),
        public: Some(pair.public_key().as_der()?.as_ref().to_vec()),
    })
}

fn ml_dsa(algorithm: &'static PqdsaSigningAlgorithm) -> Result<Material, CryptoError> {
    let pair = PqdsaKeyPair::generate(algorithm)?;
    Ok(Material {
        secret: pair.to_pkcs8v1()?.as_ref().to_vec(),
        public: Some(pair.public_key().as_der()?.as_ref().to_vec()),
    })
}

fn ml_kem(
    algorithm: &'static kem::Algorithm<kem::AlgorithmId>,
    name: &[u8],
) -> Result<Material, CryptoError> {
    let key = kem::DecapsulationKey::generate(algorithm)?;
    let public = key.encapsulation_key()?;
    Ok(Material {
        secret: key.key_bytes()?.as_ref().to_vec(),
        public: Some(der::public_key_info(
            name,
            None,
            public.key_bytes()?.as_ref(),
        )),
    })
}
