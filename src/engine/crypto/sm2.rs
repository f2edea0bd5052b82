//! SM2 (GB/T 32918): signatures, shared secrets, and SM2PKE with ciphertexts in the ASN.1 form of GB/T 35276.

use sm2::dsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};
use sm2::elliptic_curve::sec1::{FromSec1Point as _, ToSec1Point as _};
use sm2::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
};
use sm2::{AffinePoint, NonZeroScalar, ProjectivePoint, PublicKey, Sec1Point, SecretKey};
use sm3::{Digest as _, Sm3};

use crate::engine::entropy::{self, Entropy};

use super::{CryptoError, Material, der};

/// The signer's id where none was agreed on (GB/T 35276).
const DEFAULT_ID: &str = "1234567812345678";

/// Makes a key pair.
pub(super) fn generate(entropy: &dyn Entropy) -> Result<Material, CryptoError> {
    material(&SecretKey::from(&scalar(entropy)?))
}

/// Reads a key pair from a PKCS #8 private key.
pub(super) fn import(pkcs8: &[u8]) -> Result<Material, CryptoError> {
    let secret = SecretKey::from_pkcs8_der(pkcs8).map_err(|_| CryptoError::Library)?;
    material(&secret)
}

fn material(secret: &SecretKey) -> Result<Material, CryptoError> {
    let private = secret.to_pkcs8_der().map_err(|_| CryptoError::Library)?;
    let public = secret.public_key().to_public_key_der();
    Ok(Material {
        secret: private.as_bytes().to_vec(),
        public: Some(public.map_err(|_| CryptoError::Library)?.into_vec()),
    })
}

/// Reads a stored secret; keys of the first state format are bare scalars.
fn secret_key(secret: &[u8]) -> Result<SecretKey, CryptoError> {
    SecretKey::from_pkcs8_der(secret)
        .or_else(|_| SecretKey::from_slice(secret))
        .map_err(|_| CryptoError::Library)
}

fn public_key(public: &[u8]) -> Result<PublicKey, CryptoError> {
    PublicKey::from_public_key_der(public).map_err(|_| CryptoError::PublicKey)
}

/// Signs a message (SM2DSA, GB/T 32918.2); the signature is a DER sequence of two integers.
pub(super) fn sign(secret: &[u8], message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let key = signing_key(secret)?;
    der_signature(key.try_sign(message))
}

/// Signs the SM3 digest of a message with its signer's id in front.
pub(super) fn sign_digest(secret: &[u8], digest: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let key = signing_key(secret)?;
    der_signature(key.sign_prehash(digest))
}

fn signing_key(secret: &[u8]) -> Result<SigningKey, CryptoError> {
    SigningKey::new(DEFAULT_ID, &secret_key(secret)?).map_err(|_| CryptoError::Library)
}

fn der_signature<E>(signature: Result<Signature, E>) -> Result<Vec<u8>, CryptoError> {
    let signature = signature.map_err(|_| CryptoError::Library)?;
    let (r, s) = (signature.r_bytes(), signature.s_bytes());
    Ok(der::sequence(&[der::integer(&r), der::integer(&s)]))
}

/// True when a signature is that of a message.
pub(super) fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    read_signature(public, signature)
        .is_some_and(|(key, signature)| key.verify(message, &signature).is_ok())
}

/// True when a signature is that of a digest.
pub(super) fn verify_digest(public: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    read_signature(public, signature)
        .is_some_and(|(key, signature)| key.verify_prehash(digest, &signature).is_ok())
}

fn read_signature(public: &[u8], signature: &[u8]) -> Option<(VerifyingKey, Signature)> {
    let key = VerifyingKey::new(DEFAULT_ID, public_key(public).ok()?).ok()?;
    let mut parts = der::Reader(signature).sequence()?;
    let (r, s) = (parts.integer()?, parts.integer()?);
    parts.0.is_empty().then_some(())?;
    Some((key, Signature::from_scalars(r, s).ok()?))
}

/// The secret that the two parties of ECDH share: the common point's x coordinate.
pub(super) fn agree(secret: &[u8], peer: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let secret = secret_key(secret)?.to_nonzero_scalar();
    let point = public_key(peer)?.to_projective() * *secret;
    let [x, _] = coordinates(&point.to_affine())?;
    Ok(x.to_vec())
}

