"""The model check: what the server answers to calls of every operation is what botocore's model of KMS says.

Valid calls come from a story that needs all operations. From each of them come invalid ones: members that are missing, of
another type or out of bounds, keys that do not exist or are in another state. An answer has modelled members of their types
and bounds, the required ones among them; an error has a code of its operation or one that the documentation has for all.
"""

import base64
import collections
import json
import re
import time

import botocore.session
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from callers import ACCOUNT, REGION, allow, policy, until
from wire import Wire

MODEL = botocore.session.get_session().get_service_model("kms")
OPERATIONS = 56

# Codes that no operation's model has: https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
COMMON = {"ValidationException", "SerializationException", "AccessDeniedException", "UnsupportedOperationException"}
# Codes that a member brings with it, though the model has them only for other operations with that member.
OF_MEMBERS = {"DescribeKey": {"InvalidGrantTokenException"}, "ListKeyPolicies": {"InvalidMarkerException"}}
# Members that no answer has: there are no enclaves and no trail of events, a rotation on demand takes no time, and a key has
# one policy, which needs no second page.
NEVER = {
    ("DecryptResponse", "CiphertextForRecipient"),
    ("DeriveSharedSecretResponse", "CiphertextForRecipient"),
    ("GenerateDataKeyPairResponse", "CiphertextForRecipient"),
    ("GenerateDataKeyResponse", "CiphertextForRecipient"),
    ("GenerateRandomResponse", "CiphertextForRecipient"),
    ("GetKeyRotationStatusResponse", "OnDemandRotationStartDate"),
    ("KeyLastUsageData", "CloudTrailEventId"),
    ("ListKeyPoliciesResponse", "NextMarker"),
}
DIGEST = base64.b64encode(bytes(32)).decode()
PLAINTEXT = base64.b64encode(b"plain").decode()
CERTIFICATE = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
KEYS = {"KeyId", "SourceKeyId", "DestinationKeyId", "TargetKeyId"}


