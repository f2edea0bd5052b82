//! Imported key material: wrapping, expiry, several pieces and rotation among them.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::hmac;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded as _};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_kms::operation::get_parameters_for_import::GetParametersForImportOutput;
use aws_sdk_kms::operation::import_key_material::builders::ImportKeyMaterialFluentBuilder;
use aws_sdk_kms::operation::import_key_material::{
    ImportKeyMaterialError, ImportKeyMaterialOutput,
};
use aws_sdk_kms::primitives::{Blob, DateTime};
use aws_sdk_kms::types::{
    AlgorithmSpec as Wrapping, ExpirationModelType, ImportState, ImportType, IncludeKeyMaterial,
    KeySpec, KeyState, KeyUsageType, MacAlgorithmSpec, OriginType, RotationsListEntry,
    WrappingKeySpec,
};

use sm2::elliptic_curve::sec1::ToSec1Point as _;
use sm2::pkcs8::DecodePublicKey as _;
use sm3::Digest as _;

use super::bench::{ACCOUNT, Bench, arn, client, refused};

const START: i64 = 1_780_000_000;
const DAY: i64 = 86_400;

/// A key without material.
async fn external(bench: &Bench, spec: KeySpec, usage: KeyUsageType) -> String {
    let made = bench.kms.create_key().origin(OriginType::External);
    let made = made.key_spec(spec).key_usage(usage).send().await.unwrap();
    made.key_metadata.unwrap().key_id
}

async fn symmetric(bench: &Bench) -> String {
    external(
        bench,
        KeySpec::SymmetricDefault,
        KeyUsageType::EncryptDecrypt,
    )
    .await
}

async fn parameters(kms: &Client, id: &str, wrapping: Wrapping) -> GetParametersForImportOutput {
    let got = kms.get_parameters_for_import().key_id(id);
    let got = got.wrapping_key_spec(WrappingKeySpec::Rsa2048);
    got.wrapping_algorithm(wrapping).send().await.unwrap()
}

fn wrap(wrapping: &Wrapping, public: &[u8], material: &[u8]) -> Vec<u8> {
    let key = PublicEncryptingKey::from_der(public).unwrap();
    let key = OaepPublicEncryptingKey::new(key).unwrap();
    let padding = if wrapping.as_str().ends_with("SHA_1") {
        &OAEP_SHA1_MGF1SHA1
    } else {
        &OAEP_SHA256_MGF1SHA256
    };
    let mut buffer = vec![0; key.ciphertext_size()];
    let mut oaep = |plain: &[u8]| {
        key.encrypt(padding, plain, &mut buffer, None)
            .unwrap()
            .to_vec()
    };
    if matches!(
        wrapping,
        Wrapping::RsaesOaepSha1 | Wrapping::RsaesOaepSha256
    ) {
        return oaep(material);
    }
    let mut wrapped = vec![0; material.len() + 16];
    let kek = AesKek::new(&AES_256, &[9; 32]).unwrap();
    let wrapped = kek.wrap_with_padding(material, &mut wrapped).unwrap();
    [&*oaep(&[9; 32]), wrapped].concat()
}

/// An import that is ready to be sent; the material does not expire.
async fn import(
    kms: &Client,
    id: &str,
    wrapping: Wrapping,
    material: &[u8],
) -> ImportKeyMaterialFluentBuilder {
    let got = parameters(kms, id, wrapping.clone()).await;
    let wrapped = wrap(&wrapping, got.public_key.unwrap().as_ref(), material);
    kms.import_key_material()
        .key_id(id)
        .import_token(got.import_token.unwrap())
        .encrypted_key_material(Blob::new(wrapped))
        .expiration_model(ExpirationModelType::KeyMaterialDoesNotExpire)
}

async fn import_bytes(bench: &Bench, id: &str, byte: u8) -> ImportKeyMaterialFluentBuilder {
    import(&bench.kms, id, Wrapping::RsaesOaepSha256, &[byte; 32]).await
}

pub(super) const NEW: Option<ImportType> = Some(ImportType::NewKeyMaterial);