/// Encrypts with a public half.
pub(crate) fn encrypt(
    public: &[u8],
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, CryptoError> {
    let public = public_key(public)?;
    loop {
        let once = scalar(entropy)?;
        let shared = Shared::of(&(public.to_projective() * *once))?;
        let mask = shared.mask(plaintext.len());
        if mask.iter().all(|byte| *byte == 0) {
            continue;
        }
        let start = (ProjectivePoint::GENERATOR * *once).to_affine();
        let [x, y] = coordinates(&start)?;
        return Ok(der::sequence(&[
            der::integer(&x),
            der::integer(&y),
            der::octets(&shared.check(plaintext)),
            der::octets(&xor(plaintext, &mask)),
        ]));
    }
}

/// Decrypts with the secret.
pub(crate) fn decrypt(secret: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    read(ciphertext, &secret_key(secret)?).ok_or(CryptoError::Ciphertext)
}

fn read(ciphertext: &[u8], secret: &SecretKey) -> Option<Vec<u8>> {
    let mut parts = der::Reader(ciphertext).sequence()?;
    let (x, y) = (parts.integer()?, parts.integer()?);
    let (check, masked) = (parts.octets()?, parts.octets()?);
    let point = Sec1Point::from_affine_coordinates(&x.into(), &y.into(), false);
    let point = Option::<AffinePoint>::from(AffinePoint::from_sec1_point(&point))?;
    let shared = Shared::of(&(ProjectivePoint::from(point) * *secret.to_nonzero_scalar())).ok()?;
    let plaintext = xor(masked, &shared.mask(masked.len()));
    aws_lc_rs::constant_time::verify_slices_are_equal(&shared.check(&plaintext), check).ok()?;
    Some(plaintext)
}

/// The point that both sides can compute.
struct Shared {
    x: [u8; 32],
    y: [u8; 32],
}

impl Shared {
    fn of(point: &ProjectivePoint) -> Result<Self, CryptoError> {
        let [x, y] = coordinates(&point.to_affine())?;
        Ok(Self { x, y })
    }

    /// The key derivation function: SM3 over the point and a counter.
    fn mask(&self, length: usize) -> Vec<u8> {
        let block = |counter: u32| {
            Sm3::new()
                .chain_update(self.x)
                .chain_update(self.y)
                .chain_update(counter.to_be_bytes())
                .finalize()
        };
        (1_u32..).flat_map(block).take(length).collect()
    }

    fn check(&self, plaintext: &[u8]) -> Vec<u8> {
        Sm3::new()
            .chain_update(self.x)
            .chain_update(plaintext)
            .chain_update(self.y)
            .finalize()
            .to_vec()
    }
}

/// A random scalar that is neither zero nor too large; nearly every draw is one.
fn scalar(entropy: &dyn Entropy) -> Result<NonZeroScalar, CryptoError> {
    for _ in 0..64 {
        let bytes: [u8; 32] = entropy::bytes(entropy)?;
        if let Ok(key) = SecretKey::from_slice(&bytes) {
            return Ok(key.to_nonzero_scalar());
        }
    }
    Err(CryptoError::Entropy(entropy::NoEntropy))
}

fn coordinates(point: &AffinePoint) -> Result<[[u8; 32]; 2], CryptoError> {
    let point = point.to_sec1_point(false);
    let (x, y) = point.x().zip(point.y()).ok_or(CryptoError::Ciphertext)?;
    Ok([(*x).into(), (*y).into()])
}

fn xor(text: &[u8], mask: &[u8]) -> Vec<u8> {
    text.iter().zip(mask).map(|(a, b)| a ^ b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::entropy::unhex;

    /// The example of GB/T 32918.5, on the recommended curve.
    #[test]
    fn decrypts_the_standards_example() {
        let secret = unhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
        let x = unhex("04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73");
        let y = unhex("e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0");
        let check = unhex("59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766");
        let masked = unhex("21886ca989ca9c7d58087307ca93092d651efa");
        let ciphertext = der::sequence(&[
            der::integer(&x.unwrap()),
            der::integer(&y.unwrap()),
            der::octets(&check.unwrap()),
            der::octets(&masked.unwrap()),
        ]);
        assert_eq!(
            decrypt(&secret.unwrap(), &ciphertext).as_deref(),
            Ok(&b"encryption standard"[..])
        );
    }

    /// The signature of GB/T 32918.5 under the same key.
    #[test]
    fn verifies_the_standards_signature() {
        let secret = unhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
        let r = unhex("f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3");
        let s = unhex("b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa");
        let signature = der::sequence(&[der::integer(&r.unwrap()), der::integer(&s.unwrap())]);
        let key = material(&secret_key(&secret.unwrap()).unwrap()).unwrap();
        let public = key.public.unwrap();
        assert!(verify(&public, b"message digest", &signature));
        assert!(!verify(&public, b"another digest", &signature));
        let signed = sign(&key.secret, b"another digest").unwrap();
        assert!(verify(&public, b"another digest", &signed));
    }
}
