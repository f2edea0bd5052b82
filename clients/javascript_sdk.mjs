// The AWS SDK for JavaScript: a key's life, made access keys, an assumed role, and a profile with `role_arn`.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";

import * as kms from "@aws-sdk/client-kms";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromIni, fromTemporaryCredentials } from "@aws-sdk/credential-providers";

const account = process.env.AWS_ACCESS_KEY_ID;
const region = process.env.AWS_REGION;
const bytes = (text) => new TextEncoder().encode(text);
const text = (value) => new TextDecoder().decode(value);

/** A function that calls KMS by an operation's name. */
function caller(credentials) {
  const client = new kms.KMSClient({ credentials, maxAttempts: 1 });
  return (operation, members) => client.send(new kms[`${operation}Command`](members));
}

/** Credentials that `keywright engine keys` makes for a principal. */
function credentialsOf(principal) {
  const printed = execFileSync(process.env.KEYWRIGHT, ["engine", "keys", principal], { encoding: "utf8" });
  const variable = (name) => printed.match(new RegExp(`^export ${name}=(.*)$`, "m"))?.[1];
  return {
    accessKeyId: variable("AWS_ACCESS_KEY_ID"),
    secretAccessKey: variable("AWS_SECRET_ACCESS_KEY"),
    sessionToken: variable("AWS_SESSION_TOKEN"),
  };
}

async function identity(credentials) {
  const answer = await new STSClient({ credentials }).send(new GetCallerIdentityCommand({}));
  return answer.Arn;
}

function keyPolicy(...statements) {
  const root = { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "kms:*", Resource: "*" };
  return JSON.stringify({ Version: "2012-10-17", Statement: [root, ...statements] });
}

const root = caller();

async function lives() {
  const Tags = [{ TagKey: "Team", TagValue: "mail" }];
  const { KeyMetadata: made } = await root("CreateKey", { Description: "letters", Tags });
  assert.ok(made.CreationDate instanceof Date);
  await root("CreateAlias", { AliasName: "alias/letters", TargetKeyId: made.KeyId });
  const { KeyMetadata: found } = await root("DescribeKey", { KeyId: "alias/letters" });
  assert.deepEqual(found, made);
  await root("TagResource", { KeyId: made.KeyId, Tags: [{ TagKey: "Stage", TagValue: "test" }] });
  assert.equal((await root("ListResourceTags", { KeyId: made.KeyId })).Tags.length, 2);
  await root("EnableKeyRotation", { KeyId: made.KeyId, RotationPeriodInDays: 365 });
  assert.equal((await root("GetKeyRotationStatus", { KeyId: made.KeyId })).RotationPeriodInDays, 365);
  await root("RotateKeyOnDemand", { KeyId: made.KeyId });
  await root("PutKeyPolicy", { KeyId: made.KeyId, Policy: keyPolicy() });
  assert.equal((await root("GetKeyPolicy", { KeyId: made.KeyId })).Policy, keyPolicy());
  const GranteePrincipal = `arn:aws:iam::${account}:role/post`;
  const grant = await root("CreateGrant", { KeyId: made.KeyId, GranteePrincipal, Operations: ["Decrypt"] });
  assert.equal((await root("ListGrants", { KeyId: made.KeyId })).Grants[0].GrantId, grant.GrantId);
  await root("RevokeGrant", { KeyId: made.KeyId, GrantId: grant.GrantId });
  const pages = [];
  for await (const page of kms.paginateListKeys({ client: new kms.KMSClient({}), pageSize: 1 }, {})) {
    pages.push(...page.Keys);
  }
  assert.ok(pages.some((key) => key.KeyArn === made.Arn));
  return made.Arn;
}

async function ciphers(KeyId) {
  const EncryptionContext = { letter: "1" };
  const { CiphertextBlob } = await root("Encrypt", { KeyId, Plaintext: bytes("dear"), EncryptionContext });
  const opened = await root("Decrypt", { CiphertextBlob, EncryptionContext });
  assert.equal(text(opened.Plaintext), "dear");
  assert.equal(opened.KeyId, KeyId);
  await assert.rejects(root("Decrypt", { CiphertextBlob }), kms.InvalidCiphertextException);
  const data = await root("GenerateDataKey", { KeyId, KeySpec: "AES_256" });
  assert.deepEqual((await root("Decrypt", { CiphertextBlob: data.CiphertextBlob })).Plaintext, data.Plaintext);
  const pair = await root("GenerateDataKeyPair", { KeyId, KeyPairSpec: "ECC_NIST_P384" });
  const secret = await root("Decrypt", { CiphertextBlob: pair.PrivateKeyCiphertextBlob });
  assert.deepEqual(secret.Plaintext, pair.PrivateKeyPlaintext);
}