/// Imports material of 32 bytes that does not expire.
pub(super) async fn put(
    kms: &Client,
    id: &str,
    material: &[u8; 32],
    import_type: Option<ImportType>,
) -> Result<ImportKeyMaterialOutput, SdkError<ImportKeyMaterialError>> {
    let ready = import(kms, id, Wrapping::RsaesOaepSha256, material).await;
    ready.set_import_type(import_type).send().await
}

/// The states of all of a key's pieces.
pub(super) async fn states(kms: &Client, id: &str) -> Vec<String> {
    let listed = kms.list_key_rotations().key_id(id);
    let listed = listed.include_key_material(IncludeKeyMaterial::AllKeyMaterial);
    let listed = listed.send().await.unwrap();
    let state = |piece: &RotationsListEntry| piece.key_material_state().unwrap().to_string();
    listed.rotations().iter().map(state).collect()
}

async fn state(bench: &Bench, id: &str) -> KeyState {
    let found = bench.kms.describe_key().key_id(id).send().await.unwrap();
    found.key_metadata.unwrap().key_state.unwrap()
}

async fn pieces(bench: &Bench, id: &str) -> Vec<RotationsListEntry> {
    let listed = bench.kms.list_key_rotations().key_id(id);
    let listed = listed.include_key_material(IncludeKeyMaterial::AllKeyMaterial);
    listed.send().await.unwrap().rotations.unwrap()
}

async fn encrypt(bench: &Bench, id: &str) -> Blob {
    let made = bench.kms.encrypt().key_id(id).plaintext(Blob::new("text"));
    made.send().await.unwrap().ciphertext_blob.unwrap()
}

#[tokio::test]
async fn imported_material_makes_a_key_work() {
    let bench = Bench::new();
    let id = symmetric(&bench).await;
    for wrapping in [Wrapping::RsaesOaepSha1, Wrapping::RsaesOaepSha256] {
        let imported = import(&bench.kms, &id, wrapping, &[7; 32]).await;
        let imported = imported.send().await.unwrap();
        assert_eq!(imported.key_id(), Some(&*arn(&id)));
        let found = bench.kms.describe_key().key_id(&id).send().await.unwrap();
        let found = found.key_metadata.unwrap();
        assert_eq!(found.key_state(), Some(&KeyState::Enabled));
        assert_eq!(found.current_key_material_id(), imported.key_material_id());
        assert_eq!(
            found.expiration_model(),
            Some(&ExpirationModelType::KeyMaterialDoesNotExpire)
        );
    }
    let blob = encrypt(&bench, &id).await;
    let opened = bench
        .kms
        .decrypt()
        .ciphertext_blob(blob)
        .send()
        .await
        .unwrap();
    assert_eq!(opened.plaintext, Some(Blob::new("text")));
}

#[tokio::test]
async fn imported_material_is_the_material_that_is_used() {
    let bench = Bench::new();
    let id = external(&bench, KeySpec::Hmac256, KeyUsageType::GenerateVerifyMac).await;
    import_bytes(&bench, &id, 7).await.send().await.unwrap();
    let made = bench
        .kms
        .generate_mac()
        .key_id(&id)
        .message(Blob::new("text"));
    let made = made
        .mac_algorithm(MacAlgorithmSpec::HmacSha256)
        .send()
        .await
        .unwrap();
    let outside = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), b"text");
    assert_eq!(made.mac.unwrap().as_ref(), outside.as_ref());
}

