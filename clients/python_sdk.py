"""boto3: the life of keys, for the root user, a user, an assumed role and a profile with `role_arn`."""

import os

import boto3

from callers import ACCOUNT, REGION, allow, client, policy, refused, session_of, session_with

DIGEST = b"\x07" * 32


def main():
    root = client("kms")
    key = lives(root)
    ciphers(root, key)
    signs(root)
    authenticates(root)
    pages(root)
    user = session_of("user/ann")
    asks_for_permission(root, user, key)
    works_by_grant(root, key)
    works_as_role(root, user, key)
    works_by_profile(key)
    verifies_signatures(key, user)


def lives(kms):
    """Creates a key with an alias, tags, a policy and rotation; gives its ARN."""
    tags = [{"TagKey": "Team", "TagValue": "payments"}]
    made = kms.create_key(Description="cards", Tags=tags)["KeyMetadata"]
    arn = made["Arn"]
    assert arn == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{made['KeyId']}"
    assert (made["KeyState"], made["KeySpec"]) == ("Enabled", "SYMMETRIC_DEFAULT")
    assert made["CreationDate"].tzinfo is not None
    kms.create_alias(AliasName="alias/cards", TargetKeyId=made["KeyId"])
    assert kms.describe_key(KeyId="alias/cards")["KeyMetadata"] == made
    kms.tag_resource(KeyId=arn, Tags=[{"TagKey": "Stage", "TagValue": "test"}])
    kms.untag_resource(KeyId=arn, TagKeys=["Team"])
    assert kms.list_resource_tags(KeyId=arn)["Tags"] == [{"TagKey": "Stage", "TagValue": "test"}]
    kms.update_key_description(KeyId=arn, Description="card numbers")
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["Description"] == "card numbers"
    kms.enable_key_rotation(KeyId=arn, RotationPeriodInDays=180)
    status = kms.get_key_rotation_status(KeyId=arn)
    assert status["KeyRotationEnabled"] and status["RotationPeriodInDays"] == 180, status
    second = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.update_alias(AliasName="alias/cards", TargetKeyId=second)
    assert [alias["AliasName"] for alias in kms.list_aliases(KeyId=second)["Aliases"]] == ["alias/cards"]
    kms.update_alias(AliasName="alias/cards", TargetKeyId=made["KeyId"])
    kms.disable_key(KeyId=second)
    message = refused(kms.encrypt, "DisabledException", KeyId=second, Plaintext=b"x")
    assert message.endswith(f"key/{second} is disabled."), message
    kms.enable_key(KeyId=second)
    kms.schedule_key_deletion(KeyId=second, PendingWindowInDays=7)
    refused(kms.schedule_key_deletion, "KMSInvalidStateException", KeyId=second)
    kms.cancel_key_deletion(KeyId=second)
    refused(kms.describe_key, "NotFoundException", KeyId="alias/nothing")
    return arn


def ciphers(kms, key):
    """Encrypts before and after rotations, and makes data keys."""
    context = {"card": "1", "for": "tests"}
    old = kms.encrypt(KeyId=key, Plaintext=b"4111", EncryptionContext=context)["CiphertextBlob"]
    kms.rotate_key_on_demand(KeyId=key)
    rotations = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert {entry["KeyMaterialState"] for entry in rotations} <= {"CURRENT", "NON_CURRENT", "PENDING_ROTATION"}
    opened = kms.decrypt(CiphertextBlob=old, EncryptionContext=context)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"4111", key)
    refused(kms.decrypt, "InvalidCiphertextException", CiphertextBlob=old)
    moved = kms.re_encrypt(CiphertextBlob=old, SourceEncryptionContext=context, DestinationKeyId=key)
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"])["Plaintext"] == b"4111"
    data = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context)
    assert len(data["Plaintext"]) == 32
    assert kms.decrypt(CiphertextBlob=data["CiphertextBlob"], EncryptionContext=context)["Plaintext"] == data["Plaintext"]
    blind = kms.generate_data_key_without_plaintext(KeyId=key, NumberOfBytes=64)
    assert len(kms.decrypt(CiphertextBlob=blind["CiphertextBlob"])["Plaintext"]) == 64
    pair = kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256")
    secret = kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"])["Plaintext"]
    assert secret == pair["PrivateKeyPlaintext"]
    assert len(kms.generate_random(NumberOfBytes=24)["Plaintext"]) == 24


