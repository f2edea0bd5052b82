//! Who may do what: one row a case, each by a real call with a real signature.

use keywright::model::Principal;
use serde_json::{Map, Value, json};

use super::bench::Bench;
use crate::support::desk::{As, Desk, element, keys};

const HOME: &str = "111122223333";
const AWAY: &str = "444455556666";
const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// The columns: key policy | what the caller carries | caller | call | answer.
///
/// A statement is `allow|deny [PRINCIPAL] OPERATIONS [on RESOURCE] [if OPERATOR KEY VALUE]`. A caller carries identity
/// policies, or `boundary …` and `session …`. The answer is `ok`, the kind of policy that should have allowed it, or
/// `deny` and the kind that denies.
const ROWS: &str = "
# The root user is subject to the key policy.
allow root *                              |  | root | DescribeKey | ok
allow root Encrypt                        |  | root | Encrypt     | ok
allow root Encrypt                        |  | root | DescribeKey | resource-based
allow role/app *                          |  | root | DescribeKey | resource-based
allow * *                                 |  | root | DescribeKey | ok
allow root *; deny root DescribeKey       |  | root | DescribeKey | deny resource-based
allow root *; deny * DescribeKey          |  | root | DescribeKey | deny resource-based
allow root *; deny user/ann DescribeKey   |  | root | DescribeKey | ok
allow user/ann *                          |  | root | Encrypt     | resource-based

# A statement that names the caller is enough in its account.
allow user/ann Encrypt                    |  | ann  | Encrypt     | ok
allow user/ann Encrypt                    |  | ann  | DescribeKey | resource-based
allow user/ann *                          |  | bob  | Encrypt     | resource-based
allow role/app Encrypt                    |  | app  | Encrypt     | ok
allow session/app/s1 Encrypt              |  | app  | Encrypt     | ok
allow session/app/s2 Encrypt              |  | app  | Encrypt     | resource-based
allow * Encrypt                           |  | ann  | Encrypt     | ok
allow * Encrypt                           |  | app  | Encrypt     | ok
allow federated/fay Encrypt               |  | fay  | Encrypt     | ok
allow user/ann Encrypt                    |  | fay  | Encrypt     | resource-based
allow user/ann kms:enc*                   |  | ann  | Encrypt     | ok
allow user/ann kms:?ncrypt                |  | ann  | Encrypt     | ok
allow user/ann kms:Generate*              |  | ann  | GenerateDataKey | ok
allow user/ann GenerateDataKey            |  | ann  | GenerateDataKeyWithoutPlaintext | resource-based

