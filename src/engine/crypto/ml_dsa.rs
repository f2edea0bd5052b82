//! ML-DSA (FIPS 204), of messages and of message representatives computed elsewhere.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{
    KeyPair as _, ML_DSA_44, ML_DSA_44_SIGNING, ML_DSA_65, ML_DSA_65_SIGNING, ML_DSA_87,
    ML_DSA_87_SIGNING, PqdsaKeyPair, PqdsaSigningAlgorithm, PqdsaVerificationAlgorithm,
    UnparsedPublicKey,
};
use ml_dsa::{
    B32, EncodedVerifyingKey, ExpandedSigningKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams,
    Signature, VerifyingKey,
};

use super::{CryptoError, Material};

/// The length of the seed at the end of a private key.
const SEED: usize = 32;

/// A parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

impl Set {
    fn signing(self) -> &'static PqdsaSigningAlgorithm {
        match self {
            Self::MlDsa44 => &ML_DSA_44_SIGNING,
            Self::MlDsa65 => &ML_DSA_65_SIGNING,
            Self::MlDsa87 => &ML_DSA_87_SIGNING,
        }
    }

    fn verification(self) -> &'static PqdsaVerificationAlgorithm {
        match self {
            Self::MlDsa44 => &ML_DSA_44,
            Self::MlDsa65 => &ML_DSA_65,
            Self::MlDsa87 => &ML_DSA_87,
        }
    }
}

/// Makes a key pair.
pub(super) fn generate(set: Set) -> Result<Material, CryptoError> {
    material(&PqdsaKeyPair::generate(set.signing())?)
}

/// Reads a key pair from a PKCS #8 private key that holds the seed.
pub(super) fn import(set: Set, pkcs8: &[u8]) -> Result<Material, CryptoError> {
    material(&PqdsaKeyPair::from_pkcs8(set.signing(), pkcs8)?)
}

fn material(pair: &PqdsaKeyPair) -> Result<Material, CryptoError> {
    Ok(Material {
        secret: pair.to_pkcs8v1()?.as_ref().to_vec(),
        public: Some(pair.public_key().as_der()?.as_ref().to_vec()),
    })
}

/// Signs a message.
pub(super) fn sign(set: Set, secret: &[u8], message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let pair = PqdsaKeyPair::from_pkcs8(set.signing(), secret)?;
    let mut signature = vec![0; set.signing().signature_len()];
    pair.sign(message, &mut signature)?;
    Ok(signature)
}

/// True when a signature is that of a message.
pub(super) fn verify(set: Set, public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(set.verification(), public)
        .verify(message, signature)
        .is_ok()
}

/// Signs a message representative.
pub(super) fn sign_mu(set: Set, secret: &[u8], mu: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let signature = match set {
        Set::MlDsa44 => mu_signature::<MlDsa44>(secret, mu),
        Set::MlDsa65 => mu_signature::<MlDsa65>(secret, mu),
        Set::MlDsa87 => mu_signature::<MlDsa87>(secret, mu),
    };
    signature.ok_or(CryptoError::Library)
}

fn mu_signature<P: MlDsaParams>(secret: &[u8], mu: &[u8]) -> Option<Vec<u8>> {
    let seed = B32::from(*secret.last_chunk::<SEED>()?);
    let mu = mu.try_into().ok()?;
    let signature = ExpandedSigningKey::<P>::from_seed(&seed).sign_mu_deterministic(&mu);
    Some(signature.encode().to_vec())
}

/// True when a signature is that of a message representative.
pub(super) fn verify_mu(set: Set, public: &[u8], mu: &[u8], signature: &[u8]) -> bool {
    let verified = match set {
        Set::MlDsa44 => mu_verified::<MlDsa44>(public, mu, signature),
        Set::MlDsa65 => mu_verified::<MlDsa65>(public, mu, signature),
        Set::MlDsa87 => mu_verified::<MlDsa87>(public, mu, signature),
    };
    verified == Some(true)
}

fn mu_verified<P: MlDsaParams>(public: &[u8], mu: &[u8], signature: &[u8]) -> Option<bool> {
    let length = EncodedVerifyingKey::<P>::default().len();
    let start = public.len().checked_sub(length)?;
    let key = EncodedVerifyingKey::<P>::try_from(public.get(start..)?).ok()?;
    let signature = Signature::<P>::try_from(signature).ok()?;
    let mu = mu.try_into().ok()?;
    Some(VerifyingKey::<P>::decode(&key).verify_mu(&mu, &signature))
}