class Check:
    """Calls, whose answers are compared with the model, and what they have shown so far."""

    def __init__(self):
        self.wires = {region: Wire(region) for region in (REGION, "eu-west-1")}
        self.examples = {}
        self.shown = set()
        self.calls = 0
        self.codes = collections.defaultdict(set)
        self.faults = []

    def call(self, operation, members, region=REGION, expected=None):
        """Makes a call; gives its answer, or the code of its error."""
        self.calls += 1
        status, answer = self.wires[region].send(operation, members)
        where = f"{operation} {str(members)[:300]}"
        if status == 200:
            shape = MODEL.operation_model(operation).output_shape
            if shape is None:
                self.note(answer == {}, where, f"answered {answer}, and its model has no members")
            else:
                self.validate(shape, answer, operation, where)
            self.note(expected is None, where, f"was answered instead of {expected}")
            return answer
        code = answer.get("__type")
        modelled = {shape.name for shape in MODEL.operation_model(operation).error_shapes}
        is_known = code in modelled | COMMON | OF_MEMBERS.get(operation, set())
        self.note(is_known, where, f"failed with {answer}, which its model does not have")
        self.note(status == 400, where, f"failed with status {status}: {answer}")
        self.note(set(answer) <= {"__type", "message"}, where, f"failed with more members: {answer}")
        self.note(isinstance(answer.get("message", ""), str), where, f"failed with no text: {answer}")
        self.note(expected in (None, code, "an error"), where, f"failed with {answer} instead of {expected}")
        self.codes[operation].add(code)
        return code

    def ok(self, operation, region=REGION, **members):
        """Makes a call that must be answered, and remembers it as an example."""
        answer = self.call(operation, members, region)
        assert isinstance(answer, dict), f"{operation} {members} failed with {answer}: {self.faults[-1:]}"
        self.examples.setdefault(operation, (region, members))
        return answer

    def note(self, holds, where, what):
        if not holds:
            self.faults.append(f"{where}\n    {what}")

    def validate(self, shape, value, path, where):
        """Compares a value with its shape."""
        kind = shape.type_name
        types = {
            "structure": dict,
            "map": dict,
            "list": list,
            "string": str,
            "blob": str,
            "boolean": bool,
            "integer": int,
            "long": int,
            "timestamp": (int, float),
        }
        fits = isinstance(value, types[kind]) and isinstance(value, bool) == (kind == "boolean")
        self.note(fits, where, f"{path} is {value!r}, no {kind}")
        if fits:
            getattr(self, f"validate_{kind}", lambda *_: None)(shape, value, path, where)

    def validate_structure(self, shape, value, path, where):
        missing = set(shape.required_members) - set(value)
        self.note(not missing, where, f"{path} lacks {missing}")
        unmodelled = set(value) - set(shape.members)
        self.note(not unmodelled, where, f"{path} has {unmodelled}, which its model does not have")
        for name in set(value) & set(shape.members):
            self.shown.add((shape.name, name))
            self.validate(shape.members[name], value[name], f"{path}.{name}", where)

    def validate_list(self, shape, value, path, where):
        for member in value:
            self.validate(shape.member, member, f"{path}[]", where)

    def validate_map(self, shape, value, path, where):
        for name, member in value.items():
            self.validate(shape.key, name, path, where)
            self.validate(shape.value, member, path, where)

    def validate_string(self, shape, value, path, where):
        self.bounds(shape, len(value), path, where)
        if shape.enum:
            self.note(value in shape.enum, where, f"{path} is {value!r}, not of {shape.enum}")
        pattern = shape.metadata.get("pattern")
        if pattern:
            pattern = re.sub(r"\\p\{L\}\\p\{M\}\\p\{Z\}\\p\{S\}\\p\{N\}\\p\{P\}", r"\\s\\S", pattern)
            self.note(re.fullmatch(pattern, value), where, f"{path} is {value!r}, not like {pattern}")

    def validate_blob(self, shape, value, path, where):
        try:
            self.bounds(shape, len(base64.b64decode(value, validate=True)), path, where)
        except ValueError:
            self.note(False, where, f"{path} is {value!r}, no base64")

    def validate_timestamp(self, _, value, path, where):
        self.note(1.7e9 < value < 2.5e9, where, f"{path} is {value}, no time in seconds")

    def validate_integer(self, shape, value, path, where):
        low, high = shape.metadata.get("min", value), shape.metadata.get("max", value)
        self.note(low <= value <= high, where, f"{path} is {value}, not from {low} to {high}")

    def bounds(self, shape, length, path, where):
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", length)
        self.note(low <= length <= high, where, f"{path} has length {length}, not from {low} to {high}")

    def create(self, region=REGION, **members):
        return self.ok("CreateKey", region, **members)["KeyMetadata"]["Arn"]


def main():
    assert len(MODEL.operation_names) == OPERATIONS, "another model"
    check = Check()
    story(check)
    assert set(check.examples) == set(MODEL.operation_names), set(MODEL.operation_names) - set(check.examples)
    for operation, (region, members) in check.examples.items():
        spoil(check, operation, members, region)
        misplace(check, operation, members, region)
    change_states(check)
    is_shown(check)
    for fault in check.faults:
        print(fault)
    answered = sum(len(codes) for codes in check.codes.values())
    print(
        f"{len(check.examples)} of {OPERATIONS} operations answered as modelled: {check.calls} calls, "
        f"{answered} pairs of operation and error code, {len(check.shown)} members shown"
    )
    assert not check.faults, f"{len(check.faults)} faults"


def story(check):
    """Calls every operation with success."""
    arn = check.create(Description="cards", Tags=[{"TagKey": "a", "TagValue": "b"}], Policy=open_policy())
    manage(check, arn)
    allow_others(check, arn)
    encrypt(check, arn)
    use_asymmetric_keys(check)
    import_material(check)
    replicate(check)
    keep_elsewhere(check)
    check.ok("GetKeyLastUsage", KeyId=arn)
    end(check, check.create())


def open_policy():
    return policy(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))


