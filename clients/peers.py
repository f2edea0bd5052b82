"""What the server computes, another implementation verifies, and the other way round: Python's `cryptography`."""

import os

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from callers import client, refused

SHA = {"224": hashes.SHA224, "256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
CURVES = {
    "ECC_NIST_P256": ec.SECP256R1,
    "ECC_NIST_P384": ec.SECP384R1,
    "ECC_NIST_P521": ec.SECP521R1,
    "ECC_SECG_P256K1": ec.SECP256K1,
}
RSA = ["RSA_2048", "RSA_3072", "RSA_4096"]
ML_DSA = {
    "ML_DSA_44": mldsa.MLDSA44PrivateKey,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey,
}
# The library knows neither ML-KEM-512, nor Ed25519ph, nor SM2.
ML_KEM = {"ML_KEM_768": mlkem.MLKEM768PrivateKey, "ML_KEM_1024": mlkem.MLKEM1024PrivateKey}
MESSAGE = b"a message of some length"

kms = client("kms")


def main():
    checks = [
        rsa_signatures,
        rsa_ciphertexts,
        ecdsa_signatures,
        edwards_signatures,
        ml_dsa_signatures,
        macs,
        agreements,
        encapsulations,
        key_pairs,
        symmetric_imports,
        mac_imports,
        asymmetric_imports,
    ]
    for check in checks:
        print(f"{check.__name__}: {', '.join(check())}")


def create(**members):
    """A key's id."""
    return kms.create_key(**members)["KeyMetadata"]["KeyId"]


def public_key(key):
    """A key's public half, as the other library reads it."""
    return load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])


def digest_of(algorithm, message):
    digest = hashes.Hash(algorithm)
    digest.update(message)
    return digest.finalize()


def is_refused(verify):
    """Makes sure that a verification of the other library fails."""
    try:
        verify()
    except InvalidSignature:
        return
    raise AssertionError("a signature of something else is good")


def rsa_schemes():
    """Each signing algorithm with its hash and its padding."""
    for bits in ("256", "384", "512"):
        sha = SHA[bits]()
        yield f"RSASSA_PKCS1_V1_5_SHA_{bits}", sha, padding.PKCS1v15()
        yield f"RSASSA_PSS_SHA_{bits}", sha, padding.PSS(padding.MGF1(sha), sha.digest_size)


def signs(key, algorithm, message, verify, message_type="RAW"):
    """A signature is good for its message, and for no other."""
    how = {"KeyId": key, "SigningAlgorithm": algorithm, "MessageType": message_type}
    verify(kms.sign(Message=message, **how)["Signature"], MESSAGE)
    is_refused(lambda: verify(kms.sign(Message=message, **how)["Signature"], MESSAGE + b"!"))


def rsa_signatures():
    for spec in RSA:
        key = create(KeySpec=spec, KeyUsage="SIGN_VERIFY")
        public = public_key(key)
        assert public.key_size == int(spec[4:])
        for algorithm, sha, scheme in rsa_schemes():

            def verify(signature, message):
                public.verify(signature, message, scheme, sha)

            signs(key, algorithm, MESSAGE, verify)
            signs(key, algorithm, digest_of(sha, MESSAGE), verify, "DIGEST")
            yield f"{spec} {algorithm}"
    # The other way round needs a secret that both have.
    secret = rsa.generate_private_key(65537, 2048)
    key = imported("RSA_2048", "SIGN_VERIFY", pkcs8(secret), "RSA_AES_KEY_WRAP_SHA_256")
    for algorithm, sha, scheme in rsa_schemes():
        accepts(key, algorithm, secret.sign(MESSAGE, scheme, sha))
        yield f"verified {algorithm}"


def accepts(key, algorithm, signature):
    """The server verifies a signature of the other library, and refuses it for another message."""
    how = {"KeyId": key, "SigningAlgorithm": algorithm, "Signature": signature}
    assert kms.verify(Message=MESSAGE, **how)["SignatureValid"]
    refused(kms.verify, "KMSInvalidSignatureException", Message=MESSAGE + b"!", **how)


def oaep(bits):
    sha = hashes.SHA1() if bits == "1" else hashes.SHA256()
    return padding.OAEP(padding.MGF1(sha), sha, None)