#[tokio::test]
async fn private_keys_are_imported_in_two_steps() {
    let bench = Bench::new();
    let elliptic = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let id = external(&bench, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let pkcs8 = elliptic.to_pkcs8v1().unwrap();
    for wrapping in [
        Wrapping::RsaAesKeyWrapSha1,
        Wrapping::RsaAesKeyWrapSha256,
        Wrapping::RsaesOaepSha256,
    ] {
        let imported = import(&bench.kms, &id, wrapping, pkcs8.as_ref()).await;
        assert_eq!(imported.send().await.unwrap().key_material_id(), None);
    }
    let got = bench.kms.get_public_key().key_id(&id).send().await.unwrap();
    let public = elliptic.public_key().as_der().unwrap();
    assert_eq!(got.public_key.unwrap().as_ref(), public.as_ref());

    let rsa = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let pkcs8: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
    let id = external(&bench, KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt).await;
    let wrapping = Wrapping::RsaAesKeyWrapSha256;
    let imported = import(&bench.kms, &id, wrapping.clone(), pkcs8.as_ref()).await;
    imported.send().await.unwrap();
    assert_eq!(state(&bench, &id).await, KeyState::Enabled);
    let id = external(&bench, KeySpec::Rsa3072, KeyUsageType::EncryptDecrypt).await;
    let imported = import(&bench.kms, &id, wrapping, pkcs8.as_ref()).await;
    refused(imported.send().await, "IncorrectKeyMaterialException", "");
}

#[tokio::test]
async fn the_largest_wrapping_keys_wrap_everything() {
    let bench = Bench::new();
    let hmac = external(&bench, KeySpec::Hmac512, KeyUsageType::GenerateVerifyMac).await;
    for (id, wrapping, material) in [
        (
            symmetric(&bench).await,
            Wrapping::RsaesOaepSha1,
            &[3; 32][..],
        ),
        (hmac, Wrapping::RsaesOaepSha256, &[5; 64]),
    ] {
        let got = bench.kms.get_parameters_for_import().key_id(&id);
        let got = got
            .wrapping_key_spec(WrappingKeySpec::Rsa4096)
            .wrapping_algorithm(wrapping.clone());
        let got = got.send().await.unwrap();
        let wrapped = wrap(&wrapping, got.public_key.unwrap().as_ref(), material);
        assert_eq!(wrapped.len(), 512);
        let import = bench.kms.import_key_material().key_id(&id);
        let import = import
            .import_token(got.import_token.unwrap())
            .encrypted_key_material(Blob::new(wrapped))
            .expiration_model(ExpirationModelType::KeyMaterialDoesNotExpire);
        import.send().await.unwrap();
        assert_eq!(state(&bench, &id).await, KeyState::Enabled);
    }
}

/// What SM2PKE makes of 32 bytes (GB/T 32918.4), in the form of GB/T 35276.
fn wrap_with_sm2(public: &[u8], material: &[u8; 32]) -> Vec<u8> {
    let public = sm2::PublicKey::from_public_key_der(public).unwrap();
    let once = sm2::SecretKey::from_slice(&[7; 32]).unwrap();
    let start = once.public_key().to_sec1_point(false);
    let shared = public.to_projective() * *once.to_nonzero_scalar();
    let shared = shared.to_affine().to_sec1_point(false);
    let (x, y) = (shared.x().unwrap(), shared.y().unwrap());
    let hash = |parts: [&[u8]; 3]| sm3::Sm3::digest(parts.concat()).to_vec();
    let mask = hash([x, y, &1_u32.to_be_bytes()]);
    let masked: Vec<u8> = material.iter().zip(mask).map(|(a, b)| a ^ b).collect();
    let field = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length], content].concat()
    };
    // A leading zero keeps a coordinate from being negative.
    let integer = |number: &[u8]| match number {
        [first, ..] if *first >= 0x80 => field(2, &[&[0], number].concat()),
        _ => field(2, number),
    };
    let parts = [
        integer(start.x().unwrap()),
        integer(start.y().unwrap()),
        field(4, &hash([x, material, y])),
        field(4, &masked),
    ];
    let content = parts.concat();
    let length = u8::try_from(content.len()).unwrap();
    let head: &[u8] = if length < 0x80 {
        &[0x30, length]
    } else {
        &[0x30, 0x81, length]
    };
    [head, &content].concat()
}