# A statement that names the account leaves it to IAM.
allow root *                              |                     | ann | Encrypt | identity-based
allow root *                              | allow Encrypt       | ann | Encrypt | ok
allow root *                              | allow *             | ann | Encrypt | ok
allow root *                              | allow DescribeKey   | ann | Encrypt | identity-based
allow root DescribeKey                    | allow *             | ann | Encrypt | resource-based
allow root Encrypt                        | allow *             | ann | Encrypt | ok
allow root *                              | allow Encrypt       | app | Encrypt | ok
allow root *                              |                     | app | Encrypt | identity-based
allow user/bob *                          | allow *             | ann | Encrypt | resource-based
allow role/app Encrypt                    | allow *             | ann | Encrypt | resource-based
allow root *                              | allow Encrypt on KEY                | ann | Encrypt | ok
allow root *                              | allow Encrypt on arn:aws:kms:*:111122223333:key/* | ann | Encrypt | ok
allow root *                              | allow Encrypt on arn:aws:kms:*:444455556666:key/* | ann | Encrypt | identity-based
allow root *                              | allow Encrypt on arn:aws:kms:us-east-1:111122223333:key/* | ann | Encrypt | identity-based
allow root *                              | allow Encrypt on arn:aws:kms:eu-central-1:111122223333:alias/a | ann | Encrypt | identity-based
allow root *                              | allow kms:encrypt   | ann | Encrypt | ok
allow root *                              | allow kms:E*        | ann | Encrypt | ok
allow root *                              | allow s3:*          | ann | Encrypt | identity-based

# A denial anywhere has the last word.
allow user/ann *; deny user/ann Encrypt   | allow *             | ann | Encrypt | deny resource-based
allow user/ann *; deny * Encrypt          | allow *             | ann | Encrypt | deny resource-based
allow user/ann *; deny root Encrypt       |                     | ann | Encrypt | deny resource-based
allow user/ann *; deny user/bob Encrypt   |                     | ann | Encrypt | ok
allow user/ann *                          | deny Encrypt        | ann | Encrypt | deny identity-based
allow user/ann *                          | deny *              | ann | Encrypt | deny identity-based
allow root *                              | allow *; deny Encrypt | ann | Encrypt | deny identity-based
allow root *                              | allow *; deny DescribeKey | ann | Encrypt | ok
allow role/app *                          | deny Encrypt        | app | Encrypt | deny identity-based
allow role/app *; deny session/app/s1 *   |                     | app | Encrypt | deny resource-based
allow role/app *; deny session/app/s2 *   |                     | app | Encrypt | ok
allow role/app *; deny role/app Encrypt   |                     | app | Encrypt | deny resource-based
deny user/ann Encrypt                     |                     | ann | Encrypt | deny resource-based
allow user/ann *                          | deny Encrypt on arn:aws:kms:*:444455556666:key/* | ann | Encrypt | ok

# Boundaries limit what IAM allows and what names a role, not what names a user.
allow root *                              | allow *; boundary allow Encrypt     | ann | Encrypt     | ok
allow root *                              | allow *; boundary allow Encrypt     | ann | DescribeKey | permissions boundary
allow root *                              | boundary allow Encrypt              | ann | Encrypt     | identity-based
allow root *                              | allow *; boundary allow *; boundary deny Encrypt | ann | Encrypt | deny permissions boundary
allow user/ann Encrypt                    | boundary allow DescribeKey          | ann | Encrypt     | ok
allow user/ann Encrypt                    | boundary deny Encrypt               | ann | Encrypt     | deny permissions boundary
allow role/app Encrypt                    | boundary allow Encrypt              | app | Encrypt     | ok
allow role/app Encrypt                    | boundary allow DescribeKey          | app | Encrypt     | permissions boundary
allow session/app/s1 Encrypt              | boundary allow DescribeKey          | app | Encrypt     | ok
allow * Encrypt                           | boundary allow DescribeKey          | app | Encrypt     | ok
allow root *                              | allow *; boundary allow DescribeKey | app | Encrypt     | permissions boundary

# So do session policies.
allow root *                              | allow *; session allow Encrypt      | app | Encrypt     | ok
allow root *                              | allow *; session allow DescribeKey  | app | Encrypt     | session
allow root *                              | session allow Encrypt               | app | Encrypt     | identity-based
allow role/app Encrypt                    | session allow Encrypt               | app | Encrypt     | ok
allow role/app Encrypt                    | session allow DescribeKey           | app | Encrypt     | session
allow session/app/s1 Encrypt              | session allow DescribeKey           | app | Encrypt     | ok
allow * Encrypt                           | session allow DescribeKey           | app | Encrypt     | ok
allow role/app Encrypt                    | session allow *; session deny Encrypt | app | Encrypt   | deny session
allow root *                              | allow *; session allow *; session deny Encrypt | app | Encrypt | deny session
allow root *                              | allow *; boundary allow Encrypt; session allow Encrypt | app | Encrypt | ok
allow root *                              | allow *; boundary allow DescribeKey; session allow Encrypt | app | Encrypt | permissions boundary

# A federated user has what its user and its policies have in common.
allow root *                              | allow *                             | fay | Encrypt | session
allow root *                              | allow *; session allow Encrypt      | fay | Encrypt | ok
allow root *                              | allow *; session allow DescribeKey  | fay | Encrypt | session
allow root *                              | allow DescribeKey; session allow *  | fay | Encrypt | identity-based
allow federated/fay Encrypt               | allow *; session allow DescribeKey  | fay | Encrypt | ok
allow federated/fay Encrypt               | allow *; session deny Encrypt       | fay | Encrypt | deny session

# From another account, both sides must allow; that of a root user does.
allow root *                              | allow *       | eve | Encrypt | resource-based
allow 444455556666:root Encrypt           | allow Encrypt | eve | Encrypt | ok
allow 444455556666:root Encrypt           |               | eve | Encrypt | identity-based
allow 444455556666:user/eve Encrypt       | allow Encrypt | eve | Encrypt | ok
allow 444455556666:user/eve Encrypt       |               | eve | Encrypt | identity-based
allow 444455556666:user/eve Encrypt       | allow *       | ann | Encrypt | resource-based
allow * Encrypt                           |               | eve | Encrypt | identity-based
allow * Encrypt                           | allow Encrypt | eve | Encrypt | ok
allow 444455556666:root Encrypt           |               | far | Encrypt | ok
allow * Encrypt                           |               | far | Encrypt | ok
allow root *                              |               | far | Encrypt | resource-based
allow 444455556666:user/eve Encrypt       |               | far | Encrypt | resource-based
allow 444455556666:root *                 |               | far | GetKeyPolicy | resource-based
allow 444455556666:root Encrypt           | allow *       | eve | DescribeKey | resource-based
allow 444455556666:root *                 | allow *       | eve | DescribeKey | ok
allow 444455556666:root *                 | allow *       | eve | GetKeyRotationStatus | ok
allow 444455556666:root *                 | allow *       | eve | ListGrants | ok
allow 444455556666:root *                 | allow *       | eve | CreateGrant | ok
allow 444455556666:root *                 | allow *       | eve | GetKeyPolicy | resource-based
allow 444455556666:root *                 | allow *       | eve | ListResourceTags | resource-based
allow 444455556666:root *                 | allow *       | eve | ListKeyPolicies | resource-based
allow 444455556666:root *                 | allow *       | eve | DisableKey | resource-based
allow 444455556666:root *                 | allow *       | eve | ScheduleKeyDeletion | resource-based
allow 444455556666:root *                 | allow *       | eve | TagResource | resource-based
allow 444455556666:root *; deny 444455556666:user/eve Encrypt | allow * | eve | Encrypt | deny resource-based
allow 444455556666:root *                 | allow *; deny Encrypt | eve | Encrypt | deny identity-based
allow 444455556666:root *                 | allow *; boundary allow DescribeKey | eve | Encrypt | permissions boundary

# Services have no account; a statement must name them.
allow logs.amazonaws.com Encrypt          |  | logs | Encrypt     | ok
allow logs.amazonaws.com Encrypt          |  | logs | DescribeKey | resource-based
allow sns.amazonaws.com Encrypt           |  | logs | Encrypt     | resource-based
allow root *                              |  | logs | Encrypt     | resource-based
allow logs.amazonaws.com *; deny logs.amazonaws.com Encrypt | | logs | Encrypt | deny resource-based
allow * CreateGrant if Bool kms:GrantIsForAWSResource true | | logs | CreateGrant | ok

# NotPrincipal denies all but the whole chain of those that it lists.
allow root *; allow user/ann *; deny !root,user/ann Encrypt | | ann | Encrypt | ok
allow root *; allow user/bob *; deny !root,user/ann Encrypt | | bob | Encrypt | deny resource-based
allow user/ann *; deny !user/ann Encrypt  |                      | ann | Encrypt | deny resource-based
allow user/ann *; deny !root,user/ann Encrypt | boundary allow * | ann | Encrypt | deny resource-based

# Conditions on the caller.
allow * Encrypt if StringEquals kms:CallerAccount 111122223333      |  | ann | Encrypt | ok
allow * Encrypt if StringEquals kms:CallerAccount 444455556666      |  | ann | Encrypt | resource-based
allow * Encrypt if StringEquals aws:PrincipalAccount 111122223333   |  | ann | Encrypt | ok
allow * Encrypt if ArnEquals aws:PrincipalArn arn:aws:iam::111122223333:user/ann | | ann | Encrypt | ok
allow * Encrypt if ArnEquals aws:PrincipalArn arn:aws:iam::111122223333:role/app | | app | Encrypt | ok
allow * Encrypt if ArnLike aws:PrincipalArn arn:aws:iam::*:role/a* | | app | Encrypt | ok
allow * Encrypt if ArnLike aws:PrincipalArn arn:aws:iam::*:role/b* | | app | Encrypt | resource-based
allow * Encrypt if StringEquals aws:PrincipalType User             |  | ann | Encrypt | ok
allow * Encrypt if StringEquals aws:PrincipalType AssumedRole      |  | app | Encrypt | ok
allow * Encrypt if StringEquals aws:PrincipalType Account          |  | root | Encrypt | ok
allow * Encrypt if StringEquals aws:PrincipalTag/team blue         |  | ann | Encrypt | ok
allow * Encrypt if StringEquals aws:PrincipalTag/team red          |  | ann | Encrypt | resource-based
allow * Encrypt if StringEquals aws:PrincipalTag/team blue         |  | app | Encrypt | ok
allow * Encrypt if StringEquals aws:username ann                   |  | ann | Encrypt | ok
allow * Encrypt if StringLike aws:userid AROA*:s1                  |  | app | Encrypt | ok
allow * Encrypt if StringLike aws:userid AIDA*                     |  | ann | Encrypt | ok
allow * Encrypt if Bool aws:PrincipalIsAWSService false            |  | ann | Encrypt | ok
allow * Encrypt if Bool aws:PrincipalIsAWSService true             |  | logs | Encrypt | ok
allow * Encrypt if Null aws:TokenIssueTime true                    |  | ann | Encrypt | ok
allow * Encrypt if Null aws:TokenIssueTime false                   |  | app | Encrypt | ok
allow * Encrypt if Bool aws:MultiFactorAuthPresent true            |  | app | Encrypt | resource-based
allow * Encrypt if BoolIfExists aws:MultiFactorAuthPresent false   |  | ann | Encrypt | ok

# Conditions on the moment and the place.
allow * Encrypt if StringEquals aws:RequestedRegion eu-central-1   |  | ann | Encrypt | ok
allow * Encrypt if StringEquals aws:RequestedRegion us-east-1      |  | ann | Encrypt | resource-based
allow * Encrypt if DateGreaterThan aws:CurrentTime 2020-01-01T00:00:00Z | | ann | Encrypt | ok
allow * Encrypt if DateLessThan aws:CurrentTime 2020-01-01T00:00:00Z | | ann | Encrypt | resource-based
allow * Encrypt if NumericGreaterThan aws:EpochTime 1700000000     |  | ann | Encrypt | ok
allow * Encrypt if Null aws:SourceIp true                          |  | ann | Encrypt | ok
allow * Encrypt if StringEquals kms:ViaService s3.eu-central-1.amazonaws.com | | ann | Encrypt | resource-based
allow * Encrypt if Bool aws:ViaAWSService false                    |  | ann | Encrypt | ok
allow * Encrypt if StringEquals aws:ResourceAccount 111122223333   |  | ann | Encrypt | ok

# Conditions on the key.
allow * Encrypt if StringEquals kms:KeySpec SYMMETRIC_DEFAULT      |  | ann | Encrypt | ok
allow * Encrypt if StringEquals kms:KeySpec RSA_2048               |  | ann | Encrypt | resource-based
allow * Encrypt if StringEquals kms:KeyUsage ENCRYPT_DECRYPT       |  | ann | Encrypt | ok
allow * Encrypt if StringEquals kms:KeyOrigin AWS_KMS              |  | ann | Encrypt | ok
allow * Encrypt if Bool kms:MultiRegion false                      |  | ann | Encrypt | ok
allow * Encrypt if Null kms:MultiRegionKeyType true                |  | ann | Encrypt | ok
allow root * | allow Encrypt if StringEquals aws:ResourceTag/stage test | ann | Encrypt | ok
allow root * | allow Encrypt if StringEquals aws:ResourceTag/stage live | ann | Encrypt | identity-based
allow root * | allow Encrypt if ForAnyValue:StringEquals kms:ResourceAliases alias/thing | ann | Encrypt | ok
allow root * | allow Encrypt if ForAnyValue:StringEquals kms:ResourceAliases alias/other | ann | Encrypt | identity-based
allow * Encrypt if StringEquals kms:RequestAlias alias/thing       |  | ann | Encrypt KeyId=alias/thing | ok
allow * Encrypt if StringEquals kms:RequestAlias alias/thing       |  | ann | Encrypt | resource-based
allow * Encrypt if StringLike kms:RequestAlias alias/t*            |  | ann | Encrypt KeyId=ALIAS_ARN | ok

# Conditions on the members of a request.
allow * Encrypt if StringEquals kms:EncryptionContext:tenant eu    |  | ann | Encrypt tenant=eu | ok
allow * Encrypt if StringEquals kms:EncryptionContext:TENANT eu    |  | ann | Encrypt tenant=eu | ok
allow * Encrypt if StringEquals kms:EncryptionContext:tenant eu    |  | ann | Encrypt tenant=us | resource-based
allow * Encrypt if StringEquals kms:EncryptionContext:tenant eu    |  | ann | Encrypt | resource-based
allow * Encrypt if ForAllValues:StringEquals kms:EncryptionContextKeys tenant | | ann | Encrypt tenant=eu | ok
allow * Encrypt if ForAllValues:StringEquals kms:EncryptionContextKeys tenant | | ann | Encrypt tenant=eu other=x | resource-based
allow * Encrypt if StringEquals kms:EncryptionContext:user ${aws:username} | | ann | Encrypt user=ann | ok
allow * Encrypt if StringEquals kms:EncryptionContext:user ${aws:username} | | ann | Encrypt user=bob | resource-based
allow * Encrypt if StringEquals kms:EncryptionAlgorithm SYMMETRIC_DEFAULT | | ann | Encrypt | ok
allow * GenerateDataKey if StringEquals kms:EncryptionAlgorithm SYMMETRIC_DEFAULT | | ann | GenerateDataKey | ok
allow * ScheduleKeyDeletion if NumericGreaterThanEquals kms:ScheduleKeyDeletionPendingWindowInDays 10 | | ann | ScheduleKeyDeletion | ok
allow * ScheduleKeyDeletion if NumericGreaterThanEquals kms:ScheduleKeyDeletionPendingWindowInDays 10 | | ann | ScheduleKeyDeletion PendingWindowInDays=7 | resource-based
allow * EnableKeyRotation if NumericEquals kms:RotationPeriodInDays 365 | | ann | EnableKeyRotation | ok
allow * EnableKeyRotation if NumericEquals kms:RotationPeriodInDays 365 | | ann | EnableKeyRotation RotationPeriodInDays=90 | resource-based
allow * DisableKey if NumericGreaterThan kms:TrailingDaysWithoutKeyUsage 30 | | ann | DisableKey | resource-based
allow * GetKeyPolicy if StringEquals kms:PolicyName default        |  | ann | GetKeyPolicy | ok
allow root *; allow * PutKeyPolicy if Null kms:BypassPolicyLockoutSafetyCheck true | allow kms:Put* | ann | PutKeyPolicy | ok
allow * TagResource if StringEquals aws:RequestTag/a b             |  | ann | TagResource | ok
allow * TagResource if StringEquals aws:RequestTag/a c             |  | ann | TagResource | resource-based
allow * TagResource if ForAllValues:StringEquals aws:TagKeys a     |  | ann | TagResource | ok
allow * UntagResource if ForAllValues:StringEquals aws:TagKeys b   |  | ann | UntagResource | resource-based
allow * CreateGrant if StringEquals kms:GranteePrincipal arn:aws:iam::111122223333:user/bob | | ann | CreateGrant | ok
allow * CreateGrant if StringEquals kms:GranteePrincipal arn:aws:iam::111122223333:user/ann | | ann | CreateGrant | resource-based
allow * CreateGrant if ForAllValues:StringEquals kms:GrantOperations Encrypt | | ann | CreateGrant | resource-based
allow * CreateGrant if ForAllValues:StringEquals kms:GrantOperations Encrypt,Decrypt | | ann | CreateGrant | ok
allow * CreateGrant if Bool kms:GrantIsForAWSResource true         |  | ann | CreateGrant | resource-based
allow * CreateGrant if StringEquals kms:GrantConstraintType EncryptionContextSubset | | ann | CreateGrant | resource-based

# What is about no key is IAM's alone.
allow root * |                    | ann | ListKeys    | identity-based
allow root * | allow ListKeys     | ann | ListKeys    | ok
allow root * | allow *            | ann | ListAliases | ok
allow root * | allow ListKeys     | ann | ListAliases | identity-based
allow * *    |                    | ann | CreateKey   | identity-based
allow * *    | allow CreateKey,PutKeyPolicy | ann | CreateKey | ok
allow * *    | allow CreateKey if StringEquals kms:KeySpec SYMMETRIC_DEFAULT; allow PutKeyPolicy | ann | CreateKey | ok
allow * *    | allow CreateKey if StringEquals kms:KeySpec RSA_2048 | ann | CreateKey | identity-based
allow * *    | allow CreateKey,PutKeyPolicy | ann | CreateKey Tags | identity-based
allow * *    | allow CreateKey,PutKeyPolicy,TagResource | ann | CreateKey Tags | ok
allow * *    | allow CreateKey,PutKeyPolicy; allow TagResource on arn:aws:kms:*:111122223333:key/* | ann | CreateKey Tags | ok
allow * *    | allow CreateKey,PutKeyPolicy; allow TagResource on KEY | ann | CreateKey Tags | identity-based
allow * *    |                    | root | ListKeys    | ok
allow * *    | allow *; boundary allow Encrypt | ann | ListKeys | permissions boundary
allow * *    | allow *; session allow Encrypt | app | ListKeys | session
allow * *    | allow *; deny ListKeys | ann | ListKeys | deny identity-based

# Aliases need their own permission and the key's.
allow root *                   | allow CreateAlias         | ann | CreateAlias | ok
allow root *                   |                           | ann | CreateAlias | identity-based
allow user/ann CreateAlias     |                           | ann | CreateAlias | identity-based
allow user/ann CreateAlias     | allow CreateAlias         | ann | CreateAlias | ok
allow user/ann Encrypt         | allow CreateAlias         | ann | CreateAlias | resource-based
allow user/ann CreateAlias     | allow CreateAlias on arn:aws:kms:*:*:alias/n* | ann | CreateAlias | ok
allow user/ann CreateAlias     | allow CreateAlias on arn:aws:kms:*:*:key/* | ann | CreateAlias | identity-based
allow root *                   | allow DeleteAlias         | ann | DeleteAlias | ok
allow root Encrypt             | allow DeleteAlias         | ann | DeleteAlias | resource-based
allow root *                   | allow DeleteAlias on KEY  | ann | DeleteAlias | identity-based
allow root *                   | allow UpdateAlias         | ann | UpdateAlias | ok
allow root Encrypt             | allow UpdateAlias         | ann | UpdateAlias | resource-based
";

/// One row, on an engine of its own.
struct Row<'a> {
    policy: &'a str,
    carried: &'a str,
    caller: &'a str,
    call: &'a str,
    answer: &'a str,
}

impl<'a> Row<'a> {
    fn read(line: &'a str) -> Self {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [policy, carried, caller, call, answer] = columns[..] else {
            panic!("{line}");
        };
        Self {
            policy,
            carried,
            caller,
            call,
            answer,
        }
    }

    fn check(&self, line: &str) {
        let desk = desk();
        let key = key(&desk);
        let (user, role) = (self.caller, "app");
        let identity = statements(self.carried, "", &key);
        let boundary = statements(self.carried, "boundary ", &key);
        let session = statements(self.carried, "session ", &key);
        let home = if user == "eve" { AWAY } else { HOME };
        let owner = As::Root(home);
        people(&desk);
        let (kind, name) = match user {
            "app" => ("Role", role),
            "fay" => ("User", "ann"),
            name => ("User", name),
        };
        let member = format!("{kind}Name");
        if let Some(text) = identity {
            let members = [
                (&*member, name),
                ("PolicyName", "own"),
                ("PolicyDocument", &text),
            ];
            desk.done(&owner, &format!("Put{kind}Policy"), &members);
        }
        if let Some(text) = boundary {
            let made = desk.done(
                &owner,
                "CreatePolicy",
                &[("PolicyName", "limit"), ("PolicyDocument", &text)],
            );
            let members = [
                (&*member, name),
                ("PermissionsBoundary", &element(&made, "Arn")),
            ];
            desk.done(&owner, &format!("Put{kind}PermissionsBoundary"), &members);
        }
        let who = caller(&desk, user, &owner, session.as_deref());
        let policy = json!({"Version": "2012-10-17", "Statement": key_statements(self.policy)});
        let members = json!({"KeyId": key, "Policy": policy.to_string(), "BypassPolicyLockoutSafetyCheck": true});
        let (status, body) = desk.kms(&As::Root(HOME), "PutKeyPolicy", &members);
        assert_eq!(status, 200, "{line}: {body}");
        let (operation, members) = call(self.call, &key);
        let (status, body) = desk.kms(&who, operation, &members);
        let message = body["message"].as_str().unwrap_or_default();
        if self.answer == "ok" {
            assert_eq!(status, 200, "{line}: {body}");
            return;
        }
        assert_eq!(body["__type"], "AccessDeniedException", "{line}: {body}");
        let expected = match self.answer.strip_prefix("deny ") {
            Some(kind) => format!(
                "with an explicit deny in a{} {}",
                if kind.starts_with('i') { "n" } else { "" },
                full(kind)
            ),
            None => format!("because no {} allows the kms:", full(self.answer)),
        };
        assert!(message.contains(&expected), "{line}: {message}");
    }
}

/// The kind of a policy as messages write it.
fn full(kind: &str) -> String {
    match kind {
        "permissions boundary" => kind.to_owned(),
        "session" | "identity-based" | "resource-based" => format!("{kind} policy"),
        other => panic!("{other}"),
    }
}

fn desk() -> Desk {
    let bench = Bench::new();
    Desk {
        now: jiff::Timestamp::from_millisecond(1_780_000_000_000).unwrap(),
        engine: bench.engine,
    }
}

/// A key with a tag and an alias, under the default policy.
fn key(desk: &Desk) -> String {
    let root = As::Root(HOME);
    let members = json!({"Tags": [{"TagKey": "stage", "TagValue": "test"}]});
    let (_, made) = desk.kms(&root, "CreateKey", &members);
    let key = made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned();
    let alias = json!({"AliasName": "alias/thing", "TargetKeyId": key});
    assert_eq!(desk.kms(&root, "CreateAlias", &alias).0, 200);
    key
}

/// Ann, Bob, the role `app` and a user who may assume it at home, Eve away.
fn people(desk: &Desk) {
    let tag = [
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "blue"),
    ];
    for (account, name) in [(HOME, "ann"), (HOME, "bob"), (AWAY, "eve")] {
        let members = [("UserName", name), tag[0], tag[1]];
        desk.done(&As::Root(account), "CreateUser", &members);
    }
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}]}"#;
    let members = [
        ("RoleName", "app"),
        ("AssumeRolePolicyDocument", trust),
        tag[0],
        tag[1],
    ];
    desk.done(&As::Root(HOME), "CreateRole", &members);
    let host = ("UserName", "host");
    desk.done(&As::Root(HOME), "CreateUser", &[host]);
    let members = [host, ("PolicyName", "own"), ("PolicyDocument", MAY_ASSUME)];
    desk.done(&As::Root(HOME), "PutUserPolicy", &members);
}

const MAY_ASSUME: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}"#;

fn caller(desk: &Desk, name: &str, owner: &As, session: Option<&str>) -> As {
    match name {
        "root" => As::Root(HOME),
        "far" => As::Root(AWAY),
        "logs" => As::principal(
            Principal::Service("logs.amazonaws.com".parse().unwrap()),
            HOME,
        ),
        "app" => {
            let mut members = vec![
                ("RoleArn", "arn:aws:iam::111122223333:role/app"),
                ("RoleSessionName", "s1"),
            ];
            members.extend(session.map(|text| ("Policy", text)));
            let host = As::Key(keys(&desk.done(
                owner,
                "CreateAccessKey",
                &[("UserName", "host")],
            )));
            As::Key(keys(&desk.done(&host, "AssumeRole", &members)))
        }
        "fay" => {
            // Ann needs to be let; what she carries in the row is left as it is.
            let made = desk.done(owner, "CreateAccessKey", &[("UserName", "ann")]);
            let ann = As::Key(keys(&made));
            let members = [
                ("UserName", "ann"),
                ("PolicyName", "federate"),
                ("PolicyDocument", FEDERATE),
            ];
            desk.done(owner, "PutUserPolicy", &members);
            let mut members = vec![("Name", "fay")];
            members.extend(session.map(|text| ("Policy", text)));
            As::Key(keys(&desk.done(&ann, "GetFederationToken", &members)))
        }
        user => As::Key(keys(&desk.done(
            owner,
            "CreateAccessKey",
            &[("UserName", user)],
        ))),
    }
}

const FEDERATE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:GetFederationToken","Resource":"*"}]}"#;

/// The statements of a column that begin with a word, as a policy.
fn statements(column: &str, word: &str, key: &str) -> Option<String> {
    let kinds = ["boundary ", "session "];
    let mine = |text: &&str| match word {
        "" => !text.is_empty() && !kinds.iter().any(|kind| text.starts_with(kind)),
        word => text.starts_with(word),
    };
    let found = column.split(';').map(str::trim).filter(mine);
    let read = |text: &str| {
        let text = text.strip_prefix(word).unwrap();
        let (head, condition) = split_condition(text);
        let (head, resource) = head.split_once(" on ").unwrap_or((head, "*"));
        let (effect, actions) = head.split_once(' ').unwrap();
        let resource = resource.trim().replace("KEY", key);
        statement(effect, None, actions, &resource, condition)
    };
    let found: Vec<Value> = found.map(read).collect();
    let policy = json!({"Version": "2012-10-17", "Statement": found});
    (!found.is_empty()).then(|| policy.to_string())
}

fn key_statements(column: &str) -> Vec<Value> {
    let read = |text: &str| {
        let (head, condition) = split_condition(text.trim());
        let words: Vec<&str> = head.split_whitespace().collect();
        let [effect, principal, actions] = words[..] else {
            panic!("{text}");
        };
        statement(effect, Some(principal), actions, "*", condition)
    };
    column.split(';').map(read).collect()
}

fn split_condition(text: &str) -> (&str, Option<&str>) {
    match text.split_once(" if ") {
        Some((head, condition)) => (head, Some(condition)),
        None => (text, None),
    }
}

fn statement(
    effect: &str,
    principal: Option<&str>,
    actions: &str,
    resource: &str,
    condition: Option<&str>,
) -> Value {
    let action = |name: &str| match name {
        "*" => "kms:*".to_owned(),
        name if name.contains(':') => name.to_owned(),
        name => format!("kms:{name}"),
    };
    let actions: Vec<String> = actions.trim().split(',').map(action).collect();
    let effect = if effect == "allow" { "Allow" } else { "Deny" };
    let mut statement = json!({"Effect": effect, "Action": actions, "Resource": resource});
    if let Some(principal) = principal {
        let (element, names) = match principal.strip_prefix('!') {
            Some(names) => ("NotPrincipal", names),
            None => ("Principal", principal),
        };
        statement[element] = principals(names);
    }
    if let Some(condition) = condition {
        let words: Vec<&str> = condition.split_whitespace().collect();
        let [operator, key, values] = words[..] else {
            panic!("{condition}");
        };
        let values: Vec<&str> = values.split(',').collect();
        statement["Condition"] = json!({operator: {key: values}});
    }
    statement
}

fn principals(names: &str) -> Value {
    if names == "*" {
        return "*".into();
    }
    if names.ends_with(".amazonaws.com") {
        return json!({"Service": names});
    }
    let arn = |name: &str| {
        let (account, name) = name.split_once(':').unwrap_or((HOME, name));
        match name.split_once('/') {
            None => format!("arn:aws:iam::{account}:root"),
            Some(("session", rest)) => format!("arn:aws:sts::{account}:assumed-role/{rest}"),
            Some(("federated", rest)) => format!("arn:aws:sts::{account}:federated-user/{rest}"),
            Some(_) => format!("arn:aws:iam::{account}:{name}"),
        }
    };
    let arns: Vec<String> = names.split(',').map(arn).collect();
    json!({"AWS": arns})
}

/// An operation, and its members: what it cannot do without, and what the row says.
fn call<'a>(text: &'a str, key: &str) -> (&'a str, Value) {
    let (operation, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut members = json!({"KeyId": key});
    let more = match operation {
        "Encrypt" => json!({"Plaintext": "aGVsbG8="}),
        "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext" => json!({"KeySpec": "AES_256"}),
        "CreateGrant" => {
            json!({"GranteePrincipal": "arn:aws:iam::111122223333:user/bob", "Operations": ["Encrypt", "Decrypt"]})
        }
        "TagResource" => json!({"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        "UntagResource" => json!({"TagKeys": ["a"]}),
        "CreateAlias" => json!({"KeyId": null, "AliasName": "alias/new", "TargetKeyId": key}),
        "UpdateAlias" => json!({"KeyId": null, "AliasName": "alias/thing", "TargetKeyId": key}),
        "DeleteAlias" => json!({"KeyId": null, "AliasName": "alias/thing"}),
        "PutKeyPolicy" => {
            json!({"Policy": r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]}"#})
        }
        "ListKeys" | "ListAliases" | "CreateKey" => json!({"KeyId": null}),
        _ => json!({}),
    };
    merge(&mut members, more);
    let mut context = Map::new();
    for word in rest.split_whitespace() {
        match word.split_once('=') {
            None => members["Tags"] = json!([{"TagKey": "a", "TagValue": "b"}]),
            Some(("KeyId", "ALIAS_ARN")) => {
                members["KeyId"] = format!("arn:aws:kms:eu-central-1:{HOME}:alias/thing").into();
            }
            Some(("KeyId", value)) => members["KeyId"] = value.into(),
            Some((name, value)) if name.ends_with("Days") => {
                members[name] = value.parse::<i64>().unwrap().into();
            }
            Some((name, value)) => {
                context.insert(name.to_owned(), value.into());
            }
        }
    }
    if !context.is_empty() {
        members["EncryptionContext"] = context.into();
    }
    (operation, members)
}

fn merge(members: &mut Value, more: Value) {
    let Value::Object(more) = more else { return };
    for (name, value) in more {
        if value.is_null() {
            members.as_object_mut().unwrap().remove(&name);
        } else {
            members[name] = value;
        }
    }
}

#[test]
fn every_row_is_decided_as_it_says() {
    let lines = ROWS.lines().map(str::trim);
    let lines: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert!(lines.len() >= 150, "{}", lines.len());
    for line in lines {
        Row::read(line).check(line);
    }
}

#[test]
fn everything_is_allowed_by_the_policy_of_administrators() {
    let desk = desk();
    key(&desk);
    people(&desk);
    let root = As::Root(HOME);
    let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
    desk.done(
        &root,
        "AttachUserPolicy",
        &[("UserName", "ann"), ("PolicyArn", arn)],
    );
    let ann = As::Key(keys(&desk.done(
        &root,
        "CreateAccessKey",
        &[("UserName", "ann")],
    )));
    assert_eq!(desk.kms(&ann, "ListKeys", &json!({})).0, 200);
    desk.done(
        &ann,
        "CreatePolicy",
        &[("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)],
    );
}

#[test]
fn re_encryption_needs_both_halves() {
    let desk = desk();
    let key = key(&desk);
    people(&desk);
    let root = As::Root(HOME);
    let members = [("UserName", "ann")];
    let ann = As::Key(keys(&desk.done(&root, "CreateAccessKey", &members)));
    let plain = json!({"KeyId": key, "Plaintext": "aGVsbG8="});
    let (_, sealed) = desk.kms(&root, "Encrypt", &plain);
    let call = json!({"CiphertextBlob": sealed["CiphertextBlob"], "DestinationKeyId": key});
    let check = |policy: &str, expected: &str| {
        let policy = json!({"Version": "2012-10-17", "Statement": key_statements(policy)});
        let put = json!({"KeyId": key, "Policy": policy.to_string(), "BypassPolicyLockoutSafetyCheck": true});
        assert_eq!(desk.kms(&root, "PutKeyPolicy", &put).0, 200);
        let (_, body) = desk.kms(&ann, "ReEncrypt", &call);
        let found = body["message"].as_str().unwrap_or("ok");
        assert!(found.contains(expected), "{policy}: {body}");
    };
    check("allow root *; allow user/ann ReEncrypt*", "ok");
    check(
        "allow root *; allow user/ann ReEncryptFrom",
        "kms:ReEncryptTo",
    );
    check(
        "allow root *; allow user/ann ReEncryptTo",
        "kms:ReEncryptFrom",
    );
    let same = "allow root *; allow user/ann ReEncrypt* if Bool kms:ReEncryptOnSameKey";
    check(&format!("{same} true"), "ok");
    check(&format!("{same} false"), "kms:ReEncryptFrom");
}