def signs(kms):
    """Signs and verifies, and refuses what was not signed."""
    for spec, algorithm in [("RSA_2048", "RSASSA_PSS_SHA_256"), ("ECC_NIST_P256", "ECDSA_SHA_256")]:
        key = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        how = {"KeyId": key, "MessageType": "DIGEST", "SigningAlgorithm": algorithm}
        signature = kms.sign(Message=DIGEST, **how)["Signature"]
        assert kms.verify(Message=DIGEST, Signature=signature, **how)["SignatureValid"]
        refused(kms.verify, "KMSInvalidSignatureException", Message=bytes(32), Signature=signature, **how)
        assert kms.get_public_key(KeyId=key)["KeySpec"] == spec


def authenticates(kms):
    """Makes and verifies MACs."""
    key = kms.create_key(KeySpec="HMAC_384", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    how = {"KeyId": key, "MacAlgorithm": "HMAC_SHA_384"}
    mac = kms.generate_mac(Message=b"hello", **how)["Mac"]
    assert kms.verify_mac(Message=b"hello", Mac=mac, **how)["MacValid"]
    refused(kms.verify_mac, "KMSInvalidMacException", Message=b"bye", Mac=mac, **how)


def pages(kms):
    """Goes through pages with boto3's own paginators."""
    elsewhere = client("kms", region="eu-west-3")
    made = {elsewhere.create_key()["KeyMetadata"]["KeyId"] for _ in range(7)}
    found = elsewhere.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 3})
    sizes = [[key["KeyId"] for key in page["Keys"]] for page in found]
    assert [len(page) for page in sizes] == [3, 3, 1], sizes
    assert made == {key for page in sizes for key in page}


def asks_for_permission(root, user, key):
    """A user can do what a policy allows, and is told in AWS's words what none does."""
    kms, iam = client("kms", user), client("iam")
    who = f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert client("sts", user).get_caller_identity()["Arn"] == who
    message = refused(kms.encrypt, "AccessDeniedException", KeyId=key, Plaintext=b"x")
    assert message == (
        f"User: {who} is not authorized to perform: kms:Encrypt on resource: {key} "
        "because no identity-based policy allows the kms:Encrypt action"
    ), message
    iam.put_user_policy(UserName="ann", PolicyName="cards", PolicyDocument=policy(allow("kms:Encrypt", resource=key)))
    assert kms.encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == key
    refused(kms.describe_key, "AccessDeniedException", KeyId=key)
    before = root.get_key_policy(KeyId=key)["Policy"]
    deny = {"Effect": "Deny", "Principal": {"AWS": who}, "Action": "kms:Encrypt", "Resource": "*"}
    everything = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    root.put_key_policy(KeyId=key, Policy=policy(everything, deny))
    message = refused(kms.encrypt, "AccessDeniedException", KeyId=key, Plaintext=b"x")
    assert message.endswith("with an explicit deny in a resource-based policy"), message
    root.put_key_policy(KeyId=key, Policy=before)
    kms.encrypt(KeyId=key, Plaintext=b"x")


