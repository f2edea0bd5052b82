"""The AWS Encryption SDK: messages under keys of the server are read again, but only by who may and with the right context."""

import logging
import warnings

import aws_encryption_sdk as sdk
import botocore.session
from aws_encryption_sdk.exceptions import DecryptKeyError
from cryptography.exceptions import InvalidTag

from callers import ACCOUNT, allow, client, policy, session_of

PLAINTEXT = b"a letter" * 1000
CONTEXT = {"letter": "1"}


def main():
    # The SDK would rather be used through its material providers, a package of its own.
    warnings.simplefilter("ignore")
    logging.disable()
    root = client("kms")
    first, second = (root.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    for commitment in [
        sdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
        sdk.CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT,
    ]:
        reads_again(sdk.EncryptionSDKClient(commitment_policy=commitment), root, first, second)
    finds_its_key(root, first)
    caches(root, first)
    asks_for_permission(first)


def strict(*keys, session=None):
    """A provider of just these keys."""
    return sdk.StrictAwsKmsMasterKeyProvider(
        key_ids=list(keys), botocore_session=session or botocore.session.Session()
    )


def reads_again(esdk, root, first, second):
    """A message under two keys is read with either, and when one is disabled."""
    message, header = esdk.encrypt(
        source=PLAINTEXT, key_provider=strict(first, second), encryption_context=CONTEXT
    )
    assert len(header.encrypted_data_keys) == 2
    assert CONTEXT.items() <= header.encryption_context.items()
    for key in (first, second):
        assert esdk.decrypt(source=message, key_provider=strict(key))[0] == PLAINTEXT
    root.disable_key(KeyId=first)
    assert esdk.decrypt(source=message, key_provider=strict(first, second))[0] == PLAINTEXT
    fails(esdk, message, strict(first))
    root.enable_key(KeyId=first)
    changed = bytearray(message)
    changed[-200] ^= 1
    fails(esdk, bytes(changed), strict(first), InvalidTag)


def finds_its_key(root, key):
    """A provider without keys finds them in the message."""
    esdk = sdk.EncryptionSDKClient()
    alias = "alias/letters-of-the-sdk"
    root.create_alias(AliasName=alias, TargetKeyId=key)
    arn = key.rsplit(":", 1)[0] + ":" + alias
    message, _ = esdk.encrypt(source=PLAINTEXT, key_provider=strict(arn))
    assert esdk.decrypt(source=message, key_provider=sdk.DiscoveryAwsKmsMasterKeyProvider())[0] == PLAINTEXT


def caches(root, key):
    """A cache of data keys saves calls, and its messages are like others."""
    esdk = sdk.EncryptionSDKClient()
    manager = sdk.CachingCryptoMaterialsManager(
        master_key_provider=strict(key), cache=sdk.LocalCryptoMaterialsCache(10), max_age=60.0
    )
    messages = [esdk.encrypt(source=PLAINTEXT, materials_manager=manager)[0] for _ in range(3)]
    for message in messages:
        assert esdk.decrypt(source=message, key_provider=strict(key))[0] == PLAINTEXT


def asks_for_permission(key):
    """Who may not decrypt cannot read; who may with a context can."""
    esdk = sdk.EncryptionSDKClient()
    message, _ = esdk.encrypt(source=PLAINTEXT, key_provider=strict(key), encryption_context=CONTEXT)
    reader = session_of(f"arn:aws:iam::{ACCOUNT}:user/reader")._session
    fails(esdk, message, strict(key, session=reader))
    condition = {"StringEquals": {"kms:EncryptionContext:letter": "1"}}
    client("iam").put_user_policy(
        UserName="reader",
        PolicyName="letters",
        PolicyDocument=policy(allow("kms:Decrypt", resource=key, Condition=condition)),
    )
    assert esdk.decrypt(source=message, key_provider=strict(key, session=reader))[0] == PLAINTEXT
    other, _ = esdk.encrypt(source=PLAINTEXT, key_provider=strict(key), encryption_context={"letter": "2"})
    fails(esdk, other, strict(key, session=reader))


def fails(esdk, message, provider, error=DecryptKeyError):
    """Makes sure that a message cannot be read."""
    try:
        esdk.decrypt(source=message, key_provider=provider)
    except error:
        return
    raise AssertionError("the message was read")


if __name__ == "__main__":
    main()