async function signs() {
  const { KeyMetadata: key } = await root("CreateKey", { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" });
  const how = { KeyId: key.KeyId, Message: bytes("dear"), SigningAlgorithm: "RSASSA_PKCS1_V1_5_SHA_256" };
  const { Signature } = await root("Sign", how);
  assert.equal((await root("Verify", { ...how, Signature })).SignatureValid, true);
  const other = { ...how, Signature, Message: bytes("cheap") };
  await assert.rejects(root("Verify", other), kms.KMSInvalidSignatureException);
  const { KeyMetadata: stamp } = await root("CreateKey", { KeySpec: "HMAC_512", KeyUsage: "GENERATE_VERIFY_MAC" });
  const mac = { KeyId: stamp.KeyId, Message: bytes("dear"), MacAlgorithm: "HMAC_SHA_512" };
  const { Mac } = await root("GenerateMac", mac);
  assert.equal((await root("VerifyMac", { ...mac, Mac })).MacValid, true);
}

async function asksForPermission(KeyId) {
  const user = credentialsOf("user/joan");
  const role = credentialsOf("role/post");
  const joan = `arn:aws:iam::${account}:user/joan`;
  assert.equal(await identity(user), joan);
  assert.match(await identity(role), new RegExp(`^arn:aws:sts::${account}:assumed-role/post/`));
  await assert.rejects(caller(user)("DescribeKey", { KeyId }), {
    name: "AccessDeniedException",
    message:
      `User: ${joan} is not authorized to perform: kms:DescribeKey on resource: ${KeyId} ` +
      "because no identity-based policy allows the kms:DescribeKey action",
  });
  const Principal = { AWS: `arn:aws:iam::${account}:role/post` };
  const allowed = { Effect: "Allow", Principal, Action: "kms:DescribeKey", Resource: "*" };
  await root("PutKeyPolicy", { KeyId, Policy: keyPolicy(allowed) });
  assert.equal((await caller(role)("DescribeKey", { KeyId })).KeyMetadata.Arn, KeyId);
  await assert.rejects(caller(role)("DisableKey", { KeyId }), { name: "AccessDeniedException" });
}

/** Does something in IAM, for the root user. */
async function iam(members) {
  const scope = `20260101/${region}/iam/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${account}/${scope}, SignedHeaders=host, Signature=any`;
  const body = new URLSearchParams({ Version: "2010-05-08", ...members });
  const answer = await fetch(process.env.AWS_ENDPOINT_URL, { method: "POST", headers: { authorization }, body });
  assert.equal(answer.status, 200, await answer.text());
}

/** A user may assume what trusts its account: by a call, by the SDK itself, and by a profile. */
async function assumesRoles(KeyId) {
  const user = credentialsOf("user/joan");
  const allowed = { Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" };
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [allowed] });
  await iam({ Action: "PutUserPolicy", UserName: "joan", PolicyName: "assume", PolicyDocument });
  const RoleArn = `arn:aws:iam::${account}:role/post`;
  const expected = (name) => `arn:aws:sts::${account}:assumed-role/post/${name}`;
  const sts = new STSClient({ credentials: user });
  const { Credentials: made } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "by-hand" }));
  const credentials = {
    accessKeyId: made.AccessKeyId,
    secretAccessKey: made.SecretAccessKey,
    sessionToken: made.SessionToken,
  };
  assert.equal(await identity(credentials), expected("by-hand"));
  const byRoot = new STSClient({}).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "by-root" }));
  await assert.rejects(byRoot, { name: "AccessDenied", message: "Roles may not be assumed by root accounts." });
  const temporary = fromTemporaryCredentials({ masterCredentials: user, params: { RoleArn, RoleSessionName: "temporary" } });
  assert.equal(await identity(temporary), expected("temporary"));
  writeFileSync(
    process.env.AWS_SHARED_CREDENTIALS_FILE,
    `[base]\naws_access_key_id = ${user.accessKeyId}\naws_secret_access_key = ${user.secretAccessKey}\n`,
  );
  writeFileSync(
    process.env.AWS_CONFIG_FILE,
    `[profile post]\nregion = ${region}\nrole_arn = ${RoleArn}\nsource_profile = base\nrole_session_name = profile\n`,
  );
  const profile = fromIni({ profile: "post", ignoreCache: true });
  assert.equal(await identity(profile), expected("profile"));
  assert.equal((await caller(profile)("DescribeKey", { KeyId })).KeyMetadata.Arn, KeyId);
}

const key = await lives();
await ciphers(key);
await signs();
await asksForPermission(key);
await assumesRoles(key);
