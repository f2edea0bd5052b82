//! SM2 key pairs and SM2PKE (GB/T 32918.4), with ciphertexts in the ASN.1 form of GB/T 35276.

use sm2::elliptic_curve::sec1::{EncodedPoint, FromEncodedPoint as _, ToEncodedPoint as _};
use sm2::{AffinePoint, NonZeroScalar, ProjectivePoint, PublicKey, SecretKey, Sm2};
use sm3::{Digest as _, Sm3};

use crate::engine::entropy::{self, Entropy};

use super::{CryptoError, Material, der};

/// The length of an uncompressed point.
const POINT: usize = 65;

/// Makes a key pair.
pub(super) fn generate(entropy: &dyn Entropy) -> Result<Material, CryptoError> {
    let secret = scalar(entropy)?;
    let public = SecretKey::from(&secret).public_key();
    let point = public.to_encoded_point(false);
    Ok(Material {
        secret: secret.to_bytes().to_vec(),
        public: Some(der::public_key_info(
            der::EC_PUBLIC_KEY,
            Some(der::SM2_CURVE),
            point.as_bytes(),
        )),
    })
}

/// Encrypts with a public half.
pub(crate) fn encrypt(
    public: &[u8],
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, CryptoError> {
    let point = public.last_chunk::<POINT>().ok_or(CryptoError::Library)?;
    let public = PublicKey::from_sec1_bytes(point).map_err(|_| CryptoError::Library)?;
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
    let secret = SecretKey::from_slice(secret).map_err(|_| CryptoError::Library)?;
    read(ciphertext, &secret).ok_or(CryptoError::Ciphertext)
}

fn read(ciphertext: &[u8], secret: &SecretKey) -> Option<Vec<u8>> {
    let mut parts = der::Reader(ciphertext).sequence()?;
    let (x, y) = (parts.integer()?, parts.integer()?);
    let (check, masked) = (parts.octets()?, parts.octets()?);
    let point = EncodedPoint::<Sm2>::from_affine_coordinates(&x.into(), &y.into(), false);
    let point = Option::<AffinePoint>::from(AffinePoint::from_encoded_point(&point))?;
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
    let point = point.to_encoded_point(false);
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
}