def rsa_ciphertexts():
    secret = rsa.generate_private_key(65537, 2048)
    for bits in ("1", "256"):
        algorithm = f"RSAES_OAEP_SHA_{bits}"
        for spec in RSA:
            key = create(KeySpec=spec, KeyUsage="ENCRYPT_DECRYPT")
            sealed = public_key(key).encrypt(MESSAGE, oaep(bits))
            how = {"KeyId": key, "EncryptionAlgorithm": algorithm}
            assert kms.decrypt(CiphertextBlob=sealed, **how)["Plaintext"] == MESSAGE
            yield f"{spec} {algorithm}"
        key = imported("RSA_2048", "ENCRYPT_DECRYPT", pkcs8(secret), "RSA_AES_KEY_WRAP_SHA_1")
        sealed = kms.encrypt(KeyId=key, Plaintext=MESSAGE, EncryptionAlgorithm=algorithm)["CiphertextBlob"]
        assert secret.decrypt(sealed, oaep(bits)) == MESSAGE
        yield f"opened {algorithm}"


def ecdsa_signatures():
    for spec, curve in CURVES.items():
        secret = ec.generate_private_key(curve())
        bits = {"ECC_NIST_P384": "384", "ECC_NIST_P521": "512"}.get(spec, "256")
        algorithm, sha = f"ECDSA_SHA_{bits}", SHA[bits]()
        key = create(KeySpec=spec, KeyUsage="SIGN_VERIFY")
        public = public_key(key)
        assert isinstance(public.curve, curve)

        def verify(signature, message):
            public.verify(signature, message, ec.ECDSA(sha))

        signs(key, algorithm, MESSAGE, verify)
        signs(key, algorithm, digest_of(sha, MESSAGE), verify, "DIGEST")
        key = imported(spec, "SIGN_VERIFY", pkcs8(secret), "RSA_AES_KEY_WRAP_SHA_256")
        assert public_key(key) == secret.public_key()
        accepts(key, algorithm, secret.sign(MESSAGE, ec.ECDSA(sha)))
        prehashed = ec.ECDSA(utils.Prehashed(sha))
        accepts(key, algorithm, secret.sign(digest_of(sha, MESSAGE), prehashed))
        yield f"{spec} {algorithm}"