#[tokio::test]
async fn sm2_wraps_material_in_china() {
    let bench = Bench::new();
    let china = client(&bench.engine, ACCOUNT, "cn-north-1");
    let made = china.create_key().origin(OriginType::External).send();
    let id = made.await.unwrap().key_metadata.unwrap().key_id;
    let got = china.get_parameters_for_import().key_id(&id);
    let got = got
        .wrapping_key_spec(WrappingKeySpec::Sm2)
        .wrapping_algorithm(Wrapping::Sm2Pke);
    let got = got.send().await.unwrap();
    let wrapped = wrap_with_sm2(got.public_key.unwrap().as_ref(), &[6; 32]);
    let import = |wrapped: &[u8]| {
        let import = china.import_key_material().key_id(&id);
        import
            .import_token(got.import_token.clone().unwrap())
            .encrypted_key_material(Blob::new(wrapped))
            .expiration_model(ExpirationModelType::KeyMaterialDoesNotExpire)
            .send()
    };
    let mut damaged = wrapped.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let refusal = import(&damaged).await.unwrap_err();
    assert_eq!(refusal.code(), Some("InvalidCiphertextException"));
    import(&wrapped).await.unwrap();
    let sealed = china.encrypt().key_id(&id).plaintext(Blob::new("text"));
    let sealed = sealed.send().await.unwrap().ciphertext_blob.unwrap();
    let opened = china.decrypt().ciphertext_blob(sealed).send().await;
    assert_eq!(opened.unwrap().plaintext, Some(Blob::new("text")));
}

#[tokio::test]
async fn only_some_wrappings_fit() {
    let bench = Bench::new();
    let id = symmetric(&bench).await;
    let p521 = external(&bench, KeySpec::EccNistP521, KeyUsageType::SignVerify).await;
    let rsa = external(&bench, KeySpec::Rsa2048, KeyUsageType::SignVerify).await;
    let get = |id: &str, spec, wrapping| {
        let got = bench.kms.get_parameters_for_import().key_id(id);
        got.wrapping_key_spec(spec)
            .wrapping_algorithm(wrapping)
            .send()
    };
    let code = "ValidationException";
    let small = WrappingKeySpec::Rsa2048;
    for (id, wrapping, spec) in [
        (&id, Wrapping::RsaAesKeyWrapSha256, "SYMMETRIC_DEFAULT"),
        (&p521, Wrapping::RsaesOaepSha256, "ECC_NIST_P521"),
        (&rsa, Wrapping::RsaesOaepSha256, "RSA_2048"),
    ] {
        let message = format!(
            "WrappingAlgorithm {wrapping} with WrappingKeySpec RSA_2048 cannot wrap key material of KeySpec {spec}"
        );
        refused(get(id, small.clone(), wrapping).await, code, &message);
    }
    let message = "WrappingAlgorithm SM2PKE is not compatible with WrappingKeySpec RSA_2048";
    refused(
        get(&id, small.clone(), Wrapping::Sm2Pke).await,
        code,
        message,
    );
    let code = "UnsupportedOperationException";
    let message = "Algorithm RSAES_PKCS1_V1_5 is no longer supported.";
    refused(
        get(&id, small.clone(), Wrapping::RsaesPkcs1V15).await,
        code,
        message,
    );
    let message = "KeySpec SM2 is not supported in this Region.";
    refused(
        get(&id, WrappingKeySpec::Sm2, Wrapping::Sm2Pke).await,
        code,
        message,
    );
    let made = bench.key().await;
    let message = format!(
        "{} origin is AWS_KMS which is not valid for this operation.",
        arn(&made)
    );
    let got = get(&made, small, Wrapping::RsaesOaepSha256).await;
    refused(got, code, &message);
}

#[tokio::test]
async fn a_token_is_for_one_key_and_one_day() {
    let bench = Bench::new();
    let (id, other) = (symmetric(&bench).await, symmetric(&bench).await);
    let wrapping = Wrapping::RsaesOaepSha256;
    let got = parameters(&bench.kms, &id, wrapping.clone()).await;
    assert_eq!(got.parameters_valid_to().unwrap().secs(), START + DAY);
    let ready = import_bytes(&bench, &id, 7).await;
    let elsewhere = ready.clone().key_id(&other).send().await;
    refused(elsewhere, "InvalidImportTokenException", "");
    let foreign = ready
        .clone()
        .import_token(Blob::new("nonsense"))
        .send()
        .await;
    refused(foreign, "InvalidImportTokenException", "");
    // Wrapped for one token and sent with another.
    let crossed = ready.clone().import_token(got.import_token.unwrap());
    refused(crossed.send().await, "InvalidCiphertextException", "");
    let short = import(&bench.kms, &id, wrapping, &[7; 31]).await;
    refused(short.send().await, "IncorrectKeyMaterialException", "");
    bench.clock.forward_minutes(24 * 60);
    refused(ready.send().await, "ExpiredImportTokenException", "");
}

