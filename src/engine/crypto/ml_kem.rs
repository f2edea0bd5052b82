//! ML-KEM (FIPS 203).

use aws_lc_rs::kem::{self, AlgorithmId, EncapsulationKey};
use ml_kem::kem::{Decapsulate, Decapsulator, Kem};
use ml_kem::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use ml_kem::{DecapsulationKey512, DecapsulationKey768, DecapsulationKey1024, Seed};

use crate::engine::entropy::{self, Entropy};

use super::{CryptoError, Material};

/// A parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    MlKem512,
    MlKem768,
    MlKem1024,
}

impl Set {
    fn algorithm(self) -> &'static kem::Algorithm<AlgorithmId> {
        match self {
            Self::MlKem512 => &kem::ML_KEM_512,
            Self::MlKem768 => &kem::ML_KEM_768,
            Self::MlKem1024 => &kem::ML_KEM_1024,
        }
    }

    /// The length of an encapsulation key, which is the end of its `SubjectPublicKeyInfo`.
    fn public_length(self) -> usize {
        match self {
            Self::MlKem512 => 800,
            Self::MlKem768 => 1184,
            Self::MlKem1024 => 1568,
        }
    }

    fn ciphertext_length(self) -> usize {
        match self {
            Self::MlKem512 => 768,
            Self::MlKem768 => 1088,
            Self::MlKem1024 => 1568,
        }
    }
}

/// A shared secret, and the form in which the other party gets it.
pub(crate) struct Encapsulated {
    pub ciphertext: Vec<u8>,
    pub shared: Vec<u8>,
}

/// Makes a key pair.
pub(super) fn generate(set: Set, entropy: &dyn Entropy) -> Result<Material, CryptoError> {
    let seed = Seed::from(entropy::bytes::<64>(entropy)?);
    match set {
        Set::MlKem512 => material(&DecapsulationKey512::from_seed(seed)),
        Set::MlKem768 => material(&DecapsulationKey768::from_seed(seed)),
        Set::MlKem1024 => material(&DecapsulationKey1024::from_seed(seed)),
    }
}

/// Reads a key pair from a PKCS #8 private key that holds the seed.
pub(super) fn import(set: Set, pkcs8: &[u8]) -> Result<Material, CryptoError> {
    match set {
        Set::MlKem512 => material(&read::<DecapsulationKey512>(pkcs8)?),
        Set::MlKem768 => material(&read::<DecapsulationKey768>(pkcs8)?),
        Set::MlKem1024 => material(&read::<DecapsulationKey1024>(pkcs8)?),
    }
}

fn read<K: DecodePrivateKey>(pkcs8: &[u8]) -> Result<K, CryptoError> {
    K::from_pkcs8_der(pkcs8).map_err(|_| CryptoError::Library)
}

fn material<K>(key: &K) -> Result<Material, CryptoError>
where
    K: EncodePrivateKey + Decapsulator<Kem: Kem<EncapsulationKey: EncodePublicKey>>,
{
    let secret = key.to_pkcs8_der().map_err(|_| CryptoError::Library)?;
    let public = key.encapsulation_key().to_public_key_der();
    Ok(Material {
        secret: secret.as_bytes().to_vec(),
        public: Some(public.map_err(|_| CryptoError::Library)?.into_vec()),
    })
}

/// Makes a shared secret with a public half.
pub(crate) fn encapsulate(set: Set, public: &[u8]) -> Result<Encapsulated, CryptoError> {
    let start = public.len().checked_sub(set.public_length());
    let raw = start.and_then(|start| public.get(start..));
    let key = EncapsulationKey::new(set.algorithm(), raw.ok_or(CryptoError::Library)?)?;
    let (ciphertext, shared) = key.encapsulate()?;
    Ok(Encapsulated {
        ciphertext: ciphertext.as_ref().to_vec(),
        shared: shared.as_ref().to_vec(),
    })
}

/// Recovers a shared secret; a ciphertext of the right length gives some secret, whoever made it.
pub(crate) fn decapsulate(
    set: Set,
    secret: &[u8],
    ciphertext: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    if ciphertext.len() != set.ciphertext_length() {
        return Err(CryptoError::Ciphertext);
    }
    // Keys of the first state format are not seeds but what is made of them.
    if let Ok(key) = kem::DecapsulationKey::new(set.algorithm(), secret) {
        return Ok(key.decapsulate(ciphertext.into())?.as_ref().to_vec());
    }
    match set {
        Set::MlKem512 => shared(&read::<DecapsulationKey512>(secret)?, ciphertext),
        Set::MlKem768 => shared(&read::<DecapsulationKey768>(secret)?, ciphertext),
        Set::MlKem1024 => shared(&read::<DecapsulationKey1024>(secret)?, ciphertext),
    }
}

fn shared(key: &impl Decapsulate, ciphertext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let shared = key.decapsulate_slice(ciphertext);
    Ok(shared.map_err(|_| CryptoError::Ciphertext)?.to_vec())
}