def edwards_signatures():
    key = create(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
    signs(key, "ED25519_SHA_512", MESSAGE, public_key(key).verify)
    secret = ed25519.Ed25519PrivateKey.generate()
    key = imported("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", pkcs8(secret), "RSAES_OAEP_SHA_256")
    accepts(key, "ED25519_SHA_512", secret.sign(MESSAGE))
    yield "ED25519_SHA_512"


def ml_dsa_signatures():
    for spec, kind in ML_DSA.items():
        key = create(KeySpec=spec, KeyUsage="SIGN_VERIFY")
        public = public_key(key)
        signs(key, "ML_DSA_SHAKE_256", MESSAGE, public.verify)
        mu = external_mu(public, MESSAGE)
        signs(key, "ML_DSA_SHAKE_256", mu, public.verify, "EXTERNAL_MU")
        secret = kind.generate()
        key = imported(spec, "SIGN_VERIFY", pkcs8(secret), "RSA_AES_KEY_WRAP_SHA_256")
        assert public_key(key) == secret.public_key()
        accepts(key, "ML_DSA_SHAKE_256", secret.sign(MESSAGE))
        yield f"{spec} RAW and EXTERNAL_MU"


def external_mu(public, message):
    """What stands for a message and a public key: FIPS 204, algorithm 7, line 6, without a context."""
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    tr = hashes.Hash(hashes.SHAKE256(64))
    tr.update(raw)
    mu = hashes.Hash(hashes.SHAKE256(64))
    mu.update(tr.finalize() + bytes(2) + message)
    return mu.finalize()


def mac_of(secret, bits):
    mac = hmac.HMAC(secret, SHA[bits]())
    mac.update(MESSAGE)
    return mac.finalize()


def macs():
    for bits in SHA:
        secret = os.urandom(int(bits) // 8)
        key = imported(f"HMAC_{bits}", "GENERATE_VERIFY_MAC", secret, "RSAES_OAEP_SHA_256")
        how = {"KeyId": key, "Message": MESSAGE, "MacAlgorithm": f"HMAC_SHA_{bits}"}
        assert kms.generate_mac(**how)["Mac"] == mac_of(secret, bits)
        assert kms.verify_mac(Mac=mac_of(secret, bits), **how)["MacValid"]
        refused(kms.verify_mac, "KMSInvalidMacException", Mac=mac_of(secret[::-1], bits), **how)
        yield f"HMAC_SHA_{bits}"


def agreements():
    for spec in ("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"):
        key = create(KeySpec=spec, KeyUsage="KEY_AGREEMENT")
        other = ec.generate_private_key(CURVES[spec]())
        shared = kms.derive_shared_secret(
            KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=spki(other.public_key())
        )["SharedSecret"]
        assert shared == other.exchange(ec.ECDH(), public_key(key))
        yield f"{spec} ECDH"


def encapsulations():
    algorithm = {"EncapsulationAlgorithm": "ML_KEM"}
    for spec, kind in ML_KEM.items():
        key = create(KeySpec=spec, KeyUsage="ENCAPSULATE_DECAPSULATE")
        shared, ciphertext = public_key(key).encapsulate()
        opened = kms.decapsulate(KeyId=key, SharedSecretCiphertextBlob=ciphertext, **algorithm)
        assert opened["SharedSecret"] == shared
        secret = kind.generate()
        key = imported(spec, "ENCAPSULATE_DECAPSULATE", pkcs8(secret), "RSA_AES_KEY_WRAP_SHA_256")
        sent = kms.encapsulate(KeyId=key, **algorithm)
        assert secret.decapsulate(sent["SharedSecretCiphertextBlob"]) == sent["SharedSecret"]
        yield spec


def key_pairs():
    """The halves of a pair belong together, as the other library sees them."""
    wrapping = create()
    for spec in [*RSA, *CURVES, "ECC_NIST_EDWARDS25519", *ML_KEM]:
        pair = kms.generate_data_key_pair(KeyId=wrapping, KeyPairSpec=spec)
        secret = load_der_private_key(pair["PrivateKeyPlaintext"], None)
        assert spki(secret.public_key()) == pair["PublicKey"], spec
        if spec in ML_KEM:
            shared, ciphertext = load_der_public_key(pair["PublicKey"]).encapsulate()
            assert secret.decapsulate(ciphertext) == shared
        yield spec


def symmetric_imports():
    for wrapping in RSA:
        for algorithm in ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"):
            imported("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", os.urandom(32), algorithm, wrapping)
            yield f"{algorithm} {wrapping}"
    how = {"WrappingAlgorithm": "RSAES_PKCS1_V1_5", "WrappingKeySpec": "RSA_2048"}
    refused(kms.get_parameters_for_import, "UnsupportedOperationException", KeyId=create(Origin="EXTERNAL"), **how)
    yield "RSAES_PKCS1_V1_5 refused, as AWS does"


def mac_imports():
    for algorithm in ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"):
        secret = os.urandom(48)
        key = imported("HMAC_384", "GENERATE_VERIFY_MAC", secret, algorithm, "RSA_3072")
        mac = kms.generate_mac(KeyId=key, Message=MESSAGE, MacAlgorithm="HMAC_SHA_384")["Mac"]
        assert mac == mac_of(secret, "384")
        yield algorithm


def asymmetric_imports():
    secret = ec.generate_private_key(ec.SECP256R1())
    for wrapping in RSA:
        for algorithm in (
            "RSAES_OAEP_SHA_1",
            "RSAES_OAEP_SHA_256",
            "RSA_AES_KEY_WRAP_SHA_1",
            "RSA_AES_KEY_WRAP_SHA_256",
        ):
            key = imported("ECC_NIST_P256", "KEY_AGREEMENT", pkcs8(secret), algorithm, wrapping)
            assert public_key(key) == secret.public_key()
            yield f"{algorithm} {wrapping}"


def imported(spec, usage, material, algorithm, wrapping="RSA_2048"):
    """A key with material that was made here, wrapped here and imported."""
    key = create(Origin="EXTERNAL", KeySpec=spec, KeyUsage=usage)
    how = {"WrappingAlgorithm": algorithm, "WrappingKeySpec": wrapping}
    parameters = kms.get_parameters_for_import(KeyId=key, **how)
    public = load_der_public_key(parameters["PublicKey"])
    scheme = oaep(algorithm.rsplit("_", 1)[1])
    if "AES_KEY_WRAP" in algorithm:
        aes = os.urandom(32)
        sealed = public.encrypt(aes, scheme) + keywrap.aes_key_wrap_with_padding(aes, material)
    else:
        sealed = public.encrypt(material, scheme)
    kms.import_key_material(
        KeyId=key,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=sealed,
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    return key


def pkcs8(secret):
    return secret.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def spki(public):
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


if __name__ == "__main__":
    main()