#[tokio::test]
async fn material_expires_and_comes_back() {
    let bench = Bench::new();
    let id = symmetric(&bench).await;
    let expires = |ready: ImportKeyMaterialFluentBuilder, days| {
        let model = ExpirationModelType::KeyMaterialExpires;
        let end = DateTime::from_secs(START + days * DAY);
        ready.expiration_model(model).valid_to(end)
    };
    let ready = import_bytes(&bench, &id, 7).await;
    let code = "ValidationException";
    let message = "The validTo date must be in the future and at most 365 days away";
    for days in [0, 366] {
        refused(expires(ready.clone(), days).send().await, code, message);
    }
    let missing = ready.clone().set_expiration_model(None).send().await;
    let message = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES";
    refused(missing, code, message);
    let both = ready
        .clone()
        .valid_to(DateTime::from_secs(START + DAY))
        .send()
        .await;
    let message =
        "A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE";
    refused(both, code, message);

    expires(ready, 2).send().await.unwrap();
    let found = bench.kms.describe_key().key_id(&id).send().await.unwrap();
    let found = found.key_metadata.unwrap();
    assert_eq!(found.valid_to().unwrap().secs(), START + 2 * DAY);
    let blob = encrypt(&bench, &id).await;
    bench.clock.forward_days(2);
    let found = bench.kms.describe_key().key_id(&id).send().await.unwrap();
    let found = found.key_metadata.unwrap();
    assert_eq!(found.key_state(), Some(&KeyState::PendingImport));
    assert_eq!((found.valid_to(), found.expiration_model()), (None, None));
    assert!(found.current_key_material_id().is_some());
    let open = || bench.kms.decrypt().ciphertext_blob(blob.clone()).send();
    let message = format!("{} is pending import.", arn(&id));
    refused(open().await, "KMSInvalidStateException", &message);

    let other = import_bytes(&bench, &id, 8).await.send().await;
    refused(other, "IncorrectKeyMaterialException", "");
    import_bytes(&bench, &id, 7).await.send().await.unwrap();
    assert_eq!(open().await.unwrap().plaintext, Some(Blob::new("text")));
}

#[tokio::test]
async fn deleted_material_comes_back_by_its_id() {
    let bench = Bench::new();
    let id = symmetric(&bench).await;
    let delete = || bench.kms.delete_imported_key_material().key_id(&id);
    let nothing = delete().send().await.unwrap();
    assert_eq!(nothing.key_id(), Some(&*arn(&id)));
    let imported = import_bytes(&bench, &id, 7).await;
    let material = imported.send().await.unwrap().key_material_id.unwrap();
    let deleted = delete().send().await.unwrap();
    assert_eq!(deleted.key_material_id(), Some(&*material));
    assert_eq!(state(&bench, &id).await, KeyState::PendingImport);
    assert_eq!(
        pieces(&bench, &id).await[0].import_state(),
        Some(&ImportState::PendingImport)
    );

    let wrong = import_bytes(&bench, &id, 7)
        .await
        .key_material_id("0".repeat(64));
    refused(wrong.send().await, "IncorrectKeyMaterialException", "");
    let new = import_bytes(&bench, &id, 7)
        .await
        .import_type(ImportType::NewKeyMaterial);
    refused(new.send().await, "IncorrectKeyMaterialException", "");
    let again = import_bytes(&bench, &id, 7)
        .await
        .key_material_id(&material);
    assert_eq!(again.send().await.unwrap().key_material_id, Some(material));
    assert_eq!(state(&bench, &id).await, KeyState::Enabled);
}