def manage(check, arn):
    ok = check.ok
    ok("DescribeKey", KeyId=arn)
    ok("CreateAlias", AliasName="alias/model", TargetKeyId=arn)
    ok("CreateAlias", AliasName="alias/model-2", TargetKeyId=arn)
    ok("UpdateAlias", AliasName="alias/model", TargetKeyId=arn)
    ok("ListAliases", KeyId=arn, Limit=1)
    ok("ListAliases")
    ok("UpdateKeyDescription", KeyId=arn, Description="more cards")
    ok("TagResource", KeyId=arn, Tags=[{"TagKey": "c", "TagValue": ""}])
    ok("ListResourceTags", KeyId=arn, Limit=1)
    ok("UntagResource", KeyId=arn, TagKeys=["c"])
    ok("ListKeys", Limit=1)
    ok("GetKeyPolicy", KeyId=arn)
    ok("PutKeyPolicy", KeyId=arn, Policy=open_policy())
    ok("ListKeyPolicies", KeyId=arn)
    ok("GetKeyRotationStatus", KeyId=arn)
    ok("EnableKeyRotation", KeyId=arn, RotationPeriodInDays=90)
    ok("RotateKeyOnDemand", KeyId=arn)
    ok("GetKeyRotationStatus", KeyId=arn)
    ok("DescribeKey", KeyId=arn)
    ok("ListKeyRotations", KeyId=arn, IncludeKeyMaterial="ALL_KEY_MATERIAL", Limit=1)
    ok("ListKeyRotations", KeyId=arn)
    ok("DisableKeyRotation", KeyId=arn)
    ok("DisableKey", KeyId=arn)
    ok("EnableKey", KeyId=arn)
    ok("DeleteAlias", AliasName="alias/model-2")


def allow_others(check, arn):
    ok, who = check.ok, f"arn:aws:iam::{ACCOUNT}:user/ann"
    parts = {"KeyId": arn, "Operations": ["Encrypt"], "GranteePrincipal": who, "RetiringPrincipal": who}
    context = {"Constraints": {"EncryptionContextSubset": {"a": "b"}}, "Name": "one"}
    grants = [ok("CreateGrant", **parts, **context), ok("CreateGrant", **parts)]
    equal = {"EncryptionContextEquals": {"a": "b"}}
    ok("CreateGrant", **parts, Constraints=equal)
    service = {"GranteeServicePrincipal": "ec2.amazonaws.com", "RetiringServicePrincipal": "ec2.amazonaws.com"}
    source = {"SourceArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-1"}
    ok("CreateGrant", KeyId=arn, Operations=["Encrypt"], **service, Constraints=source)
    ok("ListGrants", KeyId=arn, Limit=1)
    ok("ListGrants", KeyId=arn)
    ok("ListRetirableGrants", RetiringPrincipal=who)
    ok("ListRetirableGrants", RetiringPrincipal=who, Limit=1)
    ok("RevokeGrant", KeyId=arn, GrantId=grants[0]["GrantId"])
    ok("RetireGrant", KeyId=arn, GrantId=grants[1]["GrantId"])


def encrypt(check, arn):
    ok = check.ok
    made = ok("Encrypt", KeyId=arn, Plaintext=PLAINTEXT, EncryptionContext={"a": "b"})["CiphertextBlob"]
    ok("Decrypt", KeyId=arn, CiphertextBlob=made, EncryptionContext={"a": "b"})
    ok(
        "ReEncrypt",
        CiphertextBlob=made,
        SourceKeyId=arn,
        SourceEncryptionContext={"a": "b"},
        DestinationKeyId=arn,
    )
    ok("GenerateDataKey", KeyId=arn, KeySpec="AES_256")
    ok("GenerateDataKeyWithoutPlaintext", KeyId=arn, NumberOfBytes=1024)
    specs = MODEL.operation_model("GenerateDataKeyPair").input_shape.members["KeyPairSpec"].enum
    for spec in specs:
        # The key pairs of China are not to be had here, and large ones are slow to make.
        if spec not in ("SM2", "RSA_3072", "RSA_4096"):
            ok("GenerateDataKeyPair", KeyId=arn, KeyPairSpec=spec)
    ok("GenerateDataKeyPairWithoutPlaintext", KeyId=arn, KeyPairSpec="ECC_NIST_P256")
    ok("GenerateRandom", NumberOfBytes=16)