def works_by_grant(root, key):
    """A grantee can do what a grant allows, under its constraints, until it is revoked."""
    grantee = client("kms", session_of("user/bob"))
    refused(grantee.encrypt, "AccessDeniedException", KeyId=key, Plaintext=b"x")
    grant = root.create_grant(
        KeyId=key,
        GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:user/bob",
        RetiringPrincipal=f"arn:aws:iam::{ACCOUNT}:user/bob",
        Operations=["Encrypt", "Decrypt"],
        Constraints={"EncryptionContextSubset": {"card": "1"}},
        Name="bob",
    )
    token = [grant["GrantToken"]]
    made = grantee.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"card": "1", "more": "2"}, GrantTokens=token)
    opened = grantee.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"card": "1", "more": "2"})
    assert opened["Plaintext"] == b"x"
    refused(grantee.encrypt, "AccessDeniedException", KeyId=key, Plaintext=b"x", EncryptionContext={"card": "2"})
    assert [entry["GrantId"] for entry in root.list_grants(KeyId=key)["Grants"]] == [grant["GrantId"]]
    grantee.retire_grant(GrantToken=grant["GrantToken"])
    assert root.list_grants(KeyId=key)["Grants"] == []
    other = root.create_grant(KeyId=key, GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:user/bob", Operations=["Decrypt"])
    root.revoke_grant(KeyId=key, GrantId=other["GrantId"])
    refused(root.revoke_grant, "NotFoundException", KeyId=key, GrantId=other["GrantId"])


def works_as_role(root, user, key):
    """A user assumes a role, which can do what its policy and the session's allow both."""
    iam = client("iam")
    trust = policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    )
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust)["Role"]
    iam.put_role_policy(
        RoleName="app", PolicyName="cards", PolicyDocument=policy(allow("kms:*", resource=key))
    )
    sts = client("sts", user)
    assumed = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="tests", DurationSeconds=900)
    session = session_with(assumed["Credentials"])
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/tests"
    assert assumed["AssumedRoleUser"]["Arn"] == arn
    assert client("sts", session).get_caller_identity()["Arn"] == arn
    assert client("kms", session).describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    message = refused(client("kms", session).create_key, "AccessDeniedException")
    assert message.startswith(f"User: {arn} is not authorized to perform: kms:CreateKey"), message
    narrow = sts.assume_role(
        RoleArn=role["Arn"], RoleSessionName="narrow", Policy=policy(allow("kms:DescribeKey"))
    )
    narrow = client("kms", session_with(narrow["Credentials"]))
    narrow.describe_key(KeyId=key)
    message = refused(narrow.encrypt, "AccessDeniedException", KeyId=key, Plaintext=b"x")
    assert "no session policy allows the kms:Encrypt action" in message, message
    stranger = client("sts", session_of("user/carl"))
    refused(stranger.assume_role, "AccessDenied", 403, RoleArn=role["Arn"], RoleSessionName="stranger")


def works_by_profile(key):
    """A profile with `role_arn` works as the SDK finds it in its files."""
    ann = session_of("user/ann").get_credentials()
    with open(os.environ["AWS_SHARED_CREDENTIALS_FILE"], "w") as file:
        file.write(f"[ann]\naws_access_key_id = {ann.access_key}\naws_secret_access_key = {ann.secret_key}\n")
    with open(os.environ["AWS_CONFIG_FILE"], "w") as file:
        file.write(
            f"[profile app]\nregion = {REGION}\nrole_arn = arn:aws:iam::{ACCOUNT}:role/app\n"
            "source_profile = ann\nrole_session_name = profile\n"
        )
    app = boto3.Session(profile_name="app")
    arn = app.client("sts").get_caller_identity()["Arn"]
    assert arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/profile", arn
    made = app.client("kms").generate_data_key(KeyId=key, KeySpec="AES_128")
    assert app.client("kms").decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"] == made["Plaintext"]


def verifies_signatures(key, user):
    """What was signed with another secret is refused."""
    credentials = user.get_credentials()
    forged = boto3.Session(credentials.access_key, "not" + credentials.secret_key, region_name=REGION)
    refused(client("kms", forged).describe_key, "InvalidSignatureException", KeyId=key)


if __name__ == "__main__":
    main()