#[tokio::test]
async fn a_key_turns_to_material_that_waits() {
    let bench = Bench::new();
    let id = symmetric(&bench).await;
    let first = import_bytes(&bench, &id, 1)
        .await
        .key_material_description("first");
    let first = first.send().await.unwrap().key_material_id.unwrap();
    let old = encrypt(&bench, &id).await;
    let rotate = || bench.kms.rotate_key_on_demand().key_id(&id).send();
    let message = format!(
        "No available key material pending rotation for the key: {}.",
        arn(&id)
    );
    refused(rotate().await, "KMSInvalidStateException", &message);

    let new = import_bytes(&bench, &id, 2)
        .await
        .import_type(ImportType::NewKeyMaterial);
    let second = new.send().await.unwrap().key_material_id.unwrap();
    let third = import_bytes(&bench, &id, 3)
        .await
        .import_type(ImportType::NewKeyMaterial);
    let error = third.send().await.unwrap_err().into_service_error();
    let message = error.meta().message().unwrap().to_owned();
    let expected = format!(
        "cannot be imported into KMS key {}, because another key material (id: {second}) is pending rotation.",
        arn(&id)
    );
    assert!(message.starts_with("New key material (id: ") && message.ends_with(&expected));

    assert_eq!(
        states(&bench.kms, &id).await,
        ["CURRENT", "PENDING_ROTATION"]
    );
    rotate().await.unwrap();
    assert_eq!(states(&bench.kms, &id).await, ["NON_CURRENT", "CURRENT"]);
    let all = pieces(&bench, &id).await;
    assert_eq!(all[0].key_material_description(), Some("first"));
    assert_eq!(all[0].rotation_date(), None);
    assert_eq!(all[1].rotation_date().unwrap().secs(), START);
    let opened = bench
        .kms
        .decrypt()
        .ciphertext_blob(old.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(opened.key_material_id(), Some(&*first));

    // The key needs all of its pieces, the old one too.
    let deleted = bench
        .kms
        .delete_imported_key_material()
        .key_id(&id)
        .key_material_id(&first);
    deleted.send().await.unwrap();
    assert_eq!(state(&bench, &id).await, KeyState::PendingImport);
    import_bytes(&bench, &id, 1).await.send().await.unwrap();
    assert_eq!(state(&bench, &id).await, KeyState::Enabled);
}

#[tokio::test]
async fn waiting_material_can_be_given_up() {
    let bench = Bench::new();
    let id = symmetric(&bench).await;
    import_bytes(&bench, &id, 1).await.send().await.unwrap();
    let new = import_bytes(&bench, &id, 2)
        .await
        .import_type(ImportType::NewKeyMaterial);
    let second = new.send().await.unwrap().key_material_id.unwrap();
    let deleted = bench
        .kms
        .delete_imported_key_material()
        .key_id(&id)
        .key_material_id(&second);
    deleted.send().await.unwrap();
    assert_eq!(state(&bench, &id).await, KeyState::Enabled);
    assert_eq!(pieces(&bench, &id).await.len(), 1);
    let unknown = bench
        .kms
        .delete_imported_key_material()
        .key_id(&id)
        .key_material_id(&second);
    let message = format!("Key material '{second}' does not exist in key {}", arn(&id));
    refused(unknown.send().await, "NotFoundException", &message);
}

#[tokio::test]
async fn other_keys_keep_the_one_material_that_they_had() {
    let bench = Bench::new();
    let id = external(&bench, KeySpec::Hmac256, KeyUsageType::GenerateVerifyMac).await;
    import_bytes(&bench, &id, 1).await.send().await.unwrap();
    let other = import_bytes(&bench, &id, 2).await.send().await;
    refused(other, "IncorrectKeyMaterialException", "");
    let typed = import_bytes(&bench, &id, 1)
        .await
        .import_type(ImportType::ExistingKeyMaterial);
    let message = "ImportType, KeyMaterialDescription and KeyMaterialId are supported for symmetric encryption keys \
                   only";
    refused(typed.send().await, "ValidationException", message);
}