def use_asymmetric_keys(check):
    ok = check.ok
    signer = check.create(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    how = {"KeyId": signer, "Message": DIGEST, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    ok("Verify", **how, Signature=ok("Sign", **how)["Signature"])
    for spec, usage in [
        ("RSA_2048", "ENCRYPT_DECRYPT"),
        ("RSA_2048", "SIGN_VERIFY"),
        ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
        ("ECC_SECG_P256K1", "SIGN_VERIFY"),
        ("ML_DSA_44", "SIGN_VERIFY"),
    ]:
        ok("GetPublicKey", KeyId=check.create(KeySpec=spec, KeyUsage=usage))
    stamp = check.create(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    how = {"KeyId": stamp, "Message": PLAINTEXT, "MacAlgorithm": "HMAC_SHA_256"}
    ok("VerifyMac", **how, Mac=ok("GenerateMac", **how)["Mac"])
    agreeing = check.create(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
    public = ok("GetPublicKey", KeyId=agreeing)["PublicKey"]
    ok("DeriveSharedSecret", KeyId=agreeing, KeyAgreementAlgorithm="ECDH", PublicKey=public)
    kem = check.create(KeySpec="ML_KEM_768", KeyUsage="ENCAPSULATE_DECAPSULATE")
    ok("GetPublicKey", KeyId=kem)
    required = MODEL.operation_model("Encapsulate").input_shape.members
    how = {"KeyId": kem}
    how |= {name: "ML_KEM" for name in required if name == "EncapsulationAlgorithm"}
    sent = ok("Encapsulate", **how)
    given = MODEL.operation_model("Decapsulate").input_shape.members
    ok("Decapsulate", **how, **{name: sent[name] for name in sent if name in given and name not in how})


def import_material(check, material=bytes(range(32))):
    ok = check.ok
    arn = check.create(Origin="EXTERNAL")

    def wrapped(material):
        how = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
        parameters = ok("GetParametersForImport", KeyId=arn, **how)
        public = serialization.load_der_public_key(base64.b64decode(parameters["PublicKey"]))
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        secret = base64.b64encode(public.encrypt(material, oaep)).decode()
        return {"KeyId": arn, "ImportToken": parameters["ImportToken"], "EncryptedKeyMaterial": secret}

    ends = {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": time.time() + 86400}
    ok("ImportKeyMaterial", **wrapped(material), **ends, KeyMaterialDescription="first")
    ok("DescribeKey", KeyId=arn)
    never = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE", "ImportType": "NEW_KEY_MATERIAL"}
    second = ok("ImportKeyMaterial", **wrapped(material[::-1]), **never)
    ok("ListKeyRotations", KeyId=arn, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    ok("RotateKeyOnDemand", KeyId=arn)
    ok("DeleteImportedKeyMaterial", KeyId=arn, KeyMaterialId=second["KeyMaterialId"])


def replicate(check):
    ok = check.ok
    primary = check.create(MultiRegion=True)
    replica = primary.replace(REGION, "eu-west-1")
    tags = [{"TagKey": "a", "TagValue": "b"}]
    ok("ReplicateKey", KeyId=primary, ReplicaRegion="eu-west-1", Tags=tags)
    settled(check, replica, "Enabled", "eu-west-1")
    ok("UpdatePrimaryRegion", KeyId=primary, PrimaryRegion="eu-west-1")
    settled(check, replica, "Enabled", "eu-west-1")
    ok("DescribeKey", KeyId=primary)
    other = check.create(MultiRegion=True)
    ok("ReplicateKey", KeyId=other, ReplicaRegion="eu-west-1")
    settled(check, other.replace(REGION, "eu-west-1"), "Enabled", "eu-west-1")
    ok("ScheduleKeyDeletion", KeyId=other, PendingWindowInDays=7)
    ok("DescribeKey", KeyId=other)


def settled(check, arn, state, region=REGION):
    """Waits until a key is in a state."""

    def is_there():
        return check.call("DescribeKey", {"KeyId": arn}, region)["KeyMetadata"]["KeyState"] == state

    until(10, is_there)


def keep_elsewhere(check):
    ok = check.ok
    cluster = {"CloudHsmClusterId": "cluster-abcdefghijk", "TrustAnchorCertificate": CERTIFICATE}
    cluster |= {"KeyStorePassword": "kmsPswd"}
    proxy = {
        "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
        "XksProxyVpcEndpointServiceName": f"com.amazonaws.vpce.{REGION}.vpce-svc-model",
        "XksProxyUriEndpoint": "https://proxy.example.com",
        "XksProxyUriPath": "/kms/xks/v1",
        "XksProxyAuthenticationCredential": {"AccessKeyId": "A" * 20, "RawSecretAccessKey": "s" * 43},
    }
    hardware = ok("CreateCustomKeyStore", CustomKeyStoreName="hardware", **cluster)["CustomKeyStoreId"]
    external = ok("CreateCustomKeyStore", CustomKeyStoreName="external", **proxy)["CustomKeyStoreId"]
    ok("UpdateCustomKeyStore", CustomKeyStoreId=hardware, NewCustomKeyStoreName="hard")
    for store in (hardware, external):
        ok("ConnectCustomKeyStore", CustomKeyStoreId=store)

    def states():
        return {entry["ConnectionState"] for entry in ok("DescribeCustomKeyStores")["CustomKeyStores"]}

    until(10, lambda: states() == {"CONNECTED"})
    ok("DescribeCustomKeyStores", Limit=1)
    check.create(Origin="AWS_CLOUDHSM", CustomKeyStoreId=hardware)
    check.create(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=external, XksKeyId="model")
    refused = cluster | {"CloudHsmClusterId": "cluster-bbcdefghijk", "KeyStorePassword": "wrong-password"}
    lost = ok("CreateCustomKeyStore", CustomKeyStoreName="lost", **refused)["CustomKeyStoreId"]
    ok("ConnectCustomKeyStore", CustomKeyStoreId=lost)
    until(10, lambda: "FAILED" in states())
    ok("DisconnectCustomKeyStore", CustomKeyStoreId=lost)
    until(10, lambda: "DISCONNECTED" in states())
    ok("DeleteCustomKeyStore", CustomKeyStoreId=lost)


def end(check, arn):
    check.ok("ScheduleKeyDeletion", KeyId=arn, PendingWindowInDays=7)
    check.ok("DescribeKey", KeyId=arn)
    check.ok("CancelKeyDeletion", KeyId=arn)


def spoil(check, operation, members, region):
    """Repeats a call without members, with members of other types and out of bounds, and with unknown ones."""
    shape = MODEL.operation_model(operation).input_shape
    check.call(operation, members | {"Nonsense": {"a": 1}}, region)
    in_order = json.dumps(list(members.values()))
    for body in ("{", "[]", in_order, "null", '"text"', "1", b"\xff", "{}x"):
        check.call(operation, body, region, "SerializationException")
    if shape.required_members:
        check.call(operation, "", region, "ValidationException")
    for name in shape.required_members:
        rest = {other: value for other, value in members.items() if other != name}
        check.call(operation, rest, region, "ValidationException")
        check.call(operation, rest | {name: None}, region, "ValidationException")
    for name, member in shape.members.items():
        for value in of_other_types(member):
            check.call(operation, members | {name: value}, region, "SerializationException")
        for value in out_of_bounds(member):
            check.call(operation, members | {name: value}, region, "an error")


def of_other_types(shape):
    """Values of every type of JSON that a shape does not take."""
    accepted = {
        "structure": (dict,),
        "map": (dict,),
        "list": (list,),
        "string": (str,),
        "blob": (str,),
        "boolean": (bool,),
        "integer": (int, float),
        "long": (int, float),
        "timestamp": (int, float),
    }[shape.type_name]
    return [value for value in ("text", 1, True, ["text"], {"text": 1}) if type(value) not in accepted]


def out_of_bounds(shape):
    """Values of a shape's type that its model does not allow."""
    kind, low, high = shape.type_name, shape.metadata.get("min"), shape.metadata.get("max")
    if kind == "string" and shape.enum:
        yield "NONSENSE"
    elif kind == "string":
        if low:
            yield ""
        if high:
            yield "a" * (high + 1)
    elif kind == "blob":
        yield "no base64!"
        if high:
            yield base64.b64encode(bytes(high + 1)).decode()
    elif kind == "integer":
        if low is not None:
            yield low - 1
        if high is not None:
            yield high + 1
    elif kind == "list" and high and shape.member.type_name == "string":
        yield ["a"] * (high + 1)


def misplace(check, operation, members, region):
    """Repeats a call with keys, aliases and stores that do not exist, in every form of their names."""
    unknown = "12345678-1234-1234-1234-123456789012"
    arn = f"arn:aws:kms:{region}:{ACCOUNT}"
    wrong = [
        unknown,
        f"{arn}:key/{unknown}",
        f"{arn}:key/{unknown}".replace(region, "us-east-1"),
        f"{arn}:key/{unknown}".replace(ACCOUNT, "222233334444"),
        "mrk-12345678123412341234123456789012",
        "alias/nothing",
        f"{arn}:alias/nothing",
        "alias/aws/nothing",
        "arn:aws:s3:::bucket",
        unknown.replace("-", ""),
        "no key at all",
        "\u00e9\U0001f511",
    ]
    for name in KEYS & set(members):
        for value in wrong:
            expected = None if (operation, name) == ("ListAliases", "KeyId") else "an error"
            check.call(operation, members | {name: value}, region, expected)
    for name, value in {
        "AliasName": "alias/nothing",
        "CustomKeyStoreId": "cks-1234567890abcdef0",
        "GrantId": "0" * 64,
        "Marker": "nothing",
        "GrantTokens": ["nothing"],
        "CiphertextBlob": PLAINTEXT,
        "DryRun": True,
        "Recipient": {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": PLAINTEXT},
        "AttestationDocument": PLAINTEXT,
    }.items():
        if name in MODEL.operation_model(operation).input_shape.members:
            check.call(operation, members | {name: value}, region)


def change_states(check):
    """Repeats each call that names a key with keys of other kinds and in other states, each key for one call only."""
    for operation, (region, members) in list(check.examples.items()):
        for name in KEYS & set(members):
            for make in (disabled, pending_deletion, pending_import, hmac, signer, agreeing, kem, replica, outside):
                check.call(operation, members | {name: make(check, region)}, region)
            check.call(operation, members | {name: "alias/model"}, region)


def key(check, region, **members):
    answer = check.call("CreateKey", members, region)
    return answer["KeyMetadata"]["Arn"]


def disabled(check, region):
    arn = key(check, region)
    check.call("DisableKey", {"KeyId": arn}, region)
    return arn


def pending_deletion(check, region):
    arn = key(check, region)
    check.call("ScheduleKeyDeletion", {"KeyId": arn}, region)
    return arn


def pending_import(check, region):
    return key(check, region, Origin="EXTERNAL")


def hmac(check, region):
    return key(check, region, KeySpec="HMAC_224", KeyUsage="GENERATE_VERIFY_MAC")


def signer(check, region):
    return key(check, region, KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")


def agreeing(check, region):
    return key(check, region, KeySpec="ECC_NIST_P384", KeyUsage="KEY_AGREEMENT")


def kem(check, region):
    return key(check, region, KeySpec="ML_KEM_512", KeyUsage="ENCAPSULATE_DECAPSULATE")


def replica(check, region):
    """A replica that is still being created."""
    other = "eu-west-1" if region == REGION else REGION
    primary = key(check, other, MultiRegion=True)
    check.call("ReplicateKey", {"KeyId": primary, "ReplicaRegion": region}, other)
    return primary.replace(other, region)


def outside(check, region):
    """A key in an external key store."""
    stores = check.call("DescribeCustomKeyStores", {"CustomKeyStoreName": "external"}, REGION)["CustomKeyStores"]
    outside.made = getattr(outside, "made", 0) + 1
    where = {"CustomKeyStoreId": stores[0]["CustomKeyStoreId"], "XksKeyId": f"model-{outside.made}"}
    answer = check.call("CreateKey", {"Origin": "EXTERNAL_KEY_STORE"} | where, REGION)
    return answer["KeyMetadata"]["Arn"] if isinstance(answer, dict) else "alias/external"


def is_shown(check):
    """Every member that the model has for an answer was in one, but those that never are."""
    missing = set()

    def visit(shape):
        if shape.type_name == "structure":
            for name, member in shape.members.items():
                if (shape.name, name) not in check.shown:
                    missing.add((shape.name, name))
                visit(member)
        elif shape.type_name == "list":
            visit(shape.member)

    for operation in MODEL.operation_names:
        output = MODEL.operation_model(operation).output_shape
        if output is not None:
            visit(output)
    check.note(missing == NEVER, "the story", f"other members than expected were not shown: {sorted(missing ^ NEVER)}")


if __name__ == "__main__":
    main()
